"""Beside the path: what the documentation says of each operation, besides its docstring."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from marshmallow import Schema

from scrubber.answer import DEFAULT_VIEW, INCLUDES, VIEWS
from scrubber.codes.asked import CODE, CODE_PARAMETERS, DATE, PRICE_PARAMETERS, Parameter
from scrubber.intake.schema import BODY
from scrubber.rulebook.rule import CATEGORIES, SEVERITIES, STAGES
from scrubber.rulebook.schema import STATUSES
from scrubber.web.documented.answer import ANSWER, CLEARINGHOUSE
from scrubber.web.documented.codes import KNOWN_CODE, PRICED
from scrubber.web.documented.examples import CLAIM_EXAMPLE
from scrubber.web.documented.explanation import EXPLANATION
from scrubber.web.documented.health import HEALTH, READINESS
from scrubber.web.documented.reference import RELEASES
from scrubber.web.documented.rules import RULE, RULE_LIST

Operation = dict[str, Any]


def query(name: str, about: str, words: Sequence[str] = ()) -> Operation:
    """A parameter of the address."""
    schema = {"type": "string"} | ({"enum": list(words)} if words else {})
    return {"in": "query", "name": name, "description": about, "schema": schema}


def repeated(name: str, about: str, words: Sequence[str] = ()) -> Operation:
    """A parameter that may be repeated."""
    told = query(name, about, words)
    return told | {"schema": {"type": "array", "items": told["schema"]}}


def _asked(parameter: Parameter) -> Operation:
    told = query(parameter.name, parameter.about, parameter.words)
    return told if parameter.words else told | {"schema": {"type": "string", "pattern": f"^({parameter.pattern})$"}}


def answers(
    about: str,
    schema: type[Schema] | Operation,
    *problems: HTTPStatus,
    status: HTTPStatus = HTTPStatus.OK,
    **more: Any,
) -> Operation:
    """The answer when all goes well, and the problems there may be."""
    content = {"application/json": {"schema": schema} | more}
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
_CLAIM: Operation = {
    "required": True,
    "description": "A v3 Professional Claims body, with an optional `scrubContext`. Scalars may be texts"
    " or numbers; what is understood in spite of its form is listed under `normalised`. Plain, or packed"
    " (Content-Encoding: gzip); the largest body that is read counts as sent and as unpacked.",
    "content": {"application/json": {"schema": BODY, "example": CLAIM_EXAMPLE}},
}
SCRUB: Operation = {
    "operationId": "scrubClaim",
    "parameters": [
        query(
            "view",
            f"Shape of the answer: our own ({DEFAULT_VIEW}), or the one of a v3 /validation answer.",
            tuple(VIEWS),
        ),
        repeated("include", "Parts of our own answer that are there only when asked for.", INCLUDES),
        _RECEIVED_ON,
        *_SWITCHES,
    ],
    "requestBody": _CLAIM,
    "responses": answers(
        "The claim was scrubbed, whatever its disposition.",
        {"oneOf": [ANSWER, CLEARINGHOUSE]},
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        examples={"scrubbed": {"$ref": "#/components/examples/Answer"}},
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
        EXPLANATION,
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
}
LIST_RULES: Operation = {
    "operationId": "listRules",
    "parameters": [
        query("pack", "Only rules of this pack."),
        query("status", "Only rules of this status.", STATUSES),
        query("severity", "Only rules of this severity.", SEVERITIES),
        query("stage", "Only rules of this stage.", STAGES),
        query("category", "Only rules of this category.", CATEGORIES),
    ],
    "responses": answers("The rules, by id.", RULE_LIST, HTTPStatus.BAD_REQUEST),
}
READ_RULE: Operation = {
    "operationId": "readRule",
    "responses": answers("The rule.", RULE, HTTPStatus.NOT_FOUND),
}
READ_CODE: Operation = {
    "operationId": "readCode",
    "parameters": [_asked(parameter) for parameter in CODE_PARAMETERS],
    "responses": answers(
        "What is known of the code; much may be unknown.", KNOWN_CODE, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND
    ),
}
READ_PRICE: Operation = {
    "operationId": "readPrice",
    "parameters": [_asked(parameter) | {"required": parameter is CODE} for parameter in PRICE_PARAMETERS],
    "responses": answers("What the service pays.", PRICED, HTTPStatus.BAD_REQUEST),
}
LIST_RELEASES: Operation = {
    "operationId": "listReleases",
    "responses": answers("The releases, by table and first day.", RELEASES, HTTPStatus.BAD_REQUEST),
}
HEALTHZ: Operation = {
    "operationId": "healthz",
    "responses": answers("The process answers.", HEALTH),
}
READYZ: Operation = {
    "operationId": "readyz",
    "responses": answers("Claims can be scrubbed.", READINESS, HTTPStatus.SERVICE_UNAVAILABLE),
}
