"""Calculates with numbers of which only the bounds may be known: sums, products, quotients, smallest and largest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from scrubber.relations.values import EXACT, LARGEST, Bounds, NoValue, Value, exact, is_divisor
from scrubber.rulebook.field import Type
from scrubber.rulebook.relations import Arithmetic


def calculated(operand: Arithmetic, numbers: list[Bounds]) -> Value:
    """What arithmetic gives of these numbers."""
    word = operand.word
    if word == "plus":
        return exact(Bounds(total([n.low for n in numbers]), total([n.high for n in numbers])))
    if word == "minus":
        one, two = numbers
        return exact(Bounds(total([one.low, _negative(two.high)]), total([one.high, _negative(two.low)])))
    if word == "times":
        return _multiplied(numbers)
    if word == "divided-by":
        return _divided(numbers[0], numbers[1], operand)
    lows, highs = [number.low for number in numbers], [number.high for number in numbers]
    if word == "smallest-of":
        return exact(Bounds(least(lows), min([high for high in highs if high is not None], default=None)))
    return exact(Bounds(max([low for low in lows if low is not None], default=None), most(highs)))


def _multiplied(numbers: list[Bounds]) -> Value:
    """A product; of numbers of which only the bounds are known where none is negative."""
    whole = all(number.low is not None and number.low == number.high for number in numbers)
    if not whole and not all(number.low is not None and number.low >= 0 for number in numbers):
        return NoValue.UNKNOWN
    return exact(Bounds(_product([n.low for n in numbers]), _product([n.high for n in numbers])))


def _product(values: Iterable[Decimal | None]) -> Decimal | None:
    product = Decimal(1)
    for value in values:
        if value is None:
            return None
        product = EXACT.multiply(product, value)
        if abs(product) > LARGEST:
            return None
    return product


def least(values: Sequence[Decimal | None]) -> Decimal | None:
    """The smallest of some numbers; None where one of them is not known."""
    known = [value for value in values if value is not None]
    return min(known) if len(known) == len(values) else None


def most(values: Sequence[Decimal | None]) -> Decimal | None:
    """The largest of some numbers; None where one of them is not known."""
    known = [value for value in values if value is not None]
    return max(known) if len(known) == len(values) else None


def total(values: Iterable[Decimal | None]) -> Decimal | None:
    """The sum of some numbers; None where one of them is not known."""
    total = Decimal(0)
    for value in values:
        if value is None:
            return None
        total = EXACT.add(total, value)
    return total


def _negative(value: Decimal | None) -> Decimal | None:
    return None if value is None else -value


def _divided(number: Bounds, by: Bounds, operand: Arithmetic) -> Value:
    """A quotient in whole numbers, of dollars in whole cents; not known where the divisor is 0 or not known."""
    two = by.low
    if two is None or two != by.high or not is_divisor(two):
        return NoValue.UNKNOWN
    low, high = (number.low, number.high) if two > 0 else (number.high, number.low)
    return exact(
        Bounds(
            None if low is None else _quotient(low, two, operand),
            None if high is None else _quotient(high, two, operand),
        )
    )


def _quotient(one: Decimal, two: Decimal, operand: Arithmetic) -> Decimal:
    """Rounded as stated; exact at every step."""
    scale = 2 if operand.type is Type.AMOUNT else 0
    sign = 1 if (one < 0) == (two < 0) else -1
    quotient, rest = EXACT.divmod(abs(one).scaleb(scale, EXACT), abs(two))
    away = rest > 0 and (operand.rounded == "up") == (sign > 0)
    up = rest * 2 >= abs(two) if operand.rounded == "half-up" else away
    return (sign * (quotient + (1 if up else 0))).scaleb(-scale)
