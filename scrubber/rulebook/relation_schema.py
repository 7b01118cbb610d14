"""The parts of the JSON Schema of rule files that describe relations, look-ups and amounts, word by word."""

from __future__ import annotations

from typing import Any

from scrubber.rulebook.amounts import AMOUNT_WORDS, ROUNDED
from scrubber.rulebook.line_items import ITEMS, PLURALS
from scrubber.rulebook.same import SAME, SAME_MODIFIERS
from scrubber.rulebook.same_and_within import PERIODS, SIDES, UNITS, WEEKDAYS

JsonSchema = dict[str, Any]

_NAME: JsonSchema = {"type": "string", "minLength": 1}
_VALUE: JsonSchema = {"type": ["string", "number"]}
_ITEMS: JsonSchema = {
    "oneOf": [{"const": plural, "description": ITEMS[name].about} for plural, name in sorted(PLURALS.items())]
}
_OF: JsonSchema = {"anyOf": [_ITEMS, {"type": "array", "minItems": 1, "items": _ITEMS}]}
_SIDE_WORDS = {
    "before": "before this day, not on it",
    "after": "after this day, not on it",
    "up-to": "up to this day, with it as the last one",
    "from": "from this day on, with it as the first one",
    "either": "before or after this day, or on it",
}
_PERIOD_WORDS = {
    "calendar-year": "in its calendar year",
    "calendar-quarter": "in its calendar quarter",
    "calendar-month": "in its calendar month",
    "week": "in its week, which `begins` on a weekday",
    "season": "in its season, which `begins` and `ends` on days of the year, also over New Year",
}
_UNIT_WORDS = {
    "days": "How many days.",
    "full-months": "How many calendar months: to the same day of that month.",
    "full-years": "How many years: to the same day of that year.",
}


def relation_definitions() -> JsonSchema:
    """Definitions `relation`, `look-ups` and `amounts`, to which the schema of a rule refers."""
    return {
        "same": _same(),
        "within": _within(),
        "look-ups": _look_ups(),
        "amounts": _amounts(),
        "relation": {
            "description": "Which items count, and what they are: facts of the item as in `applies`.",
            "type": "object",
            "properties": {**_group(), "which": _which()},
        },
    }


def _group() -> JsonSchema:
    return {
        "same": {"$ref": "#/$defs/same"},
        "within": {"$ref": "#/$defs/within"},
        "in": {"description": "Of rows: the table.", **_NAME},
        "for": {"description": "Of rows: key columns, each with the name of a fact or {is: VALUE}.", "type": "object"},
        "look-up": {"$ref": "#/$defs/look-ups"},
        "amounts": {"$ref": "#/$defs/amounts"},
    }


def _which() -> JsonSchema:
    return {
        "description": "Which of them count, where the other conditions say what every one of them must be.",
        "type": "object",
    }


def _same() -> JsonSchema:
    names = [{"const": name, "description": same.about} for name, same in SAME.items()]
    of_list = {
        "description": "The modifiers of this list that stand on both are the same.",
        "type": "object",
        "additionalProperties": False,
        "properties": {SAME_MODIFIERS: _NAME},
        "required": [SAME_MODIFIERS],
    }
    return {
        "description": "What is the same of the item and of what the rule is about.",
        "type": "array",
        "minItems": 1,
        "items": {"anyOf": [*names, of_list]},
    }


def _within() -> JsonSchema:
    sides = {side: {"description": f"The name of a day: {_SIDE_WORDS[side]}.", **_NAME} for side in SIDES}
    units = {unit: {"description": f"{_UNIT_WORDS[unit]} A number or a name.", **_VALUE} for unit in UNITS}
    window = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **units,
            **sides,
            **{word: {"description": f"The name of a day: {_PERIOD_WORDS[word]}.", **_NAME} for word in PERIODS},
            "begins": {
                "description": "Of a season the month and day on which it begins, 08-01; of a week the weekday.",
                "anyOf": [{"type": "string", "pattern": "^[0-9]{2}-[0-9]{2}$"}, {"enum": list(WEEKDAYS)}],
            },
            "ends": {
                "description": "The month and day on which a season ends, 03-31; before it begins: of the next year.",
                "type": "string",
                "pattern": "^[0-9]{2}-[0-9]{2}$",
            },
        },
    }
    return {
        "description": "In which days the item lies: one window, or several of which all hold.",
        "anyOf": [window, {"type": "array", "minItems": 1, "items": window}],
    }


def _look_ups() -> JsonSchema:
    look_up = {
        "type": "object",
        "additionalProperties": False,
        "required": ["in"],
        "properties": {
            "in": {"description": "The table.", **_NAME},
            "for": {
                "description": "Key columns, each with the name of a fact or {is: VALUE}; of one the name alone.",
                "type": ["object", "string"],
            },
            "on": {
                "description": "The name of the day on which the row is in force; else the date of service.",
                **_NAME,
            },
            "every": {
                "description": "yes: every row that fits answers, not the most specific alone.",
                "enum": ["yes", True],
            },
        },
    }
    return {
        "description": "Names rows of tables: NAME.COLUMN is a value, `NAME is found` asks for the row.",
        "type": ["object", "null"],
        "additionalProperties": look_up,
    }  # fmt: skip


def _amounts() -> JsonSchema:
    words = {word: {"description": about} for word, about in AMOUNT_WORDS.items()}
    words["count"] |= _OF
    words["count-days"] |= _OF
    words["run-start"] |= _OF
    amount = {
        "type": "object",
        "properties": {
            **words,
            **_group(),
            "of": {"description": "Over which items.", **_OF},
            "to": {"description": "Where a span, or a run, ends: the name of a day or time.", **_NAME},
            "and": {
                "description": "The other span: the names of its first and last day or time.",
                "type": "array",
                "minItems": 2,
                "maxItems": 2,
                "items": _NAME,
            },
            "apart": {"description": "Of a run: the most days from one item to the next; else 1.", **_VALUE},
            "rounded": {"description": "How a quotient is rounded.", "enum": list(ROUNDED)},
            "holidays": {"description": "A table whose first key column is a day: no business days.", **_NAME},
        },
    }
    return {
        "description": "Names numbers, dollars and days that conditions and messages use.",
        "type": ["object", "null"],
        "additionalProperties": {"anyOf": [_VALUE, amount]},
    }
