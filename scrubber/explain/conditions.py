"""The conditions of a rule on one fact, every part judged, whatever the other parts say.

The verdict of a comparison is the plain engine's own predicate. Beyond true and false there is "not judged": false
because nothing was supplied. A group is true exactly where the engine finds it true.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import assert_never

from scrubber.claim.model import Absence
from scrubber.engine.plain import predicate
from scrubber.engine.program import CodeListLookup
from scrubber.explain.model import FALSE, NOT_JUDGED, TRUE, Group, Leaf, Node, Part
from scrubber.explain.text import in_days, in_words, where
from scrubber.facts.fact import Fact
from scrubber.findings.judge import evidence_value
from scrubber.rulebook.condition_words import expected
from scrubber.rulebook.conditions import format_days, holds_on, limit_alternatives
from scrubber.rulebook.rule import AllOf, AnyOf, Compare, Condition, Has, InList, Rule, window
from scrubber.rulebook.vocabulary import KINDS, Field, state_key

NOT_SUPPLIED = Absence.NOT_SUPPLIED.value


def parts_of(rule: Rule, fact: Fact, lists: CodeListLookup) -> tuple[Part, ...]:
    """The rule's days, `applies`, `needs` and `when` on a fact; parts that the rule does not have are left out."""
    parts = [Part("in-force", _judged(AllOf(window(rule)), fact, lists))] if window(rule) else []
    if rule.applies != AllOf(()):
        parts.append(Part("applies", _judged(rule.applies, fact, lists)))
    if rule.needs:
        parts.append(Part("needs", _all([_need(need, fact) for need in rule.needs])))
    return (*parts, Part("when", _judged(rule.when, fact, lists)))


def field_of(leaf: Compare | Has | InList, kind: str) -> Field:
    """The field that a comparison reads, by its value or by its state."""
    fields = KINDS[kind].fields
    return fields[leaf.fact] if leaf.fact in fields else fields[leaf.fact.removesuffix(state_key(""))]


def _judged(condition: Condition, fact: Fact, lists: CodeListLookup) -> Node:
    match condition:
        case AllOf(parts):
            nodes = [_judged(part, fact, lists) for part in parts]
            return nodes[0] if len(nodes) == 1 else _all(nodes)
        case AnyOf(parts):
            return _by_limit(condition, fact, lists) or _any([_judged(part, fact, lists) for part in parts])
        case Compare() | Has() | InList():
            return _leaf(condition, fact, lists)
        case _:
            assert_never(condition)


def _by_limit(condition: AnyOf, fact: Fact, lists: CodeListLookup) -> Leaf | None:
    """A limit's rows by the one that is in force on the fact's day: it alone decides. None where there is not one."""
    holding = [row for row in limit_alternatives(condition) if holds_on(row, fact.values.get("day"))]
    if len(holding) != 1:
        return None
    leaf = _leaf(holding[0].test, fact, lists)
    days = format_days(holding[0])
    return leaf._replace(asked=f"{leaf.asked}, the limit {days}") if days else leaf


def _leaf(leaf: Compare | Has | InList, fact: Fact, lists: CodeListLookup) -> Leaf:
    field = field_of(leaf, fact.kind)
    value, state = _value_and_state(field, fact)
    otherwise = NOT_JUDGED if state == NOT_SUPPLIED else FALSE
    verdict = TRUE if predicate(leaf, lists)(fact.values) else otherwise
    return Leaf(field.name, field.about, value, state, expected(leaf, field), verdict)


def _need(name: str, fact: Fact) -> Leaf:
    field = KINDS[fact.kind].fields[name]
    value, state = _value_and_state(field, fact)
    return Leaf(name, field.about, value, state, "to be supplied", NOT_JUDGED if state == NOT_SUPPLIED else TRUE)


def _value_and_state(field: Field, fact: Fact) -> tuple[str | int | bool | tuple[str, ...] | None, str | None]:
    """The fact's value and its state, of which at most one is there."""
    value = fact.values.get(field.name)
    return None if value is None else evidence_value(field, value), fact.values.get(state_key(field.name))


def _all(parts: list[Node]) -> Group:
    verdicts = {part.verdict for part in parts}
    return Group("all", FALSE if FALSE in verdicts else NOT_JUDGED if NOT_JUDGED in verdicts else TRUE, tuple(parts))


def _any(parts: list[Node]) -> Group:
    verdicts = {part.verdict for part in parts}
    return Group("any", TRUE if TRUE in verdicts else NOT_JUDGED if NOT_JUDGED in verdicts else FALSE, tuple(parts))


def day_of(fact: Fact) -> date | None:
    """The fact's date of service."""
    ordinal = fact.values.get("day")
    return date.fromordinal(ordinal) if isinstance(ordinal, int) else None


def why_not(rule: Rule, fact: Fact, parts: Sequence[Part]) -> str:
    """The first part of the rule that does not hold, by its first false comparison."""
    failed = next(part for part in parts if part.node.verdict != TRUE and part.name != "needs")
    if failed.name == "in-force":
        return (
            f"{where(fact)}: the date of service is {day_of(fact) or 'not known'}, and the rule holds {in_days(rule)}"
        )
    said = _first_failed_in_words(failed.node)
    return f"{where(fact)}: the rule is for others: {said}" if failed.name == "applies" else f"{where(fact)}: {said}"


def _first_failed_in_words(node: Node) -> str:
    decisive = _first_failed(node)
    if isinstance(decisive, Leaf):
        return of_leaf(decisive)
    alike = _of_one_fact(decisive)
    if alike is not None:
        return of_leaf(alike)
    parts = "; ".join(_first_failed_in_words(part) for part in decisive.parts[:2])
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
