"""Judges every condition of a rule on one fact, whatever the other conditions come to, for explanations.

The verdict of a comparison is the plain engine's own predicate. Beyond true and false there is "not judged": false
because nothing was supplied. A group is true exactly where the engine finds it true.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple, assert_never

from scrubber.claim.model import Absence
from scrubber.engine.plain import predicate
from scrubber.engine.program import CodeListLookup
from scrubber.explain.model import FALSE, NOT_JUDGED, TRUE, ConditionGroup, ConditionLeaf, ConditionNode, RulePart
from scrubber.explain.text import in_days, in_words, where
from scrubber.facts.fact import Fact, QuestionAnswer
from scrubber.findings.judge import evidence_value
from scrubber.rulebook.condition_words import expected
from scrubber.rulebook.condition_words import in_words as source_in_words
from scrubber.rulebook.field import Field, state_key
from scrubber.rulebook.limits import format_days, holds_on, limit_alternatives
from scrubber.rulebook.rule import NO, NOT_KNOWN, YES, AllOf, AnyOf, Asks, Compare, Condition, Has, InList, Rule, window

NOT_SUPPLIED = Absence.NOT_SUPPLIED.value


class _Asked(NamedTuple):
    """What a rule's conditions are judged with: the fields that it may read, and the code lists."""

    fields: Mapping[str, Field]
    lists: CodeListLookup


def parts_of(rule: Rule, fact: Fact, lists: CodeListLookup) -> tuple[RulePart, ...]:
    """The rule's days, `applies`, `needs` and `when` on a fact; parts that the rule does not have are left out."""
    asked = _Asked(rule.kind.fields, lists)
    parts = [RulePart("in-force", _judged(AllOf(window(rule)), fact, asked))] if window(rule) else []
    if rule.applies != AllOf(()):
        parts.append(RulePart("applies", _judged(rule.applies, fact, asked)))
    if rule.needs:
        parts.append(RulePart("needs", _all([_need(rule.kind.fields[need], fact) for need in rule.needs])))
    return (*parts, RulePart("when", _judged(rule.when, fact, asked)))


def field_of(leaf: Compare | Has | InList, fields: Mapping[str, Field]) -> Field:
    """The field that a comparison reads, by its value or by its state."""
    return fields[leaf.fact] if leaf.fact in fields else fields[leaf.fact.removesuffix(state_key(""))]


def _judged(condition: Condition, fact: Fact, asked: _Asked) -> ConditionNode:
    match condition:
        case AllOf(parts):
            nodes = [_judged(part, fact, asked) for part in parts]
            return nodes[0] if len(nodes) == 1 else _all(nodes)
        case AnyOf(parts):
            return _by_limit(condition, fact, asked) or _any([_judged(part, fact, asked) for part in parts])
        case Compare() | Has() | InList():
            return _leaf(condition, fact, asked)
        case Asks():
            return _question(condition, fact)
        case _:
            assert_never(condition)


def _by_limit(condition: AnyOf, fact: Fact, asked: _Asked) -> ConditionLeaf | None:
    """A limit's rows by the one that is in force on the fact's day: it alone decides. None where there is not one."""
    holding = [row for row in limit_alternatives(condition) if holds_on(row, fact.values.get("day"))]
    if len(holding) != 1:
        return None
    leaf = _leaf(holding[0].test, fact, asked)
    days = format_days(holding[0])
    return leaf._replace(asked=f"{leaf.asked}, the limit {days}") if days else leaf


def _leaf(leaf: Compare | Has | InList, fact: Fact, asked: _Asked) -> ConditionLeaf:
    field = field_of(leaf, asked.fields)
    value, state = _value_and_state(field, fact)
    otherwise = NOT_JUDGED if state == NOT_SUPPLIED else FALSE
    verdict = TRUE if predicate(leaf, asked.lists)(fact.values) else otherwise
    return ConditionLeaf(field.name, field.about, value, state, expected(leaf, field), verdict)


def _question(asked: Asks, fact: Fact) -> ConditionLeaf:
    """A question with its answer, and what made it so: other lines, earlier services, what was not known."""
    data = json.loads(asked.source)
    name = str(data.get("fact") or next(iter(data)))
    answer = (fact.answers or {}).get(asked.fact)
    verdict = _VERDICTS.get(answer.answer if answer else NO, FALSE)
    words = source_in_words({key: value for key, value in data.items() if key != "fact"})
    if answer is not None and len(answer.values) > 1:
        words = f"{words} ({answer.values[1]})"
    return ConditionLeaf(name, "asked beside the fact", _what_counted(answer), _what_missed(answer), words, verdict)


