"""What could not be judged because a line lacks a scalar that every check of it starts from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from scrubber.facts.lines import TOGETHER, LineView
from scrubber.findings.finding import UNREADABLE, NotChecked
from scrubber.findings.switches import Switches
from scrubber.rulebook.book import CodeLists, Rulebook
from scrubber.rulebook.rule import AllOf, Compare, Condition, Has, InList, Rule, leaves
from scrubber.rulebook.tables import Payer
from scrubber.vocabulary import ELEMENTS

LINE_SCOPES = frozenset(("line", "pair", "code-day", "repeat", "visit", "document", "abn", "coverage"))
JOINED = frozenset(("pair", "code-day", "repeat", "visit"))
UNREAD = ("modifiers", *sorted(TOGETHER))
READ_FROM_MODIFIERS = frozenset(("modifiers", "setApart", "bypass", "modifierSupport"))
READ_FROM_PLACE = frozenset(("place", "setting", "facilityNotApplicable"))
READ_FROM_UNITS = frozenset(("units", "unitsOverMue"))
READ_FROM_POINTERS = frozenset(("diagnoses", "diagnosisTest"))


def unjudged(
    views: Sequence[LineView], payer: Payer, day: date, rulebook: Rulebook, switches: Switches
) -> Iterator[NotChecked]:
    """One entry for each line that lacks something and each active rule that might have spoken of it."""
    for view in views:
        line = view.line
        present = view.first and line.procedure and line.units is not None and view.diagnoses and view.place
        if present and not view.unread:
            continue  # nothing is missing: the way of nearly every line
        missing = _missing(view)
        for rule in rulebook.running:
            if switches.standing(rule) != "active":
                continue
            lacks = tuple(element for element in missing if _needs(rule, element))
            if lacks and rulebook.adopted(rule.pack, payer, day) and may_apply(rule, view, rulebook.lists):
                yield NotChecked(rule, (view.number,), lacks, _message(view, rule, lacks), UNREADABLE)


def _missing(view: LineView) -> tuple[str, ...]:
    line = view.line
    present = {
        "service-date": view.first is not None,
        "procedure": line.procedure is not None,
        "units": line.units is not None,
        "diagnosis-pointers": bool(view.diagnoses),
        "line-place": view.place is not None,
        **{element: element not in view.unread for element in UNREAD},
    }
    return tuple(element for element, there in present.items() if not there)


def _needs(rule: Rule, element: str) -> bool:
    if rule.scope not in LINE_SCOPES:
        return False
    read = {leaf.fact for leaf in leaves(rule.when)}
    if element in TOGETHER:
        return rule.scope in JOINED
    if element == "units":
        return rule.scope == "code-day" or not READ_FROM_UNITS.isdisjoint(read)
    if element == "modifiers":
        return not READ_FROM_MODIFIERS.isdisjoint(read | {leaf.fact for leaf in leaves(rule.applies)})
    if element == "line-place":
        return not READ_FROM_PLACE.isdisjoint(read | {leaf.fact for leaf in leaves(rule.applies)})
    return element != "diagnosis-pointers" or not READ_FROM_POINTERS.isdisjoint(read)


def _message(view: LineView, rule: Rule, lacks: tuple[str, ...]) -> str:
    labels = " and ".join(ELEMENTS[element].label for element in lacks)
    return f"Line {view.number}: “{rule.title}” was not checked, because the {labels} cannot be read."


def may_apply(rule: Rule, view: LineView, lists: CodeLists) -> bool:
    """False only when what is known of the line rules it out."""
    if rule.scope != "pair" or view.line.procedure is None:
        return possible(rule.applies, view.values, lists)
    sides = ({**view.values, side: view.line.procedure} for side in ("first", "second"))
    return any(possible(rule.applies, side, lists) for side in sides)


def possible(condition: Condition, values: Mapping[str, Any], lists: CodeLists) -> bool:
    """False only when the values that are known rule the condition out."""
    if isinstance(condition, AllOf):
        return all(possible(part, values, lists) for part in condition.parts)
    if isinstance(condition, Has | InList | Compare) and condition.fact in values:
        return _leaf_possible(condition, values[condition.fact], lists)
    return True


def _leaf_possible(leaf: Has | InList | Compare, value: Any, lists: CodeLists) -> bool:
    if isinstance(leaf, Compare):
        return leaf.op != "is" or bool(value == leaf.value)
    codes = value if isinstance(value, tuple) else (value,)
    inside = [code in leaf.values if isinstance(leaf, Has) else lists.may_contain(leaf.list, code) for code in codes]
    return any(inside) if leaf.op == "any" else True
