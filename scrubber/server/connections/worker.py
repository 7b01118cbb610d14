"""gunicorn's worker for this service: reads requests, has threads answer them, and sends the answers."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from contextlib import suppress
from time import monotonic, sleep
from typing import Any, NamedTuple, cast

from gunicorn import util
from gunicorn.http.errors import ParseException

from scrubber.api import limits
from scrubber.api.headers import ids_of
from scrubber.server.connections import answers
from scrubber.server.connections.answers import RequestQueue
from scrubber.server.connections.loop import READ, READ_BYTES, WRITE, ConnectionLoop
from scrubber.server.connections.requests import WOULD_BLOCK, BodyLimit, Connection, State, is_fully_read

THREADS_FOR_OTHERS = 2  # for requests that are neither claims nor batches nor health checks
FOLLOW_EVERY = 0.1  # seconds within which a process notices new rules
IDLE_AT_END = 2.0  # seconds for which a process that ends waits for a request on an idle connection
ARRIVING_AT_END = 5.0  # seconds for which it waits for the rest of a request
DISCARD_SECONDS = 30.0  # in which the rest of a refused upload may arrive
DISCARD_SILENCE = 5.0  # seconds without any byte of it after which the connection is closed
MAX_DISCARDED = 2_000_000_000  # bytes of it


class RequestClass(NamedTuple):
    """Requests that share a queue, and how much of their bodies is waited for."""

    queue: RequestQueue
    waiting: BodyLimit


class ConnectionWorker(ConnectionLoop):
    """Handles requests. None takes a thread before it has arrived completely, nor after its answer is made.

    Batches are the exception: their uploads and results are streamed, in threads of their own. Health checks have a
    thread for themselves, so that they are answered whatever load there is.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        settings = self.app.settings
        claim, stream = BodyLimit(settings.max_body_bytes + 1), BodyLimit(limits.STEP, streamed=True)
        self._claims = RequestClass(RequestQueue("claims", settings.threads, self._answer), claim)
        self._others = RequestClass(RequestQueue("others", THREADS_FOR_OTHERS, self._answer), claim)
        self._batches = RequestClass(RequestQueue("batches", settings.transfers + 1, self._answer), stream)
        self._by_path = {
            "/healthz": RequestClass(RequestQueue("health", 1, self._answer), claim),
            "/readyz": RequestClass(RequestQueue("readiness", 1, self._answer), claim),
        }

    def _body_limit(self, request: Any) -> BodyLimit:
        return self._class_of(request).waiting

    def run(self) -> None:
        """Called by gunicorn; runs until the process is to end."""
        for queue in self._queues():
            queue.open()
        threading.Thread(target=self._follow, name="rules", daemon=True).start()
        self._selector.register(self._wake_reader, READ, self._drain)
        self._selector.register(self.PIPE[0], READ, self._drain)
        self._accept_from(self.sockets)
        while self.alive and self.ppid == os.getppid():
            self._run_once()
        self._end()

    def _queues(self) -> list[RequestQueue]:
        return [kind.queue for kind in (self._claims, self._batches, self._others, *self._by_path.values())]

    def _follow(self) -> None:
        """Prepare new rules in a thread, so that the loop never waits for them."""
        while self.alive:
            self.app.follow()
            sleep(FOLLOW_EVERY)

    def handle_exit(self, sig: int, frame: object) -> None:
        """Called by gunicorn on TERM."""
        super().handle_exit(sig, frame)
        self._wake()

    def _continue(self, connection: Connection) -> None:
        try:
            if connection.state is State.HANDSHAKE:
                self._handshake(connection)
            elif connection.state is State.READING:
                self._read(connection)
            elif connection.state is State.WRITING:
                self._write(connection)
            elif connection.state is State.DISCARDING:
                self._discard(connection)
            elif connection.state is State.ANSWERING:
                self._listen(connection, 0)  # bytes that arrive are read when the thread is done
        except OSError:
            self._close(connection)
        except Exception:  # the other connections must go on, whatever this is
            self.log.exception("")
            self._close(connection)

    def _handshake(self, connection: Connection) -> None:
        sock = cast(ssl.SSLSocket, connection.sock)
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            self._listen(connection, READ)
        except ssl.SSLWantWriteError:
            self._listen(connection, WRITE)
        else:
            self._wait(connection, State.READING, READ, limits.SECONDS)
            self._read(connection)

    def _read(self, connection: Connection) -> None:
        """Read the bytes that have arrived."""
        while connection.state is State.READING:
            try:
                data = connection.sock.recv(READ_BYTES)
            except WOULD_BLOCK:
                return
            self._take(connection, data)
            if not _is_pending(connection.sock):
                return

    def _take(self, connection: Connection, data: bytes) -> None:
        arriving, first = connection.arriving, not connection.arriving.begun
        try:
            complete = arriving.feed(data) if data else arriving.end()
        except (ParseException, OSError) as error:
            self._refuse(connection, answers.of_error(connection.arriving.ids(), error))
            return
        if not data:
            connection.half_closed = True
            if not complete:
                self._close(connection)
                return
        elif first:
            self._wait(connection, State.READING, READ, limits.SECONDS)
        connection.extend(len(data))
        self._count_buffered(connection)
        self._proceed(connection, complete)

    def _proceed(self, connection: Connection, complete: bool) -> None:
        """Have a complete request answered; send "100 Continue" to a client that waits for it."""
        if connection.state is not State.READING:
            return
        arriving = connection.arriving
        if complete:
            self._enqueue(connection)
        elif arriving.wants_more:
            arriving.wants_more = False
            with suppress(*WOULD_BLOCK):
                connection.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _class_of(self, request: Any) -> RequestClass:
        path = util.unquote_to_wsgi_str(request.path)
        if path.startswith("/v1/claims/"):
            return self._claims
        if path.startswith("/v1/batches"):
            return self._batches
        return self._by_path.get(path, self._others)

    def _enqueue(self, connection: Connection) -> None:
        connection.queue = self._class_of(connection.arriving.request).queue
        connection.queued = monotonic()
        if not connection.queue.accepts_more:
            self._refuse(connection, self._overloaded(connection))
            return
        connection.state = State.ANSWERING
        self._waiting.pop(connection, None)
        if connection.arriving.streamed:
            self._listen(connection, 0)
        connection.queue.put(connection)

    def _answer(self, connection: Connection) -> None:
        """Called by a thread of a queue, which alone uses the connection until it appends it to the answered ones."""
        connection.began = monotonic()
        try:
            if connection.queue.was_too_slow(connection.began - connection.queued):
                self._send_refusal(connection, self._overloaded(connection))
            elif connection.arriving.streamed:
                connection.keep_alive = answers.stream(
                    self.wsgi, self.cfg, connection, self._may_keep_alive(connection)
                )
            else:
                collected = answers.BufferedOutput()
                connection.keep_alive = answers.run(
                    self.wsgi, self.cfg, connection, collected, self._may_keep_alive(connection)
                )
                connection.out = memoryview(b"".join(collected.pieces))
                connection.send()
        except answers.ClientGone:
            connection.keep_alive, connection.out = False, memoryview(b"")
        except Exception as error:  # noqa: BLE001 -- the thread goes on with the next request
            self._failed(connection, error)
        connection.ended = monotonic()
        self._answered.append(connection)
        if not self._needs_no_wake(connection):
            self._wake()

    def _may_keep_alive(self, connection: Connection) -> bool:
        return bool(self.alive and self.cfg.keepalive and not connection.half_closed)

    def _needs_no_wake(self, connection: Connection) -> bool:
        """Whether the loop need not be woken, since the next step is to read another request."""
        done = connection.keep_alive and not connection.out and not connection.arriving.unread.size
        return bool(done and connection.events == READ and not _is_pending(connection.sock))

    def _failed(self, connection: Connection, error: Exception) -> None:
        connection.keep_alive = False
        if connection.out:  # the answer was made, but the client has closed the connection
            connection.out = memoryview(b"")
            return
        self.log.exception("")
        if not connection.arriving.streamed:
            self._send_refusal(
                connection, answers.of_error(ids_of(()), error)
            )  # the body, which may have the ids, is read

    def _overloaded(self, connection: Connection) -> answers.Refusal:
        request, ids = connection.arriving.request, connection.arriving.ids()
        alone = is_fully_read(request, connection.arriving.unread) and not connection.arriving.unread.size
        return answers.overloaded(ids, alone and self._may_keep_alive(connection) and not request.should_close())

    def _send_refusal(self, connection: Connection, refusal: answers.Refusal) -> None:
        now = monotonic()
        waited = max(0.0, connection.began - connection.queued) if connection.state is State.ANSWERING else 0.0
        self.log.refused(refusal, now - connection.begun, waited)
        connection.keep_alive = refusal.keep_alive
        connection.out = memoryview(refusal.answer)
        with suppress(OSError):
            connection.send()

    def _take_answered(self) -> None:
        while self._answered:
            connection = self._answered.popleft()
            connection.queue.ended(connection.began, connection.ended)
            try:
                self._send_rest(connection)
            except OSError:
                self._close(connection)

    def _refuse(self, connection: Connection, refusal: answers.Refusal) -> None:
        self._send_refusal(connection, refusal)
        self._send_rest(connection)

    def _expire(self, connection: Connection) -> None:
        if connection.state is State.READING and connection.arriving.begun:
            self._refuse(connection, answers.too_slow(connection.arriving.ids()))
        else:
            self._close(connection)

    def _send_rest(self, connection: Connection) -> None:
        """Send the rest of an answer, of which as much as the client took at once has been sent."""
        if connection.out:
            self._wait(connection, State.WRITING, WRITE, limits.SECONDS)
            self._count_buffered(connection)
        else:
            self._sent(connection)

    def _write(self, connection: Connection) -> None:
        if connection.send():
            self._sent(connection)

    def _sent(self, connection: Connection) -> None:
        arriving = connection.arriving
        read = arriving.request is not None and is_fully_read(arriving.request, arriving.unread)
        if not connection.keep_alive or not read:
            self._finish_sending(connection, read)
            return
        self._wait(connection, State.READING, READ, self.cfg.keepalive if self.alive else IDLE_AT_END)
        try:
            complete = arriving.next_request()
        except (ParseException, OSError) as error:
            self._refuse(connection, answers.of_error(connection.arriving.ids(), error))
            return
        if arriving.begun:
            connection.wait(limits.SECONDS)
        self._count_buffered(connection)
        self._proceed(connection, complete)
        if _is_pending(connection.sock):
            self._read(connection)

    def _finish_sending(self, connection: Connection, read: bool) -> None:
        """End a connection so that the client receives the answer.

        Closing a connection with unread bytes resets it, and an answer on its way is lost.
        """
        if connection.half_closed or (read and not _has_more(connection.sock)):
            self._close(connection)
            return
        connection.sock.shutdown(socket.SHUT_WR)
        connection.discard_until = monotonic() + DISCARD_SECONDS
        self._wait(connection, State.DISCARDING, READ, DISCARD_SILENCE)
        connection.arriving.forget()
        self._count_buffered(connection)

    def _discard(self, connection: Connection) -> None:
        try:
            data = connection.sock.recv(4 * READ_BYTES)
        except WOULD_BLOCK:
            return
        connection.discarded += len(data)
        now = monotonic()
        if not data or now > connection.discard_until or connection.discarded > MAX_DISCARDED:
            self._close(connection)
        else:
            connection.deadline = min(now + DISCARD_SILENCE, connection.discard_until)

    def _end(self) -> None:
        """Answer the requests in progress; wait for those that have not arrived for a short time only."""
        self._accept_from([])
        ends = monotonic() + self.cfg.graceful_timeout
        for connection in self._waiting:
            seconds = ARRIVING_AT_END if connection.arriving.begun else IDLE_AT_END
            if connection.state is State.READING:
                connection.deadline = min(connection.deadline, monotonic() + seconds)
        while self._connections and monotonic() < ends:
            self._run_once()
        for queue in self._queues():
            queue.close()
        for listener in self.sockets:
            listener.close()


def _is_pending(sock: socket.socket) -> bool:
    """Whether TLS has decrypted bytes that are not read yet, which the selector does not report."""
    return isinstance(sock, ssl.SSLSocket) and sock.pending() > 0


def _has_more(sock: socket.socket) -> bool:
    """Whether unexpected bytes have arrived, or the connection has failed."""
    try:
        return bool(sock.recv(1))
    except WOULD_BLOCK:
        return False
    except OSError:
        return True
