"""What is not judged because a name in the body was probably meant as another one.

The claim is judged twice: as it was read, and as it is where such names are read as what they were probably meant to
be. A finding that stands on both stands. One that stands on a single reading depends on what the sender meant: it is no
finding, and its rule is told as not checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from scrubber.facts.element import RESEMBLING
from scrubber.findings.checks import FIRED, NOT_CHECKED
from scrubber.findings.finding import UNREADABLE, Check, Finding, NotChecked, ScrubResult
from scrubber.findings.not_checked import unchecked_in_order
from scrubber.rulebook.rule import Rule

_Lines = tuple[str, tuple[int, ...]]
_Key = tuple[str, str, tuple[int, ...], tuple[int, ...], str]


class Reading(NamedTuple):
    """What came of one reading of a claim: findings, those of shadow rules, and what was not checked."""

    findings: Sequence[Finding]
    shadow: Sequence[Finding]
    not_checked: tuple[NotChecked, ...]


def on_both(as_read: Reading, as_meant: Reading, names: Sequence[str]) -> Reading:
    """The findings of the first reading that stand on the second too, and the rules that cannot be judged.

    `names` are the names of the model that other names were probably meant as.
    """
    doubtful = on_one(as_read.findings, as_meant.findings)
    rows = [as_unchecked(finding, names) for finding in doubtful]
    listed = {(item.rule.id, item.lines) for item in (*as_read.not_checked, *rows)}
    others = [item for item in as_meant.not_checked if (item.rule.id, item.lines) not in listed]
    return Reading(
        _standing_on(as_read.findings, as_meant.findings),
        _standing_on(as_read.shadow, as_meant.shadow),
        unchecked_in_order([*as_read.not_checked, *rows, *others]),
    )


def on_one(as_read: Sequence[Finding], as_meant: Sequence[Finding]) -> list[Finding]:
    """The findings that stand on one of two readings only."""
    apart = [*_missing_from(as_meant, as_read), *_missing_from(as_read, as_meant)]
    return [finding for finding in apart if not _tells_a_name(finding)]


def as_unchecked(finding: Finding, names: Sequence[str]) -> NotChecked:
    """What is told in place of a finding that depends on what was meant by names like these of the model."""
    return _not_checked(finding.rule, finding.lines, names)


def is_same(one: Finding, other: Finding) -> bool:
    """Whether two findings, of two readings or one, say the same of the same place."""
    return _key(one) == _key(other)


def as_told(checks: Iterable[Check], result: ScrubResult) -> tuple[Check, ...]:
    """The checks by name, without those that fired or passed on one reading and are told as not checked."""
    stand = {(finding.rule.id, finding.lines) for finding in result.findings}
    unmade = {(item.rule.id, item.lines) for item in result.not_checked}
    return tuple([check for check in checks if _is_told(check, stand, unmade)])


def _is_told(check: Check, stand: set[_Lines], unmade: set[_Lines]) -> bool:
    place = check.rule.id, check.lines
    if check.outcome == FIRED:
        return place in stand
    return check.outcome == NOT_CHECKED or place not in unmade


def _standing_on(findings: Iterable[Finding], others: Iterable[Finding]) -> list[Finding]:
    known = {_key(other) for other in others}
    return [finding for finding in findings if _tells_a_name(finding) or _key(finding) in known]


def _missing_from(others: Iterable[Finding], findings: Iterable[Finding]) -> list[Finding]:
    known = {_key(finding) for finding in findings}
    return [other for other in others if _key(other) not in known]


def _key(finding: Finding) -> _Key:
    return finding.rule.id, finding.element, finding.lines, finding.related_lines, finding.pointer


def _tells_a_name(finding: Finding) -> bool:
    return finding.evidence.get("fault") == RESEMBLING


def _not_checked(rule: Rule, lines: tuple[int, ...], names: Sequence[str]) -> NotChecked:
    where = f"Line {lines[0]}" if lines else "The claim"
    missing = ", ".join(names)
    message = f"{where}: “{rule.title}” was not checked, because it depends on what stands under a name like {missing}."
    return NotChecked(rule, lines, tuple(names), message, UNREADABLE)
