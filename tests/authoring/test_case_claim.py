"""The claim of a test case: base claim, added lines, changes, omissions, and a total that fits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scrubber.authoring.case_claim import InvalidCase, base_claim, claim_of
from scrubber.claim import read_v3
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.test_case import Case, read_cases
from scrubber.rulebook.test_case_paths import PATHS, ValueForm, target
from tests.support.rule_folders import put, rule_folder

TESTS = "sample/family/sample-rule.test.yaml"


def case(folder: Path, changes: str) -> Case:
    """The one case of a folder whose test file says these changes."""
    put(rule_folder(folder), TESTS, f"- name: x\n  claim: tbs\n  finds: []\n{changes}")
    return read_cases(folder / TESTS, folder, load_rulebook(folder).packs)[0]


def body(folder: Path, changes: str = "") -> dict[str, Any]:
    return claim_of(case(folder, changes), folder)


def change(folder: Path, changes: str) -> dict[str, Any]:
    return body(folder, f"  change: {changes}\n")


def service(made: dict[str, Any], number: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = made["claimInformation"]["serviceLines"][number - 1]["professionalService"]
    return found


def test_a_case_without_changes_is_its_base_claim(tmp_path: Path) -> None:
    assert body(tmp_path) == base_claim(tmp_path, "tbs")


def test_scalars_of_a_line(tmp_path: Path) -> None:
    made = change(tmp_path, "{line.1.procedure: 0450T, line.1.units: 2, line.1.place: 11, line.1.modifiers: GA}")
    changed = service(made)
    assert (changed["procedureCode"], changed["serviceUnitCount"], changed["placeOfServiceCode"]) == (
        "0450T",
        "2",
        "11",
    )
    assert changed["procedureModifiers"] == ["GA"]


def test_dates_and_flags_are_written_as_json_has_them(tmp_path: Path) -> None:
    made = change(
        tmp_path,
        "{line.1.date: 2026-03-02, received-on: 2026-03-03, pricing.qualifyingApm: yes, "
        "documentation.separateReport: no, documentation.signature.date: 2026-03-02}",
    )
    assert made["claimInformation"]["serviceLines"][0]["serviceDate"] == "20260302"
    assert made["scrubContext"]["receivedOn"] == "20260303"
    assert made["scrubContext"]["pricing"] == {"qualifyingApm": True}
    elements = made["scrubContext"]["documentation"][0]["elements"]
    assert (elements["separateReport"], elements["signature"]["date"]) == (False, "20260302")


def test_a_date_that_is_none_stands_as_written(tmp_path: Path) -> None:
    made = change(tmp_path, "{/claimInformation/serviceLines/0/serviceDate: 2025-02-29}")
    assert made["claimInformation"]["serviceLines"][0]["serviceDate"] == "2025-02-29"


def test_null_states_absence_and_without_leaves_out(tmp_path: Path) -> None:
    made = body(tmp_path, "  change: {documentation.tbsValue: null}\n  without: [documentation.tScore]\n")
    elements = made["scrubContext"]["documentation"][0]["elements"]
    assert elements["tbsValue"] is None
    assert "tScore" not in elements


def test_a_notice_in_parts_and_as_a_whole(tmp_path: Path) -> None:
    parts = change(tmp_path / "parts", "{abn.option: 1, abn.signed: 2025-03-01}")
    whole = change(tmp_path / "whole", "{abn: {option: 1, signed: 2025-03-01}}")
    listed = change(tmp_path / "listed", "{abn: [{option: 1, signed: 2025-03-01}]}")
    assert parts["scrubContext"]["abn"] == [{"option": "1", "signed": "20250301"}]
    assert parts == whole == listed
    assert change(tmp_path / "none", "{abn: []}")["scrubContext"]["abn"] == []


def test_diagnoses_are_codes_the_first_of_them_principal(tmp_path: Path) -> None:
    made = change(tmp_path, "{diagnoses: [M85.80, E210], diagnosis.2.qualifier: BF}")
    assert made["claimInformation"]["healthCareCodeInformation"] == [
        {"diagnosisTypeCode": "ABK", "diagnosisCode": "M8580"},
        {"diagnosisTypeCode": "BF", "diagnosisCode": "E210"},
    ]


def test_a_line_of_its_own_provider_keeps_what_the_claim_says_of_the_other(tmp_path: Path) -> None:
    made = change(tmp_path, "{line.1.taxonomy: 2471B0102X}")
    rendering = made["claimInformation"]["serviceLines"][0]["renderingProvider"]
    assert rendering == {**made["rendering"], "taxonomyCode": "2471B0102X"}
    assert made["rendering"]["taxonomyCode"] != "2471B0102X"


def test_added_lines_are_plain_unless_they_say_otherwise(tmp_path: Path) -> None:
    made = body(
        tmp_path,
        "  lines: [{procedure: 77080, charge: 120.50, modifiers: [26, XS]}, {procedure: 77081, date: 2025-03-13}]\n",
    )
    first, second = service(made, 2), service(made, 3)
    assert (first["procedureCode"], first["lineItemChargeAmount"], first["procedureModifiers"]) == (
        "77080",
        "120.50",
        ["26", "XS"],
    )
    assert (second["serviceUnitCount"], second["measurementUnit"]) == ("1", "UN")
    days = [line["serviceDate"] for line in made["claimInformation"]["serviceLines"]]
    assert days == ["20250312", "20250312", "20250313"]
    claim = read_v3(made)
    assert (len(claim.lines), claim.unreadable, claim.normalised) == (3, (), ())


def test_lines_are_added_before_anything_is_changed(tmp_path: Path) -> None:
    made = body(tmp_path, "  lines: [{procedure: 77080}]\n  change: {line.2.units: 3}\n  without: [line.1]\n")
    assert [service(made)[name] for name in ("procedureCode", "serviceUnitCount")] == ["77080", "3"]
    assert len(made["claimInformation"]["serviceLines"]) == 1


@pytest.mark.parametrize(
    ("changes", "total"),
    [
        ("  lines: [{procedure: 77080, charge: 120.5}]\n", "180.50"),
        ("  change: {line.1.charge: 9.99}\n", "9.99"),
        ("  change: {line.1.charge: 9.99, claim.total: 5.00}\n", "5.00"),
        ("  change: {line.1.charge: 1e999999999}\n", "60.00"),
        ("  change: {line.1.charge: 9.99, /claimInformation/claimChargeAmount: x}\n", "x"),
        ("  change: {line.1.charge: much}\n", "60.00"),
        ("  change: {line.1.charge: NaN}\n", "60.00"),
        ("  without: [line.1.charge]\n", "60.00"),
        ("  without: [claim.total]\n", None),
    ],
)
def test_the_total_follows_the_lines(tmp_path: Path, changes: str, total: str | None) -> None:
    assert body(tmp_path, changes)["claimInformation"].get("claimChargeAmount") == total


def test_raw_pointers_reach_what_no_path_names(tmp_path: Path) -> None:
    made = change(
        tmp_path, "{/usageIndicator: T, /claimInformation/healthCareCodeInformation/-: {diagnosisCode: I10}, /a~1b: 1}"
    )
    assert (made["usageIndicator"], made["a/b"]) == ("T", "1")
    assert made["claimInformation"]["healthCareCodeInformation"][-1] == {"diagnosisCode": "I10"}


def test_days_of_the_history_and_of_hospice_care_become_days_of_the_claim(tmp_path: Path) -> None:
    service = "{code: 97110, date: 2024-01-02, units: 2, careFrom: 2024-01-01, careTo: 2024-02-01}"
    made = change(
        tmp_path,
        f"{{history: {service}, history-from: 2021-01-01, history-complete: yes, history-scope: payer,"
        " eligibility.hospice: {from: 2024-01-01, to: 2024-03-31}, eligibility.product: Sample Choice}",
    )["scrubContext"]
    assert made["history"] == [
        {"code": "97110", "date": "20240102", "units": "2", "careFrom": "20240101", "careTo": "20240201"}
    ]
    assert (made["historyFrom"], made["historyComplete"], made["historyScope"]) == ("20210101", True, "payer")
    assert made["eligibility"] == {"hospice": [{"from": "20240101", "to": "20240331"}], "product": "Sample Choice"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ("  change: {line.3.units: 2}\n", "^line.3.units: there is no line 3: add it"),
        ("  change: {line.2.units: 2}\n", "there is no line 2: add it under `lines`"),
        ("  change: {/claimInformation/serviceLines/x: 2}\n", "there is no /claimInformation/serviceLines/x"),
        ("  without: [history]\n", "there is no /scrubContext/history to leave out"),
        ("  without: [line.2]\n", "there is no /claimInformation/serviceLines/1 to leave out"),
    ],
)
def test_what_is_not_there_cannot_be_changed(tmp_path: Path, changes: str, said: str) -> None:
    with pytest.raises(InvalidCase, match=said):
        body(tmp_path, changes)


_VALUES = {ValueForm.DAY: "2025-03-12", ValueForm.FLAG: "yes", ValueForm.BLOCKS: "{from: 2025-03-12}"}


@pytest.mark.parametrize("path", sorted(PATHS))
def test_every_path_leads_to_a_place_that_intake_reads(tmp_path: Path, path: str) -> None:
    whole = "." not in path or any(other.startswith(f"{path}.") for other in PATHS) or path == "submitter.contact"
    value = "null" if whole else _VALUES.get(PATHS[path].form, "x")
    assert not read_v3(change(tmp_path, f"{{{path}: {value}}}")).unmapped


@pytest.mark.parametrize(
    "path", ["", "line", "line.0", "line.1.", "line.1.colour", "diagnosis.1.x", "tbsValue", "a/b", "/", "//"]
)
def test_other_paths_lead_nowhere(path: str) -> None:
    assert target(path) is None
