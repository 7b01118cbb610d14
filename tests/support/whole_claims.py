"""Plainly made up v3 bodies with any elements of the catalogue, up to all that one claim can have at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scrubber.claim.elements import CATALOGUE, Element

Body = dict[str, Any]

# Of things that exclude each other in one claim those that the whole one does without: a name of a person or an
# organization, one tax id, one note, as many numbers as their segments may stand, a state or another part of a country.
_EXCLUDED = """
    submitter-last-name submitter-first-name submitter-middle-name billing-last-name billing-first-name
    billing-middle-name billing-suffix billing-ssn policy-number subscriber-organization rendering-organization
    patient-member-id payer-naic certification-note claim-plan-note diagnosis-note claim-third-party-note
    line-plan-note drug-link-number ordering-email
"""
LEFT_AWAY = frozenset(_EXCLUDED.split()) | {name for name in CATALOGUE if name.endswith("-country-part")}
LEFT_AWAY_AT = (
    # Behind the numbers of a kind that stand once, no more of them have room in the claim.
    ("referring", "secondaryIdentifier"),
    ("rendering", "secondaryIdentifier"),
    ("supervising", "secondaryIdentifier"),
    ("ordering",),  # the 837P has it on lines
)

_BY_NAME = {
    "control-number": "0042",
    "line-number": "1",
    "frequency": "1",
    "patient-weight": "150",
    "line-decision-bundled-line": "1",
    "related-causes": "AA",
    "procedure-qualifier": "HC",
    "facility-other-id-qualifier": "G2",
}
_BY_END = {
    "-state": "CO",
    "-country": "US",
    "-country-part": "CO",
    "-taxonomy": "207Q00000X",
    "-adjustment-reason": "45",
    "-remarks": "MA01",
    "-place": "11",
    "-npi": "1000000004",
}
_BY_TYPE: Mapping[str, Any] = {
    "amount": "12.5",
    "number": "3",
    "date": "20260901",
    "zip": "802020001",
    "procedure": "99213",
    "diagnosis": "M810",
    "pointer": "1",
    "digits": "990000001",
    "flag": True,
    "two-characters": "25",
}


def value_of(element: Element) -> Any:
    """A value that the element may have; of a text one that no other element has."""
    if element.name in _BY_NAME:
        return _BY_NAME[element.name]
    for end, value in _BY_END.items():
        if element.name.endswith(end) and not element.codes:
            return value
    if element.codes:
        return element.codes[0]
    if element.places[0].element == 1 and element.places[0].qualifiers:
        return element.places[0].qualifiers[0]
    if element.type in _BY_TYPE:
        return _BY_TYPE[element.type]
    number = [*CATALOGUE].index(element.name)
    return f"{number:03} {element.name.upper()}"[: element.longest].strip() if element.longest > 2 else "AB"


def body_with(names: Iterable[str], values: Mapping[str, Any] | None = None) -> Body:
    """A body with these elements in all their places, each list with one entry; some with other values."""
    body: Body = {"claimInformation": {"serviceLines": [{}]}}
    for name in names:
        element = CATALOGUE[name]
        value = (values or {}).get(name, value_of(element))
        for path in element.paths:
            if not any(path[: len(start)] == start for start in LEFT_AWAY_AT):
                _put(body, path, value)
    return body


def whole_body() -> Body:
    """A body with every element that can stand beside the others, for a patient who is a dependent."""
    return body_with(name for name in CATALOGUE if name not in LEFT_AWAY)


def _put(at: Any, path: tuple[str, ...], value: Any) -> None:
    """Put a value into an object, with the containers on the way to it."""
    name, *rest = path
    if not rest:
        at[name] = value
    elif rest == ["*"]:
        at[name] = [value]
    elif rest[0] == "*":
        entries = at.setdefault(name, [{}])
        _put(entries[0], tuple(rest[1:]), value)
    else:
        _put(at.setdefault(name, {}), tuple(rest), value)
