"""Small changes of rules: what is told to survive leaves every case passing, what is told to be noticed fails one."""

from __future__ import annotations

from pathlib import Path
from random import Random

import orjson
import pytest
from click.testing import CliRunner, Result

from scrubber.authoring.mutation import mutants, mutate
from scrubber.authoring.run_tests import run_tests
from scrubber.cli import main
from scrubber.engine.plain import PlainEngine
from scrubber.findings.judge import rule_tests
from scrubber.rulebook.family_rules import rule_document
from scrubber.rulebook.rule import Rule
from scrubber.rulebook.source_map import source_map
from scrubber.rulebook.yaml_file import read_yaml
from scrubber.scrub import Scrubber, open_scrubber
from tests.conftest import ROOT
from tests.support.own_tables import folder_with
from tests.support.rule_folders import CASES, LISTS, PACK, RULE, put, rule_folder, shipped_scrubber, with_lines

RULES = ROOT / "rules"


def with_rule(opened: Scrubber, rule: Rule) -> Scrubber:
    book = opened.rulebook
    changed = book.with_others({**book.rules, rule.id: rule})
    return Scrubber(changed, opened.reference, PlainEngine(rule_tests(changed.running), changed.lists))


@pytest.mark.parametrize("step", [6, pytest.param(1, marks=pytest.mark.proof)])
def test_verdicts_are_those_of_the_tests_themselves(step: int) -> None:
    """Of every sixth shipped rule, and of all in `make proofs`."""
    opened, random = shipped_scrubber(), Random(4)
    for mutation in mutate(opened, RULES, sorted(opened.rulebook.rules)[::step]):
        document = rule_document(mutation.rule, RULES)
        changes = list(mutants(source_map(mutation.rule, document), document, opened.rulebook.typed_tables))
        often = 2 if mutation.rule.scope in ("document", "pair") else 1
        for mutant in random.sample(changes, min(often, len(changes))):
            passes = all(result.passed for result in run_tests(with_rule(opened, mutant.rule), RULES, [mutant.rule.id]))
            if mutation.same == 0:
                assert (mutant in mutation.survived) == passes, (mutant.rule.id, mutant.change)
            else:
                assert passes or mutant not in mutation.survived, (mutant.rule.id, mutant.change)


def survivors(folder: Path, rule: str, cases: str, lists: str = LISTS) -> list[tuple[int, str]]:
    (mutation,) = mutate(open_scrubber(rule_folder(folder, rule, cases, PACK, lists), None), folder)
    assert not mutation.failing
    return [(mutant.line, mutant.change) for mutant in mutation.survived]


STRONG = """\
- name: two units beside another line
  claim: tbs
  change: {line.1.units: 2}
  lines: [{procedure: "99213"}]
  finds: [{line: 1, severity: warn, at-risk: "17.80", message: bills 2 units of 77092}]
- name: two units on the first day
  claim: tbs
  change: {line.1.units: 2, line.1.date: 2022-01-01}
  finds: [{line: 1}]
- name: two units on the last day
  claim: tbs
  change: {line.1.units: 2, line.1.date: 2029-12-31}
  finds: [{line: 1}]
- name: two units on the day after
  claim: tbs
  change: {line.1.units: 2, line.1.date: 2030-01-01}
  finds: []
- name: two units on the day before
  claim: tbs
  change: {line.1.units: 2, line.1.date: 2021-12-31}
  finds: []
- name: one unit
  claim: tbs
  finds: []
- name: another code
  claim: tbs
  change: {line.1.procedure: "99213", line.1.units: 2}
  finds: []
"""


def test_what_a_thin_test_file_does_not_notice(tmp_path: Path) -> None:
    assert survivors(tmp_path, RULE, CASES) == [
        (12, "effective from 2021-12-31"),
        (12, "effective from 2022-01-02"),
        (12, "effective to 2029-12-31"),
        (12, "effective to 2030-01-02"),
        (20, "at-risk nothing"),
        (20, "at-risk claim-allowed"),
        (17, "message without {units}"),
        (17, "message without {procedure}"),
    ]


def test_cases_at_each_edge_notice_all_of_it(tmp_path: Path) -> None:
    assert survivors(tmp_path, RULE, STRONG) == []


