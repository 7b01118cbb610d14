"""Step 4 of a claim's path: matches in, findings out: what fired, where, by whose authority; what was not judged."""

from scrubber.findings.finding import (
    ClaimImpact,
    Finding,
    Fired,
    Impact,
    NotChecked,
    ScrubResult,
    UsedRelease,
    Versions,
    disposition,
)
from scrubber.findings.switches import AS_WRITTEN, Switches, read_switches

__all__ = [
    "AS_WRITTEN",
    "ClaimImpact",
    "Finding",
    "Fired",
    "Impact",
    "NotChecked",
    "ScrubResult",
    "Switches",
    "UsedRelease",
    "Versions",
    "disposition",
    "read_switches",
]
