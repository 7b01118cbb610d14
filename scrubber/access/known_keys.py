"""The keys as one process knows them, read anew every few seconds, and whether a service demands one.

A request asks no store. A key that is revoked is refused by every process within `EVERY` seconds and the time that
reading takes. Where the store cannot be read, what was known holds for `LONGEST` seconds; then nobody is let in.
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

from scrubber.access.key import Key, hold_against_nothing, id_in
from scrubber.access.limits import Allowed, Limits
from scrubber.access.open_store import open_keys
from scrubber.access.store import KeyStore
from scrubber.config import Settings
from scrubber.errors import ConfigError, KeysDown

EVERY = 2.0  # seconds
LONGEST = 300.0  # seconds

Tell = Callable[[str], None]


class _Known(NamedTuple):
    """What was read: the keys by id, the revision of the store, and when it was last seen to be so (monotonic)."""

    keys: dict[str, Key]
    revision: int
    seen: float


class KnownKeys:
    """The keys of a store. May be made before a fork; each process then reads by itself.

    `tell` is told, in words that hold no key, when the store can no longer be read.
    """

    def __init__(self, store: KeyStore, tell: Tell) -> None:
        self._store = store
        self._tell = tell
        self._known: _Known | None = None
        self._trouble: str | None = None
        self._lock = threading.Lock()
        self._process = 0  # in which a thread reads them

    def any(self) -> bool:
        """Whether there ever was a key. Raises KeysDown."""
        return bool(self._now().keys)

    def find(self, text: str) -> Key | None:
        """The key of a text that was sent; it may be expired or revoked. Raises KeysDown."""
        keys = self._now().keys
        key = keys.get(id_in(text) or "")
        if key is None:
            hold_against_nothing(text)
            return None
        return key if key.is_text(text) else None

    def read(self) -> None:
        """Read what has changed. Raises KeysDown."""
        seen = time.monotonic()
        revision = self._store.revision()
        known = self._known
        if known is None or known.revision != revision:
            self._known = _Known({key.id: key for key in self._store.every()}, revision, seen)
        else:
            self._known = known._replace(seen=seen)

    def read_or_tell(self) -> None:
        """Read what has changed; where that fails, it is told once, and what was known stays."""
        try:
            self.read()
            self._trouble = None
        except KeysDown as down:
            self._failed(str(down))
        except Exception as error:  # noqa: BLE001 -- the thread goes on: else nobody would be let in any more
            self._failed(f"the API keys cannot be understood: {type(error).__name__}")

    def _failed(self, why: str) -> None:
        if self._trouble is None:
            self._tell(why)
        self._trouble = why

    def _now(self) -> _Known:
        if self._process != os.getpid():
            self._begin()
        known = self._known
        if known is None or time.monotonic() - known.seen > LONGEST:
            raise KeysDown("API keys cannot be read")
        return known

    def _begin(self) -> None:
        """The first request of this process waits until the keys are read; a thread reads them from then on."""
        with self._lock:
            if self._process != os.getpid():
                self.read_or_tell()
                threading.Thread(target=_follow, args=(weakref.ref(self),), daemon=True).start()
                self._process = os.getpid()


def _follow(known: weakref.ref[KnownKeys]) -> None:
    """As long as somebody has the keys."""
    while True:
        time.sleep(EVERY)
        keys = known()
        if keys is None:
            return
        keys.read_or_tell()
        del keys


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may ask. `always`: a key is demanded even where none was ever made. `known` is None where no key can be."""

    always: bool
    known: KnownKeys | None
    limits: Limits
    each: Allowed

    def demands_keys(self) -> bool:
        """Whether nobody is let in without a key. Raises KeysDown."""
        return self.always or (self.known is not None and self.known.any())


def open_policy(settings: Settings, now: datetime, tell: Tell) -> Policy:
    """The policy that the settings state. `tell` is told when keys cannot be read.

    Raises ConfigError where a key is demanded and nobody has one.
    """
    always = not (settings.on_loopback if settings.open is None else settings.open)
    store = None if settings.open else open_keys(settings.state, settings.database)
    if always:
        _check_keys(settings, store, now)
    known = None if store is None else KnownKeys(store, tell)
    if known is not None:
        known.read_or_tell()
    return Policy(always, known, Limits(settings.workers), Allowed(settings.key_rate, settings.key_concurrent))


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
