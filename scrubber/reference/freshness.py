"""Says for the operator which tables are past their last release on a day, and which days their releases cover."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from scrubber.reference.lookup import Reference
from scrubber.reference.releases import Release, TableStatus
from scrubber.reference.tables import MEDICAID, TABLES


class Reach(NamedTuple):
    """The status of a table on a day. `days_past`: days since the end of its last release; None: it has not ended."""

    table: str
    day: date
    status: TableStatus
    days_past: int | None


def reach(reference: Reference, day: date) -> tuple[Reach, ...]:
    """The status on a day of every table that has a release."""
    held = {release.table for release in reference.releases()}
    return tuple(_reach(reference, table, day) for table in (*TABLES, *MEDICAID) if table in held)


def past(reference: Reference, day: date, days: int) -> tuple[Reach, ...]:
    """The loaded tables whose last release ended more than `days` days before `day`.

    Starter tables are not among them: they are carried forward, and findings say so.
    """
    return tuple(
        each
        for each in reach(reference, day)
        if each.status.state == "past-last-release" and (each.days_past or 0) > days
    )


def stale_tables_text(found: Iterable[Reach]) -> str:
    """The tables, each with its last release and the days since that ended, as a text."""
    return ", ".join(
        f"{each.table} {each.status.release.name if each.status.release else ''} ({each.days_past} days)"
        for each in found
    )


def _reach(reference: Reference, table: str, day: date) -> Reach:
    status = reference.table_status(table, day)
    ended = status.state in ("carried-forward", "past-last-release")
    until = status.release.until if status.release and ended else None
    return Reach(table, day, status, (day - until).days + 1 if until else None)


ONE_DAY = timedelta(days=1)


def answered(releases: Sequence[Release]) -> str:
    """The days that a table's releases cover, by first day, as a text; releases without a gap are joined."""
    runs = _runs(releases)
    return "; ".join(f"{_days(run)} ({', '.join(release.name for release in run)})" for run in runs)


def not_answered(releases: Sequence[Release]) -> Iterator[str]:
    """Texts on days that are not covered: those of its year before the first release, and days between releases.

    Only a release states how long it is in force, so nothing is assumed about the rest of its year.
    """
    since = releases[0].since if releases else None
    if since is not None and (since.month, since.day) != (1, 1):
        yield f"{date(since.year, 1, 1)} to {since - ONE_DAY} are answered by no loaded release"
    for run, after in pairwise(_runs(releases)):
        until, next_day = run[-1].until, after[0].since
        if until is not None and next_day is not None:
            yield f"{until} to {next_day - ONE_DAY} lie in no loaded release: {run[-1].name} answers, as stale"


def _runs(releases: Sequence[Release]) -> list[list[Release]]:
    runs: list[list[Release]] = []
    for release in releases:
        if runs and runs[-1][-1].until == release.since:
            runs[-1].append(release)
        else:
            runs.append([release])
    return runs


def _days(run: Sequence[Release]) -> str:
    since, until = run[0].since, run[-1].until
    return f"{since} to {until - ONE_DAY}" if until else f"{since} on"
