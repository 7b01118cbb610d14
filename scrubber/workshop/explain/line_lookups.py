"""Beside the path: look-ups behind facts of lines, days, documents and diagnoses, asked again of the tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from scrubber.facts.documentation import HIGHEST_SCORE, LOWEST_SCORE
from scrubber.facts.fact import Fact
from scrubber.reference.catalogue import (
    HCPCS,
    HCPCS_MODIFIERS,
    ICD10CM,
    ICD10CM_HEADERS,
    MODIFIERS,
    MPFS,
    MUE,
    PLACE_OF_SERVICE,
    PROCEDURES,
    TABLES,
    TAXONOMY,
    Table,
)
from scrubber.tables import in_force, on
from scrubber.workshop.explain.explanation import Lookup
from scrubber.workshop.explain.ground import MOST_ROWS, Ground, missed, of_book, of_reference
from scrubber.workshop.explain.words import in_days

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
        standing = ground.reference.standing(name, day)
        release = standing.release
        says = f"{name}: {day} is {_STANDINGS[standing.word]}"
        if release is not None:
            says += f"; the nearest release is {release.name}, {in_days(release)}"
        yield of_reference(TABLES[name], [], says, day, ground.reference)


_STANDINGS = {
    "in-force": "within a release",
    "carried-forward": "after the last release of the starter table, whose rows are carried forward",
    "past-last-release": "after the last loaded release, whose rows answer as stale",
    "before-first-release": "before the first release, so that the table says nothing",
}
