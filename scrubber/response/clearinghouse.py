"""Writes the answer for a claim in the shape of a v3 /validation answer, for its many readers.

What denies is an error; what warns or informs is an edit that may be overridden. Every value is a
text. Where that shape repeats the bad value, this one says nothing. What was not read and not checked
stands in it under names of our own, which its readers pass over: SUCCESS alone is no clean bill.
"""

from __future__ import annotations

from typing import Any

import orjson

from scrubber.claim.elements import ELEMENTS
from scrubber.claim.model import Claim
from scrubber.findings import Finding, NotChecked, ScrubResult

Document = dict[str, Any]


def to_bytes(claim: Claim, result: ScrubResult) -> bytes:
    """The answer as compact JSON; equal claims and results give equal bytes."""
    return orjson.dumps(document(claim, result))


def document(claim: Claim, result: ScrubResult) -> Document:
    """The answer as plain dicts, lists and texts, ready for JSON."""
    status = "ERROR" if result.disposition == "deny" else "SUCCESS"
    findings = result.findings
    return {
        "status": status,
        "editStatus": status,
        "controlNumber": claim.control_number or "",
        "tradingPartnerServiceId": claim.payer_id or "",
        "claimReference": {
            "customerClaimNumber": claim.control_number or "",
            "patientControlNumber": claim.patient_control_number or "",
            "claimType": "PRO",
            "payerID": claim.payer_id or "",
            "formatVersion": "5010",
        },
        "errors": [_error(finding) for finding in findings if finding.rule.severity == "deny"],
        "editResponses": [_edit(finding) for finding in findings if finding.rule.severity != "deny"],
        "unmapped": [*result.unmapped],
        "notChecked": [_not_checked(item) for item in result.not_checked],
        "payer": {"payerID": claim.payer_id or "", "payerName": claim.payer_name or ""},
    }


def _error(finding: Finding) -> Document:
    return {
        "code": finding.rule.id,
        "description": finding.message,
        "field": ELEMENTS[finding.element].label,
        "value": "",
        "location": finding.pointer,
        "followupAction": finding.fix,
    }


def _edit(finding: Finding) -> Document:
    rule = finding.rule
    place = ELEMENTS[finding.element]
    return {
        "editName": rule.id,
        "editActivity": rule.category,
        "allowOverride": "Y",
        "phaseID": rule.stage,
        "errorDescription": f"{finding.message} {finding.fix}",
        "loop": place.loop,
        "segment": _segment(place.x12),
        "element": place.x12,
        "fieldIndex": "",
        "qualifierCode": "",
        "referenceID": finding.id,
        "badData": "",
        "claimCorePath": finding.pointer,
    }


def _not_checked(item: NotChecked) -> Document:
    return {
        "editName": item.rule.id,
        "lines": [str(line) for line in item.lines],
        "why": item.why,
        "missing": [*item.missing],
        "description": item.message,
    }


def _segment(element: str) -> str:
    """SV1 of SV101-2; a name without a position, such as HI or PER, is a segment as it stands."""
    name = element.partition("-")[0]
    return name[:-2] if name[-2:].isdigit() else name
