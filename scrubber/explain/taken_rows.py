"""Lists the rows from which a finding takes its severity, its expected reason or its dollars, for explanations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scrubber.explain.model import LookupExplained
from scrubber.facts.fact import Fact
from scrubber.findings.row_values import value_taken
from scrubber.rulebook.column_types import text_of
from scrubber.rulebook.relations import Column
from scrubber.rulebook.rule import FromRow, Rule
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.typed_table import TypedTable


def taken_rows(rule: Rule, fact: Fact, book: Rulebook) -> Iterator[LookupExplained]:
    """What a finding of the rule takes from rows of tables, and which row it is; without a row, what holds instead."""
    by_row = rule.by_row
    if by_row is None or rule.id not in (fact.row_values or {}):
        return
    parts = (
        ("severity", by_row.severity), ("reason, group", by_row.group), ("reason, carc", by_row.carc),
        ("reason, rarc", by_row.rarc), ("dollars at risk", by_row.at_risk),
    )  # fmt: skip
    for what, source in parts:
        if isinstance(source, FromRow) and isinstance(source.operand, Column):
            yield _explained(what, source, source.operand, rule, fact, book)


def _explained(what: str, source: FromRow, column: Column, rule: Rule, fact: Fact, book: Rulebook) -> LookupExplained:
    value = value_taken(source, rule, fact)
    instead = source.otherwise or "not known"
    if value.text is not None:
        says = f"{what} is {value.text}, by {source.name} of this row"
    elif value.row is not None:
        says = f"{what} is not said by this row ({source.name} is blank): {instead}"
    else:
        why = "no row answers" if value.known else "nobody knows which row answers"
        says = f"{what}: {why} for {source.name}: {instead}"
    table = book.typed_tables.get(column.look_up.table)
    if table is None or value.row is None:
        return LookupExplained(column.look_up.table, says)
    return LookupExplained(table.name, says, _cells(table, value.row), _place(table, value.row))


def _cells(table: TypedTable, row: Mapping[str, Any]) -> Mapping[str, str]:
    return {name: text_of(table.columns[name].type, cell) for name, cell in row.items() if cell is not None}


def _place(table: TypedTable, row: Mapping[str, Any]) -> str | None:
    """FILE:LINE of a row. Slow: for explanations only."""
    line = next((each.line for each in table.rows(None) if each.values == row), None)
    return f"{table.file}:{line}" if line is not None else None
