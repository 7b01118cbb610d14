"""Caches the API keys in each process of a service, reads them anew every few seconds, and says whether one is needed.

A request reads no store. A revoked key is refused by every process within `READ_EVERY` seconds and the time that
reading takes. Where the store cannot be read, the keys read last are used for `USABLE_FOR` seconds; then all requests
are refused.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from scrubber.access.key import Key, compare_with_no_key, id_in
from scrubber.access.limits import KeyLimits, RequestCounters
from scrubber.access.open_store import open_keys
from scrubber.access.store import KeyStore
from scrubber.config import Settings
from scrubber.errors import ConfigError, KeysDown

READ_EVERY = 2.0  # seconds
USABLE_FOR = 300.0  # seconds

Report = Callable[[str], None]


class _KeysRead(NamedTuple):
    """The keys read, by id; the revision of the store; and when the store was last read (monotonic clock)."""

    keys: dict[str, Key]
    revision: int
    seen: float


class KnownKeys:
    """The keys of a store. It may be made before a fork; each process then reads the store by itself.

    `report` is called when the store can no longer be read, with a message that contains no key.
    """

    def __init__(self, store: KeyStore, report: Report) -> None:
        self._store = store
        self._report = report
        self._known: _KeysRead | None = None
        self._trouble: str | None = None
        self._lock = threading.Lock()
        self._process = 0  # the process in which a thread reads the store

    def any(self) -> bool:
        """Whether there ever was a key. Raises KeysDown."""
        return bool(self._now().keys)

    def find(self, text: str) -> Key | None:
        """The key of a text that was sent; it may be expired or revoked. Raises KeysDown."""
        keys = self._now().keys
        key = keys.get(id_in(text) or "")
        if key is None:
            compare_with_no_key(text)
            return None
        return key if key.is_text(text) else None

    def read(self) -> None:
        """Read what has changed. Raises KeysDown."""
        seen = time.monotonic()
        revision = self._store.revision()
        known = self._known
        if known is None or known.revision != revision:
            self._known = _KeysRead({key.id: key for key in self._store.every()}, revision, seen)
        else:
            self._known = known._replace(seen=seen)

    def read_or_report(self) -> None:
        """Read what has changed; a failure is reported once, and the keys read before stay in use."""
        try:
            self.read()
            self._trouble = None
        except KeysDown as down:
            self._failed(str(down))
        except Exception as error:  # noqa: BLE001 -- the thread must go on, or all requests would soon be refused
            self._failed(f"the API keys cannot be understood: {type(error).__name__}")

    def _failed(self, why: str) -> None:
        if self._trouble is None:
            self._report(why)
        self._trouble = why

    def _now(self) -> _KeysRead:
        if self._process != os.getpid():
            self._begin()
        known = self._known
        if known is None or time.monotonic() - known.seen > USABLE_FOR:
            raise KeysDown("API keys cannot be read")
        return known

    def _begin(self) -> None:
        """Reads the keys for the first request of this process, and starts a thread that reads them from then on."""
        with self._lock:
            if self._process != os.getpid():
                self.read_or_report()
                threading.Thread(target=_follow, args=(weakref.ref(self),), daemon=True).start()
                self._process = os.getpid()


def _follow(known: weakref.ref[KnownKeys]) -> None:
    """Reads the keys for as long as the object is in use."""
    while True:
        time.sleep(READ_EVERY)
        keys = known()
        if keys is None:
            return
        keys.read_or_report()
        del keys


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """Whether requests need a key. `always`: even where none was ever made. `known`: None where no store is configured.

    `each`: the limits of a key that has none of its own.
    """

    always: bool
    known: KnownKeys | None
    limits: RequestCounters
    each: KeyLimits

    def demands_keys(self) -> bool:
        """Whether requests without a key are refused. Raises KeysDown."""
        return self.always or (self.known is not None and self.known.any())


def open_policy(settings: Settings, now: datetime, report: Report) -> AccessPolicy:
    """The policy of the settings. `report` is called when keys cannot be read.

    Raises ConfigError where a key is needed and no key is valid.
    """
    always = not (settings.on_loopback if settings.open is None else settings.open)
    store = None if settings.open else open_keys(settings.state, settings.database)
    if always:
        _check_keys(settings, store, now)
    known = None if store is None else KnownKeys(store, report)
    if known is not None:
        known.read_or_report()
    return AccessPolicy(
        always, known, RequestCounters(settings.workers), KeyLimits(settings.key_rate, settings.key_concurrent)
    )


def _check_keys(settings: Settings, store: KeyStore | None, now: datetime) -> None:
    why = "SCRUBBER_OPEN is no" if settings.on_loopback else f"other machines can reach {settings.address}"
    if store is None:
        raise ConfigError(f"{why}, and there is no place for API keys: set SCRUBBER_STATE or SCRUBBER_DATABASE_URL")
    try:
        keys = store.every()
    except KeysDown as down:
        raise ConfigError(str(down)) from None
    if not any(key.state(now) == "valid" for key in keys):
        raise ConfigError(
            f"{why}, and no API key is valid. Make one with the same settings: `scrubber keys create --tenant NAME"
            " --scope scrub`. Or listen on 127.0.0.1 (SCRUBBER_BIND); or let everybody ask who reaches the service:"
            " SCRUBBER_OPEN=yes"
        )
