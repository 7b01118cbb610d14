"""Defines a field of a fact: what rules may ask of it, and of which type its values are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from scrubber.claim.model import Absence

UNKNOWN = "unknown"  # the state of a fact that every claim has, where no table knows which
_CAPITAL, _HYPHEN = re.compile(r"(?<=[a-zA-Z])[A-Z]"), re.compile(r"-([a-z])")
DECIMAL_PLACES = 6  # numbers with a fraction travel to the engine as whole millionths


class Type(Enum):
    """The type of a field: how a rule file writes its value, and how a fact holds it."""

    WORD = "word"  # one of a closed list
    TEXT = "text"  # any text, compared for equality only
    NUMBER = "number"  # whole number: int
    DECIMAL = "decimal"  # number with a fraction: int, millionths
    AMOUNT = "amount"  # dollars: int, cents
    DAY = "day"  # date: int, proleptic ordinal (date.toordinal)
    TIME = "time"  # day and clock time: int, minutes since day 0 (ordinal x 1,440 + minutes of the day)
    CLOCK = "clock time"  # time of a day: int, minutes since midnight
    FLAG = "flag"  # yes or no: bool
    CODES = "codes"  # several codes: tuple[str, ...]

    # Of numbers, how many decimal places the whole number in a fact stands for; None of what is no number.
    places: int | None

    def __init__(self, word: str) -> None:
        self.places = {"number": 0, "decimal": DECIMAL_PLACES, "amount": 2}.get(word)


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a rule may read.

    `states` name why a value is not there or cannot be read (`absent`, `not-a-number`); a field
    with the state `not-supplied` may be listed under a rule's `needs`. The state of field f is held under `f?` in a
    fact, its value under `f`; exactly one of the two is there, or neither when the field does not apply. `tables` are
    the reference tables (names of `reference.tables.TABLES`) whose rows it is made from: on a day that one of them
    does not reach, a rule that reads the field cannot be judged. `element`: it is an element of the catalogue, which a
    fact has only where a running rule asks for it. `made_from`: the element that it is made from, of a field that facts
    have, too, only where a running rule asks. `private`: its value may be about a person, and no process keeps it.
    """

    name: str
    type: Type
    about: str
    words: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    element: bool = False
    private: bool = False
    made_from: str = ""

    @property
    def may_be_missing(self) -> bool:
        """Whether a rule may list it under `needs`."""
        return Absence.NOT_SUPPLIED.value in self.states

    @property
    def may_be_unknown(self) -> bool:
        """Whether a rule may ask whether it is known."""
        return UNKNOWN in self.states


def with_hyphens(name: str) -> str:
    """A name of two words as elements have it: `rendering-provider` of `renderingProvider`."""
    return _CAPITAL.sub(lambda found: f"-{found[0].lower()}", name)


def field_named(fields: Mapping[str, Field], name: str) -> Field | None:
    """The field of a name that is written as the fields have it, or in the other way of writing two words."""
    found = fields.get(name) or fields.get(with_hyphens(name))
    return found or fields.get(_HYPHEN.sub(lambda hyphen: hyphen[1].upper(), name))


def state_key(field: str) -> str:
    """The key under which a fact holds the state of `field`."""
    return field + "?"
