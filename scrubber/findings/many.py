"""Findings of one rule, at most so many in an answer: the last of them stands for all the others, with their number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from scrubber.findings.finding import Finding

MOST_OF_A_RULE = 50  # findings: as many as a claim may have lines; rules about two lines can find a thousand


def at_most(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings, in their order; of a rule with more than MOST_OF_A_RULE the rest stand together in one.

    That one has the lines of them all, and says how many more there are; `evidence.more` is their number.
    """
    if len(findings) <= MOST_OF_A_RULE:
        return findings
    counts = Counter(finding.rule.id for finding in findings)
    over = {rule: count for rule, count in counts.items() if count > MOST_OF_A_RULE}
    return _together(findings, over) if over else findings


def _together(findings: tuple[Finding, ...], over: Mapping[str, int]) -> tuple[Finding, ...]:
    shown: list[Finding] = []
    seen: Counter[str] = Counter()
    rest: dict[str, list[Finding]] = {rule: [] for rule in over}
    places: dict[str, int] = {}
    for finding in findings:
        rule = finding.rule.id
        seen[rule] += 1
        if rule in over and seen[rule] >= MOST_OF_A_RULE:
            places.setdefault(rule, len(shown))
            rest[rule].append(finding)
        if rule not in over or seen[rule] <= MOST_OF_A_RULE:
            shown.append(finding)
    for rule, place in places.items():
        shown[place] = _one_for(rest[rule])
    return tuple(shown)


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
