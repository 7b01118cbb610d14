"""Writes the answer for a claim as JSON; its keys are promised to callers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson

from scrubber.claim.elements import ELEMENTS
from scrubber.findings import (
    NO_SWITCHES,
    Check,
    ClaimImpact,
    Finding,
    Impact,
    NotChecked,
    ScrubResult,
    StageChecks,
    Switches,
    UsedRelease,
    Versions,
)
from scrubber.rulebook.rule import Authority, ClaimStatus, Reason, Rule

Document = dict[str, Any]


def to_bytes(result: ScrubResult) -> bytes:
    """The answer as compact JSON; equal results give equal bytes."""
    return orjson.dumps(document(result))


# What an answer has only when it is asked for. Annotated for mypyc, which meets the package before this module.
SHADOW: str = "shadow"
CHECKS: str = "checks"
SETTLED_BY: str = "settledBy"


def with_included(result: ScrubResult, included: Collection[str]) -> bytes:
    """The answer with more: what shadow rules found, which counts for nothing; every check; not checked, by input."""
    answer = document(result)
    if SHADOW in included:
        answer["shadow"] = [one_finding(finding) for finding in result.shadow]
    if CHECKS in included:
        for stage, counts in answer["checks"].items():
            counts |= _listed_checks(stage, result.every_check or ())
    if SETTLED_BY in included:
        answer["settledBy"] = _by_input(result.not_checked)
    return orjson.dumps(answer)


def _listed_checks(stage: str, checks: Iterable[Check]) -> Document:
    of_stage = [check for check in checks if check.rule.stage == stage]
    listed = [
        {"rule": _printed(check.rule).identity, "lines": check.lines, "outcome": check.outcome} for check in of_stage
    ]
    return {"passed": sum(check.outcome == "passed" for check in of_stage), "list": listed}


def _by_input(items: Sequence[NotChecked]) -> list[Document]:
    """What was not checked, by what would settle it: first what settles most."""
    groups: dict[tuple[str, str], list[NotChecked]] = {}
    for item in items:
        for missing in item.missing:
            groups.setdefault((missing, item.why), []).append(item)
    rows = [
        {
            "input": missing,
            "why": why,
            "checks": sum(item.checks for item in group),
            "rules": sorted({item.rule.id for item in group}),
            "lines": sorted({line for item in group for line in item.lines}),
        }
        for (missing, why), group in groups.items()
    ]
    return sorted(rows, key=lambda each: (-int(str(each["checks"])), str(each["input"]), str(each["why"])))


def document(result: ScrubResult) -> Document:
    """The answer as plain dicts, lists and texts, ready for JSON. `switched` is there when something was."""
    return {
        "disposition": result.disposition,
        "findings": [one_finding(finding) for finding in result.findings],
        "checks": {stage: _stage_checks(counts) for stage, counts in result.checks.items()},
        "notChecked": [_not_checked(item) for item in result.not_checked],
        "impact": _claim_impact(result.impact),
        "normalised": [{"pointer": pointer, "change": change} for pointer, change in result.normalised],
        "unmapped": result.unmapped,
        "versions": versions(result.versions),
        "receivedOn": day(result.received_on),
        "staleAfter": result.stale_after,
        **switched(result.switches),
    }


def switched(switches: Switches) -> Document:
    """`switched` of an answer, which is there when something was."""
    return {} if switches is NO_SWITCHES else {"switched": {"enable": switches.enable, "disable": switches.disable}}


def amount(value: Decimal | None) -> str | None:
    """Dollars with two decimals; None stays None, and zero has no sign."""
    if value is None:
        return None
    text = str(value)  # most are whole cents already, and formatting takes four times as long
    return text if text[-3:-2] == "." and text[0] != "-" else f"{value:z.2f}"


def day(value: date) -> str:
    """A date as the claim's own body writes it: CCYYMMDD."""
    return value.isoformat().replace("-", "")


def authority(items: Sequence[Authority]) -> list[Document]:
    """By whose word a rule stands, without what is not known of it."""
    return [_authority(item) for item in items]


def reason(value: Reason | None) -> Document | None:
    """The codes expected on the remittance."""
    if value is None:
        return None
    return {"group": value.group, "carc": value.carc, "rarc": value.rarc}


def claim_status(value: ClaimStatus | None) -> Document | None:
    """The codes of a 277CA."""
    return {"category": value.category, "code": value.code} if value else None


