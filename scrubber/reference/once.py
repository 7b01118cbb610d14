"""Before any claim: rows of one release that say the same thing twice, or two things where one can hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from scrubber.reference.catalogue import Table
from scrubber.reference.edit_rows import NEVER

NOT_COMPARED = ("source", "release")  # where a row is from
# What rows may differ in without a contradiction: CMS lists an edit that was never in force with two rationales.
NOT_DECIDING = (*NOT_COMPARED, "rationale", "since", "until", "deleted")


class Contradiction(NamedTuple):
    """Two rows with the same name and days that differ in what they say."""

    one: Any
    other: Any


class Contradicted(Exception):
    """A release contradicts itself."""

    def __init__(self, found: list[Contradiction]) -> None:
        super().__init__(f"{len(found)} rows contradict others")
        self.found = found


def kept_once(table: Table[Any], rows: Iterable[Any], contradictions: list[Contradiction]) -> list[Any]:
    """The rows, the first of those that say the same of the same days.

    Adds to `contradictions` those of one name that say different things of a day which both have.
    """
    kept: list[Any] = []
    named: dict[tuple[Any, ...], list[Any]] = {}
    for row in rows:
        others = named.setdefault(name_of(table, row), [])
        against = next((other for other in others if _contradict(other, row)), None)
        if against is not None:
            contradictions.append(Contradiction(against, row))
        if not any(_same_days(other, row) for other in others):
            others.append(row)
            kept.append(row)
    return kept


def _contradict(one: Any, other: Any) -> bool:
    together = _same_days(one, other) or _on_one_day(one, other)
    return together and said(one, NOT_DECIDING) != said(other, NOT_DECIDING)


def _same_days(one: Any, other: Any) -> bool:
    return bool((one.since, one.until) == (other.since, other.until))


def _on_one_day(one: Any, other: Any) -> bool:
    """Whether both answer on a day. An edit that was never in force answers on none."""
    if NEVER in (getattr(one, "indicator", None), getattr(other, "indicator", None)):
        return False
    return _begins_before_end(one, other) and _begins_before_end(other, one)


def _begins_before_end(one: Any, other: Any) -> bool:
    return one.since is None or other.until is None or bool(one.since < other.until)


def name_of(table: Table[Any], row: Any) -> tuple[Any, ...]:
    """The cells that tell a row of a table apart from others."""
    return tuple(getattr(row, column) for column in table.unique)


def said(row: Any, but: tuple[str, ...] = NOT_COMPARED) -> tuple[Any, ...]:
    """What a row says in all its columns but some, which are those that tell where it is from."""
    return tuple(cell for name, cell in zip(row._fields, row, strict=True) if name not in but)
