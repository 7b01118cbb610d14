"""Medicaid's own NCCI edits: loaded apart, in force for Medicaid alone; where they are missing, nothing is silent."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from scrubber.claim import read_v3
from scrubber.errors import Faults
from scrubber.findings import ScrubResult
from scrubber.reference import Reference, open_reference
from scrubber.reference.load.format import StatedRelease
from scrubber.reference.pinned import PinnedRelease, available_releases, reference_with
from scrubber.rulebook.load import load_rulebook
from scrubber.scrub import Scrubber, assemble
from tests.conftest import ROOT
from tests.reference.load.test_loader import load_into
from tests.support.ncci_files import mue_text, ptp_file, ptp_line, ptp_text
from tests.test_promises import Body, claim_of, line

DAY = date(2025, 3, 12)
RECEIVED = date(2026, 11, 22)
QUARTER = StatedRelease("2025Q1", date(2025, 1, 1), date(2025, 4, 1))
WHOLE_AND_PART = {"77092", "77089"}  # bundled by Medicare's starter tables
STUDY_AND_SCORE = {"77080", "77092"}  # by Medicaid's made up here


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A place that has Medicaid's edits and none of Medicare's."""
    folder = tmp_path / "store"
    folder.mkdir()
    pairs, units = tmp_path / "pairs.txt", tmp_path / "units.csv"
    pairs.write_text(ptp_text([ptp_line("77080", "77092", "20200101")]), newline="")
    units.write_text(mue_text("77080,3,3 Date of Service Edit: Clinical,Made Up\n"))
    load_into(folder, "ncci-ptp-medicaid", pairs, chosen=QUARTER)
    load_into(folder, "ncci-mue-medicaid", units, chosen=QUARTER)
    return folder


@pytest.fixture
def adopting(tmp_path: Path) -> Path:
    """The shipped rules with a row that says that Medicaid applies the NCCI edits."""
    rules = tmp_path / "rules"
    shutil.copytree(ROOT / "rules", rules)
    with (rules / "payers" / "tables" / "adoptions.csv").open("a") as rows:
        rows.write("cms-ncci,,medicaid,,,yes,,,a made-up state\n")
    return rules


def opened(rules: Path, reference: Reference) -> Scrubber:
    return assemble(load_rulebook(rules), reference)


def scrubbed(scrubber: Scrubber, *lines: Body, filing: str = "MC") -> ScrubResult:
    body = claim_of(*lines)
    body["claimInformation"]["claimFilingCode"] = filing
    return scrubber.scrub(read_v3(body), RECEIVED)


def by_edits(result: ScrubResult) -> dict[str, str]:
    return {
        finding.rule.id: finding.rule.severity
        for finding in result.findings
        if finding.rule.pack in ("cms-ncci", "medicaid-ncci") and finding.rule.category in ("bundling", "units")
    }


def test_each_payers_edits_answer_for_it_alone(store: Path) -> None:
    reference = open_reference(str(store))
    assert list(reference.ptp_among(WHOLE_AND_PART | STUDY_AND_SCORE, DAY, DAY)) == [("77092", "77089")]
    assert list(reference.medicaid.ptp_among(WHOLE_AND_PART | STUDY_AND_SCORE, DAY, DAY)) == [("77080", "77092")]
    medicares, medicaids = reference.mue("77080", DAY), reference.medicaid.mue("77080", DAY)
    assert medicares is not None
    assert medicaids is not None
    assert (medicares.units, medicaids.units) == (1, 3)
    assert medicaids.source == "CMS Medicaid NCCI practitioner MUE"
    assert reference.medicaid.table_status("ncci-ptp", DAY).state == "in-force"
    assert reference.medicaid.fee("77080", "", DAY) == reference.fee("77080", "", DAY)


def test_medicaids_edits_deny_where_a_row_says_that_the_payer_applies_them(store: Path, adopting: Path) -> None:
    scrubber = opened(adopting, open_reference(str(store)))
    assert by_edits(scrubbed(scrubber, line("77080"), line("77092"))) == {"cms-ncci-ptp-column-two": "deny"}
    assert by_edits(scrubbed(scrubber, line("77080", units="3"))) == {}
    assert by_edits(scrubbed(scrubber, line("77080", units="4"))) == {"cms-ncci-mue-day-clinical": "deny"}
    assert by_edits(scrubbed(scrubber, line("77089"), line("77092"))) == {}  # Medicaid's tables do not have it
    assert by_edits(scrubbed(scrubber, line("77080"), line("77092"), filing="MB")) == {}  # nor Medicare's the other


