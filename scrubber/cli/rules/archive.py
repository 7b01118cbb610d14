"""Beside the path, `scrubber rules archive`."""

from __future__ import annotations

import click
import orjson

from scrubber.cli.columns import columns
from scrubber.cli.opening import Unusable, settings
from scrubber.rulebook.archive import RULEBOOKS, Archived, archived

SHORT = len("sha256:") + 12


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def archive(as_json: bool) -> None:
    """List the rulebooks that are kept, the newest first.

    `scrubber serve` and `scrubber scrub --json` keep each rulebook that answers, once, so that `scrubber replay` can
    make an answer again. SCRUBBER_STATE names the folder. To forget a rulebook, remove its folder.

    \b
    scrubber rules archive
    scrubber rules diff sha256:1f0c93aa7b52
    """
    state = settings().state
    if state is None:
        raise Unusable("nothing is kept: SCRUBBER_STATE names no folder to keep it in")
    kept = archived(state)
    if as_json:
        click.echo(orjson.dumps([_as_json(each) for each in kept], option=orjson.OPT_INDENT_2))
        return
    if not kept:
        click.echo(f"no rulebook is kept in {state / RULEBOOKS}")
        return
    rows = [(each.digest[:SHORT], f"{each.since:%Y-%m-%d %H:%M} UTC", each.rules) for each in kept]
    click.echo("\n".join(columns(("digest", "kept since", "rules"), rows, right=frozenset({"rules"}))))


def _as_json(each: Archived) -> dict[str, object]:
    since = each.since.isoformat(timespec="seconds")
    return {"digest": each.digest, "since": since, "rules": each.rules, "folder": str(each.folder)}
