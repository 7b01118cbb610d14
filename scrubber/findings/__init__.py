"""Step 4 of a claim's path: matches in, findings out: what fired, where, by whose authority; what was not judged."""

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
