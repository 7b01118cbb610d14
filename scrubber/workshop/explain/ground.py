"""Beside the path: what an explanation stands on, and look-ups told as rows of tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from scrubber.claim import Claim
from scrubber.facts.fact import Fact
from scrubber.facts.lines import LineView
from scrubber.facts.medicare_edits import own_edits
from scrubber.reference import Reference
from scrubber.reference.catalogue import Table
from scrubber.rulebook.book import Rulebook
from scrubber.scrub import Known
from scrubber.tables import in_force
from scrubber.workshop.explain.explanation import Lookup
from scrubber.workshop.explain.words import in_days

MOST_ROWS = 10  # of one look-up


class Ground(NamedTuple):
    """The claim, what is known of it, and the rules and tables that it is held against."""

    claim: Claim
    known: Known
    book: Rulebook
    reference: Reference
    received_on: date

    @property
    def edits(self) -> Reference:
        """The same tables, with the payer's own NCCI edits."""
        return own_edits(self.known.payer, self.reference)

    def view(self, fact: Fact) -> LineView:
        """The line of a fact that stands on lines."""
        return self.known.views[fact.lines[0] - 1]


def of_reference(
    table: Table[Any], rows: Iterable[Any], says: str, day: date, reference: Reference, columns: Iterable[str] = ()
) -> Lookup:
    """A look-up in a reference table; `rows` are those that answered, `columns` what is told of them (none: all)."""
    standing = reference.standing(table.name, day)
    release = standing.release.name if standing.release else None
    row = next(iter(rows), None)
    return Lookup(table.name, says, cells(row, columns), None, release, standing.word)


def of_book(kind: str, row: Any, says: str, book: Rulebook) -> Lookup:
    """A look-up in a table beside the rules; `row` None: no row answered."""
    return Lookup(kind, says, cells(row), book.place(kind, row) if row is not None else None)


def cells(row: Any, columns: Iterable[str] = ()) -> Mapping[str, str]:
    """What stands in a row, by column, without blanks."""
    if row is None:
        return {}
    told = {column: getattr(row, column) for column in (tuple(columns) or row._fields)}
    return {column: _cell(value) for column, value in told.items() if value not in (None, "")}


def _cell(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def missed(rows: Iterable[Any], day: date, what: str) -> str:
    """Why no row answered: there is none, or those that there are run on other days."""
    others = [in_days(row) for row in rows if not in_force(row, day)]
    return f"{what} on other days only: {'; '.join(others[:3])}" if others else f"no row for {what}"
