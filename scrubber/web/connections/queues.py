"""Around the path over HTTP: a queue of whole requests with threads that answer them, no longer than is worth waiting.

Who would wait too long is refused at once, so that those who are taken are answered in time. A client that is refused
within a millisecond can ask another machine, or again in a second; one that waits for half a minute cannot.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

from scrubber.web.connections.connection import Connection

MOST_SECONDS = 0.25  # that a request waits for a thread
ALWAYS_TAKEN = 4  # requests for each thread, however long they take: a slow machine has to answer a few callers, too
_LONGEST = 0.1  # seconds: a single long request says little of those that come after it
_WEIGHT = 0.1  # of the last request in the mean


class Queue:
    """So many threads, which `answer` what is put in, in the order in which it came.

    All but the threads themselves is used by the loop alone.
    """

    def __init__(self, name: str, threads: int, answer: Callable[[Connection], None]) -> None:
        self.name = name
        self._threads = threads
        self._answer = answer
        self._waiting: SimpleQueue[Connection | None] = SimpleQueue()
        self._inside = 0
        self._seconds = 0.0  # from the end of one request to that of the next, while there are any
        self._last = 0.0

    def open(self) -> None:
        """Start the threads."""
        for number in range(self._threads):
            threading.Thread(target=self._work, name=f"{self.name} {number}", daemon=True).start()

    @property
    def has_room(self) -> bool:
        """Whether a thread is to be had within the time that is worth waiting."""
        return not self._is_long or self._inside * self._seconds < MOST_SECONDS

    def was_too_slow(self, seconds: float) -> bool:
        """Whether a request that waited so long is to be refused after all, for the sake of those behind it.

        With few clients a slow machine is no reason: they wait for nobody but themselves.
        """
        return self._is_long and seconds > 2 * MOST_SECONDS

    @property
    def _is_long(self) -> bool:
        return self._inside > ALWAYS_TAKEN * self._threads

    def put(self, connection: Connection) -> None:
        """A request to be answered."""
        self._inside += 1
        self._waiting.put(connection)

    def ended(self, began: float, ended: float) -> None:
        """A request that was put in is answered; its thread had it from `began` on."""
        self._inside -= 1
        took = min(_LONGEST, max(0.0, ended - max(began, self._last)))
        self._seconds += _WEIGHT * (took - self._seconds)
        self._last = ended

    def close(self) -> None:
        """No more is put in."""
        for _ in range(self._threads):
            self._waiting.put(None)

    def _work(self) -> None:
        while (connection := self._waiting.get()) is not None:
            self._answer(connection)
