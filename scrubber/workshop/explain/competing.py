"""Beside the path: rows for payers that competed to answer, and why the one that did went before the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from scrubber.rulebook.book import Rulebook
from scrubber.rulebook.rule import Rule
from scrubber.rulebook.tables import AdoptionRow, Payer, PolicyRow, Scoped, best, fits, weight
from scrubber.tables import in_force
from scrubber.workshop.explain.explanation import Adoption, Candidate
from scrubber.workshop.explain.words import in_days

MOST_ROWS = 20
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
    row = best(rows, payer, day)
    pack = book.packs[rule.pack]
    named = f"pack {pack.name} ({pack.title})"
    if row is not None:
        verb = "applies" if row.adopted else "does not apply"
        by = book.place("adoptions", row) or "adoptions"
        said = f"the payer {verb} {named}, by the row {_scope(row)} in {by}"
    elif adopted:
        said = f"{named} holds for every payer, and no row of adoptions says otherwise"
    else:
        said = f"no row of adoptions says whether this payer applies {named}, which holds only for payers with a row"
    return Adoption(adopted, said, candidates(rows, "adoptions", payer, day, book, _says_adopted))


def policies(code: str, payer: Payer, day: date, book: Rulebook) -> tuple[Candidate, ...]:
    """The coverage rows of a code that competed for the payer on a day."""
    rows: list[PolicyRow] = [row for row in book.rows.get("policies", ()) if row.code == code]
    return candidates(rows, "policies", payer, day, book, _says_policy)


def settling_row(pack: str, payer: Payer) -> str:
    """A row of adoptions.csv that would settle whether the payer applies a pack."""
    return EXAMPLE.format(pack=pack, line_of_business=payer.line_of_business)


def candidates(
    rows: Iterable[Any], kind: str, payer: Payer, day: date, book: Rulebook, says: Callable[[Any], str]
) -> tuple[Candidate, ...]:
    """The row that answered first, then the others by weight."""
    every = tuple(rows)
    won = best(every, payer, day)
    in_order = sorted(every, key=lambda row: (row is not won, -weight(row)))
    return tuple(
        Candidate(book.place(kind, row), _scope(row), says(row), in_days(row), row is won, _why(row, won, payer, day))
        for row in in_order[:MOST_ROWS]
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
    return "answers: " + ("it says most of the payer" if weight(row) else "no row names the payer more closely")


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


def _says_policy(row: PolicyRow) -> str:
    parts = [f"{row.status}; a line that fails it is to {row.effect}"]
    parts += [f"diagnosis list {row.diagnosis_list}"] if row.diagnosis_list else []
    parts += [f"frequency {row.frequency}"] if row.frequency else []
    return f"{'; '.join(parts)} ({row.title})"
