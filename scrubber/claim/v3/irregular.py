"""Tells of each value that was not sent as the model says which element it is, for what no part of a claim holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from scrubber.claim.elements import CATALOGUE, Element
from scrubber.claim.model import Claim, Flawed, Normalised, Unreadable
from scrubber.claim.v3.schema import SERVICE_NAMES
from scrubber.claim.v3.values import IrregularList, IrregularValue

MOST_IRREGULAR = 2_000  # values of one claim that are listed
_ROLES = ("billing", "rendering", "ordering", "referring", "supervising")
_LINES = ("claimInformation", "serviceLines")

Path = tuple[str, ...]


def _by_path() -> dict[Path, Element]:
    """The element of each path; of the path of an object or a list, the first element in it."""
    found: dict[Path, Element] = {}
    for element in CATALOGUE.values():
        for path in element.paths:
            found[path] = element
    for element in CATALOGUE.values():
        for path in element.paths:
            for length in range(1, len(path)):
                found.setdefault(path[:length], element)
    return found


_BY_PATH: Mapping[Path, Element] = _by_path()


def with_irregular(claim: Claim, irregular: Sequence[tuple[str, Any]]) -> Claim:
    """The claim with the irregular values that its parts do not have: unreadable, understood otherwise, or at fault.

    `irregular` has each with its pointer in the loaded body, or a list of values with some that are.
    """
    recorded = {odd.pointer for odd in claim.unreadable}
    recorded |= {odd.pointer for odd in claim.normalised}
    recorded.update(claim.unmapped)
    unreadable, normalised, flawed = [*claim.unreadable], [*claim.normalised], [*claim.flawed]
    for pointer, value in sorted(_each(irregular), key=lambda each: each[0]):  # the order of names says nothing
        names = pointer.split("/")[1:]
        if names[0] == "scrubContext" or _is_left_out(names, pointer, claim):
            continue
        element, line = _element(names, pointer, claim), _line(names)
        if value.fault is not None and element is not None:
            flawed.append(Flawed(element.name, value.fault, pointer, line))
        if pointer in recorded:
            continue
        if value.expected is None:
            if value.change:
                normalised.append(Normalised(pointer, value.change))
        elif element is None:
            normalised.append(Normalised(pointer, f"unreadable {value.expected} left out"))
        else:
            unreadable.append(Unreadable(element.name, value.expected, pointer, line))
    return replace(
        claim, unreadable=tuple(unreadable), normalised=tuple(normalised), flawed=tuple(flawed[:MOST_IRREGULAR])
    )


def _each(irregular: Sequence[tuple[str, Any]]) -> list[tuple[str, IrregularValue]]:
    found: list[tuple[str, IrregularValue]] = []
    for pointer, value in irregular[:MOST_IRREGULAR]:
        if type(value) is IrregularList:
            found += [(pointer + suffix, odd) for suffix, odd in value.odd]
        elif type(value) is IrregularValue:
            found.append((pointer, value))
    return found


def _is_left_out(names: Sequence[str], pointer: str, claim: Claim) -> bool:
    """Whether it stands where no element of the claim is read, or where the reader of lines has looked already."""
    if names[0] == "providers":
        return _role(pointer, claim) is None
    return tuple(names[:2]) == _LINES and len(names) > 3 and names[3] in SERVICE_NAMES


def _role(pointer: str, claim: Claim) -> str | None:
    """The role of the listed provider in which a pointer stands, where the claim has it."""
    for role in _ROLES:
        provider = getattr(claim, role)
        if provider is not None and pointer.startswith(f"{provider.pointer}/"):
            return role
    return None


def _element(names: Sequence[str], pointer: str, claim: Claim) -> Element | None:
    path = tuple("*" if name.isdecimal() else name for name in names)
    if path[0] == "providers":
        path = (_role(pointer, claim) or "", *path[2:])
    elif path[:2] == _LINES and len(path) == 4 and (*_LINES, "*", "professionalService", path[3]) in _BY_PATH:
        path = (*_LINES, "*", "professionalService", path[3])
    found = _BY_PATH.get(path)
    return _BY_PATH.get(path[:-1]) if found is None and path[-1] == "*" else found


def _line(names: Sequence[str]) -> int | None:
    return int(names[2]) + 1 if tuple(names[:2]) == _LINES and len(names) > 2 else None


def irregular_in(node: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The irregular values in a loaded body, each with its pointer."""
    found: list[tuple[str, Any]] = []
    _gather(node, "", found)
    return found


def _gather(node: Mapping[str, Any], pointer: str, found: list[tuple[str, Any]]) -> None:
    for name, value in node.items():
        kind = type(value)
        if kind is dict:
            _gather(value, f"{pointer}/{name}", found)
        elif kind is list:
            for index, entry in enumerate(value):
                if type(entry) is dict:
                    _gather(entry, f"{pointer}/{name}/{index}", found)
                elif type(entry) is IrregularValue:
                    found.append((f"{pointer}/{name}/{index}", entry))
        elif kind is IrregularValue or kind is IrregularList:
            found.append((f"{pointer}/{name}", value))
