"""Running the test cases of rules: what passes, and what a failure says."""

from __future__ import annotations

from pathlib import Path

import pytest

from scrubber.authoring.run_tests import CaseResult, run_tests
from scrubber.errors import Faults
from scrubber.scrub import open_scrubber
from tests.support.rule_folders import CASES, PACK, RULE, put, rule_folder, with_lines


def run(folder: Path, cases: str, rule: str = RULE, pack: str = PACK) -> list[CaseResult]:
    rule_folder(folder, rule, cases, pack)
    return run_tests(open_scrubber(folder, None), folder)


def differences(folder: Path, case: str, rule: str = RULE) -> tuple[str, ...]:
    return run(folder, f"- name: x\n  claim: tbs\n{case}", rule)[0].differences


TWO = "  change: {line.1.units: 2}\n"


def test_cases_that_come_out_as_they_say(tmp_path: Path) -> None:
    results = run(tmp_path, CASES)
    assert [result.case for result in results] == ["two units", "three units", "one unit", "another code"]
    assert all(result.passed for result in results)
    assert [result.line for result in results] == [1, 5, 9, 12]
    assert {(result.rule, result.file) for result in results} == {
        ("sample-rule", "sample/family/sample-rule.test.yaml")
    }


def test_all_that_can_be_told_of_a_finding(tmp_path: Path) -> None:
    pointer = "/claimInformation/serviceLines/0/professionalService/procedureCode"
    told = (
        "{line: 1, severity: warn, at-risk: '17.80', liability: provider, related: [], message: bills 2 units, "
        f"pointer: {pointer}}}"
    )
    assert differences(tmp_path, f"{TWO}  finds: [{told}]\n") == ()


@pytest.mark.parametrize(
    "told",
    [
        "line: 2",
        "lines: []",
        "lines: [1, 2]",
        "line: 1, severity: deny",
        "line: 1, at-risk: '1.00'",
        "line: 1, at-risk: null",
        "line: 1, liability: patient",
        "line: 1, liability: null",
        "line: 1, related: [2]",
        "line: 1, message: three",
        "line: 1, pointer: /claimInformation",
    ],
)
def test_a_difference_says_what_was_expected_and_what_found(tmp_path: Path, told: str) -> None:
    expected, found = differences(tmp_path, f"{TWO}  finds: [{{{told}}}]\n")
    assert expected.startswith("expected finding: ")
    assert found.startswith(
        "found finding: line 1; severity warn; at-risk 17.80; liability provider; related []; message"
    )


def test_a_finding_too_many_and_one_too_few(tmp_path: Path) -> None:
    assert differences(tmp_path / "many", f"{TWO}  finds: []\n")[0].startswith("found finding: line 1")
    assert differences(tmp_path / "few", "  finds: [{line: 1}]\n") == ("expected finding: line 1",)
    assert differences(tmp_path / "twice", f"{TWO}  finds: [{{line: 1}}, {{line: 1}}]\n") == (
        "expected finding: line 1",
    )


ELEMENTS = with_lines(
    RULE,
    scope="scope: element",
    applies="applies: {fault: [X]}",
    when="when: {fact: element, any: [service-date, billing-npi, rendering-npi]}",
    message='message: "The {label} cannot be right."',
)
AHEAD = ELEMENTS.replace("[X]", "future")
MISTYPED = ELEMENTS.replace("[X]", "check-digit")


def test_the_most_exact_expectation_is_matched_first(tmp_path: Path) -> None:
    case = "  change: {billing.npi: 1234567890, rendering.npi: 1234567890}\n"
    finds = "  finds: [{lines: []}, {lines: [], message: billing}]\n"
    assert differences(tmp_path, case + finds, MISTYPED) == ()


NEEDS = with_lines(
    RULE,
    when="when: {fact: calculatedBy, is: self}",
    needs="needs: [calculatedBy]",
    not_checked="not-checked: Line {line} does not say who calculated.",
)


def test_what_was_not_checked(tmp_path: Path) -> None:
    left_out = "  without: [documentation.calculatedBy]\n"
    told = "{line: 1, missing: [calculatedBy]}"
    assert differences(tmp_path / "a", f"{left_out}  not-checked: [{told}]\n", NEEDS) == ()
    assert differences(tmp_path / "b", f"{left_out}  finds: []\n", NEEDS) == ()
    assert differences(tmp_path / "c", f"{left_out}  not-checked: []\n", NEEDS)[0].startswith(
        "found not checked: line 1"
    )
    few = differences(tmp_path / "d", f"{left_out}  finds: [{{line: 1}}]\n", NEEDS)
    assert few[0] == "expected finding: line 1"
    assert few[1].startswith("found not checked: line 1; missing [calculatedBy]")
    assert differences(tmp_path / "d", f"  not-checked: [{told}]\n", NEEDS)[0].startswith(
        "expected not checked: line 1"
    )


def test_without_finds_nothing_may_be_found(tmp_path: Path) -> None:
    found = differences(tmp_path, "  change: {documentation.calculatedBy: self}\n  not-checked: []\n", NEEDS)
    assert [one.split(":")[0] for one in found] == ["found finding"]


@pytest.mark.parametrize("status", ["draft", "shadow", "deprecated"])
def test_a_rule_runs_in_its_own_cases_whatever_its_status(tmp_path: Path, status: str) -> None:
    put(tmp_path, "sample/sample-next.yaml", with_lines(RULE, id="id: sample-next", title="title: Next"))
    rule = with_lines(RULE, status=f"status: {status}", superseded_by="superseded-by: sample-next")
    assert [result.passed for result in run(tmp_path, CASES, rule)] == [True] * 4


