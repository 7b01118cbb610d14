"""How long a request is waited for, and how many uploads may run beside single claims."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from time import monotonic

from scrubber.api.problems import BUSY, Refused

SECONDS = 30  # in which a request must have arrived, and in which a client must take more of its answer
STEP = 65_536  # bytes of an upload that are worth as many seconds again

_mine = threading.local()


class Wait:
    """Until when the request of this thread must have arrived."""

    def __init__(self) -> None:
        self.renew()
        _mine.wait = self

    def renew(self) -> None:
        """Begin anew."""
        self.latest = monotonic() + SECONDS


def go_on() -> None:
    """Another step of a long upload has arrived in this thread: wait as long for the next one."""
    wait: Wait | None = getattr(_mine, "wait", None)
    if wait is not None:  # a test client has no patience
        wait.renew()


WAIT_SECONDS = 2  # after which a client may ask again


class Transfers:
    """So many at once in one process, made before it is forked."""

    def __init__(self, most: int) -> None:
        self._free = threading.BoundedSemaphore(most)

    @contextmanager
    def one(self) -> Iterator[None]:
        """An upload. Raises Refused (503)."""
        self._begin()
        try:
            yield
        finally:
            self._free.release()

    def during(self, pieces: Iterator[bytes]) -> Download:
        """A download. Its first piece is read at once: what is wrong can still be answered. Raises Refused (503)."""
        self._begin()
        try:
            first = next(pieces, None)
        except BaseException:
            self._free.release()
            raise
        return Download(pieces if first is None else chain((first,), pieces), self._free)

    def _begin(self) -> None:
        if not self._free.acquire(blocking=False):
            raise Refused(BUSY, "As many batches are being sent or read as may be; ask again soon.", after=WAIT_SECONDS)


class Download:
    """The pieces of an answer. It ends with the last one, or when the server closes it before."""

    def __init__(self, pieces: Iterator[bytes], free: threading.BoundedSemaphore) -> None:
        self._pieces = pieces
        self._free = free
        self._open = True

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        self.close()

    def close(self) -> None:
        """Called by the server."""
        if self._open:
            self._open = False
            self._free.release()
