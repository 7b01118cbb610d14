"""Findings: what fired, where, by whose authority; and what was not checked."""

from __future__ import annotations

from scrubber.findings.finding import (
    AS_WRITTEN,
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
