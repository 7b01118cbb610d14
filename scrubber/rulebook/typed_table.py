"""Holds the rows of an author's table, and finds those that answer for given values on a date of service.

Look-ups cost microseconds whatever the number of rows: `find` builds an index for each set of keys that is asked by.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from scrubber.rulebook.table_declaration import ALL, Column, TableDeclaration
from scrubber.rulebook.table_index import BAND, EXACT, RANGE, TableIndex
from scrubber.rulebook.vocabulary import LINES_OF_BUSINESS

_MOST_SPECIFIC = 15
_MOST_DAYS_OF_BANDS = 36_525


class TableRow(NamedTuple):
    """A row as rules read it. `values` are typed as facts are, by column; None: the cell is blank, (): it says none.

    `line` is that of the file; `since` is the first day in force, `until` the first day no longer; None = open.
    """

    values: Mapping[str, Any]
    line: int
    since: date | None
    until: date | None
    source: str


class StoredRow(NamedTuple):
    """A row as it was read: `cells` are typed, in the order of the columns of the table's declaration."""

    line: int
    cells: tuple[Any, ...]
    since: date | None
    until: date | None
    source: str | None  # None: the source of the table


class TypedTable:
    """A table of a pack. `name` is the file's without `.csv`, `file` its path below the folder of rules."""

    def __init__(self, name: str, file: str, declaration: TableDeclaration, stored: Sequence[StoredRow]) -> None:
        self.name = name
        self.file = file
        self.declaration = declaration
        self.stored = tuple(stored)
        self._positions = {column: position for position, column in enumerate(declaration.columns)}
        self._first = [row.since.toordinal() if row.since else 0 for row in self.stored]
        self._end = [row.until.toordinal() if row.until else date.max.toordinal() + 1 for row in self.stored]
        ranks: dict[tuple[int, ...], tuple[int, ...]] = {}  # few differ
        self._ranks = [ranks.setdefault(rank, rank) for rank in map(self._rank, self.stored)]
        self._indexes: dict[frozenset[str], TableIndex] = {}
        self._never_negative: dict[str, bool] = {}
        self._weekdays: tuple[int, ...] | None = None

    def with_rows(self, rows: Sequence[StoredRow]) -> TypedTable:
        """The table with these rows in place of those that have the same keys, each with all columns."""
        keys = [at for at, column in enumerate(self.columns.values()) if self._is_of_key(column)]
        new = {tuple([row.cells[at] for at in keys]) for row in rows}
        kept = [row for row in self.stored if tuple([row.cells[at] for at in keys]) not in new]
        return TypedTable(self.name, self.file, self.declaration, [*kept, *rows])

    def _is_of_key(self, column: Column) -> bool:
        spans = [name for key in self.declaration.keys for name in (key.through, key.first, key.last)]
        return column.key or column.name in spans

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles the arguments of the constructor: another process builds its own indexes."""
        return TypedTable, (self.name, self.file, self.declaration, self.stored)

    def __repr__(self) -> str:
        return f"TypedTable({self.name!r}, {len(self.stored)} rows)"

    @property
    def columns(self) -> Mapping[str, Column]:
        """What rules may read of a row, by name: keys and answers, the columns of ranges and bands among them."""
        return self.declaration.columns

    @property
    def keys(self) -> Mapping[str, Column]:
        """What rows are found by, by name."""
        return {column.name: column for column in self.declaration.keys}

    @property
    def answers(self) -> str:
        """`one` or `all`."""
        return self.declaration.answers

    def find(self, keys: Mapping[str, Any], day: int | None) -> tuple[TableRow, ...]:
        """The rows that answer for these values on a day (an ordinal; None: whatever their days).

        `keys` has a value as a fact holds it, by the name of the key: None and () mean that there is none; of several
        values one has to fit. A key that is not given fits every row. Where one row answers it is the most specific.
        """
        found = self.fitting(keys, day)
        return found if self.answers == ALL else found[:1]

    def fitting(self, keys: Mapping[str, Any], day: int | None) -> tuple[TableRow, ...]:
        """Every row that fits, the most specific first, then in the order of the file."""
        return tuple(map(self._row, self._numbers(keys, day)))

    def find_where_known(
        self, keys: Mapping[str, Any], unknown: Collection[str], day: int | None
    ) -> tuple[TableRow, ...] | None:
        """`find` where nobody knows the values of the keys `unknown`; None: the answer depends on them."""
        known = {name: value for name, value in keys.items() if name not in unknown}
        columns = [self.keys[name] for name in unknown]
        numbers = self._numbers(known, day)
        decisive = numbers if self.answers == ALL else numbers[:1]
        if any(not self._is_any(number, column) for number in decisive for column in columns):
            return None
        return tuple(map(self._row, decisive))

    def is_never_negative(self, column: str) -> bool:
        """Whether no cell of a column of numbers is below zero."""
        if column not in self._never_negative:
            cells = (self.cell(number, column) for number in range(len(self.stored)))
            self._never_negative[column] = all(cell is None or cell >= 0 for cell in cells)
        return self._never_negative[column]

    @property
    def weekdays_of_key(self) -> tuple[int, ...]:
        """The days (ordinals) in the first key but Saturdays and Sundays, in order, whatever the days of their rows.

        Of bands those of a hundred years from the first day on; a row without days says none.
        """
        if self._weekdays is None:
            key = self.declaration.keys[0]
            names = [name for name in (key.first, key.last) if name is not None] if key.band else [key.name]
            days = {self.cell(number, name) for number in range(len(self.stored)) for name in names} - {None}
            if key.band and days:
                last = min(max(days), min(days) + _MOST_DAYS_OF_BANDS)
                days = {day for day in range(min(days), last + 1) if self.find({key.name: day}, None)}
            self._weekdays = tuple(sorted(day for day in days if (day - 1) % 7 < 5))  # day 1 was a Monday
        return self._weekdays

    def depends_on_day(self, keys: Mapping[str, Any], unknown: Collection[str]) -> bool:
        """Whether a row that may fit is in force on some days alone."""
        known = {name: value for name, value in keys.items() if name not in unknown}
        dated = (self.stored[number] for number in self._numbers(known, None))
        return any(row.since is not None or row.until is not None for row in dated)

    def rows(self, day: int | None) -> tuple[TableRow, ...]:
        """Every row in force on a day (an ordinal; None: every row), in the order of the file."""
        return tuple(self._row(number) for number in range(len(self.stored)) if self.in_force(number, day))

    def prepare(self, keys: Iterable[str]) -> None:
        """Builds the index for look-ups by these keys now, and not at the first claim."""
        self._index(frozenset(keys))

    def first_day(self, number: int) -> int:
        """The first day (an ordinal) of the row at a position; 0: from the first day on."""
        return self._first[number]

    def end(self, number: int) -> int:
        """The first day (an ordinal) on which the row at a position is no longer in force."""
        return self._end[number]

    def rank(self, number: int) -> tuple[int, ...]:
        """How specific the row at a position is, key by key; of two rows the greater one goes before."""
        return self._ranks[number]

    def cell(self, number: int, column: str) -> Any:
        """The typed cell of the row at a position."""
        return self.stored[number].cells[self._positions[column]]

    def _row(self, number: int) -> TableRow:
        row = self.stored[number]
        values = dict(zip(self.declaration.columns, row.cells, strict=True))
        return TableRow(values, row.line, row.since, row.until, row.source or self.declaration.source or "")

    def in_force(self, number: int, day: int | None) -> bool:
        """Whether the row at a position is in force on a day (an ordinal; None: it does not matter)."""
        return day is None or self._first[number] <= day < self._end[number]

    def _numbers(self, keys: Mapping[str, Any], day: int | None) -> list[int]:
        found = [number for number in self._index(frozenset(keys)).candidates(keys) if self.in_force(number, day)]
        if len(found) > 1:
            ranks = self._ranks
            found = sorted(dict.fromkeys(found))
            found.sort(key=ranks.__getitem__, reverse=True)
        return found

    def _index(self, asked: frozenset[str]) -> TableIndex:
        index = self._indexes.get(asked)
        if index is None:
            if unknown := asked - self.keys.keys():
                raise KeyError(f"the table {self.name} has no key {min(unknown)}")
            index = self._indexes[asked] = TableIndex(self, [key for key in self.declaration.keys if key.name in asked])
        return index

    def _is_any(self, number: int, key: Column) -> bool:
        if key.band:
            return all(self.cell(number, each) is None for each in (key.first, key.last) if each)
        return self.cell(number, key.name) is None

    def _rank(self, row: StoredRow) -> tuple[int, ...]:
        return tuple(self._specificity(row, key) for key in self.declaration.keys)

    def _specificity(self, row: StoredRow, key: Column) -> int:
        """0: any; then a band or a range, a beginning by its length, a line of business, and one value."""
        if key.band:
            ends = [row.cells[self._positions[each]] for each in (key.first, key.last) if each]
            return 1 if any(end is not None for end in ends) else 0
        cell = row.cells[self._positions[key.name]]
        if cell is None:
            return 0
        if key.through and row.cells[self._positions[key.through]] is not None:
            return 1
        if key.prefix and isinstance(cell, str):
            return 1 + len(cell)
        return _MOST_SPECIFIC - 1 if key.type == "payer" and cell in LINES_OF_BUSINESS else _MOST_SPECIFIC

    def way_of(self, number: int, key: Column) -> int:
        """How the cell of a row is held against a value: 0 where it is blank."""
        if self._is_any(number, key):
            return 0
        if key.band:
            return BAND
        return RANGE if key.through and self.cell(number, key.through) is not None else EXACT

    def interval(self, number: int, key: Column) -> tuple[Any, Any]:
        """The first and the last value of a range or band, None = open; see `Column.open_end`."""
        if key.band:
            first, last = (self.cell(number, each) if each else None for each in (key.first, key.last))
            return first, last
        return self.cell(number, key.name), self.cell(number, key.through or key.name)


def names_of_payer(name: str | None, line_of_business: str) -> tuple[str, ...]:
    """What a key of type payer is asked by: the payer's name and the line of business, those of them that are known."""
    return tuple(each for each in (name, line_of_business) if each is not None and each != LINES_OF_BUSINESS[-1])
