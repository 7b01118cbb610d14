"""Measures, for rule authors, which conditions of a rule its own test cases made true, and which false."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from scrubber.authoring.case_claim import InvalidCase
from scrubber.authoring.relation_coverage import PartCounts, RelationPart, count_parts, relation_parts
from scrubber.authoring.run_tests import all_cases, prepare_case
from scrubber.engine.plain import Predicate, predicate
from scrubber.engine.program import CodeListLookup
from scrubber.errors import NotAClaim
from scrubber.facts.fact import Fact
from scrubber.relations.evaluate import Evaluator
from scrubber.relations.surroundings import Surroundings
from scrubber.rulebook.family_rules import rule_document
from scrubber.rulebook.reachability import why_never
from scrubber.rulebook.rule import AllOf, FactValues, Rule
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.satisfiable import satisfiable
from scrubber.rulebook.source_map import SourceMap, SourceNode, source_map
from scrubber.rulebook.test_case import Case
from scrubber.scrub import Scrubber, read_facts, surroundings


class ConditionOutcome(NamedTuple):
    """One result (true or false) of a condition: how many cases had it, and the first of them.

    `possible`: not known to be impossible, whatever the claim.
    """

    cases: int
    first: str | None
    possible: bool

    @property
    def gap(self) -> bool:
        """Whether a case could have this result and none does."""
        return self.possible and not self.cases


class ConditionCoverage(NamedTuple):
    """A condition, or a group of them, and its results in the cases."""

    node: SourceNode
    true: ConditionOutcome
    false: ConditionOutcome


class RuleCoverage(NamedTuple):
    """The coverage of one rule's conditions by its test cases. `never`: conditions that keep it from ever firing."""

    rule: Rule
    cases: int
    conditions: tuple[ConditionCoverage, ...]
    never: tuple[SourceNode, ...]
    relations: tuple[ConditionCoverage, ...] = ()  # parts of relations and sums, on the items beside a fact

    @property
    def outcomes(self) -> tuple[ConditionOutcome, ...]:
        """Every possible result of every condition, and of every part of a relation."""
        every = (*self.conditions, *self.relations)
        return tuple(way for each in every for way in (each.true, each.false) if way.possible)

    @property
    def gaps(self) -> int:
        """How many of them no case has."""
        return sum(way.gap for way in self.outcomes)


def cover(scrubber: Scrubber, folder: Path, ids: Collection[str] | None = None) -> Iterator[RuleCoverage]:
    """The coverage of the rules `ids` (None: of all) in a folder of rules that `scrubber` was opened on, by id.

    Raises Faults as `run_tests` does. A case that cannot be built counts for nothing.
    """
    rulebook = scrubber.rulebook
    by_rule = {name: tuple(cases) for name, cases in groupby(all_cases(folder, rulebook, ids), lambda case: case.rule)}
    for name in sorted(rulebook.rules if ids is None else set(ids)):
        rule = rulebook.rules[name]
        document = rule_document(rule, folder)
        source = source_map(rule, document)
        parts = relation_parts(source, document, rulebook.typed_tables)
        yield cover_rule(source, by_rule.get(name, ()), scrubber, folder, parts)


def cover_rule(
    source: SourceMap, cases: Sequence[Case], scrubber: Scrubber, folder: Path, parts: Iterable[RelationPart] = ()
) -> RuleCoverage:
    """The coverage of one rule, and of the parts of its relations, by these cases."""
    all_counts = [_OutcomeCounts(node) for node in source.nodes()]
    all_parts = [PartCounts(part) for part in parts]
    for case in cases:
        for found in _facts_of(case, source.rule.scope, scrubber, folder):
            _count(case.name, source, all_counts, found.facts, found.lists)
            _count_parts(case.name, source, all_parts, found)
    conditions = tuple(_condition_coverage(counts, source, scrubber.rulebook) for counts in all_counts)
    never = why_never(source, scrubber.rulebook.lists)
    return RuleCoverage(source.rule, len(cases), conditions, never, tuple(map(_part_coverage, all_parts)))


