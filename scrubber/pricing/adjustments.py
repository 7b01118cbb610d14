"""Adjusts a Medicare fee for modifiers and for the profession of the rendering provider.

The shares by profession are in the taxonomy table (42 CFR 414.53 and its neighbours). Without a row the fee is not
reduced, and the basis of the amount says so: a full fee must not be mistaken for that of a profession.

Shares are those of the RVU25D documentation file of CMS and of the publications named beside them; a modifier whose
effect no publication at hand settles makes the amount unknown, it is never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from scrubber.pricing.amounts import NoPrice
from scrubber.reference import Reference
from scrubber.reference.fee_rows import COMPONENTS, FeeRow
from scrubber.reference.rows import Taxonomy

FULL = Decimal(1)
NO_CLAIM = "not-asked"  # of look-ups of a code, which concern no claim
NOT_SENT, NOT_LISTED = "not-sent", "not-listed"  # instead of a row of the taxonomy table
REMARKS = {
    NO_CLAIM: "",
    NOT_SENT: "profession not sent, priced in full",
    NOT_LISTED: "profession in no loaded table, priced in full",
}


class Profession(NamedTuple):
    """The share of the fee that a profession is paid, its name, and the remark in the basis of an amount."""

    percent: Decimal
    name: str
    remark: str


def profession_of(row: Taxonomy | str) -> Profession:
    """The profession of a row of the taxonomy table, or of one of the constants that replace a missing row."""
    if isinstance(row, str):
        return Profession(FULL, "", REMARKS[row])
    name = row.provider_class.replace("-", " ")
    return Profession(row.percent, name, "" if row.verified else f"the share of a {name} is not verified")


# By PC/TC indicator: which codes may be billed by their professional or technical part (RVU25D documentation).
SPLIT = {"26": ("1", "6"), "TC": ("1",), "53": ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")}

# Reduced services, parts of a surgical package, co-surgeons and teams, second and non-physician assistants, directed
# anesthesia, therapy assistants, unusual services.
NOT_PRICED = frozenset(
    ("22", "52", "54", "55", "56", "62", "66", "78", "81", "82", "AS", "AD", "QK", "QX", "QY", "CO", "CQ")
)

BOTH_SIDES = {"1": Decimal("1.50"), "3": Decimal("2.00")}  # by bilateral indicator; 0 and 2 pay no more, 9 is invalid
ASSISTANT = Decimal("0.16")  # of the surgeon's fee, where the indicator allows an assistant without a report
ASSISTANT_ALLOWED = "2"

# Off the technical part, from each first day on: film x-ray, computed radiography (Palmetto GBA, HCPCS modifier FY),
# CT on equipment below the standard (XIFIN, CT modifier reduction).
TECHNICAL_CUTS = {
    "FX": ("film x-ray", ((date.min, Decimal("0.20")),)),
    "FY": ("computed radiography", ((date(2018, 1, 1), Decimal("0.07")), (date(2023, 1, 1), Decimal("0.10")))),
    "CT": ("CT below the equipment standard", ((date.min, Decimal("0.15")),)),
}

PRICING = frozenset(COMPONENTS) | NOT_PRICED | frozenset(TECHNICAL_CUTS) | {"50", "80"}


class Share(NamedTuple):
    """A share of an amount, and why it applies."""

    value: Decimal
    why: str

    def __str__(self) -> str:
        return f"{self.value} ({self.why})"


def component_of(modifiers: tuple[str, ...]) -> str:
    """The component of the service that is billed: "" (all of it), 26, TC or 53. Raises NoPrice for two of them."""
    components = [modifier for modifier in modifiers if modifier in COMPONENTS]
    if len(components) > 1:
        raise NoPrice("modifier-not-priced")
    return components[0] if components else ""


def shares(row: FeeRow, modifiers: tuple[str, ...]) -> Iterator[Share]:
    """The factors of the full fee, in order. Raises NoPrice when a modifier's effect is not known."""
    if not NOT_PRICED.isdisjoint(modifiers):
        raise NoPrice("modifier-not-priced")
    if "50" in modifiers and row.bilateral in BOTH_SIDES:
        yield Share(BOTH_SIDES[row.bilateral], "both sides")
    if "80" in modifiers:
        if row.assistant != ASSISTANT_ALLOWED:
            raise NoPrice("modifier-not-priced")
        yield Share(ASSISTANT, "assistant at surgery")


def unknown(reference: Reference, modifiers: tuple[str, ...], day: date) -> Iterator[str]:
    """The remarks on modifiers that no table has on the day: an amount takes no account of them."""
    for modifier in modifiers:
        if modifier not in PRICING and reference.modifier(modifier, day) is None:
            yield f"modifier {modifier} is in no loaded table and was ignored"


def technical_cut(modifiers: tuple[str, ...], day: date) -> Share | None:
    """The share that equipment modifiers take off the technical part; two of them one after the other."""
    left = Decimal(1)
    reasons = []
    for modifier, (why, rates) in TECHNICAL_CUTS.items():
        if modifier in modifiers:
            left *= 1 - _rate(rates, day)
            reasons.append(why)
    return Share(1 - left, ", ".join(reasons)) if reasons else None


def _rate(rates: tuple[tuple[date, Decimal], ...], day: date) -> Decimal:
    begun = [rate for since, rate in rates if since <= day]
    if not begun:
        raise NoPrice("modifier-not-priced")
    return begun[-1]
