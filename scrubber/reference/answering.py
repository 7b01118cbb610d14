"""Beside the path of a claim: the dates of service that the loaded releases of a table answer for, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise

from scrubber.reference.releases import Release

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
