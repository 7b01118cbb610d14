"""Types one test of a field: the field, an operator and the value that a rule file writes, in the field's own type."""

from __future__ import annotations

import re
from decimal import Decimal

from scrubber.likeness import known_names, perhaps
from scrubber.rulebook.field import UNKNOWN, Field, Type, state_key
from scrubber.rulebook.limits import MOST_ROWS, Limits, expand_limit, limit_name
from scrubber.rulebook.rule import AnyOf, Compare, Condition, Has, InList
from scrubber.rulebook.rule_tables import LimitRow
from scrubber.rulebook.yaml_file import iso_day

NEVER = AnyOf(())
ORDERED = {Type.NUMBER, Type.DECIMAL, Type.AMOUNT}
LISTED = {Type.TEXT, Type.WORD, Type.CODES}
ORDER_OPERATORS = {"over": "over", "at-least": "at-least", "under": "under", "at-most": "at-most"}
DAY_OPERATORS = {"before": "under", "on-or-after": "at-least", "after": "over", "on-or-before": "at-most"}
MULTIPLES = {"is-multiple-of": "multiple", "is-no-multiple-of": "no-multiple"}
SHAPES = ("begins-with", "begins-with-none-of", "like", "unlike")
LIST_OPERATORS = ("any", "all", "none")
IN_LIST_OPERATORS = {"any-in": "any", "all-in": "all", "none-in": "none"}
UNLESS_KNOWN = "not-known-to-be"  # none of these, or unknown: for facts that may be unknown
OPERATORS = {  # descriptions for authors of rules
    "is": "It is this.",
    "is-not": "It is known, and is something else.",
    "over": "It is more than this.",
    "at-least": "It is this or more.",
    "under": "It is less than this.",
    "at-most": "It is this or less.",
    "before": "It lies before this day.",
    "on-or-after": "It is this day or a later one.",
    "after": "It lies after this day.",
    "on-or-before": "It is this day or an earlier one.",
    "any": "It has one of these.",
    "all": "It has codes, and each is one of these.",
    "none": "It is known, and has none of these.",
    "any-in": "It has a code of this list.",
    "all-in": "It has codes, and each is in this list.",
    "none-in": "It is known, and has no code of this list.",
    UNLESS_KNOWN: "It is none of these, or is unknown.",
    "begins-with": "It, or one of its codes, begins with one of these.",
    "begins-with-none-of": "It is known, and nothing of it begins with one of these.",
    "like": "It looks like one of these: # stands for a digit, @ for a capital letter, * for either.",
    "unlike": "It is known, and looks like none of these.",
    "is-multiple-of": "It is this many times a whole number.",
    "is-no-multiple-of": "It is known, and is no multiple of this.",
}
_HOLDS = {
    Type.WORD: "a word",
    Type.TEXT: "a text",
    Type.NUMBER: "a whole number",
    Type.DECIMAL: "a number",
    Type.AMOUNT: "dollars",
    Type.DAY: "a day",
    Type.TIME: "a time",
    Type.CLOCK: "a clock time",
    Type.FLAG: "yes or no",
    Type.CODES: "a list of codes",
}


def typed_test(field: Field, operator: str, value: object, limits: Limits | None) -> Condition:
    """A test of a field against what a rule states. Raises ValueError for what does not go with the field."""
    if operator in ("is", "is-not"):
        return _equality(field, operator, value)
    if operator == UNLESS_KNOWN:
        return _unless_known(field, value)
    if operator in LIST_OPERATORS or operator in IN_LIST_OPERATORS:
        if field.type not in LISTED:
            raise ValueError(f"`{operator}` is for codes and words; `{field.name}` holds {_HOLDS[field.type]}")
        if operator in IN_LIST_OPERATORS:
            return InList(field.name, IN_LIST_OPERATORS[operator], scalar(value))
        return _listed(field, operator, _values(field, operator, value))
    return _order(field, operator, value, limits)


def _listed(field: Field, operator: str, values: tuple[str, ...]) -> Condition:
    """One of these, or none of them; `unknown` among them is the field's state, which `none` excludes in any case."""
    if operator == "none" or not field.may_be_unknown or UNKNOWN not in values:
        return Has(field.name, operator, values)
    named = tuple(value for value in values if value != UNKNOWN)
    unknown = Compare(state_key(field.name), "is", UNKNOWN)
    return AnyOf((Has(field.name, operator, named), unknown)) if named else unknown


def _unless_known(field: Field, value: object) -> Condition:
    if not field.may_be_unknown:
        raise ValueError(f"`{UNLESS_KNOWN}` is for facts that may be unknown: payer and contractor; say `none`")
    named = Has(field.name, "none", _values(field, UNLESS_KNOWN, value))
    return AnyOf((named, Compare(state_key(field.name), "is", UNKNOWN)))


