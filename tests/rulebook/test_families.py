"""Families of documentation load with their elements, and what is wrong with a file is told with its line."""

from __future__ import annotations

import json
import pickle
from datetime import date
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from scrubber.authoring.coverage import cover
from scrubber.authoring.mutation import mutate
from scrubber.authoring.run_tests import run_tests
from scrubber.claim import read_v3
from scrubber.errors import Faults
from scrubber.reference import open_reference
from scrubber.rulebook.field import Type
from scrubber.rulebook.json_schema import schema_files
from scrubber.rulebook.lint import inspect
from scrubber.rulebook.load import covered, load_rulebook, rule_files
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.test_case_paths import Target, ValueForm, target
from scrubber.scrub import assemble, open_scrubber
from tests.support.claims import tbs_claim
from tests.support.rule_folders import CASES, LISTS, PACK, RULE, put, rule_folder, with_lines

FAMILY = """\
# yaml-language-server: $schema=../../family.schema.json
family: anesthesia-record
title: Record of an anesthesia
codes: ["00100"]
elements:
  anesthesiaStart: {type: time, about: when it began}
  bloodLoss: {type: number, about: milliliters}
  timed.minutes: {type: minutes, about: minutes of one piece, several: yes}
  kind: {type: word, words: [general, regional], about: what kind, absent: [n/a]}
  given: {type: text, about: what was given, several: yes}
  consent: {type: yes-no, about: there is a consent}
  signedBy: {type: signature, about: the record}
"""
FILE = "sample/families/anesthesia-record.yaml"


def faults(folder: Path) -> list[tuple[str, int, str]]:
    with pytest.raises(Faults) as found:
        load_rulebook(folder)
    return [(each.file, each.line, each.message) for each in found.value.faults]


def book_with(folder: Path, family: str = FAMILY, file: str = FILE) -> Rulebook:
    rule_folder(folder)
    put(folder, file, family)
    return load_rulebook(folder)


def test_a_family_declares_elements_with_their_types(tmp_path: Path) -> None:
    book = book_with(tmp_path)
    elements = book.documentation_elements
    assert {name: element.field.type for name, element in elements.items()} == {
        "anesthesiaStart": Type.TIME,
        "bloodLoss": Type.DECIMAL,
        "timed.minutes": Type.NUMBER,
        "kind": Type.WORD,
        "given": Type.CODES,
        "consent": Type.FLAG,
        "signedBy": Type.FLAG,
        "signedBy.name": Type.TEXT,
        "signedBy.npi": Type.TEXT,
        "signedBy.date": Type.DAY,
        "signedBy.credential": Type.TEXT,
    }
    kind = elements["kind"]
    assert (kind.field.words, kind.absent, kind.file, kind.line) == (
        ("general", "regional"),
        frozenset(("n/a",)),
        FILE,
        9,
    )
    assert all(element.field.private for name, element in elements.items() if name != "kind")
    (family,) = book.families
    assert (family.name, family.pack, family.codes, family.code_list) == (
        "anesthesia-record",
        "sample",
        ("00100",),
        None,
    )


def test_a_family_is_no_rule_and_part_of_the_digest(tmp_path: Path) -> None:
    book = book_with(tmp_path)
    assert FILE not in {path.relative_to(tmp_path).as_posix() for path in rule_files(tmp_path)}
    assert FILE in {name for name, _ in covered(tmp_path)}
    put(tmp_path, FILE, FAMILY.replace("milliliters", "in milliliters"))
    assert load_rulebook(tmp_path).digest != book.digest


def test_another_process_has_the_families_too(tmp_path: Path) -> None:
    book = book_with(tmp_path)
    assert pickle.loads(pickle.dumps(book)).documentation_elements == book.documentation_elements  # noqa: S301


