"""Around the path: the end of a batch is told to the address that its sender named. No claim is in what is told.

Signed as https://www.standardwebhooks.com/ describes, so that its libraries can check it. Told at least once: what is
told again has the same `webhook-id`. Nobody is followed to another address, and no proxy of the environment is used.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import ssl
import time
from collections.abc import Collection
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import SplitResult, urlsplit

import orjson

from scrubber import __version__
from scrubber.batch.job import Batch, Tally

SECONDS = 10.0  # to connect, and again for an answer
FIRST_DELAY = 5.0  # seconds; twice as long after each try, to at most
LONGEST_DELAY = 3_600.0
MOST_TRIES = 32  # about a day
GONE = 410  # a receiver's word for: never again
KEY_PREFIX = "whsec_"
_STATUS_LINE = 1_000  # bytes
_WRITTEN = re.compile(r"[\x21-\x7e]+")


def allowed(address: str, hosts: Collection[str]) -> bool:
    """Whether an address may be told: http or https, on one of these hosts, without a user in it.

    It is written as it is sent: in printable ASCII, without a space.
    """
    if not _WRITTEN.fullmatch(address):
        return False
    try:
        parts = urlsplit(address)
        return (
            parts.scheme in ("https", "http")
            and parts.hostname in hosts
            and "@" not in parts.netloc
            and _has_port(parts)
        )
    except ValueError:
        return False


def _has_port(parts: SplitResult) -> bool:
    """Whether the port, if any, is one; raises ValueError for one that is none."""
    return parts.port is None or parts.port > 0


def delay(tries: int) -> float:
    """Seconds to wait after so many tries."""
    return min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** (tries - 1))


def body(batch: Batch, tally: Tally) -> bytes:
    """What is told."""
    counts = {"accept": tally.accept, "warn": tally.warn, "deny": tally.deny, "rejected": tally.rejected}
    return orjson.dumps({"id": batch.id, "state": batch.state, "rows": batch.rows, "counts": counts})


def signature(secret: str, told_id: str, timestamp: int, content: bytes) -> str:
    """HMAC-SHA256 of id, timestamp and body. A secret that begins with whsec_ is base64, any other is plain text."""
    text = b"%b.%d.%b" % (told_id.encode(), timestamp, content)
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), text, hashlib.sha256)).decode()


def key_of(secret: str) -> bytes:
    """The key of a secret. Raises ValueError for one that says it is base64, and is not."""
    if not secret.startswith(KEY_PREFIX):
        return secret.encode()
    return base64.b64decode(secret.removeprefix(KEY_PREFIX), validate=True)


def post(address: str, batch_id: str, content: bytes, secret: str, now: datetime) -> int | None:
    """Tell an address. Returns the HTTP status of its answer, None where there is none."""
    timestamp = int(now.timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"claim-scrubber/{__version__}",
        "Connection": "close",
        "webhook-id": batch_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, batch_id, timestamp, content),
    }
    parts = urlsplit(address)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = _connection(parts)
    try:
        connection.request("POST", target, content, headers)
        return _status(connection)
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        connection.close()


def _connection(parts: SplitResult) -> HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        return HTTPSConnection(host, parts.port, timeout=SECONDS, context=ssl.create_default_context())
    return HTTPConnection(host, parts.port, timeout=SECONDS)


def _status(connection: HTTPConnection) -> int | None:
    """The status line is all that is read, and it is not waited for longer than that, however slowly it comes."""
    latest, line = time.monotonic() + SECONDS, b""
    while b"\n" not in line and len(line) < _STATUS_LINE:
        connection.sock.settimeout(max(0.01, latest - time.monotonic()))
        piece = connection.sock.recv(_STATUS_LINE)
        if not piece:
            return None
        line += piece
    words = line.split(None, 2)
    return int(words[1]) if len(words) > 1 and words[0].startswith(b"HTTP/1.") and words[1].isdigit() else None
