"""Evaluates one test after another on facts in Python: the oracle for the fast engine, and its fallback."""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import assert_never

from scrubber.engine.program import CodeListLookup, EngineFact, EngineTest
from scrubber.rulebook.rule import YES, AllOf, AnyOf, Asks, Compare, Condition, FactValues, Has, InList, answered

Predicate = Callable[[FactValues], bool]
IsMember = Callable[[str], bool]

COMPARISONS: dict[str, Callable[..., bool]] = {
    "is": operator.eq,
    "is-not": operator.ne,
    "over": operator.gt,
    "at-least": operator.ge,
    "under": operator.lt,
    "at-most": operator.le,
}


def _any(codes: tuple[str, ...], is_member: IsMember) -> bool:
    return any(map(is_member, codes))


def _all(codes: tuple[str, ...], is_member: IsMember) -> bool:
    return bool(codes) and all(map(is_member, codes))


def _none(codes: tuple[str, ...], is_member: IsMember) -> bool:
    return not any(map(is_member, codes))


_QUANTIFIERS = {"any": _any, "all": _all, "none": _none}


def predicate(condition: Condition, lists: CodeListLookup) -> Predicate:
    """The condition as a function of a fact's values. KeyError for an operator that does not exist.

    A value of another type than the test's counts as unset. `InList` fails, whatever its operator, for a
    fact without a day.
    """
    match condition:
        case Compare():
            return _compare(condition)
        case Has():
            return _has(condition)
        case InList():
            return _in_list(condition, lists)
        case Asks():
            return predicate(answered(condition, YES), lists)
        case AllOf(parts):
            return _every([predicate(part, lists) for part in parts])
        case AnyOf(parts):
            return _some([predicate(part, lists) for part in parts])
        case _:
            assert_never(condition)


def _every(parts: list[Predicate]) -> Predicate:
    if len(parts) == 1:
        return parts[0]

    def every(values: FactValues) -> bool:
        for holds in parts:  # noqa: SIM110  a loop takes half the time of all() with a generator
            if not holds(values):
                return False
        return True

    return every


def _some(parts: list[Predicate]) -> Predicate:
    def some(values: FactValues) -> bool:
        for holds in parts:  # noqa: SIM110
            if holds(values):
                return True
        return False

    return some


def _compare(test: Compare) -> Predicate:
    # The exact type: in Python True equals 1, and text does not compare with numbers at all.
    field, holds, constant, kind = test.fact, COMPARISONS[test.op], test.value, type(test.value)

    def compare(values: FactValues) -> bool:
        value = values.get(field)
        return type(value) is kind and holds(value, constant)

    return compare


def _has(test: Has) -> Predicate:
    field, quantify, is_member = test.fact, _QUANTIFIERS[test.op], frozenset(test.values).__contains__

    def has(values: FactValues) -> bool:
        codes = _codes(values, field)
        return codes is not None and quantify(codes, is_member)

    return has


def _in_list(test: InList, lists: CodeListLookup) -> Predicate:
    field, quantify, name, contains = test.fact, _QUANTIFIERS[test.op], test.list, lists.contains

    wanted = test.op != "none"

    def in_list(values: FactValues) -> bool:
        value, day = values.get(field), values.get("day")
        if type(day) is not int:
            return False
        if type(value) is str:
            return contains(name, value, day) is wanted
        codes = _codes(values, field)
        if codes is None:
            return False
        return quantify(codes, lambda code: contains(name, code, day))

    return in_list


def _codes(values: FactValues, field: str) -> tuple[str, ...] | None:
    value = values.get(field)
    if type(value) is str:
        return (value,)
    return value if type(value) is tuple else None


class PlainEngine:
    """Evaluates every test of a fact's kind."""

    def __init__(self, tests: Iterable[EngineTest], lists: CodeListLookup) -> None:
        self._tests: dict[str, list[tuple[int, Predicate]]] = defaultdict(list)
        for key, kind, condition in sorted(tests, key=lambda test: test.key):
            self._tests[kind].append((key, predicate(condition, lists)))

    def keys(self, fact: EngineFact) -> Iterator[int]:
        """Keys of the tests that hold for one fact, rising."""
        values = fact.values
        return (key for key, holds in self._tests.get(fact.kind, ()) if holds(values))

    def match(self, facts: Sequence[EngineFact]) -> list[tuple[int, int]]:
        """(test key, fact index) for every test that holds, sorted by fact index, then key."""
        return [(key, index) for index, fact in enumerate(facts) for key in self.keys(fact)]
