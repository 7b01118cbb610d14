"""Beside the path, `scrubber rules show`."""

from __future__ import annotations

from pathlib import Path

import click
import orjson

from scrubber.answer.rules import document
from scrubber.cli.lookup import show as on_screen
from scrubber.cli.opening import Unusable, settings, told_plainly
from scrubber.cli.rules.opening import rulebook
from scrubber.cli.rules.page import page
from scrubber.rulebook.outline import outline
from scrubber.rulebook.yaml_file import read_yaml
from scrubber.workshop.testing import all_cases


@click.command()
@click.argument("rule_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Everything that its file says, as JSON.")
def show(rule_id: str, as_json: bool) -> None:
    """Show a rule as a page: what, why, by whose authority, since when, examples from its tests.

    \b
    scrubber rules show documentation-tbs-number
    """
    book = rulebook()
    rule = book.rules.get(rule_id)
    if rule is None:
        if any(Path(fault.file).stem == rule_id for fault in book.left_out):
            raise Unusable(f"{rule_id} is a draft that does not load; scrubber rules lint tells why")
        raise Unusable(f"there is no rule {rule_id}; scrubber rules list names them")
    if as_json:
        click.echo(orjson.dumps(document(rule), option=orjson.OPT_INDENT_2))
        return
    folder = settings().rules
    with told_plainly():
        cases = all_cases(folder, book, [rule_id])
        told = outline(rule, read_yaml(folder / rule.file, rule.file))
    on_screen(lambda width: page(told, cases, book, str(folder), width))