class _CaseFacts(NamedTuple):
    """The facts of a rule's scope on the claim of a case, its code lists, and what stands beside the facts."""

    facts: list[Fact]
    lists: CodeListLookup
    around: Surroundings


def _count_parts(case: str, source: SourceMap, counts: Sequence[PartCounts], found: _CaseFacts) -> None:
    if not counts:
        return
    evaluator = Evaluator(found.around)
    for fact in found.facts:
        sections = _sections_reached(source, fact.values, found.lists)
        asked = [each for each in counts if each.part.node.section in sections]
        count_parts(case, asked, evaluator, found.around.subject(fact))


def _part_coverage(counts: PartCounts) -> ConditionCoverage:
    ways = (
        ConditionOutcome(len(cases), cases[0] if cases else None, way or counts.part.may_fail)
        for way, cases in counts.cases.items()
    )
    return ConditionCoverage(counts.part.node, *ways)


def _facts_of(case: Case, scope: str, scrubber: Scrubber, folder: Path) -> Iterator[_CaseFacts]:
    """What the conditions of a rule are held against in a case; none for an invalid case."""
    try:
        prepared, claim, received_on = prepare_case(case, scrubber, folder)
    except (InvalidCase, NotAClaim):
        return  # `scrubber rules test` reports it
    rulebook = _of_every_code(prepared.rulebook, case.rule) if scope == "document" else prepared.rulebook
    known = read_facts(claim, rulebook, prepared.reference, received_on)
    around = surroundings(claim, known.views, known.facts, rulebook, prepared.reference, received_on)
    yield _CaseFacts([fact for fact in known.facts if fact.kind == scope], rulebook.lists, around)


def _of_every_code(rulebook: Rulebook, name: str) -> Rulebook:
    """Reports are read only for codes that some rule applies to; for any other, the rule's `applies` is false."""
    everything = replace(rulebook.rules[name], applies=AllOf(()))
    return rulebook.with_others({**rulebook.rules, name: everything})


class _OutcomeCounts:
    """Counts the cases in which one condition was fulfilled, and those in which it was not."""

    def __init__(self, node: SourceNode) -> None:
        self.node = node
        self.cases: dict[bool, list[str]] = {True: [], False: []}

    def count(self, case: str, came_out: bool) -> None:
        """Counts a case once for each result of the condition on any of its facts."""
        names = self.cases[came_out]
        if not names or names[-1] != case:
            names.append(case)


def _count(
    case: str, source: SourceMap, all_counts: Iterable[_OutcomeCounts], facts: Iterable[Fact], lists: CodeListLookup
) -> None:
    predicates = [(counts, predicate(counts.node.condition, lists)) for counts in all_counts]
    for fact in facts:
        sections = _sections_reached(source, fact.values, lists)
        for counts, holds in predicates:
            if counts.node.section in sections:
                counts.count(case, holds(fact.values) == counts.node.wanted)


def _sections_reached(source: SourceMap, values: FactValues, lists: CodeListLookup) -> set[str]:
    """The sections up to the first that is not fulfilled: the result of later ones makes no difference."""
    reached: set[str] = set()
    for name, roots in source.by_section():
        reached.add(name)
        if not all(fulfilled(root, lists)(values) for root in roots):
            break
    return reached


def fulfilled(node: SourceNode, lists: CodeListLookup) -> Predicate:
    """A condition as a function of a fact's values, true where the rule's requirement is met."""
    holds = predicate(node.condition, lists)
    return holds if node.wanted else lambda values: not holds(values)


def _condition_coverage(counts: _OutcomeCounts, source: SourceMap, rulebook: Rulebook) -> ConditionCoverage:
    node = counts.node
    return ConditionCoverage(node, *(_outcome(node, way, counts.cases[way], source, rulebook) for way in (True, False)))


def _outcome(
    node: SourceNode, way: bool, cases: Sequence[str], source: SourceMap, rulebook: Rulebook
) -> ConditionOutcome:
    before = [(root.condition, root.wanted) for root in source.before(node.section)]
    required = [*before, (node.condition, node.wanted == way)]
    possible = bool(cases) or satisfiable(required, source.rule.kind, rulebook.lists)
    return ConditionOutcome(len(cases), cases[0] if cases else None, possible)
