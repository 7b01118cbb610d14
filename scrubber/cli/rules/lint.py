"""Beside the path, `scrubber rules lint`."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import click

from scrubber.cli.opening import settings, told_plainly
from scrubber.cli.rules.opening import counted
from scrubber.config import Settings
from scrubber.errors import Fault, NoRulebook
from scrubber.rulebook.lint import check_up
from scrubber.rulebook.load import digest, read_folder
from scrubber.workshop.difference.versions import Earlier, same_version_faults
from scrubber.workshop.in_force import last_in_force
from scrubber.workshop.revisions import HEAD, is_git_revision, opened_revision


@click.command()
@click.option(
    "--against", metavar="REV", help="Hold versions against this revision: a folder, a digest, or one of git."
)
@click.pass_context
def lint(context: click.Context, against: str | None) -> None:
    """Check rules, tests and tables; exit 1 when there are faults.

    Every fault is told at once, with file and line. A rule that nobody has reviewed for a year is a warning, and so is
    what is wrong with a draft. A rule that means another thing under the version that it had is a fault: held against
    what git has last (HEAD), or, where the rules are not in git, the rules that a service answered by last.

    \b
    scrubber rules lint
    scrubber rules lint --against v1.0
    """
    chosen = settings()
    folder = chosen.rules
    with told_plainly():
        found = check_up(folder, datetime.now(UTC).date())
        faults = sorted({*found.faults, *_same_version(chosen, against)})
    for fault in faults:
        click.echo(f"{folder}/{fault}")
    for warning in found.warnings:
        click.echo(f"warning: {folder}/{warning}")
    if faults:
        click.echo(counted(len(faults), "fault"))
        context.exit(1)
    warned = f", {counted(len(found.warnings), 'warning')}" if found.warnings else ""
    click.echo(f"{counted(found.rules, 'rule')} in {counted(found.packs, 'pack')}, no faults{warned}")
    if found.in_use:
        runs = "case runs" if found.in_use == 1 else "cases run"
        click.echo(f"{found.in_use} {runs} on the releases in use, and may come out otherwise where others are loaded")


def _same_version(chosen: Settings, against: str | None) -> list[Fault]:
    """Rules that mean another thing than earlier under one version. Faults of the loader are for `check_up` to tell."""
    earlier = _earlier(chosen, against)
    if earlier is None:
        return []
    rules = {file.rule.id: file.rule for file in read_folder(chosen.rules).files}
    return same_version_faults(earlier, chosen.rules, rules)


def _earlier(chosen: Settings, against: str | None) -> Earlier | None:
    """The rules that versions are held against; None where there are none, or none that differ."""
    if against is not None:
        return _at_revision(against, chosen)
    if is_git_revision(HEAD, chosen.rules):
        with suppress(NoRulebook):  # the folder is not in git yet, though what is around it is
            return _at_revision(HEAD, chosen)
    return last_in_force(chosen.rules, chosen.state, lambda why: click.echo(f"versions not compared: {why}", err=True))


def _at_revision(revision: str, chosen: Settings) -> Earlier | None:
    with opened_revision(revision, chosen.rules, chosen.state) as folder, suppress(OSError):
        if digest(folder) != digest(chosen.rules):
            return Earlier({file.rule.id: file.rule for file in read_folder(folder).files}, revision)
    return None