def _order(field: Field, operator: str, value: object, limits: Limits | None) -> Condition:
    words = DAY_OPERATORS if field.type in (Type.DAY, Type.CLOCK) else ORDER_OPERATORS if field.type in ORDERED else {}
    if operator not in OPERATORS:
        like = perhaps(operator, OPERATORS)
        raise ValueError(f"`{operator}` is no operator{like}; there are: {', '.join(OPERATORS)}")
    if operator not in words:
        raise ValueError(f"`{operator}` does not go with `{field.name}`, which holds {_HOLDS[field.type]}")
    name = limit_name(value) if words is ORDER_OPERATORS else None
    if name is not None:
        return _by_limit(field, operator, name, limits)
    return Compare(field.name, words[operator], constant(field, scalar(value)))


def _by_limit(field: Field, operator: str, name: str, limits: Limits | None) -> Condition:
    if limits is None:
        return NEVER
    if name not in limits:
        raise ValueError(f"there is no limit `{name}` in any table of kind limits{known_names(name, limits)}")
    if len(limits[name]) > MOST_ROWS:
        raise ValueError(
            f"the limit `{name}` has {len(limits[name])} rows; one that a rule names has at most {MOST_ROWS}"
        )

    def test(row: LimitRow) -> Compare:
        try:
            return Compare(field.name, operator, constant(field, f"{row.value.normalize():f}"))
        except ValueError as error:
            raise ValueError(f"the limit `{name}` is {row.value:f}, and {error}") from None

    return expand_limit(limits[name], test)


def _equality(field: Field, operator: str, value: object) -> Condition:
    text = scalar(value)
    if text in field.states:
        if operator == "is-not" and text == UNKNOWN:
            return Compare(field.name, operator, text)  # it has a value, and none is called so
        if operator == "is-not":
            raise ValueError(f"`is-not` does not go with the state `{text}`: name what it must be instead")
        return Compare(state_key(field.name), "is", text)
    if field.type is Type.CODES:
        raise ValueError(f"`{field.name}` is a list: say `any`, `all` or `none`")
    return Compare(field.name, operator, constant(field, text))


def _values(field: Field, operator: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"`{operator}` needs a list of at least one code")
    texts = tuple(scalar(item) for item in value)
    if field.words:
        for text in texts:
            _checked_word(field, text)
    return texts


def scalar(value: object) -> str:
    """A value that must be one text. Raises ValueError."""
    if not isinstance(value, str) or not value:
        raise ValueError("needs one text or number")
    return value


def _checked_word(field: Field, text: str) -> str:
    if text not in field.words:
        words = (*field.words, *field.states)
        like = perhaps(text, words)
        raise ValueError(f"`{field.name}` is never `{text}`{like}; it is one of: {', '.join(words)}")
    return text


def constant(field: Field, text: str) -> str | int | bool:
    """`text` as a value of the field's type: cents, millionths, a day ordinal, … Raises ValueError."""
    if field.type is Type.WORD:
        return _checked_word(field, text) if field.words else text
    if field.type is Type.TEXT:
        return text
    if field.type is Type.FLAG:
        if text not in ("yes", "no"):
            raise ValueError(f"`{field.name}` is `yes` or `no`")
        return text == "yes"
    if field.type is Type.DAY:
        day = iso_day(text)
        if day is None:
            raise ValueError(f"`{field.name}` needs a date such as 2025-03-12")
        return day.toordinal()
    if field.type is Type.CLOCK:
        minutes = clock_time(text)
        if minutes is None:
            raise ValueError(f"`{field.name}` needs a clock time such as 22:00")
        return minutes
    if field.type is Type.TIME:
        raise ValueError(f"`{field.name}` is a time: compare it with another, {{fact: NAME}}")
    return _number(field, text)


def clock_time(text: str) -> int | None:
    """Minutes since midnight of 22:00; None where it is no clock time."""
    found = _CLOCK_TIME.fullmatch(text)
    return int(found[1]) * 60 + int(found[2]) if found else None


_CLOCK_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,12}(?:\.([0-9]+))?", re.ASCII)


def _number(field: Field, text: str) -> int:
    decimals = field.type.places or 0
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ValueError(f"`{field.name}` needs a plain number of at most 12 digits")
    if len(found[1] or "") > decimals:
        raise ValueError(f"`{field.name}` takes at most {decimals} decimals")
    return int(Decimal(text).scaleb(decimals))


def format_number(field: Field, value: str | int) -> str:
    """A typed number as a rule file has it: dollars from cents, 2.5 from millionths."""
    return f"{Decimal(value).scaleb(-(field.type.places or 0)).normalize():f}"
