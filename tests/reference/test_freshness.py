"""Tables past their last release: told once a claim, in each message that rests on them, and warned of when stale."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from scrubber.claim import read_v3
from scrubber.findings import Finding, ScrubResult
from scrubber.reference import Reference
from scrubber.reference.releases import Timeline
from scrubber.scrub import Scrubber
from tests.support.claims import tbs_claim

RECEIVED = date(2026, 11, 22)
LAST = date(2024, 9, 30)  # of NCCI among the starter tables


def loaded(scrubber: Scrubber, stale_after: int | None = 183, *, only: str = "") -> Scrubber:
    """The starter tables as if they had been loaded; of one table, the others stay typed."""
    reference = scrubber.reference
    releases = [
        release._replace(starter=False) if release.table.startswith(only) else release
        for release in reference.releases()
    ]
    return replace(scrubber, reference=Reference(reference.backend, Timeline(releases)), stale_after=stale_after)


def scrubbed(scrubber: Scrubber, day: str, units: str = "1") -> ScrubResult:
    body: dict[str, Any] = tbs_claim()
    line = body["claimInformation"]["serviceLines"][0]
    line["serviceDate"] = day
    line["professionalService"]["serviceUnitCount"] = units
    return scrubber.scrub(read_v3(body), RECEIVED)


def freshness(result: ScrubResult) -> list[tuple[str, str]]:
    return [(finding.rule.severity, finding.rule.id) for finding in ended(result)]


def ended(result: ScrubResult) -> list[Finding]:
    """Findings of tables that ended before the day; the starter's list of diagnoses begins after most of these days."""
    found = [finding for finding in result.findings if finding.rule.category == "freshness"]
    return [finding for finding in found if finding.rule.id != "reference-table-before-first-release"]


def too_many_units(result: ScrubResult) -> Finding:
    (finding,) = [finding for finding in result.findings if finding.rule.id == "cms-ncci-mue-day-clinical"]
    return finding


@pytest.mark.parametrize(
    ("day", "word"),
    [
        ("20241001", "past-last-release"),
        ("20250401", "past-last-release"),
        ("20250402", "stale"),
        ("20260930", "stale"),
    ],
)
def test_what_ended_is_one_finding_that_warns_after_half_a_year(shipped: Scrubber, day: str, word: str) -> None:
    severity = {"past-last-release": "info", "stale": "warn"}[word]
    assert freshness(scrubbed(loaded(shipped, only="ncci"), day)) == [(severity, f"reference-table-{word}")]


def test_the_operator_says_after_how_many_days(shipped: Scrubber) -> None:
    assert [severity for severity, _ in freshness(scrubbed(loaded(shipped, 0), "20241001"))] == ["warn"]
    assert [severity for severity, _ in freshness(scrubbed(loaded(shipped, 1), "20241001"))] == ["info"]
    assert [severity for severity, _ in freshness(scrubbed(loaded(shipped, None), "20260930"))] == ["info"]


def test_starter_tables_never_warn(shipped: Scrubber) -> None:
    assert freshness(scrubbed(replace(shipped, stale_after=0), "20260930")) == [
        ("info", "reference-table-past-last-release")
    ]


def test_starter_tables_and_loaded_ones_are_told_together(shipped: Scrubber) -> None:
    result = scrubbed(loaded(shipped, None, only="ncci-ptp"), "20250312")
    (finding,) = ended(result)
    assert finding.rule.severity == "info"
    assert "ncci-ptp 2024Q3" in finding.message
    assert "ncci-mue 2024Q3" in finding.message


@pytest.mark.parametrize("typed", [True, False])
def test_a_finding_says_that_its_row_was_carried_forward(shipped: Scrubber, typed: bool) -> None:
    scrubber = shipped if typed else loaded(shipped)
    finding = too_many_units(scrubbed(scrubber, "20250312", units="2"))
    assert finding.message.endswith("(By ncci-mue 2024Q3, carried forward to 2025-03-12.)")
    assert finding.evidence["carriedForward"] is True
    within = too_many_units(scrubbed(scrubber, LAST.isoformat().replace("-", ""), units="2"))
    assert "carried forward" not in within.message
    assert within.evidence["carriedForward"] is False


def test_a_finding_that_rests_on_no_table_says_nothing_of_them(shipped: Scrubber) -> None:
    result = scrubbed(loaded(shipped), "20250312", units="0")
    (finding,) = [finding for finding in result.findings if finding.rule.id == "x12-837p-units"]
    assert "carried forward" not in finding.message
