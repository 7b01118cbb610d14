"""Lists, for explanations, the rows of packs' tables that a rule looked up for a fact, and those that competed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date

from scrubber.dated_rows import in_force
from scrubber.explain.context import MOST_COMPETING, ExplanationContext
from scrubber.explain.model import Candidate, LookupExplained
from scrubber.explain.text import in_days
from scrubber.facts.fact import Fact
from scrubber.relations.evaluate import Evaluator
from scrubber.rulebook.column_types import text_of
from scrubber.rulebook.relations import Group, LookUp, Outer
from scrubber.rulebook.rule import Rule, conditions_of
from scrubber.rulebook.table_declaration import ALL
from scrubber.rulebook.typed_table import TableRow, TypedTable
from scrubber.scrub import surroundings


def own_look_ups(rule: Rule, context: ExplanationContext) -> tuple[LookUp, ...]:
    """The look-ups of a rule in tables of packs, but for those of the items of its relations."""
    found = (each for part in (*conditions_of(rule), rule.names) for each in _look_ups(part))
    return tuple(dict.fromkeys(each for each in found if each.table in context.book.typed_tables))


def _look_ups(part: object) -> Iterator[LookUp]:
    if isinstance(part, LookUp):
        yield part
    elif isinstance(part, tuple):
        for each in part:
            yield from _look_ups(each)
    elif is_dataclass(part) and not isinstance(part, Group | Outer | type):
        for each in fields(part):
            yield from _look_ups(getattr(part, each.name))


def rows_of_own_tables(rule: Rule, fact: Fact, context: ExplanationContext) -> Iterator[LookupExplained]:
    """The row that answered each look-up, or why none did."""
    for look_up in own_look_ups(rule, context):
        table = context.book.typed_tables[look_up.table]
        rows, day, unknown = _competing(look_up, fact, context)
        if unknown:
            says = f"nobody knows {' and '.join(unknown)}, by which rows are found"
            yield LookupExplained(table.name, says)
            continue
        answering = [row for row in rows if day is not None and in_force(row, day)]
        for row in answering if look_up.every or table.answers == ALL else answering[:1]:
            yield LookupExplained(table.name, _says(row, table), _cells(row, table), f"{table.file}:{row.line}")
        if not answering:
            others = "; ".join(in_days(row) for row in rows[:3])
            why = f"the rows that fit hold on other days only: {others}" if rows else "no row fits"
            yield LookupExplained(table.name, why)


def competing_rows(rule: Rule, fact: Fact, context: ExplanationContext) -> tuple[Candidate, ...]:
    """Where one row answers a look-up and others fit too: all of them, the one that answered first."""
    found: list[Candidate] = []
    for look_up in own_look_ups(rule, context):
        table = context.book.typed_tables[look_up.table]
        rows, day, unknown = _competing(look_up, fact, context)
        if unknown or day is None or len(rows) < 2 or look_up.every or table.answers == ALL:
            continue
        ordered = sorted(rows, key=lambda row: not in_force(row, day))  # else as they are: the most specific first
        for number, row in enumerate(ordered[:MOST_COMPETING]):
            because = _because(row, number == 0, ordered[0], day)
            place, answered = f"{table.file}:{row.line}", number == 0 and in_force(row, day)
            found.append(Candidate(place, _scope(row, table), _says(row, table), in_days(row), answered, because))
    return tuple(found)


def _competing(
    look_up: LookUp, fact: Fact, context: ExplanationContext
) -> tuple[tuple[TableRow, ...], date | None, tuple[str, ...]]:
    known = context.known
    around = surroundings(context.claim, known.views, known.facts, context.book, context.reference, context.received_on)
    rows, day, unknown = Evaluator(around).competing(look_up, around.subject(fact))
    return rows, None if day is None else date.fromordinal(day), unknown


def _because(row: TableRow, first: bool, answered: TableRow, day: date) -> str:
    if not in_force(row, day):
        return f"not in force on {day}"
    return "answers: it says most" if first else f"fits, but line {answered.line} says more"


def _cells(row: TableRow, table: TypedTable) -> dict[str, str]:
    texts = {name: text_of(column.type, row.values[name]) for name, column in table.columns.items()}
    return {name: text for name, text in texts.items() if text}


def _scope(row: TableRow, table: TypedTable) -> str:
    """For whom a row is: the cells of its keys."""
    spans = {name for key in table.keys.values() for name in (key.name, key.through, key.first, key.last)}
    named = [f"{name} {text}" for name, text in _cells(row, table).items() if name in spans]
    return "for " + (", ".join(named) or "everything")


def _says(row: TableRow, table: TypedTable) -> str:
    spans = {name for key in table.keys.values() for name in (key.name, key.through, key.first, key.last)}
    said = [f"{name} {text}" for name, text in _cells(row, table).items() if name not in spans]
    return ", ".join(said) or "a row is there"
