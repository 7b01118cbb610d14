"""Beside the path: why a rule did not fire on a fact, in one sentence: the first condition that was decisive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scrubber.facts.fact import Fact
from scrubber.rulebook.rule import Rule
from scrubber.workshop.explain.explanation import NOT_JUDGED, TRUE, Group, Leaf, Node, Part
from scrubber.workshop.explain.tree import day_of
from scrubber.workshop.explain.words import in_days, in_words, where


def why_not(rule: Rule, fact: Fact, parts: Sequence[Part]) -> str:
    """The first part of the rule that does not hold, by its first false comparison."""
    failed = next(part for part in parts if part.node.verdict != TRUE and part.name != "needs")
    if failed.name == "in-force":
        return (
            f"{where(fact)}: the date of service is {day_of(fact) or 'not known'}, and the rule holds {in_days(rule)}"
        )
    said = _said(failed.node)
    return f"{where(fact)}: the rule is for others: {said}" if failed.name == "applies" else f"{where(fact)}: {said}"


def _said(node: Node) -> str:
    decisive = _first_failed(node)
    if isinstance(decisive, Leaf):
        return of_leaf(decisive)
    alike = _of_one_fact(decisive)
    if alike is not None:
        return of_leaf(alike)
    parts = "; ".join(_said(part) for part in decisive.parts[:2])
    return f"none of {len(decisive.parts)} alternatives holds: {parts}" + ("; …" if len(decisive.parts) > 2 else "")


def _of_one_fact(group: Group) -> Leaf | None:
    """Alternatives that ask one fact for several things, as one comparison."""
    tests = [part for part in group.parts if isinstance(part, Leaf)]
    if len(tests) < len(group.parts) or len({test.fact for test in tests}) > 1:
        return None
    return tests[0]._replace(asked=" or ".join(test.asked for test in tests), verdict=group.verdict)


def _first_failed(node: Node) -> Node:
    """Down through `all` to the first part that is not true."""
    while isinstance(node, Group) and node.word == "all":
        node = next(part for part in node.parts if part.verdict != TRUE)
    return node


def of_leaf(leaf: Leaf) -> str:
    """A comparison that failed, in words."""
    named = f"`{leaf.fact}` ({leaf.about})"
    if leaf.verdict == NOT_JUDGED:
        return f"{named} was not supplied; the rule asks for {leaf.asked}"
    if leaf.value is None:
        return f"{named} {_without_value(leaf)}; the rule asks for {leaf.asked}"
    return f"{named} is {in_words(leaf.value)}; the rule asks for {leaf.asked}"


def _without_value(leaf: Leaf) -> str:
    return f"is {leaf.state}" if leaf.state else "has no value here"


def leaves_of(node: Node) -> Iterator[Leaf]:
    """Every comparison, from left to right."""
    if isinstance(node, Leaf):
        yield node
    else:
        for part in node.parts:
            yield from leaves_of(part)
