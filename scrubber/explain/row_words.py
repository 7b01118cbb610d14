"""Puts the rows that facts were made from into words, one function a kind of look-up, for explanations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from scrubber.dated_rows import in_force, on
from scrubber.explain.code_list_words import Recorded, RowWords, code_list, lists, of_list
from scrubber.explain.context import MOST_ROWS, ExplanationContext, missed, of_book, of_reference, row_in_force
from scrubber.explain.model import LookupExplained
from scrubber.explain.record import RecordedLookup
from scrubber.explain.text import in_days
from scrubber.facts.fact import LIST, ROWS, Fact
from scrubber.facts.pair import EITHER_LINE_SINCE, LISTS_BY_GROUP
from scrubber.reference import Reference
from scrubber.reference.rows import PtpEdit
from scrubber.reference.tables import (
    ARTICLES,
    HCPCS_MODIFIERS,
    ICD10CM,
    ICD10CM_HEADERS,
    ICD10CM_NOTES,
    MODIFIERS,
    MPFS,
    MUE,
    PLACE_OF_SERVICE,
    PTP,
    TABLES,
    TAXONOMY,
)
from scrubber.rulebook.condition_words import join_first
from scrubber.rulebook.rule_tables import most_specific

DATED = ("code", "since", "until", "source")
FEE = ("code", "status", "pc_tc", "facility_na", "since", "until", "release", "source")
GLOBAL_DAYS = ("code", "status", "global_days", "since", "until", "release", "source")
BILATERAL = ("code", "status", "bilateral", "since", "until", "release", "source")


def _answer(
    looked_up: RecordedLookup, table: str, row: Any, says: str, day: date, columns: Iterable[str] = ()
) -> LookupExplained:
    return of_reference(TABLES[table], [row] if row else [], says, day, looked_up.reference, columns)


def _rows(looked_up: RecordedLookup, table: str) -> tuple[Any, ...]:
    """The rows that the look-up read in a table."""
    return next((rows for name, rows in looked_up.rows if name == table), ())


def procedure(recorded: Recorded, _fact: Fact, day: date, _context: ExplanationContext) -> Iterator[LookupExplained]:
    """The code in the first of the tables that has rows of it: CPT, HCPCS codes, else the fee schedule."""
    for each in recorded:
        code = each.by[0]
        table, rows = next(((name, rows) for name, rows in each.rows if rows), each.rows[-1])
        if table == MPFS.name:
            yield _of_fee(each, code, on(rows, day), rows, day)
            continue
        row = on(rows, day)
        says = f"{code} may be billed {in_days(row)}" if row else missed(rows, day, f"{code} may be billed")
        yield _answer(each, table, row, says, day, DATED)


def fee(recorded: Recorded, fact: Fact, day: date, _context: ExplanationContext) -> Iterator[LookupExplained]:
    """The fee schedule's row of a code, or of a part of it."""
    for each in recorded:
        code, component, _ = each.by
        row = each.found
        if fact.kind == "visit":
            says = f"{code}: global days {row.global_days}, status {row.status}" if row else f"{code} has no row"
            yield _answer(each, MPFS.name, row, says, day, GLOBAL_DAYS)
        elif fact.kind == "code-day":
            says = f"{code}: bilateral surgery indicator {row.bilateral}" if row else f"{code} has no row"
            yield _answer(each, MPFS.name, row, says, day, BILATERAL)
        else:
            named = f"{code} with modifier {component}" if component else code
            yield _of_fee(each, named, row, _rows(each, MPFS.name), day)


def _of_fee(looked_up: RecordedLookup, named: str, row: Any, rows: Iterable[Any], day: date) -> LookupExplained:
    says = missed(rows, day, f"{named} is on the fee schedule")
    if row is not None:
        where = "not done in a facility" if row.facility_na else "may be done in a facility"
        says = f"{named}: status {row.status}, PC/TC indicator {row.pc_tc}, {where}"
    return _answer(looked_up, MPFS.name, row, says, day, FEE)


def modifiers(recorded: Recorded, fact: Fact, day: date, context: ExplanationContext) -> Iterator[LookupExplained]:
    """Each modifier in the tables of modifiers; of a pair, what each may do."""
    if fact.kind == "pair":
        yield from _separators(recorded, fact, day, context)
        return
    for each in recorded[:MOST_ROWS]:
        modifier, row = each.by[0], each.found
        says = f"modifier {modifier} is known" if row else f"modifier {modifier} stands in no loaded table"
        yield _answer(each, _table_of_modifier(each), row, says, day)


