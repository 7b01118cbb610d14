"""Beside the path, `scrubber rules list`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

import click
import orjson

from scrubber.answer.rules import summary
from scrubber.cli.columns import GAP, columns
from scrubber.cli.opening import Unusable
from scrubber.cli.rules.opening import rulebook
from scrubber.rulebook.book import Rulebook
from scrubber.rulebook.rule import Rule
from scrubber.rulebook.schema import STATUSES
from scrubber.tables import in_force
from scrubber.workshop.chosen import may_fire_for_payer, may_fire_on_code, names_code, payer_called

LEAST_TITLE = 12  # characters of a title that are worth a column
NARROW = 80


@click.command()
@click.option("--pack", help="Only rules of this pack.")
@click.option("--code", help="Only rules that name this procedure code, or may fire on it.")
@click.option("--payer", help="Only rules that may fire for this payer: our name for it, or a line of business.")
@click.option("--status", type=click.Choice(STATUSES), help="Only rules of this status.")
@click.option("--as-of", type=click.DateTime(("%Y-%m-%d",)), metavar="DAY", help="Only rules for this date of service.")
@click.option("--json", "as_json", is_flag=True, help="Print the rules as JSON.")
def every(
    pack: str | None, code: str | None, payer: str | None, status: str | None, as_of: datetime | None, as_json: bool
) -> None:
    """List rules: id, status, severity, title.

    With --code, NAMES says yes where a condition names the code, directly or by a list or range; the others are rules
    for every code that may fire on it.

    \b
    scrubber rules list --pack documentation
    scrubber rules list --code 77092 --payer original-medicare --as-of 2025-03-12
    scrubber rules list --status draft
    """
    book = rulebook()
    day = as_of.date() if as_of else None
    found = [
        rule
        for rule in _for_payer(book, payer, day or datetime.now(UTC).date())
        if status in (None, rule.status)
        and pack in (None, rule.pack)
        and (day is None or in_force(rule, day))
        and (code is None or names_code(rule, code, book) or may_fire_on_code(rule, code, book))
    ]
    if pack is not None and pack not in book.packs:
        raise Unusable(f"there is no pack {pack}; there are: {', '.join(book.packs)}")
    if as_json:
        click.echo(orjson.dumps([_document(rule, code, book) for rule in found], option=orjson.OPT_INDENT_2))
        return
    for line in _table(found, code, book, _width()):
        click.echo(line)
    click.echo(f"{len(found)} of {len(book.rules)} rules", err=True)


def _for_payer(book: Rulebook, name: str | None, day: date) -> Sequence[Rule]:
    if name is None:
        return tuple(book.rules.values())
    payer = payer_called(name, book)
    if payer is None:
        known = sorted({row.payer for row in book.rows.get("aliases", ())})
        raise Unusable(f"no row of aliases names the payer {name}; there are: {', '.join(known)}, lines of business")
    return [rule for rule in book.rules.values() if may_fire_for_payer(rule, payer, day, book)]


def _document(rule: Rule, code: str | None, book: Rulebook) -> dict[str, object]:
    return summary(rule) | ({"namesCode": names_code(rule, code, book)} if code else {})


def _width() -> int | None:
    """Columns of the terminal; None: not a terminal, so titles stay whole."""
    return max(NARROW, shutil.get_terminal_size().columns) if os.isatty(1) else None


def _table(rules: Sequence[Rule], code: str | None, book: Rulebook, width: int | None) -> Iterator[str]:
    header = ("id", "status", "severity", *(("names",) if code else ()))
    rows = [
        (rule.id, rule.status, rule.severity, *(("yes" if names_code(rule, code, book) else "",) if code else ()))
        for rule in rules
    ]
    lines = list(columns(header, rows))
    widest = max(map(len, lines))
    for line, title in zip(lines, ("TITLE", *(rule.title for rule in rules)), strict=True):
        left = None if width is None else max(LEAST_TITLE, width - widest - len(GAP))
        shown = title if left is None or len(title) <= left else title[: left - 1] + "…"
        yield f"{line:<{widest}}{GAP}{shown}"
