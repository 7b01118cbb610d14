"""Decides which release of a table is in use on which days, and defines what a backend of rows provides to look-ups.

Rows are found by the SHA-256 of what they were read from: a loaded release, or the CSV file of a table with all its
releases. A backend never changes while it is open, and may be used from any thread and after a fork.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple, Protocol

from scrubber.dated_rows import in_force
from scrubber.reference.rows import PtpEdit
from scrubber.reference.tables import MEDICAID, TABLES, R, Table, stored_under


class Release(NamedTuple):
    """One published release of a table. `sha256` is of the bytes it was read from, and finds its rows; of tables typed
    by hand it is also of the days of their releases.

    `starter`: from a CSV file that ships with the program. `rows` counts those of this table; `loaded` is the moment
    (UTC) at which a published file was loaded, None for tables in CSV files, whose rows state their own days.

    `complete`: whoever loaded it said that it holds every code of its kind, so that absence from it means something on
    its own days. Never so because of its kind: an excerpt has the same layout.
    """

    table: str
    name: str
    since: date | None
    until: date | None
    sha256: str
    starter: bool
    source: str
    rows: int = 0
    loaded: datetime | None = None
    complete: bool = False


Silence = Literal["no-table", "table-does-not-reach"]  # why no table has an answer for a day


class TableStatus(NamedTuple):
    """Whether a table has a release in force on a day, and the release that is used for it.

    `release` is None when the table has none; before the first one begins, it is the first.
    """

    state: Literal["in-force", "carried-forward", "past-last-release", "before-first-release"]
    release: Release | None


Pair = tuple[str, str]
Windows = tuple[PtpEdit, ...]


class Backend(Protocol):
    """Rows by table, SHA-256 of their release and key, whatever their dates, and the releases that they came from."""

    def rows(self, table: Table[R], sha256_on: str, key: str) -> tuple[R, ...]:
        """Every row under `key`, in the order of the published file; PTP windows by column 2 and first day."""

    def ptp_among(self, sha256_on: str, codes: frozenset[str]) -> Mapping[Pair, Windows]:
        """Every PTP window with both codes among `codes`, by (column 1, column 2) and in that order."""

    def ptp_of(self, sha256_on: str, code: str, day: date) -> Sequence[PtpEdit]:
        """The PTP edits in force on a day with the code in column 1, by column 2; then in column 2, by column 1."""

    def every(self, table: Table[R], sha256_on: str) -> Iterator[tuple[str, tuple[R, ...]]]:
        """Every key with its rows, in the order of the keys."""

    def releases(self) -> tuple[Release, ...]:
        """All releases, by table and then by first day."""


DAYS_CACHED = 16_384  # days, by table


class ReleaseSpan(NamedTuple):
    """The days on which a release is in use, the last one included."""

    first: date
    last: date
    release: Release


class Timeline:
    """The releases of every table in time. It never changes, so results are cached."""

    def __init__(self, releases: Iterable[Release]) -> None:
        self.releases = tuple(releases)
        names = (*TABLES, *MEDICAID)
        self._of_table = {name: tuple(each for each in self.releases if each.table == name) for name in names}
        self._spans = {name: _spans_of(of_table) for name, of_table in self._of_table.items()}
        self._begins = sorted({release.since for release in self.releases if release.since})
        # Wrapped for each object, so that a cache is freed together with its timeline.
        self.status = lru_cache(DAYS_CACHED)(self._find_status)
        self.sha256_on = lru_cache(DAYS_CACHED)(self._find_sha256)

    def spans(self, table: str, first: date, last: date) -> list[ReleaseSpan]:
        """The releases in use on some of the days, in their order."""
        return [span for span in self._spans[table] if span.first <= last and first <= span.last]

    def unchanged_since(self, day: date) -> date:
        """The first day since which no release has begun until `day`: the same ones answer on both, and in between."""
        begun = bisect_right(self._begins, day)
        return self._begins[begun - 1] if begun else date.min

    def has(self, table: str) -> bool:
        """Whether there is any release of the table."""
        return bool(self._of_table[table])

    def with_alone(self, only: Iterable[Release]) -> Timeline:
        """The same, except that each release of `only` is the only one of its table, on all days."""
        alone = tuple(release._replace(since=None, until=None) for release in only)
        replaced = {release.table for release in alone}
        others = [release for release in self.releases if release.table not in replaced]
        return Timeline(sorted((*others, *alone), key=lambda release: release.table))

    def for_medicaid(self) -> Timeline:
        """The same, except that the tables of edits have the releases of Medicaid's own edits and no others."""
        medicares = {table.name for table in MEDICAID.values()}
        others = [
            release._replace(table=stored_under(release.table))
            for release in self.releases
            if release.table not in medicares
        ]
        return Timeline(sorted(others, key=lambda release: (release.table, release.since or date.min)))

    def _find_sha256(self, table: str, day: date) -> str | None:
        """SHA-256 of the release that is in use on a day; None: no release is."""
        for span in self._spans[table]:
            if span.first <= day <= span.last:
                return span.release.sha256
        return None

    def _find_status(self, table: str, day: date) -> TableStatus:
        releases = self._of_table[table]
        begun = [release for release in releases if release.since is None or release.since <= day]
        if not begun:
            return TableStatus("before-first-release", releases[0] if releases else None)
        last = begun[-1]
        if in_force(last, day):
            return TableStatus("in-force", last)
        return TableStatus("carried-forward" if last.starter else "past-last-release", last)


def _spans_of(releases: tuple[Release, ...]) -> tuple[ReleaseSpan, ...]:
    """The days of each release: until the next one begins; the first of a CSV table on all days before as well."""
    if not releases:
        return ()
    ends = [(later.since or date.min) - timedelta(days=1) for _, later in pairwise(releases)]
    firsts = [release.since or date.min for release in releases]
    if releases[0].loaded is None:
        firsts[0] = date.min
    return tuple(map(ReleaseSpan, firsts, (*ends, date.max), releases))


def within(windows: Windows, span: ReleaseSpan) -> Windows:
    """The windows, cut to the days of a release; those outside these days are left out."""
    return tuple(
        edit._replace(since=max(edit.since or span.first, span.first), deleted=_earlier(edit.deleted, span.last))
        for edit in windows
        if _runs_within(edit, span)
    )


def _earlier(deleted: date | None, last: date) -> date | None:
    return deleted if last == date.max else min(deleted or last, last)


def _runs_within(edit: PtpEdit, span: ReleaseSpan) -> bool:
    return (edit.since or span.first) <= span.last and (edit.deleted or span.last) >= span.first
