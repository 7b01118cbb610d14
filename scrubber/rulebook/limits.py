"""Makes conditions of the limits that rules name: `over: {limit: NAME}`, a row of a table for each span of days.

A limit of one row without dates becomes a plain comparison. Otherwise each row becomes an alternative: the row's days
and the comparison. Both use the existing types of conditions, so every reader of conditions reads limits too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from scrubber.rulebook.rule import AllOf, AnyOf, Compare, Condition
from scrubber.rulebook.rule_tables import LimitRow
from scrubber.rulebook.yaml_file import Document, Position

LIMIT_KEY = "limit"
WITH_CONDITIONS = ("applies", "when", "bypassed", "amounts", "look-up")  # keys of a rule file
MOST_ROWS = 30  # of one limit that rules name; a rule with more would have too many conditions anyway

Limits = Mapping[str, Sequence[LimitRow]]  # the rows of each limit by its name, the oldest first


class LimitAlternative(NamedTuple):
    """A comparison, and the days (ordinals) for which its row holds: from `since` to before `until`; None: open."""

    since: int | None
    until: int | None
    test: Compare


def by_name(rows: Iterable[LimitRow]) -> Limits:
    """The rows of each limit."""
    limits: dict[str, list[LimitRow]] = {}
    for row in sorted(rows, key=lambda row: row.since or date.min):
        limits.setdefault(row.name, []).append(row)
    return limits


def limit_name(value: object) -> str | None:
    """The limit that an operator's value names; None where it names none. Raises ValueError for other mappings."""
    if not isinstance(value, Mapping):
        return None
    name = value.get(LIMIT_KEY)
    if len(value) != 1 or not isinstance(name, str) or not name:
        raise ValueError("needs one number, or a limit of a table: {limit: NAME}")
    return name


def expand_limit(rows: Sequence[LimitRow], test: Callable[[LimitRow], Compare]) -> Condition:
    """True where the row that is in force on the fact's day passes the test; false on days without a row."""
    if len(rows) == 1 and not rows[0].since and not rows[0].until:
        return test(rows[0])
    return AnyOf(tuple(AllOf((*_days(row), test(row))) for row in rows))


def _days(row: LimitRow) -> Iterator[Compare]:
    if row.since:
        yield Compare("day", "at-least", row.since.toordinal())
    if row.until:
        yield Compare("day", "under", row.until.toordinal())


def limit_alternatives(condition: Condition) -> tuple[LimitAlternative, ...]:
    """The alternatives of a condition that `expand_limit` returned; empty for any other condition."""
    parts = condition.parts if isinstance(condition, AnyOf) else (AllOf((condition,)),)
    found = [_one_row(part) for part in parts]
    rows = tuple(row for row in found if row is not None)
    return rows if len(rows) == len(found) and len({(row.test.fact, row.test.op) for row in rows}) == 1 else ()


def _one_row(part: Condition) -> LimitAlternative | None:
    tests = [test for test in part.parts if isinstance(test, Compare)] if isinstance(part, AllOf) else []
    if not isinstance(part, AllOf) or not tests or len(tests) < len(part.parts):
        return None
    *bounds, test = tests
    days = {bound.op: bound.value for bound in bounds if bound.fact == "day" and isinstance(bound.value, int)}
    if test.fact == "day" or len(days) < len(bounds) or not days.keys() <= {"at-least", "under"}:
        return None
    return LimitAlternative(days.get("at-least"), days.get("under"), test)


def holds_on(row: LimitAlternative, day: object) -> bool:
    """Whether the row is in force on the day (an ordinal) of a fact; a fact without a day has no row."""
    if not isinstance(day, int):
        return False
    return (row.since is None or row.since <= day) and (row.until is None or day < row.until)


def format_days(row: LimitAlternative) -> str:
    """`from 2025-01-01 until before 2026-01-01`; empty for a row that holds on all days."""
    since = f"from {date.fromordinal(row.since)}" if row.since is not None else ""
    until = f"until before {date.fromordinal(row.until)}" if row.until is not None else "on" if since else ""
    return f"{since} {until}".strip()


def limit_references(document: Document) -> Iterator[tuple[Position, str]]:
    """Where the conditions of a rule file name a limit, and which."""
    for position in document.lines:
        if len(position) > 2 and position[0] in WITH_CONDITIONS and position[-1] == LIMIT_KEY:
            name = document.at(position)
            if isinstance(name, str):
                yield position, name
