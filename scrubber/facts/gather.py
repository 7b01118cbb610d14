"""Gathers all facts of one claim for the engine, in the order of their kinds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import chain
from typing import NamedTuple

from scrubber.claim.model import Claim
from scrubber.config import STALE_AFTER
from scrubber.facts.claim import TABLE_LOOK_UPS, claim_fact, table_facts
from scrubber.facts.coverage import COVERAGE_LOOK_UPS, coverage_facts
from scrubber.facts.diagnosis import DIAGNOSIS_LOOK_UPS, diagnosis_facts
from scrubber.facts.documentation import Documents, document_facts
from scrubber.facts.element import ELEMENT_LOOK_UPS, X12Codes, element_facts, too_many_lines, x12_codes
from scrubber.facts.exclusions import Exclusions
from scrubber.facts.fact import Fact, LookUps
from scrubber.facts.line import LINE_LOOK_UPS, line_facts
from scrubber.facts.medicaid import MEDICARE_EDIT_LOOK_UPS, medicare_edit_facts, own_edits
from scrubber.facts.mue import CODE_DAY_LOOK_UPS, code_day_facts
from scrubber.facts.notices import ABN_LOOK_UPS, Notices, abn_facts
from scrubber.facts.pair import PAIR_LOOK_UPS, edits_apply, named_pair_facts, pair_facts
from scrubber.facts.repeats import repeat_facts
from scrubber.facts.rule_codes import RuleCodes, rule_codes
from scrubber.facts.segment import segment_facts
from scrubber.facts.service_lines import SHARED_LOOK_UPS, LineView, by_procedure
from scrubber.facts.visits import VISIT_LOOK_UPS, visit_facts
from scrubber.reference import Reference
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import Rulebook

# By kind: what its fields are made from, for explanations. Of other kinds and fields it is what the vocabulary names.
LOOK_UPS: Mapping[str, LookUps] = {
    "element": ELEMENT_LOOK_UPS,
    "diagnosis": DIAGNOSIS_LOOK_UPS,
    "line": LINE_LOOK_UPS,
    "repeat": SHARED_LOOK_UPS,
    "pair": PAIR_LOOK_UPS,
    "visit": VISIT_LOOK_UPS,
    "code-day": CODE_DAY_LOOK_UPS,
    "medicare-edit": MEDICARE_EDIT_LOOK_UPS,
    "document": SHARED_LOOK_UPS,
    "abn": ABN_LOOK_UPS,
    "coverage": COVERAGE_LOOK_UPS,
    "table": TABLE_LOOK_UPS,
}


def first_day(claim: Claim, received_on: date) -> date:
    """The claim's first date of service; the received-on date when no line has one."""
    return min([line.first_day for line in claim.lines if line.first_day], default=received_on)


class Tables(NamedTuple):
    """What the facts of one payer's claims are made from.

    `reference` has the payer's own NCCI edits, `medicares` has Medicare's. `rule_codes` and `x12_codes` are worked out
    once a rulebook; `rulebook` answers for a code, a payer and a day: policies, limits, adoptions, needed elements.
    """

    rulebook: Rulebook
    reference: Reference
    medicares: Reference
    rule_codes: RuleCodes
    x12_codes: X12Codes


def tables_for(payer: Payer, rulebook: Rulebook, reference: Reference) -> Tables:
    """The tables that answer for a payer."""
    return Tables(rulebook, own_edits(payer, reference), reference, rule_codes(rulebook), x12_codes(rulebook))


def gather_facts(
    claim: Claim,
    payer: Payer,
    views: Sequence[LineView],
    notices: Notices,
    exclusions: Exclusions,
    tables: Tables,
    received_on: date,
    stale_after: int | None = STALE_AFTER,
) -> list[Fact]:
    """Every fact that a running rule could fire on. Tables are stale so many days past their end; None: never."""
    if claim.too_long:
        return [too_many_lines(claim, payer, first_day(claim, received_on))]
    kinds = facts_by_kind(claim, payer, views, notices, exclusions, tables, received_on, stale_after)
    return [*chain.from_iterable(kinds.values())]


def facts_by_kind(
    claim: Claim,
    payer: Payer,
    views: Sequence[LineView],
    notices: Notices,
    exclusions: Exclusions,
    tables: Tables,
    received_on: date,
    stale_after: int | None,
) -> dict[str, Iterable[Fact]]:
    """The facts of a claim by kind, in the order in which they are gathered. Most are made when they are asked for."""
    rulebook, reference, medicares, rule_codes, x12_codes = tables
    day, lists = first_day(claim, received_on), rulebook.lists
    documents = Documents(claim, rulebook.documentation_elements)
    by_code = by_procedure(views)
    applied = edits_apply(payer, day, rulebook)
    pairs = [*pair_facts(by_code, applied, documents, exclusions, lists, reference)]
    coverage = [*coverage_facts(claim, views, documents, notices, rulebook, reference)]
    documented = [view for view in views if view.line.procedure and rule_codes.has("document", view.line.procedure)]
    return {
        "claim": (claim_fact(claim, payer, day, documents, rulebook, received_on),),
        "element": element_facts(claim, payer, day, received_on, x12_codes, rulebook),
        "segment": segment_facts(claim, payer, day),
        "diagnosis": diagnosis_facts(claim, payer, day, reference),
        "line": line_facts(claim, views, documents, exclusions, rulebook, reference, day, received_on),
        "repeat": repeat_facts(views, lists),
        "pair": chain(pairs, named_pair_facts(by_code, rule_codes.pairs, applied, documents, pairs)),
        "visit": visit_facts(views, rule_codes, pairs, lists, reference),
        "code-day": code_day_facts(by_code, lists, reference),
        "medicare-edit": medicare_edit_facts(by_code, views, documents, exclusions, lists, medicares),
        "document": document_facts(documented, documents, rulebook),
        "abn": abn_facts(views, notices, exclusions, coverage, lists, reference),
        "coverage": coverage,
        "table": table_facts(payer, views, rulebook, reference, stale_after),
    }
