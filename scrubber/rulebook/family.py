"""Declares a family of documentation: what the reports behind some codes have, by name and type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scrubber.claim.model import Absence
from scrubber.rulebook.field import Field, Type
from scrubber.rulebook.rule import Condition

UNREADABLE = "unreadable"  # the state of an element that was sent and is not of its type
STATES = (Absence.ABSENT.value, Absence.NOT_SUPPLIED.value, UNREADABLE)
SIGNATURE, OBJECT, DERIVED = "signature", "object", "derived"
# Of a number a report may also have a text without any, or with several.
NO_NUMBER, SEVERAL_NUMBERS = "not-a-number", "several-numbers"
# By the words of authors: what facts hold. A signature and an object are there or not; what is in them are elements.
TYPES: Mapping[str, Type] = {
    "text": Type.TEXT,
    "number": Type.DECIMAL,
    "minutes": Type.NUMBER,
    "time": Type.TIME,
    "day": Type.DAY,
    "word": Type.WORD,
    "yes-no": Type.FLAG,
    "phrase": Type.TEXT,
    "words": Type.CODES,
    "procedure": Type.TEXT,
    "npi": Type.TEXT,
    SIGNATURE: Type.FLAG,
    OBJECT: Type.FLAG,
    DERIVED: Type.WORD,
}
SIGNATURE_PARTS = {
    "name": ("text", "name of who signed"),
    "npi": ("npi", "NPI of who signed"),
    "date": ("day", "day of the signature"),
    "credential": ("text", "credential of who signed"),
}


@dataclass(frozen=True, slots=True)
class DocumentElement:
    """An element of the documentation of a line, as a family declares it.

    `kind` is its type in the words of authors (TYPES), `field` how facts hold it, `words` what a word may be. `absent`
    are texts, in small letters, that say there is none. `several`: it stands in entries of a list; of numbers and
    minutes their sum counts. `main`: of an object, the member without which there is no such thing. `picks`: of a text,
    how the part of it looks that counts.
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
    main: str | None = None
    picks: str | None = None

    @property
    def meaning(self) -> tuple[Any, ...]:
        """What two declarations of one name have in common where both may stand."""
        return self.kind, self.words, self.absent, self.several, self.main, self.picks


@dataclass(frozen=True, slots=True)
class DerivedWord:
    """What rules read under the name of an element: the word of the first condition that holds, else `otherwise`.

    A word may be the name of a state. Conditions are about the document; in them the name is the element as it was
    sent. There is neither word nor state where `only_where` does not hold, or no condition and no `otherwise`.
    """

    field: Field
    only_where: Condition | None
    cases: tuple[tuple[str, Condition], ...]
    otherwise: str | None


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
    derived: tuple[DerivedWord, ...] = ()


def elements_of(families: Iterable[Family]) -> dict[str, DocumentElement]:
    """The elements of all families by name."""
    found: dict[str, DocumentElement] = {}
    for family in families:
        for element in family.elements.values():
            found.setdefault(element.name, element)
    return found
