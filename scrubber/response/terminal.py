"""Writes the answer for a claim as a table for people who read it in a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from click import style

from scrubber.findings import ClaimImpact, Finding, NotChecked, ScrubResult
from scrubber.rulebook.rule import Authority, Reason

_COLOURS = {
    "deny": "red",
    "warn": "yellow",
    "info": "cyan",
    "accept": "green",
}
_LINES, _SEVERITY, _AT_RISK = 7, 8, 11  # widths of the first columns
_INDENT = 2
_TEXT = _INDENT + _LINES + 1 + _SEVERITY + 1 + _AT_RISK + 1  # where the last column starts
_NARROWEST, _WIDEST = 60, 160


def render(name: str, result: ScrubResult, width: int) -> str:
    """The answer for the file `name` in at most `width` columns (60 to 160), with colour codes.

    Strip the codes where they are not wanted; they take no part in the layout.
    """
    width = max(_NARROWEST, min(width, _WIDEST))
    return "\n".join(
        [
            *_heading(name, result, width),
            *_findings(result.findings, width),
            *_shadow(result.shadow, width),
            *_not_checked(result.not_checked, width),
            *_checks(result, width),
            *_impact(result.impact, width),
            "",
        ]
    )


def dollars(value: Decimal | None) -> str:
    """An amount for people; one that cannot be known is a word, never a zero."""
    return "unknown" if value is None else f"${value:z,.2f}"


def _heading(name: str, result: ScrubResult, width: int) -> Iterator[str]:
    verdict = result.disposition
    yield f"{style(_printable(name), bold=True)}  {style(verdict.upper(), fg=_COLOURS[verdict], bold=True)}"
    yield from wrap(f"{_counts(result)}; {_at_risk(result.impact)}", _INDENT, width)


def _counts(result: ScrubResult) -> str:
    severities = [finding.severity for finding in result.findings]
    counts = [
        f"{severities.count(severity)} {severity}" for severity in ("deny", "warn", "info") if severity in severities
    ]
    counts += [f"{len(result.not_checked)} not checked"] if result.not_checked else []
    return ", ".join(counts) or "no findings"


def _at_risk(impact: ClaimImpact) -> str:
    bearers = ", ".join(f"{who} {dollars(amount)}" for who, amount in impact.by_liability.items() if amount)
    return f"at risk {_at_least(impact)}" + (f" ({bearers})" if bearers else "")


def _at_least(impact: ClaimImpact) -> str:
    """What is at risk; of lines whose amount is not known the sum says nothing, and must not look whole."""
    uncounted = impact.uncounted_lines
    if impact.at_risk is None or not uncounted:
        return dollars(impact.at_risk)
    return f"at least {dollars(impact.at_risk)}, not known of line {_line_list(uncounted)}"


class _Row(NamedTuple):
    lines: str
    severity: str
    at_risk: str
    text: str


def _findings(findings: Sequence[Finding], width: int) -> Iterator[str]:
    if findings:
        yield ""
        yield style(_columns(_Row("LINE", "SEVERITY", "AT RISK", "FINDING")), bold=True)
    for finding in findings:
        yield from _finding(finding, width)


def _shadow(findings: Sequence[Finding], width: int) -> Iterator[str]:
    if findings:
        yield style(f"{'':{_INDENT}}FOUND BY SHADOW RULES, WITHOUT EFFECT", bold=True)
    for finding in findings:
        yield from _finding(finding, width)


def _finding(finding: Finding, width: int) -> Iterator[str]:
    first, *rest = wrap(finding.message, _TEXT, width)
    row = _Row(_numbers(finding.lines), finding.severity.upper(), _risk(finding), first.strip())
    yield _columns(row, colour=_COLOURS[finding.severity])
    yield from rest
    yield from wrap(f"Fix: {finding.fix}", _TEXT, width)
    for item in finding.authority:
        yield from wrap(f"By: {_authority(item)}", _TEXT, width)
    yield from wrap(f"Id: {finding.id}{_expected(finding.reason)}", _TEXT, width)
    yield ""


def _columns(row: _Row, colour: str | None = None) -> str:
    severity = style(row.severity.ljust(_SEVERITY), fg=colour, bold=True)
    return f"{'':{_INDENT}}{row.lines:<{_LINES}} {severity} {row.at_risk:>{_AT_RISK}} {row.text}"


def _numbers(lines: Sequence[int]) -> str:
    """`2`, `1, 3` or `1-4`; a finding on no line is about the claim."""
    if not lines:
        return "claim"
    if len(lines) > 1 and lines == tuple(range(lines[0], lines[-1] + 1)):
        return f"{lines[0]}-{lines[-1]}"
    text = ",".join(map(str, lines))
    return text if len(text) <= _LINES else f"{lines[0]},+{len(lines) - 1}"


def _line_list(lines: Sequence[int]) -> str:
    """`1, 2`, `1-4` or `1, 3, 7`: every line, as it stands in a sentence."""
    run = len(lines) > 1 and tuple(lines) == tuple(range(lines[0], lines[-1] + 1))
    return f"{lines[0]}-{lines[-1]}" if run else ", ".join(map(str, lines))


def _risk(finding: Finding) -> str:
    """Dollars of a finding that may cost some; info costs nothing."""
    if finding.impact is None or finding.severity == "info":
        return "-"
    return dollars(finding.impact.at_risk)


def _authority(item: Authority) -> str:
    text = f"{item.title}, {item.locator}" if item.locator else item.title
    binding = ", binding" if item.binding else ""
    address = f" {item.url}" if item.url else ""
    return f"{text} ({item.kind}{binding}){address}"


def _expected(reason: Reason | None) -> str:
    if reason is None:
        return ""
    return f"; expect {' '.join((f'{reason.group}-{reason.carc}', *reason.rarc))}"


def _not_checked(items: Sequence[NotChecked], width: int) -> Iterator[str]:
    if not items:
        return
    yield style(f"{'':{_INDENT}}NOT CHECKED", bold=True)
    alike: dict[tuple[tuple[int, ...], tuple[str, ...]], list[NotChecked]] = {}
    for item in items:
        alike.setdefault((item.lines, item.missing), []).append(item)
    for (_, missing), group in alike.items():
        needs = f" Needs {', '.join(missing)}." if missing else ""
        rules = ", ".join(item.rule.id for item in group)
        yield from wrap(f"{group[0].message}{needs} [{rules}]", _INDENT, width, hang=2)
    yield ""


def _checks(result: ScrubResult, width: int) -> Iterator[str]:
    """How many checks came out in which way; those that passed by name, where they were asked for."""
    yield style(f"{'':{_INDENT}}CHECKS", bold=True)
    for stage, counts in result.checks.items():
        completeness = "complete" if counts.complete else "not complete"
        outcomes = f"{counts.fired} fired, {counts.bypassed} bypassed, {counts.not_checked} not checked"
        yield from wrap(f"{_STAGES[stage]}: {outcomes}; {completeness}", _INDENT, width)
        passed = [
            check for check in result.every_check or () if check.rule.stage == stage and check.outcome == "passed"
        ]
        if passed:
            listed = ", ".join(f"{check.rule.id} ({_numbers(check.lines)})" for check in passed)
            yield from wrap(f"{len(passed)} passed: {listed}", _INDENT * 2, width, hang=_INDENT)
    yield ""


_STAGES = {"submission": "submission", "adjudication": "adjudication", "postPayment": "after payment"}


def _impact(impact: ClaimImpact, width: int) -> Iterator[str]:
    yield style(f"{'':{_INDENT}}DOLLARS", bold=True)
    unknown = f"; not known: {impact.unknown}" if impact.unknown else ""
    basis = f"; {impact.basis}" if impact.basis else ""
    amounts = (
        f"billed {dollars(impact.billed)}, allowed {dollars(impact.allowed)},"
        f" at risk {_at_least(impact)}{unknown}{basis}"
    )
    yield from wrap(amounts, _INDENT, width)
    if impact.unpriced_lines:
        yield from wrap(f"not priced: line {_line_list(impact.unpriced_lines)}", _INDENT, width)
    for step in impact.steps:
        yield from wrap(step, _INDENT, width, hang=2)


def wrap(text: str, indent: int, width: int, hang: int = 0) -> list[str]:
    """The text in lines of at most `width` columns; a longer word, such as an address, stays whole."""
    lines = textwrap.wrap(
        _printable(text),
        width,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hang),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines or [""]


def _printable(text: str) -> str:
    """Without control characters: messages hold codes as sent, and a terminal obeys some of them."""
    return "".join(character if character.isprintable() else "?" for character in text)
