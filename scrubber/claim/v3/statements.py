"""Reads the elements of a documentation block: those that the reader has names for, and any other, for the families."""

from __future__ import annotations

from typing import Any, NamedTuple

from scrubber.claim.model import ABSENT, Absence, FurtherElement
from scrubber.claim.v3.extractor import Extractor, LoadedObject
from scrubber.claim.v3.schema import DOCUMENTATION_OBJECTS, FURTHER, NAME, UNREADABLE_NAME
from scrubber.claim.v3.values import IrregularValue, statement

GIVEN = "given"  # stands for an object or a list with content, whose members have names of their own
MOST_LEVELS = 4  # of objects and lists in one another, beside the elements themselves
MOST_FURTHER = 2_000  # of one block, counted one by one however deep they stand
# Nested objects of a report, each with its main member: where that is stated absent, so is the object.
_CORE = {"signature": "name", "sourceStudy": "code", "tbsSoftware": "name", "order": "npi"}
_NESTED = tuple(sorted(DOCUMENTATION_OBJECTS))


class _Names(NamedTuple):
    """How a value is called: its flat name, that without the numbers of entries, and as in `FurtherElement`."""

    flat: str
    declared: str
    pointer: str
    within: str


class BlockStatements:
    """What one block states, by flat name, in an order that does not depend on the order sent."""

    def __init__(self) -> None:
        self.stated: dict[str, str | Absence] = {}
        self.unreadable: set[str] = set()
        self.further: list[FurtherElement] = []

    def __repr__(self) -> str:
        """No values: a claim must not reach a log through a repr."""
        return "<BlockStatements>"


def read_statements(loaded: LoadedObject, pointer: str, extractor: Extractor) -> BlockStatements:
    """The statements in loaded `elements`; `pointer` is that of these."""
    found = BlockStatements()
    _take_members(loaded, "", pointer, extractor, found)
    for name in _NESTED:
        nested = loaded.get(name)
        if nested:
            _take_members(nested, f"{name}.", f"{pointer}/{name}", extractor, found)
            if any(value is not None for member, value in nested.items() if member != FURTHER):
                found.stated[name] = GIVEN
            elif _CORE[name] in nested:
                found.stated[name] = ABSENT
    return found


def _take_members(
    loaded: LoadedObject, prefix: str, pointer: str, extractor: Extractor, found: BlockStatements
) -> None:
    """Texts, and ABSENT. Unreadable values are left out: nothing is known of them."""
    for name in sorted(loaded):
        value = loaded[name]
        if name == FURTHER:
            for other in sorted(value):
                at = f"{pointer}/{other}"
                _take_further(value[other], _Names(prefix + other, prefix + other, at, at), 0, found)
            continue
        if type(value) is IrregularValue:
            if value.expected is not None:
                found.unreadable.add(prefix + name)
            value = extractor.record(value, f"{pointer}/{name}", "documentation")
            if value is None:
                continue
        if type(value) is not dict:
            found.stated[prefix + name] = ABSENT if value is None else value


def _take_further(raw: Any, names: _Names, level: int, found: BlockStatements) -> bool:
    """Takes a value as it was sent, and all that is in it. Whether it says something, be it unreadable."""
    if len(found.further) >= MOST_FURTHER:
        return False
    if (type(raw) is dict or type(raw) is list) and raw and level < MOST_LEVELS:
        given = _take_inner(raw, names, level + 1, found)
        if given:
            found.stated[names.flat] = GIVEN
        return given
    if raw == {}:
        return False  # an empty object says nothing
    found.further.append(FurtherElement(names.declared, names.pointer, names.within))
    value = None if raw is None or raw == [] else statement(raw)
    if type(value) is IrregularValue:
        found.unreadable.add(names.flat)
    else:
        found.stated[names.flat] = ABSENT if value is None else value
    return value is not None


def _take_inner(raw: dict[str, Any] | list[Any], names: _Names, level: int, found: BlockStatements) -> bool:
    given = False
    if type(raw) is list:
        for index, entry in enumerate(raw):
            inner = names._replace(flat=f"{names.flat}.{index}", pointer=f"{names.pointer}/{index}")
            given |= _take_further(entry, inner, level, found)
        return given
    before = len(found.stated)
    for member in sorted(raw):
        written = member if NAME(member) else UNREADABLE_NAME
        inner = names._replace(
            flat=f"{names.flat}.{written}",
            declared=f"{names.declared}.{written}",
            pointer=f"{names.pointer}/{written}",
        )
        given |= _take_further(raw[member], inner, level, found)
    if not given and len(found.stated) > before:
        found.stated[names.flat] = ABSENT
    return given
