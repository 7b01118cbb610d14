"""Finds any element of the catalogue in a claim, for rules that ask for it; what nobody asks for is not taken out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any, NamedTuple

from scrubber.claim.elements import CATALOGUE, Element
from scrubber.claim.model import Claim, ServiceLine
from scrubber.claim.v3.values import IrregularList, IrregularValue

Path = tuple[str, ...]
_LINE = ("claimInformation", "serviceLines", "*")
_SERVICE = "professionalService"
_ROLES = frozenset(("billing", "rendering", "ordering", "referring", "supervising"))
_PERSONS = frozenset(("subscriber", "dependent"))
_PATIENT = "patient"
# Older names under which some senders write an element.
_OLDER: Mapping[str, str] = {
    "address1": "line1",
    "address2": "line2",
    "postalCode": "zip",
    "tradingPartnerServiceId": "tradingPartnerId",
    "employerId": "ssn",
}


class ElementValues(NamedTuple):
    """What a claim says of an element: its values in order, none where it is absent; or some of them are unreadable."""

    values: tuple[Any, ...]
    unreadable: bool

    def __repr__(self) -> str:
        """No values: a claim must not reach a log through a repr."""
        return "<ElementValues>"


_NOTHING = ElementValues((), unreadable=False)


class _Places(NamedTuple):
    """The paths of an element: from the body on, and from a service line on."""

    of_claim: tuple[Path, ...]
    of_line: tuple[Path, ...]


def ask(claim: Claim, element: Element, line: ServiceLine | None = None) -> ElementValues:
    """The values of an element on a claim; with a line what that says of it, else what the claim says.

    Texts, codes, Decimals, dates and booleans as the element's type is. Of the patient's elements, those of the
    subscriber count where there is no dependent.
    """
    if line is not None:
        own = _of_line(claim, element, line)
        if own.values or own.unreadable:
            return own
    if claim.body is None:
        return _NOTHING
    found = _Finder()
    for path in _places(element).of_claim:
        _walk_from_start(claim, path, element, found)
    return ElementValues(tuple(found.values), found.unreadable)


class ListEntry(NamedTuple):
    """An entry of a list in the body, with those of the lists around it before it. `pointer` is its own.

    `readable`: no list or object on the way to it was something else.
    """

    pointer: str
    nodes: tuple[Any, ...]
    readable: bool

    def __repr__(self) -> str:
        """No values: a claim must not reach a log through a repr."""
        return "<ListEntry>"


def entries(claim: Claim, path: Path, line: ServiceLine | None = None) -> list[ListEntry]:
    """The entries of the list at a path through lists, of the claim or of a line, in the order sent.

    An object at the end of a path is one entry; so is a list that cannot be read, which is not `readable`.
    """
    odd = frozenset(each.pointer for each in claim.unreadable)
    found: list[ListEntry] = []
    if path[: len(_LINE)] != _LINE:
        _gather_entries(claim.body, "", path, (), odd, found)
    elif line is not None:
        _gather_entries(_at(claim, line.pointer), line.pointer, path[len(_LINE) :], (), odd, found)
    return found


def _gather_entries(
    node: Any, pointer: str, path: Path, around: tuple[Any, ...], odd: frozenset[str], found: list[ListEntry]
) -> None:
    here = path.index("*") if "*" in path else len(path)
    for name in path[:here]:
        node = node.get(name) if type(node) is dict else None
        pointer = f"{pointer}/{name}"
    if type(node) is IrregularValue:
        found.append(ListEntry(pointer, around, readable=False))
        return
    if here == len(path):
        found += [ListEntry(pointer, (*around, node), readable=True)] if node else []
        return
    for index, entry in enumerate(node or ()):
        at = f"{pointer}/{index}"
        if at in odd:
            found.append(ListEntry(at, around, readable=False))
        elif here + 1 == len(path):
            found.append(ListEntry(at, (*around, entry), readable=True))
        else:
            _gather_entries(entry, at, path[here + 1 :], (*around, entry), odd, found)


def inside(node: Any, path: Path) -> ElementValues:
    """The values at a path in an object of the body."""
    found = _Finder()
    found.walk(node, path, 0)
    return ElementValues(tuple(found.values), found.unreadable)


def is_list(element: Element, *, on_line: bool) -> bool:
    """Whether a claim, or one of its lines, may have several values of an element."""
    places = _places(element)
    return any("*" in path for path in (*places.of_claim, *(places.of_line if on_line else ())))


def is_on_lines_only(element: Element) -> bool:
    """Whether it stands on service lines alone, so that nothing can be asked of the claim as a whole."""
    return not _places(element).of_claim


@cache
def _places(element: Element) -> _Places:
    of_line = tuple(path[len(_LINE) :] for path in element.paths if path[: len(_LINE)] == _LINE)
    return _Places(tuple(path for path in element.paths if path[: len(_LINE)] != _LINE), of_line)


class _Finder:
    def __init__(self) -> None:
        self.values: list[Any] = []
        self.unreadable = False

    def take(self, value: Any) -> None:
        """Adds what stands at the end of a path: a value, several, or one that was irregular."""
        if type(value) is IrregularValue:
            self.unreadable = self.unreadable or value.expected is not None
            value = value.value
        elif type(value) is IrregularList:
            self.unreadable = self.unreadable or any(odd.expected is not None for _, odd in value.odd)
            value = value.values
        if type(value) is tuple or type(value) is list:
            self.values += [one.value if type(one) is IrregularValue else one for one in value]
        elif value is not None:
            self.values.append(value)

    def walk(self, node: Any, path: Sequence[str], at: int) -> None:
        """Goes on with a path below a node of the loaded body, into each entry of the lists on the way."""
        if at == len(path) or (at == len(path) - 1 and path[at] == "*" and type(node) is not list):
            self.take(node)
        elif type(node) is IrregularValue:
            self.unreadable = True
        elif path[at] == "*":
            for entry in node or ():
                self.walk(entry, path, at + 1)
        elif type(node) is dict:
            value = node.get(path[at])
            if value is None and path[at] in _OLDER:
                value = node.get(_OLDER[path[at]])
            self.walk(value, path, at + 1)


def _walk_from_start(claim: Claim, path: Path, element: Element, found: _Finder) -> None:
    first = path[0]
    if first in _ROLES:
        provider = getattr(claim, first)
        if provider is not None:
            found.walk(_at(claim, provider.pointer), path, 1)
    elif element.owner == _PATIENT and first in _PERSONS:
        if len(element.paths) == 1 or f"/{first}" == claim.patient.pointer:
            found.walk(_at(claim, claim.patient.pointer), path, 1)
    else:
        found.walk(claim.body, path, 0)


def _at(claim: Claim, pointer: str) -> Any:
    """The object of the loaded body with a pointer; None where there is none."""
    node: Any = claim.body
    for name in pointer.split("/")[1:]:
        if type(node) is list:
            index = int(name)
            node = node[index] if index < len(node) else None
        else:
            node = node.get(name) if type(node) is dict else None
    return node


def _of_line(claim: Claim, element: Element, line: ServiceLine) -> ElementValues:
    known = _known(element, line)
    if known is not None:
        return ElementValues(known, unreadable=False)
    paths = _places(element).of_line
    node = _at(claim, line.pointer) if paths else None
    if node is None:
        return _NOTHING
    found = _Finder()
    for path in paths:
        if path[0] == _SERVICE and node.get(_SERVICE) is not None:
            found.walk(node[_SERVICE], path, 1)
            if found.values or found.unreadable:
                continue
        found.walk(node, path, 1 if path[0] == _SERVICE else 0)
    return ElementValues(tuple(found.values), found.unreadable)


def _known(element: Element, line: ServiceLine) -> tuple[Any, ...] | None:
    """What the reader of lines has made of days and pointers, which come in several forms."""
    if element.name == "diagnosis-pointers":
        return tuple(str(pointer) for pointer in line.pointers)
    day: date | None = None
    if element.name == "service-date":
        day = line.first_day
    elif element.name == "service-date-end":
        day = line.last_day
    return None if day is None else (day,)


def owned(elements: Mapping[str, Element] = CATALOGUE, *, of_lines: bool) -> list[Element]:
    """The elements that can be asked of a claim; of its lines, all of them."""
    return [element for element in elements.values() if of_lines or not is_on_lines_only(element)]
