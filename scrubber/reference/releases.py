"""Which release of a table answers on which days, and what a store of rows must be able to do.

The rows of a table lie in parts: one for each release that was loaded, and one for all releases of a table typed by
hand. A part is named by the SHA-256 of what it was read from, as its releases are. A backend never changes while it is
open, and may be asked from any thread and after a fork.
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
from scrubber.reference.tables import MEDICAID, TABLES, R, Table, rows_lie_in


class Release(NamedTuple):
    """One published release of a table. `sha256` is of the bytes it was read from, and finds its rows; of tables typed
    by hand it is also of the days of their releases.

    `starter`: typed by hand, shipped with us. `rows` counts those of this table; `loaded` is the moment (UTC) at which
    a published file was loaded, None for tables typed by hand, whose rows tell their own days.

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


Silence = Literal["no-table", "table-does-not-reach"]  # why a table says nothing of a day


class TableStanding(NamedTuple):
    """How a day lies to the releases of a table, and the release that answers for it.

    The release is None when the table has none; before the first one, it is the first.
    """

    word: Literal["in-force", "carried-forward", "past-last-release", "before-first-release"]
    release: Release | None


Pair = tuple[str, str]
Windows = tuple[PtpEdit, ...]


class Backend(Protocol):
    """Rows by table, part and key, whatever their dates, and the releases that they came from."""

    def rows(self, table: Table[R], part: str, key: str) -> tuple[R, ...]:
        """Every row under `key`, in the order in which they were put in; PTP windows by column 2 and first day."""

    def ptp_among(self, part: str, codes: frozenset[str]) -> Mapping[Pair, Windows]:
        """Every PTP window with both codes among `codes`, by (column 1, column 2) and in that order."""

    def ptp_of(self, part: str, code: str, day: date) -> Sequence[PtpEdit]:
        """The PTP edits in force on a day with the code in column 1, by column 2; then in column 2, by column 1."""

    def every(self, table: Table[R], part: str) -> Iterator[tuple[str, tuple[R, ...]]]:
        """Every key with its rows, in the order of the keys."""

    def releases(self) -> tuple[Release, ...]:
        """All releases, by table and then by first day."""


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
