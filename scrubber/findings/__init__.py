"""Step 4 of a claim's path: matches in, findings out: what fired, where, by whose authority; what was not judged."""

from scrubber.findings.finding import (
    Check,
    ClaimImpact,
    Finding,
    Fired,
    Impact,
    NotChecked,
    ScrubResult,
    StageChecks,
    UsedRelease,
    Versions,
    disposition,
)
from scrubber.findings.switches import AS_WRITTEN, Switches, read_switches

__all__ = [
    "AS_WRITTEN",
    "Check",
    "ClaimImpact",
    "Finding",
    "Fired",
    "Impact",
    "NotChecked",
    "ScrubResult",
    "StageChecks",
    "Switches",
    "UsedRelease",
    "Versions",
    "disposition",
    "read_switches",
]
