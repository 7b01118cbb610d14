"""Before any claim: a limit of a table that a condition names (`over: {limit: NAME}`), written out by its rows.

A row without dates becomes a plain comparison. Else there is one alternative a row: the row's days, and the comparison.
No shape of condition is new, so all that reads conditions reads these too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from scrubber.rulebook.rule import AllOf, AnyOf, Compare, Condition
from scrubber.rulebook.tables import LimitRow
from scrubber.rulebook.yaml_file import Document, Place

KEY = "limit"
MOST_ROWS = 30  # of one limit that rules name; a rule with more would have too many conditions anyway

Limits = Mapping[str, Sequence[LimitRow]]  # the rows of each limit by its name, the oldest first


class OnDays(NamedTuple):
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
    name = value.get(KEY)
    if len(value) != 1 or not isinstance(name, str) or not name:
        raise ValueError("needs one number, or a limit of a table: {limit: NAME}")
    return name


def written_out(rows: Sequence[LimitRow], test: Callable[[LimitRow], Compare]) -> Condition:
    """True where the row that is in force on the fact's day passes the test; false on days without a row."""
    if len(rows) == 1 and not rows[0].since and not rows[0].until:
        return test(rows[0])
    return AnyOf(tuple(AllOf((*_days(row), test(row))) for row in rows))


def _days(row: LimitRow) -> Iterator[Compare]:
    if row.since:
        yield Compare("day", "at-least", row.since.toordinal())
    if row.until:
        yield Compare("day", "under", row.until.toordinal())


def by_days(condition: Condition) -> tuple[OnDays, ...]:
    """A condition that `written_out` made, taken apart again; empty for one that it cannot have made."""
    parts = condition.parts if isinstance(condition, AnyOf) else (AllOf((condition,)),)
    found = [_one_row(part) for part in parts]
    rows = tuple(row for row in found if row is not None)
    return rows if len(rows) == len(found) and len({(row.test.fact, row.test.op) for row in rows}) == 1 else ()


def _one_row(part: Condition) -> OnDays | None:
    tests = [test for test in part.parts if isinstance(test, Compare)] if isinstance(part, AllOf) else []
    if not isinstance(part, AllOf) or not tests or len(tests) < len(part.parts):
        return None
    *bounds, test = tests
    days = {bound.op: bound.value for bound in bounds if bound.fact == "day" and isinstance(bound.value, int)}
    if test.fact == "day" or len(days) < len(bounds) or not days.keys() <= {"at-least", "under"}:
        return None
    return OnDays(days.get("at-least"), days.get("under"), test)


def holds_on(row: OnDays, day: object) -> bool:
    """Whether the row is in force on the day (an ordinal) of a fact; a fact without a day has no row."""
    if not isinstance(day, int):
        return False
    return (row.since is None or row.since <= day) and (row.until is None or day < row.until)


def days_in_words(row: OnDays) -> str:
    """`from 2025-01-01 until before 2026-01-01`; empty for a row that holds on all days."""
    since = f"from {date.fromordinal(row.since)}" if row.since is not None else ""
    until = f"until before {date.fromordinal(row.until)}" if row.until is not None else "on" if since else ""
    return f"{since} {until}".strip()


def limits_named(document: Document) -> Iterator[tuple[Place, str]]:
    """Where the conditions of a rule file name a limit, and which."""
    for place in document.lines:
        if len(place) > 2 and place[0] in ("applies", "when", "bypassed") and place[-1] == KEY:
            name = document.at(place)
            if isinstance(name, str):
                yield place, name