@pytest.mark.parametrize(
    ("change", "by", "line", "message"),
    [
        ("family: anesthesia-record", "family: record", 2, "must be the file's name, anesthesia-record"),
        ('codes: ["00100"]', "", 2, "one of the two"),
        ('codes: ["00100"]', 'codes: ["00100"]\nlist: tbs', 2, "one of the two"),
        ('codes: ["00100"]', "list: nowhere", 4, "no code list `nowhere`"),
        ("type: time", "type: clock", 6, "Must be one of"),
        ("about: when it began", "about: ''", 6, "must not be empty"),
        ("bloodLoss", "blood loss", 7, "Must look like"),
        ("words: [general, regional], ", "", 9, "`words`"),
        ("type: number,", "type: number, words: [one],", 7, "`words`"),
        ("  consent:", "  signedBy.date: {type: day, about: a day}\n  consent:", 13, "leave that out"),
        ("about: the record}", "about: the record, several: yes}", 12, "there is one signature"),
        ("title: Record of an anesthesia", "title: Record\ncolour: red", 4, "no key that is known"),
    ],
)
def test_what_is_wrong_with_a_family_is_told_with_its_line(
    tmp_path: Path, change: str, by: str, line: int, message: str
) -> None:
    rule_folder(tmp_path)
    assert change in FAMILY
    put(tmp_path, FILE, FAMILY.replace(change, by))
    (found,) = faults(tmp_path)
    assert found[:2] == (FILE, line)
    assert message in found[2]


def test_two_packs_may_declare_one_name_alike_and_not_differently(tmp_path: Path) -> None:
    rule_folder(tmp_path)
    put(tmp_path, FILE, FAMILY)
    put(tmp_path, "other/pack.yaml", PACK.replace("sample", "other").replace("tables: {lists.csv: code-lists}\n", ""))
    other = FAMILY.replace("anesthesia-record", "other-record")
    put(tmp_path, "other/families/other-record.yaml", other.replace("what kind", "which kind"))
    assert len(load_rulebook(tmp_path).families) == 2
    put(tmp_path, "other/families/other-record.yaml", other.replace("[general, regional]", "[general]"))
    (found,) = faults(tmp_path)
    assert found == (FILE, 9, "kind is declared differently in other/families/other-record.yaml:9")


def test_two_families_of_one_name(tmp_path: Path) -> None:
    rule_folder(tmp_path)
    put(tmp_path, FILE, FAMILY)
    put(tmp_path, "payers/families/anesthesia-record.yaml", FAMILY)
    (found,) = faults(tmp_path)
    assert "is in payers/families/anesthesia-record.yaml already" in found[2]


def test_a_family_of_a_thousand_elements_loads_and_a_larger_one_is_a_fault(tmp_path: Path) -> None:
    head = FAMILY[: FAMILY.index("  anesthesiaStart")]

    def of(count: int) -> str:
        return head + "".join(f"  element{number}: {{type: text, about: one}}\n" for number in range(count))

    assert len(book_with(tmp_path, of(1_000)).documentation_elements) == 1_000
    put(tmp_path, FILE, of(1_001))
    assert "must have 1 to 1000 elements" in faults(tmp_path)[0][2]


def test_lint_wants_the_line_by_which_editors_know_families(tmp_path: Path) -> None:
    book_with(tmp_path, FAMILY.split("\n", 1)[1])
    found = [each for each in inspect(tmp_path).faults if each.file == FILE]
    assert [(each.line, "family.schema.json" in each.message) for each in found] == [(1, True)]


def test_the_schema_of_editors_accepts_a_family_and_explains_each_key() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    from scrubber.rulebook.json_schema import family_schema

    validator = jsonschema.Draft202012Validator(family_schema())
    family = yaml.safe_load(FAMILY)
    assert validator.is_valid(family)
    family["elements"]["kind"]["type"] = "clock"
    assert not validator.is_valid(family)
    of_elements = family_schema()["properties"]["elements"]["additionalProperties"]["properties"]
    assert all("description" in key for key in of_elements.values())


