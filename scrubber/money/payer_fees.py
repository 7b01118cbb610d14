"""Money: what a payer other than Original Medicare allows for one unit, by the dated table of payer fees."""

from __future__ import annotations

from decimal import Decimal

from scrubber.money.fee_schedule import UNITS_KEPT, Service, medicare_unit_fee
from scrubber.money.line_price import NoPrice, UnitFee, to_cents
from scrubber.money.modifiers import PRICING, unknown
from scrubber.reference import Reference
from scrubber.remembered import remembered
from scrubber.rulebook.book import Rulebook
from scrubber.rulebook.tables import Payer, PayerFeeRow


@remembered(UNITS_KEPT)
def payer_unit_fee(rulebook: Rulebook, reference: Reference, payer: Payer, service: Service) -> UnitFee:
    """What the payer's row says: an amount, or a percentage (120 = one fifth more) of what Medicare would allow."""
    row = rulebook.payer_fee(service.code, payer, service.day)
    try:
        return _unit_fee(row, reference, service)
    except NoPrice as reason:
        return UnitFee(None, None, (), reason.word)


def _unit_fee(row: PayerFeeRow | None, reference: Reference, service: Service) -> UnitFee:
    if row is not None and row.amount is not None:
        return _amount(row.amount, row, service, reference)
    if row is not None and row.percent_of_medicare is not None:
        return _percentage(row.percent_of_medicare, medicare_unit_fee(reference, service))
    raise NoPrice("no-schedule")


def _amount(amount: Decimal, row: PayerFeeRow, service: Service, reference: Reference) -> UnitFee:
    """The table prices the whole code: what a modifier makes of it is between the payer and the provider."""
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
    shown = f"{percent.normalize():f} %"
    return medicare._replace(
        fee=fee,
        basis=f"{shown} of {medicare.basis}",
        steps=(*medicare.steps, f"{medicare.fee} x {shown} = {fee}"),
        further=None,  # whether a payer reduces as Medicare does is between it and the provider
    )
