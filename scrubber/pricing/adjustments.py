"""Adjusts a Medicare fee for modifiers and for the profession of the rendering provider.

The shares by profession are in the taxonomy table (42 CFR 414.53 and its neighbours). Without a row the fee is not
reduced, and the basis of the amount says so: a full fee must not be mistaken for that of a profession.

What a modifier pays is in the table `payment-shares`, or in the fee schedule's own row for the parts of a surgical
package. A modifier whose effect no publication settles makes the amount unknown; of 22, 52 and 53, which are paid by
review, the full fee is an estimate, and the basis says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from scrubber.pricing.amounts import NoPrice
from scrubber.pricing.weights import Share
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
SPLIT = {"26": ("1", "6"), "TC": ("1",)}

# Medically directed anesthesia, and therapy assistants, of whom the payment and not the fee is reduced.
NOT_PRICED = frozenset(("AD", "QK", "QX", "QY", "CO", "CQ"))
TEAM = "66"  # paid by report (RVU25D documentation, team surgery)

BOTH_SIDES = {"1": "both-sides", "3": "each-side"}  # by bilateral indicator; 0 and 2 pay no more, 9 is invalid
CO_SURGEON = "62"
CO_SURGEONS_ALLOWED = ("1", "2")  # by indicator; 1: where the documentation shows that two were needed
ASSISTANT_ALLOWED = "2"  # without a report
NO_PHYSICIAN = "AS"
ASSISTANTS = frozenset(("80", "81", "82", NO_PHYSICIAN))
SECOND_SURGEONS = ASSISTANTS | {CO_SURGEON}

SPLIT_PACKAGES = ("010", "090")  # global days of which a package has parts that may be billed apart
PACKAGE_PARTS = {
    "54": "surgery without the care after it",
    "55": "care after surgery",
    "56": "care before surgery",
    "78": "return to the operating room",
}
CARE_AFTER = "55"

# Off the technical part, one after the other: share in `payment-shares`, and why.
TECHNICAL_CUTS = {
    "FX": ("film", "film x-ray"),
    "FY": ("computed-radiography", "computed radiography"),
    "CT": ("ct-equipment", "CT below the equipment standard"),
}

BY_REVIEW = {
    "22": "an estimate: more than the full fee is by review (modifier 22)",
    "52": "an estimate, at most: what is paid of a reduced service is by review (modifier 52)",
    "53": "an estimate, at most: what is paid of a discontinued service is by review (modifier 53)",
}

PRICING = (
    frozenset(COMPONENTS)
    | NOT_PRICED
    | SECOND_SURGEONS
    | frozenset(PACKAGE_PARTS)
    | frozenset(TECHNICAL_CUTS)
    | frozenset(BY_REVIEW)
    | {"50", TEAM}
)


def component_of(modifiers: tuple[str, ...]) -> str:
    """The component of the service that is billed: "" (all of it), 26, TC or 53. Raises NoPrice for two of them."""
    components = [modifier for modifier in modifiers if modifier in COMPONENTS]
    if len(components) > 1:
        raise NoPrice("modifier-not-priced")
    return components[0] if components else ""


def shares(reference: Reference, row: FeeRow, modifiers: tuple[str, ...], day: date) -> Iterator[Share]:
    """The factors of the full fee, in order. Raises NoPrice when a modifier's effect is not known."""
    if not NOT_PRICED.isdisjoint(modifiers):
        raise NoPrice("modifier-not-priced")
    if TEAM in modifiers:
        raise NoPrice("by-report")
    if "50" in modifiers and row.bilateral in BOTH_SIDES:
        yield Share(_share(reference, BOTH_SIDES[row.bilateral], day), "both sides")
    part = _only(modifiers, frozenset(PACKAGE_PARTS))
    if part:
        yield Share(_of_package(row, part), PACKAGE_PARTS[part])
    second = _only(modifiers, SECOND_SURGEONS)
    if second == CO_SURGEON:
        if row.co_surgeon not in CO_SURGEONS_ALLOWED:
            raise NoPrice("modifier-not-priced")
        yield Share(_share(reference, "co-surgeon", day), "co-surgeon")
    elif second:
        if row.assistant != ASSISTANT_ALLOWED:
            raise NoPrice("modifier-not-priced")
        yield Share(_share(reference, "assistant-at-surgery", day), "assistant at surgery")


def _only(modifiers: tuple[str, ...], kind: frozenset[str]) -> str:
    """The modifier of a kind, blank without one. Raises NoPrice for two, which contradict each other."""
    found = [modifier for modifier in modifiers if modifier in kind]
    if len(found) > 1:
        raise NoPrice("modifier-not-priced")
    return found[0] if found else ""


def _share(reference: Reference, name: str, day: date) -> Decimal:
    found = reference.payment_share(name, day)
    if found is None:
        raise NoPrice("modifier-not-priced")
    return found.share


def _of_package(row: FeeRow, part: str) -> Decimal:
    """The share of a surgical package, by the fee schedule's row. The surgeon's includes the care before."""
    before, during, after = row.preoperative, row.intraoperative, row.postoperative
    if row.global_days not in SPLIT_PACKAGES or before is None or during is None or after is None:
        raise NoPrice("modifier-not-priced")
    return {"54": before + during, "55": after, "56": before, "78": during}[part]


def provider_shares(
    reference: Reference, profession: Taxonomy | str, modifiers: tuple[str, ...], participating: bool, day: date
) -> Iterator[Share]:
    """The factors for who bills: an assistant who is no physician is reduced once, as the profession or as such."""
    found = profession_of(profession)
    if found.percent != FULL:
        yield Share(found.percent, found.name)
    elif NO_PHYSICIAN in modifiers:
        yield Share(_share(reference, "assistant-no-physician", day), "assistant who is no physician")
    if not participating:
        yield Share(_share(reference, "non-participating", day), "non-participating")


def remarks(row: FeeRow, modifiers: tuple[str, ...]) -> Iterator[str]:
    """What must be known of an amount that rests on these modifiers."""
    for modifier in modifiers:
        if modifier in BY_REVIEW and modifier != row.component:
            yield BY_REVIEW[modifier]
    if CARE_AFTER in modifiers:
        yield "less where the care after surgery was shared"
    if CO_SURGEON in modifiers and row.co_surgeon == "1":
        yield "the documentation decides whether co-surgeons are paid"
    if "78" in modifiers:
        yield "the share of modifier 78 is not verified"


def unknown(reference: Reference, modifiers: tuple[str, ...], day: date) -> Iterator[str]:
    """The remarks on modifiers that no table has on the day: an amount takes no account of them."""
    for modifier in modifiers:
        if modifier not in PRICING and reference.modifier(modifier, day) is None:
            yield f"modifier {modifier} is in no loaded table and was ignored"


def technical_cut(reference: Reference, modifiers: tuple[str, ...], day: date) -> Share | None:
    """The share that equipment modifiers take off the technical part; two of them one after the other."""
    left = FULL
    reasons = []
    for modifier, (name, why) in TECHNICAL_CUTS.items():
        if modifier in modifiers:
            left *= 1 - _share(reference, name, day)
            reasons.append(why)
    return Share(1 - left, ", ".join(reasons)) if reasons else None
