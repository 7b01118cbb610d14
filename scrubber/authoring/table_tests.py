"""Runs the test cases of authors' tables, and finds the rows that no case reaches."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from scrubber.errors import Fault, Faults
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.table_case import (
    TableCase,
    answering_rows,
    differences,
    read_table_cases,
    table_case_files,
)
from scrubber.rulebook.test_case import TEST_SUFFIX
from scrubber.rulebook.typed_table import TypedTable


class TableCaseResult(NamedTuple):
    """The result of one case of a table: the case, and what came out otherwise, as lines to read."""

    case: TableCase
    differences: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether the rows answer as the case says."""
        return not self.differences


class TableCoverage(NamedTuple):
    """How many cases a table has, and the lines of the rows that answer in none of them."""

    table: TypedTable
    cases: int
    unreached: tuple[int, ...]


def table_cases(
    folder: Path, rulebook: Rulebook, names: Collection[str] | None = None
) -> tuple[list[TableCase], list[Fault]]:
    """The cases of the tables `names` (None: of all) in files that can be read, and every fault of the others."""
    payers = {row.payer for row in rulebook.rows.get("aliases", ())}
    cases: list[TableCase] = []
    faults: list[Fault] = []
    for path in table_case_files(folder):
        if names is not None and path.name.removesuffix(TEST_SUFFIX) not in names:
            continue
        try:
            cases += read_table_cases(path, folder, rulebook.typed_tables, payers)
        except Faults as error:
            faults += error.faults
    return cases, faults


def run_table_tests(folder: Path, rulebook: Rulebook, names: Collection[str] | None = None) -> list[TableCaseResult]:
    """Runs the cases of the tables `names` (None: of all). Raises Faults with every fault of their files."""
    cases, faults = table_cases(folder, rulebook, names)
    if faults:
        raise Faults(faults)
    return [TableCaseResult(case, tuple(differences(case, rulebook.typed_tables[case.table]))) for case in cases]


def failing_table_cases(folder: Path, rulebook: Rulebook) -> list[Fault]:
    """What keeps the tables of a folder from being taken: cases that cannot be read, and those that fail."""
    cases, faults = table_cases(folder, rulebook)
    for case in cases:
        found = "; ".join(differences(case, rulebook.typed_tables[case.table]))
        if found:
            faults.append(Fault(case.file, case.line, f"{case.table}: {case.name}: {found}"))
    return faults


def cover_tables(folder: Path, rulebook: Rulebook, names: Collection[str] | None = None) -> Iterator[TableCoverage]:
    """The coverage of the tables `names` (None: of all), by name. Raises Faults with every fault of their cases."""
    cases, faults = table_cases(folder, rulebook, names)
    if faults:
        raise Faults(faults)
    reached: Mapping[str, set[int]] = {name: set() for name in rulebook.typed_tables}
    counts = dict.fromkeys(reached, 0)
    for case in cases:
        counts[case.table] += 1
        rows = answering_rows(case, rulebook.typed_tables[case.table]) or ()
        reached[case.table].update(row.line for row in rows)
    for name, table in sorted(rulebook.typed_tables.items()):
        if names is None or name in names:
            lines = tuple(row.line for row in table.stored if row.line not in reached[name])
            yield TableCoverage(table, counts[name], lines)
