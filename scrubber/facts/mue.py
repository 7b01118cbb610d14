"""Makes the facts of codes whose units of one provider and day exceed their medically unlikely edit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal

from scrubber.claim.code_values import MINUTES
from scrubber.facts.fact import EVERY_FIELD, Fact, LookUps, release_evidence
from scrubber.facts.service_lines import ByCode, LineView, millionths, payer_fields
from scrubber.reference import Reference
from scrubber.remembered import remembered
from scrubber.rulebook.rulebook import CodeLists

NOTHING = Decimal(0)
REMEMBERED = 16_384  # codes, by day, whose MUE a process remembers
PARTS = "modifiers-of-a-part"  # the two parts of one study are one service, billed in two lines
IN_DAYS = "modifiers-counted-in-days"  # by some contractors: care after an operation is no number of services
ANESTHESIA = "anesthesia-codes"

_MUE_ROW = ("mue", "procedure")
MUE_LOOK_UPS: LookUps = dict.fromkeys(("mue", "mueIndicator", "unitsOverMue"), (_MUE_ROW,))
CODE_DAY_LOOK_UPS: LookUps = {EVERY_FIELD: (_MUE_ROW,), **MUE_LOOK_UPS}


def code_day_facts(by_code: ByCode, lists: CodeLists, reference: Reference) -> Iterator[Fact]:
    """One fact for each code, provider and day whose units exceed the code's MUE by day (indicators 2 and 3).

    A line over several days counts its average a day on each of them. Days are told once where their lines are told.
    """
    for code, lines in by_code.items():
        if _within_mue(code, lines, reference):
            continue  # the way of nearly every code, whoever furnished it
        for group in _by_provider([view for view in lines if is_counted(view, lists)]):
            yield from _widest([fact for part in _parts(group, lists) for fact in _code_days(code, part, reference)])


def _widest(facts: list[Fact]) -> list[Fact]:
    """The facts whose lines are not all among those of another: a line of many days is told with its company once."""
    kept: list[tuple[frozenset[int], Fact]] = []
    for fact in sorted(facts, key=lambda fact: -len(fact.lines)):
        lines = frozenset(fact.lines)
        if not any(lines <= others for others, _ in kept):
            kept.append((lines, fact))
    return [fact for _, fact in kept]


def _within_mue(code: str, group: Sequence[LineView], reference: Reference) -> bool:
    """Whether all the group's units together stay within the MUE of each of its first days."""
    units = NOTHING
    for view in group:
        units += max(view.line.units or NOTHING, NOTHING)
    for view in group:
        most = _most_units(code, view.first, reference) if view.first else None
        if most is not None and units > most:
            return False
    return True


@remembered(REMEMBERED)
def _most_units(code: str, day: date, reference: Reference) -> int | None:
    edit = reference.mue(code, day)
    return None if edit is None else edit.units


def is_counted(view: LineView, lists: CodeLists) -> bool:
    """Whether a line's units are a number of services; minutes of anesthesia and days of after-care are not."""
    line = view.line
    if not line.units or line.units <= 0 or view.first is None:
        return False
    if line.modifiers and lists.among(IN_DAYS, line.modifiers, view.first.toordinal()):
        return False
    if line.unit_code != MINUTES:
        return True
    return not lists.contains(ANESTHESIA, line.procedure or "", view.first.toordinal())


def _by_provider(lines: Iterable[LineView]) -> Iterable[list[LineView]]:
    groups: dict[str, list[LineView]] = defaultdict(list)
    for view in lines:
        groups[view.provider].append(view)
    return groups.values()


def _parts(views: list[LineView], lists: CodeLists) -> Iterator[list[LineView]]:
    """The lines that are counted together: a whole service has both of its parts, so it counts beside either.

    The two parts of one study are one of each; the whole study and its professional part are two readings.
    """
    of_part = [lists.among(PARTS, view.line.modifiers, view.first.toordinal()) for view in views if view.first]
    present = frozenset[str]().union(*of_part)
    if not present:
        yield views
    for part in sorted(present):
        yield [view for view, parts in zip(views, of_part, strict=True) if part in parts or not parts]


def _code_days(code: str, lines: Sequence[LineView], reference: Reference) -> Iterator[Fact]:
    for day in sorted({view.first for view in lines if view.first}):
        fact = _code_day(code, day, lines, reference)
        if fact is not None:
            yield fact


def _code_day(code: str, day: date, group: Sequence[LineView], reference: Reference) -> Fact | None:
    edit = reference.mue(code, day)
    if edit is None or edit.indicator == "1":
        return None
    that_day = [view for view in group if view.first and view.last and view.first <= day <= view.last]
    units = sum((_units_a_day(view) for view in that_day), NOTHING)
    if units <= edit.units:
        return None
    values = payer_fields(that_day[0].payer) | {
        "day": day.toordinal(),
        "procedure": code,
        "units": millionths(units),
        "mue": edit.units,
        "mueIndicator": edit.indicator,
        "unitsOverMue": True,
        "spread": any(view.days > 1 for view in that_day),
        "modifiers": tuple(dict.fromkeys(modifier for view in that_day for modifier in view.line.modifiers)),
    }
    evidence = {
        "mue": edit.units,
        "adjudicationIndicator": edit.indicator,
        **release_evidence("ncci-mue", day, edit.source, reference),
    }
    numbers = tuple(view.number for view in that_day)
    return Fact("code-day", values, numbers, evidence=evidence)


def _units_a_day(view: LineView) -> Decimal:
    return (view.line.units or NOTHING) / view.days
