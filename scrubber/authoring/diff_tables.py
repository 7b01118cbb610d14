"""Finds the rows of tables that differ between two rulebooks, and the dates of service that a change affects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import pairwise, zip_longest
from typing import Any, NamedTuple

from scrubber.rulebook.column_types import text_of
from scrubber.rulebook.rule_tables import ROW_KEYS, RuleTable
from scrubber.rulebook.table_declaration import ALL, Column
from scrubber.rulebook.typed_table import TypedTable


class Days(NamedTuple):
    """Dates of service from `since` to before `until`; None = open."""

    since: date | None
    until: date | None


_EVER = Days(None, None)


def affected(before: Days | None, after: Days | None, alike: bool) -> tuple[Days, ...]:
    """The days of service that a change affects, in order, from the days before and after it; None: no day.

    Where before and after are `alike` but for their days, the days that they share are not affected.
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
        Days(first if first > date.min else None, last if last < date.max else None) for first, last in _merged(touched)
    )


def describe_days(days: tuple[Days, ...]) -> str:
    """`dates of service from 2025-01-01 to 2025-12-31`; the last day is included."""
    if not days:
        return "no date of service"
    return f"dates of service {'; '.join(map(describe_span, days))}" if _EVER not in days else "every date of service"


def describe_span(days: Days) -> str:
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


def _merged(spans: list[tuple[date, date]]) -> Iterator[tuple[date, date]]:
    """Spans in order, those that touch as one."""
    for index, (first, last) in enumerate(spans):
        if index and spans[index - 1][1] == first:
            continue
        while index + 1 < len(spans) and spans[index + 1][0] == last:
            index += 1
            last = spans[index][1]
        yield first, last


SOURCES = ("source", "title", "locator", "url", "retrieved")  # columns that cite the source
DAYS = ("since", "until")


class LocatedRow(NamedTuple):
    """A row and its file, below the folder of rules."""

    file: str
    row: Any


