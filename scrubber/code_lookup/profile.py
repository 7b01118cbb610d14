"""Gathers what tables and rules say of a procedure code on a day, which rules name it, and what it pays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from scrubber.claim.model import ServiceLine
from scrubber.code_lookup.query import CodeQuestion, PriceQuestion
from scrubber.dated_rows import in_force
from scrubber.facts.payer import UNKNOWN, contractor
from scrubber.pricing import LinePrice, line_price, unit_fee
from scrubber.pricing.adjustments import NO_CLAIM, NOT_LISTED, NOT_SENT
from scrubber.pricing.amounts import UnitFee
from scrubber.pricing.claim_prices import ORIGINAL_MEDICARE
from scrubber.pricing.fee_schedule import PricedService, Zips, area
from scrubber.reference import Reference
from scrubber.reference.fee_rows import COMPONENTS, FeeRow
from scrubber.reference.local_coverage import LocalArticle
from scrubber.reference.releases import TableStatus
from scrubber.reference.rows import AddOn, CodeStatus, Mue, ProviderClass, PtpEdit
from scrubber.reference.tables import (
    ADD_ON,
    ARTICLES,
    CONVERSION_FACTORS,
    GPCI,
    HCPCS,
    MPFS,
    MUE,
    PLACE_OF_SERVICE,
    PROCEDURES,
    PTP,
    TAXONOMY,
    ZIP_LOCALITY,
)
from scrubber.rulebook.rule import Compare, Condition, Has, InList, Rule, leaves
from scrubber.rulebook.rule_tables import DiagnosisListRow, FrequencyRow, Payer, PolicyRow, Scoped
from scrubber.rulebook.rulebook import CodeLists, Rulebook

CODE_FIELDS = frozenset(("procedure", "first", "second"))
NAMING = frozenset(("any", "all", "is"))  # operators by which a condition holds for the code that it names
DOCUMENT = "document"


def rules_naming(rulebook: Rulebook, code: str, day: date) -> tuple[Rule, ...]:
    """The rules in force on a day, of any status, whose `applies` names the code itself or a list that has it, by id.

    Rules for every code are not among them.
    """
    return tuple(
        rule
        for rule in rulebook.rules.values()
        if in_force(rule, day) and _names(rule.applies, code, day, rulebook.lists)
    )


def needed_documentation(rules: Iterable[Rule]) -> dict[str, tuple[str, ...]]:
    """The elements of a report that active rules about documents need, each with their ids."""
    needed: dict[str, tuple[str, ...]] = {}
    for rule in rules:
        if rule.scope == DOCUMENT and rule.status == "active":
            for element in rule.needs:
                needed[element] = (*needed.get(element, ()), rule.id)
    return dict(sorted(needed.items()))


def _names(condition: Condition, code: str, day: date, lists: CodeLists) -> bool:
    return any(
        leaf.fact in CODE_FIELDS and leaf.op in NAMING and _holds(leaf, code, day, lists) for leaf in leaves(condition)
    )


def _holds(leaf: Compare | Has | InList, code: str, day: date, lists: CodeLists) -> bool:
    match leaf:
        case InList():
            return lists.contains(leaf.list, code, day.toordinal())
        case Has():
            return code in leaf.values
    return leaf.value == code


CODE_TABLES = (PROCEDURES, HCPCS)
WHOLE_AND_COMPONENTS = ("", *COMPONENTS)


class Partner(NamedTuple):
    """A code that this one is not paid with, and the column of the pair that this code is in; column 2 is denied."""

    code: str
    column: Literal[1, 2]
    edit: PtpEdit


class PartnersPage(NamedTuple):
    """One page of the PTP partners, by column and code; `total` counts those of all pages."""

    total: int
    page: int
    page_size: int
    partners: tuple[Partner, ...]


class Coverage(NamedTuple):
    """A row of a coverage policy, with the rows of its lists that are in force on the day."""

    policy: PolicyRow
    diagnoses: tuple[DiagnosisListRow, ...]
    frequency: FrequencyRow | None


@dataclass(frozen=True, slots=True)
class CodeProfile:
    """The answer to a CodeQuestion.

    `table_status` says of each table that was used, by name, whether it has a release in force. `fees` are the rows of
    the Medicare fee schedule, `prices` what `payer` allows. `primaries` are the codes that an add-on code may be billed
    with, `add_ons` the add-on codes that name this one. `coverage` has the rows that hold for the payer, the most
    specific first; `articles` are the local coverage articles of the payer's contractor, or of any where none is known.
    `documentation` has the elements that a report needs, with ids of the rules that need them.
    """

    question: CodeQuestion
    payer: Payer
    status: CodeStatus
    table_status: Mapping[str, TableStatus]
    fees: tuple[FeeRow, ...]
    prices: tuple[ComponentPrice, ...]
    mue: Mue | None
    ptp: PartnersPage
    primaries: tuple[AddOn, ...]
    add_ons: tuple[AddOn, ...]
    coverage: tuple[Coverage, ...]
    articles: tuple[LocalArticle, ...]
    rules: tuple[Rule, ...]
    documentation: Mapping[str, tuple[str, ...]]


def look_up_code(question: CodeQuestion, rulebook: Rulebook, reference: Reference) -> CodeProfile:
    """The profile of a code; a code that no table has is unknown."""
    code, day = question.code, question.day
    payer = payer_of(question, rulebook, reference)
    fees = tuple(row for component in WHOLE_AND_COMPONENTS if (row := reference.fee(code, component, day)) is not None)
    rules = rules_naming(rulebook, code, day)
    return CodeProfile(
        question,
        payer,
        reference.procedure(code, day),
        _table_status(reference, day),
        fees,
        component_prices(question, fees, payer, rulebook, reference),
        reference.mue(code, day),
        _partners(question, reference),
        reference.add_ons(code, day),
        reference.add_ons_of(code, day),
        _coverage(question, payer, rulebook),
        reference.coverage(code, payer.contractor, day) if payer.line_of_business == ORIGINAL_MEDICARE else (),
        rules,
        needed_documentation(rules),
    )


def _table_status(reference: Reference, day: date) -> dict[str, TableStatus]:
    others = {
        table.name: reference.table_status(table.name, day) for table in (*CODE_TABLES, MUE, PTP, ADD_ON, ARTICLES)
    }
    return others | pricing_table_status(reference, day)


def _partners(question: CodeQuestion, reference: Reference) -> PartnersPage:
    edits = reference.ptp_of(question.code, question.day)
    start = (question.page - 1) * question.page_size
    of_page = edits[start : start + question.page_size]
    partners = tuple(_partner(question.code, edit) for edit in of_page)
    return PartnersPage(len(edits), question.page, question.page_size, partners)


def _partner(code: str, edit: PtpEdit) -> Partner:
    return Partner(edit.column2, 1, edit) if edit.column1 == code else Partner(edit.column1, 2, edit)


def _coverage(question: CodeQuestion, payer: Payer, rulebook: Rulebook) -> tuple[Coverage, ...]:
    day = question.day
    return tuple(
        Coverage(
            row,
            rulebook.diagnosis_rows(row.diagnosis_list, day) if row.diagnosis_list else (),
            rulebook.frequency(row.frequency, day) if row.frequency else None,
        )
        for row in rulebook.policies(question.code, day)
        if _concerns(row, question, payer)
    )


def _concerns(row: Scoped, question: CodeQuestion, payer: Payer) -> bool:
    """Whether the row may hold for the payer: a parameter that is not given excludes no row."""
    pairs = ((row.line_of_business, question.line_of_business), (row.contractor, payer.contractor))
    if question.payer and row.payer not in (None, payer.name):
        return False
    return all(stated is None or wanted is None or stated == wanted for stated, wanted in pairs)


SETTINGS = ("non-facility", "facility")
PRICING_TABLES = (MPFS, CONVERSION_FACTORS, GPCI, ZIP_LOCALITY, PLACE_OF_SERVICE, TAXONOMY)


@dataclass(frozen=True, slots=True)
class PriceProfile:
    """The answer to a PriceQuestion. `setting` and `provider_class` are None when they are not known.

    `table_status` says of each table that prices use, by name, whether it has a release in force.
    """

    question: PriceQuestion
    payer: Payer
    setting: str | None
    provider_class: ProviderClass | None
    price: LinePrice
    table_status: dict[str, TableStatus]


@dataclass(frozen=True, slots=True)
class ComponentPrice:
    """What one unit of a code, or of a component of it, pays in a setting."""

    component: str
    setting: str | None
    fee: UnitFee


def look_up_price(question: PriceQuestion, rulebook: Rulebook, reference: Reference) -> PriceProfile:
    """What a line with this service would be allowed."""
    day, payer = question.day, payer_of(question, rulebook, reference)
    listed = reference.taxonomy(question.taxonomy, day) if question.taxonomy else None
    setting = _setting(question.place, day, reference)
    service = PricedService(
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
    return PriceProfile(
        question,
        payer,
        setting,
        listed.provider_class if listed else None,
        priced,
        pricing_table_status(reference, day),
    )


def component_prices(
    question: CodeQuestion, rows: tuple[FeeRow, ...], payer: Payer, rulebook: Rulebook, reference: Reference
) -> tuple[ComponentPrice, ...]:
    """What one unit pays, for each component that has a row, in the setting of the question or in both."""
    day = question.day
    where = area(reference, None, None, Zips(facility=question.zip), day)
    settings = (_setting(question.place, day, reference),) if question.place else SETTINGS
    found = []
    for component in [row.component for row in rows] or [""]:
        modifiers = (component,) if component else ()
        for setting in settings:
            service = PricedService(question.code, modifiers, day, setting, where, True, False, NO_CLAIM)
            found.append(ComponentPrice(component, setting, unit_fee(service, payer, rulebook, reference)))
    return tuple(found)


def payer_of(question: CodeQuestion | PriceQuestion, rulebook: Rulebook, reference: Reference) -> Payer:
    """The payer of a question: Original Medicare where the question names none."""
    return Payer(
        rulebook.payer_name(question.payer, question.day) if question.payer else None,
        question.line_of_business or (UNKNOWN if question.payer else ORIGINAL_MEDICARE),
        None,
        contractor(question.zip, None, question.day, reference) if question.zip else None,
    )


def pricing_table_status(reference: Reference, day: date) -> dict[str, TableStatus]:
    """The status on a day of each table that prices use, by name."""
    return {table.name: reference.table_status(table.name, day) for table in PRICING_TABLES}


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
