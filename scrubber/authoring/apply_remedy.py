"""Applies a fix that is data to the claim of a test case, so that a case can say what is then found.

Nothing is applied that needs a word on the record before the case states that the record shows it.
"""

from __future__ import annotations

from typing import Any

from scrubber.authoring.case_claim import Body, InvalidCase, change_at, sum_up
from scrubber.claim.model import Claim
from scrubber.facts.fact import pointer_to
from scrubber.findings import Finding
from scrubber.findings.remedies import OfferedRemedy
from scrubber.rulebook.test_case import AfterFix
from scrubber.rulebook.test_case_paths import Target, ValueForm

MODIFIERS = "procedureModifiers"
NUMBERED = ("documentation", "abn")  # blocks of the context that name lines


def remedy_of(fix: AfterFix, findings: list[Finding]) -> OfferedRemedy:
    """The remedy that a case names, of those offered with a finding. Raises InvalidCase where there is none."""
    on = [finding for finding in findings if fix.line is None or fix.line in finding.lines]
    if not on:
        raise InvalidCase("nothing is found that a fix could be applied to")
    offered = [each for each in on[0].remedies or () if each.number == fix.remedy]
    if not offered:
        raise InvalidCase(f"remedy {fix.remedy} is not offered with this finding")
    if offered[0].when_record_shows is not None and not fix.record_shows:
        raise InvalidCase(
            f"remedy {fix.remedy} is not applied before the record is stated to show that "
            f"{offered[0].when_record_shows}: add `record-shows: yes`"
        )
    return offered[0]


def apply_remedy(body: Body, remedy: OfferedRemedy, fix: AfterFix, claim: Claim) -> None:
    """Changes the body of the claim as the remedy says; its total stays the sum of its charges. Raises InvalidCase."""
    if remedy.action == "supply":
        _supply(body, remedy, fix, claim)
    elif remedy.action == "drop-line":
        _drop_line(body, remedy.line or 0)
    else:
        service = _service(body, remedy.line or 0)
        if remedy.action == "change-units":
            service["serviceUnitCount"] = remedy.units
        elif remedy.action == "point-to":
            pointers = service.setdefault("compositeDiagnosisCodePointers", {})
            before = pointers.get("diagnosisCodePointers", ())
            pointers["diagnosisCodePointers"] = [*before, str(remedy.diagnosis_pointer)]
        else:
            _modifier(body, service, remedy)
    sum_up(body)


def _service(body: Body, number: int) -> dict[str, Any]:
    line = body["claimInformation"]["serviceLines"][number - 1]
    service: dict[str, Any] = line.get("professionalService", line)
    return service


def _modifier(body: Body, service: dict[str, Any], remedy: OfferedRemedy) -> None:
    if remedy.action != "add-modifier":
        service[MODIFIERS] = [each for each in service.get(MODIFIERS) or () if each != remedy.modifier]
    if remedy.action != "drop-modifier":
        onto = service if remedy.to_line is None else _service(body, remedy.to_line)
        onto[MODIFIERS] = [*(onto.get(MODIFIERS) or ()), remedy.modifier]


def _drop_line(body: Body, number: int) -> None:
    del body["claimInformation"]["serviceLines"][number - 1]
    context = body.get("scrubContext", {})
    for name in NUMBERED:
        blocks = context.get(name) or []
        for block in blocks:
            if block.get("lines"):
                block["lines"] = [each - (each > number) for each in map(int, block["lines"]) if each != number]
        if blocks:
            context[name] = [block for block in blocks if block.get("lines") != []]


def _supply(body: Body, remedy: OfferedRemedy, fix: AfterFix, claim: Claim) -> None:
    if fix.value is None:
        raise InvalidCase(f"{remedy.element} is supplied with what the record says: add `value`")
    line = claim.lines[remedy.line - 1] if remedy.line is not None else None
    change_at(body, Target(pointer_to(remedy.element or "", claim, line), ValueForm.TEXT), fix.value)