def _table_of_modifier(looked_up: RecordedLookup) -> str:
    return HCPCS_MODIFIERS.name if _rows(looked_up, HCPCS_MODIFIERS.name) else MODIFIERS.name


def place(recorded: Recorded, _fact: Fact, day: date, _context: ExplanationContext) -> Iterator[LookupExplained]:
    """The place of service, and which rate it pays."""
    for each in recorded:
        code, row = each.by[0], each.found
        says = f"place of service {code} pays the {row.setting} rate" if row else f"no row for place of service {code}"
        yield _answer(each, PLACE_OF_SERVICE.name, row, says, day)


def mue(recorded: Recorded, _fact: Fact, day: date, _context: ExplanationContext) -> Iterator[LookupExplained]:
    """The medically unlikely edit of the code."""
    for each in recorded:
        code, row = each.by[0], each.found
        says = f"no medically unlikely edit of {code} is known on {day}"
        if row is not None:
            counted = "each line by itself" if row.indicator == "1" else "all lines of the day together"
            says = f"at most {row.units} of {code} a day, adjudication indicator {row.indicator}: {counted}"
        yield _answer(each, MUE.name, row, says, day)


def taxonomy(recorded: Recorded, _fact: Fact, day: date, _context: ExplanationContext) -> Iterator[LookupExplained]:
    """The class of the rendering provider's taxonomy code, which is not repeated."""
    for each in recorded:
        row = each.found
        says = "no row for the taxonomy code"
        if row is not None:
            says = f"taxonomy codes that begin with {row.prefix}: {row.provider_class}"
        yield _answer(each, TAXONOMY.name, row, says, day)


_INDICATORS = {
    "0": "no modifier ever separates the two",
    "1": "a modifier may separate the two where the record supports it",
    "9": "the edit was never in force",
}


def edits(recorded: Recorded, fact: Fact, day: date, _context: ExplanationContext) -> Iterator[LookupExplained]:
    """The windows of the edit between the two codes, the one that answered first."""
    if "first" not in fact.values:  # a fact of units
        return
    pair = fact.values["first"], fact.values["second"]
    for each in recorded:
        yield from windows(*pair, each.found.get(pair, ()), day, each.reference)


def windows(
    column1: str, column2: str, found: Sequence[PtpEdit], day: date, reference: Reference
) -> Iterator[LookupExplained]:
    """Every window of a PTP edit, and one look-up that says so where there is none."""
    for edit in sorted(found, key=lambda edit: not _holds(edit, day))[:MOST_ROWS]:
        word = "answers" if _holds(edit, day) else f"does not hold on {day}"
        says = (
            f"{column2} beside {column1}, {in_days(edit)}: indicator {edit.indicator},"
            f" {_INDICATORS[edit.indicator]}; {word}"
        )
        yield of_reference(PTP, [edit], says, day, reference)
    if not found:
        yield of_reference(PTP, [], f"no edit puts {column2} into column 2 beside {column1}", day, reference)


def _holds(edit: PtpEdit, day: date) -> bool:
    return edit.indicator != "9" and in_force(edit, day)


def _separators(recorded: Recorded, fact: Fact, day: date, context: ExplanationContext) -> Iterator[LookupExplained]:
    """What each modifier of the two lines may do, and the rule of the two lines."""
    views = [context.known.views[number - 1] for number in (*fact.lines, *fact.related[:1])]
    carried = dict.fromkeys((view.number, modifier) for view in views for modifier in view.line.modifiers)
    if not carried and "bypass" in fact.values:
        says = f"lines {join_first((view.number for view in views), ' and ')} carry no modifier"
        yield of_reference(MODIFIERS, [], says, day, context.reference)
    by_code = {each.by[0]: each for each in recorded}
    for number, modifier in [each for each in carried if each[1] in by_code][:MOST_ROWS]:
        each = by_code[modifier]
        says = _of_modifier(number, modifier, each.found.ncci if each.found else None, fact, day)
        yield _answer(each, MODIFIERS.name, each.found, says, day)


