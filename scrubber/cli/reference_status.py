"""`scrubber reference status`: prints which tables are in force or stale on days, or on dates of service of claims."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import click
import orjson

from scrubber.claim.model import Claim
from scrubber.cli.claim_files import claims_in
from scrubber.cli.options import current_settings, errors_as_messages
from scrubber.cli.terminal import ProgressLine, columns
from scrubber.reference import Reference, open_reference
from scrubber.reference.freshness import Reach, reach

_STATE_TEXTS = {
    "in-force": "in force",
    "carried-forward": "carried forward",
    "past-last-release": "stale",
    "before-first-release": "not reached",
}
STALE = "past-last-release"
_DAYS = click.DateTime(["%Y-%m-%d", "%Y%m%d"])


class _ClaimDays(NamedTuple):
    """Dates of service on which a table has the same status by one release, and how many claims have such a day."""

    table: str
    standing: str
    release: str | None
    first: date
    last: date
    claims: int


@click.command()
@click.option("--date", "moments", type=_DAYS, multiple=True, help="A date of service; several may be given. [today]")
@click.option("--claims", "files", multiple=True, metavar="FILE", help="The dates of service of these claims instead.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.option("--strict", is_flag=True, help="Exit with 1 when a table is stale.")
@click.pass_context
def status(
    ctx: click.Context, moments: tuple[datetime, ...], files: tuple[str, ...], as_json: bool, strict: bool
) -> None:
    """Tell what answers for today, or for dates of service, and what is stale.

    Stale: the day is past the last release that was loaded; its rows go on answering, and findings say so. Carried
    forward: the same of the tables that ship with the program. Not reached: the day is before the first release.

    \b
    scrubber reference status
    scrubber reference status --date 2025-03-12 --date 2025-11-03
    scrubber reference status --claims last-month.ndjson --strict
    """
    settings = current_settings()
    with errors_as_messages():
        opened = open_reference(settings.reference)
    if files:
        stale = _of_claims(opened, Counter(_days_of(files, settings.max_body_bytes)), as_json)
    else:
        stale = _of_days(opened, [moment.date() for moment in moments] or [datetime.now(UTC).date()], as_json)
    if strict and stale:
        ctx.exit(1)


def _days_of(files: tuple[str, ...], most_bytes: int) -> Iterator[date]:
    """The dates of service of every claim, each once for a claim."""
    for read in claims_in(files, most_bytes, ProgressLine("claims")):
        yield from _days(read.claim)


def _days(claim: Claim) -> set[date]:
    return {day for line in claim.lines for day in (line.first_day, line.last_day) if day is not None}


def _of_days(opened: Reference, days: list[date], as_json: bool) -> bool:
    """Print every table on every day; whether one is stale."""
    found = [each for day in days for each in reach(opened, day)]
    if as_json:
        click.echo(orjson.dumps([_reach_document(each) for each in found]))
    else:
        _print_days(found, days)
    return any(each.status.state == STALE for each in found)


def _of_claims(opened: Reference, days: Counter[date], as_json: bool) -> bool:
    """Print the tables that are not in force on dates of service of claims; whether one is stale."""
    claim_days = _days_by_table(opened, days)
    if as_json:
        click.echo(orjson.dumps([each._asdict() for each in claim_days]))
    else:
        _print_claim_days(claim_days, days)
    return any(each.standing == STALE for each in claim_days)


def _days_by_table(opened: Reference, days: Counter[date]) -> list[_ClaimDays]:
    found: dict[tuple[str, str, str | None], list[date]] = {}
    for day in sorted(days):
        for each in reach(opened, day):
            release = each.status.release
            found.setdefault((each.table, each.status.state, release and release.name), []).append(day)
    return [
        _ClaimDays(table, state, release, of[0], of[-1], sum(days[day] for day in of))
        for (table, state, release), of in sorted(found.items(), key=str)
        if state != "in-force"
    ]


def _print_claim_days(claim_days: Iterable[_ClaimDays], days: Counter[date]) -> None:
    rows = [each._replace(standing=_STATE_TEXTS[each.standing]) for each in claim_days]
    if rows:
        header = ("table", "standing", "release", "first day", "last day", "claims")
        for line in columns(header, rows, frozenset({"claims"})):
            click.echo(line)
    if not days:
        click.echo("no claim has a date of service")
        return
    rest = "every other table is in force" if rows else "every table is in force"
    click.echo(f"dates of service {min(days)} to {max(days)}: {rest}")


def _reach_document(each: Reach) -> dict[str, Any]:
    release = each.status.release
    return {
        "table": each.table,
        "day": each.day,
        "standing": each.status.state,
        "release": release.name if release else None,
        "until": release.until if release else None,
        "daysPast": each.days_past,
    }


def _print_days(found: list[Reach], days: list[date]) -> None:
    header = ("day", "table", "standing", "release", "until", "days past")
    rows = [
        (
            each.day,
            each.table,
            _STATE_TEXTS[each.status.state],
            each.status.release.name if each.status.release else "none",
            each.status.release.until if each.status.release else None,
            each.days_past,
        )
        for each in found
    ]
    for line in columns(header, rows, frozenset({"days past"})):
        click.echo(line)
    for day in days:
        counts = Counter(_STATE_TEXTS[each.status.state] for each in found if each.day == day)
        click.echo(f"{day}: {', '.join(f'{count} {state}' for state, count in counts.items())}")
