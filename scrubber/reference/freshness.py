"""Beside the path of a claim: which tables do not reach a day, and by how much."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from scrubber.reference.catalogue import MEDICAID, TABLES
from scrubber.reference.releases import TableStanding
from scrubber.reference.store import Reference


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