class OwnTableRow:
    """A row of a table that a pack declares, with its cells as texts by column, and its days."""

    def __init__(self, cells: Mapping[str, str], since: date | None, until: date | None, source: str) -> None:
        self._cells: dict[str, Any] = {**cells, "since": since, "until": until, "source": source}
        self._fields = tuple(self._cells)
        self.since, self.until = since, until

    def __getattr__(self, name: str) -> Any:
        """A cell by its column."""
        try:
            return vars(self)["_cells"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __iter__(self) -> Iterator[Any]:
        """The cells, in the order of `_fields`."""
        return iter(self._cells.values())

    def __eq__(self, other: object) -> bool:
        """Whether all cells are the same."""
        return isinstance(other, OwnTableRow) and self._cells == other._cells

    def __hash__(self) -> int:
        """By the cells."""
        return hash(tuple(self._cells.items()))


class TableRowChange(NamedTuple):
    """A row that was added (`before` is None), removed (`after` is None) or changed, and the days it affects.

    `columns` are those of a changed row that differ; `wording` where they only cite its source. `keys` are the columns
    that tell rows of the table apart.
    """

    kind: str
    before: LocatedRow | None
    after: LocatedRow | None
    columns: tuple[str, ...]
    days: tuple[Days, ...]
    wording: bool
    keys: tuple[str, ...]

    @property
    def located(self) -> LocatedRow:
        """The row as it is, or was last."""
        found = self.after or self.before
        assert found is not None  # noqa: S101 (one of them is there)
        return found

    @property
    def way(self) -> str:
        """`added`, `removed` or `changed`."""
        return "added" if self.before is None else "removed" if self.after is None else "changed"


def row_changes(before: Iterable[RuleTable], after: Iterable[RuleTable]) -> Iterator[TableRowChange]:
    """The rows that differ, by kind and key; a row that moved to another file does not."""
    old, new = _by_key(before), _by_key(after)
    for kind, *key in sorted(old.keys() | new.keys(), key=str):
        of_key = (kind, *key)
        rows, others = _without_same(old.get(of_key, []), new.get(of_key, []))
        for one, other in _paired(rows, others):
            yield _change(str(kind), one, other, ROW_KEYS[str(kind)])


def own_row_changes(before: Mapping[str, TypedTable], after: Mapping[str, TypedTable]) -> Iterator[TableRowChange]:
    """The rows of tables that packs declare that differ, by table and key; with other columns every row does."""
    for name in sorted(before.keys() | after.keys()):
        old, new = (_own_rows(tables.get(name)) for tables in (before, after))
        for key in sorted(old.keys() | new.keys(), key=str):
            rows, others = _without_same(old.get(key, []), new.get(key, []))
            for one, other in _paired(rows, others):
                yield _change(name, one, other, key[0])


def _own_rows(table: TypedTable | None) -> dict[tuple[Any, ...], list[LocatedRow]]:
    """The rows by the columns of their keys and what stands there; of all columns, where all rows that fit answer."""
    found: dict[tuple[Any, ...], list[LocatedRow]] = defaultdict(list)
    if table is None:
        return found
    columns = table.columns
    answers = {name for name, column in table.declaration.columns.items() if not _is_key(table, name, column)}
    keys = tuple(name for name in columns if table.answers == ALL or name not in answers)
    for row in table.rows(None):
        cells = {name: text_of(column.type, row.values[name]) for name, column in columns.items()}
        own = OwnTableRow(cells, row.since, row.until, row.source)
        found[keys, tuple(columns), *(cells[name] for name in keys)].append(LocatedRow(table.file, own))
    return found


def _is_key(table: TypedTable, name: str, column: Column) -> bool:
    """Whether a column is one of a key: its own, or that of a range or band."""
    return column.key or any(name in (key.through, key.first, key.last) for key in table.declaration.keys)


def _by_key(tables: Iterable[RuleTable]) -> dict[tuple[Any, ...], list[LocatedRow]]:
    found: dict[tuple[Any, ...], list[LocatedRow]] = defaultdict(list)
    for table in tables:
        for row in table.rows:
            key = (table.kind, *(getattr(row, name) for name in ROW_KEYS[table.kind]))
            found[key].append(LocatedRow(table.name, row))
    return found


def _without_same(before: list[LocatedRow], after: list[LocatedRow]) -> tuple[list[LocatedRow], list[LocatedRow]]:
    old, new = {each.row for each in before}, {each.row for each in after}
    return [each for each in before if each.row not in new], [each for each in after if each.row not in old]


def _paired(before: list[LocatedRow], after: list[LocatedRow]) -> Iterator[tuple[LocatedRow | None, LocatedRow | None]]:
    """Rows that begin on the same day; then the others, in order, each with the next one."""
    old, new = ({_first(each): each for each in rows} for rows in (before, after))  # no two of a key begin on one day
    both = old.keys() & new.keys()
    yield from ((old[day], new[day]) for day in sorted(both))
    yield from zip_longest(
        (old[day] for day in sorted(old.keys() - both)), (new[day] for day in sorted(new.keys() - both))
    )


def _first(located: LocatedRow) -> date:
    since: date | None = located.row.since
    return since or date.min


def _change(kind: str, before: LocatedRow | None, after: LocatedRow | None, keys: tuple[str, ...]) -> TableRowChange:
    columns: tuple[str, ...] = ()
    if before and after:
        cells = zip(before.row._fields, before.row, after.row, strict=True)
        columns = tuple(name for name, old, new in cells if old != new)
    text = [name for name in columns if name not in DAYS]
    wording = bool(text) and set(columns) <= set(SOURCES)
    days = () if wording else affected(_days_of_row(before), _days_of_row(after), alike=not text and bool(columns))
    return TableRowChange(kind, before, after, columns, days, wording, keys)


def _days_of_row(located: LocatedRow | None) -> Days | None:
    return Days(located.row.since, located.row.until) if located else None
