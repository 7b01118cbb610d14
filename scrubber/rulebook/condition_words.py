"""Puts conditions of rules into words: as data, as a rule file has them in one line, and as what a rule asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from scrubber.rulebook.conditions import DAY_WORDS, IN_WORDS, KEY, by_days, days_in_words, number_in_words
from scrubber.rulebook.rule import AllOf, AnyOf, Compare, Condition, Has, InList
from scrubber.rulebook.vocabulary import DECIMAL_PLACES, Field, Type, state_key

Data = dict[str, Any]

MOST_NAMED = 12  # of a list in a sentence
_DAY_WORDS = {op: word for word, op in DAY_WORDS.items()}
_IN_WORDS = {op: word for word, op in IN_WORDS.items()}


def as_data(tree: Condition, fields: Mapping[str, Field]) -> Data:
    """A condition as a rule file writes it: {all: […]}, {any: […]} or {fact: NAME, OPERATOR: VALUE}."""
    match tree:
        case AllOf(parts):
            return {"all": [as_data(part, fields) for part in parts]}
        case AnyOf(parts):
            return {"any": [as_data(part, fields) for part in parts]}
        case Has(fact, op, values):
            return {"fact": fact, op: values}
        case InList(fact, op, name):
            return {"fact": fact, _IN_WORDS[op]: name}
        case Compare(fact, op, value):
            return _comparison(fact, op, value, fields)


def _comparison(fact: str, op: str, value: str | int | bool, fields: Mapping[str, Field]) -> Data:
    field = fields.get(fact)
    if field is None:  # a state: `tbsValue?` holds why tbsValue has no value
        name = next(name for name in fields if state_key(name) == fact)
        return {"fact": name, op: value}
    word = _DAY_WORDS[op] if field.type is Type.DAY and op in _DAY_WORDS else op
    return {"fact": fact, word: written(value, field.type)}


def written(value: str | int | bool, kind: Type) -> str:
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
    """A condition as its rule file says it, in one line."""
    return _data_in_words(as_data(condition, fields))


def _data_in_words(data: Mapping[str, Any]) -> str:
    if "fact" in data:
        return " and ".join(_tests(data))
    [(word, parts)] = data.items()
    return f"{word} of ({'; '.join(map(_data_in_words, parts))})" if parts else "always"


def _tests(data: Mapping[str, Any]) -> Iterator[str]:
    for operator, value in data.items():
        if operator != "fact":
            yield _test(data["fact"], operator, value)


def _test(fact: str, operator: str, value: object) -> str:
    words = f"[{', '.join(map(str, value))}]" if isinstance(value, list | tuple) else value
    return f"{fact} {operator} {words}"


def as_written(fact: str, operator: str, value: object, condition: Condition, field: Field) -> str:
    """A test with the `value` that its rule file gives; of a limit also what it is on which days."""
    if isinstance(value, Mapping):
        value = f"limit {value[KEY]} ({_limits(condition, field)})"
    return _test(fact, operator, value)


def _limits(condition: Condition, field: Field) -> str:
    """What a limit is on which days: `1 until before 2026-01-01; 2 from 2026-01-01 on`."""
    rows = ((number_in_words(field, row.test.value), days_in_words(row)) for row in by_days(condition))
    return "; ".join(" ".join(filter(None, row)) for row in rows)


_ASKED = {"is": "{}", "is-not": "anything but {}", "over": "more than {}", "at-least": "{} or more",
          "under": "less than {}", "at-most": "{} or less"}  # fmt: skip
_ASKED_OF_DAYS = {"at-least": "{} or a later day", "under": "a day before {}"}
_CODES = {"any": "one of {}", "all": "nothing but {}", "none": "none of {}"}
_LISTS = {"any": "a code of the list {}", "all": "only codes of the list {}", "none": "no code of the list {}"}


def asked_for(test: Compare | Has | InList, field: Field) -> str:
    """What a test asks for; completes "the rule asks for …"."""
    match test:
        case Has(_, op, values):
            return _CODES[op].format(listed(values)) if len(values) > 1 or op != "any" else values[0]
        case InList(_, op, name):
            return _LISTS[op].format(name)
        case Compare(fact, op, value):
            if fact != field.name:
                return str(value)
            words = _ASKED_OF_DAYS if field.type is Type.DAY else _ASKED
            return words.get(op, _ASKED[op]).format(written(value, field.type))


def listed(items: Iterable[object], joint: str = ", ") -> str:
    """The first MOST_NAMED of some items, and how many more there are."""
    texts = [str(item) for item in items]
    more = f" and {len(texts) - MOST_NAMED} more" if len(texts) > MOST_NAMED else ""
    return joint.join(texts[:MOST_NAMED]) + more
