"""Around the path over HTTP: one connection: what is done with it, until when, and what is still to be sent on it."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from enum import Enum
from time import monotonic
from typing import Any

from scrubber.web import patience
from scrubber.web.connections.arriving import Arriving

# The socket is not blocking: it says that nothing can be read or sent just now.
NOT_NOW = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class State(Enum):
    """What is done with a connection."""

    GREETED = "TLS is agreed upon"
    READ = "a request is waited for, or has arrived in part"
    ANSWERED = "a thread has the request"
    WRITTEN = "the answer is being sent"
    PARTED = "the answer is sent; what still arrives is thrown away"
    CLOSED = "it is closed"


class Connection:
    """Used by the loop, except while it is ANSWERED: then it is the thread's. `latest` is until when it may last so.

    `events` are those that the loop waits for; `queued` is when its request was put into the queue; `began`, `ended`
    are when a thread took and left it; `keeps`: another request may follow.
    """

    def __init__(self, sock: socket.socket, client: Any, server: Any, arriving: Arriving, state: State) -> None:
        self.sock = sock
        self.client = client
        self.server = server
        self.arriving = arriving
        self.state = state
        self.events = 0
        self.held = 0
        self.begun = self.latest = 0.0
        self.keeps = True
        self.no_more = False  # the client has ended its side
        self.queue: Any = None
        self.queued = self.began = self.ended = 0.0
        self.out = memoryview(b"")
        self.parted_until = 0.0
        self.parted_bytes = 0
        self._step = 0

    def wait(self, seconds: float) -> None:
        """From now on so long."""
        self.begun = monotonic()
        self.latest = self.begun + seconds
        self._step = 0

    def go_on(self, count: int) -> None:
        """So many bytes were moved: enough of them are worth as many seconds again."""
        self._step += count
        if self._step >= patience.STEP:
            self._step = 0
            self.latest = monotonic() + patience.SECONDS

    def send(self) -> bool:
        """Send what can be sent at once; whether that was all. Raises OSError."""
        with suppress(*NOT_NOW):
            while self.out:
                sent = self.sock.send(self.out)
                self.out = self.out[sent:]
                self.go_on(sent)
        return not self.out