def test_conditions_that_no_case_shows_to_matter(tmp_path: Path) -> None:
    when = """\
when:
  all:
    - {fact: units, over: 1}
    - any:
      - {fact: modifiers, none: ["26", "TC"]}
      - {fact: place, is: "11"}
"""
    found = survivors(tmp_path, with_lines(RULE, when=when.strip(), at_risk="at-risk: nothing"), CASES)
    assert [(line, change) for line, change in found if 16 < line < 22] == [
        (19, "without: any of"),
        (19, "all of, not any of"),
        (20, "without: modifiers none [26, TC]"),
        (20, "any, not none: modifiers"),
        (20, "without 26: modifiers none"),
        (20, "without TC: modifiers none"),
        (21, "without: place is 11"),
        (21, "is-not, not is: place"),
    ]


def test_changes_that_no_claim_can_show_are_not_told(tmp_path: Path) -> None:
    when = "when: {all: [{fact: units, over: 1}, {fact: units, at-least: 1}]}"
    folder = rule_folder(tmp_path, with_lines(RULE, when=when), STRONG)
    (mutation,) = mutate(open_scrubber(folder, None), folder)
    assert [mutant.change for mutant in mutation.survived] == []
    assert mutation.same == 3  # without `at-least`, over instead of it, and the next value down


def test_a_rule_that_fails_its_cases_is_told_and_not_tried(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path, RULE.replace("over", "under"))
    (mutation,) = mutate(open_scrubber(folder, None), folder)
    assert (mutation.tried, mutation.failing[:1]) == (0, ("two units",))
    assert command(folder).exit_code == 1


def command(folder: Path, *args: str) -> Result:
    return CliRunner(env={"SCRUBBER_RULES": str(folder), "SCRUBBER_REFERENCE": None}).invoke(
        main, ["rules", "mutate", *args]
    )


def test_what_survives_is_told_with_its_place(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path)
    lines = command(folder, "sample-rule").output.splitlines()
    assert lines[0] == "sample-rule: 8 of 15 changes survived"
    assert lines[1:3] == [f"  {folder}/sample/family/sample-rule.yaml:12", "    effective from 2021-12-31"]
    assert lines[-1] == "15 changes of 1 rule: 7 noticed, 8 survived, 0 that no claim can show"
    assert command(folder).exit_code == 0
    assert command(folder, "--strict").exit_code == 1
    (rule,) = orjson.loads(command(folder, "--json").output)["rules"]
    assert (rule["tried"], rule["survived"][4]) == (15, {"line": 20, "change": "at-risk nothing"})


def test_missing_cases_are_offered_and_written_and_notice_what_survived(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path)
    tests = folder / "sample/family/sample-rule.test.yaml"

    def tried(*options: str) -> Result:
        environ = {"SCRUBBER_RULES": str(folder)}
        return CliRunner().invoke(main, ["rules", "mutate", "sample-rule", *options], env=environ)

    before = orjson.loads(tried("--json").stdout)["rules"][0]["survived"]
    assert {"effective from 2022-01-02", "effective from 2021-12-31"} <= {each["change"] for each in before}
    offered = tried("--cases").stdout
    assert f"can be added to {tests}; look whether they say what you mean:" in offered
    assert tests.read_text(encoding="utf-8") == CASES  # only offered
    written = tried("--write").stdout
    added = tests.read_text(encoding="utf-8").removeprefix(CASES)
    assert added
    assert added in written
    opened = open_scrubber(folder, None)
    assert all(result.passed for result in run_tests(opened, folder))
    after = {each["change"] for each in orjson.loads(tried("--json").stdout)["rules"][0]["survived"]}
    assert after < {each["change"] for each in before}
    assert after == {
        line.partition("shows it: ")[2] for line in written.splitlines() if line.startswith("no change of a base claim")
    }
    assert not any("effective from" in change for change in after)


RELATION_RULE = {
    "amounts": "amounts:\n  all-units: {sum: units, of: lines, same: [day, procedure], units: {over: 0}}\n"
    "  half: {divided-by: [all-units, 2], rounded: down}",
    "applies": 'applies: {procedure: {any: ["77092"]}}',
    "when": "when:\n  all:\n    - {fact: half, over: 1}\n"
    '    - no-other-line: {same: [day], within: {days: 2, up-to: this.day}, procedure: {any: ["99213"]}}',
}
RELATION_CASES = """\
- name: four units
  claim: tbs
  change: {line.1.units: 4}
  finds: [{line: 1, severity: warn, at-risk: "35.60", message: bills 4 units of 77092}]
- name: three units
  claim: tbs
  change: {line.1.units: 3}
  finds: []
- name: four units beside a visit
  claim: tbs
  change: {line.1.units: 4}
  lines: [{procedure: "99213"}]
  finds: []
"""


