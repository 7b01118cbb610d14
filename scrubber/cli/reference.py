"""`scrubber reference`: what the reference tables hold."""

from __future__ import annotations

import click

from scrubber.cli.opening import settings, told_plainly
from scrubber.cli.verify import verify
from scrubber.reference import open_reference


@click.group()
def reference() -> None:
    """Load and read reference data: fee schedules, edits, code lists.

    \b
    scrubber reference list
    scrubber reference verify mpfs PFREV25C.txt
    """


reference.add_command(verify)


@reference.command("list")
def every() -> None:
    """List every release: table, name, first and last day, where it is from."""
    with told_plainly():
        opened = open_reference(settings().reference)
    for release in opened.releases():
        days = f"{release.since or '':<10} {release.until or '':<10}"
        origin = "starter" if release.starter else "loaded"
        click.echo(f"{release.table:<20} {release.name:<24} {days} {origin:<8} {release.source}")
