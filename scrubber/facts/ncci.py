"""Facts of NCCI: pairs of lines under a procedure-to-procedure edit, and codes whose units exceed their MUE."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from scrubber.facts.documentation import Documents, flag_state
from scrubber.facts.fact import Fact
from scrubber.facts.lines import ByCode, LineView, millionths, payer_fields
from scrubber.reference import Reference
from scrubber.reference.rows import PtpEdit
from scrubber.rulebook.book import Rulebook
from scrubber.tables import in_force

EITHER_LINE_SINCE = date(2019, 7, 1)  # CMS change request 11168: a modifier on column one counts too
EM_LIST = "evaluation-and-management"
BYPASSES = ("used", "doubtful", "misplaced")  # the first that some modifier is, counts
NOTHING = Decimal(0)
COMPONENTS = frozenset(("26", "TC"))  # the two parts of one study are one service, billed in two lines
MINUTES = "MJ"  # not units of service


def pair_facts(by_code: ByCode, documents: Documents, rulebook: Rulebook, reference: Reference) -> Iterator[Fact]:
    """One fact for each line that an edit puts into column two, and each code that stands in column one against it."""
    edits = reference.ptp_among(by_code.keys()) if len(by_code) > 1 else {}
    for (column1, column2), windows in edits.items():
        for fallen in by_code[column2]:
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
    bare: list[LineView] = []
    separated: Fact | None = None
    bare_fact: Fact | None = None
    for other in stays:
        found = _edit_between(other, fallen, windows)
        if found is None or other.provider != fallen.provider:
            continue
        if found[0].indicator != "0" and "modifiers" in other.unread | fallen.unread:
            continue  # a modifier may separate them, and nobody knows which stand there
        fact = _pair_fact(other, fallen, *found, documents, rulebook, reference)
        if fact.values["bypass"] in ("used", "doubtful"):
            separated = separated or fact
        else:
            bare.append(other)
            bare_fact = bare_fact or fact
    if bare_fact is not None:
        bare_fact.related = tuple(other.number for other in bare)
        yield bare_fact
    elif separated is not None:
        yield separated


def _edit_between(one: LineView, other: LineView, windows: Sequence[PtpEdit]) -> tuple[PtpEdit, date] | None:
    """The edit in force on a day that both lines run, and the first such day."""
    if not (one.first and one.last and other.first and other.last):
        return None
    start, end = max(one.first, other.first), min(one.last, other.last)
    for edit in windows:
        day = max(start, edit.since or start)
        if edit.indicator != "9" and day <= end and in_force(edit, day):
            return edit, day
    return None


def _pair_fact(
    stays: LineView,
    falls: LineView,
    edit: PtpEdit,
    day: date,
    documents: Documents,
    rulebook: Rulebook,
    reference: Reference,
) -> Fact:
    bypass, used = _bypass(stays, falls, day, rulebook, reference)
    values = payer_fields(falls.payer) | {
        "day": day.toordinal(),
        "first": edit.column1,
        "second": edit.column2,
        "edit": True,
        "modifierIndicator": edit.indicator,
        "bypass": bypass,
    }
    values |= _support(documents, stays.number, falls.number)
    standing = reference.standing("ncci-ptp", day)
    evidence: dict[str, Any] = {
        "column1": edit.column1,
        "column2": edit.column2,
        "modifierIndicator": edit.indicator,
        "release": standing.release.name if standing.release else "",
        "carriedForward": standing.word == "carried-forward",
        "source": edit.source,
    }
    if edit.since:
        evidence["since"] = edit.since.isoformat()
    return Fact(
        "pair", values, (falls.number,), (stays.number,), says={"modifiers-used": " ".join(used)}, evidence=evidence
    )


def _support(documents: Documents, *numbers: int) -> dict[str, Any]:
    for number in numbers:
        state = flag_state("modifierSupport", documents.of(number))
        if state.get("modifierSupport?") != "not-supplied":
            return state
    return {"modifierSupport?": "not-supplied"}


def _bypass(
    stays: LineView, falls: LineView, day: date, rulebook: Rulebook, reference: Reference
) -> tuple[str, tuple[str, ...]]:
    """Whether an NCCI-associated modifier separates the two lines, one of BYPASSES or none; and which it is.

    Doubtful: the side of a procedure says nothing of whether the visit beside it was separate.
    """
    counted = (falls, stays) if day >= EITHER_LINE_SINCE else (falls,)
    visit = _is_em(stays, day, rulebook) or _is_em(falls, day, rulebook)
    found: dict[str, list[str]] = {word: [] for word in BYPASSES}
    for view in (falls, stays):
        for modifier in view.line.modifiers:
            row = reference.modifier(modifier, day)
            if row is None or not row.ncci:
                continue
            counts = view in counted and (row.ncci != "global-surgery-em" or _is_em(view, day, rulebook))
            word = "misplaced" if not counts else "doubtful" if visit and row.ncci == "anatomic" else "used"
            found[word].append(modifier)
    return next(((word, tuple(dict.fromkeys(used))) for word, used in found.items() if used), ("none", ()))


def _is_em(view: LineView, day: date, rulebook: Rulebook) -> bool:
    return rulebook.lists.contains(EM_LIST, view.line.procedure or "", day.toordinal())


def code_day_facts(views: Sequence[LineView], reference: Reference) -> Iterator[Fact]:
    """One fact for each code, provider and day whose units exceed the code's MUE by day (indicators 2 and 3).

    A line over several days counts its average a day on each of them. Days are told once where their lines are told.
    """
    for (code, _, _), group in _by_code_provider_and_component(views).items():
        if not _within_mue(code, group, reference):
            days = sorted({view.first for view in group if view.first})
            facts = [_code_day(code, day, group, reference) for day in days]
            yield from _widest([fact for fact in facts if fact is not None])


def _widest(facts: list[Fact]) -> list[Fact]:
    """The facts whose lines are not all among those of another: a line of many days is told with its company once."""
    kept: list[tuple[frozenset[int], Fact]] = []
    for fact in sorted(facts, key=lambda fact: -len(fact.lines)):
        lines = frozenset(fact.lines)
        if not any(lines <= told for told, _ in kept):
            kept.append((lines, fact))
    return [fact for _, fact in kept]


def _within_mue(code: str, group: Sequence[LineView], reference: Reference) -> bool:
    """Whether all the group's units together stay within the MUE of each of its first days."""
    units = sum([view.line.units for view in group if view.line.units], NOTHING)
    for day in {view.first for view in group if view.first}:
        edit = reference.mue(code, day)
        if edit is not None and units > edit.units:
            return False
    return True


