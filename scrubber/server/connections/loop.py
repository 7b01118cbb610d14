"""A process of the server: one loop for all its connections, threads for whole requests."""

from __future__ import annotations

import os
import selectors
import socket
import ssl
import sys
import threading
from collections import deque
from contextlib import suppress
from time import monotonic, sleep
from typing import Any, NamedTuple, cast

from gunicorn import util
from gunicorn.http.errors import ParseException
from gunicorn.sock import ssl_context
from gunicorn.workers.base import Worker

from scrubber.api import limits
from scrubber.api.headers import ids_of
from scrubber.server.connections import answers
from scrubber.server.connections.answers import Queue, most_connections
from scrubber.server.connections.requests import NOT_NOW, Arriving, Connection, State, Waiting, is_read

THREADS_FOR_OTHERS = 2  # for what is neither a claim nor a batch nor health
TURN = 0.001  # seconds of a thread until another one that waits has its turn: the loop does little in each of its own
FOLLOW = 0.1  # seconds in which a process notices that there are new rules
LOOK = 0.5  # seconds between looks at what has lasted too long
PIECE = 65_536  # bytes that are read at once
MOST_UNSENT = 131_072  # bytes of an answer that wait in the system for the client to take them
MOST_HELD = 128 << 20  # bytes of requests and answers that are on their way, in this process
AT_A_TIME = 16  # connections that are taken before others have their turn
IDLE_AT_END = 2.0  # seconds for which a process that ends waits for a request on a connection that is kept
ARRIVING_AT_END = 5.0  # and for the rest of one
PARTED = 30.0  # seconds in which a refused upload may come to its end
SILENT = 5.0  # seconds after which no more of it will come
MOST_PARTED = 2_000_000_000  # bytes of it that are thrown away

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Kind(NamedTuple):
    """Requests that share a queue, and how much of their bodies is waited for."""

    queue: Queue
    waiting: Waiting


