"""Runs one claim through two rulebooks for a back-test, on one set of facts where both allow it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple, Protocol

from scrubber.backtest.rulebooks import Rulebooks
from scrubber.claim.model import Claim
from scrubber.engine import DurableEngine
from scrubber.facts.element import RESEMBLING
from scrubber.facts.fact import Fact
from scrubber.facts.pair import NCCI
from scrubber.facts.rule_codes import rule_codes
from scrubber.findings.judge import element_and_pointer, facts_read, is_finding, related_lines, rule_tests
from scrubber.findings.row_values import amount_at_risk, severity_of
from scrubber.pricing import exposures, price_lines, puts_at_risk
from scrubber.reference import Reference
from scrubber.rulebook.rule import Condition, Rule
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import Rulebook
from scrubber.scrub import ClaimFacts, read_facts, received_on_corrected


class BareFinding(NamedTuple):
    """A finding without message, fix and dollars."""

    rule: Rule
    lines: tuple[int, ...]
    related: tuple[int, ...]
    severity: str
    amount: Decimal | None = None


class RulebookResult(NamedTuple):
    """The findings of one rulebook on a claim. `exposed`: dollars of each line that is at risk; None = not known."""

    payer: Payer
    findings: Sequence[BareFinding]
    exposed: Mapping[int, Decimal | None]


class ComparedResults(NamedTuple):
    """The results of both rulebooks on one claim; one object where nothing differs, or without a baseline."""

    baseline: RulebookResult
    candidate: RulebookResult


class RulebookComparison(Protocol):
    """Runs claims through both rulebooks. `shared_facts`: both judge the same facts."""

    shared_facts: bool

    def judge(self, claim: Claim, received_on: date) -> ComparedResults:
        """The findings of both rulebooks."""


def open_comparison(rulebooks: Rulebooks, reference: Reference) -> RulebookComparison:
    """A comparison on one set of facts where the tables of both rulebooks are the same, else on two full runs."""
    if rulebooks.baseline is None or _same_facts(rulebooks.candidate, rulebooks.baseline):
        return _SharedFacts(rulebooks, reference)
    return _SeparateFacts(rulebooks, reference)


def _same_facts(one: Rulebook, other: Rulebook) -> bool:
    """Whether every fact that a rule of either rulebook may fire on is the same under both."""
    adoptions = {name: pack.adoption for name, pack in one.packs.items()}
    return (
        one.rows == other.rows
        and all(adoptions.get(name, pack.adoption) == pack.adoption for name, pack in other.packs.items())
        and (NCCI in one.packs) == (NCCI in other.packs)
        # A pair that only one rulebook names leads to a fact on which a general rule of the other could fire.
        and rule_codes(one).pairs == rule_codes(other).pairs
        and _own_tables(one) == _own_tables(other)
        # What a finding takes from a row is kept with the fact under the id of its rule.
        and all(other.rules[name].by_row == rule.by_row for name, rule in one.rules.items() if name in other.rules)
    )


def _own_tables(book: Rulebook) -> Mapping[str, object]:
    return {name: (table.declaration, table.stored) for name, table in book.typed_tables.items()}


class _RulePair(NamedTuple):
    """The rule of each rulebook that one test of the engine fires; None: that rulebook has no such active rule."""

    baseline: Rule | None
    candidate: Rule | None


class _FiredTest(NamedTuple):
    """A test that fired on a fact. Findings on two readings of a claim are the same if their `identity` is equal."""

    pair: _RulePair
    fact: Fact
    identity: tuple[object, ...]


class _SharedFacts:
    """Reads the facts once and matches them once against the rules of both rulebooks, then separates the findings."""

    shared_facts = True

    def __init__(self, rulebooks: Rulebooks, reference: Reference) -> None:
        self._reference = reference
        self._rules, self._pairs = _merged_rules(rulebooks)
        self._rulebook = _union(rulebooks, self._rules)
        tests = [test for test in rule_tests(self._rules) if test.key % 2 == 0]
        self._engine = DurableEngine(tests, self._rulebook.lists)

    def judge(self, claim: Claim, received_on: date) -> ComparedResults:
        """The findings of both rulebooks; of a claim with misspelled names, those that hold on both readings of it."""
        known = read_facts(claim, self._rulebook, self._reference, received_on)
        fired = self._fired(claim, known)
        if claim.corrected is not None:
            corrected_received_on = received_on_corrected(claim, claim.corrected, received_on)
            fired_on_corrected = self._fired(
                claim.corrected, read_facts(claim.corrected, self._rulebook, self._reference, corrected_received_on)
            )
            on_corrected = {each.identity for each in fired_on_corrected}
            fired = [
                each for each in fired if each.identity in on_corrected or each.fact.values.get("fault") == RESEMBLING
            ]
        before = [self._bare(each.pair.baseline, each.fact, known) for each in fired if each.pair.baseline]
        after = [self._bare(each.pair.candidate, each.fact, known) for each in fired if each.pair.candidate]
        candidate = _side(claim, known, after, self._rulebook, self._reference)
        if all(each.pair.baseline is each.pair.candidate for each in fired):
            return ComparedResults(candidate, candidate)
        return ComparedResults(_side(claim, known, before, self._rulebook, self._reference), candidate)

    def _bare(self, rule: Rule, fact: Fact, known: ClaimFacts) -> BareFinding:
        severity = self._rulebook.severity(rule, known.payer, known.day, severity_of(rule, fact))
        return BareFinding(rule, *_lines(rule, fact), severity, amount_at_risk(rule, fact))

    def _fired(self, claim: Claim, known: ClaimFacts) -> list[_FiredTest]:
        """The tests that fire on one reading of a claim, under either rulebook."""
        reads = facts_read(self._rulebook)
        fired = []
        for key, index in self._engine.match(known.facts):
            rule, fact = self._rules[key // 2], known.facts[index]
            if is_finding(rule, fact, known.payer, known.day, self._rulebook):
                identity = rule.id, *_lines(rule, fact), *element_and_pointer(rule, reads[key // 2], fact, claim)
                fired.append(_FiredTest(self._pairs[key // 2], fact, identity))
        return fired


def _lines(rule: Rule, fact: Fact) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return fact.lines, related_lines(rule, fact)


class _SeparateFacts:
    """A run of each rulebook, with its own tables."""

    shared_facts = False

    def __init__(self, rulebooks: Rulebooks, reference: Reference) -> None:
        assert rulebooks.baseline is not None  # noqa: S101  open_comparison sees to it
        self._baseline = _SharedFacts(Rulebooks(rulebooks.baseline, None, ()), reference)
        self._candidate = _SharedFacts(Rulebooks(rulebooks.candidate, None, ()), reference)

    def judge(self, claim: Claim, received_on: date) -> ComparedResults:
        """The findings of both rulebooks."""
        return ComparedResults(
            self._baseline.judge(claim, received_on).candidate, self._candidate.judge(claim, received_on).candidate
        )


def _side(
    claim: Claim, known: ClaimFacts, findings: Sequence[BareFinding], rulebook: Rulebook, reference: Reference
) -> RulebookResult:
    if not any(map(puts_at_risk, findings)):
        return RulebookResult(known.payer, findings, {})
    prices = price_lines(claim, known.views, rulebook, reference)
    return RulebookResult(known.payer, findings, exposures(findings, prices, known.liabilities))


_Firing = tuple[str, str, str, Condition, tuple[str, ...], Condition, date | None, date | None]


def _firing(rule: Rule) -> _Firing:
    """Everything of a rule that decides whether it fires and whether its finding counts."""
    return rule.id, rule.pack, rule.scope, rule.applies, rule.needs, rule.when, rule.since, rule.until


def _merged_rules(rulebooks: Rulebooks) -> tuple[tuple[Rule, ...], tuple[_RulePair, ...]]:
    """The running rules of both rulebooks, equal conditions once, and the rule of each rulebook that they belong to.

    Shadow rules belong to none: they run so that the facts are those that each rulebook alone would have.
    """
    new = {_firing(rule): rule for rule in rulebooks.candidate.running}
    old = {_firing(rule): rule for rule in rulebooks.baseline.running} if rulebooks.baseline else new
    rules = {**old, **new}
    pairs = []
    for firing in rules:
        before, after = _counts(old.get(firing)), _counts(new.get(firing))
        pairs.append(_RulePair(after if before == after else before, after))
    return tuple(rules.values()), tuple(pairs)


def _counts(rule: Rule | None) -> Rule | None:
    return rule if rule and rule.status == "active" else None


def _union(rulebooks: Rulebooks, rules: Sequence[Rule]) -> Rulebook:
    """A rulebook of these rules, which may be two of one id: nothing here looks a rule up by id."""
    packs = {**(rulebooks.baseline.packs if rulebooks.baseline else {}), **rulebooks.candidate.packs}
    numbered = {f"{rule.id} {number}": rule for number, rule in enumerate(rules)}
    return rulebooks.candidate.with_others(numbered, packs)
