"""Made-up rules, findings and results for tests of what comes after the scrub."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from scrubber.claim.model import Normalised
from scrubber.findings import ClaimImpact, Finding, Impact, NotChecked, ScrubResult, UsedRelease, Versions
from scrubber.rulebook.rule import AllOf, Authority, ClaimStatus, Compare, Has, Reason, Rule

TABLE_ROW = Authority("cms-table", "PTP edits", "77092/77089", "https://example.org/ptp", "2026-11-22", True)


def rule(rule_id: str = "sample-pair", **changes: Any) -> Rule:
    """A rule about pairs of lines that denies."""
    fields: dict[str, Any] = {
        "id": rule_id,
        "pack": "sample",
        "file": f"sample/pairs/{rule_id}.yaml",
        "version": 1,
        "title": "A pair that is paid once",
        "status": "active",
        "severity": "deny",
        "stage": "adjudication",
        "category": "bundling",
        "scope": "line",
        "owner": "coding policy",
        "reviewed": date(2026, 11, 22),
        "since": date(2022, 1, 1),
        "until": None,
        "authority": (TABLE_ROW, Authority("house-policy", "Bone-density reports")),
        "applies": AllOf((Has("procedure", "any", ("77089", "77092")),)),
        "needs": (),
        "when": Compare("charge", "over", 6000),
        "element": "procedure",
        "message": "Line {line} is paid once.",
        "fix": "Bill one of the two.",
        "not_checked": None,
        "reason": Reason("CO", "236", ("N19",)),
        "claim_status": ClaimStatus("A7", "454"),
        "at_risk": "line-allowed",
        "false_alarms": None,
        "related": (),
    }
    return Rule(**(fields | changes))


def impact(**changes: Any) -> Impact:
    """38.82 at risk for the provider."""
    fields: dict[str, Any] = {
        "billed": Decimal("60"),
        "allowed": Decimal("38.82"),
        "at_risk": Decimal("38.82"),
        "liability": "provider",
        "basis": "MPFS 2025, national",
        "steps": ("1.20 RVU x 32.3465 = 38.82",),
    }
    return Impact(**(fields | changes))


def finding(by: Rule | None = None, **changes: Any) -> Finding:
    """A finding on line 2, related to line 1."""
    by = by or rule()
    fields: dict[str, Any] = {
        "rule": by,
        "element": by.element,
        "lines": (2,),
        "related_lines": (1,),
        "pointer": "/claimInformation/serviceLines/1/professionalService/procedureCode",
        "message": "Line 2 (77089) is bundled into line 1 (77092).",
        "fix": by.fix,
        "authority": by.authority,
        "evidence": {"column1": "77092", "modifiers": ("26", "59"), "carriedForward": True},
        "id": f"{by.id}:77089:77092",
        "impact": impact(),
    }
    return Finding(**(fields | changes))


def claim_impact(**changes: Any) -> ClaimImpact:
    """A claim of 120.00 with 38.82 at risk."""
    fields: dict[str, Any] = {
        "billed": Decimal("120.00"),
        "allowed": Decimal("48.20"),
        "at_risk": Decimal("38.82"),
        "by_liability": {"provider": Decimal("38.82"), "patient": Decimal("0.00")},
        "unpriced_lines": (),
        "basis": "MPFS 2025, national",
        "steps": ("38.82 + 9.38 = 48.20",),
    }
    return ClaimImpact(**(fields | changes))


def result(**changes: Any) -> ScrubResult:
    """One finding that denies, one check that could not be made."""
    fields: dict[str, Any] = {
        "disposition": "deny",
        "findings": (finding(),),
        "not_checked": (
            NotChecked(rule("sample-report", severity="warn"), (1,), ("tbsValue",), "Line 1: not checked."),
        ),
        "impact": claim_impact(),
        "normalised": (Normalised("/claimInformation/claimChargeAmount", "number read as text"),),
        "unmapped": ("/extra",),
        "versions": Versions("0.1.0", "sha256:abc", (UsedRelease("ptp", "2025q1", "def"),)),
        "received_on": date(2025, 3, 12),
    }
    return ScrubResult(**(fields | changes))


def clean() -> ScrubResult:
    """A claim that is accepted without a finding; its payer has no fee schedule."""
    nothing = claim_impact(
        allowed=None,
        at_risk=Decimal("0.00"),
        by_liability={"provider": Decimal(0), "patient": Decimal(0)},
        unpriced_lines=(1, 2),
        basis=None,
        steps=(),
        unknown="no-schedule",
    )
    return result(
        disposition="accept",
        findings=(),
        not_checked=(),
        impact=nothing,
        normalised=(),
        unmapped=(),
    )
