"""Gathers all facts of one claim, in the order of their kinds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from scrubber.claim.model import Claim
from scrubber.config import STALE_AFTER
from scrubber.facts.claim import claim_fact, table_facts
from scrubber.facts.coverage import coverage_facts
from scrubber.facts.diagnosis import diagnosis_facts
from scrubber.facts.documentation import Documents, document_facts
from scrubber.facts.element import element_facts, too_many_lines
from scrubber.facts.exclusions import Exclusions
from scrubber.facts.fact import Fact
from scrubber.facts.line import line_facts
from scrubber.facts.medicaid import medicare_edit_facts, own_edits
from scrubber.facts.mue import code_day_facts
from scrubber.facts.notices import Notices, abn_facts
from scrubber.facts.pair import edits_apply, named_pair_facts, pair_facts
from scrubber.facts.relevant import interest_of
from scrubber.facts.repeats import repeat_facts
from scrubber.facts.service_lines import LineView, by_procedure
from scrubber.facts.visits import visit_facts
from scrubber.reference import Reference
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import Rulebook


def first_day(claim: Claim, received_on: date) -> date:
    """The claim's first date of service; the received-on date when no line has one."""
    return min([line.first_day for line in claim.lines if line.first_day], default=received_on)


def gather_facts(
    claim: Claim,
    payer: Payer,
    views: Sequence[LineView],
    notices: Notices,
    exclusions: Exclusions,
    rulebook: Rulebook,
    reference: Reference,
    received_on: date,
    stale_after: int | None = STALE_AFTER,
) -> list[Fact]:
    """Every fact that a running rule could fire on. Tables are stale so many days past their end; None: never."""
    day = first_day(claim, received_on)
    if claim.too_long:
        return [too_many_lines(claim, payer, day)]
    every, reference = reference, own_edits(payer, reference)
    documents = Documents(claim)
    interest = interest_of(rulebook)
    by_code = by_procedure(views)
    applied = edits_apply(payer, day, rulebook)
    pairs = [*pair_facts(by_code, applied, documents, exclusions, rulebook, reference)]
    coverage = [*coverage_facts(claim, views, documents, notices, rulebook, reference)]
    documented = [view for view in views if view.line.procedure and interest.wants("document", view.line.procedure)]
    return [
        claim_fact(claim, payer, day, documents, rulebook),
        *element_facts(claim, payer, day, received_on, rulebook),
        *diagnosis_facts(claim, payer, day, reference),
        *line_facts(views, claim.billing, documents, exclusions, rulebook.lists, reference),
        *repeat_facts(views, rulebook.lists),
        *pairs,
        *named_pair_facts(by_code, interest.pairs, applied, documents, pairs),
        *visit_facts(views, interest, pairs, rulebook.lists, reference),
        *code_day_facts(by_code, rulebook.lists, reference),
        *medicare_edit_facts(by_code, views, documents, exclusions, rulebook, every),
        *document_facts(claim, documented, documents, rulebook),
        *abn_facts(views, notices, exclusions, coverage, reference),
        *coverage,
        *table_facts(payer, views, rulebook, reference, stale_after),
    ]
