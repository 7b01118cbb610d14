"""Types tests of one name: of its value against what the rule states, or against another fact.

A test of the fact's own field stays one comparison. Everything that reads more becomes a question (see `relations`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from scrubber.rulebook.field import Field, Type
from scrubber.rulebook.names import (
    FOUND,
    NOT_FOUND,
    Resolved,
    TypingContext,
    look_up_named,
    resolve,
    unknown_name,
)
from scrubber.rulebook.operators import (
    DAY_OPERATORS,
    LIST_OPERATORS,
    LISTED,
    MULTIPLES,
    NEVER,
    OPERATORS,
    ORDER_OPERATORS,
    ORDERED,
    SHAPES,
    typed_test,
)
from scrubber.rulebook.relations import (
    Compared,
    Constant,
    LookUp,
    Question,
    RowFound,
    Shaped,
    Shared,
    ValueTested,
    question_key,
)
from scrubber.rulebook.rule import AllOf, AnyOf, Asks, Compare, Condition, Has, InList
from scrubber.rulebook.yaml_file import Position

FACT = "fact"
_PATTERN = re.compile(r"[0-9A-Z#@* .-]{1,30}")


def ask(question: Question, source: Mapping[str, Any]) -> Asks:
    """The condition that a question is answered with yes; `source` is how the rule writes it."""
    return Asks(question_key(question), question, json.dumps(source))


def tests_of(name: str, tests: Mapping[Any, Any], position: Position, context: TypingContext) -> Iterator[Condition]:
    """Each test of a name in a mapping of operators to values."""
    found = resolve(name, context.frame)
    if found is None:
        look_up = look_up_named(name, context.frame)
        if look_up is not None:
            yield _found(name, look_up, tests, position, context)
            return
        context.report(position, unknown_name(name, context.frame))
        return
    if not tests:
        context.report(position, f"says nothing of `{name}`: add one of {', '.join(OPERATORS)}")
    for operator, value in tests.items():
        yield _test(name, found, str(operator), value, (*position, str(operator)), context)


def _found(
    name: str, look_up: tuple[int, LookUp], tests: Mapping[Any, Any], position: Position, context: TypingContext
) -> Condition:
    if set(tests) != {"is"} or tests["is"] not in (FOUND, NOT_FOUND):
        context.report(position, f"`{name}` is a look-up: ask `is: found`, `is: not-found`, or one of its columns")
        return NEVER
    levels, rows = look_up
    return ask(RowFound(rows, tests["is"] == FOUND, levels), {FACT: name, **tests})


def _test(
    name: str, found: Resolved, operator: str, value: object, position: Position, context: TypingContext
) -> Condition:
    source = {FACT: name, operator: value}
    try:
        if isinstance(value, Mapping) and set(value) == {FACT}:
            return ask(_comparison(found, operator, str(value[FACT]), context), source)
        if operator in MULTIPLES:
            return ask(Compared(found.operand, MULTIPLES[operator], _whole(found.field, value)), source)
        if operator in SHAPES:
            return ask(Shaped(found.operand, operator, _patterns(found.field, operator, value)), source)
        condition = typed_test(found.field, operator, value, context.frame.known.limits)
    except ValueError as error:
        context.report(position, str(error))
        return NEVER
    return condition if found.plain else _asked(condition, found, source)


def _asked(condition: Condition, found: Resolved, source: Mapping[str, Any]) -> Condition:
    """A typed test, with each comparison of the name as a question about its operand."""
    match condition:
        case AllOf(parts):
            return AllOf(tuple(_asked(part, found, source) for part in parts))
        case AnyOf(parts):
            return AnyOf(tuple(_asked(part, found, source) for part in parts))
        case Compare() | Has() | InList() if condition.fact.removesuffix("?") == found.field.name:
            return ask(ValueTested(found.operand, condition), source)
        case _:
            return condition


def _whole(field: Field, value: object) -> Constant:
    if field.type not in ORDERED:
        raise ValueError(f"`{field.name}` is no number")
    constant = typed_test(replace(field, type=Type.DECIMAL), "is", value, None)
    if not isinstance(constant, Compare) or not isinstance(constant.value, int) or constant.value <= 0:
        raise ValueError("needs a number above zero")
    return Constant(constant.value, Type.DECIMAL)


def _patterns(field: Field, operator: str, value: object) -> tuple[str, ...]:
    if field.type not in LISTED:
        raise ValueError(f"`{operator}` is for texts and codes")
    texts = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(text, str) and _PATTERN.fullmatch(text) for text in texts):
        raise ValueError(f"`{operator}` needs texts of up to 30 capitals and digits; in `like` also # @ *")
    return tuple(texts)


_OF_TIME = (Type.DAY, Type.TIME, Type.CLOCK)
_KINDS = {Type.NUMBER: "number", Type.DECIMAL: "number", Type.AMOUNT: "amount"}


def _comparison(found: Resolved, operator: str, name: str, context: TypingContext) -> Question:
    other = resolve(name, context.frame)
    if other is None:
        raise ValueError(unknown_name(name, context.frame))
    one, two = found.field, other.field
    if operator in LIST_OPERATORS:
        if one.type not in LISTED or two.type not in LISTED:
            raise ValueError(f"`{operator}` is for codes and words, and compares them with codes and words")
        return Shared(found.operand, operator, other.operand)
    if _KINDS.get(one.type, one.type) != _KINDS.get(two.type, two.type) and not _texts(one, two):
        raise ValueError(f"`{one.name}` and `{two.name}` are not alike: {one.type.value} and {two.type.value}")
    if operator in MULTIPLES and one.type in ORDERED:
        return Compared(found.operand, MULTIPLES[operator], other.operand)
    words = ORDER_OPERATORS if one.type in ORDERED else DAY_OPERATORS if one.type in _OF_TIME else {}
    if operator in ("is", "is-not") or operator in words:
        return Compared(found.operand, words.get(operator, operator), other.operand)
    raise ValueError(f"`{operator}` does not go with `{one.name}` and another fact")


def _texts(one: Field, two: Field) -> bool:
    return {one.type, two.type} <= {Type.TEXT, Type.WORD}
