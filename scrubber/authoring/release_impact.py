"""Compares the answers to given claims under two releases of a table, in findings and dollars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from scrubber.claim.model import Claim
from scrubber.findings import Finding, ScrubResult
from scrubber.reference.releases import Release
from scrubber.scrub import Scrubber

FRESHNESS = "freshness"  # findings about the table itself, not from its rows


class ComparedFinding(NamedTuple):
    """The values of a finding that are compared; `at_risk` in dollars, None where it cannot be known."""

    rule: str
    severity: str
    lines: tuple[int, ...]
    message: str
    at_risk: Decimal | None


class ClaimChange(NamedTuple):
    """One claim under two releases. `gone` are findings under the one only, `new` under the other only."""

    name: str
    disposition_before: str
    disposition_after: str
    at_risk_before: Decimal | None
    at_risk_after: Decimal | None
    gone: tuple[ComparedFinding, ...]
    new: tuple[ComparedFinding, ...]

    @property
    def changed(self) -> bool:
        """Whether the answer is another one."""
        return (
            bool(self.gone or self.new)
            or self.disposition_before != self.disposition_after
            or self.at_risk_before != self.at_risk_after
        )


def claim_changes(
    scrubber: Scrubber,
    before: Iterable[Release],
    after: Iterable[Release],
    claims: Iterable[tuple[str, Claim, date]],
) -> Iterator[ClaimChange]:
    """Each claim (name, claim, day of receipt) scrubbed twice: with the one release of its tables, and the other.

    Either release answers for all dates of service, so that claims of any day show the difference.
    """
    one = replace(scrubber, reference=scrubber.reference.answering_everywhere(before))
    other = replace(scrubber, reference=scrubber.reference.answering_everywhere(after))
    for name, claim, received_on in claims:
        yield _change(name, one.scrub(claim, received_on), other.scrub(claim, received_on))


def _change(name: str, before: ScrubResult, after: ScrubResult) -> ClaimChange:
    old, new = Counter(_compared(before)), Counter(_compared(after))
    return ClaimChange(
        name,
        before.disposition,
        after.disposition,
        before.impact.at_risk,
        after.impact.at_risk,
        tuple((old - new).elements()),
        tuple((new - old).elements()),
    )


def _compared(result: ScrubResult) -> Iterator[ComparedFinding]:
    for finding in result.findings:
        if finding.rule.category != FRESHNESS:
            yield ComparedFinding(finding.rule.id, finding.severity, finding.lines, finding.message, _at_risk(finding))


def _at_risk(finding: Finding) -> Decimal | None:
    return finding.impact.at_risk if finding.impact else None
