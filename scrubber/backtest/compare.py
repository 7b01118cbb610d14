"""What two rulebooks find on one claim, from one set of facts where they can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple, Protocol

from scrubber.backtest.rulebooks import Books
from scrubber.claim.model import Claim
from scrubber.engine import DurableEngine
from scrubber.facts.element import RESEMBLING
from scrubber.facts.fact import Fact
from scrubber.facts.pair import NCCI
from scrubber.facts.relevant import interest_of
from scrubber.findings.judge import place_of, reads_of, rule_tests, stands
from scrubber.pricing import exposures, price_lines, puts_at_risk
from scrubber.reference import Reference
from scrubber.rulebook.rule import Condition, Rule
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import Rulebook
from scrubber.scrub import Known, read_facts, received_as_meant


class Found(NamedTuple):
    """A finding, without its words."""

    rule: Rule
    lines: tuple[int, ...]
    related: tuple[int, ...]


class Side(NamedTuple):
    """What one rulebook finds on a claim. `exposed`: dollars of each line that is at risk; None = not known."""

    payer: Payer
    findings: Sequence[Found]
    exposed: Mapping[int, Decimal | None]


class Judged(NamedTuple):
    """Both sides of one claim. They are one object when nothing differs, or when there is no baseline."""

    baseline: Side
    candidate: Side


class Comparison(Protocol):
    """Runs claims through both rulebooks. `one_reading`: both judge the same facts."""

    one_reading: bool

    def judge(self, claim: Claim, received_on: date) -> Judged:
        """What both find."""


def open_comparison(books: Books, reference: Reference) -> Comparison:
    """One reading of the facts for both rulebooks where their tables are the same, else two full runs."""
    if books.baseline is None or _same_facts(books.candidate, books.baseline):
        return _OneReading(books, reference)
    return _TwoReadings(books, reference)


def _same_facts(one: Rulebook, other: Rulebook) -> bool:
    """Whether every fact that a rule of either book may fire on is the same under both."""
    adoptions = {name: pack.adoption for name, pack in one.packs.items()}
    return (
        one.rows == other.rows
        and all(adoptions.get(name, pack.adoption) == pack.adoption for name, pack in other.packs.items())
        and (NCCI in one.packs) == (NCCI in other.packs)
        # A pair that only one book names makes a fact on which a general rule of the other could fire.
        and interest_of(one).pairs == interest_of(other).pairs
    )


class _Entry(NamedTuple):
    """One test, and the rule of each side that it fires. None: the side has none that fires so and is active."""

    baseline: Rule | None
    candidate: Rule | None


class _Fired(NamedTuple):
    """A test that fired on a fact. `place` is what makes findings of two readings of a claim the same finding."""

    entry: _Entry
    fact: Fact
    place: tuple[object, ...]


class _OneReading:
    """Facts once, matches once over the rules of both books, findings of each."""

    one_reading = True

    def __init__(self, books: Books, reference: Reference) -> None:
        self._reference = reference
        self._rules, self._entries = _joined(books)
        self._book = _union(books, self._rules)
        tests = [test for test in rule_tests(self._rules) if test.key % 2 == 0]
        self._engine = DurableEngine(tests, self._book.lists)

    def judge(self, claim: Claim, received_on: date) -> Judged:
        """What both find: of a claim with names that resemble known ones, what stands on both readings of it."""
        known = read_facts(claim, self._book, self._reference, received_on)
        fired = self._fired(claim, known)
        if claim.meant is not None:
            meant_on = received_as_meant(claim, claim.meant, received_on)
            as_meant = self._fired(claim.meant, read_facts(claim.meant, self._book, self._reference, meant_on))
            stand = {each.place for each in as_meant}
            fired = [each for each in fired if each.place in stand or each.fact.values.get("fault") == RESEMBLING]
        before = [Found(each.entry.baseline, *_lines(each.fact)) for each in fired if each.entry.baseline]
        after = [Found(each.entry.candidate, *_lines(each.fact)) for each in fired if each.entry.candidate]
        candidate = _side(claim, known, after, self._book, self._reference)
        if all(each.entry.baseline is each.entry.candidate for each in fired):
            return Judged(candidate, candidate)
        return Judged(_side(claim, known, before, self._book, self._reference), candidate)

    def _fired(self, claim: Claim, known: Known) -> list[_Fired]:
        """What fires on one reading of a claim, under either rulebook."""
        reads = reads_of(self._book)
        fired = []
        for key, index in self._engine.match(known.facts):
            rule, fact = self._rules[key // 2], known.facts[index]
            if stands(rule, fact, known.payer, known.day, self._book):
                place = rule.id, *_lines(fact), *place_of(rule, reads[key // 2], fact, claim)
                fired.append(_Fired(self._entries[key // 2], fact, place))
        return fired


def _lines(fact: Fact) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return fact.lines, fact.related


class _TwoReadings:
    """A run of each rulebook, with its own tables."""

    one_reading = False

    def __init__(self, books: Books, reference: Reference) -> None:
        assert books.baseline is not None  # noqa: S101  open_comparison sees to it
        self._baseline = _OneReading(Books(books.baseline, None, ()), reference)
        self._candidate = _OneReading(Books(books.candidate, None, ()), reference)

    def judge(self, claim: Claim, received_on: date) -> Judged:
        """What both find."""
        return Judged(
            self._baseline.judge(claim, received_on).candidate, self._candidate.judge(claim, received_on).candidate
        )


def _side(claim: Claim, known: Known, findings: Sequence[Found], book: Rulebook, reference: Reference) -> Side:
    if not any(map(puts_at_risk, findings)):
        return Side(known.payer, findings, {})
    prices = price_lines(claim, known.views, book, reference)
    return Side(known.payer, findings, exposures(findings, prices, known.liabilities))


_Firing = tuple[str, str, str, Condition, tuple[str, ...], Condition, date | None, date | None]


def _firing(rule: Rule) -> _Firing:
    """All of a rule that decides whether it fires and stands."""
    return rule.id, rule.pack, rule.scope, rule.applies, rule.needs, rule.when, rule.since, rule.until


def _joined(books: Books) -> tuple[tuple[Rule, ...], tuple[_Entry, ...]]:
    """The running rules of both books, each way of firing once; and which rule of each side stands behind it.

    Shadow rules stand behind none: they run so that facts are made as each book alone would make them.
    """
    new = {_firing(rule): rule for rule in books.candidate.running}
    old = {_firing(rule): rule for rule in books.baseline.running} if books.baseline else new
    rules = {**old, **new}
    entries = []
    for firing in rules:
        before, after = _counts(old.get(firing)), _counts(new.get(firing))
        entries.append(_Entry(after if before == after else before, after))
    return tuple(rules.values()), tuple(entries)


def _counts(rule: Rule | None) -> Rule | None:
    return rule if rule and rule.status == "active" else None


def _union(books: Books, rules: Sequence[Rule]) -> Rulebook:
    """A rulebook of these rules, which may be two of one id: nothing here looks a rule up by id."""
    packs = {**(books.baseline.packs if books.baseline else {}), **books.candidate.packs}
    numbered = {f"{rule.id} {number}": rule for number, rule in enumerate(rules)}
    return Rulebook(numbered, packs, books.candidate.rows, books.candidate.digest)
