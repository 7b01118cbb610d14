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
    """Whether the payer applies the rule on a day, by which row of the rule or of its pack, and how severe it is."""
    adopted = book.applied(rule, payer, day)
    rows, of_rule = book.adoption_rows(rule.pack, None), book.adoption_rows(rule.pack, rule.id)
    own = book.adoption_row(rule, "adopted", payer, day)
    row = own or most_specific(rows, payer, day)
    pack = book.packs[rule.pack]
    what = f"pack {pack.name} ({pack.title})"
    if row is not None:
        verb = "applies" if row.adopted else "does not apply"
        because = f"the payer {verb} {'this rule' if own else what}, by the row {_scope(row)} in {_place(row, book)}"
        because += f" ({own.reason})" if own else ""
    elif adopted:
        because = f"{what} holds for every payer, and no row of adoptions says otherwise"
    else:
        because = f"no row of adoptions says whether this payer applies {what}, which holds only for payers with a row"
    because += _lowered(rule, payer, day, book)
    won = (own, book.adoption_row(rule, "severity", payer, day))
    competing = candidates(of_rule, "adoptions", payer, day, book, _says_adopted, won)
    others = candidates(rows, "adoptions", payer, day, book, _says_adopted)
    return Adoption(adopted, because, competing + (tuple(map(_gave_way, others)) if own else others))


def _place(row: AdoptionRow, book: Rulebook) -> str:
    return book.row_position("adoptions", row) or "adoptions"


def _lowered(rule: Rule, payer: Payer, day: date, book: Rulebook) -> str:
    row = book.adoption_row(rule, "severity", payer, day)
    if row is None:
        return ""
    by = f"by the row {_scope(row)} in {_place(row, book)} ({row.reason})"
    if rule.by_row is not None and rule.by_row.severity is not None:
        return f"; what it finds is at most {row.severity} there, whatever its own row says, {by}"
    return f"; what it finds is {row.severity} there and not {rule.severity}, {by}"


def _gave_way(row: Candidate) -> Candidate:
    """A row of the pack that would answer, were there none that names the rule."""
    because = "fits, but a row that names the rule goes before it" if row.answered else row.because
    return row._replace(answered=False, because=because)


def example_row(pack: str, payer: Payer) -> str:
    """A row of adoptions.csv that would settle whether the payer applies a pack."""
    return EXAMPLE.format(pack=pack, line_of_business=payer.line_of_business)


def candidates(
    rows: Iterable[Any],
    kind: str,
    payer: Payer,
    day: date,
    book: Rulebook,
    says: Callable[[Any], str],
    answering: Iterable[Any] = (),
) -> tuple[Candidate, ...]:
    """The rows that answered (`answering`, else the one that says most) first, then the others by weight."""
    every = tuple(rows)
    won = [row for row in answering if row is not None] or [*filter(None, (most_specific(every, payer, day),))]
    answered = set(map(id, won))
    in_order = sorted(every, key=lambda row: (id(row) not in answered, -specificity(row)))
    return tuple(
        Candidate(
            book.row_position(kind, row),
            _scope(row),
            says(row),
            in_days(row),
            id(row) in answered,
            _why(row, row if id(row) in answered else next(iter(won), None), payer, day),
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
    """What a row says: yes or no to a pack; of a rule also its severity, and why."""
    if row.rule is None:
        return f"{'yes' if row.adopted else 'no'} ({row.source})"
    word = {True: "yes", False: "no", None: ""}[row.adopted]
    return f"{row.rule}: {', '.join(filter(None, (word, row.severity)))} ({row.reason})"


def says_policy(row: PolicyRow) -> str:
    """What a coverage row says."""
    parts = [f"{row.status}; a line that fails it is to {row.effect}"]
    parts += [f"diagnosis list {row.diagnosis_list}"] if row.diagnosis_list else []
    parts += [f"frequency {row.frequency}"] if row.frequency else []
    return f"{'; '.join(parts)} ({row.title})"
