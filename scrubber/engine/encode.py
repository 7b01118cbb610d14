"""Encodes facts as messages of small whole numbers for durable_rules, and conditions in the same terms.

No text of a claim reaches durable_rules: it compares raw JSON text, cuts lengths to 16 bits and coerces types, while
whole numbers and presence were right in over a hundred million comparisons.

The sets of codes that rules test a text field for are numbered. Sets that share no code share one numbering, which is
one property, so `procedure any [77089, 77092]` is one equality. Numbers over 15 go as digits to base 16: the engine
compares a property with every sibling condition, so 3,000 codes cost 3 x 16 comparisons and not 3,000.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, product
from string import ascii_lowercase
from typing import Any, NamedTuple

from scrubber.engine.plain import Predicate, predicate
from scrubber.engine.program import CodeListLookup, Conjunction
from scrubber.rulebook.field import Type, state_key
from scrubber.rulebook.rule import Compare, Condition, FactValues, Has, InList, leaves
from scrubber.rulebook.vocabulary import KINDS

ID, KIND, END = "id", "k", "end"
DOCUMENT, STATE = "document", state_key("")
_TAKEN = (ID, KIND, END, "sid")


def property_names() -> Iterator[str]:
    """Short names without end, distinct for durable_rules, which knows a property by a hash of its name only."""
    hashes = {_fnv1a(name) for name in _TAKEN}
    for length in count(1):
        for letters in product(ascii_lowercase, repeat=length):
            name = "".join(letters)
            if (value := _fnv1a(name)) not in hashes:
                hashes.add(value)
                yield name


def _fnv1a(name: str) -> int:
    """32-bit FNV-1a."""
    value = 0x811C9DC5
    for byte in name.encode("ascii"):
        value = (value ^ byte) * 16777619 % 2**32
    return value


Message = dict[str, int]

BASE = 16
CACHED_VALUES = 16_384
LONGEST_CACHED = 64


class Unsendable(Exception):
    """A fact holds a value that durable_rules cannot be sent; the plain engine has to judge it."""


class _Numbering:
    """Numbers for sets of codes no two of which share a code, and the names of their digits."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.size = 0
        self.digits: tuple[str, ...] = ()

    def add(self, codes: frozenset[str]) -> int:
        self.numbers.update(dict.fromkeys(codes, self.size))
        self.size += 1
        return self.size - 1

    def name_digits(self, names: Iterator[str]) -> None:
        count = 1
        while BASE**count < self.size:
            count += 1
        self.digits = tuple(next(names) for _ in range(count))

    def spell(self, number: int) -> Message:
        """Digits by name, most significant first."""
        positions = reversed(range(len(self.digits)))
        return {name: number // BASE**position % BASE for name, position in zip(self.digits, positions, strict=True)}


class CodeField(dict[object, Message]):
    """The message for each value of one field; for a dated field, for each (value, day).

    A dict that fills itself, as it is read on the hot path; bounded in entries and in the size of its keys.
    """

    def __init__(self, name: str, *, one_text: bool) -> None:
        super().__init__()
        self.name = name
        self.dated = False
        self._one_text = one_text
        self._numberings: list[_Numbering] = []
        self._flags: list[tuple[Predicate, str]] = []

    def number(self, codes: frozenset[str]) -> tuple[int, int]:
        """Numbers a set: the index of its numbering, and its number in it."""
        for index, numbering in enumerate(self._numberings):
            if numbering.numbers.keys().isdisjoint(codes):
                return index, numbering.add(codes)
        self._numberings.append(numbering := _Numbering())
        return len(self._numberings) - 1, numbering.add(codes)

    def name_digits(self, names: Iterator[str]) -> None:
        """Names the digits; called once every set has its number."""
        for numbering in self._numberings:
            numbering.name_digits(names)

    def size(self, index: int) -> int:
        """How many sets a numbering has."""
        return self._numberings[index].size

    def spell(self, index: int, number: int) -> Message:
        """The members of a message that represent a set."""
        return self._numberings[index].spell(number)

    def flag(self, holds: Predicate, name: str) -> None:
        """Send 1 under a name for values that the predicate holds for."""
        self._flags.append((holds, name))

    @property
    def width(self) -> int:
        """How many properties the field may fill."""
        return sum(len(numbering.digits) for numbering in self._numberings) + len(self._flags)

    def __missing__(self, key: object) -> Message:
        message = self.message(*key) if self.dated else self.message(key, None)  # type: ignore[misc]
        _cache(self, key, message, LONGEST_CACHED)
        return message

    def message(self, value: object, day: object) -> Message:
        """The message for a value, on a day where that matters; not kept."""
        message: Message = {}
        if isinstance(value, str):
            for numbering in self._numberings:
                if (number := numbering.numbers.get(value)) is not None:
                    message.update(numbering.spell(number))
        elif self._one_text:
            raise Unsendable
        values = {"day": day, self.name: value}
        message.update({name: 1 for holds, name in self._flags if holds(values)})
        return message


class CodeRow(dict[tuple[object, ...], Message]):
    """The message for the values of several fields together: most facts of a kind agree in most of them.

    A key has the values of the fields of codes, which must not be dated, those of the fields of true and false, and the
    types of these: for Python 1 and True are one key. Fills itself, as CodeField does, and is bounded like it.
    """

    def __init__(self, fields: Sequence[CodeField], flags: Sequence[str]) -> None:
        """`flags`: the names under which true is sent as 1 and false as 0."""
        super().__init__()
        self._fields = tuple(fields)
        self._flags = tuple(flags)

    def __missing__(self, key: tuple[object, ...]) -> Message:
        message = self.read(key)
        _cache(self, key, message, LONGEST_CACHED * len(key))
        return message

    def read(self, key: tuple[object, ...]) -> Message:
        """The message for a key; a value of another type than its field's counts as unset."""
        message: Message = {}
        for codes, value in zip(self._fields, key, strict=False):
            if type(value) is str or type(value) is tuple:
                message |= codes[value]
        for name, value in zip(self._flags, key[len(self._fields) :], strict=False):
            if type(value) is bool:
                message[name] = int(value)
        return message


def _cache(cache: dict[Any, Message], key: object, message: Message, longest: int) -> None:
    if len(repr(key)) <= longest:
        if len(cache) >= CACHED_VALUES:
            cache.clear()
        cache[key] = message


OPERATORS = {"is": "", "is-not": "$neq", "over": "$gt", "at-least": "$gte", "under": "$lt", "at-most": "$lte"}
PRESENT = "$ex"


class Term(NamedTuple):
    """One condition of a rule: a property, an operator ("" is equality) and a constant."""

    name: str
    operator: str
    constant: int


class MessageEncoder:
    """Reads facts of one kind for a set of conjunctions, and spells these in the terms of what it reads."""

    def __init__(self, kind: str, number: int, conjunctions: Sequence[Conjunction], lists: CodeListLookup) -> None:
        self._kind_term = Term(KIND, "", number)
        self._lists = lists
        self._texts, self._private_fields = _texts(kind, conjunctions), _private(kind, conjunctions)
        self._names = property_names()
        self._codes: dict[str, CodeField] = {}
        self._numbers: dict[str, str] = {}
        self._constants: dict[str, list[int]] = {}
        self._flags: dict[str, str] = {}
        self._flag_conditions: list[tuple[Predicate, str]] = []
        self._spelled: dict[Condition, tuple[Term, ...]] = {}
        self._ranks: dict[Condition, tuple[int, int]] = {}
        self._read(Counter(condition for conjunction in conjunctions for condition in conjunction))
        private = self._private_fields
        undated = {field: codes for field, codes in self._codes.items() if not codes.dated and field not in private}
        self._undated = (*undated, *self._flags)
        self._flagged = tuple(self._flags)
        self._row = CodeRow(tuple(undated.values()), tuple(self._flags.values()))
        self._dated = [(field, codes) for field, codes in self._codes.items() if codes.dated and field not in private]
        self._private = [(field, codes) for field, codes in self._codes.items() if field in private]

    @property
    def width(self) -> int:
        """How many properties a message may have."""
        codes = sum(field.width for field in self._codes.values())
        return 2 + codes + len(self._numbers) + len(self._flags) + len(self._flag_conditions)

    def spell(self, conjunction: Conjunction) -> tuple[Term, ...]:
        """The conjunction as terms: the kind, numbered codes (most sets first), flags (most used first), numbers."""
        conditions = sorted(conjunction, key=lambda condition: (self._ranks[condition], self._spelled[condition]))
        return (self._kind_term, *(term for condition in conditions for term in self._spelled[condition]))

    def message(self, values: FactValues) -> Message:
        """The message for a fact, without an id: small whole numbers, no value of a claim. Raises Unsendable."""
        get = values.get
        message: Message = {KIND: self._kind_term.constant, **self._undated_values(values)}
        if self._dated:
            self._add_dated_codes(values, message)
        if self._private:
            self._add_private_codes(values, message)
        for field, name in self._numbers.items():
            value = get(field)
            if type(value) is int:
                message[name] = self._rank(field, value)
        for holds, name in self._flag_conditions:
            if holds(values):
                message[name] = 1
        return message

    def _rank(self, field: str, value: int) -> int:
        """The rank of a number among the constants that rules compare the field with: odd on one, even between two.

        Ranks compare as the numbers do, and facts of many days and amounts share one message.
        """
        constants = self._constants[field]
        return bisect_left(constants, value) + bisect_right(constants, value)

    def _undated_values(self, values: FactValues) -> Message:
        get = values.get
        key = (*map(get, self._undated), *map(type, map(get, self._flagged)))
        try:
            return self._row[key]
        except TypeError:  # an unhashable value, which no fact has: it cannot be a key
            return self._row.read(key)

    def _add_dated_codes(self, values: FactValues, message: Message) -> None:
        day = values.get("day")
        if type(day) is not int:
            day = None
        for field, codes in self._dated:
            value = values.get(field)
            if type(value) is str or type(value) is tuple:
                message |= codes[value, day]

    def _add_private_codes(self, values: FactValues, message: Message) -> None:
        """Adds fields whose values no process keeps: their messages are made anew for each fact."""
        day = values.get("day")
        for field, codes in self._private:
            value = values.get(field)
            if type(value) is str or type(value) is tuple:
                message |= codes.message(value, day if codes.dated and type(day) is int else None)

    def _read(self, uses: Counter[Condition]) -> None:
        sets = {condition: wanted for condition in uses if (wanted := self._set(condition)) is not None}
        self._read_sets(sets)
        self._read_constants(uses)
        for condition, times in uses.items():
            if condition not in sets:
                term = self._term(condition)
                self._spelled[condition] = (term,)
                self._ranks[condition] = (1 if term.operator in ("", PRESENT) else 2, -times)

    def _read_constants(self, conditions: Iterable[Condition]) -> None:
        for condition in conditions:
            if isinstance(condition, Compare) and type(condition.value) is int:
                constants = self._constants.setdefault(condition.fact, [])
                if condition.value not in constants:
                    insort(constants, condition.value)

    def _read_sets(self, sets: dict[Condition, tuple[str, frozenset[str]]]) -> None:
        positions = {wanted: self._field(wanted[0]).number(wanted[1]) for wanted in _in_order(sets.values())}
        for codes in self._codes.values():
            codes.name_digits(self._names)
        for condition, wanted in sets.items():
            codes, position = self._codes[wanted[0]], positions[wanted]
            self._spelled[condition] = tuple(Term(name, "", digit) for name, digit in codes.spell(*position).items())
            self._ranks[condition] = (0, -codes.size(position[0]))

    def _set(self, condition: Condition) -> tuple[str, frozenset[str]] | None:
        """Field and codes, where the condition tests a field of one text for one of some codes."""
        if isinstance(condition, Compare) and condition.op == "is" and isinstance(condition.value, str):
            return condition.fact, frozenset((condition.value,))
        if isinstance(condition, Has) and condition.op in ("any", "all") and condition.fact in self._texts:
            return condition.fact, frozenset(condition.values)
        return None

    def _field(self, name: str) -> CodeField:
        if name not in self._codes:
            self._codes[name] = CodeField(name, one_text=name in self._texts)
        return self._codes[name]

    def _term(self, condition: Condition) -> Term:
        if isinstance(condition, Compare) and type(condition.value) is bool and condition.op in ("is", "is-not"):
            wanted = condition.value if condition.op == "is" else not condition.value
            return Term(self._name(self._flags, condition.fact), "", int(wanted))
        if isinstance(condition, Compare) and type(condition.value) is int:
            return Term(
                self._name(self._numbers, condition.fact),
                OPERATORS[condition.op],
                self._rank(condition.fact, condition.value),
            )
        return Term(self._judged(condition), PRESENT, 1)

    def _name(self, names: dict[str, str], field: str) -> str:
        if field not in names:
            names[field] = next(self._names)
        return names[field]

    def _judged(self, condition: Condition) -> str:
        """The name of a flag that is sent where the condition holds."""
        name, holds = next(self._names), predicate(condition, self._lists)
        read = {leaf.fact for leaf in leaves(condition)}
        # A condition that holds without a value must not depend on one.
        if len(read) == 1 and all(_reads_codes(leaf) for leaf in leaves(condition)) and not holds({}):
            field = self._field(read.pop())
            field.flag(holds, name)
            field.dated = field.dated or any(isinstance(leaf, InList) for leaf in leaves(condition))
        else:
            self._flag_conditions.append((holds, name))
        return name


def _in_order(sets: Iterable[tuple[str, frozenset[str]]]) -> list[tuple[str, frozenset[str]]]:
    """Each set once, small ones first: those overlap least, so that few numberings are needed."""
    return sorted(set(sets), key=lambda wanted: (wanted[0], len(wanted[1]), sorted(wanted[1])))


def _texts(kind: str, conjunctions: Iterable[Conjunction]) -> set[str]:
    """Fields of a kind that hold one text, states included."""
    fields = KINDS[kind].fields.values() if kind in KINDS else ()
    texts = {field.name for field in fields if field.type in (Type.TEXT, Type.WORD)}
    texts |= {name for name in _undeclared(kind, conjunctions) if name.endswith(STATE)}
    return texts | {state_key(field.name) for field in fields if field.states}


def _private(kind: str, conjunctions: Iterable[Conjunction]) -> frozenset[str]:
    """Fields of a kind whose values may be about a person: with them whatever a report states."""
    fields = KINDS[kind].fields.values() if kind in KINDS else ()
    stated = {name for name in _undeclared(kind, conjunctions) if not name.endswith(STATE)}
    return frozenset(field.name for field in fields if field.private).union(stated)


def _undeclared(kind: str, conjunctions: Iterable[Conjunction]) -> set[str]:
    """What conditions read that no field of the kind is: the elements that families of documentation declare."""
    if kind != DOCUMENT:
        return set()
    read = {leaf.fact for conjunction in conjunctions for condition in conjunction for leaf in leaves(condition)}
    return {name for name in read if name.removesuffix(STATE) not in KINDS[kind].fields and not name.startswith("=")}


def _reads_codes(leaf: Compare | Has | InList) -> bool:
    return not isinstance(leaf, Compare) or isinstance(leaf.value, str)
