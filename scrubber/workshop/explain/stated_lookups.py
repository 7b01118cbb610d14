"""Beside the path: look-ups of what senders state: studies, software and indications of reports, forms of notices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from scrubber.facts.coverage import BASE_STUDIES
from scrubber.facts.documentation import CLEARED, OTHER_STUDIES, ROUTINE, SPINE_STUDIES, Documents
from scrubber.facts.fact import Fact
from scrubber.facts.notice import EDITIONS, FORMS, GENERIC_REASONS
from scrubber.rulebook.domains import within
from scrubber.rulebook.tables import CodeListRow, NeededElementRow
from scrubber.tables import in_force
from scrubber.workshop.explain.explanation import Lookup
from scrubber.workshop.explain.ground import MOST_ROWS, Ground, of_book
from scrubber.workshop.explain.words import in_days

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
    return within(code, row.code, row.through)