def _by_code_provider_and_component(views: Iterable[LineView]) -> dict[tuple[str, str, str], list[LineView]]:
    groups: dict[tuple[str, str, str], list[LineView]] = defaultdict(list)
    for view in views:
        line = view.line
        if line.procedure and view.joinable and line.units and line.units > 0 and line.unit_code != MINUTES:
            component = next((modifier for modifier in line.modifiers if modifier in COMPONENTS), "")
            groups[line.procedure, view.provider, component].append(view)
    return groups


def _code_day(code: str, day: date, group: Sequence[LineView], reference: Reference) -> Fact | None:
    edit = reference.mue(code, day)
    if edit is None or edit.indicator == "1":
        return None
    that_day = [view for view in group if view.first and view.last and view.first <= day <= view.last]
    units = sum((_units_a_day(view) for view in that_day), NOTHING)
    if units <= edit.units:
        return None
    standing = reference.standing("ncci-mue", day)
    values = payer_fields(that_day[0].payer) | {
        "day": day.toordinal(),
        "procedure": code,
        "units": millionths(units),
        "mue": edit.units,
        "mueIndicator": edit.indicator,
        "unitsOverMue": True,
        "spread": any(view.days > 1 for view in that_day),
    }
    evidence = {
        "mue": edit.units,
        "adjudicationIndicator": edit.indicator,
        "release": standing.release.name if standing.release else "",
        "carriedForward": standing.word == "carried-forward",
        "source": edit.source,
    }
    numbers = tuple(view.number for view in that_day)
    return Fact("code-day", values, numbers, evidence=evidence)


def _units_a_day(view: LineView) -> Decimal:
    return (view.line.units or NOTHING) / view.days