def _of_modifier(number: int, modifier: str, group: str | None, fact: Fact, day: date) -> str:
    named = f"modifier {modifier} on line {number}"
    if group is None:
        return f"{named} stands in no loaded table"
    if not group:
        return f"{named} separates no pair of codes"
    if fact.values.get("modifierIndicator") == "0":
        return f"{named} may separate pairs (group {group}), but not this one: its indicator is 0"
    if day < EITHER_LINE_SINCE and number not in fact.lines:
        return f"{named} counts on the column 1 line only from {EITHER_LINE_SINCE} on"
    if group in LISTS_BY_GROUP:
        codes = LISTS_BY_GROUP[group]
        return f"{named} separates a pair (group {group}) only where it stands on a code of the list {codes}"
    if group == "anatomic":
        return f"{named} (group {group}) separates procedures only where both lines name a site and the sites differ"
    return f"{named} may separate pairs (group {group})"


def diagnosis(recorded: Recorded, fact: Fact, day: date, _context: ExplanationContext) -> Iterator[LookupExplained]:
    """What the list of billable codes says of the code."""
    for each in recorded:
        says = f"{each.by[0]}: {fact.values['standing'].replace('-', ' ')} as a billable code"
        yield _answer(each, ICD10CM.name, on(_rows(each, ICD10CM.name), day), says, day)


def header(recorded: Recorded, _fact: Fact, day: date, _context: ExplanationContext) -> Iterator[LookupExplained]:
    """That the code is divided further, where it is."""
    for each in recorded:
        if each.found:
            row = on(_rows(each, ICD10CM_HEADERS.name), day)
            yield _answer(each, ICD10CM_HEADERS.name, row, f"{each.by[0]} is divided further", day)


def notes(recorded: Recorded, _fact: Fact, day: date, _context: ExplanationContext) -> Iterator[LookupExplained]:
    """The notes at the code and at all that it begins with."""
    for each in recorded:
        for note in each.found[:MOST_ROWS]:
            names = f" {note.other}{f' through {note.through}' if note.through else ''}" if note.other else ""
            doubt = ", with words that narrow it" if note.conditional else ""
            yield _answer(each, ICD10CM_NOTES.name, note, f"note at {note.code}: {note.kind}{names}{doubt}", day)


def limits(recorded: Recorded, _fact: Fact, day: date, context: ExplanationContext) -> Iterator[LookupExplained]:
    """The row of each limit, where one is in force."""
    for each in recorded:
        row = row_in_force(each, day)
        if row is not None:
            yield of_book("limits", row, f"{row.name} is {row.value} ({row.source})", context.book)


def diagnosis_lists(
    recorded: Recorded, fact: Fact, _day: date, context: ExplanationContext
) -> Iterator[LookupExplained]:
    """Each diagnosis of the line against the list of its policy row."""
    for each in recorded:
        name, rows = each.by[0], each.found
        if not any(row.test == "covered" for row in rows):
            says = f"the list {name} names no covered diagnosis, so that only excluded ones are told"
            yield LookupExplained("diagnosis-lists", says)
        for code in fact.values.get("diagnoses", ())[:MOST_ROWS]:
            found = [row for row in rows if (code.startswith(row.code) if row.prefix else code == row.code)]
            for row in found:
                yield of_book(
                    "diagnosis-lists", row, f"{code} is {row.test} in {row.list} ({row.source})", context.book
                )
            if not found:
                yield LookupExplained("diagnosis-lists", f"{code} does not stand in {name}")


def policy(recorded: Recorded, _fact: Fact, _day: date, _context: ExplanationContext) -> Iterator[LookupExplained]:
    """That the policy row of a line names no frequency limit; the row itself is listed among those that competed."""
    for each in recorded:
        if each.found is not None and each.found.frequency is None:
            yield LookupExplained("frequencies", "the policy row names no frequency limit")


def frequency(recorded: Recorded, fact: Fact, day: date, context: ExplanationContext) -> Iterator[LookupExplained]:
    """The frequency limit of the policy row, the earlier services that count for it, and diagnoses that except."""
    for each in recorded:
        limit = each.found
        if limit is None:
            yield LookupExplained("frequencies", f"the limit {each.by[0]} is not in force on {day}")
            continue
        says = f"{limit.months} full months between two services of the list {limit.code_list} ({limit.source})"
        yield of_book("frequencies", limit, says, context.book)
        record = context.looked_up(fact)
        yield LookupExplained("history", _earlier(limit.code_list, record, day, context))
        if limit.excepted_diagnoses is not None:
            yield from code_list(of_list(record, limit.excepted_diagnoses), fact, day, context)


