"""Beside the path: what another release changes on claims, told one by one and then in all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import click

from scrubber.answer.json import amount
from scrubber.cli.columns import columns
from scrubber.cli.progress import Shown
from scrubber.workshop.release_difference import ClaimChange, Told

_BY_RULE = ("rule", "gone", "new", "at risk gone", "at risk new")


def show_claim_changes(changes: Iterator[ClaimChange], shown: Shown) -> None:
    """Each claim that changes, then what that comes to by rule, and in all. Memory does not grow with the claims."""
    total = _Total()
    for change in changes:
        total.add(change)
        if change.changed:
            shown.wipe()
            for line in _claim_lines(change):
                click.echo(line)
    shown.wipe()
    for line in total.lines():
        click.echo(line)


def _claim_lines(change: ClaimChange) -> Iterator[str]:
    before, after = change.disposition_before, change.disposition_after
    way = before if before == after else f"{before} -> {after}"
    yield f"{change.name}: {way}, at risk {_money(change.at_risk_before)} -> {_money(change.at_risk_after)}"
    for sign, findings in (("-", change.gone), ("+", change.new)):
        for told in findings:
            yield f"  {sign} {told.severity} {told.rule} ({_money(told.at_risk)}): {told.message}"


@dataclass
class _Dollars:
    """A sum of what is known, and how many amounts are not."""

    known: Decimal = Decimal(0)
    unknown: int = 0

    def add(self, amount: Decimal | None) -> None:
        """Take an amount into account."""
        if amount is None:
            self.unknown += 1
        else:
            self.known += amount

    def __str__(self) -> str:
        return _money(self.known) + (f" and {self.unknown:,} unknown" if self.unknown else "")


@dataclass
class _Side:
    """Findings of one rule that one of the releases has alone."""

    findings: int = 0
    at_risk: _Dollars = field(default_factory=_Dollars)


@dataclass
class _Total:
    """What the claims come to so far."""

    claims: int = 0
    changed: int = 0
    before: _Dollars = field(default_factory=_Dollars)
    after: _Dollars = field(default_factory=_Dollars)
    by_rule: defaultdict[str, tuple[_Side, _Side]] = field(
        default_factory=lambda: defaultdict(lambda: (_Side(), _Side()))
    )

    def add(self, change: ClaimChange) -> None:
        """Take a claim into account."""
        self.claims += 1
        self.changed += change.changed
        self.before.add(change.at_risk_before)
        self.after.add(change.at_risk_after)
        for at, findings in enumerate((change.gone, change.new)):
            for told in findings:
                side = self.by_rule[told.rule][at]
                side.findings += 1
                side.at_risk.add(told.at_risk)

    def lines(self) -> Iterator[str]:
        """By rule, and in all."""
        rows = [
            (rule, one.findings, other.findings, one.at_risk, other.at_risk)
            for rule, (one, other) in sorted(self.by_rule.items())
        ]
        if rows:
            yield from columns(_BY_RULE, rows, frozenset(_BY_RULE[1:]))
        gone, new = (sum(sides[at].findings for sides in self.by_rule.values()) for at in (0, 1))
        yield (
            f"{self.changed:,} of {self.claims:,} claims change: {gone:,} findings gone, {new:,} new;"
            f" at risk {self.before} -> {self.after}"
        )


def _money(amount: Decimal | None) -> str:
    return "unknown" if amount is None else f"${amount:,.2f}"


def change_document(change: ClaimChange) -> dict[str, Any]:
    """One changed claim for machines."""
    return {
        "claim": change.name,
        "disposition": {"before": change.disposition_before, "after": change.disposition_after},
        "atRisk": {"before": amount(change.at_risk_before), "after": amount(change.at_risk_after)},
        "gone": [_told_document(told) for told in change.gone],
        "new": [_told_document(told) for told in change.new],
    }


def _told_document(told: Told) -> dict[str, Any]:
    return {
        "rule": told.rule,
        "severity": told.severity,
        "lines": told.lines,
        "message": told.message,
        "atRisk": amount(told.at_risk),
    }