def test_test_cases_send_what_a_family_declares_and_lint_knows_the_names(tmp_path: Path) -> None:
    assert target("documentation.timed.minutes") == Target(
        "/scrubContext/documentation/0/elements/timed/minutes", ValueForm.TEXT
    )
    sent = "{line.1.units: 3, documentation.bloodLoss: 5, documentation.timed.minutes: 4}"
    cases = f"# yaml-language-server: $schema=../../rule-test.schema.json\n{CASES}"
    rule_folder(tmp_path, cases=cases.replace("{line.1.units: 3}", sent))
    put(tmp_path, FILE, FAMILY)
    assert inspect(tmp_path).faults == []
    put(tmp_path, FILE, FAMILY.replace("bloodLoss", "bloodLost"))
    (fault,) = inspect(tmp_path).faults
    assert "no family declares `bloodLoss`" in fault.message
    assert "bloodLost" in fault.message


# Rules that a family states

RULES_OF = """\
# yaml-language-server: $schema=../../family.schema.json
family: sample-report
title: Report of a sample
list: tbs
every-rule:
  status: active
  severity: warn
  stage: postPayment
  category: documentation
  owner: sample policy
  reviewed: "2026-11-22"
  effective: {from: "2022-01-01"}
  at-risk: line-allowed
  authority:
    - {kind: house-policy, title: Sample policy, locator: "2"}
elements:
  separateReport:
    type: yes-no
    about: the report is one of its own
    required-when: {units: {at-least: 1}}
    rules:
      - id: sample-separate-report
        version: 1
        title: No report of its own
        severity: deny
        when: [absent, "no"]
        message: "Line {line} bills {procedure} without a report of its own."
        fix: Ask the author for a report.
        not-checked: "Line {line}: nothing was sent about the report."
"""
RULES_FILE = "sample/families/sample-report.yaml"
REPORT_CASES = """\
# yaml-language-server: $schema=../../rule-test.schema.json
- name: there is none
  claim: tbs
  change: {line.1.procedure: "77089", documentation.separateReport: null}
  finds: [{line: 1, severity: deny, pointer: /scrubContext/documentation/0/elements/separateReport}]
- name: it is part of another
  claim: tbs
  change: {line.1.procedure: "77089", documentation.separateReport: "no"}
  finds: [{line: 1}]
- name: there is one
  claim: tbs
  change: {line.1.procedure: "77089", documentation.separateReport: "yes"}
  finds: []
- name: another code
  claim: tbs
  change: {documentation.separateReport: "no"}
  finds: []
- name: nothing was sent
  claim: tbs
  change: {line.1.procedure: "77089"}
  without: [documentation]
  finds: []
  not-checked: [{line: 1, missing: [separateReport]}]
"""


def with_rules(folder: Path, change: str = "", by: str = "") -> Path:
    rule_folder(folder)
    assert change in RULES_OF
    put(folder, RULES_FILE, RULES_OF.replace(change, by, 1) if change else RULES_OF)
    put(folder, "sample/families/sample-separate-report.test.yaml", REPORT_CASES)
    return folder


def test_a_family_states_rules_which_are_linted_tested_covered_and_mutated_as_written_ones(tmp_path: Path) -> None:
    folder = with_rules(tmp_path)
    assert inspect(folder).faults == []
    opened = open_scrubber(folder, None)
    rule = opened.rulebook.rules["sample-separate-report"]
    assert (rule.scope, rule.needs, rule.severity, rule.reason, rule.file, rule.of_element) == (
        "document", ("separateReport",), "deny", None, RULES_FILE, "separateReport",
    )  # fmt: skip
    results = run_tests(opened, folder, [rule.id])
    assert len(results) == 5
    assert all(result.passed for result in results)
    (coverage,) = cover(opened, folder, [rule.id])
    lines = {node.node.line for node in coverage.conditions if node.node.section == "when"}
    assert lines == {RULES_OF.splitlines().index('        when: [absent, "no"]') + 1}
    (tried,) = mutate(opened, folder, [rule.id])
    assert tried.tried > 0
    assert not tried.failing
    schema = Draft202012Validator(json.loads(schema_files()["family.schema.json"]))
    assert not [*schema.iter_errors(yaml.safe_load(RULES_OF))]


