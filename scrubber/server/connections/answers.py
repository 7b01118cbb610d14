"""Answers requests: by the application, in the threads of a queue, or with a refusal where the application is not
called.

A request that would wait too long is refused at once, so that accepted ones are answered in time. A client that is
refused within a millisecond can try another machine, or again in a second; one that waits half a minute cannot.
Refusals repeat nothing of the request.
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

RETRY_AFTER = 1  # seconds
_UNSEEN = "It did not reach the service."

UNREADABLE = problems.ProblemKind("bad-request", 400, "The request is not HTTP that is read")
TOO_SLOW = problems.ProblemKind("too-slow", 408, "The request did not arrive in time")
_REFUSALS: dict[type[BaseException], problems.ProblemKind] = {
    errors.LimitRequestLine: problems.ProblemKind("address-too-long", 414, "The address is too long"),
    errors.LimitRequestHeaders: problems.ProblemKind("headers-too-large", 431, "The headers are too large"),
    errors.ExpectationFailed: problems.ProblemKind(
        "expectation-failed", 417, "The Expect header is not one that is met"
    ),
    errors.UnsupportedTransferCoding: problems.ProblemKind("transfer-coding", 501, "The Transfer-Encoding is not read"),
}


class Refusal:
    """The answer to a request that the application does not see, with the ids for the log.

    With `keep_alive` the connection may be used again.
    """

    def __init__(
        self,
        ids: Ids,
        kind: problems.ProblemKind,
        detail: str = _UNSEEN,
        after: int | None = None,
        keep_alive: bool = False,
    ) -> None:
        self.status = kind.status
        self.ids = ids
        self.keep_alive = keep_alive
        body = problems.body(kind, detail)
        lines = [
            f"HTTP/1.1 {kind.status} {kind.title}",
            f"Date: {util.http_date()}",
            f"Connection: {'keep-alive' if keep_alive else 'close'}",
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
    """The refusal for an error of gunicorn's parser, or a failure outside the application."""
    if not isinstance(error, errors.ParseException | OSError):
        return Refusal(ids, problems.FAILURE)
    return Refusal(ids, next((kind for known, kind in _REFUSALS.items() if isinstance(error, known)), UNREADABLE))


def too_slow(ids: Ids) -> Refusal:
    """The refusal of a request that did not arrive completely in time."""
    return Refusal(ids, TOO_SLOW, f"More of it is waited for {limits.SECONDS} seconds. {_UNSEEN}")


def overloaded(ids: Ids, keep_alive: bool) -> Refusal:
    """The refusal of a request that would wait too long for a thread."""
    detail = f"A thread is not free within {MAX_QUEUE_SECONDS} seconds; ask again soon. {_UNSEEN}"
    return Refusal(ids, problems.OVERLOADED, detail, RETRY_AFTER, keep_alive)


def no_memory(ids: Ids) -> Refusal:
    """The refusal of an incomplete request whose bytes take memory that others need."""
    detail = f"The parts of requests that have not arrived as a whole take too much memory. {_UNSEEN}"
    return Refusal(ids, problems.OVERLOADED, detail, RETRY_AFTER)


MAX_QUEUE_SECONDS = 0.25  # that a request may wait for a thread
ALWAYS_TAKEN = 4  # requests for each thread, however long they take: even a slow machine must answer a few clients
_LONGEST = 0.1  # seconds that one request adds to the mean at most: a long one says little of those after it
_WEIGHT = 0.1  # of the last request in the mean


class RequestQueue:
    """A first-in, first-out queue of requests, and the threads that `answer` them.

    Except for the threads themselves, it is used by the event loop only.
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
    def accepts_more(self) -> bool:
        """Whether a thread is expected to be free within MAX_QUEUE_SECONDS."""
        return not self._is_long or self._inside * self._seconds < MAX_QUEUE_SECONDS

    def was_too_slow(self, seconds: float) -> bool:
        """Whether a request that has waited so long is to be refused after all, for the sake of those after it.

        With a short queue none is, however slow the machine: refusals would then help no other request.
        """
        return self._is_long and seconds > 2 * MAX_QUEUE_SECONDS

    @property
    def _is_long(self) -> bool:
        return self._inside > ALWAYS_TAKEN * self._threads

    def put(self, connection: Connection) -> None:
        """Add a request."""
        self._inside += 1
        self._waiting.put(connection)

    def ended(self, began: float, ended: float) -> None:
        """Record that a request has been answered; its thread began it at `began`."""
        self._inside -= 1
        took = min(_LONGEST, max(0.0, ended - max(began, self._last)))
        self._seconds += _WEIGHT * (took - self._seconds)
        self._last = ended

    def close(self) -> None:
        """End the threads once they have answered all requests."""
        for _ in range(self._threads):
            self._waiting.put(None)

    def _work(self) -> None:
        while (connection := self._waiting.get()) is not None:
            self._answer(connection)


_LEAST = 0.001  # seconds of a timeout; 0 would make the socket non-blocking


class ClientGone(OSError):
    """The client has closed the connection, or does not take its answer."""


class BufferedOutput:
    """Stands in for a socket and collects the bytes written to it."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        """Called by gunicorn."""
        self.pieces.append(data)


class StreamedOutput:
    """Stands in for a socket and sends what is written to it, as long as the client takes enough of it in time."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._wait = limits.Wait()
        self._step = 0

    def sendall(self, data: bytes) -> None:
        """Called by gunicorn. Raises ClientGone."""
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
            raise ClientGone from None

    def receive(self) -> bytes:
        """Read more of the request's body, within the same time. Raises OSError."""
        self._await()
        return self._sock.recv(limits.STEP)

    def _await(self) -> None:
        self._sock.settimeout(max(_LEAST, self._wait.latest - monotonic()))


def run(
    app: Callable[..., Any], cfg: Any, connection: Connection, outlet: BufferedOutput | StreamedOutput, keep_alive: bool
) -> bool:
    """Write the application's answer to `outlet`; returns whether another request may follow on the connection.

    Raises ClientGone, and whatever fails outside the application's own handling.
    """
    request = connection.arriving.request
    response, environ = wsgi.create(request, outlet, connection.client, connection.server, cfg)
    environ["wsgi.multithread"] = True
    environ[WAITED] = connection.began - connection.queued
    if not keep_alive:
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


def stream(app: Callable[..., Any], cfg: Any, connection: Connection, keep_alive: bool) -> bool:
    """The same, but the body is read from the connection while the application runs, and the answer written to it."""
    outlet, unread = StreamedOutput(connection.sock), connection.arriving.unread
    unread.source = outlet.receive
    try:
        return run(app, cfg, connection, outlet, keep_alive)
    finally:
        unread.source = None
        with suppress(OSError):
            connection.sock.setblocking(False)


MAX_CONNECTIONS = 4000
_WANTED = 16_384  # files that may be open
_RESERVED = 200  # of them for other uses than connections


def raise_file_limit() -> None:
    """Raise the limit of open files for this process and those that it starts, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED if hard == resource.RLIM_INFINITY else min(_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def max_connections() -> int:
    """How many connections a process may have open, so that files are left for handling them."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return min(MAX_CONNECTIONS, max(soft // 2, soft - _RESERVED))
