"""Beside the path, `scrubber reference`: what the reference tables hold, what is stale, and dropping a release."""

from __future__ import annotations

import click
import orjson

from scrubber.answer.releases import every as all_releases
from scrubber.cli.columns import columns, cut
from scrubber.cli.opening import Unusable, settings, told_plainly
from scrubber.cli.reference_difference import diff
from scrubber.cli.reference_load import load, place_of_settings
from scrubber.cli.reference_status import status
from scrubber.cli.verify import verify
from scrubber.reference import Reference, open_reference
from scrubber.reference.answering import answered
from scrubber.reference.load.medicaid import LOADED_KINDS
from scrubber.reference.place import releases_of
from scrubber.reference.releases import Release

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
        click.echo(orjson.dumps(all_releases(releases)))
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
    with told_plainly():
        place = place_of_settings()
        with place.change() as change:
            dropped = [each for each in change.loaded if (each.kind, each.name) == (kind, release)]
            if not dropped:
                there = ", ".join(f"{each.kind} {each.name}" for each in change.loaded)
                raise Unusable(f"there is no loaded release {kind} {release}; there are: {there or 'none'}")
            change.commit([each for each in change.loaded if each not in dropped])
    click.echo(f"{kind} {release} is dropped")
    for table in dropped[0].rows:
        left = [each for each in releases_of(place.loaded()) if each.table == table]
        click.echo(
            f"{table} answers for dates of service of {answered(left)}"
            if left
            else f"{table} has no loaded release now: what is typed by hand answers, if anything"
        )


def _opened() -> Reference:
    with told_plainly():
        return open_reference(settings().reference)


def _moment(release: Release) -> str:
    if release.loaded is None:
        return "ships" if release.starter else "by hand"
    return f"{release.loaded:%Y-%m-%d %H:%M}"
