"""Adds to the facts of a claim and its lines the elements of the catalogue that running rules ask for, no others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from string import Formatter
from typing import Any, NamedTuple

from scrubber.claim.elements import CATALOGUE, Element
from scrubber.claim.model import Absence, Claim, ServiceLine
from scrubber.claim.whole import ask
from scrubber.facts.rule_codes import Test, procedure_test
from scrubber.facts.service_lines import MILLION, cents
from scrubber.remembered import remembered
from scrubber.rulebook.element_fields import UNREADABLE
from scrubber.rulebook.field import UNKNOWN, Field, Type, state_key
from scrubber.rulebook.rule import AllOf, Compare, Has, Rule, conditions_of, leaves
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.vocabulary import OF_ELEMENTS

AskedElements = tuple[tuple[Field, Element], ...]
CODES_KEPT = 16_384
LINE_OF_BUSINESS = "lineOfBusiness"


class AskedOfFact(NamedTuple):
    """What is added to a fact: elements of the catalogue, and fields on request, each with the element behind it."""

    elements: AskedElements
    fields: Mapping[str, str]


NOTHING_ASKED = AskedOfFact((), {})


class AskedFields:
    """What running rules read, or say in a text, beyond the fields that every fact of a kind has.

    What questions of rules read is not in it: `relations` makes that where a question comes to it.
    """

    def __init__(self, rulebook: Rulebook) -> None:
        self._rulebook = rulebook
        self._asked: dict[str, list[tuple[Rule, Test, frozenset[str], Field]]] = {}
        for rule in rulebook.running:
            if rule.scope in OF_ELEMENTS:
                fields = rule.kind.fields
                names = [name for name in _names(rule) if name in fields]
                asked = [fields[name] for name in names if fields[name].element or fields[name].made_from]
                if asked:
                    test, businesses = procedure_test(rule.applies, rulebook), _businesses(rule)
                    self._asked.setdefault(rule.scope, []).extend((rule, test, businesses, field) for field in asked)
        self.of = lru_cache(CODES_KEPT)(self._find) if self._asked else _nothing

    def every(self, kind: str) -> frozenset[str]:
        """The names of all fields that some rule about a kind of fact asks for."""
        return frozenset(field.name for *_, field in self._asked.get(kind, ()))

    def _find(self, kind: str, procedure: str, payer: Payer, day: date) -> AskedOfFact:
        """What rules that the payer may apply ask of a fact of a kind, of a line with a procedure (blank: any).

        `day` is the claim's first date of service.
        """
        found = {
            field.name: field
            for rule, test, businesses, field in self._asked.get(kind, ())
            if (not businesses or payer.line_of_business in businesses)
            and (not procedure or test(procedure))
            and self._rulebook.applied(rule, payer, day) is not False
        }
        if not found:
            return NOTHING_ASKED
        return AskedOfFact(
            tuple((field, CATALOGUE[name]) for name, field in found.items() if field.element),
            {name: field.made_from for name, field in found.items() if field.made_from},
        )


def _businesses(rule: Rule) -> frozenset[str]:
    """The lines of business that a rule is for, also where it is unknown which one a claim is of; empty: any."""
    for part in rule.applies.parts if isinstance(rule.applies, AllOf) else ():
        if isinstance(part, Compare) and part.fact == LINE_OF_BUSINESS and part.op == "is":
            return frozenset((str(part.value), UNKNOWN))
        if isinstance(part, Has) and part.fact == LINE_OF_BUSINESS and part.op in ("any", "all"):
            return frozenset((*part.values, UNKNOWN))
    return frozenset()


def _nothing(kind: str, procedure: str, payer: Payer, day: date) -> AskedOfFact:  # noqa: ARG001  called as `of` is
    return NOTHING_ASKED


@remembered(4)
def asked_fields(rulebook: Rulebook) -> AskedFields:
    """What the rules of a rulebook ask, worked out once."""
    return AskedFields(rulebook)


def _names(rule: Rule) -> Iterator[str]:
    yield from rule_reads(rule)
    for text in (rule.message, rule.fix, rule.not_checked):
        yield from (name for _, name, _, _ in Formatter().parse(text or "") if name)


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
