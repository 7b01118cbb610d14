"""Matches in, findings out: what fired, where, by whose authority, and what could not be judged."""

from scrubber.findings.finding import (
    ClaimImpact,
    Finding,
    Impact,
    NotChecked,
    ScrubResult,
    UsedRelease,
    Versions,
    disposition,
)

__all__ = [
    "ClaimImpact",
    "Finding",
    "Impact",
    "NotChecked",
    "ScrubResult",
    "UsedRelease",
    "Versions",
    "disposition",
]