def _earlier(code_list: str, record: Iterable[RecordedLookup], day: date, context: ExplanationContext) -> str:
    history = context.claim.context.history
    if history is None:
        return "no earlier services were supplied (scrubContext.history)"
    held = {each.by[1:] for each in of_list(record, code_list) if each.found}
    counted = [each for each in history if (each.code, each.day.toordinal()) in held]
    named = join_first(
        f"{each.code} on {each.day}" for each in sorted(counted, key=lambda each: each.day) if each.day <= day
    )
    return f"earlier services of the list: {named or 'none'}"


def articles(recorded: Recorded, fact: Fact, day: date, context: ExplanationContext) -> Iterator[LookupExplained]:
    """The local coverage articles that list the code, and what those that decide say of the diagnoses."""
    words = {each.by[0].row: each.found for each in context.looked_up(fact) if each.what == "article_diagnoses"}
    for each in recorded:
        code, contractor, _ = each.by
        for found in each.found[:MOST_ROWS]:
            row = found.row
            says = (
                f"article {row.article} version {row.version} of contractor {contractor}, {in_days(row)}, lists {code};"
                f" its {found.decides} decide"
            )
            says += f"; the line's diagnoses: {words[row]}" if row in words else ""
            yield _answer(each, ARTICLES.name, row, says, day)


_STANDINGS = {
    "in-force": "within a release",
    "carried-forward": "after the last release of the starter table, whose rows are carried forward",
    "past-last-release": "after the last loaded release, whose rows answer as stale",
    "before-first-release": "before the first release, so that the table says nothing",
}


def releases(recorded: Recorded, fact: Fact, day: date, _context: ExplanationContext) -> Iterator[LookupExplained]:
    """How the day lies to the releases of each table that does not reach it."""
    by_table = {each.by[0]: each for each in recorded}
    for name in fact.values.get("tables", ()):
        each = by_table[name]
        release = each.found.release
        says = f"{name}: {day} is {_STANDINGS[each.found.state]}"
        if release is not None:
            says += f"; the nearest release is {release.name}, {in_days(release)}"
        yield _answer(each, name, None, says, day)


def needed(recorded: Recorded, fact: Fact, _day: date, context: ExplanationContext) -> Iterator[LookupExplained]:
    """The row that says how much the transaction needs an element."""
    for each in recorded:
        for row in each.found:
            if row.element == fact.values.get("element"):
                says = f"{row.element} is {row.need} {in_days(row)} ({row.source})"
                yield of_book("needed-elements", row, says, context.book)


def adopted(recorded: Recorded, _fact: Fact, day: date, context: ExplanationContext) -> Iterator[LookupExplained]:
    """Whether the payer applies a pack."""
    for each in recorded:
        pack, payer, _ = each.by
        row = most_specific([row for _, rows in each.rows for row in rows], payer, day)
        says = {
            True: "the payer applies",
            False: "the payer does not apply",
            None: "no row says that the payer applies",
        }
        yield of_book("adoptions", row, f"{says[each.found]} pack {pack}", context.book)


def table(recorded: Recorded, fact: Fact, day: date, _context: ExplanationContext) -> Iterator[LookupExplained]:
    """A row of any other reference table; the key is repeated only where it is a code of the fact."""
    for each in recorded[:MOST_ROWS]:
        name, key, _ = each.by
        named = key if key in fact.values.values() else "what was sent"
        row = on(each.found, day)
        says = f"{named} has a row {in_days(row)}" if row else missed(each.found, day, f"{named} has a row")
        yield _answer(each, name, row, says, day)


# By what is looked up, in the order in which an explanation lists it.
WORDS: Mapping[str, RowWords] = {
    "ptp_among": edits,
    "procedure": procedure,
    "modifier": modifiers,
    "place_of_service": place,
    "fee": fee,
    "mue": mue,
    "taxonomy": taxonomy,
    "diagnosis": diagnosis,
    "is_diagnosis_header": header,
    "diagnosis_notes": notes,
    "limit": limits,
    "diagnosis_rows": diagnosis_lists,
    "policy": policy,
    "frequency": frequency,
    "coverage": articles,
    "table_status": releases,
    "adopted": adopted,
    LIST: lists,
    "needed_elements": needed,
    ROWS: table,
}
