"""Beside the path, for lint: codes and names in conditions that no claim can have, so that nothing would ever match."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from scrubber.errors import Fault
from scrubber.rulebook.cell_forms import mistyped
from scrubber.rulebook.conditions import IN_WORDS
from scrubber.rulebook.lint_codes import field_at
from scrubber.rulebook.yaml_file import Document, Place
from scrubber.vocabulary import LISTS_OF_FACTS, Type


def impossible_values(document: Document, payers: Collection[str]) -> Iterator[Fault]:
    """Codes in another form than claims have them in, and payers that no row of aliases names."""
    for place, fact, text in _values(document):
        told = never_met(fact, text, payers)
        if told:
            yield document.fault(place, told)


def never_met(fact: str, text: str, payers: Collection[str]) -> str | None:
    """Why no claim has this text in the fact; None where one may."""
    held = LISTS_OF_FACTS.get(fact)
    return mistyped(held, text, {"payers": payers}) if held else None


def _values(document: Document) -> Iterator[tuple[Place, str, str]]:
    """Place, fact and text of each value that a condition compares with."""
    for place in document.lines:
        if len(place) < 2 or place[0] not in ("applies", "when", "bypassed"):
            continue
        field, text = field_at(document, place), document.at(place)
        if field is None or field.type not in (Type.TEXT, Type.CODES) or not isinstance(text, str):
            continue
        if text not in field.states and place[-1] not in IN_WORDS:
            yield place, field.name, text
