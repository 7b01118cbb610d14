"""Look-ups of facts and money: which release of a table answers on which days, and how a day lies to it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from scrubber.reference.backend import Windows
from scrubber.reference.catalogue import MEDICAID, TABLES, rows_lie_in
from scrubber.reference.edit_rows import PtpEdit
from scrubber.reference.releases import Release, TableStanding
from scrubber.tables import in_force

DAYS_KEPT = 16_384  # days, by table


class Span(NamedTuple):
    """The days on which a release answers, the last one included."""

    first: date
    last: date
    release: Release


class Timeline:
    """The releases of every table in time. It never changes, so what it once found it remembers."""

    def __init__(self, releases: Iterable[Release]) -> None:
        self.releases = tuple(releases)
        names = (*TABLES, *MEDICAID)
        self._of_table = {name: tuple(each for each in self.releases if each.table == name) for name in names}
        self._spans = {name: _spans_of(of_table) for name, of_table in self._of_table.items()}
        self._begins = sorted({release.since for release in self.releases if release.since})
        # Wrapped here, so that what is remembered goes with its timeline.
        self.standing = lru_cache(DAYS_KEPT)(self._find_standing)
        self.part = lru_cache(DAYS_KEPT)(self._find_part)

    def spans(self, table: str, first: date, last: date) -> list[Span]:
        """The releases that answer for some of the days, in their order."""
        return [span for span in self._spans[table] if span.first <= last and first <= span.last]

    def unchanged_since(self, day: date) -> date:
        """The first day since which no release has begun until `day`: the same ones answer on both, and in between."""
        begun = bisect_right(self._begins, day)
        return self._begins[begun - 1] if begun else date.min

    def has(self, table: str) -> bool:
        """Whether there is any release of the table."""
        return bool(self._of_table[table])

    def with_alone(self, chosen: Iterable[Release]) -> Timeline:
        """The same, except that each of `chosen` alone answers for its table, on all days."""
        alone = tuple(release._replace(since=None, until=None) for release in chosen)
        replaced = {release.table for release in alone}
        kept = [release for release in self.releases if release.table not in replaced]
        return Timeline(sorted((*kept, *alone), key=lambda release: release.table))

    def for_medicaid(self) -> Timeline:
        """The same, except that releases of Medicaid's own edits, and no others, answer for the tables of edits."""
        medicares = {table.name for table in MEDICAID.values()}
        kept = [
            release._replace(table=rows_lie_in(release.table))
            for release in self.releases
            if release.table not in medicares
        ]
        return Timeline(sorted(kept, key=lambda release: (release.table, release.since or date.min)))

    def _find_part(self, table: str, day: date) -> str | None:
        """SHA-256 that finds the rows of the release that answers."""
        for span in self._spans[table]:
            if span.first <= day <= span.last:
                return span.release.sha256
        return None

    def _find_standing(self, table: str, day: date) -> TableStanding:
        releases = self._of_table[table]
        begun = [release for release in releases if release.since is None or release.since <= day]
        if not begun:
            return TableStanding("before-first-release", releases[0] if releases else None)
        last = begun[-1]
        if in_force(last, day):
            return TableStanding("in-force", last)
        return TableStanding("carried-forward" if last.starter else "past-last-release", last)


def _spans_of(releases: tuple[Release, ...]) -> tuple[Span, ...]:
    """When each release answers: until the next one begins; the first, typed by hand, on all days before as well."""
    if not releases:
        return ()
    ends = [(later.since or date.min) - timedelta(days=1) for _, later in pairwise(releases)]
    firsts = [release.since or date.min for release in releases]
    if releases[0].loaded is None:
        firsts[0] = date.min
    return tuple(map(Span, firsts, (*ends, date.max), releases))


def within(windows: Windows, span: Span) -> Windows:
    """The windows as far as they run within the days of a release."""
    return tuple(
        edit._replace(since=max(edit.since or span.first, span.first), deleted=_earlier(edit.deleted, span.last))
        for edit in windows
        if _runs_within(edit, span)
    )


def _earlier(deleted: date | None, last: date) -> date | None:
    return deleted if last == date.max else min(deleted or last, last)


def _runs_within(edit: PtpEdit, span: Span) -> bool:
    return (edit.since or span.first) <= span.last and (edit.deleted or span.last) >= span.first