def test_without_a_row_nobody_knows_whether_a_state_or_plan_applies_them(store: Path) -> None:
    scrubber = opened(ROOT / "rules", open_reference(str(store)))
    result = scrubbed(scrubber, line("77080"), line("77092"))
    assert by_edits(result) == {}
    told = {(item.rule.id, item.lines): item.missing for item in result.not_checked}
    assert told["cms-ncci-ptp-column-two", (2,)] == ("adoption",)


def test_medicares_tables_warn_on_a_medicaid_claim_and_say_that_its_own_were_not_asked(shipped: Scrubber) -> None:
    result = scrubbed(shipped, line("77089"), line("77092"), line("77080", units="2"))
    assert by_edits(result) == {
        "medicaid-ncci-pair-by-medicare": "warn",
        "medicaid-ncci-units-by-medicare": "warn",
    }
    unasked = {(item.rule.id, line) for item in result.not_checked if item.why == "no-table" for line in item.lines}
    assert {("cms-ncci-ptp-column-two", 1), ("cms-ncci-mue-day-absolute", 3)} <= unasked
    (pair,) = [each for each in result.not_checked if each.rule.id == "cms-ncci-ptp-column-two" and each.lines == (1,)]
    assert pair.missing == ("ncci-ptp-medicaid",)
    assert pair.message.endswith("because no release of ncci-ptp-medicaid is loaded.")


def test_a_medicaid_claim_with_nothing_to_find_is_not_silently_unchecked(shipped: Scrubber) -> None:
    result = scrubbed(shipped, line("99213"))
    assert by_edits(result) == {}
    assert "cms-ncci-mue-day-clinical" in {item.rule.id for item in result.not_checked if item.why == "no-table"}
    medicares = scrubbed(shipped, line("99213"), filing="MB")
    assert not [item for item in medicares.not_checked if item.why == "no-table"]


def test_after_the_last_quarter_its_own_tables_are_carried_forward(store: Path, adopting: Path) -> None:
    scrubber = opened(adopting, open_reference(str(store)))
    result = scrubbed(scrubber, line("77080", day="20250601"), line("77092", day="20250601"))
    assert by_edits(result) == {"cms-ncci-ptp-column-two": "deny"}
    (finding,) = [each for each in result.findings if each.rule.id == "cms-ncci-ptp-column-two"]
    assert finding.evidence["release"] == "2025Q1"
    assert finding.message.endswith(" (By ncci-ptp-medicaid 2025Q1, carried forward to 2025-06-01.)")
    (ended,) = [each for each in result.findings if each.rule.id == "reference-table-past-last-release"]
    assert "ncci-ptp-medicaid 2025Q1" in ended.message
    before = scrubbed(scrubber, line("77089", day="20241201"), line("77092", day="20241201"))
    assert by_edits(before) == {"medicaid-ncci-pair-by-medicare": "warn"}  # before its first quarter


def test_answers_name_medicaids_releases_on_medicaid_claims_and_are_made_again_from_them(
    store: Path, adopting: Path
) -> None:
    scrubber = opened(adopting, open_reference(str(store)))
    medicares = scrubbed(scrubber, line("77080"), filing="MB").versions.reference
    assert not [used for used in medicares if used.table.endswith("-medicaid")]
    result = scrubbed(scrubber, line("77080"), line("77092"))
    used = {each.table: each for each in result.versions.reference}
    assert used["ncci-ptp-medicaid"].release == "2025Q1"
    at_hand = available_releases(str(store))
    held = [at_hand[PinnedRelease(each.table, each.release, each.sha256)] for each in result.versions.reference]
    again = opened(adopting, reference_with(held))
    assert by_edits(scrubbed(again, line("77080"), line("77092"))) == by_edits(result)


@pytest.mark.parametrize(("kind", "text"), [("ncci-ptp", ptp_text()), ("ncci-mue", mue_text())])
def test_a_file_that_is_medicaids_by_its_name_is_not_loaded_as_medicares(tmp_path: Path, kind: str, text: str) -> None:
    (tmp_path / "store").mkdir()
    store, file = tmp_path / "store", tmp_path / "medicaid-ncci-2025q1-practitioner.txt"
    file.write_text(text, newline="")
    with pytest.raises(Faults, match=f"of the other program by its name: load it as {kind}-medicaid"):
        load_into(store, kind, file, chosen=QUARTER)
    assert load_into(store, f"{kind}-medicaid", file, chosen=QUARTER).status == "loaded"
    unnamed = file.rename(tmp_path / "practitioner.txt")
    with pytest.raises(Faults, match=f"is loaded already as {kind}-medicaid 2025Q1"):
        load_into(store, kind, unnamed, chosen=QUARTER)


def test_medicares_files_are_not_loaded_as_medicaids(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    with pytest.raises(Faults, match="load it as ncci-ptp"):
        load_into(tmp_path / "store", "ncci-ptp-medicaid", ptp_file(tmp_path))
