"""Describes operations for OpenAPI besides their docstrings: parameters, examples, headers, problems and scopes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson
from marshmallow import Schema

from scrubber.access.key import ADMIN, SCOPES
from scrubber.api.headers import MOST_LENGTH, REQUEST_ID, REQUEST_ID_PATTERN, TRACEPARENT, TRACEPARENT_PATTERN
from scrubber.api.request import X12_TYPE
from scrubber.claim.v3 import read_v3
from scrubber.claim.v3.schema import BODY
from scrubber.code_lookup.query import CODE, CODE_PARAMETERS, DATE, PRICE_PARAMETERS, Parameter
from scrubber.explain.as_json import ExplanationResponse
from scrubber.findings import ScrubResult
from scrubber.response import DEFAULT_VIEW, INCLUDES, VIEWS
from scrubber.response.acknowledgments import ACKNOWLEDGMENTS
from scrubber.response.claim import AnswerResponse
from scrubber.response.clearinghouse import ClearinghouseAnswerResponse
from scrubber.response.codes import KnownCodeResponse, PricedResponse
from scrubber.response.rules import ReleasesResponse, RuleListResponse, RuleResponse
from scrubber.rulebook.rule import CATEGORIES, SEVERITIES, STAGES
from scrubber.rulebook.schema import STATUSES
from scrubber.scrub import Scrubber

X12_FILE: Mapping[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_FILE = Path(__file__).parents[1] / "static" / "example-claim.json"

CLAIM_EXAMPLE: dict[str, Any] = orjson.loads(_FILE.read_bytes())
_EXAMPLE_RECEIVED_ON = date(2025, 3, 20)  # as the claim says; a fixed day, so that the answer stays the same


def scrub_example(scrubber: Scrubber) -> ScrubResult:
    """What the example comes to: with this rulebook, reference data and engine."""
    return scrubber.scrub(read_v3(CLAIM_EXAMPLE), _EXAMPLE_RECEIVED_ON)


_Headers = dict[str, dict[str, Any]]

_TEXT = {"type": "string"}
REQUEST_HEADERS: _Headers = {
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
_PACKED_BODY_HEADERS: _Headers = {
    "Content-Encoding": {
        "description": "`gzip` where the body is packed so.",
        "schema": _TEXT | {"enum": ["gzip", "x-gzip", "identity"]},
    }
}
RESPONSE_HEADERS: _Headers = {
    REQUEST_ID: {"description": "The id of the request, under which the log has it.", "schema": _TEXT},
    TRACEPARENT: {"description": "The trace context of the request.", "schema": _TEXT},
    "Cache-Control": {
        "description": "`no-store` wherever something of a claim may be in the answer.",
        "schema": _TEXT,
    },
    "Vary": {"description": "`Accept-Encoding`, and what else the answer depends on.", "schema": _TEXT},
    "Content-Encoding": {"description": "`gzip` where the answer is packed.", "schema": _TEXT},
}
_SOME_RESPONSE_HEADERS: _Headers = {
    "ETag": {"description": "Changes with the rulebook; for If-None-Match.", "schema": _TEXT},
    "Location": {"description": "Address of the batch.", "schema": _TEXT},
    "Idempotent-Replayed": {"description": "`true` where the batch was there before.", "schema": _TEXT},
    "Batch-State": {"description": "State of the batch when reading began.", "schema": _TEXT},
    "Allow": {"description": "The methods that the address answers to.", "schema": _TEXT},
    "WWW-Authenticate": {"description": "What the key is to be, or which scope it lacks (RFC 6750).", "schema": _TEXT},
    "Retry-After": {"description": "Seconds after which it is worth asking again.", "schema": {"type": "integer"}},
}
_HEADERS_OF_OPERATIONS = {
    ("listRules", "200"): ("ETag",),
    ("listRules", "304"): ("ETag",),
    ("readRule", "200"): ("ETag",),
    ("readRule", "304"): ("ETag",),
    ("submitBatch", "202"): ("Location", "Idempotent-Replayed"),
    ("readBatchResults", "200"): ("Batch-State",),
}
_HEADERS_OF_PROBLEMS = {
    HTTPStatus.UNAUTHORIZED.name: ("WWW-Authenticate",),
    HTTPStatus.FORBIDDEN.name: ("WWW-Authenticate",),
    HTTPStatus.METHOD_NOT_ALLOWED.name: ("Allow",),
    HTTPStatus.TOO_MANY_REQUESTS.name: ("Retry-After",),
    HTTPStatus.SERVICE_UNAVAILABLE.name: ("Retry-After",),
}


def describe_headers(document: dict[str, Any]) -> None:
    """Add to an OpenAPI document the headers that are sent and answered, and that any parameter may be refused."""
    components = document["components"]
    components["headers"] = RESPONSE_HEADERS | _SOME_RESPONSE_HEADERS
    components["parameters"] = {name: _header_parameter(name, header) for name, header in REQUEST_HEADERS.items()}
    bad_request = components["responses"][HTTPStatus.BAD_REQUEST.name]
    bad_request["description"] = "Bad Request: also where the address has a parameter that is not listed here."
    for name, problem in components["responses"].items():
        problem["headers"] = _refs("headers", [*RESPONSE_HEADERS, *_HEADERS_OF_PROBLEMS.get(name, ())])
    for path in document["paths"].values():
        path["parameters"] = [*path.get("parameters", ()), *_refs("parameters", list(REQUEST_HEADERS)).values()]
        for operation in path.values():
            if isinstance(operation, dict) and "responses" in operation:
                _describe_headers(operation)


def _describe_headers(operation: dict[str, Any]) -> None:
    if "requestBody" in operation:
        packed = (_header_parameter(name, header) for name, header in _PACKED_BODY_HEADERS.items())
        operation["parameters"] = [*operation.get("parameters", ()), *packed]
    problem = HTTPStatus.BAD_REQUEST
    operation["responses"].setdefault(str(int(problem)), {"$ref": f"#/components/responses/{problem.name}"})
    for status, response in operation["responses"].items():
        if "$ref" not in response:
            some = _HEADERS_OF_OPERATIONS.get((operation["operationId"], status), ())
            response["headers"] = _refs("headers", [*RESPONSE_HEADERS, *some])


def _header_parameter(name: str, header: dict[str, Any]) -> dict[str, Any]:
    return {"in": "header", "name": name} | header


def _refs(kind: str, names: list[str]) -> dict[str, dict[str, str]]:
    return {name: {"$ref": f"#/components/{kind}/{name}"} for name in names}


TOO_SLOW, OVERLOADED = HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.SERVICE_UNAVAILABLE
FAILED, WRONG_HOST = HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.MISDIRECTED_REQUEST
_ABOUT_REFUSALS = {
    HTTPStatus.METHOD_NOT_ALLOWED: "Method Not Allowed: of any method that is not listed for the address.",
    WRONG_HOST: "Misdirected Request: the service was asked by a name that SCRUBBER_HOSTS does not list.",
    FAILED: "Internal Server Error: the service failed, by no fault of the request; its log has the request's id.",
    TOO_SLOW: "Request Timeout: the body did not arrive in time.",
    OVERLOADED: "Service Unavailable: also where more is asked of the service than it can answer in time.",
}


def describe_connections(document: dict[str, Any]) -> None:
    """Add to an OpenAPI document the refusals that any operation may meet, and any that reads a body."""
    responses = document["components"]["responses"]
    for problem, about in _ABOUT_REFUSALS.items():
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        responses[problem.name] = {"description": about, "content": content}
    for path in document["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict) and "responses" in operation:
                for problem in _refusals(operation):
                    reference = {"$ref": f"#/components/responses/{problem.name}"}
                    operation["responses"].setdefault(str(int(problem)), reference)


def _refusals(operation: dict[str, Any]) -> Iterator[HTTPStatus]:
    """Those that one operation may meet whatever is asked: /healthz and /readyz answer to any name."""
    if "requestBody" in operation:
        yield TOO_SLOW
    if operation["tags"] != ["health"]:
        yield WRONG_HOST
    yield FAILED
    yield OVERLOADED


SCHEME = "apiKey"
_ABOUT_KEYS = (
    "A key that `scrubber keys create` made, as `Authorization: Bearer KEY`. A service that listens on its own machine "
    "alone asks for none as long as none was made. Scopes: "
)
_PROBLEMS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)


def describe_access(
    document: dict[str, Any], scope_of: Mapping[str, str | None], scope_of_parameter: dict[str, str]
) -> None:
    """Add to an OpenAPI document the scopes of its operations, by blueprint, and of their parameters, by name."""
    scopes = "; ".join(f"`{name}`: {about.removesuffix('.')}" for name, about in SCOPES.items())
    schemes = document["components"].setdefault("securitySchemes", {})
    schemes[SCHEME] = {"type": "http", "scheme": "bearer", "description": f"{_ABOUT_KEYS}{scopes}."}
    for problem in _PROBLEMS:
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        document["components"]["responses"][problem.name] = {"description": problem.phrase, "content": content}
    for path in document["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict) and "responses" in operation:
                _describe_scopes(operation, scope_of.get(operation["tags"][0], ADMIN), scope_of_parameter)


def _describe_scopes(operation: dict[str, Any], scope: str | None, scope_of_parameter: dict[str, str]) -> None:
    if scope is None:
        operation["security"] = []
        return
    operation["security"] = [{SCHEME: [scope]}]
    for problem in _PROBLEMS:
        operation["responses"].setdefault(str(int(problem)), {"$ref": f"#/components/responses/{problem.name}"})
    for parameter in operation.get("parameters", ()):
        needed = scope_of_parameter.get(parameter.get("name"))
        if needed:
            parameter["description"] += f" Needs the scope `{needed}`."


Operation = dict[str, Any]


def query(name: str, about: str, values: Sequence[str] = ()) -> Operation:
    """A parameter of the address."""
    schema = {"type": "string"} | ({"enum": list(values)} if values else {})
    return {"in": "query", "name": name, "description": about, "schema": schema}


def repeated(name: str, about: str, values: Sequence[str] = ()) -> Operation:
    """A parameter that may be repeated."""
    parameter = query(name, about, values)
    return parameter | {"schema": {"type": "array", "items": parameter["schema"]}}


def _query(parameter: Parameter) -> Operation:
    described = query(parameter.name, parameter.about, parameter.choices)
    return (
        described
        if parameter.choices
        else described | {"schema": {"type": "string", "pattern": f"^({parameter.pattern})$"}}
    )


def answers(
    about: str,
    schema: type[Schema] | Operation,
    *problems: HTTPStatus,
    status: HTTPStatus = HTTPStatus.OK,
    others: Mapping[str, Any] = MappingProxyType({}),
    **more: Any,
) -> Operation:
    """The answer when all goes well, in JSON and in `others` by media type, and the problems there may be."""
    content = {"application/json": {"schema": schema} | more, **others}
    well = {str(int(status)): {"description": about, "content": content}}
    return well | {str(int(problem)): problem.name for problem in problems}


RECEIVED_ON = {"type": "string", "pattern": f"^({DATE.pattern})$"}
_RECEIVED_ON = query(
    "receivedOn",
    "Day of receipt, CCYYMMDD or CCYY-MM-DD, instead of the claim's own or today (UTC).",
) | {"schema": RECEIVED_ON}
_SWITCHES = (
    repeated("enable", "Shadow rules whose findings count in this answer as if the rules were active."),
    repeated("disable", "Rules that are left out of this answer."),
)
# An X12 file with the contexts of its claims beside it.
IN_PARTS: Operation = {
    "schema": {
        "type": "object",
        "required": ["context", "claims"],
        "properties": {
            "context": {
                "type": "string",
                "format": "binary",
                "description": "One line of JSON for each claim that has a context:"
                ' {"patientControlNumber": "CLM01 of the claim", "scrubContext": {...}}.',
            },
            "claims": {"type": "string", "format": "binary", "description": "The X12 file (837P)."},
        },
    }
}
_CLAIM: Operation = {
    "required": True,
    "description": "A v3 Professional Claims body, with an optional `scrubContext`. Scalars may be texts"
    " or numbers; what is understood in spite of its form is listed under `normalised`. Plain, or packed"
    " (Content-Encoding: gzip); the largest body that is read counts as sent and as unpacked. An X12 file (837P)"
    " with one claim is read as well; its findings have no pointer, but the number of the segment in `x12`. In parts,"
    " its `scrubContext` comes beside it.",
    "content": {
        "application/json": {"schema": BODY, "example": CLAIM_EXAMPLE},
        X12_TYPE: X12_FILE,
        "multipart/form-data": IN_PARTS,
    },
}
SCRUB: Operation = {
    "operationId": "scrubClaim",
    "parameters": [
        query(
            "view",
            f"Shape of the answer: our own ({DEFAULT_VIEW}), or that of a v3 /validation answer; for a claim sent as"
            " X12 also an acknowledgment as X12: of its set (999), or of the claim (277ca).",
            (*VIEWS, *ACKNOWLEDGMENTS),
        ),
        repeated("include", "Parts of our own answer that are there only when asked for.", INCLUDES),
        _RECEIVED_ON,
        *_SWITCHES,
    ],
    "requestBody": _CLAIM,
    "responses": answers(
        "The claim was scrubbed, whatever its disposition.",
        {"oneOf": [AnswerResponse, ClearinghouseAnswerResponse]},
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        examples={"scrubbed": {"$ref": "#/components/examples/Answer"}},
        others={X12_TYPE: X12_FILE},
    ),
}
EXPLAIN: Operation = {
    "operationId": "explainClaim",
    "parameters": [
        repeated("rule", "Ids of rules to explain, whether or not they fired, and whatever their status."),
        query("line", "A service line, from 1: every rule that applies to its code is explained, on that line only.")
        | {"schema": {"type": "integer", "minimum": 1}},
        _RECEIVED_ON,
        *_SWITCHES,
    ],
    "requestBody": _CLAIM,
    "responses": answers(
        "The claim was scrubbed, and the rules are explained.",
        ExplanationResponse,
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
}
_IF_NONE_MATCH: Operation = {
    "in": "header",
    "name": "If-None-Match",
    "description": "The ETag of an answer that is there already.",
    "schema": {"type": "string"},
}
_UNCHANGED: Operation = {"304": {"description": "The rulebook is the one of If-None-Match; there is no body."}}
LIST_RULES: Operation = {
    "operationId": "listRules",
    "parameters": [
        _IF_NONE_MATCH,
        query("pack", "Only rules of this pack."),
        query("status", "Only rules of this status.", STATUSES),
        query("severity", "Only rules of this severity.", SEVERITIES),
        query("stage", "Only rules of this stage.", STAGES),
        query("category", "Only rules of this category.", CATEGORIES),
    ],
    "responses": answers("The rules, by id.", RuleListResponse, HTTPStatus.BAD_REQUEST) | _UNCHANGED,
}
READ_RULE: Operation = {
    "operationId": "readRule",
    "parameters": [_IF_NONE_MATCH],
    "responses": answers("The rule.", RuleResponse, HTTPStatus.NOT_FOUND) | _UNCHANGED,
}
READ_CODE: Operation = {
    "operationId": "readCode",
    "parameters": [_query(parameter) for parameter in CODE_PARAMETERS],
    "responses": answers(
        "What is known of the code; much may be unknown.",
        KnownCodeResponse,
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.NOT_FOUND,
    ),
}
READ_PRICE: Operation = {
    "operationId": "readPrice",
    "parameters": [_query(parameter) | {"required": parameter is CODE} for parameter in PRICE_PARAMETERS],
    "responses": answers("What the service pays.", PricedResponse, HTTPStatus.BAD_REQUEST),
}
LIST_RELEASES: Operation = {
    "operationId": "listReleases",
    "responses": answers("The releases, by table and first day.", ReleasesResponse, HTTPStatus.BAD_REQUEST),
}
