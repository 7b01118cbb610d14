"""Makes the elements of the catalogue facts of a claim and of its lines, for rules that ask for them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from scrubber.claim.elements import CATALOGUE, Element
from scrubber.claim.model import Absence
from scrubber.claim.whole import is_list, owned
from scrubber.rulebook.field import Field, Type

UNREADABLE = "unreadable"  # the state of an element that was sent and cannot be read
STATES = (Absence.ABSENT.value, UNREADABLE)
_TYPES = {"amount": Type.AMOUNT, "number": Type.DECIMAL, "date": Type.DAY, "flag": Type.FLAG}
_PRIVATE = ("text", "digits", "zip", "date")  # names, streets, numbers of people: never kept between claims


def element_fields(others: Collection[str], *, of_lines: bool) -> Iterator[Field]:
    """A field for each element that can be asked of a claim, or of its lines; not for names that are taken."""
    for element in owned(CATALOGUE, of_lines=of_lines):
        if element.name not in others:
            yield element_field(element, element.name, several=is_list(element, on_line=of_lines))


def element_field(element: Element, name: str, *, several: bool) -> Field:
    """An element as a field of a fact, under a name. `several`: there may be more than one value of it."""
    kind = _type(element, several=several)
    return Field(
        name,
        kind,
        _about(element, kind, several=several),
        states=STATES,
        element=True,
        private=element.type in _PRIVATE,
    )


def field_type(element: Element, *, of_lines: bool) -> Type:
    """The type of an element as a fact: of several amounts their sum, of several of anything else their texts."""
    return _type(element, several=is_list(element, on_line=of_lines))


def _type(element: Element, *, several: bool) -> Type:
    return Type.CODES if several and element.type != "amount" else _TYPES.get(element.type, Type.TEXT)


def _about(element: Element, kind: Type, *, several: bool) -> str:
    place = f" ({element.loop} {element.x12})" if element.x12 else ""
    return f"sum of: {element.label}{place}" if several and kind is Type.AMOUNT else f"{element.label}{place}"
