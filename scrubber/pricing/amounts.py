"""The amounts of a service line, billed and allowed, and the reasons for which an amount cannot be known."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from scrubber.errors import ScrubberError

CENT = Decimal("0.01")
NOTHING = Decimal("0.00")

UNKNOWN: Mapping[str, str] = {
    "no-code": "the line has no readable procedure code",
    "no-date": "the line has no readable date of service",
    "no-units": "the line has no readable count of services",
    "too-many-lines": "the claim has more lines than it can hold, and none of them was priced",
    "no-charge": "the line has no readable charge",
    "no-schedule": "no loaded table says what this payer pays",
    "before-first-release": "the date of service lies before the first fee schedule that is loaded",
    "unknown-code": "the loaded fee schedule has no row for the code on the date of service",
    "unknown-locality": "the stated locality has no cost indices in the loaded tables",
    "no-conversion-factor": "no conversion factor is loaded for the date of service",
    "no-qpp-file": "the fee schedule file for qualifying APM participants (QPP) is not loaded for the date of service",
    "no-non-qpp-file": "of the fee schedule only the file for qualifying APM participants (QPP) is loaded",
    "contractor-priced": "the Medicare contractor sets the amount itself",
    "by-report": "the Medicare contractor decides by the report: team surgery, or a sixth operation of a day",
    "anesthesia": "anesthesia is paid by base and time units, not by this fee schedule",
    "liability-unsettled": "whether the provider or the patient bears it is not settled",
    "secondary-payer": "another payer pays first, and what this one still pays is not known",
    "not-payable": "Medicare has no fee for this code",
    "not-on-fee-schedule": "the code is paid under another fee schedule or not at all",
    "amount-not-known": "what the rule names as the dollars at risk is not known",
    "modifier-not-priced": "what a modifier of the line does to the amount is decided by review or not known",
}


class NoPrice(ScrubberError):
    """An amount cannot be known; `reason` is one of UNKNOWN. Never leaves `scrubber.pricing`."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(UNKNOWN[reason])


class Operation(NamedTuple):
    """That a service is ranked by its fee among the operations of a day, of which all but the first lose `off`.

    `family` is the base code of its endoscopies, blank for others, and `base_fee` what that is allowed.
    """

    off: Decimal
    family: str = ""
    base_fee: Decimal | None = None


class ReducedFee(NamedTuple):
    """The fee of a unit that loses something of these parts, and its arithmetic."""

    parts: tuple[str, ...]
    fee: Decimal
    step: str


class Parts(NamedTuple):
    """That parts of a fee are ranked among the services of a day, of which all but the first lose a share of the part.

    `ranked` has the relative value units of each part by which it is ranked; `reduced` a fee for each choice of parts.
    """

    group: str
    ranked: tuple[tuple[str, Decimal], ...]
    reduced: tuple[ReducedFee, ...]


class UnitFee(NamedTuple):
    """What a payer allows for one unit of a service, in dollars and cents.

    `fee` None: not known, `unknown` says why. `reduction` names the group of services of one day among which all but
    the highest are paid less, blank when there is none; `operation` or `parts` say by how much, both None where that is
    not known. `covered`: whether Medicare may pay the code; where it never does, its fee of 0.00 implies nothing about
    another payer's fee.
    """

    fee: Decimal | None
    basis: str | None
    steps: tuple[str, ...]
    unknown: str | None = None
    reduction: str = ""
    covered: bool = True
    operation: Operation | None = None
    parts: Parts | None = None


class LinePrice(NamedTuple):
    """One service line in dollars and cents. None = not known; `unknown` (of UNKNOWN) says why `allowed` is not.

    `basis` is None when no schedule priced the line. `steps` is the arithmetic, in order. `secondary`: another payer
    pays first, so that this one pays some of what it allows, or nothing. `without_it`: what other lines are allowed
    where this one falls, by line number, of those whose amount is then another.
    """

    billed: Decimal | None
    allowed: Decimal | None
    unit_fee: Decimal | None
    basis: str | None
    steps: tuple[str, ...]
    unknown: str | None
    secondary: bool = False
    without_it: tuple[tuple[int, Decimal | None], ...] = ()


def to_cents(amount: Decimal) -> Decimal:
    """The amount in whole cents, half a cent up."""
    return amount.quantize(CENT, ROUND_HALF_UP)
