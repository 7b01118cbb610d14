"""Facts of NCCI pairs: two lines under a procedure-to-procedure edit, and what separates them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from scrubber.facts.documentation import Documents, modifier_support
from scrubber.facts.exclusions import Exclusions
from scrubber.facts.fact import Fact, release_evidence
from scrubber.facts.lines import ByCode, LineView, payer_fields
from scrubber.reference import Reference
from scrubber.reference.edit_rows import PtpEdit
from scrubber.remembered import remembered
from scrubber.rulebook.book import Rulebook
from scrubber.tables import in_force

EITHER_LINE_SINCE = date(2019, 7, 1)  # CMS change request 11168: a modifier on column one counts too
EM_LIST = "evaluation-and-management"
BYPASSES = ("used", "doubtful", "misplaced")  # the first that some modifier is, counts
REMEMBERED = 4_096  # pairs of codes with their modifiers that a process remembers


def pair_facts(
    by_code: ByCode, documents: Documents, exclusions: Exclusions, rulebook: Rulebook, reference: Reference
) -> Iterator[Fact]:
    """One fact for each line that an edit puts into column two, and each code that stands in column one against it.

    None for an excluded service that is billed for a denial: that is what it gets, and the edit costs nobody anything.
    """
    if len(by_code) < 2:
        return
    days = [day for group in by_code.values() for view in group for day in (view.first, view.last) if day]
    edits = reference.ptp_among(by_code.keys(), min(days), max(days))
    for (column1, column2), windows in edits.items():
        for fallen in by_code[column2]:
            if exclusions.billed_for_denial(fallen):
                continue
            yield from _judged(by_code[column1], fallen, windows, documents, rulebook, reference)


def _judged(
    stays: Sequence[LineView],
    fallen: LineView,
    windows: Sequence[PtpEdit],
    documents: Documents,
    rulebook: Rulebook,
    reference: Reference,
) -> Iterator[Fact]:
    """The fallen line against every line of one column-one code: the pairs with no bypass together, else the first."""
    bare: list[tuple[LineView, _Found]] = []
    separated: tuple[LineView, _Found] | None = None
    for other in stays:
        edit, day = _edit_between(other, fallen, windows)
        if edit is None or other.provider != fallen.provider:
            continue
        if edit.indicator != "0" and "modifiers" in other.unread | fallen.unread:
            continue  # a modifier may separate them, and nobody knows which stand there
        found = _Found(edit, day, *_bypass(_side(other), _side(fallen), day, rulebook, reference))
        if found.bypass in ("used", "doubtful"):
            separated = separated or (other, found)
        else:
            bare.append((other, found))
    if bare:
        yield _pair_fact(*bare[0], fallen, documents, reference, tuple(other.number for other, _ in bare))
    elif separated is not None:
        yield _pair_fact(*separated, fallen, documents, reference, (separated[0].number,))


class _Found(NamedTuple):
    """The edit between two lines, the first day on which it holds, and what separates them by which modifiers."""

    edit: PtpEdit
    day: date
    bypass: str
    modifiers: tuple[str, ...]


class _Side(NamedTuple):
    """What a line of a pair brings to the question of what separates it from the other."""

    code: str
    modifiers: tuple[str, ...]


def _side(view: LineView) -> _Side:
    return _Side(view.line.procedure or "", view.line.modifiers)


def _edit_between(one: LineView, other: LineView, windows: Sequence[PtpEdit]) -> tuple[PtpEdit | None, date]:
    """The edit in force on a day that both lines run, and the first such day; None when there is none."""
    if not (one.first and one.last and other.first and other.last):
        return None, date.min
    start, end = max(one.first, other.first), min(one.last, other.last)
    for edit in windows:
        day = max(start, edit.since or start)
        if edit.indicator != "9" and day <= end and in_force(edit, day):
            return edit, day
    return None, start


def _pair_fact(
    stays: LineView,
    found: _Found,
    falls: LineView,
    documents: Documents,
    reference: Reference,
    related: tuple[int, ...],
) -> Fact:
    edit = found.edit
    values = payer_fields(falls.payer) | {
        "day": found.day.toordinal(),
        "first": edit.column1,
        "second": edit.column2,
        "edit": True,
        "modifierIndicator": edit.indicator,
        "bypass": found.bypass,
    }
    values |= modifier_support(documents, stays.number, falls.number)
    evidence: dict[str, Any] = {
        "column1": edit.column1,
        "column2": edit.column2,
        "modifierIndicator": edit.indicator,
        **release_evidence("ncci-ptp", found.day, edit.source, reference),
    }
    if edit.since:
        evidence["since"] = edit.since.isoformat()
    says = {"modifiers-used": " ".join(found.modifiers)}
    return Fact("pair", values, (falls.number,), related, says=says, evidence=evidence)


@remembered(REMEMBERED)
def _bypass(
    stays: _Side, falls: _Side, day: date, rulebook: Rulebook, reference: Reference
) -> tuple[str, tuple[str, ...]]:
    """Whether an NCCI-associated modifier separates the two lines, one of BYPASSES or none; and which it is.

    Doubtful: the side of a procedure says nothing of whether the visit beside it was separate.
    """
    counted = (falls, stays) if day >= EITHER_LINE_SINCE else (falls,)
    visit = _is_em(stays, day, rulebook) or _is_em(falls, day, rulebook)
    found: dict[str, list[str]] = {word: [] for word in BYPASSES}
    for side in (falls, stays):
        for modifier in side.modifiers:
            row = reference.modifier(modifier, day)
            if row is None or not row.ncci:
                continue
            counts = side in counted and (row.ncci != "global-surgery-em" or _is_em(side, day, rulebook))
            word = "misplaced" if not counts else "doubtful" if visit and row.ncci == "anatomic" else "used"
            found[word].append(modifier)
    return next(((word, tuple(dict.fromkeys(used))) for word, used in found.items() if used), ("none", ()))


def _is_em(side: _Side, day: date, rulebook: Rulebook) -> bool:
    return rulebook.lists.contains(EM_LIST, side.code, day.toordinal())
