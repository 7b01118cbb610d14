"""`scrubber reference`: loads, lists and drops releases of reference data, and verifies published amounts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import groupby

import click
import orjson

from scrubber.cli.options import Unusable, current_settings, errors_as_messages
from scrubber.cli.reference_diff import diff
from scrubber.cli.reference_status import status
from scrubber.cli.terminal import ProgressLine, columns, cut
from scrubber.pricing.verify import Verification, verify_mpfs
from scrubber.reference import Reference, open_reference
from scrubber.reference.freshness import answered, not_answered
from scrubber.reference.live import open_storage
from scrubber.reference.load.archive import OpenedSource, opened_sources
from scrubber.reference.load.format import StatedRelease
from scrubber.reference.load.formats import COMPLETE_KINDS
from scrubber.reference.load.loader import LoadOutcome, LoadRequest
from scrubber.reference.load.loader import load as load_files
from scrubber.reference.load.medicaid import LOADED_KINDS
from scrubber.reference.releases import Release
from scrubber.reference.storage import ReleaseStorage, releases_of
from scrubber.reference.tables import CONVERSION_FACTORS, GPCI, MPFS
from scrubber.response.rules import ReleaseList, write_releases

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
    given = StatedRelease(release, _day(since), _day(until))
    wanted = LoadRequest(kind, files, given, datetime.now(UTC).replace(microsecond=0), skip_bad_rows, complete)
    with errors_as_messages():
        storage = storage_of_settings()
        try:
            outcome = load_files(storage, wanted, ProgressLine())
        except OSError as error:
            raise Unusable(f"the reference data cannot be written: {error.strerror}") from None
    _print_outcome(outcome)
    _print_days(outcome, storage)


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


def storage_of_settings() -> ReleaseStorage:
    """The storage of releases that SCRUBBER_REFERENCE names."""
    location = current_settings().reference
    if location is None:
        raise Unusable("SCRUBBER_REFERENCE is not set: name the folder, or the PostgreSQL database, to load into")
    with errors_as_messages():
        return open_storage(location)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _print_outcome(outcome: LoadOutcome) -> None:
    release = outcome.release
    for archive, names in groupby(sorted(outcome.passed_over), lambda name: name.rpartition("!")[0]):
        members = ", ".join(name.rpartition("!")[2] for name in names)
        what = f"no files of {release.kind}, or a table in another form again"
        click.echo(f"{archive}: passed over, {what}: {members}", err=True)
    for fault in outcome.bad:
        click.echo(f"skipped: {fault}", err=True)
    if release.skipped > len(outcome.bad) and outcome.bad:
        click.echo(f"skipped: {release.skipped - len(outcome.bad):,} more", err=True)
    rows = ", ".join(f"{count:,} row{'' if count == 1 else 's'} of {table}" for table, count in release.rows.items())
    days = f"{release.since} to {release.until or 'the next release'}"
    verbs = {"loaded": "is loaded", "replaced": "is replaced", "there-already": "is loaded already, nothing is changed"}
    complete = "; complete: a code that it lacks is a finding on these days" if release.complete else ""
    click.echo(f"{release.kind} {release.name} ({days}) {verbs[outcome.status]}: {rows}{complete}")


def _print_days(outcome: LoadOutcome, storage: ReleaseStorage) -> None:
    """Print the dates of service that the kind now covers, by the table that has most of its rows."""
    rows = outcome.release.rows
    table = max(rows, key=lambda name: rows[name])
    releases = [release for release in releases_of(storage.loaded()) if release.table == table]
    click.echo(f"{table} answers for dates of service of {answered(releases)}")
    for days in not_answered(releases):
        click.echo(days)


LINES_PRINTED = 10  # for differences, and for bad rows, of a file
NOT_EXACT = 1


@click.group()
def verify() -> None:
    """Work out again what CMS publishes, and compare.

    \b
    scrubber reference verify mpfs PFREV25C.txt
    """


@verify.command()
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--date",
    "moment",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Date of service to price for; default: the last day of the year that a row names.",
)
@click.option("--qualifying-apm", is_flag=True, help="With the conversion factor of qualifying APM participants.")
@click.pass_context
def mpfs(ctx: click.Context, files: tuple[str, ...], moment: datetime | None, qualifying_apm: bool) -> None:
    """Compare files of carrier amounts (PFREV, PFAL and the like), both settings of each row, to the cent.

    Exit code 1 when any amount differs or is unknown here.
    """
    day = moment.date() if moment else None
    with errors_as_messages():
        reference = open_reference(current_settings().reference)
        with opened_sources(list(files)) as sources:
            checked = [_checked(source, reference, day, qualifying_apm) for source in sources]
    click.echo(_in_all(checked))
    if not all(each.all_exact for each in checked):
        ctx.exit(NOT_EXACT)


def _checked(source: OpenedSource, reference: Reference, day: date | None, qualifying_apm: bool) -> Verification:
    done = verify_mpfs(source, reference, day, qualifying_apm)
    if not done.rows:
        raise Unusable(f"{source.name} is no file of carrier amounts: none of its rows can be read as one")
    click.echo(f"{source.name}: {done.exact:,} of {done.amounts:,} amounts of {done.rows:,} rows exact to the cent")
    for line in (*_origin(reference, done), *_differences(done)):
        click.echo(f"  {line}")
    return done


def _origin(reference: Reference, done: Verification) -> Iterator[str]:
    for day in sorted(done.days):
        used = [
            (table.name, reference.table_status(table.name, day).release) for table in (MPFS, GPCI, CONVERSION_FACTORS)
        ]
        yield f"as of {day}: {', '.join(f'{name} {release.name}' for name, release in used if release)}"


def _differences(done: Verification) -> Iterator[str]:
    for bad in done.first_bad[:LINES_PRINTED]:
        yield f"line {bad.line}: {bad.column or 'row'}: {bad.message}"
    for row, setting, published, ours, _ in done.first_different[:LINES_PRINTED]:
        code = f"{row.code}-{row.component}" if row.component else row.code
        yield f"{code} in {row.locality}, {setting}: CMS {published}, here {ours}"
    for reason, count in done.unknown.most_common():
        yield f"{count:,} not known here: {reason}"
    if done.different or done.bad_rows:
        yield f"{done.different:,} amounts differ, {done.bad_rows:,} rows cannot be read"


def _in_all(checked: list[Verification]) -> str:
    exact, amounts, rows = (sum(getattr(each, name) for each in checked) for name in ("exact", "amounts", "rows"))
    return f"In all: {exact:,} of {amounts:,} amounts of {rows:,} rows exact to the cent"


_DIGITS = 12  # of a SHA-256: enough to tell releases apart by eye


@click.group()
def reference() -> None:
    """Load and read reference data: fee schedules, edits, code lists.

    It lies in the folder (or PostgreSQL database) that SCRUBBER_REFERENCE names.

    \b
    export SCRUBBER_REFERENCE=reference
    scrubber reference load ncci-ptp ccipra-v322r0-f*.zip
    scrubber reference list
    scrubber reference status --date 2026-03-12
    scrubber reference diff ncci-ptp 2026Q2 2026Q3 --claims claims.ndjson
    """


reference.add_command(load)
reference.add_command(diff)
reference.add_command(status)
reference.add_command(verify)


@reference.command("list")
@click.option("--json", "as_json", is_flag=True, help="The answer of GET /v1/reference.")
def every(as_json: bool) -> None:
    """List every release: days in force, rows, SHA-256, when it was loaded."""
    releases = _opened().releases()
    if as_json:
        click.echo(orjson.dumps(write_releases(ReleaseList(releases))))
        return
    header = ("table", "release", "since", "until", "rows", "complete", "loaded", "sha256", "source")
    rows = [
        (
            release.table,
            release.name,
            release.since,
            release.until,
            release.rows,
            "yes" if release.complete else "",
            _moment(release),
            release.sha256[:_DIGITS],
            release.source,
        )
        for release in releases
    ]
    for line in columns(header, rows, frozenset({"rows"})):
        click.echo(cut(line))


@reference.command()
@click.argument("kind", type=click.Choice(LOADED_KINDS), metavar="KIND")
@click.argument("release")
def drop(kind: str, release: str) -> None:
    """Take a loaded release away. Claims under way are finished with it; its bytes go with the next change."""
    with errors_as_messages():
        storage = storage_of_settings()
        with storage.change() as change:
            dropped = [each for each in change.loaded if (each.kind, each.name) == (kind, release)]
            if not dropped:
                there = ", ".join(f"{each.kind} {each.name}" for each in change.loaded)
                raise Unusable(f"there is no loaded release {kind} {release}; there are: {there or 'none'}")
            change.commit([each for each in change.loaded if each not in dropped])
    click.echo(f"{kind} {release} is dropped")
    for table in dropped[0].rows:
        left = [each for each in releases_of(storage.loaded()) if each.table == table]
        click.echo(
            f"{table} answers for dates of service of {answered(left)}"
            if left
            else f"{table} has no loaded release now: what is typed by hand answers, if anything"
        )


def _opened() -> Reference:
    with errors_as_messages():
        return open_reference(current_settings().reference)


def _moment(release: Release) -> str:
    if release.loaded is None:
        return "ships" if release.starter else "by hand"
    return f"{release.loaded:%Y-%m-%d %H:%M}"
