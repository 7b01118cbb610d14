"""What is done for batches beside their chunks: webhooks of ends, and the removal of what is past its time.

Signed as https://www.standardwebhooks.com/ describes, so that its libraries can check it. Delivered at least once: a
repeated message has the same `webhook-id`. Redirects are not followed, and no proxy of the environment is used.

Any number of processes may do it at once, with whatever engine: each task is taken from the job store.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import ssl
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import SplitResult, urlsplit

import orjson

from scrubber import __version__
from scrubber.batch.model import Announcement, Batch, BatchTally
from scrubber.batch.work import WorkContext, remove_batch

SECONDS = 10.0  # to connect, and again for an answer
FIRST_DELAY = 5.0  # seconds; twice as long after each try, to at most
LONGEST_DELAY = 3_600.0
MOST_TRIES = 32  # about a day
GONE = 410  # a receiver's word for: never again
KEY_PREFIX = "whsec_"
_STATUS_LINE = 1_000  # bytes
_PRINTABLE = re.compile(r"[\x21-\x7e]+")


def allowed(address: str, hosts: Collection[str]) -> bool:
    """Whether an address may be called: http or https, on one of these hosts, without a user in it.

    It is written as it is sent: in printable ASCII, without a space.
    """
    if not _PRINTABLE.fullmatch(address):
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


def body(batch: Batch, tally: BatchTally) -> bytes:
    """The body of the message."""
    counts = {"accept": tally.accept, "warn": tally.warn, "deny": tally.deny, "rejected": tally.rejected}
    return orjson.dumps({"id": batch.id, "state": batch.state, "rows": batch.rows, "counts": counts})


def signature(secret: str, webhook_id: str, timestamp: int, content: bytes) -> str:
    """HMAC-SHA256 of id, timestamp and body. A secret that begins with whsec_ is base64, any other is plain text."""
    text = b"%b.%d.%b" % (webhook_id.encode(), timestamp, content)
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), text, hashlib.sha256)).decode()


def key_of(secret: str) -> bytes:
    """The key of a secret. Raises ValueError for one that says it is base64, and is not."""
    if not secret.startswith(KEY_PREFIX):
        return secret.encode()
    return base64.b64decode(secret.removeprefix(KEY_PREFIX), validate=True)


def post(address: str, batch_id: str, content: bytes, secret: str, now: datetime) -> int | None:
    """LogEvent an address. Returns the HTTP status of its answer, None where there is none."""
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
    fields = line.split(None, 2)
    return int(fields[1]) if len(fields) > 1 and fields[0].startswith(b"HTTP/1.") and fields[1].isdigit() else None


UNTOUCHED = timedelta(hours=1)  # after which bytes that belong to no batch are no upload under way
SWEEP_SECONDS = 60.0

LogEvent = Callable[[str, dict[str, object]], None]


@dataclass(frozen=True, slots=True)
class MaintenanceOptions:
    """Settings of a deployment: how long an ended batch is kept; which hosts are notified of its end; the secret."""

    keep: timedelta
    webhook_hosts: tuple[str, ...] = ()
    webhook_secret: str | None = None


def announce_next(context: WorkContext, options: MaintenanceOptions, log_event: LogEvent) -> bool:
    """LogEvent the end of one batch, if there is any to tell. False: there is none."""
    announcement = context.job_store.next_announcement()
    if announcement is None:
        return False
    batch = announcement.batch
    status = _announce(announcement, context, options)
    if status is not None and 200 <= status < 300:
        context.job_store.announced(batch.id)
    elif status == GONE or announcement.tries >= MOST_TRIES:
        context.job_store.announced(batch.id)
        log_event("webhook given up", {"batch": batch.id, "tries": announcement.tries, "status": status})
    else:
        context.job_store.announce_later(batch.id, delay(announcement.tries))
    return True


def _announce(announcement: Announcement, context: WorkContext, options: MaintenanceOptions) -> int | None:
    """Which hosts are allowed may have changed since the batch was sent."""
    batch = announcement.batch
    address, secret = batch.options.webhook, options.webhook_secret
    if address is None or secret is None or not allowed(address, options.webhook_hosts):
        return GONE
    content = body(batch, context.job_store.progress(batch.id).tally)
    return post(address, batch.id, content, secret, context.now())


def remove_old(context: WorkContext, keep: timedelta) -> None:
    """Remove batches that ended longer ago than they are kept."""
    for batch_id in context.job_store.ended_before(context.now() - keep):
        remove_batch(batch_id, context.job_store, context.file_store)


def sweep(context: WorkContext) -> None:
    """Remove bytes that no batch has: of uploads that were never accepted, of batches that were removed in part."""
    for batch_id in context.file_store.untouched(context.now() - UNTOUCHED):
        if context.job_store.batch(batch_id) is None:
            context.file_store.remove(batch_id)


class Maintenance:
    """All of the above, in one process, again and again."""

    def __init__(self, options: MaintenanceOptions, log_event: LogEvent) -> None:
        self._options = options
        self._log_event = log_event
        self._sweep_at: float | None = None

    def __call__(self, context: WorkContext) -> bool:
        """Do what is to be done next. False: there is nothing just now."""
        if self._sweep_at is None or context.seconds() >= self._sweep_at:
            self._sweep_at = context.seconds() + SWEEP_SECONDS
            remove_old(context, self._options.keep)
            sweep(context)
        return announce_next(context, self._options, self._log_event)
