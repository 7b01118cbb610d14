"""Before any claim, `scrubber reference load`: one release of published files into the store, whole or not at all."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import groupby

import click

from scrubber.cli.opening import Unusable, settings, told_plainly
from scrubber.cli.progress import Shown
from scrubber.reference.answering import answered, not_answered
from scrubber.reference.live import open_place
from scrubber.reference.load.format import Stated
from scrubber.reference.load.formats import COMPLETE_KINDS
from scrubber.reference.load.medicaid import LOADED_KINDS
from scrubber.reference.load.run import Outcome, Wanted
from scrubber.reference.load.run import load as load_files
from scrubber.reference.place import Place, releases_of

_DAYS = click.DateTime(["%Y-%m-%d", "%Y%m%d"])


@click.command()
@click.argument("kind", type=click.Choice(LOADED_KINDS), metavar="KIND")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--release", help="Name of the release, where files do not say it; an NCCI one like 2026Q3 has its days.")
@click.option("--since", type=_DAYS, help="First day in force.")
@click.option("--until", type=_DAYS, help="First day no longer in force; without one, until the next release.")
@click.option("--skip-bad-rows", is_flag=True, help="Load the rows that can be read, and list the others.")
@click.option("--complete", is_flag=True, help="They hold every code of their kind: absence from them is a finding.")
def load(
    kind: str,
    files: tuple[str, ...],
    release: str | None,
    since: datetime | None,
    until: datetime | None,
    skip_bad_rows: bool,
    complete: bool,
) -> None:
    """Load the files of one release. They may be plain, gz, xz, zip or xlsx, and are known by their content.

    KIND is one of: {kinds}

    \b
    scrubber reference load ncci-ptp ccipra-v322r0-f*.txt
    scrubber reference load ncci-mue MUE.zip --release 2026Q3
    scrubber reference load icd10cm icd10cm-codes-2027.txt --release FY2027 --complete

    --complete is for {complete_kinds}: a code that such a release lacks is denied on the days of the release (of
    mpfs: a warning). Say it of whole files only, never of an excerpt. Without it a missing code is told as unknown.

    The same bytes are loaded once. A file with a broken row changes nothing, and every such row is told by file, line
    and column. Workers go on with the old release until the new one is whole, and then change to it.
    """
    _check_complete(kind, complete, skip_bad_rows)
    chosen = Stated(release, _day(since), _day(until))
    wanted = Wanted(kind, files, chosen, datetime.now(UTC).replace(microsecond=0), skip_bad_rows, complete)
    with told_plainly():
        place = place_of_settings()
        try:
            outcome = load_files(place, wanted, Shown())
        except OSError as error:
            raise Unusable(f"the reference data cannot be written: {error.strerror}") from None
    _tell(outcome)
    _tell_days(outcome, place)


load.help = (
    (load.help or "").replace("{kinds}", ", ".join(LOADED_KINDS)).replace("{complete_kinds}", ", ".join(COMPLETE_KINDS))
)


def _check_complete(kind: str, complete: bool, skip_bad_rows: bool) -> None:
    if complete and kind not in COMPLETE_KINDS:
        kinds = ", ".join(COMPLETE_KINDS)
        raise Unusable(f"--complete is for {kinds}: that {kind} lacks a code says nothing of the code")
    if complete and skip_bad_rows:
        raise Unusable(
            "--complete and --skip-bad-rows contradict each other: a release with skipped rows is not complete"
        )


def place_of_settings() -> Place:
    """Where SCRUBBER_REFERENCE says that releases are kept."""
    location = settings().reference
    if location is None:
        raise Unusable("SCRUBBER_REFERENCE is not set: name the folder, or the PostgreSQL database, to load into")
    with told_plainly():
        return open_place(location)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _tell(outcome: Outcome) -> None:
    release = outcome.release
    for archive, names in groupby(sorted(outcome.passed_over), lambda name: name.rpartition("!")[0]):
        members = ", ".join(name.rpartition("!")[2] for name in names)
        told = f"no files of {release.kind}, or a table in another form again"
        click.echo(f"{archive}: passed over, {told}: {members}", err=True)
    for fault in outcome.bad:
        click.echo(f"skipped: {fault}", err=True)
    if release.skipped > len(outcome.bad) and outcome.bad:
        click.echo(f"skipped: {release.skipped - len(outcome.bad):,} more", err=True)
    rows = ", ".join(f"{count:,} row{'' if count == 1 else 's'} of {table}" for table, count in release.rows.items())
    days = f"{release.since} to {release.until or 'the next release'}"
    words = {"loaded": "is loaded", "replaced": "is replaced", "there-already": "is loaded already, nothing is changed"}
    complete = "; complete: a code that it lacks is a finding on these days" if release.complete else ""
    click.echo(f"{release.kind} {release.name} ({days}) {words[outcome.way]}: {rows}{complete}")


def _tell_days(outcome: Outcome, place: Place) -> None:
    """The dates of service that the kind now answers for, by the table that has most of its rows."""
    rows = outcome.release.rows
    table = max(rows, key=lambda name: rows[name])
    releases = [release for release in releases_of(place.loaded()) if release.table == table]
    click.echo(f"{table} answers for dates of service of {answered(releases)}")
    for days in not_answered(releases):
        click.echo(days)
