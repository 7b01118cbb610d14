"""Reads the CSV file of a table that pack.yaml declares, and checks every cell by the type of its column."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from scrubber.dated_rows import lines_of_cells, wrong_cell_count
from scrubber.errors import Fault, Faults
from scrubber.likeness import known_names
from scrubber.rulebook.column_types import MOST_TEXT, MOST_VALUES, NONE, PAYERS, probably, value_of
from scrubber.rulebook.satisfiable import in_range
from scrubber.rulebook.table_declaration import DAYS_AND_SOURCE, Column, TableDeclaration
from scrubber.rulebook.table_index import HAS_NONE
from scrubber.rulebook.typed_table import StoredRow, TypedTable
from scrubber.rulebook.yaml_file import iso_day

SUFFIX = ".csv"
MOST_FAULTS = 200  # of one file
MOST_LISTED = 1_000_000  # values of all cells that list several


def read_typed_table(path: Path, file: str, declaration: TableDeclaration, payers: Collection[str]) -> TypedTable:
    """The table in `path`, which faults call `file`. `payers` are all names of payers that a table of aliases has.

    Raises Faults, with file, line and column; where there are very many, the first ones.
    """
    faults: list[Fault] = []
    lines = lines_of_cells(path, faults)
    header = next(lines, None)
    if header is None:
        raise Faults(
            [_of(file, fault) for fault in faults] or [Fault(file, 0, "is empty: a header with the columns is needed")]
        )
    columns = _header(file, header, declaration)
    reader = _RowReader(declaration, columns, {PAYERS: payers})
    stored: list[StoredRow] = []
    for line, cells in lines:
        row = reader.row(line, cells)
        if isinstance(row, StoredRow):
            stored.append(row)
        else:
            faults += [Fault(file, line, message) for message in row]
        if len(faults) >= MOST_FAULTS:
            raise Faults(
                [
                    *(_of(file, fault) for fault in faults),
                    Fault(file, line, "was read no further: mend what stands above first"),
                ]
            )
    if reader.listed > MOST_LISTED:
        faults.append(
            Fault(file, 0, f"its cells list over {MOST_LISTED:,} values: load tables of that size as reference data")
        )
    if faults:
        raise Faults(_of(file, fault) for fault in faults)
    return TypedTable(path.name.removesuffix(SUFFIX), file, declaration, stored)


def row_of_case(declaration: TableDeclaration, cells: Mapping[str, str]) -> StoredRow | list[str]:
    """The row that a test case writes, or what is wrong with it.

    Columns that it leaves out are blank, its source is the case, and it may name any payer: the case may add the alias.
    """
    names = [*declaration.columns, *DAYS_AND_SOURCE]
    unknown = [f"there is no column {name}{known_names(name, names)}" for name in cells if name not in names]
    written = {DAYS_AND_SOURCE[2]: "the test case", **cells}
    reader = _RowReader(declaration, names, {PAYERS: set(cells.values())})
    return unknown or reader.row(0, [written.get(name, "") for name in names])


def _of(file: str, fault: Fault) -> Fault:
    return fault._replace(file=file)


def _header(file: str, header: tuple[int, list[str]], declaration: TableDeclaration) -> list[str]:
    """The names of the columns as they are declared; a header may write a hyphen as an underscore. Raises Faults."""
    line, names = header
    known = {name.replace("_", "-"): name for name in (*declaration.columns, *DAYS_AND_SOURCE)}
    if len(names) == 1 and len(declaration.columns) > 1 and set(names[0]) & {";", "\t"}:
        raise Faults([Fault(file, line, "is no CSV with commas: save it again with a comma between the cells")])
    found = [known.get(name.replace("_", "-"), name) for name in names]
    messages = [f"lacks the column {name}" for name in declaration.columns if name not in found]
    messages += [
        f"has a column `{name}` that pack.yaml does not declare:{probably(name, known.values())} there are: "
        f"{', '.join(known.values())}"
        for name in found
        if name not in known.values()
    ]
    messages += [f"has the column {name} twice" for name in dict.fromkeys(found) if found.count(name) > 1]
    if "source" not in found and declaration.source is None:
        messages.append("names no source: add a column `source`, or `source:` where pack.yaml declares the table")
    if messages:
        raise Faults(Fault(file, line, message) for message in messages)
    return found


class _ColumnCells(NamedTuple):
    """A column of a file: its name, where its cells stand, and the cells read, so that equal ones are one object."""

    name: str
    column: Column
    at: int
    read: dict[str, Any]


class _RowReader:
    """Reads the lines of one file. `listed` counts the values in cells that hold several."""

    def __init__(
        self, declaration: TableDeclaration, names: Sequence[str], known: Mapping[str, Collection[str]]
    ) -> None:
        self._declaration = declaration
        self._width = len(names)
        self._known = known
        self._columns = [
            _ColumnCells(name, column, names.index(name), {"": None} if not column.required else {})
            for name, column in declaration.columns.items()
        ]
        self._days = [(name, names.index(name)) for name in DAYS_AND_SOURCE[:2] if name in names]
        self._source = names.index(DAYS_AND_SOURCE[2]) if DAYS_AND_SOURCE[2] in names else None
        self._spans = [key for key in declaration.keys if key.through or key.band]
        self.listed = 0

    def row(self, line: int, cells: list[str]) -> StoredRow | list[str]:
        """The row of a line, or what is wrong with it."""
        if len(cells) != self._width:
            return [wrong_cell_count(len(cells), self._width)]
        messages: list[str] = []
        values = [self._cell(column, cells[column.at], messages) for column in self._columns]
        days = self._days_of(cells, messages)
        source = cells[self._source] or None if self._source is not None else None
        if source is None and self._declaration.source is None:
            messages.append("source: must not be blank, as pack.yaml names no source for the table")
        if self._spans and not messages:
            messages += _impossible(self._spans, dict(zip(self._declaration.columns, values, strict=True)))
        return messages or StoredRow(line, tuple(values), days.get("since"), days.get("until"), source)

    def _cell(self, cells: _ColumnCells, cell: str, messages: list[str]) -> Any:
        if cell not in cells.read:
            try:
                cells.read[cell] = self._typed(cells.column, cell)
            except ValueError as wrong:
                messages.append(f"{cells.name}: {wrong}")
                return None
        value = cells.read[cell]
        if cells.column.several and value:
            self.listed += len(value)
        return value

    def _typed(self, column: Column, cell: str) -> Any:
        if not cell:
            raise ValueError("must not be blank")
        if column.key and cell == NONE and NONE not in column.field.words:
            return HAS_NONE
        words = column.among or column.field.words
        if not column.several:
            return value_of(column.type, cell, words, self._known)
        parts = cell.split()
        if len(parts) > MOST_VALUES:
            raise ValueError(f"lists over {MOST_VALUES:,} values: give them rows of their own")
        if len(set(parts)) != len(parts):
            raise ValueError("lists a value twice")
        return tuple(value_of(column.type, part, words, self._known) for part in parts)

    def _days_of(self, cells: list[str], messages: list[str]) -> dict[str, date | None]:
        days = {name: iso_day(cells[at]) if cells[at] else None for name, at in self._days}
        for name, at in self._days:
            if cells[at] and days[name] is None:
                messages.append(f"{name}: `{cells[at][:MOST_TEXT]}` is no day of the calendar such as 2026-01-31")
        since, until = days.get("since"), days.get("until")
        if since and until and until <= since:
            messages.append("until: must be a later day than since")
        return days


def _impossible(keys: Iterable[Column], values: Mapping[str, Any]) -> Iterator[str]:
    """Ranges and bands that hold nothing."""
    for key in keys:
        if key.through and values[key.through] is not None:
            low, high = values[key.name], values[key.through]
            if not isinstance(low, str) or low == high or not in_range(high, low, high):
                yield (
                    f"{key.through}: must be a later code than {key.name}, of the same length, and end in the same "
                    "letter where that one ends in a letter"
                )
        if key.band:
            first, last = (values[each] if each else None for each in (key.first, key.last))
            if first is not None and last is not None and (last <= first if key.open_end else last < first):
                yield f"{key.last}: lies before {key.first}"
