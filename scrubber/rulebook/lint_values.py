"""Beside the path, for lint: codes and names in conditions that no claim can have, so that nothing would ever match."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from scrubber.errors import Fault
from scrubber.rulebook.cell_forms import mistyped
from scrubber.rulebook.conditions import IN_WORDS, UNLESS_KNOWN
from scrubber.rulebook.lint_codes import field_at
from scrubber.rulebook.yaml_file import Document, Place
from scrubber.vocabulary import LISTS_OF_FACTS, UNKNOWN, Type

_LEAVING_OUT = ("is-not", "none", "none-in")
_INSTEAD = f"write `{UNLESS_KNOWN}: [...]` if the rule holds for those too, or add `is-not: {UNKNOWN}` if it shall not"


def impossible_values(document: Document, payers: Collection[str]) -> Iterator[Fault]:
    """Codes in another form than claims have them in, and payers that no row of aliases names."""
    for place, fact, text in _values(document):
        told = never_met(fact, text, payers)
        if told:
            yield document.fault(place, told)


def silent_exclusions(document: Document) -> Iterator[Fault]:
    """Tests that leave out every claim whose payer or contractor is unknown, in rules that never speak of that."""
    silent: list[tuple[Place, str, str]] = []
    said: set[str] = set()
    for place in document.lines:
        field = field_at(document, place) if place and place[0] in ("applies", "when", "bypassed") else None
        if field is None or not field.may_be_unknown:
            continue
        if document.at(place) == UNKNOWN or place[-1] == UNLESS_KNOWN:
            said.add(field.name)
        elif place[-1] in _LEAVING_OUT:
            silent.append((place, field.name, str(place[-1])))
    for place, name, operator in silent:
        if name not in said:
            told = f"`{operator}` leaves out every claim whose {name} is unknown, and there the rule is not checked"
            yield document.fault(place, f"{told}: {_INSTEAD}")


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
