"""Beside the path: what is known of a procedure code on a day, each thing with the release that says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from scrubber.codes.asked import CodeQuestion
from scrubber.codes.naming import needed_documentation, rules_naming
from scrubber.codes.priced import PartPrice, part_prices, payer_asked, standings
from scrubber.money.prices import ORIGINAL_MEDICARE
from scrubber.reference import Reference
from scrubber.reference.catalogue import ADD_ON, ARTICLES, HCPCS, MUE, PROCEDURES, PTP
from scrubber.reference.coverage import LocalArticle
from scrubber.reference.edit_rows import AddOn, Mue, PtpEdit
from scrubber.reference.fee_rows import FeeRow
from scrubber.reference.releases import TableStanding
from scrubber.reference.rows import Known
from scrubber.rulebook.book import Rulebook
from scrubber.rulebook.rule import Rule
from scrubber.rulebook.tables import DiagnosisListRow, FrequencyRow, Payer, PolicyRow, Scoped

CODE_TABLES = (PROCEDURES, HCPCS)
COMPONENTS = ("", "26", "TC", "53")


class Partner(NamedTuple):
    """A code that this one is not paid beside, and which column this code is in: in column 2 it is the one denied."""

    code: str
    column: Literal[1, 2]
    edit: PtpEdit


class Partners(NamedTuple):
    """One page of the PTP partners, by column and code; `total` counts those of all pages."""

    total: int
    page: int
    page_size: int
    partners: tuple[Partner, ...]


class Coverage(NamedTuple):
    """A row of a coverage policy, with what its lists say on the day."""

    policy: PolicyRow
    diagnoses: tuple[DiagnosisListRow, ...]
    frequency: FrequencyRow | None


@dataclass(frozen=True, slots=True)
class KnownCode:
    """The answer to a CodeQuestion.

    `standings` says how the day lies to each table that was asked, by name. `fees` are the rows of the Medicare fee
    schedule, `prices` what `payer` allows. `primaries` are what an add-on code may be billed with, `add_ons` the add-on
    codes that name this one. `coverage` has the rows that hold for the payer asked for, those that say most first;
    `articles` are the local coverage articles of the payer's contractor, or of any where none is known.
    `documentation` has the elements that a report needs, with ids of the rules that need them.
    """

    question: CodeQuestion
    payer: Payer
    standing: Known
    standings: Mapping[str, TableStanding]
    fees: tuple[FeeRow, ...]
    prices: tuple[PartPrice, ...]
    mue: Mue | None
    ptp: Partners
    primaries: tuple[AddOn, ...]
    add_ons: tuple[AddOn, ...]
    coverage: tuple[Coverage, ...]
    articles: tuple[LocalArticle, ...]
    rules: tuple[Rule, ...]
    documentation: Mapping[str, tuple[str, ...]]


def know(question: CodeQuestion, rulebook: Rulebook, reference: Reference) -> KnownCode:
    """Everything that is known. A code that no table has is answered as unknown."""
    code, day = question.code, question.day
    payer = payer_asked(question, rulebook, reference)
    fees = tuple(row for component in COMPONENTS if (row := reference.fee(code, component, day)) is not None)
    rules = rules_naming(rulebook, code, day)
    return KnownCode(
        question,
        payer,
        reference.procedure(code, day),
        _standings(reference, day),
        fees,
        part_prices(question, fees, payer, rulebook, reference),
        reference.mue(code, day),
        _partners(question, reference),
        reference.add_ons(code, day),
        reference.add_ons_of(code, day),
        _coverage(question, payer, rulebook),
        reference.coverage(code, payer.contractor, day) if payer.line_of_business == ORIGINAL_MEDICARE else (),
        rules,
        needed_documentation(rules),
    )


def _standings(reference: Reference, day: date) -> dict[str, TableStanding]:
    others = {table.name: reference.standing(table.name, day) for table in (*CODE_TABLES, MUE, PTP, ADD_ON, ARTICLES)}
    return others | standings(reference, day)


def _partners(question: CodeQuestion, reference: Reference) -> Partners:
    edits = reference.ptp_of(question.code, question.day)
    start = (question.page - 1) * question.page_size
    of_page = edits[start : start + question.page_size]
    partners = tuple(_partner(question.code, edit) for edit in of_page)
    return Partners(len(edits), question.page, question.page_size, partners)


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
    """Whether the row may hold for the payer: what was not asked for rules nothing out."""
    named = ((row.line_of_business, question.line_of_business), (row.contractor, payer.contractor))
    if question.payer and row.payer not in (None, payer.name):
        return False
    return all(says is None or asked is None or says == asked for says, asked in named)