def test_relations_amounts_and_look_ups_are_changed(tmp_path: Path) -> None:
    """Each part of a question in one small place; what the cases say nothing of survives."""
    rule = with_lines(RULE, **RELATION_RULE)
    pack = PACK + 'grammar: "2"\n'
    opened = open_scrubber(rule_folder(tmp_path, rule, RELATION_CASES, pack), None)
    document = read_yaml(tmp_path / "sample/family/sample-rule.yaml", "sample/family/sample-rule.yaml")
    source = source_map(opened.rulebook.rules["sample-rule"], document)
    changes = {mutant.change for mutant in mutants(source, document, {})}
    assert changes >= {
        "some-other-line, not no-other-line", "other-line without: same day", "other-line without: within days",
        "other-line before, not up-to", "other-line within 3 days", "other-line within 1 days",
        "other-line without: procedure any [99213]", "other-line none, not any: procedure",
        "line without: same procedure", "line without: units over 0", "line at-least, not over: units",
        "rounded up, not down", "times, not divided-by", "at-least, not over: half", "the next value up: half",
    }  # fmt: skip
    (mutation,) = mutate(opened, tmp_path)
    assert not mutation.failing
    survived = {mutant.change: mutant.line for mutant in mutation.survived}
    lines = rule.splitlines()
    for change, word in (("other-line without: same day", "no-other-line"), ("line without: same procedure", "sum: ")):
        assert word in lines[survived[change] - 1]
    for noticed in (
        "some-other-line, not no-other-line", "other-line none, not any: procedure", "rounded up, not down",
        "times, not divided-by", "at-least, not over: half",
    ):  # fmt: skip
        assert noticed not in survived


def test_a_key_of_a_look_up_is_dropped(tmp_path: Path) -> None:
    table = """\
    most.csv:
      about: Sample.
      keys: {code: procedure, place: place}
      columns: {units: number}
      source: sample
    """
    folder = folder_with(tmp_path, table, {"most.csv": "code,place,units\n77092,11,9\n77092,,1\n"})
    put(folder, "sample/pack.yaml", (folder / "sample/pack.yaml").read_text(encoding="utf-8") + 'grammar: "2"\n')
    look_up = "look-up:\n  most: {in: most, for: {code: procedure, place: place}}"
    rule = with_lines(RULE, look_up=look_up, when="when: {fact: units, over: {fact: most.units}}")
    put(folder, "sample/family/sample-rule.yaml", rule)
    put(folder, "sample/family/sample-rule.test.yaml", CASES.replace("units: 2}", "units: 2, line.1.place: '22'}")
        .replace("units: 3}", "units: 3, line.1.place: '22'}"))  # fmt: skip
    (mutation,) = mutate(open_scrubber(folder, None), folder)
    assert not mutation.failing
    survived = [mutant.change for mutant in mutation.survived]
    assert "most whatever the place" not in survived  # the row for place 11 would answer
    assert "most whatever the code" in survived  # no case has another code at that place


FIXED_CASES = """\
- name: two units
  claim: tbs
  change: {line.1.units: 2}
  finds: [{line: 1}]
  after-fix:
    - {remedy: 1, record-shows: yes, finds: []}
- name: three units
  claim: tbs
  change: {line.1.units: 3}
  finds: [{line: 1}]
- name: one unit
  claim: tbs
  finds: []
- name: one unit of another day
  claim: tbs
  change: {line.1.date: "2025-03-13"}
  finds: []
"""
REMEDIES = """\
remedies:
  - {change-units: "1", when-record-shows: one study was done}
  - {drop-line: this}
"""


def test_fixes_are_changed_and_a_case_that_applies_one_notices_it(tmp_path: Path) -> None:
    """Of the first fix a case says what is found after it; no case applies the second."""
    rule = with_lines(RULE, when="when: {fact: units, over: 1}", at_risk="at-risk: nothing", remedies=REMEDIES.rstrip())
    opened = open_scrubber(rule_folder(tmp_path, rule, FIXED_CASES, PACK + 'grammar: "2"\n'), None)
    (mutation,) = mutate(opened, tmp_path)
    assert not mutation.failing
    survived = {mutant.change: mutant.line for mutant in mutation.survived if "remedy" in mutant.change}
    assert survived.keys() == {"without remedy 2: drop-line", "remedy 2 on the related line"}
    assert {rule.splitlines()[line - 1] for line in survived.values()} == {"  - {drop-line: this}"}