class ConnectionWorker(Worker):
    """gunicorn's worker. Nothing of a request takes a thread before it is whole, nor an answer after it is made.

    Batches are the exception: they are received and read in pieces, in threads of their own. Health has a thread for
    itself, so that it is told whatever others do.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        settings = self.app.settings
        claim, stream = Waiting(settings.max_body_bytes + 1), Waiting(limits.STEP, streamed=True)
        self._claims = Kind(Queue("claims", settings.threads, self._answer), claim)
        self._others = Kind(Queue("others", THREADS_FOR_OTHERS, self._answer), claim)
        self._batches = Kind(Queue("batches", settings.transfers + 1, self._answer), stream)
        self._kinds = {
            "/healthz": Kind(Queue("health", 1, self._answer), claim),
            "/readyz": Kind(Queue("readiness", 1, self._answer), claim),
        }
        self._connections: dict[Connection, None] = {}
        self._waiting: dict[Connection, None] = {}  # those that no thread has; who has waited longest comes first
        self._answered: deque[Connection] = deque()
        self._woken = False
        self._accepts = False
        self._held = 0
        self._looked = self._followed = 0.0

    def init_process(self) -> None:
        """Called by gunicorn in the new process."""
        sys.setswitchinterval(TURN)
        self._selector = selectors.DefaultSelector()
        self._most = most_connections()
        self._tls = ssl_context(self.cfg) if self.cfg.is_ssl else None
        self._wakes, self._wake_up = os.pipe()
        os.set_blocking(self._wakes, False)
        os.set_blocking(self._wake_up, False)
        super().init_process()

    def run(self) -> None:
        """Called by gunicorn; until it is told to end."""
        for queue in self._queues():
            queue.open()
        threading.Thread(target=self._follow, name="rules", daemon=True).start()
        self._selector.register(self._wakes, READ, self._drain)
        self._selector.register(self.PIPE[0], READ, self._drain)
        self._accept_from(self.sockets)
        while self.alive and self.ppid == os.getppid():
            self._turn()
        self._end()

    def _queues(self) -> list[Queue]:
        return [kind.queue for kind in (self._claims, self._batches, self._others, *self._kinds.values())]

    def _follow(self) -> None:
        """New rules are got ready beside the loop, so that it never waits for them."""
        while self.alive:
            self.app.follow()
            sleep(FOLLOW)

    def handle_exit(self, sig: int, frame: object) -> None:
        """Called by gunicorn on TERM."""
        super().handle_exit(sig, frame)
        self._wake()

    # One turn of the loop.

    def _turn(self) -> None:
        self._take_answered()
        events = self._selector.select(LOOK)
        self._take_answered()
        for key, _ in events:
            if isinstance(key.data, Connection):
                self._go_on(key.data)
            else:
                key.data(key.fileobj)
        if monotonic() >= self._looked + LOOK:
            self._look()

    def _look(self) -> None:
        """End what has lasted too long; tell gunicorn that this process lives."""
        now = self._looked = monotonic()
        self.notify()
        self._accept_from(self.sockets if self.alive else [])
        for connection in [one for one in self._waiting if one.latest < now]:
            self._expire(connection)

    def _expire(self, connection: Connection) -> None:
        if connection.state is State.READ and connection.arriving.begun:
            self._refuse(connection, answers.too_slow(connection.arriving.ids()))
        else:
            self._close(connection)

    def _drain(self, source: int) -> None:
        with suppress(BlockingIOError):
            os.read(source, PIECE)
        self._woken = False  # not before: the byte of a thread that wakes it in between would be read, and missed

    def _wake(self) -> None:
        """From any thread: there is something to do."""
        if not self._woken:
            self._woken = True
            with suppress(OSError):
                os.write(self._wake_up, b"\0")

    # Connections come.

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
        for _ in range(AT_A_TIME):
            while len(self._connections) >= self._most and self._waiting:
                self._close(next(iter(self._waiting)))
            try:
                sock, client = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # no file is left, most likely: the next look goes on; who has waited longest makes room
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
        state = State.READ
        if self._tls is not None:
            sock = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            state = State.GREETED
        arriving = Arriving(self.cfg, client, lambda request: self._kind(request).waiting)
        connection = Connection(sock, client, listener.getsockname(), arriving, state)
        self._connections[connection] = None
        self._wait(connection, state, READ, limits.SECONDS)
        self._go_on(connection)

    # What is done with one.

    def _wait(self, connection: Connection, state: State, events: int, seconds: float) -> None:
        """Nothing is done before one of the events."""
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

    def _go_on(self, connection: Connection) -> None:
        try:
            if connection.state is State.GREETED:
                self._greet(connection)
            elif connection.state is State.READ:
                self._read(connection)
            elif connection.state is State.WRITTEN:
                self._write(connection)
            elif connection.state is State.PARTED:
                self._throw_away(connection)
            elif connection.state is State.ANSWERED:
                self._listen(connection, 0)  # what comes is read when the thread is done
        except OSError:
            self._close(connection)
        except Exception:  # whatever it is, the other connections go on
            self.log.exception("")
            self._close(connection)

    def _greet(self, connection: Connection) -> None:
        sock = cast(ssl.SSLSocket, connection.sock)
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            self._listen(connection, READ)
        except ssl.SSLWantWriteError:
            self._listen(connection, WRITE)
        else:
            self._wait(connection, State.READ, READ, limits.SECONDS)
            self._read(connection)

    def _read(self, connection: Connection) -> None:
        """Take what arrived."""
        while connection.state is State.READ:
            try:
                data = connection.sock.recv(PIECE)
            except NOT_NOW:
                return
            self._take(connection, data)
            if not _is_pending(connection.sock):
                return

    def _take(self, connection: Connection, data: bytes) -> None:
        arriving, first = connection.arriving, not connection.arriving.begun
        try:
            whole = arriving.feed(data) if data else arriving.end()
        except (ParseException, OSError) as error:
            self._refuse(connection, answers.of_error(connection.arriving.ids(), error))
            return
        if not data:
            connection.no_more = True
            if not whole:
                self._close(connection)
                return
        elif first:
            self._wait(connection, State.READ, READ, limits.SECONDS)
        connection.go_on(len(data))
        self._hold(connection)
        self._proceed(connection, whole)

    def _proceed(self, connection: Connection, whole: bool) -> None:
        """Have a whole request answered; let a client that waits for it know that its body is wanted."""
        if connection.state is not State.READ:
            return
        arriving = connection.arriving
        if whole:
            self._enqueue(connection)
        elif arriving.wants_more:
            arriving.wants_more = False
            with suppress(*NOT_NOW):
                connection.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _kind(self, request: Any) -> Kind:
        path = util.unquote_to_wsgi_str(request.path)
        if path.startswith("/v1/claims/"):
            return self._claims
        if path.startswith("/v1/batches"):
            return self._batches
        return self._kinds.get(path, self._others)

    def _enqueue(self, connection: Connection) -> None:
        connection.queue = self._kind(connection.arriving.request).queue
        connection.queued = monotonic()
        if not connection.queue.has_room:
            self._refuse(connection, self._overloaded(connection))
            return
        connection.state = State.ANSWERED
        self._waiting.pop(connection, None)
        if connection.arriving.streamed:
            self._listen(connection, 0)
        connection.queue.put(connection)

    # In a thread.

    def _answer(self, connection: Connection) -> None:
        """Called by a thread of a queue: the connection is its own until it is put among those that are answered."""
        connection.began = monotonic()
        try:
            if connection.queue.was_too_slow(connection.began - connection.queued):
                self._say(connection, self._overloaded(connection))
            elif connection.arriving.streamed:
                connection.keeps = answers.stream(self.wsgi, self.cfg, connection, self._keeps(connection))
            else:
                collected = answers.Collected()
                connection.keeps = answers.run(self.wsgi, self.cfg, connection, collected, self._keeps(connection))
                connection.out = memoryview(b"".join(collected.pieces))
                connection.send()
        except answers.Gone:
            connection.keeps, connection.out = False, memoryview(b"")
        except Exception as error:  # noqa: BLE001 -- the thread goes on with the next request
            self._failed(connection, error)
        connection.ended = monotonic()
        self._answered.append(connection)
        if not self._goes_on_by_itself(connection):
            self._wake()

    def _keeps(self, connection: Connection) -> bool:
        return bool(self.alive and self.cfg.keepalive and not connection.no_more)

    def _goes_on_by_itself(self, connection: Connection) -> bool:
        """Whether the loop need not be woken, as the next thing to be done with it is to read another request."""
        done = connection.keeps and not connection.out and not connection.arriving.unread.size
        return bool(done and connection.events == READ and not _is_pending(connection.sock))

    def _failed(self, connection: Connection, error: Exception) -> None:
        connection.keeps = False
        if connection.out:  # the answer was made; the client is gone
            connection.out = memoryview(b"")
            return
        self.log.exception("")
        if not connection.arriving.streamed:
            self._say(connection, answers.of_error(ids_of(()), error))  # its body was taken, and may hold the id

    def _overloaded(self, connection: Connection) -> answers.Refusal:
        request, ids = connection.arriving.request, connection.arriving.ids()
        alone = is_read(request, connection.arriving.unread) and not connection.arriving.unread.size
        return answers.overloaded(ids, alone and self._keeps(connection) and not request.should_close())

    def _say(self, connection: Connection, refusal: answers.Refusal) -> None:
        now = monotonic()
        waited = max(0.0, connection.began - connection.queued) if connection.state is State.ANSWERED else 0.0
        self.log.refused(refusal, now - connection.begun, waited)
        connection.keeps = refusal.keeps
        connection.out = memoryview(refusal.answer)
        with suppress(OSError):
            connection.send()

    # In the loop again.

    def _take_answered(self) -> None:
        while self._answered:
            connection = self._answered.popleft()
            connection.queue.ended(connection.began, connection.ended)
            try:
                self._after(connection)
            except OSError:
                self._close(connection)

    def _refuse(self, connection: Connection, refusal: answers.Refusal) -> None:
        self._say(connection, refusal)
        self._after(connection)

    def _after(self, connection: Connection) -> None:
        """An answer is made, and what could be sent of it is sent."""
        if connection.out:
            self._wait(connection, State.WRITTEN, WRITE, limits.SECONDS)
            self._hold(connection)
        else:
            self._sent(connection)

    def _write(self, connection: Connection) -> None:
        if connection.send():
            self._sent(connection)

    def _sent(self, connection: Connection) -> None:
        arriving = connection.arriving
        read = arriving.request is not None and is_read(arriving.request, arriving.unread)
        if not connection.keeps or not read:
            self._part(connection, read)
            return
        self._wait(connection, State.READ, READ, self.cfg.keepalive if self.alive else IDLE_AT_END)
        try:
            whole = arriving.following()
        except (ParseException, OSError) as error:
            self._refuse(connection, answers.of_error(connection.arriving.ids(), error))
            return
        if arriving.begun:
            connection.wait(limits.SECONDS)
        self._hold(connection)
        self._proceed(connection, whole)
        if _is_pending(connection.sock):
            self._read(connection)

    def _part(self, connection: Connection, read: bool) -> None:
        """End a connection so that the client sees the answer.

        A server that closes one on which bytes are still to be read resets it, and an answer on its way is lost.
        """
        if connection.no_more or (read and not _has_more(connection.sock)):
            self._close(connection)
            return
        connection.sock.shutdown(socket.SHUT_WR)
        connection.parted_until = monotonic() + PARTED
        self._wait(connection, State.PARTED, READ, SILENT)
        connection.arriving.forget()
        self._hold(connection)

    def _throw_away(self, connection: Connection) -> None:
        try:
            data = connection.sock.recv(4 * PIECE)
        except NOT_NOW:
            return
        connection.parted_bytes += len(data)
        now = monotonic()
        if not data or now > connection.parted_until or connection.parted_bytes > MOST_PARTED:
            self._close(connection)
        else:
            connection.latest = min(now + SILENT, connection.parted_until)

    def _hold(self, connection: Connection) -> None:
        """Count the memory of a connection; where all take too much, one that has long waited gives way."""
        held = 0 if connection.state is State.CLOSED else connection.arriving.size + len(connection.out)
        self._held += held - connection.held
        connection.held = held
        while self._held > MOST_HELD:
            large = next((one for one in self._waiting if one.held > PIECE), None)
            if large is None:
                return
            if large.state is State.READ:
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
        self._hold(connection)
        with suppress(OSError):
            connection.sock.close()

    # The end.

    def _end(self) -> None:
        """What is under way is answered; what waits for a client that may send nothing is not waited for long."""
        self._accept_from([])
        ends = monotonic() + self.cfg.graceful_timeout
        for connection in self._waiting:
            seconds = ARRIVING_AT_END if connection.arriving.begun else IDLE_AT_END
            if connection.state is State.READ:
                connection.latest = min(connection.latest, monotonic() + seconds)
        while self._connections and monotonic() < ends:
            self._turn()
        for queue in self._queues():
            queue.close()
        for listener in self.sockets:
            listener.close()


def _bound_unsent(listener: socket.socket) -> None:
    """Of an answer that a client does not take the system keeps no more; nobody is slowed down by that."""
    if hasattr(socket, "TCP_NOTSENT_LOWAT") and listener.family != socket.AF_UNIX:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MOST_UNSENT)


def _is_pending(sock: socket.socket) -> bool:
    """Whether TLS has taken off the wire what was not read: the selector tells nothing of it."""
    return isinstance(sock, ssl.SSLSocket) and sock.pending() > 0


def _has_more(sock: socket.socket) -> bool:
    """Whether bytes lie there that nobody asked for."""
    try:
        return bool(sock.recv(1))
    except NOT_NOW:
        return False
    except OSError:
        return True
