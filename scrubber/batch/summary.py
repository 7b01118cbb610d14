"""Around the path: many results in short: claims, findings and dollars by rule, payer, code and provider."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from scrubber.batch.job import Summary
from scrubber.claim import Claim
from scrubber.findings import Finding, ScrubResult
from scrubber.money.impact import lines_at_risk

GROUPS = ("rules", "payers", "codes", "providers")
NOTHING = Decimal("0.00")
MOST_KEYS = 1_000  # of one group in what is told; the rest are told together
OTHERS = "(others)"
_CENTS = 2

Row = list[int]  # claims, findings, cents at risk as far as they are known


class SummaryOfRows:
    """Adds up results."""

    def __init__(self) -> None:
        self._groups: dict[str, dict[str, Row]] = {group: {} for group in GROUPS}

    def add(self, claim: Claim, result: ScrubResult) -> None:
        """One claim. Dollars of a line count once for each rule, code, payer and provider."""
        at_risk = _cents(result.impact.at_risk)
        found = len(result.findings)
        self._add("payers", claim.payer_id or "", found, at_risk)
        rendering = claim.rendering.npi if claim.rendering else None
        self._add("providers", rendering or claim.billing.npi or "", found, at_risk)
        if found:
            self._add_rules(result)
            self._add_codes(claim, result)

    def _add_rules(self, result: ScrubResult) -> None:
        by_rule: dict[str, list[Finding]] = {}
        for finding in result.findings:
            by_rule.setdefault(finding.rule.id, []).append(finding)
        for rule, findings in by_rule.items():
            self._add("rules", rule, len(findings), _exposed(findings, result.impact.by_line))

    def _add_codes(self, claim: Claim, result: ScrubResult) -> None:
        by_code: dict[str, list[int]] = {}
        for finding in result.findings:
            for number in finding.lines:
                by_code.setdefault(claim.lines[number - 1].procedure or "", []).append(number)
        for code, numbers in by_code.items():
            amounts = (result.impact.by_line.get(number) for number in set(numbers))
            self._add("codes", code, len(numbers), sum(map(_cents, amounts)))

    def _add(self, group: str, key: str, findings: int, cents: int) -> None:
        row = self._groups[group].setdefault(key, [0, 0, 0])
        row[0] += 1
        row[1] += findings
        row[2] += cents

    def told(self) -> Summary:
        """What was added up, for the ledger."""
        return {group: dict(rows) for group, rows in self._groups.items()}


def _exposed(findings: Iterable[Finding], by_line: Mapping[int, Decimal | None]) -> int:
    lines: set[int] = set()
    for finding in findings:
        if finding.impact is not None and finding.impact.at_risk != NOTHING:
            lines.update(lines_at_risk(finding, by_line))
    return sum(_cents(by_line.get(number)) for number in lines)


def _cents(amount: Decimal | None) -> int:
    return int(amount.scaleb(_CENTS)) if amount else 0


def merged(summaries: Iterable[Summary]) -> Summary:
    """Summaries of chunks as one; the keys with most dollars first, then with most findings."""
    total: dict[str, dict[str, Row]] = {group: {} for group in GROUPS}
    for summary in summaries:
        for group, rows in summary.items():
            into = total[group]
            for key, row in rows.items():
                known = into.get(key)
                into[key] = row if known is None else [a + b for a, b in zip(known, row, strict=True)]
    return {group: _ranked(rows) for group, rows in total.items()}


def _ranked(rows: Mapping[str, Row]) -> dict[str, Row]:
    ranked = sorted(rows.items(), key=lambda item: (-item[1][2], -item[1][1], item[0]))
    told = dict(ranked[:MOST_KEYS])
    if len(ranked) > MOST_KEYS:
        told[OTHERS] = [sum(column) for column in zip(*(row for _, row in ranked[MOST_KEYS:]), strict=True)]
    return told
