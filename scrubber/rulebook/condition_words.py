"""Puts conditions of rules into words for authors and users: as data, in one line, and as an expected value."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from scrubber.rulebook.field import DECIMAL_PLACES, Field, Type
from scrubber.rulebook.limits import LIMIT_KEY, format_days, limit_alternatives
from scrubber.rulebook.operators import DAY_OPERATORS, IN_LIST_OPERATORS, format_number
from scrubber.rulebook.rule import AllOf, AnyOf, Asks, Compare, Condition, Has, InList

Data = dict[str, Any]

MOST_LISTED = 12  # of a list in a sentence
_DAY_OPERATORS = {op: word for word, op in DAY_OPERATORS.items()}
_IN_LIST_OPERATORS = {op: word for word, op in IN_LIST_OPERATORS.items()}


def as_data(tree: Condition, fields: Mapping[str, Field]) -> Data:
    """A condition as a rule file writes it: {all: […]}, {any: […]} or {fact: NAME, OPERATOR: VALUE}."""
    match tree:
        case Asks(_, _, source):
            return dict(json.loads(source))
        case AllOf(parts):
            return {"all": [as_data(part, fields) for part in parts]}
        case AnyOf(parts):
            return {"any": [as_data(part, fields) for part in parts]}
        case Has(fact, op, values):
            return {"fact": fact, op: values}
        case InList(fact, op, name):
            return {"fact": fact, _IN_LIST_OPERATORS[op]: name}
        case Compare(fact, op, value):
            return _comparison(fact, op, value, fields)


def _comparison(fact: str, op: str, value: str | int | bool, fields: Mapping[str, Field]) -> Data:
    if fact.endswith("?"):  # a state: `tbsValue?` holds why tbsValue has no value
        return {"fact": fact[:-1], op: value}
    field = fields.get(fact)
    if field is None:  # of a family that did not load: its type is not known
        return {"fact": fact, op: format_constant(value, Type.TEXT)}
    word = _DAY_OPERATORS[op] if field.type is Type.DAY and op in _DAY_OPERATORS else op
    return {"fact": fact, word: format_constant(value, field.type)}


def format_constant(value: str | int | bool, kind: Type) -> str:
    """A constant as the rule file writes it, out of cents, millionths and day ordinals."""
    match value:
        case bool():
            return "yes" if value else "no"
        case str():
            return value
    match kind:
        case Type.DAY:
            return date.fromordinal(value).isoformat()
        case Type.AMOUNT:
            return f"{Decimal(value).scaleb(-2):.2f}"
        case Type.DECIMAL:
            return f"{Decimal(value).scaleb(-DECIMAL_PLACES).normalize():f}"
    return str(value)


def in_one_line(condition: Condition, fields: Mapping[str, Field]) -> str:
    """A condition in one line, in the words of its rule file."""
    return _one_line(as_data(condition, fields))


def _one_line(data: Mapping[str, Any]) -> str:
    if "fact" in data:
        return " and ".join(_tests(data))
    [(word, parts)] = data.items()
    if isinstance(parts, Mapping):
        return f"{word}: {in_words(parts)}"
    return f"{word} of ({'; '.join(map(_one_line, parts))})" if parts else "always"


@lru_cache(maxsize=4096)
def compared_names(asked: Asks) -> tuple[str, ...]:
    """The names that a comparison holds against each other, as its rule file writes them; none of a relation."""
    data = json.loads(asked.source)
    if "fact" not in data:
        return ()
    others = [value["fact"] for value in data.values() if isinstance(value, Mapping) and "fact" in value]
    return (data["fact"], *others)


def in_words(raw: object) -> str:
    """What a rule file writes, in one line."""
    if isinstance(raw, Mapping):
        return ", ".join(f"{key} {in_words(value)}" for key, value in raw.items())
    if isinstance(raw, list):
        return f"[{', '.join(map(in_words, raw))}]"
    return str(raw)


def _tests(data: Mapping[str, Any]) -> Iterator[str]:
    for operator, value in data.items():
        if operator != "fact":
            yield _test(data["fact"], operator, value)


def _test(fact: str, operator: str, value: object) -> str:
    words = f"[{', '.join(map(str, value))}]" if isinstance(value, list | tuple) else in_words(value)
    return f"{fact} {operator} {words}"


def format_test(fact: str, operator: str, value: object, condition: Condition, field: Field) -> str:
    """A test with the `value` that its rule file gives; of a limit also what it is on which days."""
    if isinstance(value, Mapping):
        value = f"limit {value[LIMIT_KEY]} ({_limits(condition, field)})"
    return _test(fact, operator, value)


def _limits(condition: Condition, field: Field) -> str:
    """What a limit is on which days: `1 until before 2026-01-01; 2 from 2026-01-01 on`."""
    rows = ((format_number(field, row.test.value), format_days(row)) for row in limit_alternatives(condition))
    return "; ".join(" ".join(filter(None, row)) for row in rows)


_EXPECTED = {"is": "{}", "is-not": "anything but {}", "over": "more than {}", "at-least": "{} or more",
          "under": "less than {}", "at-most": "{} or less"}  # fmt: skip
_EXPECTED_DAYS = {"at-least": "{} or a later day", "under": "a day before {}"}
_CODES = {"any": "one of {}", "all": "nothing but {}", "none": "none of {}"}
_LISTS = {"any": "a code of the list {}", "all": "only codes of the list {}", "none": "no code of the list {}"}


def expected(test: Compare | Has | InList, field: Field) -> str:
    """What a test expects of the field; completes the sentence "the rule asks for …"."""
    match test:
        case Has(_, op, values):
            return _CODES[op].format(join_first(values)) if len(values) > 1 or op != "any" else values[0]
        case InList(_, op, name):
            return _LISTS[op].format(name)
        case Compare(fact, op, value):
            if fact != field.name:
                return str(value)
            words = _EXPECTED_DAYS if field.type is Type.DAY else _EXPECTED
            return words.get(op, _EXPECTED[op]).format(format_constant(value, field.type))


def join_first(items: Iterable[object], joint: str = ", ") -> str:
    """The first MOST_LISTED of some items, and how many more there are."""
    texts = [str(item) for item in items]
    more = f" and {len(texts) - MOST_LISTED} more" if len(texts) > MOST_LISTED else ""
    return joint.join(texts[:MOST_LISTED]) + more
