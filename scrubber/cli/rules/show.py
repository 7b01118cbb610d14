"""Beside the path, `scrubber rules show`."""

from __future__ import annotations

import click
import orjson

from scrubber.answer.rules import document
from scrubber.cli.opening import Unusable
from scrubber.cli.rules.opening import rulebook


@click.command()
@click.argument("rule_id", metavar="ID")
def show(rule_id: str) -> None:
    """Print everything that one rule says, as JSON."""
    book = rulebook()
    rule = book.rules.get(rule_id)
    if rule is None:
        raise Unusable(f"there is no rule {rule_id}; scrubber rules list names them")
    click.echo(orjson.dumps(document(rule), option=orjson.OPT_INDENT_2))
