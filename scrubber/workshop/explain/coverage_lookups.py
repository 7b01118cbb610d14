"""Beside the path: look-ups behind facts of coverage: diagnosis lists, frequency limits, local articles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from scrubber.facts.fact import Fact
from scrubber.reference.catalogue import ARTICLES
from scrubber.rulebook.tables import PolicyRow
from scrubber.tables import in_force, on
from scrubber.workshop.explain.explanation import Lookup
from scrubber.workshop.explain.ground import MOST_ROWS, Ground, of_book, of_reference
from scrubber.workshop.explain.stated_lookups import in_list
from scrubber.workshop.explain.words import in_days, listed


def policy_of(fact: Fact, day: date, ground: Ground) -> PolicyRow | None:
    """The policy row that answered for a line."""
    code = fact.values.get("procedure")
    return ground.book.policy(code, ground.known.payer, day) if code else None


def diagnoses(fact: Fact, day: date, ground: Ground) -> Iterator[Lookup]:
    """Each diagnosis of the line against the list of its policy row."""
    row = policy_of(fact, day, ground)
    if row is None or row.diagnosis_list is None:
        return
    rows = ground.book.diagnosis_rows(row.diagnosis_list, day)
    if not any(each.test == "covered" for each in rows):
        says = f"the list {row.diagnosis_list} names no covered diagnosis, so that only excluded ones are told"
        yield Lookup("diagnosis-lists", says)
    for code in fact.values.get("diagnoses", ())[:MOST_ROWS]:
        found = [each for each in rows if (code.startswith(each.code) if each.prefix else code == each.code)]
        for each in found:
            yield of_book("diagnosis-lists", each, f"{code} is {each.test} in {each.list} ({each.source})", ground.book)
        if not found:
            yield Lookup("diagnosis-lists", f"{code} does not stand in {row.diagnosis_list}")


def frequency(fact: Fact, day: date, ground: Ground) -> Iterator[Lookup]:
    """The frequency limit of the policy row, and the earlier services that count for it."""
    row = policy_of(fact, day, ground)
    if row is None:
        return
    if row.frequency is None:
        yield Lookup("frequencies", "the policy row names no frequency limit")
        return
    limit = on((each for each in ground.book.rows.get("frequencies", ()) if each.name == row.frequency), day)
    if limit is None:
        yield Lookup("frequencies", f"the limit {row.frequency} is not in force on {day}")
        return
    says = f"{limit.months} full months between two services of the list {limit.code_list} ({limit.source})"
    yield of_book("frequencies", limit, says, ground.book)
    yield Lookup("history", _earlier(limit.code_list, day, ground))
    if limit.excepted_diagnoses is not None:
        for code in fact.values.get("diagnoses", ())[:MOST_ROWS]:
            yield in_list(limit.excepted_diagnoses, code, day, ground)


def _earlier(code_list: str, day: date, ground: Ground) -> str:
    history = ground.claim.context.history
    if history is None:
        return "no earlier services were supplied (scrubContext.history)"
    counted = [each for each in history if ground.book.lists.contains(code_list, each.code, each.day.toordinal())]
    told = listed(
        f"{each.code} on {each.day}" for each in sorted(counted, key=lambda each: each.day) if each.day <= day
    )
    return f"earlier services of the list: {told or 'none'}"


def article(fact: Fact, day: date, ground: Ground) -> Iterator[Lookup]:
    """The local coverage articles that list the code, where no policy row speaks of it."""
    code, contractor = fact.values.get("procedure"), ground.known.payer.contractor
    if code is None or contractor is None or policy_of(fact, day, ground) is not None:
        return
    for found in ground.reference.coverage(code, contractor, day)[:MOST_ROWS]:
        row = found.row
        word = ground.reference.article_diagnoses(found, fact.values.get("diagnoses", ()), day)
        says = (
            f"article {row.article} version {row.version} of contractor {contractor}, {in_days(row)}, lists {code};"
            f" its {found.decides} decide; the line's diagnoses: {word}"
        )
        yield of_reference(ARTICLES, [row], says, day, ground.reference)


def no_row(code: str, day: date, ground: Ground) -> str:
    """Why nothing is known of the coverage of a code."""
    rows = [row for row in ground.book.rows.get("policies", ()) if row.code == code]
    tables = " or ".join(table.name for table in ground.book.tables if table.kind == "policies") or "policies"
    if not rows:
        said = f"no row of {tables} is about {code}"
    elif any(in_force(row, day) for row in rows):
        said = f"no row of {tables} about {code} is for this payer"
    else:
        said = f"no row of {tables} about {code} is in force on {day}"
    if ground.known.payer.line_of_business == "original-medicare":
        said += ", and no loaded article of the claim's contractor lists it"
    return said
