"""Beside the path, `scrubber rules lint`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from scrubber.cli.opening import settings
from scrubber.cli.rules.opening import counted, rulebook
from scrubber.rulebook.lint import lint as find_faults
from scrubber.rulebook.lint import stale


@click.command()
@click.pass_context
def lint(context: click.Context) -> None:
    """Check rules, tests and tables; exit 1 when there are faults.

    Every fault is told at once, with file and line. A rule that nobody has reviewed for a year is a warning.
    """
    folder = settings().rules
    faults = find_faults(folder)
    for fault in faults:
        click.echo(f"{folder}/{fault}")
    if faults:
        click.echo(counted(len(faults), "fault"))
        context.exit(1)
    book = rulebook()
    for warning in stale(book, datetime.now(UTC).date()):
        click.echo(f"warning: {folder}/{warning}")
    click.echo(f"{counted(len(book.rules), 'rule')} in {counted(len(book.packs), 'pack')}, no faults")
