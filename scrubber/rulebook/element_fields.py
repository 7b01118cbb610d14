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
            kind = field_type(element, of_lines=of_lines)
            yield Field(
                element.name,
                kind,
                _about(element, kind, of_lines=of_lines),
                states=STATES,
                element=True,
                private=element.type in _PRIVATE,
            )


def field_type(element: Element, *, of_lines: bool) -> Type:
    """The type of an element as a fact: of several amounts their sum, of several of anything else their texts."""
    if is_list(element, on_line=of_lines) and element.type != "amount":
        return Type.CODES
    return _TYPES.get(element.type, Type.TEXT)


def _about(element: Element, kind: Type, *, of_lines: bool) -> str:
    place = f" ({element.loop} {element.x12})" if element.x12 else ""
    if kind is Type.AMOUNT and is_list(element, on_line=of_lines):
        return f"sum of: {element.label}{place}"
    return f"{element.label}{place}"
