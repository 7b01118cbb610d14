"""Look-ups of facts and money: how reference rows lie in a SQLite file, for its reader and its writer.

One SQL table per reference table, rows clustered by key and numbered as they were put in. Dates are whole numbers
YYYYMMDD, Decimals are text; texts that many rows share (`source`, `rationale`) are numbers of the table `texts`.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple, get_args, get_type_hints

from scrubber.reference.catalogue import PTP, TABLES, Table
from scrubber.reference.rows import Release

LAYOUT = 1  # PRAGMA user_version of such files
SHARED_TEXTS = ("source", "rationale")
RELEASES = "releases"


class Cell(NamedTuple):
    """How one column is stored: its SQL type, and both ways between the row's value and the stored one."""

    name: str
    sql_type: str
    store: Callable[[Any], Any]
    load: Callable[[Any], Any]


def key_columns(table: Table[Any]) -> tuple[str, ...]:
    """Columns that rows are clustered by. PTP rows lie by their own pair, all others by a column `key`."""
    return ("column1", "column2") if table is PTP else ("key",)


def schema() -> list[str]:
    """The statements that make an empty file of this layout."""
    return [
        f"PRAGMA user_version = {LAYOUT}",
        "CREATE TABLE texts (number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)",
        f"CREATE TABLE {RELEASES} ({_columns(Release)})",
        *map(_create, TABLES.values()),
    ]


def _create(table: Table[Any]) -> str:
    keys = key_columns(table)
    own_key = "key TEXT NOT NULL, " if keys == ("key",) else ""
    return (
        f'CREATE TABLE "{table.name}" ({own_key}position INTEGER NOT NULL, {_columns(table.row_type)},'
        f" PRIMARY KEY ({', '.join(keys)}, position)) WITHOUT ROWID"
    )


def _columns(row_type: type[NamedTuple]) -> str:
    return ", ".join(f'"{cell.name}" {cell.sql_type}' for cell in cells(row_type))


def store_row(row: NamedTuple, texts: Mapping[str, int]) -> list[Any]:
    """The stored cells of a row; `texts` numbers the shared texts."""
    return [
        texts[value] if cell.name in SHARED_TEXTS else cell.store(value)
        for cell, value in zip(cells(type(row)), row, strict=True)
    ]


def load_row(row_type: type[NamedTuple], stored: Sequence[Any], texts: Mapping[int, str]) -> Any:
    """The row that lies in stored cells; `texts` has the shared texts by number."""
    return row_type._make(
        texts[value] if cell.name in SHARED_TEXTS else cell.load(value)
        for cell, value in zip(cells(row_type), stored, strict=True)
    )


@cache
def cells(row_type: type[NamedTuple]) -> tuple[Cell, ...]:
    """How each column of a row type is stored, in order."""
    hints = get_type_hints(row_type)
    return tuple(_cell(name, hints[name]) for name in row_type._fields)


def _cell(name: str, hint: Any) -> Cell:
    if name in SHARED_TEXTS:
        return Cell(name, "INTEGER", _same, _same)
    if isinstance(hint, types.UnionType):
        kind = next(kind for kind in get_args(hint) if kind is not types.NoneType)
        return Cell(name, _sql_type(kind), _or_none(_store(kind)), _or_none(_load(kind)))
    return Cell(name, _sql_type(hint), _store(hint), _load(hint))


def _sql_type(kind: Any) -> str:
    return "INTEGER" if kind in (int, bool, date) else "TEXT"


def _store(kind: Any) -> Callable[[Any], Any]:
    ways: Mapping[Any, Callable[[Any], Any]] = {date: _day_number, Decimal: str, bool: int}
    return ways.get(kind, _same)


def _load(kind: Any) -> Callable[[Any], Any]:
    ways: Mapping[Any, Callable[[Any], Any]] = {date: _day, Decimal: Decimal, bool: bool}
    return ways.get(kind, _same)


def _or_none(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else convert(value)


def _same(value: Any) -> Any:
    return value


def _day_number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def _day(number: int) -> date:
    return date(number // 10_000, number // 100 % 100, number % 100)
