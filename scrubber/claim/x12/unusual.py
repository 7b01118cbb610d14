"""Finds what a claim of an X12 file says that the v3 body cannot: codes that are not those which go without saying."""

from __future__ import annotations

from collections.abc import Iterator

from scrubber.claim.x12.loops import ClaimLoops, Loop
from scrubber.claim.x12.read import Unmapped

# By loop, segment and element: the code that is written where the body does not say one (`fixed.py`, `interchange.py`).
_USUAL = {
    ("HEADER", "BHT", 2): "00",  # an original
    ("HEADER", "BHT", 6): "CH",  # claims
    ("2010BA", "NM1", 8): "MI",
    ("2010BB", "NM1", 8): "PI",
    ("2310A", "NM1", 1): "DN",  # a referring provider, and not the primary care provider
    ("2330C", "NM1", 1): "DN",
    ("2420F", "NM1", 1): "DN",
}
_LOOPS = frozenset(loop for loop, _, _ in _USUAL)


def unusual_codes(claim: ClaimLoops) -> list[Unmapped]:
    """Such codes of a claim and of what it stands under, by place and ordinal."""
    return [
        Unmapped(f"{loop.name} {segment[0]}{number:02}", ordinal)
        for loop in _loops(claim)
        for segment, ordinal in zip(loop.segments, loop.ordinals, strict=True)
        for (name, segment_id, number), usual in _USUAL.items()
        if (name, segment_id) == (loop.name, segment[0]) and segment[number : number + 1] not in ([], [""], [usual])
    ]


def _loops(claim: ClaimLoops) -> Iterator[Loop]:
    waiting = [each for each in (claim.claim, claim.subscriber, claim.header) if each is not None]
    while waiting:
        loop = waiting.pop()
        waiting += loop.loops
        if loop.name in _LOOPS:
            yield loop
