"""Around the path over HTTP: a connection is ended so that the client sees the answer, and nobody else waits for it.

A server that closes a connection on which bytes are still to be read resets it, and an answer that was on its way is
lost. So what comes is taken, in a thread of its own, within bounds. gunicorn would do so in the loop in which it takes
new connections, where a client that just keeps its end open holds up all others for seconds.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from socket import MSG_DONTWAIT, MSG_PEEK, SHUT_RDWR, SHUT_WR
from time import monotonic

from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import TConn

SECONDS = 30.0  # in which a refused upload may come to its end
SECONDS_OF_SILENCE = 5.0  # after which no more will come
MOST_BYTES = 2_000_000_000  # that are taken and thrown away
MOST_AT_ONCE = 32  # connections of one process; others are closed as they are
PIECE = 1 << 18
_AT_ONCE = 0.001  # seconds; what has arrived is read by then

_free = threading.BoundedSemaphore(MOST_AT_ONCE)


def part(conn: TConn) -> None:
    """End a connection whose answer is sent. Whatever gunicorn then closes holds it up no more."""
    if _is_read(conn) or not _free.acquire(blocking=False):
        with suppress(OSError):
            conn.sock.shutdown(SHUT_RDWR)
        return
    left, conn.sock = conn.sock, socket.socket()
    threading.Thread(target=_take_the_rest, args=(left,), daemon=True).start()


def _is_read(conn: TConn) -> bool:
    """Whether the request was read to its end, so that nothing more comes."""
    try:
        request_ended = conn.parser.mesg is not None and conn.parser.finish_body(deadline=monotonic() + _AT_ONCE)
        return request_ended and not conn.sock.recv(1, MSG_PEEK | MSG_DONTWAIT)
    except BlockingIOError:
        return True
    except (OSError, ParseException):
        return False


def _take_the_rest(left: socket.socket) -> None:
    """Until the client has ended its side, or a bound is reached."""
    try:
        with left, suppress(OSError):
            left.shutdown(SHUT_WR)
            latest, bytes_left, buffer = monotonic() + SECONDS, MOST_BYTES, bytearray(PIECE)
            while bytes_left > 0 and (seconds := min(SECONDS_OF_SILENCE, latest - monotonic())) > 0:
                left.settimeout(seconds)
                taken = left.recv_into(buffer)
                if not taken:
                    return
                bytes_left -= taken
    finally:
        _free.release()
