"""Beside the path, `scrubber rules changes`: whether CHANGES.md of each pack tells what has changed."""

from __future__ import annotations

import click

from scrubber.cli.opening import Unusable, settings, told_plainly
from scrubber.cli.rules.opening import counted
from scrubber.rulebook.changes import CHANGES
from scrubber.workshop.difference.books import book_difference
from scrubber.workshop.difference.told import untold
from scrubber.workshop.revisions import HEAD, is_git_revision, opened_revision


@click.command()
@click.option("--against", metavar="REV", help="Since this revision; default: what git has last, HEAD.")
@click.pass_context
def changes(context: click.Context, against: str | None) -> None:
    """Check that CHANGES.md of each pack tells what has changed since a revision; exit 1 when one does not.

    Each rule and table that means something else must be mentioned in backticks under a new entry, and nothing else;
    and its version must be raised. REV is a folder, a digest or a revision of git, as for `scrubber rules diff`. A
    kept rulebook has no CHANGES.md: compared with one, the entries above the heading that names it are the new ones.

    \b
    ## 2026-12-01
    \b
    - `documentation-tbs-number` version 2: a score in words is no number.
    - `limits.csv`: plausible scores begin at 0.7 in 2027.

    \b
    scrubber rules changes
    scrubber rules changes --against v1.0
    """
    chosen = settings()
    if against is None and not is_git_revision(HEAD, chosen.rules):
        raise Unusable(f"{chosen.rules} is not kept in git: say --against which rules, a folder or a digest")
    since = against or HEAD
    with told_plainly(), opened_revision(since, chosen.rules, chosen.state) as before:
        found = book_difference(before, chosen.rules, since, str(chosen.rules))
        faults = untold(before, chosen.rules, found)
    for fault in faults:
        click.echo(f"{chosen.rules}/{fault}")
    if faults:
        click.echo(counted(len(faults), "fault"))
        context.exit(1)
    told = ", ".join((counted(len(found.rules), "rule"), counted(len(found.rows), "row")))
    click.echo(f"{CHANGES} tells all that has changed since {since}: {told}")
