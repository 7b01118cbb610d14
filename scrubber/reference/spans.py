"""Look-ups of facts and money: on which days each release of a table answers."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from scrubber.reference.backend import Windows
from scrubber.reference.rows import PtpEdit, Release


class Span(NamedTuple):
    """The days on which a release answers, the last one included."""

    first: date
    last: date
    release: Release


def spans_of(releases: tuple[Release, ...]) -> tuple[Span, ...]:
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
