"""Weighs relative value units by where a service was done, and turns them into dollars.

    amount = (work x GPCI + practice expense of the setting x GPCI + malpractice x GPCI) x conversion factor

with every further share on the same product, rounded half up to the cent once, at its end (RVU25D documentation).
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from scrubber.pricing.amounts import to_cents
from scrubber.reference.fee_rows import FeeRow, Gpci


class Share(NamedTuple):
    """A share of an amount, and why it applies."""

    value: Decimal
    why: str

    def __str__(self) -> str:
        return f"{self.value} ({self.why})"


class Weighted(NamedTuple):
    """Relative value units, weighted by where the service was done, and how they come about."""

    rvu: Decimal
    text: str


class Weights(NamedTuple):
    """The units of a row in a setting: by its own columns, and after the outpatient imaging cap where that is less."""

    own: Weighted
    capped: Weighted | None

    @property
    def paid(self) -> Weighted:
        """Those that are paid when no other service of the day reduces them."""
        return self.capped or self.own


def weigh(row: FeeRow, facility: bool, gpci: Gpci | None) -> Weights:
    """The units of a row in a setting, weighted by a locality (None: national).

    The cap: imaging is paid no more than its OPPS columns give; zero columns mean no cap.
    """
    own = _weigh(row.work, row.facility_pe if facility else row.non_facility_pe, row.mp, gpci)
    opps_pe = row.opps_facility_pe if facility else row.opps_non_facility_pe
    if not opps_pe:
        return Weights(own, None)
    cap = _weigh(row.work, opps_pe, row.opps_mp, gpci)
    if cap.rvu >= own.rvu:
        return Weights(own, None)
    return Weights(own, Weighted(cap.rvu, f"{cap.text} (outpatient imaging cap, below {own.text})"))


def _weigh(work: Decimal, pe: Decimal, mp: Decimal, gpci: Gpci | None) -> Weighted:
    if gpci is None:
        rvu = work + pe + mp
        return Weighted(rvu, f"{rvu:.2f} RVU")
    weighted = work * gpci.work + pe * gpci.pe + mp * gpci.mp
    terms = ((work, gpci.work), (pe, gpci.pe), (mp, gpci.mp))
    return Weighted(weighted, f"({' + '.join(f'{units:.2f} x {index:.3f}' for units, index in terms)}) RVU")


def amount(rvu: Decimal, factor: Decimal, applied: list[Share]) -> Decimal:
    """Weighted units times the conversion factor times every share, rounded half up to the cent once."""
    product = rvu * factor
    for share in applied:
        product *= share.value
    return to_cents(product)


def dollars(weighted: Weighted, factor: Decimal, applied: list[Share]) -> tuple[Decimal, str]:
    """Dollars and cents for weighted units, and the arithmetic."""
    fee = amount(weighted.rvu, factor, applied)
    return fee, f"{' x '.join([weighted.text, str(factor), *map(str, applied)])} = {fee}"
