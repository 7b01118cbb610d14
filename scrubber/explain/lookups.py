"""Look-ups behind facts of lines, days, documents and diagnoses, asked again of the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from scrubber.dated_rows import in_force, on
from scrubber.explain import lookups_payer
from scrubber.explain.conditions import day_of
from scrubber.explain.context import MOST_ROWS, Ground, missed, of_book, of_reference, policies
from scrubber.explain.lookups_payer import in_list
from scrubber.explain.model import Candidate, Lookup
from scrubber.explain.text import in_days
from scrubber.facts.documentation import HIGHEST_SCORE, LOWEST_SCORE
from scrubber.facts.fact import Fact
from scrubber.facts.pair import EITHER_LINE_SINCE, LISTS_BY_GROUP
from scrubber.reference import Reference
from scrubber.reference.rows import PtpEdit
from scrubber.reference.tables import (
    HCPCS,
    HCPCS_MODIFIERS,
    ICD10CM,
    ICD10CM_HEADERS,
    MODIFIERS,
    MPFS,
    MUE,
    PLACE_OF_SERVICE,
    PROCEDURES,
    PTP,
    TABLES,
    TAXONOMY,
    Table,
)
from scrubber.rulebook.condition_words import join_first
from scrubber.rulebook.rule import InList, Rule, leaves
from scrubber.rulebook.vocabulary import state_key

DATED = ("code", "since", "until", "source")


def procedure(fact: Fact, day: date, ground: Ground) -> Iterator[Lookup]:
    """The code in the tables of CPT and HCPCS codes, else the fee schedule's row."""
    code = fact.values.get("procedure")
    if code is None:
        return
    tables: tuple[Table[Any], ...] = (PROCEDURES, HCPCS)
    for table in tables:
        rows = ground.reference.rows(table, code, day)
        if rows:
            row = on(rows, day)
            says = f"{code} may be billed {in_days(row)}" if row else missed(rows, day, f"{code} may be billed")
            yield of_reference(table, [row] if row else [], says, day, ground.reference, DATED)
            return
    yield from fee(fact, day, ground)


def global_days(fact: Fact, day: date, ground: Ground) -> Iterator[Lookup]:
    """The fee schedule's row of the procedure beside a visit."""
    code = fact.values["operation"]
    row = ground.reference.fee(code, "", day)
    says = f"{code}: global days {row.global_days}, status {row.status}" if row else f"{code} has no row"
    told = ("code", "status", "global_days", "since", "until", "release", "source")
    yield of_reference(MPFS, [row] if row else [], says, day, ground.reference, told)


def fee(fact: Fact, day: date, ground: Ground) -> Iterator[Lookup]:
    """The fee schedule's row of the whole code."""
    code = fact.values.get("procedure")
    if code is None:
        return
    row = ground.reference.fee(code, "", day)
    says = missed(ground.reference.rows(MPFS, code, day), day, f"{code} is on the fee schedule")
    if row is not None:
        where = "not done in a facility" if row.facility_na else "may be done in a facility"
        says = f"{code}: PC/TC indicator {row.pc_tc}, {where}"
    told = ("code", "status", "pc_tc", "facility_na", "since", "until", "release", "source")
    yield of_reference(MPFS, [row] if row else [], says, day, ground.reference, told)


def modifiers(fact: Fact, day: date, ground: Ground) -> Iterator[Lookup]:
    """Each modifier in the tables of modifiers."""
    for modifier in fact.values.get("modifiers", ())[:MOST_ROWS]:
        row = ground.reference.modifier(modifier, day)
        table = HCPCS_MODIFIERS if ground.reference.rows(HCPCS_MODIFIERS, modifier, day) else MODIFIERS
        says = f"modifier {modifier} is known" if row else f"modifier {modifier} stands in no loaded table"
        yield of_reference(table, [row] if row else [], says, day, ground.reference)


def place(fact: Fact, day: date, ground: Ground) -> Iterator[Lookup]:
    """The place of service, and which rate it pays."""
    code = fact.values.get("place")
    if code is None:
        return
    row = ground.reference.place_of_service(code, day)
    says = f"place of service {code} pays the {row.setting} rate" if row else f"no row for place of service {code}"
    yield of_reference(PLACE_OF_SERVICE, [row] if row else [], says, day, ground.reference)


