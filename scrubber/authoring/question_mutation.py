"""Changes what a rule asks beside its fact in one small place at a time: relations, look-ups, amounts, comparisons.

An amount or a look-up that stands in several conditions is changed in all of them, as an author would change it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

from scrubber.rulebook.check import rule_questions
from scrubber.rulebook.condition_words import in_one_line
from scrubber.rulebook.field import Field, Type
from scrubber.rulebook.limits import LIMIT_KEY
from scrubber.rulebook.relations import (
    Arithmetic,
    Compared,
    Constant,
    ExtremeOf,
    Group,
    LookUp,
    Moved,
    Operand,
    Related,
    RowFound,
    Shaped,
    Shared,
    ValueTested,
    Window,
    question_key,
    walk,
)
from scrubber.rulebook.rule import AllOf, AnyOf, Asks, Compare, Condition, Has, InList, Rule, conditions_of

# The changes of a comparison of a field: `mutation` has them.
OfTest = Callable[[Compare | Has | InList, Field], Iterator[tuple[str, Condition]]]
_OTHER_QUANTIFIER = {"some": "no", "no": "some", "every": "some"}
_OTHER_SIDE = {"before": "up-to", "up-to": "before", "after": "from", "from": "after", "either": "up-to"}
_OTHER_OPERATOR = {
    "is": "is-not", "is-not": "is", "over": "at-least", "at-least": "over", "under": "at-most", "at-most": "under",
    "multiple": "no-multiple", "no-multiple": "multiple", "any": "none", "none": "any", "all": "none",
    "begins-with": "begins-with-none-of", "begins-with-none-of": "begins-with", "like": "unlike", "unlike": "like",
}  # fmt: skip
_OTHER_WORD = {
    "plus": "minus", "minus": "plus", "times": "plus", "divided-by": "times", "smallest-of": "largest-of",
    "largest-of": "smallest-of", "smallest": "largest", "largest": "smallest",
}  # fmt: skip
_OTHER_ROUNDING = {"down": ("up",), "up": ("down",), "half-up": ("down", "up")}
_LESS_BEFORE_ITEMS = {"earlier-line": "other-line", "later-line": "other-line", "line-up-to-this": "line"}


def question_mutants(
    rule: Rule, fields_of: Callable[[Group], Any], of_test: OfTest
) -> Iterator[tuple[object, str, Rule]]:
    """Every small change of what a rule asks: the part that is changed, the change in words, and the changed rule.

    `fields_of` gives the fields of the items of a group.
    """
    seen: list[object] = [part for tests in _of_limits(rule) for part in tests]
    for tests in _of_limits(rule):
        yield from _of_all_rows(rule, tests, of_test)
    for part in walk(conditions_of(rule)):
        if not is_dataclass(part) or isinstance(part, Compare | Has | InList | AllOf | AnyOf | Asks) or part in seen:
            continue
        seen.append(part)
        for words, changed in _changes(part, fields_of, of_test):
            yield part, words, with_part(rule, part, changed)


def _of_limits(rule: Rule) -> list[list[ValueTested]]:
    """The comparisons of amounts with each limit that the rule names: one for each row of the limit."""
    found: dict[str, list[ValueTested]] = {}
    for asked in rule_questions(rule):
        if isinstance(asked.question, ValueTested) and names_limit(asked):
            tests = found.setdefault(asked.source, [])
            if asked.question not in tests:
                tests.append(asked.question)
    return list(found.values())


def names_limit(asked: Asks) -> bool:
    """Whether a comparison is with a limit of a table, which has several rows."""
    return any(isinstance(value, dict) and LIMIT_KEY in value for value in json.loads(asked.source).values())


def _of_all_rows(rule: Rule, tests: list[ValueTested], of_test: OfTest) -> Iterator[tuple[object, str, Rule]]:
    """Each comparison changed in the same way: the operator is one, and cases need not know each row."""
    changes = [list(of_test(each.test, _field(each.test, each.operand))) for each in tests]
    for alike in zip(*changes, strict=True):
        changed = rule
        for tested, (_, test) in zip(tests, alike, strict=True):
            changed = with_part(changed, tested, replace(tested, test=test))
        yield tests[0], alike[0][0], changed


def with_part(rule: Rule, part: object, changed: object) -> Rule:
    """The rule with a part of its questions in other words, wherever it stands."""
    return replace(
        rule,
        applies=_substituted(rule.applies, part, changed),
        when=_substituted(rule.when, part, changed),
        bypassed=_substituted(rule.bypassed, part, changed),
        names=_substituted(rule.names, part, changed),
    )


def _substituted(tree: Any, part: object, changed: object) -> Any:
    if type(tree) is type(part) and tree == part:
        return changed
    if isinstance(tree, tuple):
        below = tuple([_substituted(each, part, changed) for each in tree])
        return tree if below == tree else below
    if isinstance(tree, Asks):
        question = _substituted(tree.question, part, changed)
        return tree if question == tree.question else Asks(question_key(question), question, tree.source)
    if is_dataclass(tree) and not isinstance(tree, type):
        values = {each.name: getattr(tree, each.name) for each in fields(tree)}
        new = {name: _substituted(value, part, changed) for name, value in values.items()}
        return tree if new == values else replace(tree, **new)
    return tree


def _changes(part: object, fields_of: Callable[[Group], Any], of_test: OfTest) -> Iterator[tuple[str, object]]:
    match part:
        case Related():
            yield from _of_relation(part, fields_of, of_test)
        case Group():
            yield from _of_group(part, fields_of, of_test)
        case LookUp():
            yield from _of_look_up(part)
        case Compared(_, op, _) | Shared(_, op, _) | Shaped(_, op, _):
            yield f"{_OTHER_OPERATOR[op]}, not {op}", replace(part, op=_OTHER_OPERATOR[op])
        case ValueTested(operand, test):
            yield from ((words, replace(part, test=new)) for words, new in of_test(test, _field(test, operand))
                        if isinstance(new, Compare | Has | InList))  # fmt: skip
        case RowFound(look_up, found):
            asked, other = ("found", "not-found") if found else ("not-found", "found")
            yield f"{other}, not {asked}: a row of {look_up.table}", replace(part, found=not found)
        case ExtremeOf() | Arithmetic() | Moved():
            yield from _of_amount(part)


def _field(test: Compare | Has | InList, operand: Operand) -> Field:
    while not hasattr(operand, "type"):
        operand = operand.operand  # what encloses it has the value
    return Field(test.fact, operand.type, "")


def _of_relation(relation: Related, fields_of: Callable[[Group], Any], of_test: OfTest) -> Iterator[tuple[str, object]]:
    """Another quantifier; of `every`, also other conditions that each must fulfil."""
    item = relation.group.items[0]
    word, other = relation.quantifier, _OTHER_QUANTIFIER[relation.quantifier]
    group = relation.group
    if word == "every":
        group = replace(group, where=(*group.where, *relation.when))
    yield f"{other}-{item}, not {word}-{item}", Related(other, group)
    for index, condition in enumerate(relation.when):
        for words, changed in _of_condition(condition, fields_of(relation.group), of_test):
            when = (*relation.when[:index], *((changed,) if changed else ()), *relation.when[index + 1 :])
            if when:
                yield f"every-{item}: {words}", replace(relation, when=when)


def _of_group(group: Group, fields_of: Callable[[Group], Any], of_test: OfTest) -> Iterator[tuple[str, object]]:
    named = group.items[0]
    for name in group.same:
        kept = tuple(each for each in group.same if each != name)
        yield f"{named} without: same {name}", replace(group, same=kept)
    for name in group.same_modifiers:
        kept = tuple(each for each in group.same_modifiers if each != name)
        yield f"{named} without: same modifiers of {name}", replace(group, same_modifiers=kept)
    for index, window in enumerate(group.within):
        for words, changed in _of_window(window):
            within = (*group.within[:index], *((changed,) if changed else ()), *group.within[index + 1 :])
            yield f"{named} {words}", replace(group, within=within)
    for index, condition in enumerate(group.where):
        for words, new in _of_condition(condition, fields_of(group), of_test):
            where = (*group.where[:index], *((new,) if new else ()), *group.where[index + 1 :])
            yield f"{named} {words}", replace(group, where=where)
    for column, _ in group.keys:
        yield f"rows of {group.table} whatever their {column}", replace(group, keys=_without(group.keys, column))
    for item in group.items if len(group.items) > 1 else ():
        yield f"without {item}", replace(group, items=tuple(each for each in group.items if each != item))
    if len(group.items) == 1 and named in _LESS_BEFORE_ITEMS:
        other = _LESS_BEFORE_ITEMS[named]
        yield f"{other}, not {named}", replace(group, items=(other,))


def _of_window(window: Window) -> Iterator[tuple[str, Window | None]]:
    yield f"without: within {window.unit}", None
    if window.length is not None:
        side = _OTHER_SIDE[window.side]
        yield f"{side}, not {window.side}", replace(window, side=side)
        for words, length in _next_to(window.length):
            yield f"within {words} {window.unit}", replace(window, length=length)


def _next_to(length: Operand) -> Iterator[tuple[str, Operand]]:
    """One more and one less of a length that the rule states."""
    if isinstance(length, Constant) and isinstance(length.value, int) and length.type is Type.NUMBER:
        for step in (1, -1):
            yield str(length.value + step), replace(length, value=length.value + step)


def _of_condition(condition: Condition, known: Any, of_test: OfTest) -> Iterator[tuple[str, Condition | None]]:
    """A condition of an item left out, or changed as one of the rule's own fact is; None: left out."""
    if isinstance(condition, Compare | Has | InList):
        field = known.get(condition.fact.removesuffix("?"))
        yield f"without: {in_one_line(condition, known)}", None
        if field is not None:
            yield from of_test(condition, field)
    elif isinstance(condition, AllOf | AnyOf):
        for index, part in enumerate(condition.parts):
            for words, changed in _of_condition(part, known, of_test):
                parts = (*condition.parts[:index], *((changed,) if changed else ()), *condition.parts[index + 1 :])
                if parts:
                    yield words, type(condition)(parts)
    else:
        yield f"without: {in_one_line(condition, known)}", None


