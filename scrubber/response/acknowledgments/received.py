"""What came in an X12 file, as acknowledgments tell of it: claims with what came of each, and the ends of envelopes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from scrubber.claim.x12 import ClaimLoops, Loop, X12Fault
from scrubber.claim.x12.envelope import EndOfGroup, EndOfInterchange, EndOfSet


class ReceivedClaim(NamedTuple):
    """A claim of the file, and our own answer to it; None where it is no claim that can be scrubbed."""

    loops: ClaimLoops
    answer: Mapping[str, Any] | None

    @property
    def accepted(self) -> bool:
        """Whether nothing denies it."""
        return self.answer is not None and self.answer["disposition"] != "deny"


Received = ReceivedClaim | EndOfSet | EndOfGroup | EndOfInterchange


def completed(items: Iterable[Received]) -> Iterator[Received]:
    """The same, with the ends of a set and a group that could not be read to their ends."""
    claim: ClaimLoops | None = None  # of a set that is open
    group: list[str] | None = None  # that is open
    for item in items:
        if isinstance(item, ReceivedClaim):
            claim, group = item.loops, item.loops.gs
        elif isinstance(item, EndOfSet):
            claim, group = None, item.group
        elif isinstance(item, EndOfGroup):
            group = None
        yield item
    if claim is not None:
        begins, number = claim.header.ordinals[0], claim.header.segments[0]
        yield EndOfSet(claim.gs, number, begins, begins, 0, "", [X12Fault("cut-off", begins, "ST", "")])
    if group is not None:
        yield EndOfGroup(group, 0, 0, 0, [X12Fault("cut-off", 0, "GS", "")])


def element(segment: list[str] | None, number: int) -> str:
    """The element with this number, from 1; empty where there is none."""
    return segment[number].strip() if segment is not None and len(segment) > number else ""


def loop_in(above: Loop | None, name: str) -> Loop | None:
    """The first loop of this name in another."""
    return next((loop for loop in above.loops if loop.name == name), None) if above is not None else None


def segment_in(loop: Loop | None, name: str, qualifier: str = "") -> list[str] | None:
    """The first segment of a loop with this id, and this first element if one is asked for."""
    for segment in loop.segments if loop is not None else ():
        if segment[0] == name and (not qualifier or element(segment, 1) == qualifier):
            return segment
    return None


def loop_names(loops: Iterable[Loop | None]) -> Iterator[tuple[int, str]]:
    """The ordinals of all segments, each with the loop that it is in."""
    waiting = [loop for loop in loops if loop is not None]
    while waiting:
        loop = waiting.pop()
        waiting += loop.loops
        yield from ((ordinal, loop.name) for ordinal in loop.ordinals)
