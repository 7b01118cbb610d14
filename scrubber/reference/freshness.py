"""Which tables do not reach a day and by how much, and which days their releases answer for, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from scrubber.reference.lookup import Reference
from scrubber.reference.releases import Release, TableStanding
from scrubber.reference.tables import MEDICAID, TABLES


class Reach(NamedTuple):
    """How a day lies to a table. `days_past` counts from its last release's end; None where it has not ended."""

    table: str
    day: date
    standing: TableStanding
    days_past: int | None


def reach(reference: Reference, day: date) -> tuple[Reach, ...]:
    """How a day lies to every table that has a release."""
    held = {release.table for release in reference.releases()}
    return tuple(_reach(reference, table, day) for table in (*TABLES, *MEDICAID) if table in held)


def past(reference: Reference, day: date, days: int) -> tuple[Reach, ...]:
    """The loaded tables whose last release ended more than `days` days before `day`.

    Starter tables are not among them: they are carried forward, and findings say so.
    """
    return tuple(
        each
        for each in reach(reference, day)
        if each.standing.word == "past-last-release" and (each.days_past or 0) > days
    )


def in_words(found: Iterable[Reach]) -> str:
    """Tables with the release that each ends with."""
    return ", ".join(
        f"{each.table} {each.standing.release.name if each.standing.release else ''} ({each.days_past} days)"
        for each in found
    )


def _reach(reference: Reference, table: str, day: date) -> Reach:
    standing = reference.standing(table, day)
    ended = standing.word in ("carried-forward", "past-last-release")
    until = standing.release.until if standing.release and ended else None
    return Reach(table, day, standing, (day - until).days + 1 if until else None)


ONE_DAY = timedelta(days=1)


def answered(releases: Sequence[Release]) -> str:
    """The days in force of a table's releases, by first day, those without a gap between them together."""
    runs = _runs(releases)
    return "; ".join(f"{_days(run)} ({', '.join(release.name for release in run)})" for run in runs)


def not_answered(releases: Sequence[Release]) -> Iterator[str]:
    """What is not covered: the year before the first release, and days between releases.

    Only a release says how long it holds, so the rest of its year is not taken for granted.
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
