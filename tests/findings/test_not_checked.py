"""What an answer says was not checked: by rule and line, why, and what would settle it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from scrubber.claim import read_v3
from scrubber.claim.model import MOST_LINES
from scrubber.findings import NotChecked, ScrubResult
from scrubber.findings.finding import WHYS
from scrubber.findings.not_checked import tables_of
from scrubber.reference import Reference
from scrubber.reference.releases import Timeline
from scrubber.reference.tables import TABLES
from scrubber.rulebook.vocabulary import KINDS
from scrubber.scrub import Scrubber
from tests.support.claims import office_claim, tbs_claim

DAY = date(2025, 3, 14)
BEFORE_ALL = "20230801"  # before the first release of each starter table that has one


def scrubbed(scrubber: Scrubber, body: dict[str, Any]) -> ScrubResult:
    return scrubber.scrub(read_v3(body), DAY)


def lines_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = body["claimInformation"]["serviceLines"]
    return lines


def of(result: ScrubResult, why: str) -> list[NotChecked]:
    assert why in WHYS
    return [item for item in result.not_checked if item.why == why]


def test_tables_that_fields_name_are_reference_tables() -> None:
    named = {table for kind in KINDS.values() for field in kind.fields.values() for table in field.tables}
    assert named
    assert named <= TABLES.keys()


def test_a_table_that_does_not_reach_the_day_stands_by_rule_and_line(shipped: Scrubber) -> None:
    body = office_claim()
    lines_of(body)[0]["serviceDate"] = BEFORE_ALL
    result = scrubbed(shipped, body)
    mue = [item for item in of(result, "table-does-not-reach") if item.rule.id == "cms-ncci-mue-line"]
    assert [(item.lines, item.missing) for item in mue] == [((1,), ("ncci-mue",))]
    assert "no loaded release of ncci-mue reaches 2023-08-01" in mue[0].message


def test_rules_on_diagnoses_that_no_list_reaches_stand_with_the_lines_that_point_to_any(shipped: Scrubber) -> None:
    result = scrubbed(shipped, tbs_claim())  # the starter's list of diagnoses begins with October 2025
    rows = {item.rule.id: item for item in of(result, "table-does-not-reach")}
    assert rows.keys() == {
        rule.id
        for rule in shipped.rulebook.active
        if "icd10cm" in tables_of(rule) or "icd10cm-notes" in tables_of(rule)
    }
    assert rows["icd10cm-header"].lines == (1,)


def test_every_table_reaches_the_day(shipped: Scrubber) -> None:
    body = tbs_claim()
    lines_of(body)[0]["serviceDate"] = "20251112"
    assert of(scrubbed(shipped, body), "table-does-not-reach") == []


def test_one_line_alone_has_no_pair_that_a_table_could_have_named(shipped: Scrubber) -> None:
    body = tbs_claim()
    lines_of(body)[0]["serviceDate"] = BEFORE_ALL
    assert not [item for item in scrubbed(shipped, body).not_checked if item.rule.scope == "pair"]
    body = office_claim()
    for line in lines_of(body):
        line["serviceDate"] = BEFORE_ALL
    pairs = [item for item in scrubbed(shipped, body).not_checked if item.rule.id == "cms-ncci-ptp-column-two"]
    assert {item.missing for item in pairs} == {("ncci-ptp",)}
    assert [item.lines for item in pairs] == [(number,) for number in range(1, len(lines_of(body)) + 1)]


def test_a_payer_that_does_not_apply_the_edits_is_not_told_of_them(shipped: Scrubber) -> None:
    body = office_claim()
    body["claimInformation"]["claimFilingCode"] = "CI"
    for line in lines_of(body):
        line["serviceDate"] = BEFORE_ALL
    assert not [item for item in of(scrubbed(shipped, body), "table-does-not-reach") if item.rule.pack == "cms-ncci"]


def test_a_table_that_is_not_there_is_told_apart(shipped: Scrubber) -> None:
    reference = shipped.reference
    others = Timeline(release for release in reference.releases() if release.table != "ncci-mue")
    without = replace(shipped, reference=Reference(reference.backend, others))
    rows = of(scrubbed(without, office_claim()), "no-table")
    assert {item.missing for item in rows} == {("ncci-mue",)}
    assert all("no release of ncci-mue is loaded" in item.message for item in rows)


def test_what_cannot_be_read_is_told_as_such(shipped: Scrubber) -> None:
    body = tbs_claim()
    lines_of(body)[0]["professionalService"]["serviceUnitCount"] = "some"
    rows = of(scrubbed(shipped, body), "unreadable")
    assert rows
    assert all("units" in item.missing for item in rows)


def test_what_was_not_supplied_is_told_as_such(shipped: Scrubber) -> None:
    body = tbs_claim()
    del body["scrubContext"]["documentation"]
    rows = of(scrubbed(shipped, body), "not-supplied")
    assert "documentation-tbs-number" in {item.rule.id for item in rows}


def test_a_payer_of_no_known_kind(shipped: Scrubber) -> None:
    body = tbs_claim()
    body["claimInformation"]["claimFilingCode"] = "ZZ"
    body["scrubContext"].pop("eligibility", None)
    body["scrubContext"]["abn"] = []
    lines_of(body)[0]["professionalService"]["procedureModifiers"] = ["GA"]
    rows = {item.rule.id: item for item in of(scrubbed(shipped, body), "payer-unknown")}
    assert rows["medicare-abn-ga-without-abn"].missing == ("filing-indicator",)
    assert rows["medicare-abn-ga-without-abn"].lines == (1,)
    assert "medicare-abn-gy" not in rows, "it would not fire whoever pays"


def test_a_payer_of_which_no_row_says_whether_it_applies_the_edits(shipped: Scrubber) -> None:
    body = tbs_claim()
    body["claimInformation"]["claimFilingCode"] = "CI"
    body["scrubContext"].pop("eligibility", None)
    lines_of(body)[0]["professionalService"]["serviceUnitCount"] = "2"
    (row,) = of(scrubbed(shipped, body), "adoption-unknown")
    assert (row.rule.id, row.missing) == ("cms-ncci-mue-day-clinical", ("adoption",))
    assert ".csv" not in row.message, "it is read by people who have no tables"


def test_a_rule_that_fired_on_a_line_was_checked_there(shipped: Scrubber) -> None:
    body = tbs_claim()
    lines_of(body)[0]["serviceDate"] = BEFORE_ALL
    lines_of(body)[0]["professionalService"]["serviceUnitCount"] = "2"
    result = scrubbed(shipped, body)
    fired = {(finding.rule.id, line) for finding in result.findings for line in finding.lines}
    assert not fired & {(item.rule.id, line) for item in result.not_checked for line in item.lines}


def test_each_of_fifty_lines_has_a_row_for_each_rule(shipped: Scrubber) -> None:
    body = tbs_claim()
    body["claimInformation"]["serviceLines"] = lines_of(body) * MOST_LINES
    body["scrubContext"]["documentation"] = []
    rows = [item for item in scrubbed(shipped, body).not_checked if item.rule.id == "documentation-tbs-number"]
    assert [item.lines for item in rows] == [(number,) for number in range(1, MOST_LINES + 1)]