def x12_place(element: str) -> Document | None:
    """Loop and element of the 837P; None for what has no place there, such as the scrubContext."""
    place = ELEMENTS[element]
    return {"loop": place.loop, "element": place.x12} if place.x12 else None


_X12_PLACES = {element: x12_place(element) for element in ELEMENTS}


@dataclass(frozen=True, slots=True)
class _Printed:
    """What every finding of one rule says alike."""

    rule: Rule
    identity: Document
    start: Document
    reason: Document | None
    claim_status: Document | None
    authority: list[Document]


# By identity: a rule's hash would read its whole condition tree, and two rulebooks may hold
# different rules of one id. An entry keeps its rule alive, so that no other one gets its identity.
_PRINTED: dict[int, _Printed] = {}
_MOST_PRINTED = 10_000


def _printed(rule: Rule) -> _Printed:
    known = _PRINTED.get(id(rule))
    if known is None:
        if len(_PRINTED) >= _MOST_PRINTED:
            _PRINTED.clear()
        known = _PRINTED[id(rule)] = _print(rule)
    return known


def _print(rule: Rule) -> _Printed:
    identity = {"id": rule.id, "version": rule.version, "status": rule.status}
    return _Printed(
        rule=rule,
        identity=identity,
        start={"rule": identity, "severity": rule.severity, "stage": rule.stage, "category": rule.category},
        reason=reason(rule.reason),
        claim_status=claim_status(rule.claim_status),
        authority=authority(rule.authority),
    )


def one_finding(finding: Finding) -> Document:
    """One of `findings` of the answer."""
    rule = finding.rule
    printed = _printed(rule)
    same = finding.authority is rule.authority
    return {
        "id": finding.id,
        **printed.start,
        "lines": finding.lines,
        "relatedLines": finding.related_lines,
        "pointer": finding.pointer,
        "x12": _X12_PLACES[finding.element],
        "box": ELEMENTS[finding.element].box,
        "message": finding.message,
        "fix": finding.fix,
        "reason": printed.reason if finding.reason is rule.reason else reason(finding.reason),
        "claimStatus": printed.claim_status,
        "impact": finding.impact and _impact(finding.impact),
        "authority": printed.authority if same else authority(finding.authority),
        "evidence": dict(finding.evidence),
    }


def _stage_checks(counts: StageChecks) -> Document:
    return {
        "fired": counts.fired,
        "bypassed": counts.bypassed,
        "notChecked": counts.not_checked,
        "complete": counts.complete,
    }


def _not_checked(item: NotChecked) -> Document:
    return {
        "rule": _printed(item.rule).identity,
        "lines": item.lines,
        "why": item.why,
        "missing": item.missing,
        "message": item.message,
    }


def _impact(impact: Impact) -> Document:
    printed = {
        "billed": amount(impact.billed),
        "allowed": amount(impact.allowed),
        "atRisk": amount(impact.at_risk),
        "liability": impact.liability,
        "basis": impact.basis,
        "steps": impact.steps,
    }
    return printed | {"unknown": impact.unknown} if impact.unknown else printed


def _claim_impact(impact: ClaimImpact) -> Document:
    printed: Document = {
        "billed": amount(impact.billed),
        "allowed": amount(impact.allowed),
        "atRisk": amount(impact.at_risk),
        "byLiability": {
            "provider": amount(impact.by_liability.get("provider", _NOTHING)),
            "patient": amount(impact.by_liability.get("patient", _NOTHING)),
        },
        "unpricedLines": impact.unpriced_lines,
        "basis": impact.basis,
        "steps": impact.steps,
    }
    if impact.uncounted_lines:
        printed["uncountedLines"] = impact.uncounted_lines
    return printed | {"unknown": impact.unknown} if impact.unknown else printed


_NOTHING = Decimal(0)


def _authority(item: Authority) -> Document:
    known = {
        "kind": item.kind,
        "title": item.title,
        "locator": item.locator,
        "url": item.url,
        "retrieved": item.retrieved,
        "binding": item.binding,
    }
    return {key: value for key, value in known.items() if value is not None}


def versions(used: Versions) -> Document:
    """What an answer was made with."""
    return {
        "program": used.program,
        "rulebook": used.rulebook,
        "reference": _releases(used.reference),
    }


@lru_cache(maxsize=1024)
def _releases(used: tuple[UsedRelease, ...]) -> list[Document]:
    return [
        {"table": each.table, "release": each.release, "sha256": each.sha256}
        | ({"complete": True} if each.complete else {})
        for each in used
    ]
