"""Beside the path: which rules name a procedure code, and which documentation they ask for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from scrubber.rulebook.book import CodeLists, Rulebook
from scrubber.rulebook.rule import Compare, Condition, Has, InList, Rule, leaves
from scrubber.tables import in_force

CODE_FIELDS = frozenset(("procedure", "first", "second"))
NAMING = frozenset(("any", "all", "is"))  # operators by which a condition holds for the code that it names
DOCUMENT = "document"


def rules_naming(rulebook: Rulebook, code: str, day: date) -> tuple[Rule, ...]:
    """The rules in force on a day, of any status, whose `applies` names the code itself or a list that has it, by id.

    Rules for every code are not among them.
    """
    return tuple(
        rule
        for rule in rulebook.rules.values()
        if in_force(rule, day) and _names(rule.applies, code, day, rulebook.lists)
    )


def needed_documentation(rules: Iterable[Rule]) -> dict[str, tuple[str, ...]]:
    """The elements of a report that active rules about documents need, each with their ids."""
    needed: dict[str, tuple[str, ...]] = {}
    for rule in rules:
        if rule.scope == DOCUMENT and rule.status == "active":
            for element in rule.needs:
                needed[element] = (*needed.get(element, ()), rule.id)
    return dict(sorted(needed.items()))


def _names(condition: Condition, code: str, day: date, lists: CodeLists) -> bool:
    return any(
        leaf.fact in CODE_FIELDS and leaf.op in NAMING and _holds(leaf, code, day, lists) for leaf in leaves(condition)
    )


def _holds(leaf: Compare | Has | InList, code: str, day: date, lists: CodeLists) -> bool:
    match leaf:
        case InList():
            return lists.contains(leaf.list, code, day.toordinal())
        case Has():
            return code in leaf.values
    return leaf.value == code
