"""Prices the lines of a claim: billed, allowed, and the arithmetic between."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from scrubber.claim.code_values import HOME
from scrubber.claim.model import Claim, ServiceLine
from scrubber.facts.exclusions import Exclusions, is_billed_as_excluded
from scrubber.facts.fee_status import fee_status
from scrubber.facts.payer import zip_of
from scrubber.facts.service_lines import LineView
from scrubber.pricing.adjustments import NOT_LISTED, NOT_SENT, PRICING, unknown
from scrubber.pricing.amounts import NOTHING, LinePrice, NoPrice, UnitFee, to_cents
from scrubber.pricing.between_lines import Billed, line_alone, price_together
from scrubber.pricing.fee_schedule import (
    FEES_CACHED,
    PricedService,
    Zips,
    area,
    medicare_unit_fee,
)
from scrubber.reference import Reference
from scrubber.remembered import remembered
from scrubber.rulebook.rule_tables import Payer, PayerFeeRow
from scrubber.rulebook.rulebook import Rulebook


@remembered(FEES_CACHED)
def payer_unit_fee(rulebook: Rulebook, reference: Reference, payer: Payer, service: PricedService) -> UnitFee:
    """The fee by the payer's row: an amount, or a percentage (120 = one fifth more) of what Medicare would allow."""
    row = rulebook.payer_fee(service.code, payer, service.day)
    try:
        return _fee_by_row(row, reference, service)
    except NoPrice as error:
        return UnitFee(None, None, (), error.reason)


def _fee_by_row(row: PayerFeeRow | None, reference: Reference, service: PricedService) -> UnitFee:
    if row is not None and row.amount is not None:
        return _amount(row.amount, row, service, reference)
    if row is not None and row.percent_of_medicare is not None:
        return _percentage(row.percent_of_medicare, medicare_unit_fee(reference, service))
    raise NoPrice("no-schedule")


def _amount(amount: Decimal, row: PayerFeeRow, service: PricedService, reference: Reference) -> UnitFee:
    """The table prices the full code: the effect of a modifier is between the payer and the provider."""
    if not PRICING.isdisjoint(service.modifiers):
        raise NoPrice("modifier-not-priced")
    fee = to_cents(amount)
    basis = ", ".join([f"payer fee table: {row.source}", *unknown(reference, service.modifiers, service.day)])
    return UnitFee(fee, basis, (f"{fee} a unit by the payer's table",))


def _percentage(percent: Decimal, medicare: UnitFee) -> UnitFee:
    if medicare.fee is None:
        return medicare
    if not medicare.covered:
        raise NoPrice("not-payable")
    fee = to_cents(medicare.fee * percent / 100)
    percentage = f"{percent.normalize():f} %"
    return medicare._replace(
        fee=fee,
        basis=f"{percentage} of {medicare.basis}",
        steps=(*medicare.steps, f"{medicare.fee} x {percentage} = {fee}"),
        operation=None,  # whether a payer reduces as Medicare does is between it and the provider
        parts=None,
    )


ORIGINAL_MEDICARE = "original-medicare"
LATER_PAYERS = frozenset("STABCDEFGH")  # payment responsibility (SBR01) of who is neither first nor unknown
MEDICARE_SECONDARY = "Medicare is secondary (42 CFR 411.33)"
EXCLUDED = UnitFee(
    NOTHING, "excluded from Medicare by law", ("excluded from Medicare by law, and GY says so = 0.00",), covered=False
)
SIDES = frozenset(("RT", "LT"))
TOGETHER = ("0", "1", "2")  # bilateral indicators of which both sides have one fee (RVU25D documentation)
PAID_BY_SCHEDULE = frozenset("ART")
SUPPLY = "P"  # status: bundled beside a practitioner's paid service, paid by another schedule or not at all without one
PAID_ELSEWHERE = UnitFee(None, None, (), "not-on-fee-schedule")
NO_CODE = UnitFee(None, None, (), "no-code")
NO_DATE = UnitFee(None, None, (), "no-date")


def price_lines(
    claim: Claim, views: tuple[LineView, ...], rulebook: Rulebook, reference: Reference
) -> Mapping[int, LinePrice]:
    """The price of every line by its number: those of a day together, as one takes from another.

    Original Medicare pays by its physician fee schedule, whatever other tables say; any other payer by the table of
    payer fees, else not known.
    """
    zips = Zips(facility=zip_of(claim.facility), billing=zip_of(claim.billing))
    priced = [(view, _service(claim, view, zips, reference)) for view in views]
    billed = [_billed(view, service, rulebook, reference) for view, service in priced]
    billed = [
        each._replace(unit=_of_supply(view, each.unit, views, reference))
        for view, each in zip(views, billed, strict=True)
    ]
    if any(view.line.modifiers and is_billed_as_excluded(view, rulebook.lists) for view in views):
        billed = _excluded(billed, views, Exclusions(views, rulebook.lists))
    prices = price_together(billed)
    if claim.texts.get("payment-responsibility") in LATER_PAYERS:
        return {view.number: _behind_another(prices[view.number], view.payer) for view in views}
    return prices


