"""Beside the path: one rule as a page to read in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from click import style

from scrubber.answer.table import wrap
from scrubber.rulebook.book import Rulebook
from scrubber.rulebook.cases import Case
from scrubber.rulebook.outline import Node, Outline
from scrubber.rulebook.rule import Authority, Rule

_INDENT = 2
_STATUS = {
    "draft": "it never runs; its test cases do",
    "shadow": "it runs and is reported apart, without effect",
    "active": "it runs",
    "deprecated": "it never runs any more",
}
_STAGE = {"submission": "rejected", "adjudication": "denied", "postPayment": "paid and taken back"}
_SECTIONS = {"applies": "It is for facts where", "needs": "It is judged only where", "when": "It fires when"}


def page(told: Outline, cases: Sequence[Case], book: Rulebook, folder: str, width: int) -> str:
    """The page, in `width` columns, with colour codes."""
    rule = told.rule
    sections = (
        ("WHAT", _what(rule, width)),
        ("WHEN", _conditions(told, width)),
        ("BY WHOSE AUTHORITY", _authorities(rule.authority, width)),
        ("SINCE WHEN", _since(rule, width)),
        ("EXAMPLES FROM ITS TESTS", _examples(cases, width)),
        ("KNOWN FALSE ALARMS", wrap(rule.false_alarms or "none are known", _INDENT, width)),
        ("RELATED", _related(rule, book, width)),
    )
    lines = [style(rule.id, bold=True), *wrap(rule.title, 0, width)]
    for title, body in sections:
        lines += ["", style(title, bold=True), *body]
    return "\n".join([*lines, "", f"{folder}/{rule.file}"])


def _what(rule: Rule, width: int) -> Iterator[str]:
    yield from wrap(f"It says: {rule.message}", _INDENT, width, hang=_INDENT)
    yield from wrap(f"What to do: {rule.fix}", _INDENT, width, hang=_INDENT)
    if rule.not_checked:
        yield from wrap(f"Not supplied: {rule.not_checked}", _INDENT, width, hang=_INDENT)
    yield from wrap(
        f"Severity {rule.severity}; the line or claim would be {_STAGE[rule.stage]}; at risk: {rule.at_risk}. "
        f"{_expected(rule)}",
        _INDENT,
        width,
        hang=_INDENT,
    )


def _expected(rule: Rule) -> str:
    if rule.reason is None:
        return "No code on the remittance is expected."
    codes = " ".join((rule.reason.group, rule.reason.carc, *rule.reason.rarc))
    return f"Expected on the remittance: {codes}."


def _conditions(told: Outline, width: int) -> Iterator[str]:
    yield from wrap(f"One finding is about: {told.rule.scope}.", _INDENT, width)
    for section, roots in told.by_section():
        if section in _SECTIONS and roots:
            yield f"{'':{_INDENT}}{_SECTIONS[section]}"
            for root in roots:
                yield from _node(root, 2 * _INDENT, width)


def _node(node: Node, indent: int, width: int) -> Iterator[str]:
    yield from wrap(node.words, indent, width, hang=_INDENT)
    for part in node.parts:
        yield from _node(part, indent + _INDENT, width)


def _authorities(authorities: Sequence[Authority], width: int) -> Iterator[str]:
    for each in authorities:
        where = f", {each.locator}" if each.locator else ""
        binds = "binding" if each.binding else "not binding"
        yield from wrap(f"{each.kind} ({binds}): {each.title}{where}", _INDENT, width, hang=_INDENT)
        if each.url:
            yield from wrap(each.url, 2 * _INDENT, width)
        if each.retrieved:
            yield from wrap(f"read on {each.retrieved}", 2 * _INDENT, width)


def _since(rule: Rule, width: int) -> Iterator[str]:
    first = f"from {rule.since}" if rule.since else "from the first"
    last = f"to the day before {rule.until}" if rule.until else "on"
    yield from wrap(f"Dates of service {first} {last}.", _INDENT, width)
    yield from wrap(f"Version {rule.version}, {rule.status}: {_STATUS[rule.status]}.", _INDENT, width, hang=_INDENT)
    if rule.superseded_by:
        yield from wrap(f"Superseded by {rule.superseded_by}.", _INDENT, width)
    if rule.back_test:
        yield from wrap(f"Back-test on record: {rule.pack}/{rule.back_test}.", _INDENT, width)
    yield from wrap(f"Reviewed on {rule.reviewed}; {rule.owner} answers for it.", _INDENT, width)


def _examples(cases: Sequence[Case], width: int) -> Iterator[str]:
    for case in cases:
        word = "fires" if case.finds else "not checked" if case.not_checked else "silent"
        yield from wrap(f"{word}: {case.name}", _INDENT, width, hang=_INDENT)


def _related(rule: Rule, book: Rulebook, width: int) -> Iterator[str]:
    for name in rule.related:
        yield from wrap(f"{name}: {book.rules[name].title}", _INDENT, width, hang=_INDENT)
    if not rule.related:
        yield f"{'':{_INDENT}}none"
