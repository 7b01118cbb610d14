"""Around the path over HTTP: answers to what the application never sees. They repeat nothing of it."""

from __future__ import annotations

from gunicorn import util
from gunicorn.http import errors

from scrubber.web import caching, patience, problems
from scrubber.web.connections.queues import MOST_SECONDS
from scrubber.web.request_ids import REQUEST_ID, TRACEPARENT, Ids

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
            f"Cache-Control: {caching.NOT_STORED}",
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
    return Refusal(ids, TOO_SLOW, f"More of it is waited for {patience.SECONDS} seconds. {_UNSEEN}")


def overloaded(ids: Ids, keeps: bool) -> Refusal:
    """For a request that would wait too long."""
    detail = f"A thread is not free within {MOST_SECONDS} seconds; ask again soon. {_UNSEEN}"
    return Refusal(ids, problems.OVERLOADED, detail, AGAIN_AFTER, keeps)


def no_memory(ids: Ids) -> Refusal:
    """For a request whose parts take the memory that others need."""
    detail = f"The parts of requests that have not arrived as a whole take too much memory. {_UNSEEN}"
    return Refusal(ids, problems.OVERLOADED, detail, AGAIN_AFTER)
