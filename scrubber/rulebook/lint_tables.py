"""Beside the path, for lint: days on which no row answers: between two rows, or while a rule names their limit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple

from scrubber.errors import Fault
from scrubber.rulebook.check import RuleFile
from scrubber.rulebook.limits import Limits, limits_named
from scrubber.rulebook.tables import ROW_KEYS, LimitRow, Table

# A code that was taken out of a list and came back leaves a gap that is meant: such rows say what belongs.
MEMBERSHIP = frozenset(("code-lists", "diagnosis-lists", "needed-elements"))


class _Placed(NamedTuple):
    file: str
    line: int
    since: date | None
    until: date | None


def gaps(tables: Iterable[Table]) -> Iterator[Fault]:
    """Rows that answer for the same, with days between them that have none."""
    by_key: dict[tuple[Any, ...], list[_Placed]] = defaultdict(list)
    for table in tables:
        if table.kind in MEMBERSHIP:
            continue
        for line, row in table.numbered:
            key = (table.kind, *(getattr(row, name) for name in ROW_KEYS[table.kind]))
            by_key[key].append(_Placed(table.name, line, row.since, row.until))
    for rows in by_key.values():
        for earlier, later in pairwise(sorted(rows, key=lambda row: row.since or date.min)):
            if earlier.until and later.since and earlier.until < later.since:
                yield _gap(earlier, later)


def _gap(earlier: _Placed, later: _Placed) -> Fault:
    where = f"line {earlier.line}" if earlier.file == later.file else f"line {earlier.line} of {earlier.file}"
    return Fault(
        later.file,
        later.line,
        f"no row answers from {earlier.until} to the day before {later.since}: {where} ends too early, or this one "
        "begins too late",
    )


def silent_days(files: Iterable[RuleFile], limits: Limits) -> Iterator[Fault]:
    """Limits that rules name and that have no row on some days of the rule."""
    for document, rule in files:
        for place, name in limits_named(document):
            days = _without_row(limits.get(name, ()), rule.since or date.min, rule.until or date.max)
            if days:
                told = f"the limit `{name}` has no row for dates of service {_span(*days)}, so the rule is silent there"
                yield document.fault(place, f"{told}: add a row, or give the rule the days of its rows")


def _without_row(rows: Iterable[LimitRow], first: date, end: date) -> tuple[date, date] | None:
    """The first days from `first` to before `end` on which none of the rows, the oldest first, is in force."""
    for row in rows:
        if (row.since or date.min) > first:
            return (first, min(row.since or end, end)) if first < end else None
        first = max(first, row.until or date.max)
    return (first, end) if first < end else None


def _span(first: date, end: date) -> str:
    since = f"from {first}" if first > date.min else ""
    until = f"to the day before {end}" if end < date.max else "on" if since else "at all"
    return f"{since} {until}".strip()
