"""Around the path over HTTP: how long a request is waited for, so that half-sent ones hold no thread for ever."""

from __future__ import annotations

import threading
from time import monotonic

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
