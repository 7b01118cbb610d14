"""Around the path: the keys as one process knows them: read anew every few seconds, beside the requests.

A request asks no store. A key that is revoked is refused by every process within `EVERY` seconds and the time that
reading takes. Where the store cannot be read, what was known holds for `LONGEST` seconds; then nobody is let in.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import NamedTuple

from scrubber.access.key import Key, hold_against_nothing, id_in
from scrubber.access.store import KeyStore
from scrubber.errors import KeysDown

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
