"""Beside the path, for lint: codes and names in conditions that no claim can have, so that nothing would ever match."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from scrubber.errors import Fault
from scrubber.rulebook.conditions import IN_WORDS
from scrubber.rulebook.lint_codes import field_at
from scrubber.rulebook.yaml_file import Document, Place
from scrubber.vocabulary import Type


class _Form(NamedTuple):
    what: str
    pattern: re.Pattern[str]
    like: str


_PROCEDURE = _Form(
    "procedure code",
    re.compile(r"[0-9]{4}[0-9A-Z]|[A-Z][0-9]{4}"),
    'it looks like "77080" or "G0130", and O is no zero',
)
_DIAGNOSIS = _Form(
    "diagnosis code", re.compile(r"[A-Z][0-9][0-9A-Z]{1,5}"), 'capitals and digits without a dot, such as "M810"'
)
_FORMS = {
    "procedure": _PROCEDURE,
    "first": _PROCEDURE,
    "second": _PROCEDURE,
    "diagnoses": _DIAGNOSIS,
    "code": _DIAGNOSIS,
    "modifiers": _Form("modifier", re.compile(r"[0-9A-Z]{2}"), 'two digits or capitals, such as "26"'),
    "place": _Form("place of service", re.compile(r"[0-9]{2}"), 'two digits, such as "11"'),
    "contractor": _Form("Medicare contractor", re.compile(r"[0-9]{5}"), 'five digits, such as "10112"'),
}


def impossible_values(document: Document, payers: Collection[str]) -> Iterator[Fault]:
    """Codes in another form than claims have them in, and payers that no row of aliases names."""
    for place, fact, text in _values(document):
        told = never_met(fact, text, payers)
        if told:
            yield document.fault(place, told)


def never_met(fact: str, text: str, payers: Collection[str]) -> str | None:
    """Why no claim has this text in the fact; None where one may."""
    form = _FORMS.get(fact)
    if form and not form.pattern.fullmatch(text):
        return f"`{text}` is no {form.what}: {form.like}"
    if fact == "payer" and text not in payers:
        return f"no row of aliases names the payer `{text}`: add one to a table of aliases, or correct the name"
    return None


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
