"""Beside the path, `scrubber reference`: what the reference tables hold, what is stale, and dropping a release."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import click
import orjson

from scrubber.cli.columns import columns
from scrubber.cli.opening import Unusable, settings, told_plainly
from scrubber.cli.reference_difference import diff
from scrubber.cli.reference_load import load, place_of_settings
from scrubber.cli.verify import verify
from scrubber.reference import Reference, open_reference
from scrubber.reference.freshness import Reach, reach
from scrubber.reference.rows import Release

_WORDS = {
    "in-force": "in force",
    "carried-forward": "carried forward",
    "past-last-release": "stale",
    "before-first-release": "not reached",
}
_DIGITS = 12  # of a SHA-256: enough to tell releases apart by eye
_DAYS = click.DateTime(["%Y-%m-%d", "%Y%m%d"])


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
reference.add_command(verify)


@reference.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, with every digest whole.")
def every(as_json: bool) -> None:
    """List every release: days in force, rows, SHA-256, when it was loaded."""
    releases = _opened().releases()
    if as_json:
        click.echo(orjson.dumps([_document(release) for release in releases]))
        return
    header = ("table", "release", "since", "until", "rows", "sha256", "loaded", "source")
    rows = [
        (
            release.table,
            release.name,
            release.since,
            release.until,
            release.rows,
            release.sha256[:_DIGITS],
            _moment(release),
            release.source,
        )
        for release in releases
    ]
    for line in columns(header, rows, frozenset({"rows"})):
        click.echo(line)


@reference.command()
@click.option("--date", "moments", type=_DAYS, multiple=True, help="A date of service; several may be given. [today]")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.option("--strict", is_flag=True, help="Exit with 1 when a table is stale.")
@click.pass_context
def status(ctx: click.Context, moments: tuple[datetime, ...], as_json: bool, strict: bool) -> None:
    """Tell what answers for today, or for dates of service, and what is stale.

    Stale: the day is past the last release that was loaded; its rows go on answering, and findings say so. Carried
    forward: the same of the tables that ship with the program.
    """
    opened = _opened()
    days = [moment.date() for moment in moments] or [datetime.now(UTC).date()]
    found = [each for day in days for each in reach(opened, day)]
    if as_json:
        click.echo(orjson.dumps([_reach_document(each) for each in found]))
    else:
        _show_status(found, days)
    if strict and any(each.standing.word == "past-last-release" for each in found):
        ctx.exit(1)


@reference.command()
@click.argument("kind")
@click.argument("release")
def drop(kind: str, release: str) -> None:
    """Take a loaded release away. Claims under way are finished with it; its bytes go with the next change."""
    with told_plainly(), place_of_settings().change() as change:
        kept = [each for each in change.loaded if (each.kind, each.name) != (kind, release)]
        if len(kept) == len(change.loaded):
            there = ", ".join(f"{each.kind} {each.name}" for each in change.loaded)
            raise Unusable(f"there is no loaded release {kind} {release}; there are: {there or 'none'}")
        change.commit(kept)
    click.echo(f"{kind} {release} is dropped")


def _opened() -> Reference:
    with told_plainly():
        return open_reference(settings().reference)


def _moment(release: Release) -> str:
    if release.loaded is None:
        return "ships" if release.starter else "by hand"
    return f"{release.loaded:%Y-%m-%d %H:%M}"


def _document(release: Release) -> dict[str, Any]:
    return release._asdict()


def _reach_document(each: Reach) -> dict[str, Any]:
    release = each.standing.release
    return {
        "table": each.table,
        "day": each.day,
        "standing": each.standing.word,
        "release": release.name if release else None,
        "until": release.until if release else None,
        "daysPast": each.days_past,
    }


def _show_status(found: list[Reach], days: list[date]) -> None:
    header = ("day", "table", "standing", "release", "until", "days past")
    rows = [
        (
            each.day,
            each.table,
            _WORDS[each.standing.word],
            each.standing.release.name if each.standing.release else "none",
            each.standing.release.until if each.standing.release else None,
            each.days_past,
        )
        for each in found
    ]
    for line in columns(header, rows, frozenset({"days past"})):
        click.echo(line)
    for day in days:
        words = Counter(_WORDS[each.standing.word] for each in found if each.day == day)
        click.echo(f"{day}: {', '.join(f'{count} {word}' for word, count in words.items())}")
