"""Beside the path: what the documentation says of headers, which are the same for every operation."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from scrubber.web.request_ids import MOST_LENGTH, REQUEST_ID, REQUEST_ID_PATTERN, TRACEPARENT, TRACEPARENT_PATTERN

_Headers = dict[str, dict[str, Any]]

_TEXT = {"type": "string"}
SENT: _Headers = {
    REQUEST_ID: {
        "description": "The sender's id of the request, answered and logged; never a word of a claim. One that is not"
        " of this form, or stands in the claim itself, is made anew.",
        "schema": _TEXT | {"maxLength": MOST_LENGTH, "pattern": f"^{REQUEST_ID_PATTERN}$"},
    },
    TRACEPARENT: {
        "description": "Trace context of the W3C, answered and logged; made anew where it is none.",
        "schema": _TEXT | {"pattern": f"^{TRACEPARENT_PATTERN}$"},
    },
    "Accept-Encoding": {
        "description": "`gzip`: the answer is packed where that is worth it; `gzip;q=0`: it is not.",
        "schema": _TEXT,
    },
}
_PACKED: _Headers = {
    "Content-Encoding": {
        "description": "`gzip` where the body is packed so.",
        "schema": _TEXT | {"enum": ["gzip", "x-gzip", "identity"]},
    }
}
ANSWERED: _Headers = {
    REQUEST_ID: {"description": "The id of the request, under which the log has it.", "schema": _TEXT},
    TRACEPARENT: {"description": "The trace context of the request.", "schema": _TEXT},
    "Cache-Control": {
        "description": "`no-store` wherever something of a claim may be in the answer.",
        "schema": _TEXT,
    },
    "Vary": {"description": "`Accept-Encoding`, and what else the answer depends on.", "schema": _TEXT},
    "Content-Encoding": {"description": "`gzip` where the answer is packed.", "schema": _TEXT},
}
_SOME: _Headers = {
    "ETag": {"description": "Changes with the rulebook; for If-None-Match.", "schema": _TEXT},
    "Location": {"description": "Address of the batch.", "schema": _TEXT},
    "Idempotent-Replayed": {"description": "`true` where the batch was there before.", "schema": _TEXT},
    "Batch-State": {"description": "State of the batch when reading began.", "schema": _TEXT},
    "Retry-After": {"description": "Seconds after which it is worth asking again.", "schema": {"type": "integer"}},
}
_SOME_OF = {
    ("listRules", "200"): ("ETag",),
    ("readRule", "200"): ("ETag",),
    ("submitBatch", "202"): ("Location", "Idempotent-Replayed"),
    ("readBatchResults", "200"): ("Batch-State",),
}
_RETRIED = (HTTPStatus.TOO_MANY_REQUESTS.name, HTTPStatus.SERVICE_UNAVAILABLE.name)


def describe_headers(document: dict[str, Any]) -> None:
    """Add to an OpenAPI document the headers that are sent and answered, and that any parameter may be refused."""
    components = document["components"]
    components["headers"] = ANSWERED | _SOME
    components["parameters"] = {name: _sent(name, told) for name, told in SENT.items()}
    bad_request = components["responses"][HTTPStatus.BAD_REQUEST.name]
    bad_request["description"] = "Bad Request: also where the address has a parameter that is not listed here."
    for name, problem in components["responses"].items():
        problem["headers"] = _refs("headers", [*ANSWERED, *(("Retry-After",) if name in _RETRIED else ())])
    for path in document["paths"].values():
        path["parameters"] = [*path.get("parameters", ()), *_refs("parameters", list(SENT)).values()]
        for operation in path.values():
            if isinstance(operation, dict) and "responses" in operation:
                _describe(operation)


def _describe(operation: dict[str, Any]) -> None:
    if "requestBody" in operation:
        packed = (_sent(name, told) for name, told in _PACKED.items())
        operation["parameters"] = [*operation.get("parameters", ()), *packed]
    problem = HTTPStatus.BAD_REQUEST
    operation["responses"].setdefault(str(int(problem)), {"$ref": f"#/components/responses/{problem.name}"})
    for status, response in operation["responses"].items():
        if "$ref" not in response:
            some = _SOME_OF.get((operation["operationId"], status), ())
            response["headers"] = _refs("headers", [*ANSWERED, *some])


def _sent(name: str, told: dict[str, Any]) -> dict[str, Any]:
    return {"in": "header", "name": name} | told


def _refs(kind: str, names: list[str]) -> dict[str, dict[str, str]]:
    return {name: {"$ref": f"#/components/{kind}/{name}"} for name in names}
