"""What could not be judged because it is not known what kind of payer the claim goes to, where a rule asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scrubber.engine.plain import Predicate, predicate
from scrubber.facts.fact import Fact
from scrubber.findings.finding import PAYER_UNKNOWN, NotChecked
from scrubber.findings.switches import Switches
from scrubber.remembered import remembered
from scrubber.rulebook.book import Rulebook
from scrubber.rulebook.rule import AllOf, AnyOf, Condition, Rule, leaves, window
from scrubber.rulebook.tables import Payer

UNKNOWN = "unknown"
LINE_OF_BUSINESS = "lineOfBusiness"
SETTLES = ("filing-indicator",)
EVERYTHING = AllOf(())

Tried = tuple[Rule, Predicate, Predicate]  # a rule, whether it fires, and whether it would for some kind of payer


def payer_unknown(facts: Sequence[Fact], payer: Payer, rulebook: Rulebook, switches: Switches) -> Iterator[NotChecked]:
    """One entry for each rule that would fire on a fact, were the payer of the kind that the rule holds for."""
    if payer.line_of_business != UNKNOWN:
        return  # the way of nearly every claim
    by_scope = _by_scope(rulebook)
    for fact in facts:
        for rule, fires, would_fire in by_scope.get(fact.kind, ()):
            if would_fire(fact.values) and not fires(fact.values) and switches.standing(rule) == "active":
                yield NotChecked(rule, fact.lines, SETTLES, unknown_payer_message(rule, fact), PAYER_UNKNOWN)


def unknown_payer_message(rule: Rule, fact: Fact) -> str:
    """What is said of a rule that would fire if the payer were known to be one of its payers."""
    where = f"Line {fact.lines[0]}" if fact.lines else "The claim"
    return f"{where}: “{rule.title}” was not checked, because the claim does not say what kind of payer it goes to."


@remembered(4)
def _by_scope(rulebook: Rulebook) -> dict[str, list[Tried]]:
    """The rules that hold for some kinds of payers only, by the kind of fact that they read."""
    found: dict[str, list[Tried]] = {}
    for rule in rulebook.running:
        whole = AllOf((rule.applies, rule.when))
        if any(leaf.fact == LINE_OF_BUSINESS for leaf in leaves(whole)):
            held = window(rule)
            fires = predicate(AllOf((*held, whole)), rulebook.lists)
            would_fire = predicate(AllOf((*held, _for_some_payer(whole))), rulebook.lists)
            found.setdefault(rule.scope, []).append((rule, fires, would_fire))
    return found


def _for_some_payer(condition: Condition) -> Condition:
    """The condition without what it asks of the line of business."""
    if isinstance(condition, AllOf):
        return AllOf(tuple(map(_for_some_payer, condition.parts)))
    if isinstance(condition, AnyOf):
        return AnyOf(tuple(map(_for_some_payer, condition.parts)))
    return EVERYTHING if condition.fact == LINE_OF_BUSINESS else condition
