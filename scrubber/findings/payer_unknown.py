"""Lists the rules that cannot be judged because it is not known who pays, or which contractor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scrubber.engine.plain import Predicate, predicate
from scrubber.facts.fact import Fact
from scrubber.findings.finding import PAYER_UNKNOWN, NotChecked, Switches
from scrubber.remembered import remembered
from scrubber.rulebook.field import UNKNOWN, state_key
from scrubber.rulebook.rule import AllOf, AnyOf, Asks, Compare, Condition, Has, InList, Rule, leaves, window
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import Rulebook

LINE_OF_BUSINESS = "lineOfBusiness"
SETTLES = ("filing-indicator",)
EVERYTHING = AllOf(())

# The element that identifies the payer, and the contractor.
SETTLES_NAME = {"payer": "payer-id", "contractor": "billing-zip"}
# A rule, the facts of which it leaves some out, whether it fires, and whether it would for others.
ExcludingTest = tuple[Rule, tuple[str, ...], Predicate, Predicate]
ScopedTest = tuple[Rule, Predicate, Predicate]  # a rule, whether it fires, and whether it would for some kind of payer


def payer_unknown(facts: Sequence[Fact], payer: Payer, rulebook: Rulebook, switches: Switches) -> Iterator[NotChecked]:
    """One entry for each rule that would fire on a fact if the payer were of the kind that the rule is for."""
    if payer.line_of_business != UNKNOWN:
        return  # as on nearly every claim
    by_scope = _by_scope(rulebook)
    for fact in facts:
        for rule, fires, would_fire in by_scope.get(fact.kind, ()):
            if would_fire(fact.values) and not fires(fact.values) and switches.status(rule) == "active":
                yield NotChecked(rule, fact.lines, SETTLES, unknown_payer_message(rule, fact), PAYER_UNKNOWN)


def unknown_left_out(facts: Sequence[Fact], rulebook: Rulebook, switches: Switches) -> Iterator[NotChecked]:
    """One entry for each rule that would fire on a fact if the payer or contractor were none of those it excludes.

    Unknown is not "none of them": a rule with `none` and without `unknown` is not judged where the value is unknown.
    """
    for scope, tried in _leaving_out(rulebook).items():
        for fact in facts:
            if fact.kind != scope:
                continue
            for rule, names, fires, would_fire in tried:
                unknown = tuple([name for name in names if fact.values.get(state_key(name)) == UNKNOWN])
                if not unknown or switches.status(rule) != "active":
                    continue
                if would_fire(fact.values) and not fires(fact.values):
                    settles = tuple([SETTLES_NAME[name] for name in unknown])
                    yield NotChecked(rule, fact.lines, settles, left_out_message(rule, fact, unknown), PAYER_UNKNOWN)


def left_out_message(rule: Rule, fact: Fact, unknown: Sequence[str]) -> str:
    """The message on a rule that excludes some payers or contractors, where it is unknown which one it is."""
    where = f"Line {fact.lines[0]}" if fact.lines else "The claim"
    return f"{where}: “{rule.title}” was not checked, because it holds for some and the {unknown[0]} is unknown."


def unknown_payer_message(rule: Rule, fact: Fact) -> str:
    """The message on a rule that would fire if the payer were known to be one of its payers."""
    where = f"Line {fact.lines[0]}" if fact.lines else "The claim"
    return f"{where}: “{rule.title}” was not checked, because the claim does not say what kind of payer it goes to."


@remembered(4)
def _by_scope(rulebook: Rulebook) -> dict[str, list[ScopedTest]]:
    """The rules that hold for some kinds of payers only, by the kind of fact that they read."""
    found: dict[str, list[ScopedTest]] = {}
    for rule in rulebook.running:
        condition = AllOf((rule.applies, rule.when))
        if any(leaf.fact == LINE_OF_BUSINESS for leaf in leaves(condition)):
            held = window(rule)
            fires = predicate(AllOf((*held, condition)), rulebook.lists)
            would_fire = predicate(AllOf((*held, _for_some_payer(condition))), rulebook.lists)
            found.setdefault(rule.scope, []).append((rule, fires, would_fire))
    return found


@remembered(4)
def _leaving_out(rulebook: Rulebook) -> dict[str, list[ExcludingTest]]:
    """The rules that exclude payers or contractors and do not mention unknown ones, by scope."""
    found: dict[str, list[ExcludingTest]] = {}
    for rule in rulebook.running:
        condition = AllOf((rule.applies, rule.when))
        every = tuple(leaves(condition))
        names = tuple(
            [name for name in SETTLES_NAME if any(_leaves_out(leaf, name) for leaf in every)
             and not any(_tests_for_unknown(leaf, name) for leaf in every)]
        )  # fmt: skip
        if names:
            held = window(rule)
            fires = predicate(AllOf((*held, condition)), rulebook.lists)
            would_fire = predicate(AllOf((*held, _for_others(condition, names))), rulebook.lists)
            found.setdefault(rule.scope, []).append((rule, names, fires, would_fire))
    return found


def _leaves_out(leaf: Compare | Has | InList, name: str) -> bool:
    return leaf.fact == name and leaf.op in ("none", "is-not")


def _tests_for_unknown(leaf: Compare | Has | InList, name: str) -> bool:
    if leaf.fact == state_key(name):
        return True
    if leaf.fact != name or isinstance(leaf, InList):
        return False
    return UNKNOWN in leaf.values if isinstance(leaf, Has) else leaf.value == UNKNOWN


def _for_others(condition: Condition, names: Sequence[str]) -> Condition:
    """The condition without its exclusions on these facts."""
    if isinstance(condition, AllOf):
        return AllOf(tuple([_for_others(part, names) for part in condition.parts]))
    if isinstance(condition, AnyOf):
        return AnyOf(tuple([_for_others(part, names) for part in condition.parts]))
    if isinstance(condition, Asks):
        return condition
    return EVERYTHING if any(_leaves_out(condition, name) for name in names) else condition


def _for_some_payer(condition: Condition) -> Condition:
    """The condition without its tests of the line of business."""
    if isinstance(condition, AllOf):
        return AllOf(tuple(map(_for_some_payer, condition.parts)))
    if isinstance(condition, AnyOf):
        return AnyOf(tuple(map(_for_some_payer, condition.parts)))
    return EVERYTHING if condition.fact == LINE_OF_BUSINESS else condition