def _of_look_up(look_up: LookUp) -> Iterator[tuple[str, object]]:
    for column, _ in look_up.keys:
        if len(look_up.keys) > 1:
            yield f"{look_up.table} whatever the {column}", replace(look_up, keys=_without(look_up.keys, column))
    if look_up.on is not None:
        yield f"{look_up.table} on the day of the fact", replace(look_up, on=None)


def _without(keys: Iterable[tuple[str, Operand]], column: str) -> tuple[tuple[str, Operand], ...]:
    return tuple(key for key in keys if key[0] != column)


def _of_amount(amount: ExtremeOf | Arithmetic | Moved) -> Iterator[tuple[str, object]]:
    if isinstance(amount, Moved):
        yield from ((f"{words} {amount.unit}", replace(amount, length=new)) for words, new in _next_to(amount.length))
        return
    word, other = amount.word, _OTHER_WORD[amount.word]
    if isinstance(amount, ExtremeOf):
        yield f"{other}, not {word}", replace(amount, word=other)
        return
    if other != "minus" or len(amount.operands) == 2:
        rounded = None if word == "divided-by" else amount.rounded
        yield f"{other}, not {word}", replace(amount, word=other, rounded=rounded)
    for rounding in _OTHER_ROUNDING.get(amount.rounded or "", ()):
        yield f"rounded {rounding}, not {amount.rounded}", replace(amount, rounded=rounding)
