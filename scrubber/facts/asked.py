"""Adds to the facts of a claim and its lines the elements of the catalogue that running rules ask for, no others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from string import Formatter
from typing import Any

from scrubber.claim.elements import CATALOGUE, Element
from scrubber.claim.model import Absence, Claim, ServiceLine
from scrubber.claim.whole import ask
from scrubber.facts.service_lines import MILLION, cents
from scrubber.remembered import remembered
from scrubber.rulebook.element_fields import UNREADABLE
from scrubber.rulebook.field import Field, Type, state_key
from scrubber.rulebook.relations import Group, OfClaim, Own, walk
from scrubber.rulebook.rule import Compare, Has, InList, Rule, asks, conditions_of, leaves
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.same import SAME
from scrubber.rulebook.vocabulary import KINDS, OF_ELEMENTS

AskedElements = tuple[tuple[Field, Element], ...]
NO_ELEMENTS: AskedElements = ()


@remembered(4)
def asked_elements(rulebook: Rulebook) -> Mapping[str, AskedElements]:
    """By kind of fact, the fields that running rules read, or say in a text, with their elements."""
    found: dict[str, dict[str, Field]] = {}
    for rule in rulebook.running:
        for kind, name in (*((rule.scope, name) for name in _names(rule)), *_asked_beside(rule)):
            field = KINDS[kind].fields.get(name) if kind in OF_ELEMENTS else None
            if field is not None and field.element:
                found.setdefault(kind, {})[name] = field
    return {kind: tuple((field, CATALOGUE[name]) for name, field in fields.items()) for kind, fields in found.items()}


@remembered(4)
def asked_fields(rulebook: Rulebook) -> Mapping[str, Mapping[str, str]]:
    """By kind of fact, the fields made on request that running rules may read, with the element each is made from."""
    found: dict[str, dict[str, str]] = {}
    for rule in rulebook.running:
        for kind, name in (*((rule.scope, name) for name in _names(rule)), *_asked_beside(rule)):
            field = KINDS[kind].fields.get(name)
            if field is not None and field.made_from:
                found.setdefault(kind, {})[name] = field.made_from
    return found


def _names(rule: Rule) -> Iterator[str]:
    yield from rule_reads(rule)
    for text in (rule.message, rule.fix, rule.not_checked):
        yield from (name for _, name, _, _ in Formatter().parse(text or "") if name)


def _asked_beside(rule: Rule) -> Iterator[tuple[str, str]]:
    """Kinds and names that the questions of a rule read, and those that its texts name: possibly more than they do."""
    questions = tuple(question for condition in conditions_of(rule) for question in asks(condition))
    for part in walk((questions, rule.names)):
        if isinstance(part, OfClaim):
            yield "claim", part.name
        elif isinstance(part, Own):
            yield from ((kind, part.name) for kind in OF_ELEMENTS)
        elif isinstance(part, Group):
            names = {name for same in part.same for held in SAME[same].fields for name in held}
            yield from ((kind, name) for kind in OF_ELEMENTS for name in sorted(names))
        elif isinstance(part, Compare | Has | InList):
            yield from ((kind, part.fact.removesuffix("?")) for kind in OF_ELEMENTS)


def rule_reads(rule: Rule) -> tuple[str, ...]:
    """The fields that the conditions of a rule read, each once."""
    names = [leaf.fact.removesuffix("?") for condition in conditions_of(rule) for leaf in leaves(condition)]
    return tuple(dict.fromkeys(names))


def add_elements(values: dict[str, Any], asked: AskedElements, claim: Claim, line: ServiceLine | None = None) -> None:
    """Adds each asked element to the values of a fact, or why it has none."""
    for field, element in asked:
        found = ask(claim, element, line)
        if found.unreadable:
            values[state_key(field.name)] = UNREADABLE
        elif not found.values:
            values[state_key(field.name)] = Absence.ABSENT.value
        else:
            values[field.name] = typed_value(field.type, found.values)


def typed_value(kind: Type, values: tuple[Any, ...]) -> Any:
    """The values of an element as a fact of a type holds them: the first, save for sums and lists."""
    if kind is Type.AMOUNT:
        return cents(sum(values, Decimal(0)))
    if kind is Type.CODES:
        return tuple(_text(value) for value in values)
    first = values[0]
    if kind is Type.DAY:
        return first.toordinal()
    return int(first * MILLION) if kind is Type.DECIMAL else first


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return value.isoformat()
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
