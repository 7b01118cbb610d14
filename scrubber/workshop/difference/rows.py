"""Beside the path: in what the rows of two sets of tables differ, by kind and key, whichever file they stand in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import zip_longest
from typing import Any, NamedTuple

from scrubber.rulebook.tables import ROW_KEYS, Table
from scrubber.workshop.difference.days import Days, affected

SOURCES = ("source", "title", "locator", "url", "retrieved")  # columns that tell where it is written
DAYS = ("since", "until")


class Placed(NamedTuple):
    """A row and the file that it stands in, below the folder of rules."""

    file: str
    row: Any


class RowChange(NamedTuple):
    """A row that was added (`before` is None), removed (`after` is None) or changed, and the days it affects.

    `columns` are those of a changed row that say something else; `wording` where they only tell its source.
    """

    kind: str
    before: Placed | None
    after: Placed | None
    columns: tuple[str, ...]
    days: tuple[Days, ...]
    wording: bool

    @property
    def placed(self) -> Placed:
        """The row as it is, or was last."""
        found = self.after or self.before
        assert found is not None  # noqa: S101 (one of them is there)
        return found

    @property
    def way(self) -> str:
        """`added`, `removed` or `changed`."""
        return "added" if self.before is None else "removed" if self.after is None else "changed"


def row_changes(before: Iterable[Table], after: Iterable[Table]) -> Iterator[RowChange]:
    """The rows that differ, by kind and key; a row that moved to another file does not."""
    old, new = _by_key(before), _by_key(after)
    for kind, *key in sorted(old.keys() | new.keys(), key=str):
        of_key = (kind, *key)
        rows, others = _without_same(old.get(of_key, []), new.get(of_key, []))
        for one, other in _paired(rows, others):
            yield _change(str(kind), one, other)


def _by_key(tables: Iterable[Table]) -> dict[tuple[Any, ...], list[Placed]]:
    found: dict[tuple[Any, ...], list[Placed]] = defaultdict(list)
    for table in tables:
        for row in table.rows:
            key = (table.kind, *(getattr(row, name) for name in ROW_KEYS[table.kind]))
            found[key].append(Placed(table.name, row))
    return found


def _without_same(before: list[Placed], after: list[Placed]) -> tuple[list[Placed], list[Placed]]:
    old, new = {each.row for each in before}, {each.row for each in after}
    return [each for each in before if each.row not in new], [each for each in after if each.row not in old]


def _paired(before: list[Placed], after: list[Placed]) -> Iterator[tuple[Placed | None, Placed | None]]:
    """Rows that begin on the same day; then the others, in order, each with the next one."""
    old, new = ({_first(each): each for each in rows} for rows in (before, after))  # no two of a key begin on one day
    both = old.keys() & new.keys()
    yield from ((old[day], new[day]) for day in sorted(both))
    yield from zip_longest(
        (old[day] for day in sorted(old.keys() - both)), (new[day] for day in sorted(new.keys() - both))
    )


def _first(placed: Placed) -> date:
    since: date | None = placed.row.since
    return since or date.min


def _change(kind: str, before: Placed | None, after: Placed | None) -> RowChange:
    columns: tuple[str, ...] = ()
    if before and after:
        cells = zip(before.row._fields, before.row, after.row, strict=True)
        columns = tuple(name for name, old, new in cells if old != new)
    told = [name for name in columns if name not in DAYS]
    wording = bool(told) and set(columns) <= set(SOURCES)
    days = () if wording else affected(_days(before), _days(after), alike=not told and bool(columns))
    return RowChange(kind, before, after, columns, days, wording)


def _days(placed: Placed | None) -> Days | None:
    return Days(placed.row.since, placed.row.until) if placed else None