def mue(fact: Fact, day: date, ground: Ground) -> Iterator[Lookup]:
    """The medically unlikely edit of the code."""
    code = fact.values.get("procedure")
    if code is None:
        return
    row = ground.edits.mue(code, day)
    says = f"no medically unlikely edit of {code} is known on {day}"
    if row is not None:
        counted = "each line by itself" if row.indicator == "1" else "all lines of the day together"
        says = f"at most {row.units} of {code} a day, adjudication indicator {row.indicator}: {counted}"
    yield of_reference(MUE, [row] if row else [], says, day, ground.edits)


def taxonomy(fact: Fact, day: date, ground: Ground) -> Iterator[Lookup]:
    """The class of the rendering provider's taxonomy code."""
    view = ground.view(fact)
    code = view.rendering.taxonomy if view.rendering else None
    if code is None:
        return
    row = ground.reference.taxonomy(code, day)
    says = (
        f"taxonomy codes that begin with {row.prefix}: {row.provider_class}" if row else "no row for the taxonomy code"
    )
    yield of_reference(TAXONOMY, [row] if row else [], says, day, ground.reference)


def diagnosis(fact: Fact, day: date, ground: Ground) -> Iterator[Lookup]:
    """What the diagnosis tables say of the code, and the notes above it."""
    code = fact.values["code"]
    row = on(ground.reference.rows(ICD10CM, code, day), day)
    header = on(ground.reference.rows(ICD10CM_HEADERS, code, day), day)
    says = f"{code}: {fact.values['standing'].replace('-', ' ')} as a billable code"
    yield of_reference(ICD10CM, [row] if row else [], says, day, ground.reference)
    if header is not None:
        yield of_reference(ICD10CM_HEADERS, [header], f"{code} is divided further", day, ground.reference)
    for note in ground.reference.diagnosis_notes(code, day)[:MOST_ROWS]:
        names = f" {note.other}{f' through {note.through}' if note.through else ''}" if note.other else ""
        doubt = ", with words that narrow it" if note.conditional else ""
        says = f"note at {note.code}: {note.kind}{names}{doubt}"
        yield of_reference(TABLES["icd10cm-notes"], [note], says, day, ground.reference)


def plausible_scores(_fact: Fact, day: date, ground: Ground) -> Iterator[Lookup]:
    """The limits that a score is held against."""
    for name in (LOWEST_SCORE, HIGHEST_SCORE):
        rows = [row for row in ground.book.rows.get("limits", ()) if row.name == name and in_force(row, day)]
        for row in rows:
            yield of_book("limits", row, f"{name} is {row.value} ({row.source})", ground.book)


def releases(fact: Fact, day: date, ground: Ground) -> Iterator[Lookup]:
    """How the day lies to the releases of each table that does not reach it."""
    for name in fact.values.get("tables", ()):
        standing = ground.reference.table_status(name, day)
        release = standing.release
        says = f"{name}: {day} is {_STANDINGS[standing.state]}"
        if release is not None:
            says += f"; the nearest release is {release.name}, {in_days(release)}"
        yield of_reference(TABLES[name], [], says, day, ground.reference)


_STANDINGS = {
    "in-force": "within a release",
    "carried-forward": "after the last release of the starter table, whose rows are carried forward",
    "past-last-release": "after the last loaded release, whose rows answer as stale",
    "before-first-release": "before the first release, so that the table says nothing",
}


_INDICATORS = {
    "0": "no modifier ever separates the two",
    "1": "a modifier may separate the two where the record supports it",
    "9": "the edit was never in force",
}


def edits(fact: Fact, day: date, ground: Ground) -> Iterator[Lookup]:
    """The windows of the edit between the two codes, the one that answered first."""
    yield from windows(fact.values["first"], fact.values["second"], day, ground.edits)


def windows(column1: str, column2: str, day: date, reference: Reference) -> Iterator[Lookup]:
    """Every window of a PTP edit, and one look-up that says so where there is none."""
    found = reference.ptp_among({column1, column2}, day, day).get((column1, column2), ())
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


