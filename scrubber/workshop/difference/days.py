"""Beside the path: the dates of service that a change affects."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import NamedTuple


class Days(NamedTuple):
    """Dates of service from `since` to before `until`; None = open."""

    since: date | None
    until: date | None


_EVER = Days(None, None)


def affected(before: Days | None, after: Days | None, alike: bool) -> tuple[Days, ...]:
    """The days on which something held before or holds after a change, in order; None: it never does.

    Where both are `alike` but for their days, those of both are not affected.
    """
    if before is None or after is None:
        return tuple(days for days in (before, after) if days is not None)
    ends = sorted({end for days in (before, after) for end in _ends(days)})
    touched = [
        (first, last)
        for first, last in pairwise(ends)
        if (_holds(before, first) != _holds(after, first) if alike else _holds(before, first) or _holds(after, first))
    ]
    return tuple(
        Days(first if first > date.min else None, last if last < date.max else None) for first, last in _joined(touched)
    )


def in_words(days: tuple[Days, ...]) -> str:
    """`dates of service from 2025-01-01 to 2025-12-31`; the last day is included."""
    if not days:
        return "no date of service"
    return f"dates of service {'; '.join(map(span, days))}" if _EVER not in days else "every date of service"


def span(days: Days) -> str:
    """`from 2025-01-01 to 2025-12-31`; the last day is included."""
    if days == _EVER:
        return "at all times"
    since = f"from {days.since}" if days.since else ""
    until = f"to {date.fromordinal(days.until.toordinal() - 1)}" if days.until else "on" if days.since else ""
    return f"{since} {until}".strip()


def _ends(days: Days) -> tuple[date, date]:
    return days.since or date.min, days.until or date.max


def _holds(days: Days, day: date) -> bool:
    first, last = _ends(days)
    return first <= day < last


def _joined(spans: list[tuple[date, date]]) -> Iterator[tuple[date, date]]:
    """Spans in order, those that touch as one."""
    for index, (first, last) in enumerate(spans):
        if index and spans[index - 1][1] == first:
            continue
        while index + 1 < len(spans) and spans[index + 1][0] == last:
            index += 1
            last = spans[index][1]
        yield first, last
