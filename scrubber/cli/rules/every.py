"""Beside the path, `scrubber rules list`."""

from __future__ import annotations

import click

from scrubber.cli.opening import Unusable
from scrubber.cli.rules.opening import rulebook


@click.command()
@click.option("--pack", help="Only rules of this pack.")
def every(pack: str | None) -> None:
    """List every rule: id, status, severity, title."""
    book = rulebook()
    if pack is not None and pack not in book.packs:
        raise Unusable(f"there is no pack {pack}; there are: {', '.join(book.packs)}")
    for rule in book.rules.values():
        if pack in (None, rule.pack):
            click.echo(f"{rule.id:<44} {rule.status:<10} {rule.severity:<5} {rule.title}")
