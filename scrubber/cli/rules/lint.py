"""Beside the path, `scrubber rules lint`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from scrubber.cli.opening import settings, told_plainly
from scrubber.cli.rules.opening import counted
from scrubber.rulebook.lint import check_up


@click.command()
@click.pass_context
def lint(context: click.Context) -> None:
    """Check rules, tests and tables; exit 1 when there are faults.

    Every fault is told at once, with file and line. A rule that nobody has reviewed for a year is a warning.
    """
    folder = settings().rules
    with told_plainly():
        found = check_up(folder, datetime.now(UTC).date())
    for fault in found.faults:
        click.echo(f"{folder}/{fault}")
    for warning in found.warnings:
        click.echo(f"warning: {folder}/{warning}")
    if found.faults:
        click.echo(counted(len(found.faults), "fault"))
        context.exit(1)
    warned = f", {counted(len(found.warnings), 'warning')}" if found.warnings else ""
    click.echo(f"{counted(found.rules, 'rule')} in {counted(found.packs, 'pack')}, no faults{warned}")
    if found.in_use:
        runs = "case runs" if found.in_use == 1 else "cases run"
        click.echo(f"{found.in_use} {runs} on the releases in use, and may come out otherwise where others are loaded")
