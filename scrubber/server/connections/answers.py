"""Answers to what the application never sees. They repeat nothing of it.

Who would wait too long is refused at once, so that those who are taken are answered in time. A client that is refused
within a millisecond can ask another machine, or again in a second; one that waits for half a minute cannot.
"""

from __future__ import annotations

import resource
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from time import monotonic
from typing import Any

from gunicorn import util
from gunicorn.http import errors, wsgi

from scrubber.api import headers, limits, problems
from scrubber.api.headers import REQUEST_ID, TRACEPARENT, Ids
from scrubber.api.logs import WAITED
from scrubber.server.connections.requests import Connection

AGAIN_AFTER = 1  # seconds
_UNSEEN = "It did not reach the service."

UNREADABLE = problems.Kind("bad-request", 400, "The request is not HTTP that is read")
TOO_SLOW = problems.Kind("too-slow", 408, "The request did not arrive in time")
_REFUSALS: dict[type[BaseException], problems.Kind] = {
    errors.LimitRequestLine: problems.Kind("address-too-long", 414, "The address is too long"),
    errors.LimitRequestHeaders: problems.Kind("headers-too-large", 431, "The headers are too large"),
    errors.ExpectationFailed: problems.Kind("expectation-failed", 417, "The Expect header is not one that is met"),
    errors.UnsupportedTransferCoding: problems.Kind("transfer-coding", 501, "The Transfer-Encoding is not read"),
}


class Refusal:
    """An answer to the request with these ids, and what the log has of it.

    With `keeps` the connection may be used again.
    """

    def __init__(
        self, ids: Ids, kind: problems.Kind, detail: str = _UNSEEN, after: int | None = None, keeps: bool = False
    ) -> None:
        self.status = kind.status
        self.ids = ids
        self.keeps = keeps
        body = problems.body(kind, detail)
        lines = [
            f"HTTP/1.1 {kind.status} {kind.title}",
            f"Date: {util.http_date()}",
            f"Connection: {'keep-alive' if keeps else 'close'}",
            f"Content-Type: {problems.MEDIA_TYPE}",
            f"Content-Length: {len(body)}",
            f"Cache-Control: {headers.NOT_STORED}",
            f"{REQUEST_ID}: {ids.request}",
            f"{TRACEPARENT}: {ids.traceparent}",
        ]
        if after is not None:
            lines.append(f"Retry-After: {after}")
        self.answer = "\r\n".join([*lines, "", ""]).encode() + body


def of_error(ids: Ids, error: BaseException) -> Refusal:
    """For what gunicorn's parser raised, or what failed outside the application."""
    if not isinstance(error, errors.ParseException | OSError):
        return Refusal(ids, problems.FAILURE)
    return Refusal(ids, next((kind for known, kind in _REFUSALS.items() if isinstance(error, known)), UNREADABLE))


def too_slow(ids: Ids) -> Refusal:
    """For a request of which only a part arrived."""
    return Refusal(ids, TOO_SLOW, f"More of it is waited for {limits.SECONDS} seconds. {_UNSEEN}")


def overloaded(ids: Ids, keeps: bool) -> Refusal:
    """For a request that would wait too long."""
    detail = f"A thread is not free within {MOST_SECONDS} seconds; ask again soon. {_UNSEEN}"
    return Refusal(ids, problems.OVERLOADED, detail, AGAIN_AFTER, keeps)


def no_memory(ids: Ids) -> Refusal:
    """For a request whose parts take the memory that others need."""
    detail = f"The parts of requests that have not arrived as a whole take too much memory. {_UNSEEN}"
    return Refusal(ids, problems.OVERLOADED, detail, AGAIN_AFTER)


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
        self._wait = limits.Wait()
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
                if self._step >= limits.STEP:
                    self._step = 0
                    self._wait.renew()
        except OSError:
            raise Gone from None

    def receive(self) -> bytes:
        """More of the request's body. Raises OSError."""
        self._await()
        return self._sock.recv(limits.STEP)

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


MOST_CONNECTIONS = 4000
_WANTED = 16_384  # files that may be open
_KEPT = 200  # of them for anything but connections


def raise_limit() -> None:
    """Let this process and those that it starts open more files, as far as that is allowed to it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED if hard == resource.RLIM_INFINITY else min(_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def most_connections() -> int:
    """Connections that a process may have open at once, so that it always has a file for what it does with them."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return min(MOST_CONNECTIONS, max(soft // 2, soft - _KEPT))