IN_LIST = with_lines(RULE, applies="applies: {procedure: {any-in: tbs}}")


def test_rows_that_hold_for_one_case_only(tmp_path: Path) -> None:
    cases = (
        f"- name: listed\n  claim: tbs\n{TWO}  finds: [{{line: 1}}]\n"
        "  tables: {sample/lists.csv: [{list: tbs, code: '77092', source: x}]}\n"
        f"- name: not listed\n  claim: tbs\n{TWO}  finds: []\n"
    )
    assert [result.differences for result in run(tmp_path, cases, IN_LIST)] == [(), ()]


DOSES = "{about: Doses., keys: {code: {type: procedure, through: last}}, columns: {most: number}, answers: one}"
OWN_TABLE = with_lines(PACK, tables=f'tables: {{lists.csv: code-lists, doses.csv: {DOSES}}}\ngrammar: "2"')
OVER_DOSE = with_lines(
    RULE,
    applies="applies: {procedure: '77092'}\nlook-up:\n  dose: {in: doses, for: {code: procedure}}",
    when="when: {fact: units, over: {fact: dose.most}}",
)


def test_rows_of_a_declared_table_that_hold_for_one_case_only(tmp_path: Path) -> None:
    """They go in place of the row with the same key, whether the file has one or not; the next case has the file's."""
    put(tmp_path, "sample/tables/doses.csv", "code,last,most,since,until,source\n77092,,5,,,sample\n")
    cases = (
        f"- name: fewer\n  claim: tbs\n{TWO}  finds: [{{line: 1}}]\n"
        "  tables: {sample/doses.csv: [{code: '77092', most: 1}]}\n"
        f"- name: of the file\n  claim: tbs\n{TWO}  finds: []\n"
        f"- name: ended\n  claim: tbs\n{TWO}  finds: []\n"
        "  tables: {sample/doses.csv: [{code: '77092', most: 1, until: 2020-01-01}]}\n"
    )
    assert [result.differences for result in run(tmp_path, cases, OVER_DOSE, OWN_TABLE)] == [(), (), ()]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{code: '77092', must: 1}", "there is no column must"),
        ("{code: 7709, most: 1}", "code: `7709` is no procedure code"),
        ("{code: '77092', most: many}", "most: `many` is no whole number"),
    ],
)
def test_a_row_of_a_declared_table_is_read_as_its_file_is(tmp_path: Path, row: str, said: str) -> None:
    put(tmp_path, "sample/tables/doses.csv", "code,last,most,since,until,source\n77092,,5,,,sample\n")
    cases = f"- name: wrong\n  claim: tbs\n  tables: {{sample/doses.csv: [{row}]}}\n  finds: []\n"
    with pytest.raises(Faults) as caught:
        run(tmp_path, cases, OVER_DOSE, OWN_TABLE)
    assert said in str(caught.value)


def test_a_row_takes_from_the_one_it_replaces(tmp_path: Path) -> None:
    cases = (
        "- name: ended\n  claim: tbs\n  change: {line.1.units: 2, line.1.procedure: '77089'}\n"
        "  tables: {sample/lists.csv: [{list: tbs, code: '77089', until: 2025-01-01}]}\n  finds: []\n"
        "- name: in force\n  claim: tbs\n  change: {line.1.units: 2, line.1.procedure: '77089'}\n  finds: [{line: 1}]\n"
    )
    assert [result.differences for result in run(tmp_path, cases, IN_LIST)] == [(), ()]


def test_a_new_row_must_be_whole(tmp_path: Path) -> None:
    case = "  tables: {sample/lists.csv: [{list: tbs, code: '1'}]}\n  finds: []\n"
    assert differences(tmp_path, case) == ("a new row of code-lists needs the column source",)


def test_the_day_it_was_received(tmp_path: Path) -> None:
    ahead = "  change: {line.1.date: 2025-04-01}\n"
    plain = "  without: [received-on]\n"
    assert differences(tmp_path / "default", f"{ahead}{plain}  finds: []\n", AHEAD) == ()
    assert (
        differences(tmp_path / "case", f"{ahead}{plain}  received-on: 2025-03-31\n  finds: [{{line: 1}}]\n", AHEAD)
        == ()
    )
    body = "  change: {line.1.date: 2025-04-01, received-on: 2025-03-31}\n  finds: [{line: 1}]\n"
    assert differences(tmp_path / "body", body, AHEAD) == ()


def test_a_case_that_makes_no_claim_fails_and_says_why(tmp_path: Path) -> None:
    assert differences(tmp_path / "a", "  without: [line.1]\n  finds: []\n")[0].startswith("not a claim: ")
    assert differences(tmp_path / "b", "  without: [line.7]\n  finds: []\n")[0].startswith(
        "line.7: there is no /claimInf"
    )


def test_chosen_rules_only(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path)
    put(folder, "sample/other-rule.yaml", with_lines(RULE, id="id: other-rule", title="title: Other"))
    put(folder, "sample/other-rule.test.yaml", CASES)
    scrubber = open_scrubber(folder, None)
    assert len(run_tests(scrubber, folder)) == 8
    assert {result.rule for result in run_tests(scrubber, folder, ["other-rule"])} == {"other-rule"}
    with pytest.raises(Faults, match="nobody: there is no such rule"):
        run_tests(scrubber, folder, ["nobody"])


def test_every_fault_of_every_test_file_is_told(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path, cases="- name: x\n")
    put(folder, "sample/gone.test.yaml", CASES)
    with pytest.raises(Faults) as caught:
        run_tests(open_scrubber(folder, None), folder)
    assert {fault.file for fault in caught.value.faults} == {
        "sample/family/sample-rule.test.yaml",
        "sample/gone.test.yaml",
    }
