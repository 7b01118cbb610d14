"""Facts to messages: a field of text or codes as whole numbers and flags, worked out once per value.

No text of a claim reaches durable_rules: it compares raw JSON text, cuts lengths to 16 bits and coerces types, while
whole numbers and presence were right in over a hundred million comparisons.

The sets of codes that rules ask a text field for are numbered. Sets that share no code share one numbering, which is
one property, so `procedure any [77089, 77092]` is one equality. Numbers over 15 go as digits to base 16: the engine
compares a property with every sibling condition, so 3,000 codes cost 3 x 16 comparisons and not 3,000.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from scrubber.engine.plain import Predicate

Message = dict[str, int]

BASE = 16
KEPT_VALUES = 16_384
LONGEST_KEPT = 64


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
        places = reversed(range(len(self.digits)))
        return {name: number // BASE**place % BASE for name, place in zip(self.digits, places, strict=True)}


class CodeField(dict[object, Message]):
    """What to send for each value of one field; for a dated field, for each (value, day).

    A dict that fills itself, as it is read on the hot path; bounded in entries and in the size of what it keeps.
    """

    def __init__(self, name: str, *, one_text: bool) -> None:
        super().__init__()
        self.name = name
        self.dated = False
        self._one_text = one_text
        self._numberings: list[_Numbering] = []
        self._flags: list[tuple[Predicate, str]] = []

    def number(self, codes: frozenset[str]) -> tuple[int, int]:
        """A place for a set: which numbering, and which number in it."""
        for index, numbering in enumerate(self._numberings):
            if numbering.numbers.keys().isdisjoint(codes):
                return index, numbering.add(codes)
        self._numberings.append(numbering := _Numbering())
        return len(self._numberings) - 1, numbering.add(codes)

    def name_digits(self, names: Iterator[str]) -> None:
        """Name the digits; to be called when every set has its number."""
        for numbering in self._numberings:
            numbering.name_digits(names)

    def size(self, index: int) -> int:
        """How many sets a numbering has."""
        return self._numberings[index].size

    def spell(self, index: int, number: int) -> Message:
        """What stands for a set in a message."""
        return self._numberings[index].spell(number)

    def flag(self, holds: Predicate, name: str) -> None:
        """Send 1 under a name for values that the predicate holds for."""
        self._flags.append((holds, name))

    @property
    def width(self) -> int:
        """How many properties the field may fill."""
        return sum(len(numbering.digits) for numbering in self._numberings) + len(self._flags)

    def __missing__(self, key: object) -> Message:
        message = self._message(*key) if self.dated else self._message(key, None)  # type: ignore[misc]
        _keep(self, key, message, LONGEST_KEPT)
        return message

    def _message(self, value: object, day: object) -> Message:
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
    """What to send for the values of several fields together: most facts of a kind agree in most of them.

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
        _keep(self, key, message, LONGEST_KEPT * len(key))
        return message

    def read(self, key: tuple[object, ...]) -> Message:
        """What to send for a key; a value of another type than its field's counts as unset."""
        message: Message = {}
        for codes, value in zip(self._fields, key, strict=False):
            if type(value) is str or type(value) is tuple:
                message |= codes[value]
        for name, value in zip(self._flags, key[len(self._fields) :], strict=False):
            if type(value) is bool:
                message[name] = int(value)
        return message


def _keep(kept: dict[Any, Message], key: object, message: Message, longest: int) -> None:
    if len(repr(key)) <= longest:
        if len(kept) >= KEPT_VALUES:
            kept.clear()
        kept[key] = message
