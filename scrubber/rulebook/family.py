"""Declares a family of documentation: what the reports behind some codes have, by name and type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scrubber.claim.model import Absence
from scrubber.rulebook.field import Field, Type

UNREADABLE = "unreadable"  # the state of an element that was sent and is not of its type
STATES = (Absence.ABSENT.value, Absence.NOT_SUPPLIED.value, UNREADABLE)
SIGNATURE = "signature"
# By the words of authors: what facts hold. A signature is there or not; its parts are elements of their own.
TYPES: Mapping[str, Type] = {
    "text": Type.TEXT,
    "number": Type.DECIMAL,
    "minutes": Type.NUMBER,
    "time": Type.TIME,
    "day": Type.DAY,
    "word": Type.WORD,
    "yes-no": Type.FLAG,
    SIGNATURE: Type.FLAG,
}
SIGNATURE_PARTS = {
    "name": ("text", "name of who signed"),
    "npi": ("text", "NPI of who signed"),
    "date": ("day", "day of the signature"),
    "credential": ("text", "credential of who signed"),
}


@dataclass(frozen=True, slots=True)
class DocumentElement:
    """An element of the documentation of a line, as a family declares it.

    `kind` is its type in the words of authors (TYPES), `field` how facts hold it, `words` what a word may be. `absent`
    are texts, in small letters, that say there is none. `several`: it stands in entries of a list; of numbers and
    minutes their sum counts.
    """

    name: str
    kind: str
    field: Field
    words: tuple[str, ...]
    absent: frozenset[str]
    several: bool
    family: str
    file: str
    line: int

    @property
    def meaning(self) -> tuple[Any, ...]:
        """What two declarations of one name have in common where both may stand."""
        return self.kind, self.words, self.absent, self.several


@dataclass(frozen=True, slots=True)
class Family:
    """A family of reports: about `codes` or those of a list, with elements by their name in the claim's JSON."""

    name: str
    pack: str
    file: str
    title: str
    codes: tuple[str, ...]
    code_list: str | None
    elements: Mapping[str, DocumentElement]


def elements_of(families: Iterable[Family]) -> dict[str, DocumentElement]:
    """The elements of all families by name."""
    found: dict[str, DocumentElement] = {}
    for family in families:
        for element in family.elements.values():
            found.setdefault(element.name, element)
    return found
