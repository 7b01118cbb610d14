"""Declares and writes the answer for a claim in the shape of a v3 /validation answer, for its many readers.

What denies is an error; what warns or informs is an edit that may be overridden. Every value is a
text. Where that shape repeats the bad value, this one says nothing. What was not read and not checked
stands in it under names of our own, which its readers pass over: SUCCESS alone is no clean bill.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from scrubber.claim.elements import ELEMENTS, Element
from scrubber.claim.model import Claim
from scrubber.findings import Finding, ScrubResult
from scrubber.findings.finding import WHYS
from scrubber.response.schema import Object, Objects, OneOf, ResponseSchema, Text, Texts, itself
from scrubber.response.writer import writer


class Validation(NamedTuple):
    """A claim and what came of it."""

    claim: Claim
    result: ScrubResult


def _as_sent(attribute: str, about: str = "As sent.", data_key: str | None = None) -> Text:
    """An attribute of the claim; empty where it was not sent."""
    return Text(about, compute=lambda validation: getattr(validation.claim, attribute) or "", data_key=data_key)


def _always(text: str, about: str) -> Text:
    return Text(about, compute=lambda _: text)


def _empty() -> Text:
    return _always("", "Always empty.")


class ClaimReferenceResponse(ResponseSchema):
    """Which claim an answer is about."""

    customer_claim_number = _as_sent("control_number", "The control number as sent.")
    patient_control_number = _as_sent("patient_control_number")
    claim_type = _always("PRO", "PRO.")
    payer_id = _as_sent("payer_id", data_key="payerID")
    format_version = _always("5010", "5010.")


class PayerReferenceResponse(ResponseSchema):
    """The payer of a claim."""

    payer_id = _as_sent("payer_id", data_key="payerID")
    payer_name = _as_sent("payer_name")


def _of_element(about: str, part: Callable[[Element], str]) -> Text:
    return Text(about, path="element", convert=lambda element: part(ELEMENTS[element]))


class ClearinghouseErrorResponse(ResponseSchema):
    """A finding that denies."""

    code = Text("Id of the rule.", path="rule.id")
    description = Text("What is wrong.", path="message")
    field = _of_element("What it points at, in words.", lambda element: element.label)
    value = _empty()
    location = Text("JSON pointer into the body.", path="pointer")
    followup_action = Text("What to do about it.", path="fix")


def _segment(element: Element) -> str:
    """SV1 of SV101-2; a name without a position, such as HI or PER, is a segment as it stands."""
    name = element.x12.partition("-")[0]
    return name[:-2] if name[-2:].isdigit() else name


class EditResponseResponse(ResponseSchema):
    """A finding that warns or informs."""

    edit_name = Text("Id of the rule.", path="rule.id")
    edit_activity = Text("Category of the finding.", path="rule.category")
    allow_override = _always("Y", "Y.")
    phase_id = Text("Stage of the finding.", path="rule.stage", data_key="phaseID")
    error_description = Text(
        "What is wrong and what to do about it.", compute=lambda finding: f"{finding.message} {finding.fix}"
    )
    loop = _of_element("Loop of the 837P.", lambda element: element.loop)
    segment = _of_element("Segment in it.", _segment)
    element = _of_element("Element in it.", lambda element: element.x12)
    field_index = _empty()
    qualifier_code = _empty()
    reference_id = Text("Id of the finding.", path="id", data_key="referenceID")
    bad_data = _empty()
    claim_core_path = Text("JSON pointer into the body.", path="pointer")


class ClearinghouseNotCheckedResponse(ResponseSchema):
    """A rule that could not be judged."""

    edit_name = Text("Id of the rule.", path="rule.id")
    lines = Texts(
        "Service lines it is about, from 1; none: the claim.",
        convert=lambda lines: [str(line) for line in lines],
    )
    why = OneOf(WHYS, "Why it could not be judged.")
    missing = Texts("What would settle it.")
    description = Text("What was not checked, and why.", path="message")


def _status(validation: Validation) -> str:
    return "ERROR" if validation.result.disposition == "deny" else "SUCCESS"


def _errors(validation: Validation) -> list[Finding]:
    return [finding for finding in validation.result.findings if finding.severity == "deny"]


def _edits(validation: Validation) -> list[Finding]:
    return [finding for finding in validation.result.findings if finding.severity != "deny"]


class ClearinghouseAnswerResponse(ResponseSchema):
    """The answer for a claim, as readers of v3 /validation answers know it."""

    status = OneOf(("SUCCESS", "ERROR"), "ERROR when something denies.", compute=_status)
    edit_status = OneOf(("SUCCESS", "ERROR"), "The same.", compute=_status)
    control_number = _as_sent("control_number")
    trading_partner_service_id = _as_sent("payer_id")
    claim_reference = Object(ClaimReferenceResponse, "Which claim this is about.", compute=itself)
    errors = Objects(ClearinghouseErrorResponse, "Findings that deny.", compute=_errors)
    edit_responses = Objects(EditResponseResponse, "Findings that warn or inform.", compute=_edits)
    unmapped = Texts("JSON pointers to what was not read.", path="result.unmapped")
    not_checked = Objects(ClearinghouseNotCheckedResponse, "What could not be judged.", path="result.not_checked")
    payer = Object(PayerReferenceResponse, "The payer.", compute=itself)


_write = writer(ClearinghouseAnswerResponse())


def to_bytes(claim: Claim, result: ScrubResult) -> bytes:
    """The answer as compact JSON; equal claims and results give equal bytes."""
    return orjson.dumps(_write(Validation(claim, result)))


def document(claim: Claim, result: ScrubResult) -> dict[str, Any]:
    """The answer as plain dicts, lists and texts."""
    answer: dict[str, Any] = orjson.loads(to_bytes(claim, result))
    return answer
