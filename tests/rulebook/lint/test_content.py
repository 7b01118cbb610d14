"""Lint: what must not stand in rules and tables: codes without quotes, wording of others, data of persons, gaps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scrubber.errors import Fault
from scrubber.rulebook.lint import lint
from tests.support.rule_folders import CASES, LISTS, PACK, RULE, put, rule_folder, with_lines

FILE = "sample/family/sample-rule.yaml"
TESTS = "sample/family/sample-rule.test.yaml"


def the_fault(folder: Path) -> Fault:
    faults = lint(folder)
    assert len(faults) == 1, faults
    return faults[0]


def saying(text: str, key: str = "message") -> str:
    return with_lines(RULE, **{key.replace("-", "_"): f"{key}: {json.dumps(text)}"})


# Codes stand in quotes


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ({"applies": "applies: {procedure: {any: [77092]}}"}, "77092"),
        ({"applies": "applies: {procedure: 77092}"}, "77092"),
        ({"applies": "applies: {modifiers: {any: [NO]}}"}, "NO"),
        ({"applies": "applies: {diagnoses: {any: [2025-01-01]}}"}, "2025-01-01"),
        ({"applies": "applies: {place: {is: 011}}"}, "011"),
        ({"when": "when: {fact: place, is: 089}"}, "089"),
        ({"when": 'when: {any: [{fact: place, any: [1e3]}, {fact: place, is: "11"}]}'}, "1e3"),
        ({"reason": 'reason: {group: CO, carc: 236}'}, "236"),
        ({"claim_status": 'claim-status: {category: A7, code: 021}'}, "021"),
    ],
)  # fmt: skip
def test_a_code_stands_in_quotes(tmp_path: Path, lines: dict[str, str], code: str) -> None:
    rule = with_lines(RULE, **lines)
    (found,) = (fault for fault in lint(rule_folder(tmp_path, rule)) if "stands in quotes" in fault.message)
    assert f'write "{code}"' in found.message
    assert (found.file, code in rule.splitlines()[found.line - 1]) == (FILE, True)


@pytest.mark.parametrize(
    "change",
    [
        "change: {line.1.procedure: 77089}",
        "change: {line.1.modifiers: [059]}",
        "change: {billing.npi: 1234567893}",
        "change: {diagnoses: [2E10]}",
        "lines: [{procedure: 77080}]",
        "tables: {sample/lists.csv: [{list: tbs, code: 77092}]}",
    ],
)
def test_a_code_of_a_case_stands_in_quotes(tmp_path: Path, change: str) -> None:
    cases = f"{CASES}- name: x\n  claim: tbs\n  finds: []\n  {change}\n"
    found = the_fault(rule_folder(tmp_path, cases=cases))
    assert (found.file, found.line) == (TESTS, len(cases.splitlines()))
    assert "stands in quotes" in found.message


def test_numbers_days_and_words_need_no_quotes(tmp_path: Path) -> None:
    whens = "{all: [{fact: units, over: 1}, {fact: day, before: 2026-01-01}, {fact: modifierUnknown, is: no}]}"
    cases = CASES + "- {name: x, claim: tbs, finds: [], change: {line.1.charge: 10, line.1.units: 1}}\n"
    assert lint(rule_folder(tmp_path, with_lines(RULE, when=f"when: {whens}"), cases)) == []


def test_a_long_list_belongs_in_a_table(tmp_path: Path) -> None:
    for count, faults in (12, 0), (13, 1):
        codes = ", ".join(f'"{number}"' for number in range(77080, 77080 + count))
        rule = with_lines(RULE, applies=f"applies: {{procedure: {{any: [{codes}]}}}}")
        found = lint(rule_folder(tmp_path / str(count), rule))
        assert ["`any-in`" in one.message for one in found] == [True] * faults


# The AMA's wording: the descriptions here are of codes that there are not


@pytest.mark.parametrize(
    "text",
    [
        "98765: Wobble absorptiometry (WXA), spoon density study of the upper and lower drawer",
        "Line {line}: 98765 - wobble absorptiometry with technical preparation of spoons for later stirring",
        "Bill 98765 (wobble absorptiometry, spoon density study, upper and lower drawer) instead.",
        "0999T, Wobble absorptiometry with spoon density study and technical preparation of drawers",
        "98765 means wobble absorptiometry with spoon density study and technical preparation",
        'The book says of 98765: "a wobble absorptiometry is made of the spoons in the drawer".',
        "Spoon density study, 1 or more sites",
        "Wobble of spoon (List separately in addition to the code for the drawer)",
        "Spoon study, including stirring of tea and milk, when performed",
    ],
)
@pytest.mark.parametrize("key", ["title", "message", "false-alarms"])
def test_a_text_that_reads_like_the_amas(tmp_path: Path, text: str, key: str) -> None:
    text = text if key == "message" else text.replace("{line}", "1")
    found = the_fault(rule_folder(tmp_path, saying(text, key)))
    assert "AMA's wording" in found.message


def test_the_amas_wording_in_the_name_of_a_case(tmp_path: Path) -> None:
    name = "98765 - wobble absorptiometry with spoon density study of upper drawer"
    assert "AMA's wording" in the_fault(rule_folder(tmp_path, cases=CASES.replace("two units", name))).message


@pytest.mark.parametrize(
    "text",
    [
        "Line {line} (77089) is bundled into line 1 (77092); no modifier separates them.",
        "Line {line} bills 77089: the report states no number for the score that it speaks of.",
        "If this entity calculated and interpreted, bill 77089 alone; if it only interpreted, bill 77092 alone.",
        "Codes 77089, 77090, 77091 and 77092 of one study are not for one entity.",
        "77080 (bone density of hips and spine) may be billed beside it.",
        'Say "see the report of the technologist who made the study" in the note.',
        "Hold the line until the author adds the measured score and what it means for fracture risk.",
    ],
)
def test_sentences_of_our_own(tmp_path: Path, text: str) -> None:
    assert lint(rule_folder(tmp_path, saying(text))) == []


# Data of persons


@pytest.mark.parametrize(
    "text",
    [
        "As for 123-45-6789.",
        "As for 1EG4-TE5-MK73.",
        "As for 1EG4TE5MK73.",
        "The patient, born 1950-02-03, is covered.",
        "DOB 2/3/50",
        "Seen on 03/12/2025.",
        "Ask pat.placeholder@clinic.example.",
        "Provider 1234567893 bills it.",
    ],
)
def test_no_data_of_persons_in_a_text(tmp_path: Path, text: str) -> None:
    found = the_fault(rule_folder(tmp_path / "rule", saying(text)))
    assert "data of persons stays out of rules" in found.message
    assert (
        "data of persons" in the_fault(rule_folder(tmp_path / "case", cases=CASES.replace("two units", text))).message
    )


@pytest.mark.parametrize("name", ["patientName", "birthDate", "memberId", "subscriber", "npi"])
def test_no_fact_prints_who_the_patient_is(tmp_path: Path, name: str) -> None:
    found = lint(rule_folder(tmp_path, saying(f"Line {{line}} of {{{name}}}.")))
    assert any("would print data of a person" in one.message for one in found)


@pytest.mark.parametrize(
    "text", ["From 2025-03-12 on, 1234567890 is no NPI.", "12-3456789 and 5,000 units; call it 77092-26 {{name}}."]
)
def test_other_numbers_are_none_of_persons(tmp_path: Path, text: str) -> None:
    assert lint(rule_folder(tmp_path, saying(text))) == []


def test_an_owner_is_a_role(tmp_path: Path) -> None:
    assert "a role" in the_fault(rule_folder(tmp_path, with_lines(RULE, owner="owner: pat@clinic.example"))).message


# Tables

LIMITS = "name,value,since,until,source\n"
POLICIES = (
    "code,payer,line_of_business,plan,contractor,status,effect,diagnosis_list,frequency,since,until,authority,title,"
    "locator,url,retrieved,binding\n"
)


def with_table(folder: Path, kind: str, text: str) -> Path:
    rule_folder(folder, pack=with_lines(PACK, tables=f"tables: {{lists.csv: code-lists, more.csv: {kind}}}"))
    put(folder, "sample/tables/more.csv", text)
    return folder


@pytest.mark.parametrize(
    ("kind", "text", "line", "said"),
    [
        ("limits", f"{LIMITS}a,1,2024-01-01,2024-06-01,x\na,2,2024-07-01,,x\n", 3, "from 2024-06-01 to the day before"),
        ("limits", f"{LIMITS}a,1,2024-01-01,2024-06-02,x\na,2,2024-06-01,,x\n", 3, "on which line 2 is, too"),
        ("limits", f"{LIMITS}a,1,2024-01-01,,x\na,2,2024-06-01,,x\n", 3, "on which line 2 is, too"),
        ("limits", f"{LIMITS}a,1,2024-02-30,,x\n", 2, "since: is no day of the calendar"),
        ("limits", f"{LIMITS}a,one,,,x\n", 2, "value: expected a number"),
        ("limits", "name,worth,since,until,source\na,1,,,x\n", 1, "lacks the column value"),
        ("limits", f"{LIMITS}a,1,2024-02-01,2024-01-01,x\n", 2, "until: must be a later day"),
        ("policies", f"{POLICIES}77092,Nobody,,,,unknown,warn,,,,,advice,t,,,2026-11-22,no\n", 2, "payer `Nobody`"),
        (
            "policies",
            f"{POLICIES}77092,,commercial,,,unknown,warn,,,,,advice,t,,,2026-11-22,no\n"
            "77092,,commercial,,,covered,warn,,,2025-01-01,,advice,t,,,2026-11-22,no\n",
            3,
            "on which line 2 is, too",
        ),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_meant(tmp_path: Path, kind: str, text: str, line: int, said: str) -> None:
    faults = lint(with_table(tmp_path, kind, text))
    assert ("sample/tables/more.csv", line) in [(one.file, one.line) for one in faults]
    assert any(said in one.message for one in faults), faults


def test_a_gap_between_two_files(tmp_path: Path) -> None:
    folder = with_table(tmp_path, "limits", f"{LIMITS}a,1,2024-01-01,2024-06-01,x\n")
    tables = "tables: {lists.csv: code-lists, more.csv: limits, most.csv: limits}"
    put(folder, "sample/pack.yaml", with_lines(PACK, tables=tables))
    put(folder, "sample/tables/most.csv", f"{LIMITS}a,2,2025-01-01,,x\n")
    assert "line 2 of sample/tables/more.csv" in the_fault(folder).message


def test_rows_that_meet_leave_no_gap(tmp_path: Path) -> None:
    rows = f"{LIMITS}a,1,2024-01-01,2024-06-01,x\na,2,2024-06-01,,x\nb,1,,2024-01-01,x\nc,1,2025-01-01,,x\n"
    assert lint(with_table(tmp_path, "limits", rows)) == []


def test_a_code_may_leave_a_list_and_come_back(tmp_path: Path) -> None:
    lists = f"{LISTS}tbs,99999,,2024-01-01,2024-06-01,x\ntbs,99999,,2025-01-01,,x\n"
    assert lint(rule_folder(tmp_path, lists=lists)) == []


# Values of test cases


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("line.1.date", "2025-02-30", "no day of the calendar"),
        ("abn.signed", "soon", "no day of the calendar"),
        ("documentation.separateReport", "perhaps", "is yes, no or null"),
        ("line.1.modifiers", "{a: b}", "one text or a list of texts"),
        ("diagnoses", "M81", "a list of codes"),
        ("documentation", "none", "one block or a list"),
    ],
)
def test_a_value_that_its_path_cannot_have(tmp_path: Path, path: str, value: str, said: str) -> None:
    cases = f"{CASES}- name: x\n  claim: tbs\n  finds: []\n  change:\n    line.1.units: 1\n    {path}: {value}\n"
    found = the_fault(rule_folder(tmp_path, cases=cases))
    assert (found.file, found.line) == (TESTS, len(cases.splitlines()))
    assert said in found.message
    assert "JSON pointer" in found.message


def test_a_day_of_an_added_line(tmp_path: Path) -> None:
    cases = f'{CASES}- {{name: x, claim: tbs, finds: [], lines: [{{procedure: "77080", date: 2025-13-01}}]}}\n'
    assert "date: is no day" in the_fault(rule_folder(tmp_path, cases=cases)).message


@pytest.mark.parametrize("value", ["null", '""', "2025-03-11"])
def test_a_day_may_be_there_absent_or_blank(tmp_path: Path, value: str) -> None:
    cases = f"{CASES}- {{name: x, claim: tbs, finds: [], change: {{abn.signed: {value}}}}}\n"
    assert lint(rule_folder(tmp_path, cases=cases)) == []


# Base claims


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"claimInformation": {"serviceLines": []}}', "[" * 100_000])
def test_a_base_claim_that_is_none(tmp_path: Path, text: str) -> None:
    folder = rule_folder(tmp_path)
    put(folder, "claims/tbs.json", text)
    found = the_fault(folder)
    assert found.file == "claims/tbs.json"
