"""Beside the path, for lint: days between two rows of a table on which no row answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple

from scrubber.errors import Fault
from scrubber.rulebook.tables import ROW_KEYS, Table

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
