"""Beside the path: the claim that is asked about, scrubbed as any other, and once more with every rule running."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache

from scrubber.claim import Claim
from scrubber.engine.plain import PlainEngine
from scrubber.facts.fact import Fact
from scrubber.findings import Finding, NotChecked, Switches
from scrubber.findings.doubtful import on_one
from scrubber.findings.judge import judge, rule_tests
from scrubber.findings.unchecked import lacking_something
from scrubber.money import add_impacts, price_lines
from scrubber.rulebook.book import RUNNING, Rulebook
from scrubber.rulebook.rule import Rule
from scrubber.scrub import Scrubber, conclude, read_as_meant, read_facts
from scrubber.workshop.explain.competing import adoption
from scrubber.workshop.explain.ground import Ground
from scrubber.workshop.explain.outcome import Trial

UnreadOf = Mapping[str, Mapping[int, NotChecked]]  # by rule, then by line


@lru_cache(maxsize=2)
def all_running(book: Rulebook) -> Rulebook:
    """The rulebook with every rule active: a draft or deprecated rule is explained as if it ran."""
    rules = {name: replace(rule, status="active") for name, rule in book.rules.items()}
    return Rulebook(rules, book.packs, book.rows, book.digest, book.tables)


class Scrubbed:
    """One claim and its answer; what rules that do not run would stand on is worked out when one is asked about."""

    def __init__(self, scrubber: Scrubber, claim: Claim, received_on: date, switches: Switches) -> None:
        self.switches = switches
        self.ground = _ground(claim, scrubber, scrubber.rulebook, received_on)
        self._scrubber = scrubber
        known = self.ground.known
        matches = scrubber.engine.match(known.facts)
        book, reference, stale_after = scrubber.rulebook, scrubber.reference, scrubber.stale_after
        as_meant = read_as_meant(claim, book, reference, scrubber.engine, received_on, switches)
        self.result = conclude(claim, known, matches, book, reference, received_on, switches, stale_after, as_meant)
        self._found = {_identity(each): each for each in (*self.result.findings, *self.result.shadow)}
        self._unread: dict[Rulebook, UnreadOf] = {}
        self._aside: Ground | None = None
        self._as_meant: dict[Rulebook, Ground] = {}

    def trial(self, rule: Rule) -> Trial:
        """What one rule is held against."""
        ground = self.ground if rule.status in RUNNING else self._all_running()
        known = ground.known
        number = next(index for index, each in enumerate(ground.book.running) if each.id == rule.id)
        adopted = adoption(rule, known.payer, known.day, ground.book)
        unread, doubtful = self._unread_of(rule, ground), self._doubtful_of(rule, number, ground)
        return Trial(rule, number, ground, adopted, self.switches, unread, self._priced, doubtful)

    def _doubtful_of(self, rule: Rule, number: int, ground: Ground) -> tuple[Finding, ...]:
        """What the rule finds on one reading only, where the claim has names that resemble known ones."""
        claim = ground.claim
        if claim.meant is None:
            return ()
        if ground.book not in self._as_meant:
            stated = claim.meant.context.received_on if claim.context.received_on is None else None
            received_on = stated or ground.received_on
            self._as_meant[ground.book] = _ground(claim.meant, self._scrubber, ground.book, received_on)
        as_meant = self._as_meant[ground.book]
        return tuple(on_one(self._found_by(rule, number, ground), self._found_by(rule, number, as_meant)))

    def _found_by(self, rule: Rule, number: int, ground: Ground) -> list[Finding]:
        known = ground.known
        facts = [fact for fact in known.facts if fact.kind == rule.scope]
        matches = [
            (2 * number + key, index) for index, keys in matched(rule, facts, ground.book).items() for key in keys
        ]
        judged = judge(
            matches, facts, ground.claim, known.payer, known.day, ground.book, ground.reference, self.switches
        )
        return [finding for finding in (*judged.findings, *judged.shadow) if finding.rule.id == rule.id]

    def _all_running(self) -> Ground:
        if self._aside is None:
            ground = self.ground
            self._aside = _ground(ground.claim, self._scrubber, all_running(ground.book), ground.received_on)
        return self._aside

    def _unread_of(self, rule: Rule, ground: Ground) -> Mapping[int, NotChecked]:
        if ground.book not in self._unread:
            known = ground.known
            found: dict[str, dict[int, NotChecked]] = {}
            asked = known.views, known.payer, known.day, ground.book
            for item in lacking_something(*asked, ground.reference, self.switches):
                found.setdefault(item.rule.id, {})[item.lines[0]] = item
            self._unread[ground.book] = found
        return self._unread[ground.book].get(rule.id, {})

    def _priced(self, finding: Finding) -> Finding:
        """With the dollars of the answer; one that is not in the answer, as if it were there alone."""
        found = self._found.get(_identity(finding))
        if found is not None:
            return found
        ground = self.ground
        prices = price_lines(ground.claim, ground.known.views, ground.book, ground.reference)
        return add_impacts((finding,), prices, ground.known.liabilities)[0][0]


def matched(rule: Rule, facts: Sequence[Fact], book: Rulebook) -> Mapping[int, tuple[int, ...]]:
    """By fact: 0 where the rule's conditions hold, 1 where something needed was not supplied."""
    engine = PlainEngine(rule_tests([rule]), book.lists)
    found: dict[int, tuple[int, ...]] = defaultdict(tuple)
    for key, index in engine.match(facts):
        found[index] += (key,)
    return found


def _ground(claim: Claim, scrubber: Scrubber, book: Rulebook, received_on: date) -> Ground:
    known = read_facts(claim, book, scrubber.reference, received_on, scrubber.stale_after)
    return Ground(claim, known, book, scrubber.reference, received_on)


def _identity(finding: Finding) -> tuple[object, ...]:
    return finding.rule.id, finding.lines, finding.related_lines, finding.pointer, finding.message
