"""`scrubber rules tables`: prints authors' tables and the published ones that rules may ask, for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from textwrap import wrap

import click

from scrubber.authoring.table_tests import TableCaseResult, TableCoverage
from scrubber.cli.options import DayParameter, Unusable, current_settings
from scrubber.cli.rules.options import counted, rulebook
from scrubber.cli.terminal import columns, cut
from scrubber.rulebook.column_types import PAYERS, probably, text_of, value_of
from scrubber.rulebook.reference_tables import REFERENCE_TABLES, ReferenceTable
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.table_declaration import Column
from scrubber.rulebook.table_index import HAS_NONE
from scrubber.rulebook.typed_table import TableRow, TypedTable

WIDTH = 80
MOST_LISTED = 10  # rows that no case reaches


@click.command()
@click.argument("name", required=False, metavar="[TABLE]")
@click.argument("keys", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--as-of", "day", type=DayParameter(), help="Only rows in force on this date of service.")
def tables(name: str | None, keys: tuple[str, ...], day: date | None) -> None:
    """List the tables that rules may look things up in, or the rows of one, the most specific first.

    With keys, only rows that fit these values: the first one answers, or all do where the table says so.

    \b
    scrubber rules tables
    scrubber rules tables filing-limits --as-of 2024-08-14
    scrubber rules tables filing-limits payer=Aetna frequency=7
    """
    book = rulebook()
    if name is None:
        for line in _list(book):
            click.echo(line)
        return
    table = book.typed_tables.get(name)
    published = REFERENCE_TABLES.get(name)
    if table is None and published is None:
        known = [*book.typed_tables, *REFERENCE_TABLES]
        raise Unusable(f"there is no table {name}:{probably(name, known)} there are: {', '.join(known)}")
    if published is not None:
        if keys:
            raise Unusable(f"{name} is a published table: scrubber codes and scrubber reference look its rows up")
        lines = _published(published)
    else:
        assert table is not None  # noqa: S101 (else it is a published one)
        lines = _page(table, _asked(table, keys, book), day, str(current_settings().rules))
    for line in lines:
        click.echo(line)


def _list(book: Rulebook) -> Iterator[str]:
    header = ("table", "rows", "keys", "answers", "file")
    rows: list[Sequence[object]] = [
        (name, len(table.stored), ", ".join(table.keys), table.answers, table.file)
        for name, table in sorted(book.typed_tables.items())
    ]
    rows += [(name, "", ", ".join(table.keys), table.answers, "published") for name, table in REFERENCE_TABLES.items()]
    yield from map(cut, columns(header, rows, frozenset(("rows",))))


def _asked(table: TypedTable, keys: Iterable[str], book: Rulebook) -> dict[str, object]:
    payers = {row.payer for row in book.rows.get("aliases", ())}
    asked: dict[str, object] = {}
    for text in keys:
        name, sign, value = text.partition("=")
        if not sign or name not in table.keys:
            raise Unusable(f"{text} is no KEY=VALUE; the keys of {table.name} are: {', '.join(table.keys)}")
        column = table.keys[name]
        try:
            typed = tuple(value_of(column.type, each, column.field.words, {PAYERS: payers}) for each in value.split())
        except ValueError as wrong:
            raise Unusable(f"{name}: {wrong}") from None
        asked[name] = typed or HAS_NONE
    return asked


def _page(table: TypedTable, asked: dict[str, object], day: date | None, folder: str) -> Iterator[str]:
    yield from wrap(f"{table.name}: {table.declaration.about}", WIDTH)
    yield f"{folder}/{table.file}"
    yield _answers(table.keys.values(), table.answers)
    yield ""
    yield from _columns(table.columns.values())
    rows = table.fitting(asked, day.toordinal() if day else None)
    yield ""
    yield from map(cut, columns(("line", *table.columns, "from", "to the day before", "source"), _rows(table, rows)))
    yield f"{counted(len(rows), 'row')} of {len(table.stored):,}"


def _answers(keys: Iterable[Column], answers: str) -> str:
    which = "the most specific row answers" if answers == "one" else "all rows that fit answer, the most specific first"
    return f"By {', '.join(key.name for key in keys)}, in this order: {which}."


def _columns(every: Iterable[Column]) -> Iterator[str]:
    for column in every:
        kind = f"{column.type}{', several' if column.several else ''}{', a key' if column.key else ''}"
        yield from wrap(f"{column.name} ({kind}): {column.field.about}", WIDTH, subsequent_indent="    ")


def _rows(table: TypedTable, rows: Iterable[TableRow]) -> list[Sequence[object]]:
    return [
        (
            str(row.line),
            *(_cell(column, row.values[name]) for name, column in table.columns.items()),
            row.since or "",
            row.until or "",
            row.source,
        )
        for row in rows
    ]


def _cell(column: Column, value: object) -> str:
    return "any" if value is None and column.key else text_of(column.type, value)


def _published(table: ReferenceTable) -> Iterator[str]:
    yield from wrap(f"{table.name}: {table.about}", WIDTH)
    yield f"Published; its rows are of {', '.join(table.tables)} (scrubber reference status tells the releases)."
    yield _answers(table.keys.values(), table.answers)
    yield ""
    yield from _columns(table.columns.values())


def print_table_results(results: Sequence[TableCaseResult], folder: str) -> bool:
    """Print the cases of tables that fail, and how many there are; whether all came out."""
    failed = [result for result in results if not result.passed]
    for result in failed:
        case = result.case
        click.echo(f"{folder}/{case.file}:{case.line}: {case.table}: {case.name}")
        for difference in result.differences:
            what, _, text = difference.partition(": ")
            click.echo(f"  {'-' if what.startswith('expected') else '+'} {text}")
    if results:
        tested = counted(len({result.case.table for result in results}), "table")
        click.echo(f"{counted(len(results), 'case')} of {tested}, {len(failed)} failed")
    return not failed


def table_coverage_lines(covered: Iterable[TableCoverage], folder: Path) -> Iterator[str]:
    """How many rows of each table the cases reach, and the first ones of the others."""
    for each in covered:
        rows = len(each.table.stored)
        reached = rows - len(each.unreached)
        cases = counted(each.cases, "case")
        yield f"table {each.table.name}: {cases}, {reached:,} of {counted(rows, 'row')} answer in one"
        for line in each.unreached[:MOST_LISTED]:
            yield f"  {folder}/{each.table.file}:{line}: no case reaches this row"
        if len(each.unreached) > MOST_LISTED:
            yield f"  and {len(each.unreached) - MOST_LISTED:,} more"
