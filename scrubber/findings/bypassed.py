"""Checks that a modifier or a notice on the claim properly answered, as rule authors say with `bypassed`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scrubber.engine.plain import Predicate, predicate
from scrubber.facts.fact import Fact
from scrubber.remembered import remembered
from scrubber.rulebook.book import Rulebook
from scrubber.rulebook.rule import AllOf, Rule, window


class _Tried(NamedTuple):
    """A rule with a `bypassed`: whether it is answered on a fact, and whether it fires all the same."""

    rule: Rule
    answered: Predicate
    fires: Predicate


def bypassed(facts: Sequence[Fact], rulebook: Rulebook) -> Iterator[tuple[Rule, Fact]]:
    """Each running rule with a fact on which it does not fire because what the claim says answers it."""
    by_scope = _by_scope(rulebook)
    for fact in facts:
        for tried in by_scope.get(fact.kind, ()):
            if tried.answered(fact.values) and not tried.fires(fact.values):
                yield tried.rule, fact


@remembered(4)
def _by_scope(rulebook: Rulebook) -> dict[str, list[_Tried]]:
    found: dict[str, list[_Tried]] = {}
    for rule in rulebook.running:
        if rule.bypassed is not None:
            answered = predicate(AllOf((*window(rule), rule.applies, rule.bypassed)), rulebook.lists)
            found.setdefault(rule.scope, []).append(_Tried(rule, answered, predicate(rule.when, rulebook.lists)))
    return found