def separators(fact: Fact, day: date, ground: Ground) -> Iterator[Lookup]:
    """What each modifier of the two lines may do, and the rule of the two lines."""
    views = [ground.known.views[number - 1] for number in (*fact.lines, *fact.related[:1])]
    carried = dict.fromkeys((view.number, modifier) for view in views for modifier in view.line.modifiers)
    if not carried:
        numbers = join_first((view.number for view in views), " and ")
        yield of_reference(MODIFIERS, [], f"lines {numbers} carry no modifier", day, ground.reference)
    for number, modifier in list(carried)[:MOST_ROWS]:
        row = ground.reference.modifier(modifier, day)
        says = _of_modifier(number, modifier, row.ncci if row else None, fact, day)
        yield of_reference(MODIFIERS, [row] if row else [], says, day, ground.reference)


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


Source = Callable[[Fact, date, Ground], Iterator[Lookup]]

_LINES = ("line", "repeat", "visit", "document", "abn", "coverage")
_MUE = ("mue", "mueIndicator", "unitsOverMue")
_NOTES = ("standing", "excludedPair", "underlyingFirst", "onlyForSex", "outsideAges")
# (kinds of facts, fields, what was looked up for them)
_SOURCES: tuple[tuple[tuple[str, ...], tuple[str, ...], Source], ...] = (
    (("line",), ("codeStanding",), procedure),
    (("line",), ("modifierUnknown", "modifiersUnknown"), modifiers),
    (_LINES, ("setting", "placeUnknown", "facilityNotApplicable"), place),
    (("line",), ("pcTc", "componentInvalid", "facilityNotApplicable"), fee),
    (("line", "code-day"), _MUE, mue),
    (("line",), ("renderingClass",), taxonomy),
    (("pair",), ("edit", "modifierIndicator", "bypass"), edits),
    (("pair",), ("bypass",), separators),
    (("visit",), ("globalDays", "globalDaysCarried"), global_days),
    (("diagnosis",), _NOTES, diagnosis),
    (("document",), ("tbsRange",), plausible_scores),
    (("coverage",), ("diagnosisTest",), lookups_payer.diagnoses),
    (("coverage",), ("frequencyTest",), lookups_payer.frequency),
    (("coverage",), ("status", "effect", "diagnosisTest"), lookups_payer.article),
    (("table",), ("standing", "tables"), releases),
    (("document",), ("sourceStudy",), lookups_payer.source_study),
    (("document",), ("tbsSoftware",), lookups_payer.software),
    (("document",), ("indication",), lookups_payer.indication),
    (("coverage",), ("baseStudy",), lookups_payer.base_study),
    (("abn",), ("abnFaults",), lookups_payer.notice_lists),
    (("abn",), ("abnDoubts",), lookups_payer.form_edition),
    (("element",), ("need",), lookups_payer.needed),
)


def lookups(rule: Rule, fact: Fact, ground: Ground) -> tuple[Lookup, ...]:
    """What was looked up for the facts that the rule reads."""
    read, day = reads(rule), day_of(fact)
    if day is None:
        return ()
    found = [
        lookup
        for kinds, fields, source in _SOURCES
        if fact.kind in kinds and not read.isdisjoint(fields)
        for lookup in source(fact, day, ground)
    ]
    return (*found, *_code_lists(rule, fact, day, ground))


def competing(rule: Rule, fact: Fact, ground: Ground) -> tuple[Candidate, ...]:
    """The policy rows that competed for a line, where the rule reads what the best of them says."""
    day, code = day_of(fact), fact.values.get("procedure")
    wants = fact.kind == "coverage" or (fact.kind == "abn" and "coverage" in reads(rule))
    if not wants or day is None or code is None:
        return ()
    return policies(code, ground.known.payer, day, ground.book)


def reads(rule: Rule) -> frozenset[str]:
    """The facts that the rule's conditions read."""
    named = [leaf.fact for condition in (rule.applies, rule.when) for leaf in leaves(condition)]
    return frozenset(name.removesuffix(state_key("")) for name in (*named, *rule.needs))


def _code_lists(rule: Rule, fact: Fact, day: date, ground: Ground) -> Iterator[Lookup]:
    """For each list that the rule asks, the rows in which the fact's codes stand."""
    tests = [leaf for tree in (rule.applies, rule.when) for leaf in leaves(tree) if isinstance(leaf, InList)]
    for leaf in dict.fromkeys(tests):
        value = fact.values.get(leaf.fact)
        codes = (value,) if isinstance(value, str) else value or ()
        for code in codes[:MOST_ROWS]:
            yield in_list(leaf.list, code, day, ground)