@pytest.mark.parametrize(
    ("change", "by", "line", "message"),
    [
        ("        title: No report of its own\n", "", 22, "title: is missing"),
        ("when: [absent", "when: [lost", 26, "`separateReport` is `yes` or `no`"),
        ("severity: deny", "severity: deadly", 25, "Must be one of"),
        ("  owner: sample policy\n", "", 21, "owner: is missing"),
        ("units: {at-least: 1}", "unit: {at-least: 1}", 20, "`unit` is no fact"),
        ("        fix:", "        scope: line\n        fix:", 28, "no key that is known"),
        ("id: sample-separate-report", "id: sample-rule", 22, "id is used by sample/family/sample-rule.yaml too"),
    ],
)
def test_what_is_wrong_with_a_rule_of_a_family_is_told_with_its_line(
    tmp_path: Path, change: str, by: str, line: int, message: str
) -> None:
    found = faults(with_rules(tmp_path, change, by))
    assert line in {each[1] for each in found if message in each[2]}


def test_a_rule_of_a_family_needs_tests_of_its_own(tmp_path: Path) -> None:
    folder = with_rules(tmp_path)
    (folder / "sample/families/sample-separate-report.test.yaml").unlink()
    (found,) = inspect(folder).faults
    assert (found.file, found.line) == (RULES_FILE, 22)
    assert "sample-separate-report.test.yaml" in found.message


def test_two_rules_of_one_family_with_one_id(tmp_path: Path) -> None:
    again = RULES_OF[RULES_OF.index("      - id:") :].replace("No report of its own", "Another title")
    folder = with_rules(tmp_path)
    put(folder, RULES_FILE, RULES_OF + again)
    (found,) = faults(folder)
    assert found == (RULES_FILE, 30, f"id is used by {RULES_FILE}:22 too")


@pytest.mark.parametrize(
    ("element", "message"),
    [
        ("type: text, limits: {over: 1}", "`limits` are of number and minutes"),
        ("type: number, limits: {at-least: 5, at-most: 4}", "no number lies between the limits 5 and 4"),
        ("type: number, limits: {over: 5, at-most: 5}", "no number lies between the limits 5 and 5"),
        ("type: number, limits: {over: many}", "the limit `over` needs a number"),
        ("type: number, rules: [{when: outside-limits}]", "`outside-limits` needs `limits`"),
        ("type: number, limits: {above: 1}", "no key that is known"),
    ],
)
def test_a_limit_that_cannot_be_one_is_a_fault(tmp_path: Path, element: str, message: str) -> None:
    rule_folder(tmp_path)
    put(tmp_path, FILE, FAMILY.replace("type: number", element))
    found = faults(tmp_path)
    assert any(each[:2] == (FILE, 7) and message in each[2] for each in found)


def test_a_family_of_five_hundred_elements_with_a_rule_each_loads(tmp_path: Path) -> None:
    rule_folder(tmp_path)
    head, rule = RULES_OF.split("elements:\n")
    rule = rule[rule.index("      - id:") :]
    texts = [
        f"  e{number}:\n    {{type: text, about: one, rules: [{{id: sample-{number}, version: 1, title: T {number}, "
        f"when: absent, message: M, fix: F, not-checked: N}}]}}\n"
        for number in range(500)
    ]
    put(tmp_path, RULES_FILE, f"{head}elements:\n{''.join(texts)}")
    assert len(load_rulebook(tmp_path).rules) == 501


DERIVED = """\
# yaml-language-server: $schema=../../family.schema.json
family: sample-report
title: Report of a sample
list: tbs
elements:
  score: {type: number, about: the score}
  grade:
    type: derived
    about: the grade of the score
    points-to: score
    first-of:
      - {is: low, when: {fact: score, under: 1}}
      - {is: high, when: {fact: score, at-least: 1}}
    otherwise: not-supplied
"""


