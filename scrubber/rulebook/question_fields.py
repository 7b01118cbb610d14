"""Stands fields in for what the questions of a rule read, so that lint can prove that some never hold together.

`wasted over 5` and `wasted under 3` are two tests of one field, if the amount `wasted` is taken for a field; so are
`some` and `no` of the same relation. What differs in any way gets a field of its own: nothing is proved too much.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from scrubber.claim.model import Absence
from scrubber.rulebook.field import UNKNOWN, Field, Type, state_key
from scrubber.rulebook.relations import (
    Column,
    Compared,
    CountOf,
    HowMany,
    LookUp,
    Operand,
    Outer,
    Question,
    Related,
    RowFound,
    ValueTested,
)
from scrubber.rulebook.rule import AllOf, AnyOf, Asks, Compare, Condition, Has, InList
from scrubber.rulebook.vocabulary import FactKind

_LESS, _EQUAL, _MORE = "less", "equal", "more"
ORDERS = {  # how the left value may stand to the right one, where a comparison holds
    "is": (_EQUAL,),
    "is-not": (_LESS, _MORE),
    "over": (_MORE,),
    "at-least": (_EQUAL, _MORE),
    "under": (_LESS,),
    "at-most": (_LESS, _EQUAL),
}
_STATES = (*(each.value for each in Absence), UNKNOWN, "unreadable")


def is_count(operand: Operand) -> bool:
    """Whether an operand counts something, so that it is never below zero."""
    while isinstance(operand, Outer):
        operand = operand.operand
    return isinstance(operand, CountOf | HowMany)


def _type_of(operand: Operand) -> Type:
    return _type_of(operand.operand) if isinstance(operand, Outer) else operand.type


class QuestionFields:
    """The fields that stand in for the operands and relations of some conditions about facts of one kind."""

    def __init__(self, kind: FactKind) -> None:
        self._kind = kind
        self._fields: dict[str, Field] = {}

    @property
    def kind(self) -> FactKind:
        """The kind with the fields of all conditions that were replaced."""
        return replace(self._kind, fields={**self._kind.fields, **self._fields})

    def replaced(self, condition: Condition) -> Condition:
        """The condition with its questions as tests of fields; those of which nothing can be proved stay."""
        match condition:
            case AllOf(parts):
                return AllOf(tuple(map(self.replaced, parts)))
            case AnyOf(parts):
                return AnyOf(tuple(map(self.replaced, parts)))
            case Asks(_, question):
                found = self._test_of(question)
                return condition if found is None else found
            case _:
                return condition

    def _test_of(self, question: Question) -> Condition | None:
        match question:
            case ValueTested(operand, test):
                return self._tested(operand, test)
            case Compared(left, op, right) if op in ORDERS:
                words = (_EQUAL,) if left == right else (_LESS, _EQUAL, _MORE)
                name = self._field(f"{left!r} beside {right!r}", Type.WORD, words)
                return self._where_found((left, right), Has(name, "any", ORDERS[op]))
            case RowFound(look_up, found, levels):
                return self._found(look_up, found, levels)
            case Related(quantifier, group, when):
                name = self._field(f"{quantifier == 'every'} {group!r} {when!r}", Type.FLAG)
                return Compare(name, "is", quantifier != "no")
        return None

    def _tested(self, operand: Operand, test: Compare | Has | InList) -> Condition | None:
        if isinstance(operand, Outer) and isinstance(test, InList):
            return None  # the list is that of another day
        name = self._field(repr(operand), _type_of(operand))
        if test.fact.endswith("?"):
            return replace(test, fact=state_key(name))
        least = (Compare(name, "at-least", 0),) if is_count(operand) else ()
        return self._where_found((operand,), AllOf((*least, replace(test, fact=name))))

    def _where_found(self, operands: Iterable[Operand], test: Condition) -> Condition:
        """The test, which holds only where the look-ups that its operands read have found a row."""
        found: list[Condition] = []
        for operand in operands:
            levels = 0
            while isinstance(operand, Outer):
                levels, operand = levels + operand.levels, operand.operand
            if isinstance(operand, Column) and not operand.look_up.every:
                found.append(self._found(operand.look_up, True, levels))
        return AllOf((*found, test)) if found else test

    def _found(self, look_up: LookUp, found: bool, levels: int) -> Condition:
        return Compare(self._field(f"{levels} {look_up!r}", Type.FLAG), "is", found)

    def _field(self, key: str, kind: Type, words: tuple[str, ...] = ()) -> str:
        name = f"={key}"
        self._fields[name] = Field(name, kind, "", words=words, states=_STATES)
        return name
