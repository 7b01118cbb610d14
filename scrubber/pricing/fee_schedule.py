"""Computes what the Medicare physician fee schedule allows for one unit of a service, by its day and location.

    amount = (work x GPCI + practice expense of the setting x GPCI + malpractice x GPCI) x conversion factor

with every further share on the same product, rounded half up to the cent once, at its end (RVU25D documentation).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from scrubber.claim.code_values import HOME
from scrubber.pricing.adjustments import (
    BOTH_SIDES,
    FULL,
    SPLIT,
    Share,
    component_of,
    profession_of,
    shares,
    technical_cut,
    unknown,
)
from scrubber.pricing.amounts import NOTHING, NoPrice, UnitFee, to_cents
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

NONPARTICIPATING = Share(Decimal("0.95"), "non-participating")

PAID = frozenset("ART")
BUNDLED = frozenset("BP")
NOT_COVERED = {"N": "not covered by Medicare", "I": "not valid for Medicare", "M": "for reporting only"}
UNPAID = {"C": "contractor-priced", "J": "anesthesia", "X": "not-on-fee-schedule", "E": "not-on-fee-schedule"}

# Services of one day among which all but the highest are paid less, by multiple procedure indicator.
REDUCTIONS = {
    "1": "surgery", "2": "surgery", "3": "surgery", "4": "imaging", "5": "therapy", "6": "cardiovascular",
    "7": "ophthalmology",
}  # fmt: skip
REDUCTION_REMARK = "before multiple-procedure reduction"
BETWEEN_LINES_REMARK = "before multiple-procedure reduction between lines"


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


class Weighted(NamedTuple):
    """Relative value units, weighted by where the service was done, and how they come about."""

    rvu: Decimal
    text: str


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
    weighted = _after_cut(reference, service, row, gpci)
    applied = [*shares(row, service.modifiers), *_provider_shares(service)]
    fee, step = _product(weighted, factor, applied)
    reduced = _reduced(reference, service, row, gpci, weighted)
    further, further_step = _product(reduced, factor, applied) if reduced else (None, "")
    group = REDUCTIONS.get(row.multiple, "")
    return UnitFee(fee, basis, (step,), None, group, further, further_step)


def _factor(reference: Reference, service: PricedService) -> ConversionFactor:
    """Since 2026 CMS publishes a factor for qualifying APM participants and one for all others, in a file each."""
    factor = reference.conversion_factor(service.day, service.qualifying_apm)
    if factor is not None:
        return factor
    if reference.conversion_factor(service.day, not service.qualifying_apm) is None:
        raise NoPrice("no-conversion-factor")
    raise NoPrice("no-qpp-file" if service.qualifying_apm else "no-non-qpp-file")


def _product(weighted: Weighted, factor: ConversionFactor, applied: list[Share]) -> tuple[Decimal, str]:
    """Dollars and cents for weighted units, and the arithmetic."""
    fee = amount(weighted.rvu, factor.factor, applied)
    return fee, f"{' x '.join([weighted.text, str(factor.factor), *map(str, applied)])} = {fee}"


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
    if row.component != component and row.pc_tc in SPLIT[component]:
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
    yield from unknown(reference, service.modifiers, service.day)
    if row.status == "T":
        yield "paid only when nothing else is paid that day"
    if "51" in service.modifiers:
        yield REDUCTION_REMARK


def _without_effect(service: PricedService, row: FeeRow) -> Iterator[str]:
    """Remarks on modifiers without effect: a full fee must not be mistaken for that of a component."""
    component = component_of(service.modifiers)
    if component and row.component != component:
        yield f"modifier {component} has no effect: the code has no such part"
    if "50" in service.modifiers and row.bilateral not in BOTH_SIDES:
        yield "modifier 50 has no effect on this code"


def _after_cut(reference: Reference, service: PricedService, row: FeeRow, gpci: Gpci | None) -> Weighted:
    """The weighted units, less what equipment modifiers take off the technical component."""
    facility = service.setting == "facility"
    weighted = weigh(row, facility, gpci)
    cut = technical_cut(service.modifiers, service.day)
    if cut is None or row.component == "26" or row.pc_tc == "2":
        return weighted
    technical = weigh(_technical_row(reference, row, service.day), facility, gpci)
    return Weighted(weighted.rvu - cut.value * technical.rvu, f"({weighted.text} - {cut} x {technical.text})")


def _reduced(
    reference: Reference, service: PricedService, row: FeeRow, gpci: Gpci | None, weighted: Weighted
) -> Weighted | None:
    """The weighted units of each unit of a line after its first; None where the first is paid no more than they."""
    found = reference.multiple_reduction(row.multiple, service.day)
    if found is None:
        return None
    expense = row.facility_pe if service.setting == "facility" else row.non_facility_pe
    off = Share(found.share, "multiple-procedure reduction")
    index = Decimal(1) if gpci is None else gpci.pe
    by_locality = "" if gpci is None else f" x {index:.3f}"
    text = f"({weighted.text} - {off} x {expense:.2f} practice expense{by_locality})"
    return Weighted(weighted.rvu - off.value * expense * index, text)


def _technical_row(reference: Reference, row: FeeRow, day: date) -> FeeRow:
    if row.component == "TC" or row.pc_tc == "3":
        return row
    technical = reference.fee(row.code, "TC", day)
    if technical is None:
        raise NoPrice("modifier-not-priced")
    return technical


def _provider_shares(service: PricedService) -> Iterator[Share]:
    profession = profession_of(service.profession)
    if profession.percent != FULL:
        yield Share(profession.percent, profession.name)
    if not service.participating:
        yield NONPARTICIPATING


def weigh(row: FeeRow, facility: bool, gpci: Gpci | None) -> Weighted:
    """The units of a row in a setting, weighted by a locality (None: national), after the outpatient imaging cap.

    The cap: imaging is paid no more than its OPPS columns give; zero columns mean no cap.
    """
    full = _weigh(row.work, row.facility_pe if facility else row.non_facility_pe, row.mp, gpci)
    opps_pe = row.opps_facility_pe if facility else row.opps_non_facility_pe
    if not opps_pe:
        return full
    cap = _weigh(row.work, opps_pe, row.opps_mp, gpci)
    if cap.rvu >= full.rvu:
        return full
    return Weighted(cap.rvu, f"{cap.text} (outpatient imaging cap, below {full.text})")


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
