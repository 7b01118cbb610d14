"""Around the path over HTTP: the application on one request, in a thread: into memory, or in pieces to the client."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

from gunicorn.http import wsgi

from scrubber.web import patience
from scrubber.web.connections.connection import Connection
from scrubber.web.logs import WAITED

_LEAST = 0.001  # seconds: none would mean not to wait, and not to have waited enough


class Gone(OSError):
    """The client is gone, or does not take its answer."""


class Collected:
    """In place of a socket: keeps what is written."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        """Called by gunicorn."""
        self.pieces.append(data)


class Streamed:
    """In place of a socket: sends what is written, to a client who takes enough of it in time, and reads likewise."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._wait = patience.Wait()
        self._step = 0

    def sendall(self, data: bytes) -> None:
        """Called by gunicorn. Raises Gone."""
        left = memoryview(data)
        self._wait.renew()
        try:
            while left:
                self._await()
                sent = self._sock.send(left)
                left = left[sent:]
                self._step += sent
                if self._step >= patience.STEP:
                    self._step = 0
                    self._wait.renew()
        except OSError:
            raise Gone from None

    def receive(self) -> bytes:
        """More of the request's body. Raises OSError."""
        self._await()
        return self._sock.recv(patience.STEP)

    def _await(self) -> None:
        self._sock.settimeout(max(_LEAST, self._wait.latest - monotonic()))


def run(app: Callable[..., Any], cfg: Any, connection: Connection, outlet: Collected | Streamed, keeps: bool) -> bool:
    """Write the application's answer to `outlet`; whether another request may follow on the connection.

    Raises Gone, and whatever fails outside the application's own handling.
    """
    request = connection.arriving.request
    response, environ = wsgi.create(request, outlet, connection.client, connection.server, cfg)
    environ["wsgi.multithread"] = True
    environ[WAITED] = connection.began - connection.queued
    if not keeps:
        response.force_close()
    pieces = app(environ, response.start_response)
    try:
        for piece in pieces:
            response.write(piece)
        response.close()
    finally:
        if hasattr(pieces, "close"):
            pieces.close()
    return not response.should_close()


def stream(app: Callable[..., Any], cfg: Any, connection: Connection, keeps: bool) -> bool:
    """The same, reading the body from the connection, which a thread has for itself meanwhile, and writing to it."""
    outlet, unread = Streamed(connection.sock), connection.arriving.unread
    unread.source = outlet.receive
    try:
        return run(app, cfg, connection, outlet, keeps)
    finally:
        unread.source = None
        with suppress(OSError):
            connection.sock.setblocking(False)
