"""`scrubber price`: what a service pays on a day."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import orjson

from scrubber.answer.codes import priced
from scrubber.cli.code_table import render_price
from scrubber.cli.lookup import asked_by, read_plainly, show, texts
from scrubber.cli.opening import settings, told_plainly
from scrubber.codes import price as price_of
from scrubber.codes.asked import CODE, PRICE_PARAMETERS, price_question
from scrubber.reference import open_reference
from scrubber.rulebook.load import load_rulebook


@click.command()
@click.argument("code", metavar="CODE")
@asked_by(parameter for parameter in PRICE_PARAMETERS if parameter is not CODE)
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer.")
def price(code: str, as_json: bool, **options: str | None) -> None:
    """Price a service as a line of a claim would be, with the arithmetic.

    \b
    scrubber price 77080 --modifiers 26 --zip 10019 --date 2025-03-12
    scrubber price 77092 --units 2 --pos 22 --participation nonpar
    """
    with read_plainly():
        question = price_question({CODE.name: code, **texts(options)}, datetime.now(UTC).date())
    chosen = settings()
    with told_plainly():
        rulebook, reference = load_rulebook(chosen.rules), open_reference(chosen.reference)
    found = price_of(question, rulebook, reference)
    if as_json:
        click.echo(orjson.dumps(priced(found)))
    else:
        show(lambda width: render_price(found, width))
