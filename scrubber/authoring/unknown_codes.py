"""Finds codes in authors' tables and lists that no loaded release of the published tables has on any day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from scrubber.errors import Fault
from scrubber.reference import Reference
from scrubber.reference.tables import (
    ADD_ON,
    HCPCS,
    HCPCS_MODIFIERS,
    ICD10CM,
    ICD10CM_HEADERS,
    MODIFIERS,
    MPFS,
    MUE,
    PLACE_OF_SERVICE,
    PROCEDURES,
    Table,
)
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.typed_table import TypedTable

MOST_WARNINGS = 20  # of one table
# The tables that have codes of a type, by the words of column types.
_TABLES: Mapping[str, tuple[Table[Any], ...]] = {
    "procedure": (MPFS, PROCEDURES, HCPCS, MUE, ADD_ON),
    "diagnosis": (ICD10CM, ICD10CM_HEADERS),
    "modifier": (MODIFIERS, HCPCS_MODIFIERS),
    "place": (PLACE_OF_SERVICE,),
}
_OF_LISTS = {"procedures": "procedure", "diagnoses": "diagnosis", "modifiers": "modifier", "places": "place"}

IsKnown = Callable[[str], bool]


def unknown_codes(rulebook: Rulebook, reference: Reference) -> Iterator[Fault]:
    """A warning for each such code, by file and line; none of a type of which only starter tables are loaded.

    The starter tables have a few codes only, so that a code which they lack is nothing to look at.
    """
    known = {type_: _in_releases(tables, reference) for type_, tables in _TABLES.items() if _loaded(tables, reference)}
    for table in rulebook.typed_tables.values():
        yield from _first_ones(table.file, list(_of_table(table, known)))
    types = {name: held for pack in rulebook.packs.values() for name, held in pack.lists.items()}
    for listed in rulebook.tables:
        if listed.kind == "code-lists":
            found = [
                Fault(listed.name, line, _message("code", row.code))
                for line, row in listed.numbered
                if (is_known := known.get(_OF_LISTS.get(types.get(row.list, ""), ""))) is not None
                and not (is_known(row.code) or row.through is not None)
            ]
            yield from _first_ones(listed.name, found)


def _of_table(table: TypedTable, known: Mapping[str, IsKnown]) -> Iterator[Fault]:
    for name, column in table.columns.items():
        is_known = known.get(column.type)
        if is_known is None or not _single(table, name):
            continue
        for number, row in enumerate(table.stored):
            cell = table.cell(number, name)
            for code in cell if isinstance(cell, tuple) else () if cell is None else (cell,):
                if not is_known(code) and not _in_range(table, name, number):
                    yield Fault(table.file, row.line, _message(name, code))


def _single(table: TypedTable, name: str) -> bool:
    """Whether a column has codes that exist: the last code of a range need not."""
    return all(key.through != name for key in table.declaration.keys)


def _in_range(table: TypedTable, name: str, number: int) -> bool:
    """Whether the code begins a range: it need not exist."""
    key = table.keys.get(name)
    return key is not None and key.through is not None and table.cell(number, key.through) is not None


def _message(column: str, code: str) -> str:
    return f"{column}: no loaded release has the code `{code}` on any day: correct it, or load the table that has it"


def _first_ones(file: str, warnings: list[Fault]) -> Iterator[Fault]:
    yield from warnings[:MOST_WARNINGS]
    if len(warnings) > MOST_WARNINGS:
        yield Fault(file, warnings[-1].line, f"and {len(warnings) - MOST_WARNINGS:,} more codes that no release has")


def _loaded(tables: Iterable[Table[Any]], reference: Reference) -> bool:
    names = {table.name for table in tables}
    return any(release.table in names and not release.starter for release in reference.releases())


def _in_releases(tables: Iterable[Table[Any]], reference: Reference) -> IsKnown:
    """Whether some release of the tables has a code, whatever its days."""
    looked = [(table, day) for table in tables for day in _days(table.name, reference)]
    found: dict[str, bool] = {}

    def is_known(code: str) -> bool:
        if code not in found:
            found[code] = any(reference.rows(table, code, day) for table, day in looked)
        return found[code]

    return is_known


def _days(table: str, reference: Reference) -> Iterator[date]:
    """A day on which each release of a table answers."""
    for release in reference.releases():
        if release.table == table:
            yield release.since or (release.until - timedelta(days=1) if release.until else date.max)
