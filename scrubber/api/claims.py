"""The whole path of one claim over HTTP: bytes in, answer out. Nothing of the claim is kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import orjson
from flask import Response, request
from flask_smorest import Blueprint

from scrubber.api import logs
from scrubber.api.codes import received_on
from scrubber.api.multipart import is_multipart
from scrubber.api.problems import BAD_PARAMETER, Refused
from scrubber.api.request import (
    X12_TYPE,
    Service,
    acknowledgment_header,
    read_claim_bytes,
    read_claim_in_parts,
    service,
)
from scrubber.api.schemas import operations
from scrubber.claim import read_claim
from scrubber.claim.formats import is_x12
from scrubber.claim.model import Claim
from scrubber.claim.x12 import ClaimLoops, read_loops
from scrubber.claim.x12.claims import read_one
from scrubber.errors import WrongQuestion, WrongSwitch
from scrubber.explain import Asked
from scrubber.explain import explain as explain_claim
from scrubber.explain.as_json import to_bytes
from scrubber.findings import Switches, read_switches
from scrubber.response import DEFAULT_VIEW, INCLUDES, VIEWS, View, including
from scrubber.response.acknowledgments import ACKNOWLEDGMENTS
from scrubber.response.acknowledgments.received import ReceivedClaim
from scrubber.scrub import Receipt, Scrubber, scrub_bytes

_LINE = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)

claims = Blueprint("claims", __name__, url_prefix="/v1/claims", description="Scrub professional claims.")


@claims.post("/scrub")
@claims.doc(**operations.SCRUB)
def scrub() -> Response:
    """Scrub one claim.

    Send the v3 Professional Claims body, with `scrubContext` for what that body has no place for. A claim that can
    be read is answered with 200 whatever its disposition. Nothing of it is stored.
    """
    included = _included()
    view, receipt = _view(included), _receipt()
    here = service()
    scrubber = here.scrubber
    switches = _switches(scrubber)
    content, read = _content(here)
    acknowledgment = ACKNOWLEDGMENTS.get(request.args.get("view", ""))
    if acknowledgment is not None and not is_x12(content):
        raise Refused(BAD_PARAMETER, f"`view` can be {' or '.join(ACKNOWLEDGMENTS)} only for a claim sent as X12.")
    answered = scrub_bytes(content, scrubber, receipt, switches, view, read)
    logs.log_result(answered.result)
    if acknowledgment is None:
        return Response(answered.content, content_type="application/json")
    header = acknowledgment_header(datetime.now(UTC), receipt.day(answered.claim))
    answer = orjson.loads(answered.content)
    received = (ReceivedClaim(item, answer) if isinstance(item, ClaimLoops) else item for item in read_loops([content]))
    return Response("".join(acknowledgment(received, header)), content_type=X12_TYPE)


@claims.post("/explain")
@claims.doc(**operations.EXPLAIN)
def explain() -> Response:
    """Explain the findings of one claim.

    Takes the body that is scrubbed, and tells why rules fired or did not: every condition with the fact's value, the
    rows of tables behind the facts, whether the payer applies the rule's pack, and what was not supplied. Without
    `rule` and `line`: the rules that fired. At most about 200 facts are told; those left off are counted. Nothing of
    the claim is stored.
    """
    here = service()
    scrubber = here.scrubber
    question, switches = Asked(tuple(request.args.getlist("rule")), _line()), _switches(scrubber)
    receipt = _receipt()
    content, read = _content(here)
    claim = read(content)
    try:
        explanation = explain_claim(scrubber, claim, receipt.day(claim), question, switches)
    except WrongQuestion as error:
        raise Refused(BAD_PARAMETER, f"{error}.") from None
    return Response(to_bytes(explanation), content_type="application/json")


def _content(here: Service) -> tuple[bytes, Callable[[bytes], Claim]]:
    """The claim in the body of the current request, and how it is read."""
    if not is_multipart():
        return read_claim_bytes(here.max_body_bytes), read_claim
    sent = read_claim_in_parts(here.max_body_bytes)
    return sent.claims, partial(read_one, context=sent.context)


def _receipt() -> Receipt:
    """What the request states, else what the claim says, as on the command line; else today, UTC."""
    return Receipt(datetime.now(UTC).date(), received_on())


def _line() -> int | None:
    text = request.args.get("line")
    if text is None:
        return None
    if not _LINE.fullmatch(text):
        raise Refused(BAD_PARAMETER, "`line` is the number of a service line, from 1.")
    return int(text)


def _included() -> frozenset[str]:
    included = frozenset(request.args.getlist("include"))
    if not included.issubset(INCLUDES):
        raise Refused(BAD_PARAMETER, f"`include` is one of: {', '.join(INCLUDES)}; and only in our own view.")
    return included


def _view(included: frozenset[str]) -> View:
    name = request.args.get("view", DEFAULT_VIEW)
    if name not in VIEWS and name not in ACKNOWLEDGMENTS:
        raise Refused(BAD_PARAMETER, f"`view` is one of: {', '.join((*VIEWS, *ACKNOWLEDGMENTS))}.")
    if not included:
        return VIEWS.get(name, VIEWS[DEFAULT_VIEW])  # acknowledgments are written from our own answer
    if name != DEFAULT_VIEW:
        raise Refused(BAD_PARAMETER, "What `include` names is only in our own view.")
    return including(included)


def _switches(scrubber: Scrubber) -> Switches:
    try:
        return read_switches(request.args.getlist("enable"), request.args.getlist("disable"), scrubber.rulebook)
    except WrongSwitch as error:
        raise Refused(BAD_PARAMETER, f"{error}.") from None
