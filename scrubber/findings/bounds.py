"""Bounds an answer: findings of one rule over many lines, and claims with more lines than a claim can hold.

A claim of too many lines has to be split, and each claim is then judged; findings across its lines would be wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date

from scrubber.claim.model import MOST_LINES
from scrubber.facts.service_lines import payer_fields
from scrubber.findings.finding import TOO_MANY_LINES, Finding, NotChecked, Switches
from scrubber.findings.not_checked import possible
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import Rulebook

MOST_OF_A_RULE = 50  # findings: as many as a claim may have lines; rules about two lines can find a thousand


def limit_findings(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings, in their order; of a rule with more than MOST_OF_A_RULE the rest are merged into one.

    That one has the lines of them all, and its message states how many more there are; `evidence.more` is their number.
    """
    if len(findings) <= MOST_OF_A_RULE:
        return findings
    counts = Counter(finding.rule.id for finding in findings)
    over = {rule: count for rule, count in counts.items() if count > MOST_OF_A_RULE}
    return _merge_excess(findings, over) if over else findings


def _merge_excess(findings: tuple[Finding, ...], over: Mapping[str, int]) -> tuple[Finding, ...]:
    limited: list[Finding] = []
    seen: Counter[str] = Counter()
    rest: dict[str, list[Finding]] = {rule: [] for rule in over}
    positions: dict[str, int] = {}
    for finding in findings:
        rule = finding.rule.id
        seen[rule] += 1
        if rule in over and seen[rule] >= MOST_OF_A_RULE:
            positions.setdefault(rule, len(limited))
            rest[rule].append(finding)
        if rule not in over or seen[rule] <= MOST_OF_A_RULE:
            limited.append(finding)
    for rule, position in positions.items():
        limited[position] = _one_for(rest[rule])
    return tuple(limited)


def _one_for(findings: list[Finding]) -> Finding:
    first, more = findings[0], len(findings) - 1
    return first._replace(
        lines=_all(finding.lines for finding in findings),
        related_lines=_all(finding.related_lines for finding in findings),
        message=f"{first.message} So it is with {more} more.",
        evidence={**first.evidence, "more": more},
    )


def _all(lines: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(sorted({number for some in lines for number in some}))


SERVICE_LINES = ("service-lines",)


def unjudged_rules(
    fired: Iterable[Finding], payer: Payer, day: date, rulebook: Rulebook, switches: Switches
) -> tuple[NotChecked, ...]:
    """One row for each active rule that the payer applies, or may apply, and that did not fire."""
    fired_rules = {finding.rule.id for finding in fired}
    values = payer_fields(payer)
    return tuple(
        [
            NotChecked(
                rule,
                (),
                SERVICE_LINES,
                f"“{rule.title}” was not checked, because the claim has more than {MOST_LINES} lines.",
                TOO_MANY_LINES,
            )
            for rule in sorted(rulebook.running, key=lambda rule: rule.id)
            if rule.id not in fired_rules
            and switches.status(rule) == "active"
            and rulebook.applied(rule, payer, day) is not False
            and possible(rule.applies, values, rulebook.lists)
        ]
    )
