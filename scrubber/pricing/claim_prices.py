"""Prices the lines of a claim: billed, allowed, and the arithmetic between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

from scrubber.claim.code_values import HOME, MINUTES
from scrubber.claim.model import Claim, ServiceLine
from scrubber.facts.exclusions import Exclusions, is_billed_as_excluded
from scrubber.facts.fee_status import fee_status
from scrubber.facts.payer import zip_of
from scrubber.facts.service_lines import LineView
from scrubber.pricing.adjustments import NOT_LISTED, NOT_SENT, PRICING, unknown
from scrubber.pricing.amounts import NOTHING, LinePrice, NoPrice, UnitFee, to_cents
from scrubber.pricing.fee_schedule import (
    BETWEEN_LINES_REMARK,
    FEES_CACHED,
    REDUCTION_REMARK,
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
        further=None,  # whether a payer reduces as Medicare does is between it and the provider
    )


ORIGINAL_MEDICARE = "original-medicare"
LARGEST = Decimal(10**15)  # no charge or count of a real claim comes near; arithmetic stays exact below it
LATER_PAYERS = frozenset("STABCDEFGH")  # payment responsibility (SBR01) of who is neither first nor unknown
MEDICARE_SECONDARY = "Medicare is secondary (42 CFR 411.33)"
EXCLUDED = UnitFee(
    NOTHING, "excluded from Medicare by law", ("excluded from Medicare by law, and GY says so = 0.00",), covered=False
)
PAID_BY_SCHEDULE = frozenset("ART")
SUPPLY = "P"  # status: bundled beside a practitioner's paid service, paid by another schedule or not at all without one
PAID_ELSEWHERE = UnitFee(None, None, (), "not-on-fee-schedule")
NO_CODE = UnitFee(None, None, (), "no-code")
NO_DATE = UnitFee(None, None, (), "no-date")


def price_lines(
    claim: Claim, views: tuple[LineView, ...], rulebook: Rulebook, reference: Reference
) -> Mapping[int, LinePrice]:
    """The price of every line by its number.

    Original Medicare pays by its physician fee schedule, whatever other tables say; any other payer by the table of
    payer fees, else not known. Multiple-procedure reductions hold between the units of a line only; `basis` says where
    they would hold between lines.
    """
    zips = Zips(facility=zip_of(claim.facility), billing=zip_of(claim.billing))
    units = [(view, _unit_fee(claim, view, zips, rulebook, reference)) for view in views]
    units = [(view, _of_supply(view, unit, views, reference)) for view, unit in units]
    prices = {view.number: line_price(view.line, unit) for view, unit in units}
    reducible = [(view, unit) for view, unit in units if unit.reduction]
    if len(reducible) > 1:
        _remark_reductions(prices, reducible)
    excluded = [view for view in views if view.line.modifiers and is_billed_as_excluded(view, rulebook.lists)]
    if excluded:
        _deny_excluded(prices, excluded, Exclusions(views, rulebook.lists))
    if claim.texts.get("payment-responsibility") in LATER_PAYERS:
        return {view.number: _behind_another(prices[view.number], view.payer) for view in views}
    return prices


def _deny_excluded(prices: dict[int, LinePrice], billed: list[LineView], exclusions: Exclusions) -> None:
    """Medicare pays nothing for a line that bills an excluded service as excluded (GY)."""
    for view in billed:
        if exclusions.billed_for_denial(view):
            prices[view.number] = line_price(view.line, EXCLUDED)


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


def _unit_fee(claim: Claim, view: LineView, zips: Zips, rulebook: Rulebook, reference: Reference) -> UnitFee:
    """`zips` are those of the claim; a line may name a service facility of its own."""
    line, day, context = view.line, view.first, claim.context
    if line.procedure is None:
        return NO_CODE
    if day is None:
        return NO_DATE
    if view.place == HOME:
        zips = zips._replace(patient=zip_of(claim.patient) or zip_of(claim.subscriber))
    if line.facility is not None:
        zips = zips._replace(facility=zip_of(line.facility) or zips.facility)
    service = PricedService(
        line.procedure,
        line.modifiers,
        day,
        view.setting,
        area(reference, context.locality, view.place, zips, day),
        context.participation != "nonpar",
        bool(context.qualifying_apm),
        view.profession or (NOT_LISTED if view.rendering and view.rendering.taxonomy else NOT_SENT),
    )
    return unit_fee(service, view.payer, rulebook, reference)


def unit_fee(service: PricedService, payer: Payer, rulebook: Rulebook, reference: Reference) -> UnitFee:
    """What the payer allows for one unit of the service."""
    if payer.line_of_business == ORIGINAL_MEDICARE:
        return medicare_unit_fee(reference, service)
    return payer_unit_fee(rulebook, reference, payer, service)


def line_price(line: ServiceLine, unit: UnitFee) -> LinePrice:
    """Units times the fee, and no more than the charge. Reads charge, units, unit code and modifiers of the line."""
    billed, fee, units = _billed(line.charge), unit.fee, line.units
    if fee is None:
        return LinePrice(billed, None, None, None, (), unit.unknown)
    if units is None or line.unit_code == MINUTES or not 0 < units < LARGEST:
        return LinePrice(billed, None, fee, unit.basis, unit.steps, "no-units")
    allowed, steps = fee, unit.steps
    if units != 1:
        if "50" in line.modifiers:  # both sides are one unit; more are returned, not paid
            return LinePrice(billed, None, fee, unit.basis, steps, "modifier-not-priced")
        allowed, steps = _of_units(units, fee, unit)
        if units > 1 and unit.reduction and unit.further is None:
            unit = unit._replace(basis=_remarked(unit.basis, REDUCTION_REMARK))
    if billed is not None and billed < allowed:
        allowed, steps = billed, (*steps, f"charge {billed} is lower")
    return LinePrice(billed, allowed, fee, unit.basis, steps, None)


def _of_units(units: Decimal, fee: Decimal, unit: UnitFee) -> tuple[Decimal, tuple[str, ...]]:
    """The fee of other than one unit, and its arithmetic. Units after the first may be paid less."""
    if unit.further is None or units < 1:
        allowed = to_cents(units * fee)
        return allowed, (*unit.steps, f"{units.normalize():f} units x {fee} = {allowed}")
    others = units - 1
    allowed = to_cents(fee + others * unit.further)
    count = f"{others.normalize():f} further unit{'' if others == 1 else 's'}"
    return allowed, (*unit.steps, unit.further_step, f"{fee} + {count} x {unit.further} = {allowed}")


def _billed(charge: Decimal | None) -> Decimal | None:
    """A charge in whole cents; None when it is no amount that can be billed."""
    return to_cents(charge) if charge is not None and 0 <= charge < LARGEST else None


def _remark_reductions(prices: dict[int, LinePrice], reducible: list[tuple[LineView, UnitFee]]) -> None:
    together = Counter((unit.reduction, view.first) for view, unit in reducible)
    for view, unit in reducible:
        price = prices[view.line.number]
        remark = REDUCTION_REMARK if unit.further is None else BETWEEN_LINES_REMARK
        if together[unit.reduction, view.first] > 1 and price.basis:
            prices[view.line.number] = price._replace(basis=_remarked(price.basis, remark))


def _remarked(basis: str | None, remark: str) -> str:
    """The basis with a remark, which it has once."""
    return basis if basis and basis.endswith(REDUCTION_REMARK) else f"{basis}, {remark}"