_VERDICTS = {YES: TRUE, NO: FALSE, NOT_KNOWN: NOT_JUDGED}


def _what_counted(answer: QuestionAnswer | None) -> str | None:
    if answer is None:
        return None
    lines = f"line {', '.join(map(str, answer.lines))}" if answer.lines else ""
    first = answer.values[0] if answer.values else answer.answer
    return "; ".join(filter(None, (first, lines, *answer.services)))


def _what_missed(answer: QuestionAnswer | None) -> str | None:
    return f"not known: {', '.join(answer.missing)}" if answer and answer.missing else None


def _need(field: Field, fact: Fact) -> ConditionLeaf:
    value, state = _value_and_state(field, fact)
    return ConditionLeaf(
        field.name, field.about, value, state, "to be supplied", NOT_JUDGED if state == NOT_SUPPLIED else TRUE
    )


def _value_and_state(field: Field, fact: Fact) -> tuple[str | int | bool | tuple[str, ...] | None, str | None]:
    """The fact's value and its state, of which at most one is there."""
    value = fact.values.get(field.name)
    return None if value is None else evidence_value(field, value), fact.values.get(state_key(field.name))


def _all(parts: list[ConditionNode]) -> ConditionGroup:
    verdicts = {part.verdict for part in parts}
    return ConditionGroup(
        "all", FALSE if FALSE in verdicts else NOT_JUDGED if NOT_JUDGED in verdicts else TRUE, tuple(parts)
    )


def _any(parts: list[ConditionNode]) -> ConditionGroup:
    verdicts = {part.verdict for part in parts}
    return ConditionGroup(
        "any", TRUE if TRUE in verdicts else NOT_JUDGED if NOT_JUDGED in verdicts else FALSE, tuple(parts)
    )


def day_of(fact: Fact) -> date | None:
    """The fact's date of service."""
    ordinal = fact.values.get("day")
    return date.fromordinal(ordinal) if isinstance(ordinal, int) else None


def why_not(rule: Rule, fact: Fact, parts: Sequence[RulePart]) -> str:
    """The first part of the rule that does not hold, by its first false comparison."""
    failed = next(part for part in parts if part.node.verdict != TRUE and part.name != "needs")
    if failed.name == "in-force":
        return (
            f"{where(fact)}: the date of service is {day_of(fact) or 'not known'}, and the rule holds {in_days(rule)}"
        )
    said = _first_failed_in_words(failed.node)
    return f"{where(fact)}: the rule is for others: {said}" if failed.name == "applies" else f"{where(fact)}: {said}"


def _first_failed_in_words(node: ConditionNode) -> str:
    decisive = _first_failed(node)
    if isinstance(decisive, ConditionLeaf):
        return of_leaf(decisive)
    alike = _of_one_fact(decisive)
    if alike is not None:
        return of_leaf(alike)
    parts = "; ".join(_first_failed_in_words(part) for part in decisive.parts[:2])
    return f"none of {len(decisive.parts)} alternatives holds: {parts}" + ("; …" if len(decisive.parts) > 2 else "")


def _of_one_fact(group: ConditionGroup) -> ConditionLeaf | None:
    """Alternatives that ask one fact for several things, as one comparison."""
    tests = [part for part in group.parts if isinstance(part, ConditionLeaf)]
    if len(tests) < len(group.parts) or len({test.fact for test in tests}) > 1:
        return None
    return tests[0]._replace(asked=" or ".join(test.asked for test in tests), verdict=group.verdict)


def _first_failed(node: ConditionNode) -> ConditionNode:
    """Down through `all` to the first part that is not true."""
    while isinstance(node, ConditionGroup) and node.word == "all":
        node = next(part for part in node.parts if part.verdict != TRUE)
    return node


def of_leaf(leaf: ConditionLeaf) -> str:
    """A comparison that failed, in words."""
    named = f"`{leaf.fact}` ({leaf.about})"
    if leaf.verdict == NOT_JUDGED:
        return f"{named} was not supplied; the rule asks for {leaf.asked}"
    if leaf.value is None:
        return f"{named} {_without_value(leaf)}; the rule asks for {leaf.asked}"
    return f"{named} is {in_words(leaf.value)}; the rule asks for {leaf.asked}"


def _without_value(leaf: ConditionLeaf) -> str:
    return f"is {leaf.state}" if leaf.state else "has no value here"


def leaves_of(node: ConditionNode) -> Iterator[ConditionLeaf]:
    """Every comparison, from left to right."""
    if isinstance(node, ConditionLeaf):
        yield node
    else:
        for part in node.parts:
            yield from leaves_of(part)
