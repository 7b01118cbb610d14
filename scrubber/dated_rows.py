"""Reads dated tables from CSV files into typed rows; reference data and rule packs both use them.

A table is a NamedTuple type; its field names are the columns, its annotations are the types of the cells. `since` is
the first day a row is in force and `until` the first day it no longer is; blank = open.
"""

from __future__ import annotations

import csv
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, TypeVar, Union, get_args, get_origin, get_type_hints

from scrubber.errors import Fault, Faults
from scrubber.likeness import Suggestions

MOST_TABLE_BYTES = 32 * 2**20
MOST_ROWS = 200_000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_CSV_FAULT = "has a quote that is not closed, text after a closing quote, or a cell of over 131,072 characters"

Row = TypeVar("Row", bound=NamedTuple)


class Dated(Protocol):
    """A row with days in force."""

    @property
    def since(self) -> date | None:
        """First day in force; None = open."""

    @property
    def until(self) -> date | None:
        """First day no longer in force; None = open."""


D = TypeVar("D", bound=Dated)


def in_force(row: Dated, day: date) -> bool:
    """Whether `day` lies in the row's days."""
    return (row.since is None or row.since <= day) and (row.until is None or day < row.until)


def on(rows: Iterable[D], day: date) -> D | None:
    """The first row in force on `day`, or None."""
    for row in rows:
        if in_force(row, day):
            return row
    return None


def read_rows(path: Path, row_type: type[Row], unique: Sequence[str] = ()) -> tuple[Row, ...]:
    """All rows of a CSV file, in its order: `numbered_rows` without the numbers."""
    return tuple(row for _, row in numbered_rows(path, row_type, unique))


def numbered_rows(path: Path, row_type: type[Row], unique: Sequence[str] = ()) -> tuple[tuple[int, Row], ...]:
    """All rows of a CSV file, in its order, each with the number of its line.

    The header holds exactly the fields of `row_type`, in any order; those with a default may be left out. Blank lines
    and lines that start with `#` are skipped; UTF-8, one row a line. No two rows that agree in the columns `unique`
    may be in force on one day.
    Raises Faults with every bad header, column and cell of the file.
    """
    faults: list[Fault] = []
    numbered: list[tuple[int, Row]] = []
    lines = lines_of_cells(path, faults)
    header = next(lines, None)
    if header is None:
        raise Faults(faults or [Fault(str(path), 0, "is empty: a header with the columns is needed")])
    names = _header(path, header, row_type)
    for number, cells in lines:
        row = _row(path, number, names, cells, row_type, faults)
        if row is not None:
            numbered.append((number, row))
    if unique and not faults:
        faults += _overlaps(path, numbered, unique)
    if faults:
        raise Faults(faults)
    return tuple(numbered)


