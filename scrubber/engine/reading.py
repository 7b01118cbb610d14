"""Facts to messages: reads of a fact what the rules of its kind ask, and writes their conditions in the same terms."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from scrubber.engine.alternatives import Conjunction
from scrubber.engine.code_field import CodeField, CodeRow, Message
from scrubber.engine.plain import Predicate, predicate
from scrubber.engine.program import CodeLists
from scrubber.engine.properties import KIND, property_names
from scrubber.rulebook.rule import Compare, Condition, FactValues, Has, InList, leaves
from scrubber.vocabulary import KINDS, Type, state_key

OPERATORS = {"is": "", "is-not": "$neq", "over": "$gt", "at-least": "$gte", "under": "$lt", "at-most": "$lte"}
PRESENT = "$ex"


class Term(NamedTuple):
    """One condition of a rule: a property, an operator ("" is equality) and a constant."""

    name: str
    operator: str
    constant: int


class Reader:
    """Reads facts of one kind for a set of conjunctions, and spells these in the terms of what it reads."""

    def __init__(self, kind: str, number: int, conjunctions: Iterable[Conjunction], lists: CodeLists) -> None:
        self._kind_term = Term(KIND, "", number)
        self._lists = lists
        self._texts = _texts(kind)
        self._names = property_names()
        self._codes: dict[str, CodeField] = {}
        self._numbers: dict[str, str] = {}
        self._constants: dict[str, list[int]] = {}
        self._flags: dict[str, str] = {}
        self._wholes: list[tuple[Predicate, str]] = []
        self._spelled: dict[Condition, tuple[Term, ...]] = {}
        self._ranks: dict[Condition, tuple[int, int]] = {}
        self._read(Counter(part for conjunction in conjunctions for part in conjunction))
        undated = {field: codes for field, codes in self._codes.items() if not codes.dated}
        self._undated = (*undated, *self._flags)
        self._flagged = tuple(self._flags)
        self._row = CodeRow(tuple(undated.values()), tuple(self._flags.values()))
        self._dated = [(field, codes) for field, codes in self._codes.items() if codes.dated]

    @property
    def width(self) -> int:
        """How many properties a message may have."""
        codes = sum(field.width for field in self._codes.values())
        return 2 + codes + len(self._numbers) + len(self._flags) + len(self._wholes)

    def spell(self, conjunction: Conjunction) -> tuple[Term, ...]:
        """The conjunction as terms: the kind, numbered codes (most sets first), flags (most used first), numbers."""
        parts = sorted(conjunction, key=lambda part: (self._ranks[part], self._spelled[part]))
        return (self._kind_term, *(term for part in parts for term in self._spelled[part]))

    def message(self, values: FactValues) -> Message:
        """What to send of a fact, without an id: small whole numbers, no value of a claim. Raises Unsendable."""
        get = values.get
        message: Message = {KIND: self._kind_term.constant, **self._undated_values(values)}
        if self._dated:
            self._add_dated_codes(values, message)
        for field, name in self._numbers.items():
            value = get(field)
            if type(value) is int:
                message[name] = self._place(field, value)
        for holds, name in self._wholes:
            if holds(values):
                message[name] = 1
        return message

    def _place(self, field: str, value: int) -> int:
        """Where a number lies among the constants that rules hold the field against: odd on one, even between two.

        Comparisons of places are as those of the numbers, and facts of many days and amounts make one message.
        """
        constants = self._constants[field]
        return bisect_left(constants, value) + bisect_right(constants, value)

    def _undated_values(self, values: FactValues) -> Message:
        get = values.get
        key = (*map(get, self._undated), *map(type, map(get, self._flagged)))
        try:
            return self._row[key]
        except TypeError:  # a value that is none of a fact, and cannot be remembered
            return self._row.read(key)

    def _add_dated_codes(self, values: FactValues, message: Message) -> None:
        day = values.get("day")
        if type(day) is not int:
            day = None
        for field, codes in self._dated:
            value = values.get(field)
            if type(value) is str or type(value) is tuple:
                message |= codes[value, day]

    def _read(self, uses: Counter[Condition]) -> None:
        sets = {part: wanted for part in uses if (wanted := self._set(part)) is not None}
        self._read_sets(sets)
        self._read_constants(uses)
        for part, count in uses.items():
            if part not in sets:
                term = self._term(part)
                self._spelled[part] = (term,)
                self._ranks[part] = (1 if term.operator in ("", PRESENT) else 2, -count)

    def _read_constants(self, parts: Iterable[Condition]) -> None:
        for part in parts:
            if isinstance(part, Compare) and type(part.value) is int:
                constants = self._constants.setdefault(part.fact, [])
                if part.value not in constants:
                    insort(constants, part.value)

    def _read_sets(self, sets: dict[Condition, tuple[str, frozenset[str]]]) -> None:
        places = {wanted: self._field(wanted[0]).number(wanted[1]) for wanted in _in_order(sets.values())}
        for codes in self._codes.values():
            codes.name_digits(self._names)
        for part, wanted in sets.items():
            codes, place = self._codes[wanted[0]], places[wanted]
            self._spelled[part] = tuple(Term(name, "", digit) for name, digit in codes.spell(*place).items())
            self._ranks[part] = (0, -codes.size(place[0]))

    def _set(self, part: Condition) -> tuple[str, frozenset[str]] | None:
        """Field and codes, where the part asks a field of one text for one of some codes."""
        if isinstance(part, Compare) and part.op == "is" and isinstance(part.value, str):
            return part.fact, frozenset((part.value,))
        if isinstance(part, Has) and part.op in ("any", "all") and part.fact in self._texts:
            return part.fact, frozenset(part.values)
        return None

    def _field(self, name: str) -> CodeField:
        if name not in self._codes:
            self._codes[name] = CodeField(name, one_text=name in self._texts)
        return self._codes[name]

    def _term(self, part: Condition) -> Term:
        if isinstance(part, Compare) and type(part.value) is bool and part.op in ("is", "is-not"):
            wanted = part.value if part.op == "is" else not part.value
            return Term(self._name(self._flags, part.fact), "", int(wanted))
        if isinstance(part, Compare) and type(part.value) is int:
            return Term(self._name(self._numbers, part.fact), OPERATORS[part.op], self._place(part.fact, part.value))
        return Term(self._judged(part), PRESENT, 1)

    def _name(self, names: dict[str, str], field: str) -> str:
        if field not in names:
            names[field] = next(self._names)
        return names[field]

    def _judged(self, part: Condition) -> str:
        """The name of a flag that says that the part holds."""
        name, holds = next(self._names), predicate(part, self._lists)
        read = {leaf.fact for leaf in leaves(part)}
        # A part that holds of no value at all must not wait for one.
        if len(read) == 1 and all(_reads_codes(leaf) for leaf in leaves(part)) and not holds({}):
            field = self._field(read.pop())
            field.flag(holds, name)
            field.dated = field.dated or any(isinstance(leaf, InList) for leaf in leaves(part))
        else:
            self._wholes.append((holds, name))
        return name


def _in_order(sets: Iterable[tuple[str, frozenset[str]]]) -> list[tuple[str, frozenset[str]]]:
    """Each set once, small ones first: those overlap least, so that few numberings are needed."""
    return sorted(set(sets), key=lambda wanted: (wanted[0], len(wanted[1]), sorted(wanted[1])))


def _texts(kind: str) -> set[str]:
    """Fields of a kind that hold one text, states included."""
    fields = KINDS[kind].fields.values() if kind in KINDS else ()
    texts = {field.name for field in fields if field.type in (Type.TEXT, Type.WORD)}
    return texts | {state_key(field.name) for field in fields if field.states}


def _reads_codes(leaf: Compare | Has | InList) -> bool:
    return not isinstance(leaf, Compare) or isinstance(leaf.value, str)