@pytest.mark.parametrize(
    ("change", "by", "line", "message"),
    [
        ("fact: score, under: 1", "fact: grade, under: 1", 12, "`grade` is no fact"),
        ("under: 1", "beneath: 1", 12, "`beneath` is no operator"),
        ("type: number", "type: object", 6, "needs its `main` member"),
        ("type: number", "type: number, picks: K#", 6, "`picks` is of a text"),
    ],
)
def test_a_derived_word_that_cannot_be_one_is_a_fault(
    tmp_path: Path, change: str, by: str, line: int, message: str
) -> None:
    rule_folder(tmp_path)
    assert change in DERIVED
    put(tmp_path, RULES_FILE, DERIVED)
    assert load_rulebook(tmp_path).document_fields["grade"].words == ("low", "high")
    put(tmp_path, RULES_FILE, DERIVED.replace(change, by))
    assert any(each[:2] == (RULES_FILE, line) and message in each[2] for each in faults(tmp_path))


def test_two_families_may_not_derive_one_word(tmp_path: Path) -> None:
    rule_folder(tmp_path)
    put(tmp_path, RULES_FILE, DERIVED)
    put(tmp_path, "sample/families/other-report.yaml", DERIVED.replace("sample-report", "other-report"))
    (found,) = faults(tmp_path)
    assert found == (RULES_FILE, 7, "grade is derived in sample/families/other-report.yaml:7 already")


def test_a_rulebook_of_the_time_before_families_derived_words_loads_as_before(tmp_path: Path) -> None:
    """Its rules read what the program then made of reports, and its pack names a kind of table that is no more."""
    of_then = {
        "scope": "scope: document",
        "applies": "applies: {procedure: {any-in: tbs-with-report}}",
        "needs": "needs: [sourceStudy]",
        "when": "when: {fact: sourceStudy, is: no-spine}",
        "message": 'message: "Line {line}: no spine."',
        "not_checked": "not-checked: Say which study.",
    }
    pack = PACK.replace("{lists.csv: code-lists}", "{lists.csv: code-lists, vendors.csv: software-vendors}")
    lists = LISTS + "tbs-with-report,77092,,,,sample\nstudies-without-lumbar-spine,77081,,,,sample\n"
    rule_folder(tmp_path, with_lines(RULE, **of_then), pack=pack, lists=lists)
    put(tmp_path, "sample/tables/vendors.csv", "vendor,payer,line_of_business,plan,contractor,since,until,source\n")
    scrubber = assemble(load_rulebook(tmp_path), open_reference(None))
    body = tbs_claim()
    body["claimInformation"]["serviceLines"][0]["professionalService"]["procedureCode"] = "77092"
    body["scrubContext"]["documentation"][0]["elements"]["sourceStudy"] = {"code": "77081"}
    result = scrubber.scrub(read_v3(body), date(2025, 3, 12))
    assert [finding.message for finding in result.findings if finding.rule.id == "sample-rule"] == ["Line 1: no spine."]


def test_the_family_of_the_docs_loads_as_it_stands_there(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "writing-rules.md").read_text(encoding="utf-8")
    blocks = [part.partition("```")[0] for part in page.split("```yaml\n")[1:]]
    (rules,) = [block for block in blocks if block.startswith("every-rule:")]
    (derived,) = [block for block in blocks if block.startswith("  sourceStudy:")]
    head = "family: sample-report\ntitle: Report of a sample\nlist: tbs\n"
    code = "  sourceStudy.code: {type: procedure, about: its code}\n"
    rule_folder(tmp_path)
    put(tmp_path, RULES_FILE, head + rules + derived + code)
    book = load_rulebook(tmp_path)
    assert book.rules["documentation-tbs-separate-report"].needs == ("separateReport",)
    assert book.document_fields["sourceStudy"].words == ("spine", "no-spine")