def lines_of_cells(path: Path, faults: list[Fault]) -> Iterator[tuple[int, list[str]]]:
    """Line number and stripped cells of each line that holds a row; the first one is the header.

    What is wrong with the file or a line of it is added to `faults`, and the line left out.
    """
    try:
        if not path.is_file() or path.stat().st_size > MOST_TABLE_BYTES:
            faults.append(Fault(str(path), 0, _no_table(path)))
            return
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as failure:
        faults.append(Fault(str(path), 0, f"cannot be read: {failure.strerror}"))
        return
    except UnicodeDecodeError:
        faults.append(Fault(str(path), 0, "is not UTF-8 text"))
        return
    lines = text.split("\n")
    if len(lines) > MOST_ROWS:
        faults.append(Fault(str(path), 0, f"has over {MOST_ROWS:,} rows: load tables of that size as reference data"))
        return
    for number, line in enumerate(lines, start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if _CONTROL.search(line):
            faults.append(Fault(str(path), number, "holds a control character: type the line anew"))
            continue
        try:
            yield number, [cell.strip() for cell in next(csv.reader([line], strict=True))]
        except csv.Error:
            faults.append(Fault(str(path), number, _CSV_FAULT))


def _no_table(path: Path) -> str:
    if path.is_file():
        return f"is larger than {MOST_TABLE_BYTES // 2**20} MB: load tables of that size as reference data"
    if path.is_dir():
        return "is a folder: a table is a file"
    return "is no file that can be read" if path.exists() else "cannot be read: No such file or directory"


def _header(path: Path, header: tuple[int, list[str]], row_type: type[Row]) -> list[str]:
    number, names = header
    wanted = row_type._fields
    like = Suggestions(wanted)
    if len(names) == 1 and len(wanted) > 1 and set(names[0]) & {";", "\t"}:
        raise Faults([Fault(str(path), number, "is no CSV with commas: save it again with a comma between the cells")])
    needed = [name for name in wanted if name not in row_type._field_defaults]
    faults = [Fault(str(path), number, f"lacks the column {name}") for name in needed if name not in names]
    faults += [
        Fault(str(path), number, f"has an unknown column {name!r}{like.perhaps(name)}; known are {', '.join(wanted)}")
        for name in names
        if name not in wanted
    ]
    faults += [Fault(str(path), number, f"has the column {name} twice") for name in wanted if names.count(name) > 1]
    if faults:
        raise Faults(faults)
    return names


def _row(
    path: Path, number: int, names: list[str], cells: list[str], row_type: type[Row], faults: list[Fault]
) -> Row | None:
    if len(cells) != len(names):
        faults.append(Fault(str(path), number, wrong_cell_count(len(cells), len(names))))
        return None
    before = len(faults)
    values: dict[str, Any] = {}
    parsers = cell_parsers(row_type)
    for name, cell in zip(names, cells, strict=True):
        try:
            values[name] = parsers[name](cell)
        except ValueError as reason:
            faults.append(Fault(str(path), number, f"{name}: {reason}"))
    if len(faults) == before and _ends_before_it_starts(values):
        faults.append(Fault(str(path), number, "until: must be a later day than since"))
    if len(faults) != before:
        return None
    values = row_type._field_defaults | values
    return row_type._make(values[name] for name in row_type._fields)


def wrong_cell_count(cells: int, columns: int) -> str:
    """The message on a line that has other numbers of cells than the header."""
    message = f"has {cells} cells where the header has {columns}"
    return f"{message}: put a cell with a comma in double quotes" if cells > columns else message


def _ends_before_it_starts(values: Mapping[str, Any]) -> bool:
    since, until = values.get("since"), values.get("until")
    return since is not None and until is not None and until <= since


def _overlaps(path: Path, numbered: Iterable[tuple[int, Any]], unique: Sequence[str]) -> Iterator[Fault]:
    by_key: dict[tuple[Any, ...], list[tuple[int, Any]]] = {}
    for number, row in numbered:
        by_key.setdefault(tuple(getattr(row, name) for name in unique), []).append((number, row))
    for rows in by_key.values():
        rows.sort(key=lambda item: item[1].since or date.min)
        for (earlier_number, earlier), (number, row) in pairwise(rows):
            if earlier.until is None or row.since is None or row.since < earlier.until:
                yield Fault(str(path), number, f"is in force on a day on which line {earlier_number} is, too")


Parser = Callable[[str], Any]


@cache
def cell_parsers(row_type: type[Any]) -> Mapping[str, Parser]:
    """The parsers of the cells of each column, by name. A parser raises ValueError with what is expected."""
    hints = get_type_hints(row_type)
    return {name: _parser(hints[name]) for name in row_type._fields}


def _parser(column_type: Any) -> Parser:
    origin, arguments = get_origin(column_type), get_args(column_type)
    if origin in (types.UnionType, Union) and types.NoneType in arguments:  # Union: of a Literal and None
        return _optional(_parser(next(kind for kind in arguments if kind is not types.NoneType)))
    if origin is Literal:
        return _choice(arguments)
    if origin is tuple:
        return lambda cell: tuple(cell.split())
    return _SCALARS[column_type]


def _optional(parse: Parser) -> Parser:
    return lambda cell: parse(cell) if cell else None


def _choice(choices: tuple[str, ...]) -> Parser:
    def parse(cell: str) -> str:
        if cell not in choices:
            raise ValueError(f"expected one of {', '.join(choice or 'blank' for choice in choices)}")
        return cell

    return parse


def _text(cell: str) -> str:
    if not cell:
        raise ValueError("must not be blank")
    return cell


def _integer(cell: str) -> int:
    if not re.fullmatch(r"-?[0-9]+", cell):
        raise ValueError("expected a whole number")
    return int(cell)


def _decimal(cell: str) -> Decimal:
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", cell):
        raise ValueError("expected a number such as 1250.85: digits with a point, no comma and no $")
    return Decimal(cell)


def _day(cell: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", cell):
        raise ValueError("expected a day such as 2025-01-31")
    try:
        return date.fromisoformat(cell)
    except ValueError:
        raise ValueError("is no day of the calendar") from None


def _yes_or_no(cell: str) -> bool:
    if cell not in ("yes", "no"):
        raise ValueError("expected yes or no")
    return cell == "yes"


_SCALARS: Mapping[type, Parser] = {
    str: _text,
    int: _integer,
    Decimal: _decimal,
    date: _day,
    bool: _yes_or_no,
}
