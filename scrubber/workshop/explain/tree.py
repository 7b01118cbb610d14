"""Beside the path: the conditions of a rule on one fact, every part judged, whatever the other parts say.

The verdict of a comparison is the plain engine's own predicate. Beyond true and false there is "not judged": false
because nothing was supplied. A group is true exactly where the engine finds it true.
"""

from __future__ import annotations

from datetime import date
from typing import assert_never

from scrubber.claim import Absence
from scrubber.engine.plain import predicate
from scrubber.engine.program import CodeLists
from scrubber.facts.fact import Fact
from scrubber.findings.wording import shown
from scrubber.rulebook.limits import by_days, days_in_words, holds_on
from scrubber.rulebook.rule import AllOf, AnyOf, Compare, Condition, Has, InList, Rule, window
from scrubber.vocabulary import KINDS, Field, Type, state_key
from scrubber.workshop.explain.explanation import FALSE, NOT_JUDGED, TRUE, Group, Leaf, Node, Part
from scrubber.workshop.explain.words import in_words, listed

NOT_SUPPLIED = Absence.NOT_SUPPLIED.value

_OPERATORS = {"is": "{}", "is-not": "anything but {}", "over": "more than {}", "at-least": "{} or more",
              "under": "less than {}", "at-most": "{} or less"}  # fmt: skip
_DAY_OPERATORS = {"at-least": "{} or a later day", "under": "a day before {}"}
_CODES = {"any": "one of {}", "all": "nothing but {}", "none": "none of {}"}
_LISTS = {"any": "a code of the list {}", "all": "only codes of the list {}", "none": "no code of the list {}"}


def parts_of(rule: Rule, fact: Fact, lists: CodeLists) -> tuple[Part, ...]:
    """The rule's days, `applies`, `needs` and `when` on a fact; parts that the rule does not have are left out."""
    parts = [Part("in-force", _judged(AllOf(window(rule)), fact, lists))] if window(rule) else []
    if rule.applies != AllOf(()):
        parts.append(Part("applies", _judged(rule.applies, fact, lists)))
    if rule.needs:
        parts.append(Part("needs", _all([_need(need, fact) for need in rule.needs])))
    return (*parts, Part("when", _judged(rule.when, fact, lists)))


def asked_for(leaf: Compare | Has | InList, field: Field) -> str:
    """What a comparison asks for; completes "the rule asks for …"."""
    match leaf:
        case Has(_, op, values):
            return _CODES[op].format(listed(values)) if len(values) > 1 or op != "any" else values[0]
        case InList(_, op, name):
            return _LISTS[op].format(name)
        case Compare(fact, op, value):
            if fact != field.name:
                return str(value)
            words = _DAY_OPERATORS if field.type is Type.DAY else _OPERATORS
            return words.get(op, _OPERATORS[op]).format(in_words(shown(field, value)))


def field_of(leaf: Compare | Has | InList, kind: str) -> Field:
    """The field that a comparison reads, by its value or by its state."""
    fields = KINDS[kind].fields
    return fields[leaf.fact] if leaf.fact in fields else fields[leaf.fact.removesuffix(state_key(""))]


def _judged(condition: Condition, fact: Fact, lists: CodeLists) -> Node:
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


def _by_limit(condition: AnyOf, fact: Fact, lists: CodeLists) -> Leaf | None:
    """A limit's rows by the one that is in force on the fact's day: it alone decides. None where there is not one."""
    holding = [row for row in by_days(condition) if holds_on(row, fact.values.get("day"))]
    if len(holding) != 1:
        return None
    leaf = _leaf(holding[0].test, fact, lists)
    days = days_in_words(holding[0])
    return leaf._replace(asked=f"{leaf.asked}, the limit {days}") if days else leaf


def _leaf(leaf: Compare | Has | InList, fact: Fact, lists: CodeLists) -> Leaf:
    field = field_of(leaf, fact.kind)
    value, state = _said(field, fact)
    otherwise = NOT_JUDGED if state == NOT_SUPPLIED else FALSE
    verdict = TRUE if predicate(leaf, lists)(fact.values) else otherwise
    return Leaf(field.name, field.about, value, state, asked_for(leaf, field), verdict)


def _need(name: str, fact: Fact) -> Leaf:
    field = KINDS[fact.kind].fields[name]
    value, state = _said(field, fact)
    return Leaf(name, field.about, value, state, "to be supplied", NOT_JUDGED if state == NOT_SUPPLIED else TRUE)


def _said(field: Field, fact: Fact) -> tuple[str | int | bool | tuple[str, ...] | None, str | None]:
    """The fact's value and its state, of which at most one is there."""
    value = fact.values.get(field.name)
    return None if value is None else shown(field, value), fact.values.get(state_key(field.name))


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
