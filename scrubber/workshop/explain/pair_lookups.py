"""Beside the path: look-ups behind facts of pairs: every window of the edit, and what each modifier may separate."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from scrubber.facts.fact import Fact
from scrubber.facts.ncci import EITHER_LINE_SINCE, LISTS_BY_GROUP
from scrubber.reference import Reference
from scrubber.reference.catalogue import MODIFIERS, PTP
from scrubber.reference.edit_rows import PtpEdit
from scrubber.tables import in_force
from scrubber.workshop.explain.explanation import Lookup
from scrubber.workshop.explain.ground import MOST_ROWS, Ground, of_reference
from scrubber.workshop.explain.words import in_days, listed

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
        numbers = listed((view.number for view in views), " and ")
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
