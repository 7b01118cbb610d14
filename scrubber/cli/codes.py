"""`scrubber codes`: what is known of a procedure code on a day."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import orjson

from scrubber.answer.codes import known_code
from scrubber.cli.code_table import render_code
from scrubber.cli.lookup import asked_by, read_plainly, show, texts
from scrubber.cli.opening import settings, told_plainly
from scrubber.codes import know
from scrubber.codes.asked import CODE_PARAMETERS, code_question
from scrubber.reference import open_reference
from scrubber.rulebook.load import load_rulebook


@click.command()
@click.argument("code", metavar="CODE")
@asked_by(CODE_PARAMETERS)
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer.")
def codes(code: str, as_json: bool, **options: str | None) -> None:
    """Look a CPT or HCPCS code up: what it pays, needs and conflicts with.

    \b
    scrubber codes 77089 --date 2025-03-12 --zip 35203
    scrubber codes 77080 --line-of-business commercial --json
    """
    with read_plainly():
        question = code_question(code, texts(options), datetime.now(UTC).date())
    chosen = settings()
    with told_plainly():
        rulebook, reference = load_rulebook(chosen.rules), open_reference(chosen.reference)
    known = know(question, rulebook, reference)
    if as_json:
        click.echo(orjson.dumps(known_code(known, rulebook.digest)))
    else:
        show(lambda width: render_code(known, width))
