"""Puts into words what was looked up in lists of codes, list by list, for explanations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date

from scrubber.dated_rows import in_force, on
from scrubber.explain.context import MOST_ROWS, ExplanationContext, of_book
from scrubber.explain.model import LookupExplained
from scrubber.explain.record import RecordedLookup
from scrubber.explain.text import in_days
from scrubber.facts.fact import Fact
from scrubber.facts.notices import EDITIONS, FORMS, GENERIC_REASONS
from scrubber.rulebook.rule_tables import CodeListRow
from scrubber.rulebook.satisfiable import in_range
from scrubber.rulebook.vocabulary import LISTS_READ

Recorded = Sequence[RecordedLookup]
RowWords = Callable[[Recorded, Fact, date, ExplanationContext], Iterator[LookupExplained]]

LONGEST_CODE = 5  # characters of a procedure code; a longer text is not repeated
REPEATABLE = frozenset(
    ("procedures", "modifiers", "diagnoses", "places", "x12-codes")
)  # types of lists: codes, no texts


def of_list(record: Iterable[RecordedLookup], name: str) -> list[RecordedLookup]:
    """The codes that were looked up in a list on a day."""
    return [each for each in record if each.what == "contains" and each.by[0] == name]


def lists(recorded: Recorded, fact: Fact, day: date, context: ExplanationContext) -> Iterator[LookupExplained]:
    """What was looked up in lists of codes, list by list."""
    for name in dict.fromkeys(each.by[0] for each in recorded):
        words = _OF_LIST.get(name, code_list)
        yield from words([each for each in recorded if each.by[0] == name], fact, day, context)


def code_list(recorded: Recorded, _fact: Fact, _day: date, context: ExplanationContext) -> Iterator[LookupExplained]:
    """The row in which each code stands, or that there is none; texts and taxonomy codes are not repeated."""
    codes = [each for each in recorded if each.what == "contains" and each.by[1]]
    if not codes:
        return
    name = codes[0].by[0]
    kind = LISTS_READ.get(name, "procedures")
    if kind == "words":
        yield LookupExplained(
            "code-lists", f"what was sent was held against the {_size(name, context)} rows of the list {name}"
        )
    elif kind not in REPEATABLE:
        what = "the taxonomy code" if kind == "taxonomies" else "what was sent"
        stands = "stands" if any(each.found for each in codes) else "does not stand"
        yield LookupExplained("code-lists", f"{what} {stands} in the list {name}")
    else:
        for each in codes[:MOST_ROWS]:
            yield in_list(name, each.by[1], date.fromordinal(each.by[2]), context)


def held_against(name: str, sent: object, day: date, context: ExplanationContext) -> Iterator[LookupExplained]:
    """What a report states against a list: its codes one by one; of texts the rows in force, of words how many."""
    kind = next((pack.lists[name] for pack in context.book.packs.values() if name in pack.lists), "text")
    if kind in REPEATABLE:
        if isinstance(sent, str) and len(sent) <= LONGEST_CODE:
            yield in_list(name, sent, day, context)
    elif kind == "words":
        says = f"what was sent was held against the {_size(name, context)} rows of the list {name}"
        yield LookupExplained("code-lists", says)
    else:
        rows = [row for row in context.book.rows.get("code-lists", ()) if row.list == name and in_force(row, day)]
        for row in rows[:MOST_ROWS]:
            yield of_book("code-lists", row, f"{row.code} stands in the list {name} {in_days(row)}", context.book)


def in_list(name: str, code: str, day: date, context: ExplanationContext) -> LookupExplained:
    """The row of a code list in which a code stands on a day, or that there is none."""
    rows = [row for row in context.book.rows.get("code-lists", ()) if row.list == name and _names(row, code)]
    row = on(rows, day)
    if row is not None:
        return of_book("code-lists", row, f"{code} stands in the list {name} {in_days(row)}", context.book)
    if rows:
        says = f"{code} stands in the list {name} only {in_days(rows[0])}"
        return of_book("code-lists", rows[0], says, context.book)
    return LookupExplained("code-lists", f"{code} does not stand in the list {name}")


def _names(row: CodeListRow, code: str) -> bool:
    return row.code == code if row.through is None else in_range(code, row.code, row.through)


def _size(name: str, context: ExplanationContext) -> int:
    return sum(row.list == name for row in context.book.rows.get("code-lists", ()))


def _forms(_made: Recorded, _fact: Fact, _day: date, context: ExplanationContext) -> Iterator[LookupExplained]:
    """Which forms count as a notice; never what was sent."""
    says = f"forms that count as a notice are the {_size(FORMS, context)} rows of the list {FORMS}"
    yield LookupExplained("code-lists", says)


def _reasons(_made: Recorded, _fact: Fact, _day: date, context: ExplanationContext) -> Iterator[LookupExplained]:
    """Which reasons count as generic; never what was sent."""
    count = _size(GENERIC_REASONS, context)
    yield LookupExplained(
        "code-lists", f"reasons that say too little are the {count} rows of the list {GENERIC_REASONS}"
    )


def _editions(_made: Recorded, fact: Fact, _day: date, context: ExplanationContext) -> Iterator[LookupExplained]:
    """The editions of the form that had to be used on the day of the notice."""
    day = fact.values.get("noticeDay")
    for row in context.book.rows.get("code-lists", ()):
        if row.list == EDITIONS and day is not None and in_force(row, date.fromordinal(day)):
            says = f"the edition to be used is the one that expires on {row.code}, {in_days(row)}"
            yield of_book("code-lists", row, says, context.book)


_OF_LIST: Mapping[str, RowWords] = {
    FORMS: _forms,
    GENERIC_REASONS: _reasons,
    EDITIONS: _editions,
}
