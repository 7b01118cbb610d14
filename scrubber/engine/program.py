"""Declares the input of the engine: tests of single facts, facts and code lists, and splits tests into alternatives.

durable_rules gets rules without `$or`: one rule per alternative, and a match of any of them is a match of the test.
Where that would make too many rules, an `AnyOf` stays one condition, which the reader of the facts evaluates.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, product
from math import prod
from typing import NamedTuple, Protocol

from scrubber.rulebook.rule import AllOf, AnyOf, Condition, FactValues, leaves


class EngineTest(NamedTuple):
    """One test of a single fact: it matches every fact of `kind` for which `condition` holds. Keys are distinct."""

    key: int
    kind: str
    condition: Condition


class EngineFact(Protocol):
    """A fact as the engine reads it: a kind, and values typed as `vocabulary` says; unset ones are left out."""

    @property
    def kind(self) -> str:
        """A name of `vocabulary.KINDS`."""

    @property
    def values(self) -> FactValues:
        """str, int, bool or tuple[str, ...] by field; a state of field f as str under `f?`."""


class CodeListLookup(Protocol):
    """The dated code lists of a rulebook. The same arguments always give the same result."""

    def contains(self, list_name: str, code: str, day: int) -> bool:
        """Whether the list has the code on a day (proleptic ordinal)."""


class Engine(Protocol):
    """Anything that finds the tests that hold."""

    def match(self, facts: Sequence[EngineFact]) -> list[tuple[int, int]]:
        """(test key, fact index) for every test that holds, sorted by fact index, then key."""


Conjunction = tuple[Condition, ...]

MOST_ALTERNATIVES = 8
MOST_CONDITIONS = 24


def alternatives(condition: Condition) -> list[Conjunction]:
    """The ways in which the condition can hold: at most 8 rows of at most 24 conditions; none when it never holds."""
    return list(dict.fromkeys(_short(tuple(dict.fromkeys(way))) for way in _ways(condition)))


def _ways(condition: Condition) -> list[Conjunction]:
    match condition:
        case AllOf(parts):
            return _combine(parts)
        case AnyOf(parts) if not _reads_one_field(condition):
            ways = [way for part in parts for way in _ways(part)]
            return ways if len(ways) <= MOST_ALTERNATIVES else [(condition,)]
        case _:
            return [(condition,)]


def _combine(parts: tuple[Condition, ...]) -> list[Conjunction]:
    choices = [_ways(part) for part in parts]
    while prod(map(len, choices)) > MOST_ALTERNATIVES:
        widest = max(range(len(parts)), key=lambda index: len(choices[index]))
        choices[widest] = [(parts[widest],)]
    return [tuple(chain.from_iterable(chosen)) for chosen in product(*choices)]


def _reads_one_field(condition: Condition) -> bool:
    # Evaluated once for each value of the field, so cheaper than alternatives.
    return len({leaf.fact for leaf in leaves(condition)}) == 1


def _short(way: Conjunction) -> Conjunction:
    if len(way) <= MOST_CONDITIONS:
        return way
    return (*way[: MOST_CONDITIONS - 1], AllOf(way[MOST_CONDITIONS - 1 :]))
