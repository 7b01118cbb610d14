"""`scrubber rules`: read the rules that are loaded."""

from __future__ import annotations

import click
import orjson

from scrubber.answer.rules import document
from scrubber.cli.opening import Unusable, settings, told_plainly
from scrubber.rulebook.book import Rulebook
from scrubber.rulebook.load import load_rulebook


@click.group()
def rules() -> None:
    """Read and check the rules.

    \b
    scrubber rules list
    scrubber rules show documentation-tbs-number
    """


@rules.command("list")
@click.option("--pack", help="Only rules of this pack.")
def every(pack: str | None) -> None:
    """List every rule: id, status, severity, title."""
    book = _load()
    if pack is not None and pack not in book.packs:
        raise Unusable(f"there is no pack {pack}; there are: {', '.join(book.packs)}")
    for rule in book.rules.values():
        if pack in (None, rule.pack):
            click.echo(f"{rule.id:<44} {rule.status:<10} {rule.severity:<5} {rule.title}")


@rules.command()
@click.argument("rule_id", metavar="ID")
def show(rule_id: str) -> None:
    """Print everything that one rule says, as JSON."""
    book = _load()
    rule = book.rules.get(rule_id)
    if rule is None:
        raise Unusable(f"there is no rule {rule_id}; scrubber rules list names them")
    click.echo(orjson.dumps(document(rule), option=orjson.OPT_INDENT_2))


def _load() -> Rulebook:
    with told_plainly():
        return load_rulebook(settings().rules)
