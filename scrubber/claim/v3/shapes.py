"""Draws up the objects and lists of the v3 body from the catalogue: which names each has, and what stands there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from scrubber.claim.elements import CATALOGUE, Element

Path = tuple[str, ...]
ENTRY = "*"  # in a path: each entry of a list

_ROLES = ("billing", "rendering", "ordering", "referring", "supervising")
# Objects that stand in several places and take the same names in all of them.
_KINDS: Mapping[str, str] = {
    "": "Body",
    "submitter": "Submitter",
    "receiver": "Receiver",
    **dict.fromkeys(("subscriber", "dependent"), "Person"),
    **dict.fromkeys((*_ROLES, *(f"{role}Provider" for role in (*_ROLES, "purchasedService"))), "Provider"),
    "serviceFacilityLocation": "Provider",
    **dict.fromkeys(("address", "payToAddress", "payerAddress", "otherInsuredAddress", "otherPayerAddress"), "Address"),
    "contactInformation": "Contact",
    "claimInformation": "ClaimInformation",
    "claimSupplementalInformation": "Supplement",
    "healthCareCodeInformation": "Diagnosis",
    "serviceLines": "Line",
    "professionalService": "Service",
    "compositeDiagnosisCodePointers": "Pointers",
    "drugIdentification": "Drug",
}


@dataclass
class Shape:
    """An object of the v3 body. `kind` is its name; objects of one kind are one shape.

    `scalars` are its elements by name: several where they stand in objects of one kind in different places; `lists` are
    the names of those that repeat. `objects` are the objects in it, `entries` the lists of objects.
    """

    kind: str
    scalars: dict[str, list[Element]] = field(default_factory=dict)
    lists: set[str] = field(default_factory=set)
    objects: dict[str, Shape] = field(default_factory=dict)
    entries: dict[str, Shape] = field(default_factory=dict)


def draw(elements: Iterable[Element] = CATALOGUE.values()) -> Mapping[str, Shape]:
    """The shapes of all objects by kind; `Body` is the whole."""
    shapes: dict[str, Shape] = {}
    for element in elements:
        for path in element.paths:
            _add(shapes, element, path)
    return shapes


def _add(shapes: dict[str, Shape], element: Element, path: Path) -> None:
    repeats = path[-1] == ENTRY
    *containers, name = path[:-1] if repeats else path
    here = _shape(shapes, "")
    for position, container in enumerate(containers):
        if container == ENTRY:
            continue
        inside = _shape(shapes, container)
        in_list = containers[position + 1 : position + 2] == [ENTRY]
        (here.entries if in_list else here.objects)[container] = inside
        here = inside
    here.scalars.setdefault(name, []).append(element)
    if repeats:
        here.lists.add(name)


def _shape(shapes: dict[str, Shape], name: str) -> Shape:
    kind = _KINDS.get(name) or name[0].upper() + name[1:]
    return shapes.setdefault(kind, Shape(kind))
