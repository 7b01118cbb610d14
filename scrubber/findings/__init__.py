"""Findings for billers: what fired, on which lines, on which authority; and what was not checked."""

from __future__ import annotations

from scrubber.findings.finding import (
    NO_SWITCHES,
    Check,
    ClaimImpact,
    Finding,
    Fired,
    Impact,
    NotChecked,
    ScrubResult,
    StageChecks,
    Switches,
    UsedRelease,
    Versions,
    disposition,
    read_switches,
)

__all__ = [
    "NO_SWITCHES",
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
