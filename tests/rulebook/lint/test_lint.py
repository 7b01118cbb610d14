"""Lint: what an author's folder of rules promises beyond what the loader needs, and the schemas that editors use."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from scrubber.claim.elements import CATALOGUE
from scrubber.errors import Fault
from scrubber.rulebook.field import with_hyphens
from scrubber.rulebook.json_schema import case_schema, rule_schema
from scrubber.rulebook.lint import lint, lint_report
from scrubber.rulebook.operators import OPERATORS
from scrubber.rulebook.vocabulary import KINDS
from scrubber.rulebook.yaml_file import read_yaml
from tests.support.rule_folders import CASES, LISTS, PACK, RULE, SHIPPED, put, rule_folder, with_lines

FILE = "sample/family/sample-rule.yaml"
TESTS = "sample/family/sample-rule.test.yaml"
CASES_LINE = "# yaml-language-server: $schema=../../rule-test.schema.json\n"
NO_ROWS = "list,code,through,since,until,source\n"  # a list that no rule names would be a warning


def the_fault(folder: Path) -> Fault:
    faults = lint(folder)
    assert len(faults) == 1, faults
    return faults[0]


def line_of(text: str, start: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith(start))


def test_a_folder_without_faults(tmp_path: Path) -> None:
    assert lint(rule_folder(tmp_path)) == []


def test_a_rule_that_can_never_fire(tmp_path: Path) -> None:
    when = 'when:\n  all:\n    - {fact: place, is: "11"}\n    - {fact: procedure, none: ["77092", "77089"]}'
    folder = rule_folder(tmp_path, with_lines(RULE, when=when))
    never = "can never fire: `procedure any [77092]` (line 15) and `procedure none [77092, 77089]` (line 19)"
    assert the_fault(folder) == Fault(FILE, 15, f"{never} never hold together")


@pytest.mark.parametrize(
    ("fact", "text", "said"),
    [
        ("procedure", '{any: ["77092", 77O92]}', "`77O92` is no procedure code"),
        ("procedure", '{any: ["7709"]}', "`7709` is no procedure code"),
        ("procedure", "{is-not: G01300}", "`G01300` is no procedure code"),
        ("modifiers", "{none: [xs]}", "`xs` is no modifier"),
        ("diagnoses", "{any: [M81.0]}", "`M81.0` is no diagnosis code"),
        ("place", "“22”", "`“22”` is no place of service"),
        ("contractor", '"1011"', "`1011` is no Medicare contractor"),
        ("payer", "Nobody", "no row of aliases names the payer `Nobody`"),
    ],
)
def test_a_value_that_no_claim_can_have(tmp_path: Path, fact: str, text: str, said: str) -> None:
    fault = the_fault(rule_folder(tmp_path, with_lines(RULE, applies=f"applies: {{{fact}: {text}}}")))
    assert (fault.file, fault.line) == (FILE, 15)
    assert said in fault.message


def test_codes_of_every_form(tmp_path: Path) -> None:
    codes = '["77092", "0001F", "0042T", "0001U", G0130, D0120]'
    when = 'when: {all: [{fact: modifiers, none: ["26", XS, F1]}, {fact: diagnoses, none: [M810, Z13820, S72001A]}]}'
    rule = with_lines(RULE, applies=f"applies: {{procedure: {{any: {codes}}}}}", when=when)
    assert lint(rule_folder(tmp_path, rule)) == []


def test_beginnings_and_patterns_of_codes_are_no_whole_codes(tmp_path: Path) -> None:
    """A code of another form is refused, but under `begins-with` and `like` no code stands."""
    when = 'when: {all: [{fact: procedure, begins-with: ["7709"]}, {fact: procedure, unlike: ["#708#"]}]}'
    assert lint(rule_folder(tmp_path, with_lines(RULE, when=when), pack=PACK + 'grammar: "2"\n')) == []


def test_a_rule_over_a_list_that_ended_before_its_first_day(tmp_path: Path) -> None:
    rule = with_lines(RULE, applies="applies: {procedure: {any-in: tbs}}")
    ended = "list,code,through,since,until,source\ntbs,77089,,,2022-01-01,sample\n"
    fault = the_fault(rule_folder(tmp_path, rule, lists=ended))
    assert (fault.line, fault.message.startswith("can never fire: `day on or after 2022-01-01`")) == (12, True)
    lasting = ended.replace("2022-01-01", "2022-01-02")
    assert lint(rule_folder(tmp_path, rule, lists=lasting)) == []


def test_faults_of_the_loader_and_of_lint_come_together(tmp_path: Path) -> None:
    rule = with_lines(RULE, owner="").replace("over: 1", "over: 5")
    folder = rule_folder(tmp_path, rule, CASES.replace("finds: []", "find: []"))
    assert [(one.file, one.line) for one in lint(folder)] == [
        (TESTS, 11),
        (TESTS, 15),
        (FILE, 2),
        (FILE, 15),
    ]


@pytest.mark.parametrize("number", ["0", "1", "0.0", "1.00"])
@pytest.mark.parametrize("word", ["over", "under", "at-least", "at-most"])
def test_zero_and_one_are_no_limits(tmp_path: Path, word: str, number: str) -> None:
    assert lint(rule_folder(tmp_path, with_lines(RULE, when=f"when: {{fact: units, {word}: {number}}}"))) == []


@pytest.mark.parametrize("key", ["when: {fact: units, at-most: 2}", "applies: {charge: {over: 0.5}}"])
def test_a_limit_belongs_in_a_table(tmp_path: Path, key: str) -> None:
    rule = with_lines(RULE, **{key.split(":")[0]: key})
    found = the_fault(rule_folder(tmp_path, rule))
    assert "belongs in a dated table" in found.message
    assert rule.splitlines()[found.line - 1] == key


def test_a_day_is_no_limit(tmp_path: Path) -> None:
    assert lint(rule_folder(tmp_path, with_lines(RULE, when="when: {fact: day, before: 2025-01-01}"))) == []


def test_the_name_of_a_rule_begins_with_its_pack(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path)
    (folder / FILE).rename(folder / "sample/family/other-rule.yaml")
    (folder / TESTS).rename(folder / "sample/family/other-rule.test.yaml")
    put(folder, "sample/family/other-rule.yaml", with_lines(RULE, id="id: other-rule"))
    found = the_fault(folder)
    assert (found.file, "begins with sample-" in found.message) == ("sample/family/other-rule.yaml", True)


def test_a_rule_without_tests(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path)
    (folder / TESTS).rename(folder / "sample/family/other-rule.test.yaml")
    assert [(one.file, "tests" in one.message) for one in lint(folder)] == [
        ("sample/family/other-rule.test.yaml", True),
        (FILE, True),
    ]


@pytest.mark.parametrize(("drop", "said"), [("two units", "cases that fire"), ("one unit", "cases that stay silent")])
def test_too_few_cases(tmp_path: Path, drop: str, said: str) -> None:
    cases = "- name: " + "- name: ".join(case for case in CASES.split("- name: ")[1:] if not case.startswith(drop))
    found = the_fault(rule_folder(tmp_path, cases=cases))
    assert said in found.message
    assert found.file == TESTS


@pytest.mark.parametrize(
    ("case", "line", "said"),
    [
        ("- {claim: tbs, finds: []}", 1, "name: is missing"),
        ("- {name: x, claim: tbs}", 1, "says nothing of what must come out"),
        ("- {name: two units, claim: tbs, finds: []}", 1, "this name is used above"),
        ("- {name: x, claim: nobody, finds: []}", 1, "there is no claims/nobody.json"),
        ("- {name: x, claim: ../tbs, finds: []}", 1, "Must be the name of a file"),
        ("- {name: x, claim: tbs, finds: [{}]}", 1, "needs either `line` or `lines`"),
        ("- {name: x, claim: tbs, finds: [{line: 1, lines: [1]}]}", 1, "needs either `line` or `lines`"),
        ("- {name: x, claim: tbs, finds: [{line: 0}]}", 1, "greater than or equal to 1"),
        ("- {name: x, claim: tbs, finds: [{line: 1, severity: error}]}", 1, "Must be one of: info"),
        ("- {name: x, claim: tbs, finds: [{line: 1, at-risk: 9.4}]}", 1, "Must be dollars such as 9.38"),
        ("- {name: x, claim: tbs, finds: [{line: 1, liability: nobody}]}", 1, "Must be one of: provider"),
        ("- {name: x, claim: tbs, finds: [], received-on: soon}", 1, "Not a date"),
        ("- {name: x, claim: tbs, finds: [], lines: [{units: 2}]}", 1, "needs a `procedure`"),
        ("- {name: x, claim: tbs, finds: [], lines: [{procedure: a, colour: red}]}", 1, "Must be one of: procedure"),
        ("- name: x\n  claim: tbs\n  finds: []\n  change:\n    abn: null\n    line.1.colour: red", 6, "leads nowhere"),
        ("- {name: x, claim: tbs, finds: [], change: {documentation.weather: fine}}", 1, "no family declares"),
        ("- {name: x, claim: tbs, finds: [], without: [line.0]}", 1, "leads nowhere"),
        ("- {name: x, claim: tbs, finds: [], tables: {sample/no.csv: []}}", 1, "no pack.yaml lists it"),
        ("- {name: x, claim: tbs, finds: [], tables: {no/lists.csv: []}}", 1, "no pack.yaml lists it"),
        ("- {name: x, claim: tbs, finds: [], tables: {sample/lists.csv: [{colour: red}]}}", 1, "there is no column"),
        ("- {name: x, claim: tbs, finds: [], tables: {sample/lists.csv: [{since: soon}]}}", 1, "since: expected a day"),
    ],
)  # fmt: skip
def test_a_case_that_cannot_be_meant(tmp_path: Path, case: str, line: int, said: str) -> None:
    found = the_fault(rule_folder(tmp_path, cases=CASES + case + "\n"))
    assert said in found.message
    assert (found.file, found.line) == (TESTS, len(CASES.splitlines()) + line)


@pytest.mark.parametrize(
    "first", ["# A rule", "# yaml-language-server: $schema=../rule.schema.json", "# yaml-language-server: $schema=x"]
)
def test_the_first_line_leads_editors_to_the_schema(tmp_path: Path, first: str) -> None:
    found = the_fault(rule_folder(tmp_path, RULE.replace(RULE.splitlines()[0], first)))
    assert (found.file, found.line) == (FILE, 1)
    assert "../../rule.schema.json" in found.message


def test_what_else_a_folder_needs(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path)
    (folder / "sample/CHANGES.md").unlink()
    assert [one.file for one in lint(folder)] == ["sample/CHANGES.md"]


def test_broken_files_of_every_kind_are_faults(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path, "a: [", "- b: [", "c: [", LISTS + '"')
    assert {one.file for one in lint(folder)} == {FILE, TESTS, "sample/pack.yaml"}


def test_a_review_is_good_for_a_year(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path, cases=CASES_LINE + CASES, lists=NO_ROWS)
    assert lint_report(folder, date(2027, 11, 22)).warnings == []
    found = lint_report(folder, date(2027, 11, 23))
    assert [(one.file, one.line) for one in found.warnings] == [(FILE, line_of(RULE, "reviewed"))]
    assert (found.faults, found.rules, found.packs) == ([], 1, 2)


def test_a_review_that_is_still_to_come(tmp_path: Path) -> None:
    found = lint_report(rule_folder(tmp_path, cases=CASES_LINE + CASES, lists=NO_ROWS), date(2026, 11, 1))
    assert [one.line for one in found.warnings] == [line_of(RULE, "reviewed")]


def plain_numbers(node: Any) -> Any:
    """What an editor makes of a document that our loader reads as texts."""
    if isinstance(node, dict):
        return {key: plain_numbers(value) for key, value in node.items()}
    if isinstance(node, list):
        return [plain_numbers(value) for value in node]
    return int(node) if isinstance(node, str) and node.isdecimal() else node


RULES = Draft202012Validator(rule_schema())
TEST_FILES = Draft202012Validator(case_schema())


def test_the_schemas_are_json_schemas() -> None:
    Draft202012Validator.check_schema(rule_schema())
    Draft202012Validator.check_schema(json.loads(json.dumps(case_schema())))


def test_the_schemas_take_what_the_loader_takes(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path)
    for validator, name in ((RULES, FILE), (TEST_FILES, TESTS)):
        content = read_yaml(folder / name, name).content
        assert list(validator.iter_errors(content)) == []
        assert list(validator.iter_errors(plain_numbers(content))) == []


@pytest.mark.parametrize(
    "lines",
    [
        {"severity": "severity: bad"},
        {"owner": ""},
        {"colour": "colour: red"},
        {"reviewed": "reviewed: yesterday"},
        {"when": "when: {fact: unitz, over: 1}"},
        {"when": "when: {fact: units, above: 1}"},
        {"when": "when: {fact: units}"},
        {"when": "when: {all: [{fact: setting, is: hospital}]}"},
        {"when": "when: {any: []}"},
        {"when": "when: {fact: procedure, over: 1}"},
        {"applies": "applies: {unitz: 1}"},
        {"applies": "applies: {procedure: {above: 1}}"},
        {"scope": "scope: document", "when": "when: {fact: mue, over: 1}"},
        {"needs": "needs: [units]"},
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(tmp_path: Path, lines: dict[str, str]) -> None:
    folder = rule_folder(tmp_path, with_lines(RULE, **lines))
    assert list(RULES.iter_errors(read_yaml(folder / FILE, FILE).content))
    assert lint(folder)


@pytest.mark.parametrize("change", ["{line.1.colour: red}"])
def test_the_schema_of_tests_knows_the_paths(tmp_path: Path, change: str) -> None:
    folder = rule_folder(tmp_path, cases=CASES.replace("{line.1.units: 2}", change))
    assert list(TEST_FILES.iter_errors(read_yaml(folder / TESTS, TESTS).content))


def test_editors_explain_every_fact_and_operator_under_when() -> None:
    schema = rule_schema()
    for kind in KINDS.values():
        named = schema["$defs"][f"when-{kind.name}"]["then"]["properties"]["fact"]["anyOf"][:-1]
        assert [each for each in named if each["const"] in kind.fields] == [
            {"const": field.name, "description": field.about} for field in kind.fields.values()
        ]
        others = {each["const"]: each["description"] for each in named if each["const"] not in kind.fields}
        two_words = {
            with_hyphens(name): field.about for name, field in kind.fields.items() if name != with_hyphens(name)
        }
        assert others == {name: about for name, about in two_words.items() if name not in CATALOGUE}
    for name, tests in schema["$defs"].items():
        if name.startswith("tests-"):
            assert {
                word: each["description"] for word, each in tests["properties"].items()
            }.items() <= OPERATORS.items()


def test_tests_begin_with_the_line_that_leads_editors_to_their_schema(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path, lists=NO_ROWS)
    [warning] = lint_report(folder, date(2026, 11, 23)).warnings
    assert str(warning) == f"{TESTS}:1: editors explain it where the first line is: {CASES_LINE.strip()}"
    assert lint(folder) == []  # they are read as before
    schema = (folder / TESTS).parent / CASES_LINE.strip().partition("$schema=")[2]
    assert schema.resolve() == (folder / "rule-test.schema.json").resolve()
    put(folder, TESTS, CASES_LINE + CASES)
    assert lint_report(folder, date(2026, 11, 23)).warnings == []
    assert [
        each for each in lint_report(SHIPPED, date(2026, 11, 23)).warnings if each.file.endswith(".test.yaml")
    ] == []


def test_schemas_of_another_version_are_a_warning(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path, cases=CASES_LINE + CASES, lists=NO_ROWS)
    (folder / "rule.schema.json").unlink()
    put(folder, "rule-test.schema.json", "{}")
    found = lint_report(folder, date(2026, 11, 23))
    assert found.faults == []
    assert {warning.file for warning in found.warnings} == {"rule-test.schema.json", "rule.schema.json"}
    assert all("scrubber rules schema" in warning.message for warning in found.warnings)


def test_packs_need_no_rules(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path)
    put(folder, "tables-only/pack.yaml", with_lines(PACK, name="name: tables-only", tables=""))
    assert [one.file for one in lint(folder)] == ["tables-only/CHANGES.md"]
