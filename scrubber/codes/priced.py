"""Beside the path: what a service pays, through the same functions that price the lines of a claim."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from scrubber.claim import ServiceLine
from scrubber.codes.asked import CodeQuestion, PriceQuestion
from scrubber.facts.payer import UNKNOWN, contractor
from scrubber.money import LinePrice, line_price, unit_fee
from scrubber.money.fee_schedule import Service
from scrubber.money.line_price import UnitFee
from scrubber.money.locality import Zips, area
from scrubber.money.prices import ORIGINAL_MEDICARE
from scrubber.money.professions import NOT_ASKED, NOT_LISTED, NOT_SENT
from scrubber.reference import Reference
from scrubber.reference.catalogue import CONVERSION_FACTORS, GPCI, MPFS, PLACE_OF_SERVICE, TAXONOMY, ZIP_LOCALITY
from scrubber.reference.fee_rows import FeeRow
from scrubber.reference.releases import TableStanding
from scrubber.reference.rows import ProviderClass
from scrubber.rulebook.book import Rulebook
from scrubber.rulebook.tables import Payer

SETTINGS = ("non-facility", "facility")
PRICING_TABLES = (MPFS, CONVERSION_FACTORS, GPCI, ZIP_LOCALITY, PLACE_OF_SERVICE, TAXONOMY)


@dataclass(frozen=True, slots=True)
class Priced:
    """The answer to a PriceQuestion. `setting` and `provider_class` are None when they are not known.

    `standings` says how the day lies to each table that prices rest on, by name.
    """

    question: PriceQuestion
    payer: Payer
    setting: str | None
    provider_class: ProviderClass | None
    price: LinePrice
    standings: dict[str, TableStanding]


@dataclass(frozen=True, slots=True)
class PartPrice:
    """What one unit of a code, or of a part of it, pays in a setting."""

    component: str
    setting: str | None
    fee: UnitFee


def price(question: PriceQuestion, rulebook: Rulebook, reference: Reference) -> Priced:
    """What a line with this service would be allowed."""
    day, payer = question.day, payer_asked(question, rulebook, reference)
    listed = reference.taxonomy(question.taxonomy, day) if question.taxonomy else None
    setting = _setting(question.place, day, reference)
    service = Service(
        question.code,
        question.modifiers,
        day,
        setting,
        area(reference, None, None, Zips(facility=question.zip), day),
        question.participating,
        question.qualifying_apm,
        listed or (NOT_LISTED if question.taxonomy else NOT_SENT),
    )
    priced = line_price(_line(question), unit_fee(service, payer, rulebook, reference))
    return Priced(
        question, payer, setting, listed.provider_class if listed else None, priced, standings(reference, day)
    )


def part_prices(
    question: CodeQuestion, rows: tuple[FeeRow, ...], payer: Payer, rulebook: Rulebook, reference: Reference
) -> tuple[PartPrice, ...]:
    """What one unit pays, by part of the code that has a row, in the setting asked for or in both."""
    day = question.day
    where = area(reference, None, None, Zips(facility=question.zip), day)
    settings = (_setting(question.place, day, reference),) if question.place else SETTINGS
    found = []
    for component in [row.component for row in rows] or [""]:
        modifiers = (component,) if component else ()
        for setting in settings:
            service = Service(question.code, modifiers, day, setting, where, True, False, NOT_ASKED)
            found.append(PartPrice(component, setting, unit_fee(service, payer, rulebook, reference)))
    return tuple(found)


def payer_asked(question: CodeQuestion | PriceQuestion, rulebook: Rulebook, reference: Reference) -> Payer:
    """The payer as far as it is asked for: Original Medicare where nothing is said of it."""
    return Payer(
        rulebook.payer_name(question.payer, question.day) if question.payer else None,
        question.line_of_business or (UNKNOWN if question.payer else ORIGINAL_MEDICARE),
        None,
        contractor(question.zip, None, question.day, reference) if question.zip else None,
    )


def standings(reference: Reference, day: date) -> dict[str, TableStanding]:
    """How a day lies to each table that prices rest on, by name."""
    return {table.name: reference.standing(table.name, day) for table in PRICING_TABLES}


def _setting(place: str | None, day: date, reference: Reference) -> str | None:
    found = reference.place_of_service(place, day) if place else None
    return found.setting if found else None


def _line(question: PriceQuestion) -> ServiceLine:
    return ServiceLine(
        number=1,
        pointer="",
        service_pointer="",
        qualifier=None,
        procedure=question.code,
        modifiers=question.modifiers,
        charge=question.charge,
        unit_code=None,
        units=question.units,
        first_day=question.day,
        last_day=question.day,
        place=question.place,
        pointers=(),
    )
