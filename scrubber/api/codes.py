"""Query parameters that several resources read."""

from __future__ import annotations

from datetime import UTC, date, datetime

import orjson
from flask import Response, request
from flask_smorest import Blueprint

from scrubber.api.problems import BAD_PARAMETER, NOT_FOUND, Refused
from scrubber.api.request import service
from scrubber.api.schemas import operations
from scrubber.code_lookup import look_up_code, look_up_price
from scrubber.code_lookup.query import CODE, DATE, BadParameter, code_question, price_question
from scrubber.response.codes import CodeAnswer, write_known_code, write_priced

RECEIVED_ON = "receivedOn"


def received_on() -> date | None:
    """The day of receipt that the request states, None where it states none. Raises Refused (400)."""
    text = request.args.get(RECEIVED_ON)
    if text is None:
        return None
    try:
        day: date = DATE.read(text)
    except BadParameter:
        raise Refused(BAD_PARAMETER, f"`{RECEIVED_ON}` is a date as CCYYMMDD or CCYY-MM-DD.") from None
    return day


codes = Blueprint("codes", __name__, url_prefix="/v1", description="Look up procedure codes.")


@codes.get("/codes/<code>")
@codes.doc(**operations.READ_CODE)
def read_code(code: str) -> Response:
    """Look a code up.

    What is known of a CPT or HCPCS code on a date of service: whether it is in force, indicators and relative values
    of the fee schedule, prices, units, partners, coverage, rules and documentation. A code that no table has is
    answered as unknown; 404 is for what is no code. Never a descriptor.
    """
    try:
        question = code_question(code, request.args.to_dict(), _today())
    except BadParameter as bad:
        raise Refused(NOT_FOUND if bad.name == CODE.name else BAD_PARAMETER, str(bad)) from None
    here = service().scrubber
    known = look_up_code(question, here.rulebook, here.reference)
    return _answer(write_known_code(CodeAnswer(known, here.rulebook.digest)))


@codes.get("/price")
@codes.doc(**operations.READ_PRICE)
def read_price() -> Response:
    """Price a service.

    By the functions that price the lines of claims. An amount that cannot be known is null, and `unknown` says why.
    Reductions among several services of a day are not applied.
    """
    try:
        question = price_question(request.args.to_dict(), _today())
    except BadParameter as bad:
        raise Refused(BAD_PARAMETER, str(bad)) from None
    here = service().scrubber
    return _answer(write_priced(look_up_price(question, here.rulebook, here.reference)))


def _today() -> date:
    return datetime.now(UTC).date()


def _answer(content: dict[str, object]) -> Response:
    return Response(orjson.dumps(content), content_type="application/json")
