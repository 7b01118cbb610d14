"""Keeps the findings that hold however a probably misspelled name in the body is read, for claims that have one.

The claim is judged twice: as it was read, and with such names read as the known names they resemble. A finding on both
readings is a finding. One on a single reading depends on what the sender intended: its rule is reported as not checked.
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


class ReadingResult(NamedTuple):
    """The result of one reading of a claim: findings, those of shadow rules, and what was not checked."""

    findings: Sequence[Finding]
    shadow: Sequence[Finding]
    not_checked: tuple[NotChecked, ...]


def combine_readings(as_read: ReadingResult, as_corrected: ReadingResult, names: Sequence[str]) -> ReadingResult:
    """The findings of the first reading that the second has too, and the rules that cannot be judged.

    `names` are the names of the model that were probably misspelled.
    """
    uncertain = found_on_one_reading(as_read.findings, as_corrected.findings)
    rows = [as_not_checked(finding, names) for finding in uncertain]
    listed = {(item.rule.id, item.lines) for item in (*as_read.not_checked, *rows)}
    others = [item for item in as_corrected.not_checked if (item.rule.id, item.lines) not in listed]
    return ReadingResult(
        _also_among(as_read.findings, as_corrected.findings),
        _also_among(as_read.shadow, as_corrected.shadow),
        unchecked_in_order([*as_read.not_checked, *rows, *others]),
    )


def found_on_one_reading(as_read: Sequence[Finding], as_corrected: Sequence[Finding]) -> list[Finding]:
    """The findings that only one of two readings has."""
    differing = [*_missing_from(as_corrected, as_read), *_missing_from(as_read, as_corrected)]
    return [finding for finding in differing if not _is_about_a_name(finding)]


def as_not_checked(finding: Finding, names: Sequence[str]) -> NotChecked:
    """The entry that replaces a finding which depends on the spelling of these names of the model."""
    return _not_checked(finding.rule, finding.lines, names)


def same_finding(one: Finding, other: Finding) -> bool:
    """Whether two findings, of two readings or one, are of the same rule on the same element."""
    return _key(one) == _key(other)


def certain_checks(checks: Iterable[Check], result: ScrubResult) -> tuple[Check, ...]:
    """The checks by name, without those that fired or passed on one reading only and are reported as not checked."""
    fired = {(finding.rule.id, finding.lines) for finding in result.findings}
    unchecked = {(item.rule.id, item.lines) for item in result.not_checked}
    return tuple([check for check in checks if _is_certain(check, fired, unchecked)])


def _is_certain(check: Check, fired: set[_Lines], unchecked: set[_Lines]) -> bool:
    position = check.rule.id, check.lines
    if check.outcome == FIRED:
        return position in fired
    return check.outcome == NOT_CHECKED or position not in unchecked


def _also_among(findings: Iterable[Finding], others: Iterable[Finding]) -> list[Finding]:
    known = {_key(other) for other in others}
    return [finding for finding in findings if _is_about_a_name(finding) or _key(finding) in known]


def _missing_from(others: Iterable[Finding], findings: Iterable[Finding]) -> list[Finding]:
    known = {_key(finding) for finding in findings}
    return [other for other in others if _key(other) not in known]


def _key(finding: Finding) -> _Key:
    return finding.rule.id, finding.element, finding.lines, finding.related_lines, finding.pointer


def _is_about_a_name(finding: Finding) -> bool:
    return finding.evidence.get("fault") == RESEMBLING


def _not_checked(rule: Rule, lines: tuple[int, ...], names: Sequence[str]) -> NotChecked:
    where = f"Line {lines[0]}" if lines else "The claim"
    missing = ", ".join(names)
    message = f"{where}: “{rule.title}” was not checked, because it depends on what stands under a name like {missing}."
    return NotChecked(rule, lines, tuple(names), message, UNREADABLE)
