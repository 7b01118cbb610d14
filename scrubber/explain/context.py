"""Holds what an explanation is made from, and words the rows of tables that compete in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from scrubber.claim.model import Claim
from scrubber.dated_rows import in_force, on
from scrubber.explain.model import Adoption, Candidate, LookupExplained
from scrubber.explain.record import Record, RecordedLookup, record_of_fact
from scrubber.explain.text import in_days
from scrubber.facts.fact import Fact
from scrubber.facts.medicaid import own_edits
from scrubber.reference import Reference
from scrubber.reference.tables import Table
from scrubber.rulebook.rule import Rule
from scrubber.rulebook.rule_tables import AdoptionRow, Payer, PolicyRow, Scoped, fits, most_specific, specificity
from scrubber.rulebook.rulebook import Rulebook
from scrubber.scrub import ClaimFacts

MOST_ROWS = 10  # of one look-up


@dataclass(frozen=True, repr=False)
class ExplanationContext:
    """The claim, what is known of it, and the rules and tables that it is held against."""

    claim: Claim
    known: ClaimFacts
    book: Rulebook
    reference: Reference
    received_on: date
    stale_after: int | None
    _records: dict[tuple[object, ...], Record] = field(default_factory=dict)

    def looked_up(self, fact: Fact) -> Record:
        """What was looked up for a fact; facts of one kind on the same lines share it."""
        key = fact.kind, fact.lines, fact.related
        if key not in self._records:
            self._records[key] = record_of_fact(
                fact, self.claim, self.known, self.book, self.reference, self.received_on, self.stale_after
            )
        return self._records[key]

    @property
    def edits(self) -> Reference:
        """The same tables, with the payer's own NCCI edits."""
        return own_edits(self.known.payer, self.reference)


def of_reference(
    table: Table[Any], rows: Iterable[Any], says: str, day: date, reference: Reference, columns: Iterable[str] = ()
) -> LookupExplained:
    """A look-up in a reference table; `rows` are those that answered, `columns` what is told of them (none: all)."""
    standing = reference.table_status(table.name, day)
    release = standing.release.name if standing.release else None
    row = next(iter(rows), None)
    return LookupExplained(table.name, says, cells(row, columns), None, release, standing.state)


def of_book(kind: str, row: Any, says: str, book: Rulebook) -> LookupExplained:
    """A look-up in a table beside the rules; `row` None: no row answered."""
    return LookupExplained(kind, says, cells(row), book.row_position(kind, row) if row is not None else None)


def cells(row: Any, columns: Iterable[str] = ()) -> Mapping[str, str]:
    """What stands in a row, by column, without blanks."""
    if row is None:
        return {}
    named = {column: getattr(row, column) for column in (tuple(columns) or row._fields)}
    return {column: _cell(value) for column, value in named.items() if value not in (None, "")}


def _cell(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def row_in_force(looked_up: RecordedLookup, day: date) -> Any:
    """The row in force on a day of those under a key of a table beside the rules; None when there is none."""
    return on((row for _, rows in looked_up.rows for row in rows), day)


def missed(rows: Iterable[Any], day: date, what: str) -> str:
    """Why no row answered: there is none, or those that there are run on other days."""
    others = [in_days(row) for row in rows if not in_force(row, day)]
    return f"{what} on other days only: {'; '.join(others[:3])}" if others else f"no row for {what}"


MOST_COMPETING = 20
EXAMPLE = "{pack},,{line_of_business},,,yes,,,WHERE IT SAYS SO"
# By weight: the row that names what stands first here goes before all others.
_SCOPE = (
    ("payer", "payer"),
    ("contractor", "contractor"),
    ("plan", "plan"),
    ("line_of_business", "line of business"),
)


def adoption(rule: Rule, payer: Payer, day: date, book: Rulebook) -> Adoption:
    """Whether the payer applies the rule's pack on a day, by which row."""
    rows: list[AdoptionRow] = [row for row in book.rows.get("adoptions", ()) if row.pack == rule.pack]
    adopted = book.adopted(rule.pack, payer, day)
    row = most_specific(rows, payer, day)
    pack = book.packs[rule.pack]
    named = f"pack {pack.name} ({pack.title})"
    if row is not None:
        verb = "applies" if row.adopted else "does not apply"
        by = book.row_position("adoptions", row) or "adoptions"
        said = f"the payer {verb} {named}, by the row {_scope(row)} in {by}"
    elif adopted:
        said = f"{named} holds for every payer, and no row of adoptions says otherwise"
    else:
        said = f"no row of adoptions says whether this payer applies {named}, which holds only for payers with a row"
    return Adoption(adopted, said, candidates(rows, "adoptions", payer, day, book, _says_adopted))


def example_row(pack: str, payer: Payer) -> str:
    """A row of adoptions.csv that would settle whether the payer applies a pack."""
    return EXAMPLE.format(pack=pack, line_of_business=payer.line_of_business)


def candidates(
    rows: Iterable[Any], kind: str, payer: Payer, day: date, book: Rulebook, says: Callable[[Any], str]
) -> tuple[Candidate, ...]:
    """The row that answered first, then the others by weight."""
    every = tuple(rows)
    won = most_specific(every, payer, day)
    in_order = sorted(every, key=lambda row: (row is not won, -specificity(row)))
    return tuple(
        Candidate(
            book.row_position(kind, row), _scope(row), says(row), in_days(row), row is won, _why(row, won, payer, day)
        )
        for row in in_order[:MOST_COMPETING]
    )


def _scope(row: Scoped) -> str:
    named = [f"{words} {getattr(row, column)}" for column, words in _SCOPE if getattr(row, column) is not None]
    return "for " + (", ".join(named) or "every payer")


def _why(row: Scoped, won: Scoped | None, payer: Payer, day: date) -> str:
    if not in_force(row, day):
        return f"not in force on {day}"
    if not fits(row, payer):
        return f"not for this claim: {_misfit(row, payer)}"
    if row is not won and won is not None:
        return f"fits, but the row {_scope(won)} says more: {_first_named(won)} goes before {_first_named(row)}"
    return "answers: " + ("it says most of the payer" if specificity(row) else "no row names the payer more closely")


def _first_named(row: Scoped) -> str:
    return next((f"a {words}" for column, words in _SCOPE if getattr(row, column) is not None), "a row for everyone")


def _misfit(row: Scoped, payer: Payer) -> str:
    of_claim = {"payer": payer.name, "line_of_business": payer.line_of_business, "plan": payer.plan,
                "contractor": payer.contractor}  # fmt: skip
    for column, words in _SCOPE:
        wanted = getattr(row, column)
        if wanted is not None and wanted != of_claim[column]:
            return f"its {words} is {of_claim[column] or 'not known'}"
    return "another payer"


def _says_adopted(row: AdoptionRow) -> str:
    return f"{'yes' if row.adopted else 'no'} ({row.source})"


def says_policy(row: PolicyRow) -> str:
    """What a coverage row says."""
    parts = [f"{row.status}; a line that fails it is to {row.effect}"]
    parts += [f"diagnosis list {row.diagnosis_list}"] if row.diagnosis_list else []
    parts += [f"frequency {row.frequency}"] if row.frequency else []
    return f"{'; '.join(parts)} ({row.title})"
