"""Which conditions of a rule its own test cases made true, and which false."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from scrubber.authoring.case_claim import CaseNotMade
from scrubber.authoring.run_tests import all_cases, set_up
from scrubber.engine.plain import Predicate, predicate
from scrubber.engine.program import CodeLists
from scrubber.errors import NotAClaim
from scrubber.facts.fact import Fact
from scrubber.rulebook.reachability import why_never
from scrubber.rulebook.rule import AllOf, FactValues, Rule
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.satisfiable import satisfiable
from scrubber.rulebook.source_map import SourceMap, SourceNode, source_map
from scrubber.rulebook.test_case import Case
from scrubber.rulebook.vocabulary import KINDS
from scrubber.rulebook.yaml_file import read_yaml
from scrubber.scrub import Scrubber, read_facts


class Outcome(NamedTuple):
    """One way in which a condition may come out: in how many cases it did, and in which first.

    `possible`: not known to be impossible, whatever the claim.
    """

    cases: int
    first: str | None
    possible: bool

    @property
    def gap(self) -> bool:
        """Whether a case could show it and none does."""
        return self.possible and not self.cases


class Seen(NamedTuple):
    """A condition, or a group of them, and what the cases made of it."""

    node: SourceNode
    true: Outcome
    false: Outcome


class RuleCoverage(NamedTuple):
    """What the test cases of one rule show of its conditions. `never`: those that keep it from ever firing."""

    rule: Rule
    cases: int
    seen: tuple[Seen, ...]
    never: tuple[SourceNode, ...]

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Every way in which some condition may come out."""
        return tuple(way for seen in self.seen for way in (seen.true, seen.false) if way.possible)

    @property
    def gaps(self) -> int:
        """How many of them no case shows."""
        return sum(way.gap for way in self.outcomes)


def cover(scrubber: Scrubber, folder: Path, ids: Collection[str] | None = None) -> Iterator[RuleCoverage]:
    """The coverage of the rules `ids` (None: of all) in a folder of rules that `scrubber` was opened on, by id.

    Raises Faults as `run_tests` does. A case that cannot be made shows nothing.
    """
    book = scrubber.rulebook
    by_rule = {name: tuple(cases) for name, cases in groupby(all_cases(folder, book, ids), lambda case: case.rule)}
    for name in sorted(book.rules if ids is None else set(ids)):
        rule = book.rules[name]
        told = source_map(rule, read_yaml(folder / rule.file, rule.file))
        yield cover_rule(told, by_rule.get(name, ()), scrubber, folder)


def cover_rule(told: SourceMap, cases: Sequence[Case], scrubber: Scrubber, folder: Path) -> RuleCoverage:
    """What these cases show of one rule."""
    tallies = [_Tally(node) for node in told.nodes()]
    for case in cases:
        for facts, lists in _facts_of(case, told.rule.scope, scrubber, folder):
            _count(case.name, told, tallies, facts, lists)
    seen = tuple(_seen(tally, told, scrubber.rulebook) for tally in tallies)
    return RuleCoverage(told.rule, len(cases), seen, why_never(told, scrubber.rulebook.lists))


def _facts_of(case: Case, scope: str, scrubber: Scrubber, folder: Path) -> Iterator[tuple[list[Fact], CodeLists]]:
    """The facts of the rule's scope on the case's claim, and the code lists with the case's rows; none if not made."""
    try:
        prepared, claim, received_on = set_up(case, scrubber, folder)
    except (CaseNotMade, NotAClaim):
        return  # `scrubber rules test` tells
    book = _of_every_code(prepared.rulebook, case.rule) if scope == "document" else prepared.rulebook
    known = read_facts(claim, book, prepared.reference, received_on)
    yield [fact for fact in known.facts if fact.kind == scope], book.lists


def _of_every_code(book: Rulebook, name: str) -> Rulebook:
    """Reports are read only for codes that some rule applies to; for any other, the rule's `applies` is false."""
    everything = replace(book.rules[name], applies=AllOf(()))
    return Rulebook({**book.rules, name: everything}, book.packs, book.rows, book.digest)


class _Tally:
    """Counts the cases in which one condition was fulfilled, and those in which it was not."""

    def __init__(self, node: SourceNode) -> None:
        self.node = node
        self.cases: dict[bool, list[str]] = {True: [], False: []}

    def count(self, case: str, came_out: bool) -> None:
        """A case is counted once for each way in which the condition came out on any of its facts."""
        names = self.cases[came_out]
        if not names or names[-1] != case:
            names.append(case)


def _count(case: str, told: SourceMap, tallies: Iterable[_Tally], facts: Iterable[Fact], lists: CodeLists) -> None:
    asked = [(tally, predicate(tally.node.condition, lists)) for tally in tallies]
    for fact in facts:
        sections = _sections_asked(told, fact.values, lists)
        for tally, holds in asked:
            if tally.node.section in sections:
                tally.count(case, holds(fact.values) == tally.node.wanted)


def _sections_asked(told: SourceMap, values: FactValues, lists: CodeLists) -> set[str]:
    """A section is asked where those before it are fulfilled: else it would not matter how it comes out."""
    asked: set[str] = set()
    for name, roots in told.by_section():
        asked.add(name)
        if not all(fulfilled(root, lists)(values) for root in roots):
            break
    return asked


def fulfilled(node: SourceNode, lists: CodeLists) -> Predicate:
    """A condition as a function of a fact's values, true where it is as the rule wants it."""
    holds = predicate(node.condition, lists)
    return holds if node.wanted else lambda values: not holds(values)


def _seen(tally: _Tally, told: SourceMap, book: Rulebook) -> Seen:
    node = tally.node
    return Seen(node, *(_outcome(node, way, tally.cases[way], told, book) for way in (True, False)))


def _outcome(node: SourceNode, way: bool, cases: Sequence[str], told: SourceMap, book: Rulebook) -> Outcome:
    before = [(root.condition, root.wanted) for root in told.before(node.section)]
    asked = [*before, (node.condition, node.wanted == way)]
    possible = bool(cases) or satisfiable(asked, KINDS[told.rule.scope], book.lists)
    return Outcome(len(cases), cases[0] if cases else None, possible)
