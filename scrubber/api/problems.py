"""Answers requests that fail with problems (RFC 9457), which hold no value from a claim."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from scrubber.api import logs
from scrubber.errors import (
    BadContext,
    DamagedResult,
    KeysDown,
    NotAClaim,
    NotJson,
    NotX12,
    Problem,
    StorageFull,
    StoreUnavailable,
)
from scrubber.response.problem import ProblemDetails, write_problem

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One kind of problem: its name in `type`, its HTTP status and its title."""

    name: str
    status: int
    title: str


BAD_PARAMETER = ProblemKind("bad-parameter", 400, "A parameter or its value is not one that is known here")
BAD_BODY = ProblemKind("bad-body", 400, "The body could not be read to its end")
NO_CLAIMS = ProblemKind("no-claims", 400, "The body holds no claims")
NOT_JSON = ProblemKind("not-json", 400, "The body is not JSON")
NOT_X12 = ProblemKind("not-x12", 400, "The body is no X12 file of professional claims that can be read")
KEY_NEEDED = ProblemKind("key-needed", 401, "A valid API key is needed")
FORBIDDEN = ProblemKind("scope-missing", 403, "The API key does not allow this")
CROSS_SITE = ProblemKind("cross-site", 403, "Another site may not ask for this")
NOT_FOUND = ProblemKind("not-found", 404, "There is nothing at this address")
WRONG_METHOD = ProblemKind("method-not-allowed", 405, "This address does not answer to this method")
KEY_USED = ProblemKind("key-used", 409, "The idempotency key stands for another batch")
NOT_ENDED = ProblemKind("not-ended", 409, "The batch has not ended")
TOO_LARGE = ProblemKind("body-too-large", 413, "The body is too large")
UNSUPPORTED = ProblemKind("unsupported-media-type", 415, "The body is of a kind that is not read")
WRONG_HOST = ProblemKind("wrong-host", 421, "The service is not asked by this name")
NOT_A_CLAIM = ProblemKind("not-a-claim", 422, "The body is not a claim")
TOO_MANY = ProblemKind("too-many-requests", 429, "The API key asks more than it may")
RESULTS_LOST = ProblemKind("results-lost", 500, "Results that were kept are lost")
RESULTS_DAMAGED = ProblemKind("results-damaged", 503, "Results that were kept are damaged, and are made again")
SECONDS_UNTIL_SCRUBBED_AGAIN = 5  # a chunk of 500 rows takes less than that
FAILURE = ProblemKind("failure", 500, "The service failed")
NOT_READY = ProblemKind("not-ready", 503, "The service is not ready")
BUSY = ProblemKind("busy", 503, "Too many batches are sent or read at once")
NO_KEYS = ProblemKind("no-keys", 503, "API keys cannot be read just now")
OVERLOADED = ProblemKind("overloaded", 503, "More is asked of the service than it can answer in time")
NO_BATCHES = ProblemKind("no-batches", 503, "Batches cannot be kept or read just now")
STORAGE_IS_FULL = ProblemKind("no-room", 507, "There is no room for the batch")


BATCHES, BATCH_SPACE = "batches", "room for batches"  # what may be away, in the log


class Refused(HTTPException):
    """Ends the request with a problem. `detail` is in our own words; `errors` are JSON pointers and what is wrong.

    `after` is how many seconds later it is worth asking again, None where that helps nothing. `headers` go with it.
    """

    def __init__(
        self,
        kind: ProblemKind,
        detail: str,
        errors: Iterable[tuple[str, str]] = (),
        after: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.code = kind.status
        self.detail = detail
        self.errors = tuple(errors)
        self.after = after
        self.headers = headers or {}


def body(kind: ProblemKind, detail: str, errors: Iterable[tuple[str, str]] = ()) -> bytes:
    """The problem as JSON."""
    entries = [Problem(pointer, text) for pointer, text in errors]
    uri = f"urn:claim-scrubber:problem:{kind.name}"
    details = ProblemDetails(uri, kind.title, kind.status, detail, entries or None)
    return orjson.dumps(write_problem(details))


def install(app: Flask) -> None:
    """Answer what this program raises on purpose, and what it does not, with problems."""
    app.register_error_handler(NotJson, _not_json)
    app.register_error_handler(NotX12, _not_x12)
    app.register_error_handler(BadContext, _bad_context)
    app.register_error_handler(NotAClaim, _not_a_claim)
    app.register_error_handler(StoreUnavailable, _store_unavailable)
    app.register_error_handler(DamagedResult, _damaged_result)
    app.register_error_handler(KeysDown, lambda _: _response(NO_KEYS, "Send it again later; the log says why."))
    app.register_error_handler(StorageFull, _storage_full)
    app.register_error_handler(Exception, _failure)


def from_http(error: HTTPException) -> Response:
    """The problem for an HTTP error; Flask's own texts are dropped, since some repeat the request."""
    if isinstance(error, Refused):
        answer = _response(error.kind, error.detail, error.errors)
        answer.headers.update(error.headers)
        if error.after is not None:
            answer.headers["Retry-After"] = str(error.after)
        return answer
    if isinstance(error, MethodNotAllowed):
        methods = sorted(error.valid_methods or ())
        answer = _response(WRONG_METHOD, f"It answers to {', '.join(methods)}.")
        answer.headers["Allow"] = ", ".join(methods)
        return answer
    if error.code == HTTPStatus.NOT_FOUND:
        return _response(NOT_FOUND, "GET /openapi.json lists every address.")
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    return _response(ProblemKind("http", status, status.phrase), status.description or status.phrase)


def _store_unavailable(error: StoreUnavailable) -> Response:
    logs.outage(BATCHES, str(error))
    return _response(NO_BATCHES, f"{error}; send it again later.")


def _storage_full(error: StorageFull) -> Response:
    logs.outage(BATCH_SPACE, str(error))
    return _response(STORAGE_IS_FULL, f"{error}; nothing of it is kept.")


def _damaged_result(error: DamagedResult) -> Response:
    logs.outage(f"results of batch {(request.view_args or {}).get('batch_id')}", str(error), lasts=not error.again)
    if not error.again:
        return _response(RESULTS_LOST, f"{error}. Delete the batch and send its claims again.")
    answer = _response(RESULTS_DAMAGED, f"{error}. Ask again for what follows the last row that you have.")
    answer.headers["Retry-After"] = str(SECONDS_UNTIL_SCRUBBED_AGAIN)
    return answer


def _not_json(error: NotJson) -> Response:
    position = f"line {error.line}, column {error.column} (byte {error.byte})"
    return _response(NOT_JSON, f"It stops being JSON, or UTF-8, at {position}.")


def _not_x12(error: NotX12) -> Response:
    position = f"segment {error.segment}, byte {error.byte}" if error.segment else f"byte {error.byte}"
    return _response(NOT_X12, f"At {position}: {error.reason}.")


def _bad_context(error: BadContext) -> Response:
    return _response(BAD_BODY, f"{str(error).capitalize()}.")


def _not_a_claim(error: NotAClaim) -> Response:
    detail = "Each entry of `errors` says what is expected at one place of the body."
    return _response(NOT_A_CLAIM, detail, error.problems)


def _failure(error: Exception) -> Response:
    """A failure of our own: its place goes to the log, the caller gets what to quote."""
    reference = logs.request_failed(error)
    detail = f"It is no fault of the claim. The log has it as request {reference}."
    return _response(FAILURE, detail)


def _response(kind: ProblemKind, detail: str, errors: Iterable[tuple[str, str]] = ()) -> Response:
    return Response(body(kind, detail, errors), kind.status, content_type=MEDIA_TYPE)
