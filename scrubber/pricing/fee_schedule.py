"""Computes what the Medicare physician fee schedule allows for one unit of a service, by its day and location.

The shares are applied in the order of `docs/pricing.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from scrubber.claim.code_values import HOME
from scrubber.pricing.adjustments import (
    BOTH_SIDES,
    SPLIT,
    component_of,
    profession_of,
    provider_shares,
    remarks,
    shares,
    technical_cut,
    unknown,
)
from scrubber.pricing.amounts import NOTHING, NoPrice, Operation, UnitFee
from scrubber.pricing.between_lines import REDUCTION_REMARK
from scrubber.pricing.reductions import OPERATIONS, REDUCTIONS, Priced, ranked_parts
from scrubber.pricing.weights import Share, Weighted, dollars, weigh
from scrubber.reference import Reference
from scrubber.reference.fee_rows import ConversionFactor, FeeRow, Gpci
from scrubber.reference.rows import Taxonomy
from scrubber.reference.tables import CONVERSION_FACTORS, GPCI, MPFS, ZIP_DIGITS
from scrubber.remembered import remembered

NATIONAL = "national"
OFFICE = "11"
AREAS_CACHED = 4_096
BY_PATIENT, BY_FACILITY, BY_BILLING = "by the patient's ZIP", "by service facility ZIP", "by billing ZIP"
LOCATION_UNCERTAIN = "(not certain: nothing sent says where the service was furnished)"


class Area(NamedTuple):
    """A locality "CCCCC-LL", or None for the national amount; `source` says how it was found, blank when stated."""

    locality: str | None
    source: str = ""


class Zips(NamedTuple):
    """ZIP codes of the addresses that may be where a line was furnished; None: not sent."""

    patient: str | None = None
    facility: str | None = None
    billing: str | None = None


def _furnished(place: str | None, zips: Zips) -> tuple[str | None, str]:
    """The ZIP code of where a line with that place of service was furnished, and how that is known.

    At home it is the patient's (WPS: the ZIP code of the place of service). Elsewhere it is the service facility's;
    without one it should be the billing provider's, which is certain for the office only.
    """
    if place == HOME and zips.patient is not None:
        return zips.patient, BY_PATIENT
    if zips.facility is not None:
        return zips.facility, BY_FACILITY
    return zips.billing, BY_BILLING if place in (None, OFFICE) else f"{BY_BILLING} {LOCATION_UNCERTAIN}"


@remembered(AREAS_CACHED)
def area(reference: Reference, stated: str | None, place: str | None, zips: Zips, day: date) -> Area:
    """The locality by which a line of that day and place of service is priced. `stated` is "national", "CCCCC-LL" or
    None.

    A stated locality is taken as it is, also one without indices. A ZIP code that no table has gives the national
    amount, and the source says so; of one whose nine digits would decide it is the locality that is listed, with a
    remark.
    """
    if stated is not None:
        return Area(None if stated == NATIONAL else stated)
    zip_code, source = _furnished(place, zips)
    return Area(None) if zip_code is None else _by_zip(reference, zip_code, source, day)


def _by_zip(reference: Reference, zip_code: str, source: str, day: date) -> Area:
    found = reference.locality_of_zip(zip_code, day)
    if found is None:
        return Area(None, "(ZIP not in the loaded tables)")
    if reference.gpci(found.locality, day) is None:
        return Area(None, "(no cost indices loaded for the locality of the ZIP)")
    return Area(found.locality, f"{source} {_uncertainty(zip_code)}" if found.nine_digits_decide else source)


def _uncertainty(zip_code: str) -> str:
    """The remark on the locality that is listed for five digits, where these lie in several."""
    sent = len(zip_code) > ZIP_DIGITS
    return f"(not certain: its nine digits decide{', and are in no loaded table' if sent else ''})"


FEES_CACHED = 16_384  # priced services in the cache of a process, about 10 MB

PAID = frozenset("ART")
BUNDLED = frozenset("BP")
NOT_COVERED = {"N": "not covered by Medicare", "I": "not valid for Medicare", "M": "for reporting only"}
UNPAID = {"C": "contractor-priced", "J": "anesthesia", "X": "not-on-fee-schedule", "E": "not-on-fee-schedule"}


class PricedService(NamedTuple):
    """Everything that decides what the fee schedule allows for one unit.

    `setting` is facility, non-facility or None; `profession` a row of the taxonomy table, or why there is none.
    """

    code: str
    modifiers: tuple[str, ...]
    day: date
    setting: str | None
    area: Area
    participating: bool
    qualifying_apm: bool
    profession: Taxonomy | str


@remembered(FEES_CACHED)
def medicare_unit_fee(reference: Reference, service: PricedService) -> UnitFee:
    """What Medicare allows for one unit of the service. Cached: the reference data never changes."""
    try:
        return _unit_fee(reference, service)
    except NoPrice as error:
        return UnitFee(None, None, (), error.reason)


def _unit_fee(reference: Reference, service: PricedService) -> UnitFee:
    row = fee_row(reference, service.code, service.modifiers, service.day)
    factor = _factor(reference, service)
    gpci = _gpci(reference, service)
    basis = _basis(reference, service, row, factor, gpci)
    if row.status in BUNDLED:
        return UnitFee(NOTHING, basis, ("bundled into other services = 0.00",))
    if row.status in NOT_COVERED:
        return UnitFee(NOTHING, basis, (f"{NOT_COVERED[row.status]} = 0.00",), covered=False)
    cut = technical_cut(reference, service.modifiers, service.day)
    weighted = _after_cut(reference, service, row, gpci, cut)
    applied = [
        *shares(reference, row, service.modifiers, service.day),
        *provider_shares(reference, service.profession, service.modifiers, service.participating, service.day),
    ]
    fee, step = dollars(weighted, factor.factor, applied)
    priced = Priced(row, service.day, service.setting == "facility", gpci, weighted, factor.factor, applied, cut)
    return UnitFee(
        fee,
        basis,
        (step,),
        reduction=REDUCTIONS.get(row.multiple, ""),
        operation=_operation(reference, priced),
        parts=ranked_parts(reference, priced),
    )


def _operation(reference: Reference, priced: Priced) -> Operation | None:
    """How an operation is ranked; None of what is no operation, and of indicators without a row."""
    row = priced.row
    if row.multiple not in OPERATIONS:
        return None
    found = reference.multiple_reduction(row.multiple, "whole", priced.day)
    if found is None:
        return None
    base = reference.fee(row.endoscopic_base, "", priced.day) if row.endoscopic_base else None
    if base is None:
        return Operation(found.share)
    # The base takes the shares of the code that it is taken off, whatever its own indicators allow.
    fee, _ = dollars(weigh(base, priced.facility, priced.gpci).paid, priced.factor, priced.applied)
    return Operation(found.share, base.code, fee)


def _factor(reference: Reference, service: PricedService) -> ConversionFactor:
    """Since 2026 CMS publishes a factor for qualifying APM participants and one for all others, in a file each."""
    factor = reference.conversion_factor(service.day, service.qualifying_apm)
    if factor is not None:
        return factor
    if reference.conversion_factor(service.day, not service.qualifying_apm) is None:
        raise NoPrice("no-conversion-factor")
    raise NoPrice("no-qpp-file" if service.qualifying_apm else "no-non-qpp-file")


def fee_row(reference: Reference, code: str, modifiers: tuple[str, ...], day: date) -> FeeRow:
    """The fee schedule row that pays a code with its modifiers.

    26 or TC on a code without that component is invalid and changes nothing here: the full code is priced, and the
    rules deny the line. Raises NoPrice when there is no row or it carries no amount.
    """
    full_row = reference.fee(code, "", day)
    component = component_of(modifiers)
    row = (reference.fee(code, component, day) if component else None) or full_row
    if row is None:
        before = reference.table_status(MPFS.name, day).state == "before-first-release"
        raise NoPrice("before-first-release" if before else "unknown-code")
    if row.component != component and row.pc_tc in SPLIT.get(component, ()):
        raise NoPrice("modifier-not-priced")
    return _carrying_an_amount(row)


def _carrying_an_amount(row: FeeRow) -> FeeRow:
    if row.status in BUNDLED or row.status in NOT_COVERED:
        return row
    if row.status not in PAID:
        raise NoPrice(UNPAID.get(row.status, "not-payable"))
    if not row.work + row.non_facility_pe + row.facility_pe + row.mp:
        raise NoPrice("contractor-priced")
    return row


def _gpci(reference: Reference, service: PricedService) -> Gpci | None:
    if service.area.locality is None:
        return None
    gpci = reference.gpci(service.area.locality, service.day)
    if gpci is None:
        raise NoPrice("unknown-locality")
    return gpci


def _basis(
    reference: Reference, service: PricedService, row: FeeRow, factor: ConversionFactor, gpci: Gpci | None
) -> str:
    schedule = f"MPFS {_year(reference, factor, service.day)}"
    if _carried_forward(reference, service.day, gpci):
        schedule += " carried forward"
    if factor.qualifying_apm:
        schedule += " (qualifying APM)"
    where = f"locality {gpci.locality} ({gpci.name})" if gpci else "national"
    location = f"{where} {service.area.source}" if service.area.source else where
    return ", ".join([schedule, location, *_remarks(service, row, reference)])


def _year(reference: Reference, factor: ConversionFactor, day: date) -> int:
    """The year of the schedule, which is that of its factor: that states its first day, or its release does."""
    release = reference.table_status(CONVERSION_FACTORS.name, day).release
    return (factor.since or (release and release.since) or day).year


def _carried_forward(reference: Reference, day: date, gpci: Gpci | None) -> bool:
    """Whether a table that gave the amount has no release for the day, so that an earlier one answered."""
    tables = (MPFS, CONVERSION_FACTORS, GPCI) if gpci else (MPFS, CONVERSION_FACTORS)
    return any(reference.table_status(table.name, day).state != "in-force" for table in tables)


def _remarks(service: PricedService, row: FeeRow, reference: Reference) -> Iterator[str]:
    if service.setting is None:
        yield "place of service unknown"
    facility = service.setting == "facility"
    if row.facility_na if facility else row.non_facility_na:
        yield f"{'facility' if facility else 'non-facility'} (rarely or never done there)"
    elif facility:
        yield "facility"
    remark = profession_of(service.profession).remark
    if remark:
        yield remark
    yield from _without_effect(service, row)
    yield from remarks(row, service.modifiers)
    yield from unknown(reference, service.modifiers, service.day)
    if row.status == "T":
        yield "paid only when nothing else is paid that day"
    if "51" in service.modifiers and row.multiple not in OPERATIONS:
        yield REDUCTION_REMARK


def _without_effect(service: PricedService, row: FeeRow) -> Iterator[str]:
    """Remarks on modifiers without effect: a full fee must not be mistaken for that of a component."""
    component = component_of(service.modifiers)
    if component in SPLIT and row.component != component:
        yield f"modifier {component} has no effect: the code has no such part"
    if "50" in service.modifiers and row.bilateral not in BOTH_SIDES:
        yield "modifier 50 has no effect on this code"


def _after_cut(
    reference: Reference, service: PricedService, row: FeeRow, gpci: Gpci | None, cut: Share | None
) -> Weighted:
    """The weighted units, less what equipment modifiers take off the technical component."""
    facility = service.setting == "facility"
    weighted = weigh(row, facility, gpci).paid
    if cut is None or row.component == "26" or row.pc_tc == "2":
        return weighted
    technical = weigh(_technical_row(reference, row, service.day), facility, gpci).paid
    return Weighted(weighted.rvu - cut.value * technical.rvu, f"({weighted.text} - {cut} x {technical.text})")


def _technical_row(reference: Reference, row: FeeRow, day: date) -> FeeRow:
    if row.component == "TC" or row.pc_tc == "3":
        return row
    technical = reference.fee(row.code, "TC", day)
    if technical is None:
        raise NoPrice("modifier-not-priced")
    return technical
