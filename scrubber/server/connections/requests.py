"""One connection: what is done with it, until when, and what is still to be sent on it.

gunicorn's parser reads them and decides what they are. It reads from memory, and is asked when there is enough in it:
how much that is, is all that is found out here.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from io import SEEK_END, BytesIO
from time import monotonic
from typing import Any

from gunicorn.http.body import LengthReader
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.message import Request
from gunicorn.http.unreader import Unreader

from scrubber.api import limits
from scrubber.api.headers import Ids, ids_of

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
        if self._step >= limits.STEP:
            self._step = 0
            self.latest = monotonic() + limits.SECONDS

    def send(self) -> bool:
        """Send what can be sent at once; whether that was all. Raises OSError."""
        with suppress(*NOT_NOW):
            while self.out:
                sent = self.sock.send(self.out)
                self.out = self.out[sent:]
                self.go_on(sent)
        return not self.out


_HEAD_STEP = 8192  # bytes of a head that is not at its end: then the parser may already say that it is too long
_LONGEST_LINE = 8192  # in a chunked body; with more the parser is asked what it thinks of it
_MOST_TRAILERS = 65_536


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much of a request's body is waited for: `most` bytes, or all of it where it is `streamed` in pieces."""

    most: int
    streamed: bool = False


class Received(Unreader):
    """What arrived and was not read yet. With a `source` more can be had from there; without one that is the end."""

    def __init__(self) -> None:
        super().__init__()
        self.source: Callable[[], bytes] | None = None

    def chunk(self, _size_hint: int | None = None) -> bytes:
        """Called by gunicorn when all that was there is read."""
        return b"" if self.source is None else self.source()

    def put(self, data: bytes) -> None:
        """More arrived."""
        self.buf.seek(0, SEEK_END)
        self.buf.write(data)

    @property
    def size(self) -> int:
        """Bytes that were not read yet."""
        return int(self.buf.seek(0, SEEK_END))


class Arriving:
    """Takes bytes until there is a request that can be answered: `request` has it, and `following` begins the next one.

    `waiting` says how much of a body is waited for.
    """

    def __init__(self, cfg: Any, client: Any, waiting: Callable[[Any], Waiting]) -> None:
        self._cfg = cfg
        self._client = client
        self._waiting = waiting
        self._count = 0
        self.unread = Received()
        self._begin()

    def _begin(self) -> None:
        self.request: Any = None
        self.streamed = False
        self.wants_more = False  # the client waits to hear that its body is wanted
        self._head = bytearray()
        self._tried = 0
        self._length = 0
        self._chunks: _Chunks | None = None
        self._most = 0

    @property
    def begun(self) -> bool:
        """Whether anything of a request is there."""
        return self.request is not None or bool(self._head)

    @property
    def size(self) -> int:
        """Bytes that are held."""
        return len(self._head) + self.unread.size

    def ids(self) -> Ids:
        """Those of the request, as long as nothing of its body was taken; new ones while its head is not there."""
        if self.request is None:
            return ids_of(())
        return ids_of(self.request.headers, self.unread.buf.getvalue())

    def forget(self) -> None:
        """Let go of what is held: nothing of it will be answered."""
        self._head = bytearray()
        self.unread.take_buffered()

    def feed(self, data: bytes) -> bool:
        """Take what arrived; whether the request can be answered now. Raises ParseException."""
        if self.request is None:
            before = len(self._head)
            self._head += data
            if not self._may_be_read(before) or not self._read_head():
                return False
        else:
            self.unread.put(data)
            if self._chunks is not None:
                self._chunks.feed(data)
        return self._enough()

    def end(self) -> bool:
        """The client sends no more; whether there is a request to answer all the same. Raises ParseException."""
        return self.request is not None or self._read_head()

    def following(self) -> bool:
        """Begin the next request with what arrived of it; whether it can be answered now. Raises ParseException."""
        self._begin()
        data = self.unread.take_buffered()
        return bool(data) and self.feed(data)

    def _may_be_read(self, before: int) -> bool:
        """Whether asking the parser is worth it: the head is at its end, is long, or has a line end that is none."""
        head = self._head
        if head.find(b"\r\n\r\n", max(0, before - 3)) >= 0 or len(head) >= max(_HEAD_STEP, 2 * self._tried):
            return True
        start = before - 1 if before and head[before - 1] == ord("\r") else before
        return head.count(b"\n", start) != head.count(b"\r\n", start)

    def _read_head(self) -> bool:
        self._tried = len(self._head)
        self.unread.buf = BytesIO(self._head)
        try:
            self.request = Request(self._cfg, self.unread, self._client, self._count + 1)
        except (NoMoreData, StopIteration):
            self.unread.take_buffered()
            return False
        self._count += 1
        self._head = bytearray()
        self._begin_body()
        return True

    def _begin_body(self) -> None:
        waiting, reader = self._waiting(self.request), self.request.body.reader
        self.streamed, self._most = waiting.streamed, waiting.most
        if isinstance(reader, LengthReader):
            self._length = reader.length
        else:
            self._chunks = _Chunks()
            self._chunks.feed(self.unread.buf.getvalue())
        if self.request._expected_100_continue:  # gunicorn would send it from a thread
            self.request._expected_100_continue = False
            self.wants_more = not self._enough()

    def _enough(self) -> bool:
        if self._chunks is not None:
            return self._chunks.ended or self._chunks.size >= self._most
        if self._length >= self._most and not self.streamed:
            return True  # it is refused, without having been read
        return self.unread.size >= min(self._length, self._most)


class _Chunks:
    """Finds the end of a chunked body as it goes by. What looks odd counts as the end: the parser then refuses it."""

    def __init__(self) -> None:
        self.ended = False
        self.size = 0  # bytes of the body itself so far
        self._skip = 0  # bytes up to the next line: the rest of a chunk, and the end of its line
        self._line = bytearray()
        self._trailers = 0  # bytes of them, from 1, once the last chunk was there

    def feed(self, data: bytes) -> None:
        """The next bytes of it."""
        at = 0
        while at < len(data) and not self.ended:
            if self._skip:
                step = min(self._skip, len(data) - at)
                self._skip -= step
                self.size += step
                at += step
                continue
            end = data.find(b"\n", at)
            self._line += data[at : end + 1 if end >= 0 else len(data)]
            at = end + 1 if end >= 0 else len(data)
            if end >= 0:
                self._take_line(bytes(self._line))
                self._line.clear()
            elif len(self._line) > _LONGEST_LINE:
                self.ended = True

    def _take_line(self, line: bytes) -> None:
        if self._trailers:
            self._trailers += len(line)
            self.ended = line == b"\r\n" or self._trailers > _MOST_TRAILERS
            return
        try:
            size = int(line.split(b";", 1)[0].strip(), 16)
        except ValueError:
            size = -1
        if size > 0:
            self._skip = size + 2
        elif size == 0:
            self._trailers = 1
        else:
            self.ended = True


def is_read(request: Any, unread: Received) -> bool:
    """Whether the body of a request has come to its end; what arrived of it is taken."""
    body = request.body
    if body.failed or (isinstance(body.reader, LengthReader) and unread.size < body.reader.length):
        return False
    try:
        while body.read(limits.STEP):
            pass
    except (OSError, ParseException):
        return False
    return True
