"""The event loop of a server process: accepts connections, waits for their events, and bounds their time and memory."""

from __future__ import annotations

import os
import selectors
import socket
import sys
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import Any

from gunicorn.sock import ssl_context
from gunicorn.workers.base import Worker

from scrubber.api import limits
from scrubber.server.connections import answers
from scrubber.server.connections.answers import max_connections
from scrubber.server.connections.requests import BodyLimit, Connection, IncomingRequest, State

SWITCH_INTERVAL = 0.001  # seconds that a thread runs while another one waits: the loop needs little at a time
CHECK_EVERY = 0.5  # seconds between checks of deadlines
READ_BYTES = 65_536  # that are read at once
MAX_UNSENT = 131_072  # bytes of an answer that wait in the system for the client to take them
MAX_BUFFERED = 128 << 20  # bytes of incoming requests and outgoing answers, in this process
ACCEPTS_AT_A_TIME = 16  # connections, before other events are handled

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class ConnectionLoop(Worker):
    """gunicorn's worker as an event loop over connections. What is done with a connection is left to the subclass."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connections: dict[Connection, None] = {}
        self._waiting: dict[Connection, None] = {}  # those that no thread has, the one that has waited longest first
        self._answered: deque[Connection] = deque()
        self._woken = False
        self._accepts = False
        self._buffered = 0
        self._checked_at = 0.0

    def init_process(self) -> None:
        """Called by gunicorn in the new process."""
        sys.setswitchinterval(SWITCH_INTERVAL)
        self._selector = selectors.DefaultSelector()
        self._max_connections = max_connections()
        self._tls = ssl_context(self.cfg) if self.cfg.is_ssl else None
        self._wake_reader, self._wake_writer = os.pipe()
        os.set_blocking(self._wake_reader, False)
        os.set_blocking(self._wake_writer, False)
        super().init_process()

    def _body_limit(self, request: Any) -> BodyLimit:
        """How much of a request's body is waited for."""
        raise NotImplementedError

    def _continue(self, connection: Connection) -> None:
        """Do what the state of a connection calls for, since one of its events has come."""
        raise NotImplementedError

    def _expire(self, connection: Connection) -> None:
        """End a connection whose deadline has passed."""
        raise NotImplementedError

    def _refuse(self, connection: Connection, refusal: answers.Refusal) -> None:
        """Answer a request without the application."""
        raise NotImplementedError

    def _take_answered(self) -> None:
        """Go on with the connections that threads have answered."""
        raise NotImplementedError

    def _run_once(self) -> None:
        self._take_answered()
        events = self._selector.select(CHECK_EVERY)
        self._take_answered()
        for key, _ in events:
            if isinstance(key.data, Connection):
                self._continue(key.data)
            else:
                key.data(key.fileobj)
        if monotonic() >= self._checked_at + CHECK_EVERY:
            self._check_deadlines()

    def _check_deadlines(self) -> None:
        """End connections whose deadline has passed; signal to gunicorn that this process lives."""
        now = self._checked_at = monotonic()
        self.notify()
        self._accept_from(self.sockets if self.alive else [])
        for connection in [one for one in self._waiting if one.deadline < now]:
            self._expire(connection)

    def _drain(self, source: int) -> None:
        with suppress(BlockingIOError):
            os.read(source, READ_BYTES)
        self._woken = False  # only now: the byte of a thread that wakes the loop in between would be read, and lost

    def _wake(self) -> None:
        """Wake the loop, from any thread."""
        if not self._woken:
            self._woken = True
            with suppress(OSError):
                os.write(self._wake_writer, b"\0")

    def _accept_from(self, listeners: list[Any]) -> None:
        if self._accepts == bool(listeners):
            return
        self._accepts = bool(listeners)
        for listener in self.sockets:
            if self._accepts:
                listener.setblocking(False)
                _bound_unsent(listener)
                self._selector.register(listener, READ, self._accept)
            else:
                self._selector.unregister(listener)

    def _accept(self, listener: Any) -> None:
        for _ in range(ACCEPTS_AT_A_TIME):
            while len(self._connections) >= self._max_connections and self._waiting:
                self._close(next(iter(self._waiting)))
            try:
                sock, client = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except (
                OSError
            ):  # most likely no file is left: close the one that has waited longest, and accept again later
                if self._waiting:
                    self._close(next(iter(self._waiting)))
                self._accept_from([])
                return
            try:
                self._begin(sock, client, listener)
            except OSError:
                sock.close()

    def _begin(self, sock: socket.socket, client: Any, listener: Any) -> None:
        sock.setblocking(False)
        state = State.READING
        if self._tls is not None:
            sock = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            state = State.HANDSHAKE
        arriving = IncomingRequest(self.cfg, client, self._body_limit)
        connection = Connection(sock, client, listener.getsockname(), arriving, state)
        self._connections[connection] = None
        self._wait(connection, state, READ, limits.SECONDS)
        self._continue(connection)

    def _wait(self, connection: Connection, state: State, events: int, seconds: float) -> None:
        """Set the state of a connection, in which the loop waits for one of the events."""
        connection.state = state
        connection.wait(seconds)
        self._waiting.pop(connection, None)
        self._waiting[connection] = None
        self._listen(connection, events)

    def _listen(self, connection: Connection, events: int) -> None:
        if connection.events == events:
            return
        if not events:
            self._selector.unregister(connection.sock)
        elif connection.events:
            self._selector.modify(connection.sock, events, connection)
        else:
            self._selector.register(connection.sock, events, connection)
        connection.events = events

    def _count_buffered(self, connection: Connection) -> None:
        """Count the memory of a connection; where all take too much, end large ones, longest waiting first."""
        buffered = 0 if connection.state is State.CLOSED else connection.arriving.size + len(connection.out)
        self._buffered += buffered - connection.buffered
        connection.buffered = buffered
        while self._buffered > MAX_BUFFERED:
            large = next((one for one in self._waiting if one.buffered > READ_BYTES), None)
            if large is None:
                return
            if large.state is State.READING:
                refusal = answers.no_memory(large.arriving.ids())
                large.arriving.forget()
                self._refuse(large, refusal)
            else:
                self._close(large)

    def _close(self, connection: Connection) -> None:
        if connection.state is State.CLOSED:
            return
        self._listen(connection, 0)
        self._waiting.pop(connection, None)
        self._connections.pop(connection, None)
        connection.state, connection.out = State.CLOSED, memoryview(b"")
        self._count_buffered(connection)
        with suppress(OSError):
            connection.sock.close()


def _bound_unsent(listener: socket.socket) -> None:
    """Limits the bytes of an answer that the system buffers for a client that does not take them."""
    if hasattr(socket, "TCP_NOTSENT_LOWAT") and listener.family != socket.AF_UNIX:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MAX_UNSENT)
