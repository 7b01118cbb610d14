"""Beside the path, `scrubber rules explain`."""

from __future__ import annotations

from datetime import date

import click

from scrubber.cli.claim_file import claim_in
from scrubber.cli.day import Day, received
from scrubber.cli.lookup import show
from scrubber.cli.opening import Unusable, settings, told_plainly
from scrubber.errors import WrongQuestion
from scrubber.findings import read_switches
from scrubber.scrub import open_scrubber
from scrubber.workshop import explain as workshop
from scrubber.workshop.explain.as_json import to_bytes
from scrubber.workshop.explain.as_page import render


@click.command()
@click.argument("file", metavar="CLAIM")
@click.option("--rule", "rules", multiple=True, metavar="ID", help="Explain this rule, whether or not it fired.")
@click.option("--line", type=click.IntRange(min=1), help="Explain every rule that applies to this line's code.")
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer.")
@click.option("--enable", multiple=True, metavar="ID", help="Let what this shadow rule finds count.")
@click.option("--disable", multiple=True, metavar="ID", help="Leave this rule out.")
@click.option("--received-on", type=Day(), help="Day of receipt, instead of the claim's own or today.")
def explain(
    file: str,
    rules: tuple[str, ...],
    line: int | None,
    as_json: bool,
    enable: tuple[str, ...],
    disable: tuple[str, ...],
    received_on: date | None,
) -> None:
    """Tell why rules fired or did not on a claim: a v3 body in a file, or - for standard input.

    Of each rule: how it came out, every condition with the fact's value, the rows of tables behind the facts with
    their releases, whether the payer applies the rule's pack and by which row, and what was not supplied. Without
    --rule and --line: the rules that fired. Draft, shadow and deprecated rules are explained as if they counted.

    \b
    scrubber rules explain claim.json
    scrubber rules explain claim.json --line 2
    scrubber rules explain claim.json --rule documentation-tbs-number
    """
    claim = claim_in(file)
    chosen = settings()
    with told_plainly():
        opened = open_scrubber(chosen.rules, chosen.reference, chosen.stale_after)
        switches = read_switches(enable, disable, opened.rulebook)
    asked = workshop.Asked(rules, line)
    try:
        told = workshop.explain(opened, claim, received(received_on, claim), asked, switches)
    except WrongQuestion as error:
        raise Unusable(str(error)) from None
    if as_json:
        click.echo(to_bytes(told))
    else:
        name = "standard input" if file == "-" else file
        show(lambda width: render(name, told, width, in_full=bool(rules)))
