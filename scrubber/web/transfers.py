"""Around the path of batches over HTTP: long uploads and downloads leave threads to those who wait for one claim."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

from scrubber.web.problems import BUSY, Refused

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
