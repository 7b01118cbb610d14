"""Before any claim: rows of one release that say the same thing twice, or two things where one can hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from scrubber.reference.catalogue import Table

NOT_COMPARED = ("source", "release")  # where a row is from
NOT_DECIDING = (*NOT_COMPARED, "rationale")  # CMS lists an edit that was never in force with two of them


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
    """The rows, the first of those that say the same; adds to `contradictions` those of one name and the same days."""
    named: dict[tuple[Any, ...], Any] = {}
    for row in rows:
        first = named.setdefault((*name_of(table, row), row.since, row.until), row)
        if first is not row and said(first, NOT_DECIDING) != said(row, NOT_DECIDING):
            contradictions.append(Contradiction(first, row))
    return list(named.values())


def name_of(table: Table[Any], row: Any) -> tuple[Any, ...]:
    """The cells that tell a row of a table apart from others."""
    return tuple(getattr(row, column) for column in table.unique)


def said(row: Any, but: tuple[str, ...] = NOT_COMPARED) -> tuple[Any, ...]:
    """What a row says in all its columns but some, which are those that tell where it is from."""
    return tuple(cell for name, cell in zip(row._fields, row, strict=True) if name not in but)
