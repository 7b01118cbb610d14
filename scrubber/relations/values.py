"""The values that operands have, with what is not known of them, and how they compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import Enum

from scrubber.engine.plain import COMPARISONS
from scrubber.rulebook.field import Type
from scrubber.rulebook.rule import NO, NOT_KNOWN, YES


class NoValue(Enum):
    """Why there is no value: the claim does not have it, nobody knows it, or no row of a table speaks of it."""

    ABSENT = "absent"
    UNKNOWN = "unknown"
    NO_ROW = "no-row"


@dataclass(frozen=True, slots=True)
class Bounds:
    """A number of which only the bounds are known; None: it has no bound on that side."""

    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True, slots=True)
class SomeCodes:
    """Codes beside which there are others that nobody knows: a row of a table has an empty cell."""

    codes: tuple[str, ...]


# Arithmetic is exact: no number of a claim or rule has as many digits. What is larger or smaller is not known.
EXACT = Context(prec=400)
LARGEST, SMALLEST = Decimal(10) ** 20, Decimal(10) ** -100

_KNOWN_NUMBERS = frozenset((Decimal, int))  # which True, an int for Python, is not

Value = Decimal | int | str | bool | tuple[str, ...] | Bounds | SomeCodes | NoValue


def value_of(raw: object, kind: Type) -> Value:
    """A value as a fact holds it, in dollars and whole units where it is a number."""
    if type(raw) is int:
        places = kind.places
        return raw if places is None else Decimal(raw).scaleb(-places) if places else Decimal(raw)
    return raw if isinstance(raw, bool | int | str | tuple) else NoValue.ABSENT


def bounds(value: Value) -> Bounds | None:
    """A number, or a day, as bounds; None for anything else."""
    if isinstance(value, Bounds):
        return value
    if isinstance(value, Decimal):
        return Bounds(value, value)
    if type(value) is int:
        return Bounds(Decimal(value), Decimal(value))
    return None


def is_known(value: Value) -> bool:
    """Whether it is one value, and known."""
    return not isinstance(value, NoValue | Bounds | SomeCodes)


def is_divisor(value: Decimal) -> bool:
    """Whether a number can be divided by."""
    return abs(value) > SMALLEST


def exact(value: Bounds) -> Value:
    """The number itself where both bounds are the same."""
    return value.low if value.low is not None and value.low == value.high else value


def compare(left: Value, op: str, right: Value) -> str:
    """Whether a comparison holds: yes, no or unknown. What is not there, or in no row, fails every comparison."""
    if type(left) in _KNOWN_NUMBERS and type(right) in _KNOWN_NUMBERS and op in COMPARISONS:
        return YES if COMPARISONS[op](left, right) else NO
    if isinstance(left, NoValue) or isinstance(right, NoValue):
        return without_value(left, right)
    one, two = bounds(left), bounds(right)
    if one is not None and two is not None:
        return _COMPARED[op](one, two)
    if op == "is":
        return YES if left == right else NO
    return YES if op == "is-not" and left != right else NO


def without_value(left: Value, right: Value) -> str:
    """The answer of a comparison of which one side has no value: what is not there fails, whatever the other one is."""
    states = [each for each in (left, right) if isinstance(each, NoValue)]
    if NoValue.NO_ROW in states or NoValue.ABSENT in states:
        return NO
    return NOT_KNOWN


def _over(left: Bounds, right: Bounds) -> str:
    if left.low is not None and right.high is not None and left.low > right.high:
        return YES
    if left.high is not None and right.low is not None and left.high <= right.low:
        return NO
    return NOT_KNOWN


def _is(left: Bounds, right: Bounds) -> str:
    if _over(left, right) == YES or _over(right, left) == YES:
        return NO
    if left.low is not None and left.low == left.high == right.low == right.high:
        return YES
    return NOT_KNOWN


def _not(answer: str) -> str:
    return {YES: NO, NO: YES}.get(answer, NOT_KNOWN)


def _multiple(left: Bounds, right: Bounds) -> str:
    one, two = exact(left), exact(right)
    if not isinstance(one, Decimal) or not isinstance(two, Decimal):
        return NOT_KNOWN
    if not is_divisor(two) or abs(one) > LARGEST:
        return NOT_KNOWN
    return YES if EXACT.remainder(one, two) == 0 else NO


_COMPARED: Mapping[str, Callable[[Bounds, Bounds], str]] = {
    "over": _over,
    "at-least": lambda left, right: _not(_over(right, left)),
    "under": lambda left, right: _over(right, left),
    "at-most": lambda left, right: _not(_over(left, right)),
    "is": _is,
    "is-not": lambda left, right: _not(_is(left, right)),
    "multiple": _multiple,
    "no-multiple": lambda left, right: _not(_multiple(left, right)),
}


def both(*answers: str) -> str:
    """All of them: no where one is no, else unknown where one is unknown."""
    if NO in answers:
        return NO
    return NOT_KNOWN if NOT_KNOWN in answers else YES


def either(*answers: str) -> str:
    """At least one of them: yes where one is yes, else unknown where one is unknown."""
    if YES in answers:
        return YES
    return NOT_KNOWN if NOT_KNOWN in answers else NO
