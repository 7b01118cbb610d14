"""Chooses of the look-ups behind a fact those that a rule rests on, and lists them for explanations."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from scrubber.dated_rows import on
from scrubber.explain.code_list_words import held_against, in_list
from scrubber.explain.conditions import day_of
from scrubber.explain.context import (
    MOST_ROWS,
    ExplanationContext,
    candidates,
    of_book,
    of_reference,
    row_in_force,
    says_policy,
)
from scrubber.explain.model import Candidate, LookupExplained
from scrubber.explain.own_tables import competing_rows, rows_of_own_tables
from scrubber.explain.record import RecordedLookup, record_of_payer
from scrubber.explain.row_words import WORDS
from scrubber.facts.fact import BY_NAME, EVERY_FIELD, LIST, ROWS, Fact, LookUp
from scrubber.facts.gather import LOOK_UPS
from scrubber.facts.payer import where_furnished
from scrubber.reference.tables import CONTRACTORS, TABLES, ZIP_LOCALITY
from scrubber.rulebook import relations
from scrubber.rulebook.field import state_key
from scrubber.rulebook.reference_tables import REFERENCE_TABLES
from scrubber.rulebook.relations import Group, OfLimit, OfPrice, walk
from scrubber.rulebook.rule import InList, Rule, conditions_of, leaves
from scrubber.rulebook.vocabulary import KINDS

# Those by which every line of the fee schedule is priced, and the shares of who does not participate.
PRICING_TABLES = ("mpfs", "conversion-factors", "payment-shares")
LISTS = ("contains", "may_contain", "on")  # ways to ask a list of codes


def lookups(rule: Rule, fact: Fact, context: ExplanationContext) -> tuple[LookupExplained, ...]:
    """What was looked up for the fields that the rule reads, and in the lists that the rule itself asks."""
    read, day = reads(rule), day_of(fact)
    if day is None:
        return ()
    names = [EVERY_FIELD, *(name for name in rule.kind.fields if name in read)]
    asked = [ask for name in names for ask in _made_from(name, fact.kind)]
    found: list[LookupExplained] = []
    for what, words in WORDS.items():
        asks = [by for each, by in asked if each == what]
        if asks:
            made = [each for each in context.looked_up(fact) if _is_asked(each, what, asks, fact)]
            found += words([each for each in made if day in each.by] or made, fact, day, context)
    of_words = _of_derived_words(rule, fact, day, context) if fact.kind == "document" else ()
    questions = (*of_words, *_of_questions(rule, day, context), *rows_of_own_tables(rule, fact, context))
    return (*found, *_lists_of_rule(rule, fact, day, context), *questions)


def _of_questions(rule: Rule, day: date, context: ExplanationContext) -> Iterator[LookupExplained]:
    """The published tables that the questions of a rule ask, and those by which lines are priced where it asks that."""
    parts = [*walk((conditions_of(rule), rule.names))]
    asked = {name: "asked by the rule" for part in parts for name in published_tables(part)}
    if any(isinstance(part, OfPrice) for part in parts):
        asked |= dict.fromkeys(PRICING_TABLES, "a line is priced by it")
    for name, why in asked.items():
        yield of_reference(TABLES[name], (), why, day, context.reference)


def published_tables(part: object) -> Iterator[str]:
    """The tables of reference data behind a look-up, or behind the rows of a relation."""
    name = part.table if isinstance(part, relations.LookUp | Group) else None
    if name is not None and name in REFERENCE_TABLES:
        yield from REFERENCE_TABLES[name].tables


def _made_from(name: str, kind: str) -> tuple[LookUp, ...]:
    """What a field is made from: as its module states, else the reference tables that the vocabulary names."""
    stated = LOOK_UPS.get(kind, {}).get(name)
    if stated is None and name in KINDS[kind].fields:
        return tuple((ROWS, table) for table in KINDS[kind].fields[name].tables)
    return stated or ()


def _is_asked(looked_up: RecordedLookup, what: str, asks: list[str], fact: Fact) -> bool:
    """Whether a look-up is by one of the names that fields state, or by a code of the fact under one of them."""
    if what == LIST:
        return looked_up.what in LISTS and looked_up.by[0] in asks
    if looked_up.what != what:
        return False
    if what in BY_NAME:
        return looked_up.by[0] in asks
    return any(by == "" or _has(fact.values.get(by, ()), looked_up.by[0]) for by in asks)


def _has(value: Any, code: object) -> bool:
    return code in value if isinstance(value, tuple) else code == value


def competing(rule: Rule, fact: Fact, context: ExplanationContext) -> tuple[Candidate, ...]:
    """The rows that competed for a fact: of policies, where the rule reads what the best says; of tables of packs."""
    return (*_policies(rule, fact, context), *competing_rows(rule, fact, context))


def _policies(rule: Rule, fact: Fact, context: ExplanationContext) -> tuple[Candidate, ...]:
    day, code = day_of(fact), fact.values.get("procedure")
    wants = fact.kind == "coverage" or (fact.kind == "abn" and "coverage" in reads(rule))
    if not wants or day is None or code is None:
        return ()
    made = [each for each in context.looked_up(fact) if each.what == "policy" and each.by[0] == code]
    rows = [row for each in made[:1] for _, rows in each.rows for row in rows]
    return candidates(rows, "policies", context.known.payer, day, context.book, says_policy)


def reads(rule: Rule) -> frozenset[str]:
    """The facts that the rule's conditions read."""
    named = [leaf.fact for condition in (rule.applies, rule.when) for leaf in leaves(condition)]
    return frozenset(name.removesuffix(state_key("")) for name in (*named, *rule.needs))


