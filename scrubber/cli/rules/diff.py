"""Beside the path, `scrubber rules diff`: in what two rulebooks differ, by meaning."""

from __future__ import annotations

import click
import orjson

from scrubber.cli.opening import settings, told_plainly
from scrubber.cli.rules.diff_page import as_json, page
from scrubber.workshop.difference.books import book_difference
from scrubber.workshop.revisions import opened_revision

_DIFFERENT = 1


@click.command()
@click.argument("before", metavar="REV")
@click.argument("after", metavar="[REV]", required=False)
@click.option("--json", "json", is_flag=True, help="As JSON.")
@click.pass_context
def diff(context: click.Context, before: str, after: str | None, json: bool) -> None:
    """Compare two rulebooks by what they mean; the second one is the folder in force unless another is named.

    REV is a folder, the digest of a rulebook that is kept (at least 8 digits; `scrubber rules archive` lists them), or
    a revision of git. Comments, layout and order make no difference. Each change tells the dates of service that it
    affects; one that is marked (wording) changes texts only. A rule that means something else under the same version
    is told as a fault.

    \b
    scrubber rules diff HEAD
    scrubber rules diff sha256:1f0c93aa7b52
    scrubber rules diff v1.0 v1.1 --json

    Exit code 0: they mean the same, in the same words; 1: they differ; 2: one of them cannot be read.
    """
    chosen = settings()
    now = str(chosen.rules) if after is None else after
    with (
        told_plainly(),
        opened_revision(before, chosen.rules, chosen.state) as old,
        opened_revision(now, chosen.rules, chosen.state) as new,
    ):
        found = book_difference(old, new, before, now)
    click.echo(orjson.dumps(as_json(found), option=orjson.OPT_INDENT_2) if json else page(found))
    if found.any:
        context.exit(_DIFFERENT)