def _excluded(billed: list[Billed], views: tuple[LineView, ...], exclusions: Exclusions) -> list[Billed]:
    """Medicare pays nothing for a line that bills an excluded service as excluded (GY)."""
    return [
        each._replace(unit=EXCLUDED, both_sides=None) if exclusions.billed_for_denial(view) else each
        for view, each in zip(views, billed, strict=True)
    ]


def _of_supply(view: LineView, unit: UnitFee, views: tuple[LineView, ...], reference: Reference) -> UnitFee:
    """A supply is bundled, and so allowed nothing, only beside a service of the day that the fee schedule pays."""
    code, day = view.line.procedure, view.first
    if unit.fee != NOTHING or view.payer.line_of_business != ORIGINAL_MEDICARE or code is None or day is None:
        return unit
    if fee_status(code, day, reference).letter != SUPPLY or _beside_paid_service(view, views, reference):
        return unit
    return PAID_ELSEWHERE


def _beside_paid_service(view: LineView, views: tuple[LineView, ...], reference: Reference) -> bool:
    """Whether the claim bills another service of the same provider and day that the fee schedule pays."""
    return any(
        other.first == view.first
        and other.provider == view.provider
        and other.line.procedure is not None
        and view.first is not None
        and fee_status(other.line.procedure, view.first, reference).letter in PAID_BY_SCHEDULE
        for other in views
    )


def _behind_another(price: LinePrice, payer: Payer) -> LinePrice:
    """The price of a payer that is not the first: what it allows is known, what it still pays is not."""
    if price.allowed is None:
        return price
    who = MEDICARE_SECONDARY if payer.line_of_business == ORIGINAL_MEDICARE else "the payer is secondary"
    return price._replace(basis=f"{price.basis}, {who}", secondary=True)


def _service(claim: Claim, view: LineView, zips: Zips, reference: Reference) -> PricedService | UnitFee:
    """What decides the fee, or why there is none. `zips` are the claim's; a line may name a facility of its own."""
    line, day, context = view.line, view.first, claim.context
    if line.procedure is None:
        return NO_CODE
    if day is None:
        return NO_DATE
    if view.place == HOME:
        zips = zips._replace(patient=zip_of(claim.patient) or zip_of(claim.subscriber))
    if line.facility is not None:
        zips = zips._replace(facility=zip_of(line.facility) or zips.facility)
    return PricedService(
        line.procedure,
        line.modifiers,
        day,
        view.setting,
        area(reference, context.locality, view.place, zips, day),
        context.participation != "nonpar",
        bool(context.qualifying_apm),
        view.profession or (NOT_LISTED if view.rendering and view.rendering.taxonomy else NOT_SENT),
    )


def _billed(view: LineView, service: PricedService | UnitFee, rulebook: Rulebook, reference: Reference) -> Billed:
    """A line with its fee; where it names a side and Medicare pays it, also with the fee of both sides."""
    if isinstance(service, UnitFee):
        return Billed(view.line, service, view.provider, view.first, None)
    unit = unit_fee(service, view.payer, rulebook, reference)
    both_sides = None
    if view.payer.line_of_business == ORIGINAL_MEDICARE and not SIDES.isdisjoint(service.modifiers):
        both_sides = _of_both_sides(reference, service)
    return Billed(view.line, unit, view.provider, view.first, both_sides)


def _of_both_sides(reference: Reference, service: PricedService) -> UnitFee | None:
    """The fee of the right and the left side together; None where each side is paid by itself."""
    row = reference.fee(service.code, "", service.day)
    if row is None or row.bilateral not in TOGETHER:
        return None
    others = [modifier for modifier in service.modifiers if modifier not in SIDES]
    return medicare_unit_fee(reference, service._replace(modifiers=("50", *others)))


def unit_fee(service: PricedService, payer: Payer, rulebook: Rulebook, reference: Reference) -> UnitFee:
    """What the payer allows for one unit of the service."""
    if payer.line_of_business == ORIGINAL_MEDICARE:
        return medicare_unit_fee(reference, service)
    return payer_unit_fee(rulebook, reference, payer, service)


def line_price(line: ServiceLine, unit: UnitFee) -> LinePrice:
    """The price of a line by itself. Reads charge, units, unit code and modifiers of the line."""
    return line_alone(line, unit)
