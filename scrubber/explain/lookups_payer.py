"""Look-ups behind who pays: line of business, payer name and Medicare contractor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from scrubber.dated_rows import in_force, on
from scrubber.explain.context import MOST_ROWS, Ground, of_book, of_reference
from scrubber.explain.model import Lookup
from scrubber.explain.text import in_days
from scrubber.facts.coverage import BASE_STUDIES
from scrubber.facts.documentation import CLEARED, OTHER_STUDIES, ROUTINE, SPINE_STUDIES, Documents
from scrubber.facts.fact import Fact
from scrubber.facts.notices import EDITIONS, FORMS, GENERIC_REASONS
from scrubber.facts.payer import NO_ZIP, where_furnished, zip_of
from scrubber.reference.tables import ARTICLES, CONTRACTORS, ZIP_LOCALITY
from scrubber.rulebook.condition_words import join_first
from scrubber.rulebook.rule_tables import CodeListRow, NeededElementRow, PolicyRow
from scrubber.rulebook.satisfiable import in_range


def payer_lookups(ground: Ground) -> Iterator[Lookup]:
    """How the payer was told from the claim. Repeats no payer id or name that no table knows."""
    yield _line_of_business(ground)
    yield _name(ground)
    contractor = _contractor(ground)
    if contractor is not None:
        yield contractor


def _line_of_business(ground: Ground) -> Lookup:
    claim, day, book = ground.claim, ground.known.day, ground.book
    plan = on((row for row in book.rows.get("plans", ()) if row.plan == claim.context.plan), day)
    if plan is not None:
        says = f"the stated plan {plan.plan} is {plan.line_of_business}; it goes before the claim filing indicator"
        return of_book("plans", plan, says, book)
    rows = book.rows.get("filing-indicators", ())
    row = on((row for row in rows if row.filing_indicator == claim.filing_indicator), day)
    if row is None:
        return Lookup("filing-indicators", "no row knows the claim filing indicator: the line of business is unknown")
    return of_book("filing-indicators", row, f"filing indicator {row.filing_indicator} is {row.line_of_business}", book)


def _name(ground: Ground) -> Lookup:
    claim, day, book = ground.claim, ground.known.day, ground.book
    for sent, what in ((claim.payer_id, "payer id"), (claim.payer_name, "payer name")):
        row = on((row for row in book.rows.get("aliases", ()) if row.payer_id == sent), day)
        if row is not None:
            return of_book("aliases", row, f"the {what} {row.payer_id} is {row.payer}", book)
    return Lookup("aliases", "no row knows the payer id or name, so rows that name a payer do not answer")


def _contractor(ground: Ground) -> Lookup | None:
    """By the ZIP code where the service was furnished, else by a state that has one contractor."""
    place, day = where_furnished(ground.claim), ground.known.day
    if ground.known.payer.line_of_business != "original-medicare" or place is None or place.address is None:
        return None
    row = ground.reference.locality_of_zip(zip_of(place) or NO_ZIP, day)
    if row is not None and row.nine_digits_decide:
        return _by_state(place.address.state, day, ground, "nine digits of the ZIP code of the place of service decide")
    if row is not None:
        says = f"the ZIP code of the place of service lies in locality {row.locality}: contractor {row.contractor}"
        return of_reference(ZIP_LOCALITY, [row], says, day, ground.reference)
    return _by_state(place.address.state, day, ground, "no row has the ZIP code of the place of service")


def _by_state(state: str | None, day: date, ground: Ground, why: str) -> Lookup:
    numbers = ground.reference.contractors_of_state(state or "", day)
    found = {0: "and no row is about its state", 1: f"its state has one contractor, {''.join(numbers)}"}
    because = found.get(len(numbers), "its state has several contractors")
    says = f"{why}; {because}"
    return of_reference(CONTRACTORS, [], says, day, ground.reference)


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
    told = join_first(
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


CODE = 5  # characters of a procedure code; a longer text is not repeated


def in_list(name: str, code: str, day: date, ground: Ground) -> Lookup:
    """The row of a code list in which a code stands on a day, or that there is none."""
    rows = [row for row in ground.book.rows.get("code-lists", ()) if row.list == name and _names(row, code)]
    row = next((row for row in rows if in_force(row, day)), None)
    if row is not None:
        return of_book("code-lists", row, f"{code} stands in the list {name} {in_days(row)}", ground.book)
    if rows:
        return of_book("code-lists", rows[0], f"{code} stands in the list {name} only {in_days(rows[0])}", ground.book)
    return Lookup("code-lists", f"{code} does not stand in the list {name}")


def source_study(fact: Fact, day: date, ground: Ground) -> Iterator[Lookup]:
    """The code of the study that a score was calculated from: the stated one, else those of the claim."""
    stated = Documents(ground.claim).of(fact.lines[0]).get("sourceStudy.code")
    codes = [stated.strip().upper().partition("-")[0]] if isinstance(stated, str) else _billed(ground)
    if any(len(code) > CODE for code in codes):
        yield Lookup("code-lists", "the stated study is no procedure code")
        return
    for code in codes[:MOST_ROWS]:
        found = [in_list(name, code, day, ground) for name in (SPINE_STUDIES, OTHER_STUDIES)]
        yield next((lookup for lookup in found if lookup.row), found[0])


def base_study(_fact: Fact, day: date, ground: Ground) -> Iterator[Lookup]:
    """The studies that an adjunct goes with, among the codes of the claim."""
    for code in _billed(ground)[:MOST_ROWS]:
        yield in_list(BASE_STUDIES, code, day, ground)


def software(_fact: Fact, day: date, ground: Ground) -> Iterator[Lookup]:
    """The clearances of software that are in force."""
    rows = [row for row in ground.book.rows.get("code-lists", ()) if row.list == CLEARED and in_force(row, day)]
    for row in rows[:MOST_ROWS]:
        yield of_book("code-lists", row, f"{row.code} is a clearance of the list {CLEARED} {in_days(row)}", ground.book)


def indication(fact: Fact, _day: date, ground: Ground) -> Iterator[Lookup]:
    """That a stated indication is, or is none of, the routine ones; never the text itself."""
    count = sum(row.list == ROUTINE for row in ground.book.rows.get("code-lists", ()))
    if "indication" in fact.values:
        word = "one" if fact.values["indication"] == "routine-only" else "none"
        yield Lookup("code-lists", f"the stated indication is {word} of the {count} rows of the list {ROUTINE}")


def notice_lists(_fact: Fact, _day: date, ground: Ground) -> Iterator[Lookup]:
    """Which forms count as a notice, and which reasons as generic; never what was sent."""
    yield Lookup("code-lists", f"forms that count as a notice are the {_size(FORMS, ground)} rows of the list {FORMS}")
    count = _size(GENERIC_REASONS, ground)
    yield Lookup("code-lists", f"reasons that say too little are the {count} rows of the list {GENERIC_REASONS}")


def form_edition(fact: Fact, _day: date, ground: Ground) -> Iterator[Lookup]:
    """The editions of the form that had to be used on the day of the notice."""
    day = fact.values.get("noticeDay")
    for row in ground.book.rows.get("code-lists", ()):
        if row.list == EDITIONS and day is not None and in_force(row, date.fromordinal(day)):
            says = f"the edition to be used is the one that expires on {row.code}, {in_days(row)}"
            yield of_book("code-lists", row, says, ground.book)


def _size(name: str, ground: Ground) -> int:
    return sum(row.list == name for row in ground.book.rows.get("code-lists", ()))


def needed(fact: Fact, day: date, ground: Ground) -> Iterator[Lookup]:
    """The row that says how much the transaction needs an element."""
    rows: list[NeededElementRow] = [
        row for row in ground.book.needed_elements(day) if row.element == fact.values.get("element")
    ]
    for row in rows:
        says = f"{row.element} is {row.need} {in_days(row)} ({row.source})"
        yield of_book("needed-elements", row, says, ground.book)


def _billed(ground: Ground) -> list[str]:
    return list(dict.fromkeys(line.procedure for line in ground.claim.lines if line.procedure))


def _names(row: CodeListRow, code: str) -> bool:
    if row.through is None:
        return row.code == code
    return in_range(code, row.code, row.through)
