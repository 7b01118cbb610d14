"""Beside the path: the look-ups behind a fact, asked again: only those that a rule's conditions rest on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

from scrubber.facts.fact import Fact
from scrubber.rulebook.rule import InList, Rule, leaves
from scrubber.vocabulary import state_key
from scrubber.workshop.explain import coverage_lookups, line_lookups, pair_lookups, stated_lookups
from scrubber.workshop.explain.competing import policies
from scrubber.workshop.explain.explanation import Candidate, Lookup
from scrubber.workshop.explain.ground import MOST_ROWS, Ground
from scrubber.workshop.explain.stated_lookups import in_list
from scrubber.workshop.explain.tree import day_of

Source = Callable[[Fact, date, Ground], Iterator[Lookup]]

_LINES = ("line", "repeat", "visit", "document", "abn", "coverage")
_MUE = ("mue", "mueIndicator", "unitsOverMue")
_NOTES = ("standing", "excludedPair", "underlyingFirst", "onlyForSex", "outsideAges")
# (kinds of facts, fields, what was looked up for them)
_SOURCES: tuple[tuple[tuple[str, ...], tuple[str, ...], Source], ...] = (
    (("line",), ("codeStanding",), line_lookups.procedure),
    (("line",), ("modifierUnknown", "modifiersUnknown"), line_lookups.modifiers),
    (_LINES, ("setting", "placeUnknown", "facilityNotApplicable"), line_lookups.place),
    (("line",), ("pcTc", "componentInvalid", "facilityNotApplicable"), line_lookups.fee),
    (("line", "code-day"), _MUE, line_lookups.mue),
    (("line",), ("renderingClass",), line_lookups.taxonomy),
    (("pair",), ("edit", "modifierIndicator", "bypass"), pair_lookups.edits),
    (("pair",), ("bypass",), pair_lookups.separators),
    (("visit",), ("globalDays", "globalDaysCarried"), line_lookups.global_days),
    (("diagnosis",), _NOTES, line_lookups.diagnosis),
    (("document",), ("tbsRange",), line_lookups.plausible_scores),
    (("coverage",), ("diagnosisTest",), coverage_lookups.diagnoses),
    (("coverage",), ("frequencyTest",), coverage_lookups.frequency),
    (("coverage",), ("status", "effect", "diagnosisTest"), coverage_lookups.article),
    (("table",), ("standing", "tables"), line_lookups.releases),
    (("document",), ("sourceStudy",), stated_lookups.source_study),
    (("document",), ("tbsSoftware",), stated_lookups.software),
    (("document",), ("indication",), stated_lookups.indication),
    (("coverage",), ("baseStudy",), stated_lookups.base_study),
    (("abn",), ("abnFaults",), stated_lookups.notice_lists),
    (("abn",), ("abnDoubts",), stated_lookups.form_edition),
    (("element",), ("need",), stated_lookups.needed),
)


def lookups(rule: Rule, fact: Fact, ground: Ground) -> tuple[Lookup, ...]:
    """What was looked up for the facts that the rule reads."""
    read, day = reads(rule), day_of(fact)
    if day is None:
        return ()
    found = [
        lookup
        for kinds, fields, source in _SOURCES
        if fact.kind in kinds and not read.isdisjoint(fields)
        for lookup in source(fact, day, ground)
    ]
    return (*found, *_code_lists(rule, fact, day, ground))


def competing(rule: Rule, fact: Fact, ground: Ground) -> tuple[Candidate, ...]:
    """The policy rows that competed for a line, where the rule reads what the best of them says."""
    day, code = day_of(fact), fact.values.get("procedure")
    wants = fact.kind == "coverage" or (fact.kind == "abn" and "coverage" in reads(rule))
    if not wants or day is None or code is None:
        return ()
    return policies(code, ground.known.payer, day, ground.book)


def reads(rule: Rule) -> frozenset[str]:
    """The facts that the rule's conditions read."""
    named = [leaf.fact for condition in (rule.applies, rule.when) for leaf in leaves(condition)]
    return frozenset(name.removesuffix(state_key("")) for name in (*named, *rule.needs))


def _code_lists(rule: Rule, fact: Fact, day: date, ground: Ground) -> Iterator[Lookup]:
    """For each list that the rule asks, the rows in which the fact's codes stand."""
    tests = [leaf for tree in (rule.applies, rule.when) for leaf in leaves(tree) if isinstance(leaf, InList)]
    for leaf in dict.fromkeys(tests):
        value = fact.values.get(leaf.fact)
        codes = (value,) if isinstance(value, str) else value or ()
        for code in codes[:MOST_ROWS]:
            yield in_list(leaf.list, code, day, ground)
