"""Tells which rules ask for each element of the catalogue, for `scrubber elements`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scrubber.claim.elements import CATALOGUE
from scrubber.facts.asked import rule_reads
from scrubber.rulebook.rule import Compare, Has, Rule, conditions_of, leaves
from scrubber.rulebook.rulebook import Rulebook

_SCOPE = _FACT = "element"


def rules_by_element(rulebook: Rulebook) -> Mapping[str, tuple[str, ...]]:
    """By element the ids of the running rules that read it as a fact, or name it in a check of elements.

    Rules that hold every element against what the transaction allows name none of them.
    """
    found: dict[str, list[str]] = {}
    for rule in rulebook.running:
        for name in dict.fromkeys(_elements(rule, rulebook)):
            found.setdefault(name, []).append(rule.id)
    return {name: tuple(rules) for name, rules in found.items()}


def _elements(rule: Rule, rulebook: Rulebook) -> Iterator[str]:
    fields = rule.kind.fields
    yield from (name for name in rule_reads(rule) if name in CATALOGUE and name in fields)
    for condition in conditions_of(rule) if rule.scope == _SCOPE else ():
        for leaf in leaves(condition):
            if leaf.fact != _FACT:
                continue
            if isinstance(leaf, Compare):
                yield from [str(leaf.value)] if leaf.op == "is" else []
            elif leaf.op != "none":
                named = leaf.values if isinstance(leaf, Has) else ()
                yield from (
                    name
                    for name in CATALOGUE
                    if name in named or (not isinstance(leaf, Has) and rulebook.lists.may_contain(leaf.list, name))
                )
