"""What goes into the engine, between facts and findings: tests of single facts, the facts, and code lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from scrubber.rulebook.rule import Condition, FactValues


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


class CodeLists(Protocol):
    """The dated code lists of a rulebook. The same question always has the same answer."""

    def contains(self, list_name: str, code: str, day: int) -> bool:
        """Whether the list has the code on a day (proleptic ordinal)."""


class Engine(Protocol):
    """Anything that finds the tests that hold."""

    def match(self, facts: Sequence[EngineFact]) -> list[tuple[int, int]]:
        """(test key, fact index) for every test that holds, sorted by fact index, then key."""
