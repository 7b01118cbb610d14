"""Works out what a service loses beside others of its day: for each part of its fee, or as an operation by rank.

Indicators are those of the fee schedule's multiple procedure column (RVU25D documentation), shares those of the table
`multiple-reductions`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import NamedTuple

from scrubber.pricing.amounts import Parts, ReducedFee
from scrubber.pricing.weights import Share, Weighted, dollars, weigh
from scrubber.reference import Reference
from scrubber.reference.fee_rows import FeeRow, Gpci

# Services of one day among which all but the highest are paid less, by multiple procedure indicator.
REDUCTIONS: Mapping[str, str] = {
    "1": "surgery", "2": "surgery", "3": "surgery", "4": "imaging", "5": "therapy", "6": "cardiovascular",
    "7": "ophthalmology",
}  # fmt: skip
OPERATIONS = ("1", "2", "3")
EXPENSE, TECHNICAL, PROFESSIONAL = "practice-expense", "technical", "professional"
PARTS: Mapping[str, tuple[str, ...]] = {
    "4": (TECHNICAL, PROFESSIONAL),
    "5": (EXPENSE,),
    "6": (TECHNICAL,),
    "7": (TECHNICAL,),
}
HAS_ONLY = {"26": PROFESSIONAL, "TC": TECHNICAL}  # by component
IS_ONLY = {"2": PROFESSIONAL, "3": TECHNICAL}  # by PC/TC indicator
COMPONENT_OF = {PROFESSIONAL: "26", TECHNICAL: "TC"}


class Priced(NamedTuple):
    """What gave the full fee of one unit: its row and weighted units, the conversion factor and the shares."""

    row: FeeRow
    day: date
    facility: bool
    gpci: Gpci | None
    weighted: Weighted
    factor: Decimal
    applied: list[Share]
    cut: Share | None


class _Part(NamedTuple):
    """A part of a fee: its relative value units, and what it loses of them."""

    name: str
    rvu: Decimal
    off: Decimal
    text: str


def ranked_parts(reference: Reference, priced: Priced) -> Parts | None:
    """The parts of a fee that are ranked; None where none is, or a component that has no row would be needed."""
    indicator = priced.row.multiple
    if indicator not in PARTS or _cut_under_a_cap(priced):
        return None
    parts = []
    for name in PARTS[indicator]:
        found = reference.multiple_reduction(indicator, name, priced.day)
        if found is not None and _has(priced.row, name):
            units = _units(reference, priced, name)
            if units is None:
                return None
            off = Share(found.share, "multiple-procedure reduction")
            parts.append(_Part(name, units.rvu, off.value * units.rvu, f"{off} x {units.text}"))
    if not parts:
        return None
    group = f"{REDUCTIONS[indicator]} {priced.row.imaging_family}" if indicator == "4" else REDUCTIONS[indicator]
    return Parts(group, tuple([(part.name, part.rvu) for part in parts]), tuple(_fees(priced, parts)))


def _cut_under_a_cap(priced: Priced) -> bool:
    """Which comes first is written nowhere at hand: such a fee keeps a remark."""
    return priced.cut is not None and weigh(priced.row, priced.facility, priced.gpci).capped is not None


def _has(row: FeeRow, part: str) -> bool:
    """Whether the row pays that part."""
    only = HAS_ONLY.get(row.component) or IS_ONLY.get(row.pc_tc)
    return part == EXPENSE or only in (None, part)


def _units(reference: Reference, priced: Priced, part: str) -> Weighted | None:
    """The weighted units of a part before the outpatient cap, which is held against the reduced fee."""
    row, gpci = priced.row, priced.gpci
    if part == EXPENSE:
        expense = row.facility_pe if priced.facility else row.non_facility_pe
        if gpci is None:
            return Weighted(expense, f"{expense:.2f} practice expense")
        return Weighted(expense * gpci.pe, f"{expense:.2f} practice expense x {gpci.pe:.3f}")
    whole = not row.component and row.pc_tc not in IS_ONLY
    own = reference.fee(row.code, COMPONENT_OF[part], priced.day) if whole else row
    if own is None:
        return None
    units = weigh(own, priced.facility, gpci).own
    if part == TECHNICAL and priced.cut is not None:
        left = Share(1 - priced.cut.value, f"left by {priced.cut.why}")
        return Weighted(left.value * units.rvu, f"{left} x {units.text} {part}")
    return Weighted(units.rvu, f"{units.text} {part}")


def _fees(priced: Priced, parts: list[_Part]) -> Iterator[ReducedFee]:
    """The fee for each choice of the parts that lose something."""
    for count in range(1, len(parts) + 1):
        for chosen in combinations(parts, count):
            fee, step = dollars(_reduced(priced, chosen), priced.factor, priced.applied)
            yield ReducedFee(tuple([part.name for part in chosen]), fee, step)


def _reduced(priced: Priced, parts: tuple[_Part, ...]) -> Weighted:
    """The weighted units less what the parts lose. Of imaging the technical part is reduced before the cap."""
    capped = weigh(priced.row, priced.facility, priced.gpci)
    if capped.capped is None:
        return _less(priced.weighted, parts)
    technical = [part for part in parts if part.name == TECHNICAL]
    others = [part for part in parts if part.name != TECHNICAL]
    reduced = _less(capped.own, tuple(technical))
    return _less(reduced if reduced.rvu < capped.capped.rvu else capped.capped, tuple(others))


def _less(weighted: Weighted, parts: tuple[_Part, ...]) -> Weighted:
    if not parts:
        return weighted
    text = f"({' - '.join([weighted.text, *[part.text for part in parts]])})"
    return Weighted(weighted.rvu - sum([part.off for part in parts], Decimal(0)), text)
