"""Finds where in an X12 file the elements of a claim stand, for findings: loop, element and the segment's number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from scrubber.claim.elements import CATALOGUE, Element, Place
from scrubber.claim.model import Position
from scrubber.claim.x12.loops import ClaimLoops, Loop
from scrubber.claim.x12.plans import COMMUNICATION, QUALIFIED, Reader, plans_of
from scrubber.claim.x12.read import BodyReader

_MARK = "|"  # between the loop, the element and the segment of a position that stands for a text
_COMPONENT = "\x1f"
_READ_MARK = re.compile(r"([^|]*)\|([^|]*)\|(\d+)").match


def positions(claim: ClaimLoops) -> dict[str, Position]:
    """The positions of all that was read of a claim, by JSON pointer into the v3 body it was read as.

    An object or a list has the position of the first thing in it. The claim is read once more, with each text replaced
    by its position, so that both readings follow the same plans.
    """
    marked = ClaimLoops(
        claim.number, claim.delimiters._replace(component=_COMPONENT), [], [], _marked(claim.header, claim)
    )
    marked.billing = claim.billing and _marked(claim.billing, claim)
    marked.subscriber = claim.subscriber and _marked(claim.subscriber, claim)
    marked.patient = claim.patient and _marked(claim.patient, claim)
    marked.claim = _marked(claim.claim, claim)
    body, _ = BodyReader(_PLANS).body(marked)
    found: dict[str, Position] = {}
    _gather(body, "", found)
    return found


def nearest(pointer: str, known: Mapping[str, Position]) -> Position | None:
    """The position of a pointer; of what is not there, that of the object it would stand in. None: of none of them."""
    while pointer not in known:
        pointer, slash, _ = pointer.rpartition("/")
        if not slash:
            return None
    return known[pointer]


def _marked(loop: Loop, claim: ClaimLoops) -> Loop:
    marked = Loop(loop.name)
    for elements, ordinal in zip(loop.segments, loop.ordinals, strict=True):
        marked.segments.append(_marked_segment(loop.name, elements, ordinal, claim.delimiters.component))
    marked.ordinals = loop.ordinals
    marked.loops = [_marked(inner, claim) for inner in loop.loops]
    return marked


def _marked_segment(loop: str, elements: list[str], ordinal: int, component: str) -> list[str]:
    """The elements as positions, save those by which the reader knows what the others are."""
    name = elements[0]
    kept = _KEPT.get(name, ())
    marked = [name]
    for index in range(1, len(elements)):
        text = elements[index]
        place = f"{loop}{_MARK}{name}{index:02}"
        if not text or index in kept or (name == "HI" and component not in text):
            marked.append(text)
        elif component in text:
            parts = text.split(component)
            marks = [f"{place}-{number}{_MARK}{ordinal}" if part else "" for number, part in enumerate(parts, start=1)]
            marked.append(_COMPONENT.join([parts[0], *marks[1:]] if name == "HI" else marks))
        else:
            mark = f"{place}{_MARK}{ordinal}"
            marked.append(f"{mark}-{mark}" if name == "DTP" and "-" in text else mark)
    return marked


_KEPT: Mapping[str, tuple[int, ...]] = {
    **dict.fromkeys(QUALIFIED, (1,)),
    "NM1": (2,),
    "PWK": (1,),
    "PER": COMMUNICATION,
}


def _gather(node: Any, pointer: str, found: dict[str, Position]) -> Position | None:
    """Keep the positions of a node and of all in it; the first of them is the node's own."""
    if isinstance(node, str):
        first = _position(node)
    else:
        entries = node.items() if isinstance(node, dict) else enumerate(node)
        inside = [_gather(entry, f"{pointer}/{key}", found) for key, entry in entries]
        first = min((each for each in inside if each is not None), key=lambda each: each.segment, default=None)
    if first is not None:
        found[pointer] = first
    return first


def _position(mark: str) -> Position | None:
    found = _READ_MARK(mark)  # the first, where several stand in one: a range, or components where none belong
    return Position(found[1], found[2], int(found[3])) if found else None


def _same(raw: Any) -> Any:
    return raw


def _reader(element: Element, place: Place, *, listed: bool) -> Reader:  # noqa: ARG001 -- as plans.Readers
    return _same


_PLANS = plans_of(CATALOGUE.values(), _reader)