def _lists_of_rule(rule: Rule, fact: Fact, day: date, context: ExplanationContext) -> Iterator[LookupExplained]:
    """For each list that the rule asks, the rows in which the fact's codes stand."""
    tests = [leaf for tree in (rule.applies, rule.when) for leaf in leaves(tree) if isinstance(leaf, InList)]
    for leaf in dict.fromkeys(tests):
        value = fact.values.get(leaf.fact)
        codes = (value,) if isinstance(value, str) else value or ()
        for code in codes[:MOST_ROWS]:
            yield in_list(leaf.list, code, day, context)


def _of_derived_words(rule: Rule, fact: Fact, day: date, context: ExplanationContext) -> Iterator[LookupExplained]:
    """The lists and limits behind words that follow from elements of a document; never what was sent but codes."""
    read = reads(rule)
    words = [word for word in context.book.derived_words if word.field.name in read]
    parts = [part for word in words for part in walk((word.only_where, word.cases))]
    for name in dict.fromkeys(part.name for part in parts if isinstance(part, OfLimit)):
        row = on([row for row in context.book.rows.get("limits", ()) if row.name == name], day)
        if row is not None:
            yield of_book("limits", row, f"{row.name} is {row.value} ({row.source})", context.book)
    for code_list, element in dict.fromkeys((part.list, part.fact) for part in parts if isinstance(part, InList)):
        yield from held_against(code_list, fact.values.get(element), day, context)


def payer_lookups(context: ExplanationContext) -> Iterator[LookupExplained]:
    """How the payer was told from the claim. Repeats no payer id or name that no table knows."""
    made = record_of_payer(context.claim, context.known.day, context.book, context.reference)
    yield _line_of_business(made, context)
    yield _name(made, context)
    if context.known.payer.line_of_business == "original-medicare" and where_furnished(context.claim) is not None:
        yield from _contractor(made, context)


def _line_of_business(made: tuple[RecordedLookup, ...], context: ExplanationContext) -> LookupExplained:
    """The stated plan that a row knows, else the claim filing indicator."""
    day, book = context.known.day, context.book
    plan = _row(made, "plan_line_of_business", context.claim.context.plan, day)
    if plan is not None:
        says = f"the stated plan {plan.plan} is {plan.line_of_business}; it goes before the claim filing indicator"
        return of_book("plans", plan, says, book)
    row = _row(made, "line_of_business", context.claim.filing_indicator, day)
    if row is None:
        return LookupExplained(
            "filing-indicators", "no row knows the claim filing indicator: the line of business is unknown"
        )
    return of_book("filing-indicators", row, f"filing indicator {row.filing_indicator} is {row.line_of_business}", book)


def _name(made: tuple[RecordedLookup, ...], context: ExplanationContext) -> LookupExplained:
    claim, day, book = context.claim, context.known.day, context.book
    for sent, what in ((claim.payer_id, "payer id"), (claim.payer_name, "payer name")):
        row = _row(made, "payer_name", sent, day)
        if row is not None:
            return of_book("aliases", row, f"the {what} {row.payer_id} is {row.payer}", book)
    return LookupExplained("aliases", "no row knows the payer id or name, so rows that name a payer do not answer")


def _row(made: tuple[RecordedLookup, ...], what: str, sent: str | None, day: date) -> Any:
    return next((row_in_force(each, day) for each in made if each.what == what and each.by[0] == sent), None)


def _contractor(made: tuple[RecordedLookup, ...], context: ExplanationContext) -> Iterator[LookupExplained]:
    """By the ZIP code where the service was furnished, else by a state that has one contractor."""
    day = context.known.day
    why = "no row has the ZIP code of the place of service"
    for each in made:
        if each.what == "locality_of_zip" and each.found is not None:
            row = each.found
            why = "nine digits of the ZIP code of the place of service decide"
            if not row.nine_digits_decide:
                says = (
                    f"the ZIP code of the place of service lies in locality {row.locality}: contractor {row.contractor}"
                )
                yield of_reference(ZIP_LOCALITY, [row], says, day, context.reference)
        elif each.what == "contractors_of_state":
            found = {0: "and no row is about its state", 1: f"its state has one contractor, {''.join(each.found)}"}
            because = found.get(len(each.found), "its state has several contractors")
            yield of_reference(CONTRACTORS, [], f"{why}; {because}", day, context.reference)
