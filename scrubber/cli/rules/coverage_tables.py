"""Beside the path: what test cases show of rules, as tables for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from textwrap import shorten, wrap
from typing import Any

from scrubber.cli.columns import columns
from scrubber.cli.rules.opening import counted
from scrubber.rulebook.firing import Companions, told_against
from scrubber.rulebook.outline import Node
from scrubber.workshop.coverage import Outcome, RuleCoverage, Seen

WIDTH = 80
_WAYS = ("true", "false")


def coverage_table(covered: Iterable[RuleCoverage], folder: str) -> Iterator[str]:
    """One line a rule, those with gaps first, and below it where each gap stands."""
    ordered = sorted(covered, key=lambda told: (not told.gaps, told.rule.id))
    header = ("rule", "cases", "shown", "of", "%")
    rows = [(told.rule.id, told.cases, *_counts(told)) for told in ordered]
    top, *lines = columns(header, rows, frozenset(header[1:]))
    yield top
    for told, line in zip(ordered, lines, strict=True):
        yield line
        yield from _gaps(told, folder)


def _counts(told: RuleCoverage) -> tuple[int, int, int | None]:
    """Ways shown, ways there are, and percent of them; no percent of nothing."""
    ways = len(told.outcomes)
    shown = ways - told.gaps
    return shown, ways, 100 * shown // ways if told.cases and ways else None


def _gaps(told: RuleCoverage, folder: str) -> Iterator[str]:
    for seen in told.seen:
        for word, way in zip(_WAYS, (seen.true, seen.false), strict=True):
            if way.gap:
                yield f"  {_place(told, seen.node, folder)}"
                yield _short(f"    never {word}: {seen.node.words}")


def _place(told: RuleCoverage, node: Node, folder: str) -> str:
    return f"{folder}/{told.rule.file}:{node.line}"


def _short(line: str) -> str:
    indent = len(line) - len(line.lstrip())
    return " " * indent + shorten(line, WIDTH - indent, placeholder=" …")


def closing(covered: Sequence[RuleCoverage], together: Sequence[Companions], folder: str) -> Iterator[str]:
    """What is to be said of all rules: how much is shown, what can never fire, what always fires together."""
    ways = sum(len(told.outcomes) for told in covered)
    shown = ways - sum(told.gaps for told in covered)
    cases = counted(sum(told.cases for told in covered), "case")
    percent = f" ({100 * shown // ways}%)" if ways else ""
    yield f"{counted(len(covered), 'rule')}, {cases}: {shown:,} of {ways:,} outcomes of conditions seen{percent}"
    for told in covered:
        if told.never:
            yield f"{_place(told, told.never[0], folder)}: can never fire: {told_against(told.never)}"
    for rule, other, both in together:
        yield f"{rule.id} {'always fires together with' if both else 'never fires without'} {other.id}"


def rule_tree(told: RuleCoverage, folder: str) -> Iterator[str]:
    """Every condition of a rule with its line, in how many cases it was true and false, and in which first."""
    shown, ways, percent = _counts(told)
    yield from wrap(f"{told.rule.id}: {told.rule.title}", WIDTH)
    yield f"{folder}/{told.rule.file}"
    part = f" ({percent}%)" if percent is not None else ""
    yield f"{counted(told.cases, 'case')}, {shown} of {ways} outcomes of its conditions seen{part}"
    if told.never:
        yield from wrap(f"It can never fire: {told_against(told.never)}.", WIDTH)
    yield ""
    yield f"{'LINE':>5} {'TRUE':>5} {'FALSE':>5}  CONDITION"
    for section, group in groupby(told.seen, key=lambda seen: seen.node.section):
        yield f"{'':17}  {section}"
        for seen in group:
            yield from _condition(seen)


def _condition(seen: Seen) -> Iterator[str]:
    depth = 2 * (len(seen.node.path) if seen.node.section == "when" else 0)
    yield from _filled(
        f"{seen.node.line or '':>5} {_count(seen.true):>5} {_count(seen.false):>5}    {'':{depth}}", seen.node.words
    )
    for word, way in zip(_WAYS, (seen.true, seen.false), strict=True):
        told = way.first or ("no case shows it" if way.possible else "cannot be")
        yield from _filled(f"{'':17}      {'':{depth}}", f"{word}: {told}")


def _filled(indent: str, text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent=indent, subsequent_indent=" " * len(indent) + "  ")


def _count(way: Outcome) -> str:
    return str(way.cases) if way.possible else "-"


def coverage_document(told: RuleCoverage) -> dict[str, Any]:
    """What the cases show of one rule, as JSON; files are below the folder of rules."""
    shown, ways, percent = _counts(told)
    return {
        "rule": told.rule.id,
        "file": told.rule.file,
        "cases": told.cases,
        "shown": shown,
        "of": ways,
        "percent": percent,
        "conditions": [_condition_document(seen) for seen in told.seen],
        "neverFires": [{"line": node.line, "condition": node.words} for node in told.never],
    }


def _condition_document(seen: Seen) -> dict[str, Any]:
    node = seen.node
    return {
        "section": node.section,
        "line": node.line,
        "path": node.path,
        "condition": node.words,
        "true": seen.true._asdict(),
        "false": seen.false._asdict(),
    }
