"""Reads X12 files of professional claims (837P, 005010X222A1), as they come, into the loops of each claim."""

from __future__ import annotations

from scrubber.claim.x12.envelope import EndOfGroup, EndOfInterchange, EndOfSet
from scrubber.claim.x12.faults import FAULTS, X12Fault, in_words
from scrubber.claim.x12.loops import ClaimLoops, Loop, read_loops
from scrubber.claim.x12.segments import Delimiters

__all__ = [
    "FAULTS",
    "ClaimLoops",
    "Delimiters",
    "EndOfGroup",
    "EndOfInterchange",
    "EndOfSet",
    "Loop",
    "X12Fault",
    "in_words",
    "read_loops",
]
