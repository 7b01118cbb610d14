"""Holds the state of a connection, and collects the bytes of a request until gunicorn's parser can read it.

The parser reads from memory and decides what a request is. This module only finds out when enough bytes have arrived.
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

# Raised by a non-blocking socket when nothing can be read or sent at the moment.
WOULD_BLOCK = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class State(Enum):
    """The state of a connection."""

    HANDSHAKE = "TLS is negotiated"
    READING = "no request has arrived, or an incomplete one"
    ANSWERING = "a thread has the request"
    WRITING = "the answer is being sent"
    DISCARDING = "the answer has been sent; bytes that still arrive are discarded"
    CLOSED = "it is closed"


class Connection:
    """A client connection, used by the loop; while it is ANSWERING, by a thread alone. `deadline` ends its state.

    `events` are those that the loop waits for; `queued` is when its request was put into the queue; `began` and `ended`
    are when a thread began and ended it; `keep_alive`: another request may follow.
    """

    def __init__(self, sock: socket.socket, client: Any, server: Any, arriving: IncomingRequest, state: State) -> None:
        self.sock = sock
        self.client = client
        self.server = server
        self.arriving = arriving
        self.state = state
        self.events = 0
        self.buffered = 0
        self.begun = self.deadline = 0.0
        self.keep_alive = True
        self.half_closed = False  # the client has ended its side
        self.queue: Any = None
        self.queued = self.began = self.ended = 0.0
        self.out = memoryview(b"")
        self.discard_until = 0.0
        self.discarded = 0
        self._step = 0

    def wait(self, seconds: float) -> None:
        """Set the deadline, and begin to measure."""
        self.begun = monotonic()
        self.deadline = self.begun + seconds
        self._step = 0

    def extend(self, count: int) -> None:
        """Count transferred bytes; every limits.STEP of them extend the deadline."""
        self._step += count
        if self._step >= limits.STEP:
            self._step = 0
            self.deadline = monotonic() + limits.SECONDS

    def send(self) -> bool:
        """Send what can be sent without blocking; whether that was everything. Raises OSError."""
        with suppress(*WOULD_BLOCK):
            while self.out:
                sent = self.sock.send(self.out)
                self.out = self.out[sent:]
                self.extend(sent)
        return not self.out


_HEAD_STEP = 8192  # bytes of an incomplete head after which the parser is tried: it may refuse the head as too long
_LONGEST_LINE = 8192  # in a chunked body; a longer one is left to the parser, which refuses it
_MOST_TRAILERS = 65_536


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """How much of a request's body is waited for: `most` bytes, or all of it where it is `streamed` in pieces."""

    most: int
    streamed: bool = False


class UnreadBytes(Unreader):
    """Bytes that have arrived and are not read yet. A `source` supplies more; without one, these bytes are the end."""

    def __init__(self) -> None:
        super().__init__()
        self.source: Callable[[], bytes] | None = None

    def chunk(self, _size_hint: int | None = None) -> bytes:
        """Called by gunicorn when all of these bytes are read."""
        return b"" if self.source is None else self.source()

    def put(self, data: bytes) -> None:
        """Add bytes that have arrived."""
        self.buf.seek(0, SEEK_END)
        self.buf.write(data)

    @property
    def size(self) -> int:
        """How many bytes are not read yet."""
        return int(self.buf.seek(0, SEEK_END))


class IncomingRequest:
    """Takes bytes until a request can be answered, which is then `request`; `next_request` begins the one after it.

    `waiting` gives, for a request, how much of its body is waited for.
    """

    def __init__(self, cfg: Any, client: Any, waiting: Callable[[Any], BodyLimit]) -> None:
        self._cfg = cfg
        self._client = client
        self._waiting = waiting
        self._count = 0
        self.unread = UnreadBytes()
        self._begin()

    def _begin(self) -> None:
        self.request: Any = None
        self.streamed = False
        self.wants_more = False  # the client waits for "100 Continue" before it sends the body
        self._head = bytearray()
        self._tried = 0
        self._length = 0
        self._chunks: _ChunkedBody | None = None
        self._most = 0

    @property
    def begun(self) -> bool:
        """Whether any bytes of a request have arrived."""
        return self.request is not None or bool(self._head)

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return len(self._head) + self.unread.size

    def ids(self) -> Ids:
        """The ids of the request, as long as its body is unread; new ids while its head has not arrived."""
        if self.request is None:
            return ids_of(())
        return ids_of(self.request.headers, self.unread.buf.getvalue())

    def forget(self) -> None:
        """Free the bytes of a request that will not be answered."""
        self._head = bytearray()
        self.unread.take_buffered()

    def feed(self, data: bytes) -> bool:
        """Take bytes that have arrived; whether the request can be answered now. Raises ParseException."""
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
        """The client sends no more bytes; whether there is a request to answer. Raises ParseException."""
        return self.request is not None or self._read_head()

    def next_request(self) -> bool:
        """Begin the next request with the bytes left; whether it can be answered now. Raises ParseException."""
        self._begin()
        data = self.unread.take_buffered()
        return bool(data) and self.feed(data)

    def _may_be_read(self, before: int) -> bool:
        """Whether to try the parser: the head is complete, is long, or has a line feed without a carriage return."""
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
            self._chunks = _ChunkedBody()
            self._chunks.feed(self.unread.buf.getvalue())
        if self.request._expected_100_continue:  # otherwise gunicorn would send it, from a thread
            self.request._expected_100_continue = False
            self.wants_more = not self._enough()

    def _enough(self) -> bool:
        if self._chunks is not None:
            return self._chunks.ended or self._chunks.size >= self._most
        if self._length >= self._most and not self.streamed:
            return True  # it is refused as too large, without being read
        return self.unread.size >= min(self._length, self._most)


class _ChunkedBody:
    """Finds the end of a chunked body as it arrives. Malformed bytes count as the end: the parser refuses them."""

    def __init__(self) -> None:
        self.ended = False
        self.size = 0  # bytes of the body itself so far
        self._skip = 0  # bytes up to the next line: the rest of a chunk, and the end of its line
        self._line = bytearray()
        self._trailers = 0  # bytes of the trailers; 1 as soon as the last chunk has ended

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


def is_fully_read(request: Any, unread: UnreadBytes) -> bool:
    """Whether the body of a request has arrived to its end; what has arrived is read."""
    body = request.body
    if body.failed or (isinstance(body.reader, LengthReader) and unread.size < body.reader.length):
        return False
    try:
        while body.read(limits.STEP):
            pass
    except (OSError, ParseException):
        return False
    return True
