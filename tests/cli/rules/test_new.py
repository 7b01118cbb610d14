"""`rules new`: a rule and its cases from answers, by option, by JSON and at a terminal; nothing is half done."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scrubber.authoring.run_tests import all_cases, run_cases
from scrubber.cli import main
from scrubber.rulebook.lint import lint
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.rule import AllOf
from scrubber.rulebook.rulebook import Rulebook
from scrubber.scrub import assemble, open_scrubber
from tests.support.rule_folders import SHIPPED, few_shipped_rules, put
from tests.support.service import ROOT
from tests.support.waiting import PATIENCE

ANSWERS = {
    "pack": "our-clinic",
    "pack-title": "Policy of our clinic",
    "pack-about": "What our clinic checks.",
    "id": "our-clinic-modifier-25",
    "title": "Modifier 25, looked at twice",
    "fact": "modifiers",
    "operator": "any",
    "value": "25",
    "message": "Line {line}: modifier 25 stands on {procedure}.",
    "fix": "Look whether the visit was separate.",
    "authority-kind": "house-policy",
    "authority-title": "Coding policy",
    "owner": "coding policy",
}
OWN_PACK = """\
# yaml-language-server: $schema=../pack.schema.json
name: our-clinic
title: Policy of our clinic
about: What our clinic checks.
grammar: "2"
adoption: everyone
tables:
  most-units.csv:
    about: The most units that we bill.
    keys: {code: procedure}
    columns: {units: {type: number, required: yes}}
    source: coding policy
"""
FILE = "our-clinic/rules/our-clinic-modifier-25.yaml"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCRUBBER_RULES", raising=False)
    monkeypatch.delenv("SCRUBBER_REFERENCE", raising=False)
    return tmp_path


@pytest.fixture
def rules(here: Path) -> Path:
    return few_shipped_rules(here / "rules", "documentation-tbs-number")


def scrubber(*args: str, said: str = "") -> Result:
    return CliRunner().invoke(main, args, input=said)


def new(**changes: str | None) -> Result:
    answers = ANSWERS | {name.replace("_", "-"): text for name, text in changes.items()}
    return scrubber("rules", "new", "--from-json", "-", said=json.dumps({k: v for k, v in answers.items() if v}))


def test_a_rule_from_options_among_all_shipped_ones(here: Path) -> None:
    rules = shutil.copytree(SHIPPED, here / "rules")
    done = scrubber("rules", "new", *(part for name, text in ANSWERS.items() for part in (f"--{name}", text)))
    assert done.exit_code == 0, done.output
    assert f"rules/{FILE} is written: a draft" in done.stdout
    assert lint(rules) == []
    tested = scrubber("rules", "test", "our-clinic-modifier-25")
    assert tested.stdout == "4 cases of 1 rule, 0 failed\n"
    rule = load_rulebook(rules).rules["our-clinic-modifier-25"]
    assert (rule.status, rule.version, rule.scope) == ("draft", 1, "line")


CHANGES: dict[str, dict[str, str | None]] = {
    "codes": {"fact": "units", "operator": "over", "value": "1", "codes": "77080, 77081", "from": "2024-01-01"},
    "a list": {"fact": "procedure", "operator": "none-in", "value": "evaluation-and-management"},
    "a document": {"scope": "document", "fact": "tbsValue", "operator": "is", "value": "absent", "codes": "77092"},
    "a claim": {"scope": "claim", "fact": "lineCount", "operator": "over", "value": "1", "message": "Two lines."},
    "a payer": {"fact": "setting", "operator": "is", "value": "facility", "line-of-business": "commercial"},
    "a notice": {"scope": "abn", "fact": "abn", "operator": "is", "value": "absent"},
    "a denial": {"severity": "deny", "authority-kind": "advice"},
    "an existing pack": {"pack": "tbs", "id": "tbs-more", "pack-title": None, "pack-about": None},
}


@pytest.mark.parametrize("what", CHANGES)
def test_rules_of_many_kinds_come_with_cases_that_pass(rules: Path, what: str) -> None:
    done = new(**CHANGES[what])
    rule_id = CHANGES[what].get("id") or "our-clinic-modifier-25"
    assert "is written: a draft" in done.stdout, done.output
    assert scrubber("rules", "test", rule_id).stdout == "4 cases of 1 rule, 0 failed\n"
    assert [fault for fault in lint(rules) if "CHANGES.md" not in fault.file] == []
    assert (done.exit_code == 0) == (lint(rules) == [])


def test_each_condition_has_a_silent_case_that_would_fire_without_it(rules: Path) -> None:
    done = new(fact="units", operator="over", value="1", codes="77080, 77081", line_of_business="original-medicare")
    assert done.exit_code == 0, done.output
    assert "No case shows" not in done.stdout
    opened = open_scrubber(rules, None)
    rule = opened.rulebook.rules["our-clinic-modifier-25"]
    assert isinstance(rule.applies, AllOf)
    parts = (*rule.applies.parts, rule.when)
    silent = [case for case in all_cases(rules, opened.rulebook, [rule.id]) if case.finds == ()]
    assert len(parts) == len(silent) == 3
    for part in parts:
        left = AllOf(tuple(other for other in parts if other is not part))
        without = replace(rule, applies=left, when=AllOf(()), status="active")
        book = opened.rulebook
        changed = assemble(
            Rulebook({**book.rules, rule.id: without}, book.packs, book.rows, book.digest), opened.reference
        )
        assert [case for case in silent if any(not each.passed for each in run_cases([case], changed, rules))], part


WHOLE = {
    "id": "our-clinic-second-study",
    "title": "A second study of the day without its modifier",
    "codes": "77080, 77081",
    "fact": "modifiers",
    "operator": "none",
    "value": "59",
    "more": "units at-most 1",
    "beside": "some-other-line",
    "beside-same": "day, rendering-provider",
    "beside-where": "procedure any 99213, 77085; modifiers none 25",
    "message": "Line {line} bills {procedure} beside another service of the day.",
    "fix": "Look whether both were done.",
}


def test_a_whole_rule_with_conditions_and_a_relation(rules: Path) -> None:
    """Each condition has a silent case of its own, which would fire without it."""
    result = new(**WHOLE)
    assert (result.exit_code, result.stderr) == (0, "")
    text = (rules / "our-clinic/rules/our-clinic-second-study.yaml").read_text()
    assert text[text.index("when:") : text.index("message:")].splitlines() == [
        "when:",
        "  all:",
        '    - {fact: modifiers, none: ["59"]}',
        "    - {fact: units, at-most: 1}",
        '    - {some-other-line: {same: [day, rendering-provider], procedure: {any: ["99213", "77085"]}, '
        'modifiers: {none: ["25"]}}}',
    ]
    assert lint(rules) == []
    assert scrubber("rules", "test", "our-clinic-second-study").exit_code == 0
    shown = json.loads(scrubber("rules", "coverage", "our-clinic-second-study", "--json").stdout)["rules"][0]
    of_when = [each for each in shown["conditions"] if each["section"] == "when" and len(each["path"]) == 1]
    assert [(each["true"]["cases"] > 0, each["false"]["cases"] > 0) for each in of_when] == [(True, True)] * 3


def test_a_rule_that_looks_a_row_up(rules: Path) -> None:
    put(rules, "our-clinic/pack.yaml", OWN_PACK)
    put(rules, "our-clinic/CHANGES.md", "# Changes\n")
    put(rules, "our-clinic/tables/most-units.csv", "code,units\n77080,1\n77081,1\n")
    result = new(
        id="our-clinic-most-units", title="More units than we bill", fact="charge", operator="over", value="0",
        table="most-units", table_for="code procedure", table_test="units over fact row.units",
        message="Line {line} bills {units} units.",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    text = (rules / "our-clinic/rules/our-clinic-most-units.yaml").read_text()
    assert "look-up:\n  row: {in: most-units, for: {code: procedure}}\n" in text
    assert "    - {fact: units, over: {fact: row.units}}\n" in text
    assert scrubber("rules", "test", "our-clinic-most-units").exit_code == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"more": "place"}, "--more `place` is no condition: a fact, an operator and a value"),
        ({"more": "plaec is 11"}, "--more `plaec` is no fact of line; perhaps `place` was meant"),
        ({"more": "units over 3"}, "--more other limits than 0 and 1 belong in a dated table"),
        ({"beside": "no-other-lines"}, "perhaps `no-other-line` or"),
        ({"beside": "no-other-line", "beside-same": "days"}, "`days` is nothing that can be the same; perhaps `day`"),
        ({"beside": "no-history", "beside-within": "a month"}, "--beside-within is like `30 days before`"),
        ({"beside": "no-history", "beside-where": "place is 11"}, "`place` is nothing that a history has"),
        ({"table": "fee-schedul"}, "perhaps `fee-schedule` was meant"),
        ({"table": "mue", "table-for": "codes procedure"}, "`codes` is no key column of `mue`"),
        ({"table": "mue", "table-for": "procedure procedure", "table-test": "units over fact row.unit"}, "`row.unit`"),
    ],
)  # fmt: skip
def test_what_a_whole_rule_cannot_say(rules: Path, changes: dict[str, str], said: str) -> None:
    result = new(**changes)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (rules / "our-clinic").exists()


def test_a_condition_that_no_case_shows_is_told(rules: Path) -> None:
    done = new(fact="feeStatus", operator="is", value="A", codes="77080")
    assert "No case shows that this matters: feeStatus is A" in done.stdout


def test_cases_that_cannot_be_derived_are_said_to_be_missing(rules: Path) -> None:
    done = new(fact="mueIndicator", operator="is", value="1", codes="77080")
    assert done.exit_code == 1
    assert "Not done" in done.stdout
    assert "needs at least 2 cases that fire" in done.stdout


def test_every_answer_that_will_not_do_is_told_at_once(rules: Path) -> None:
    before = sorted(rules.rglob("*"))
    done = new(severity="bad", owner=None, retrieved="soon", value=None, colour="red", id="other-rule")
    assert done.exit_code == 2
    told = ["--severity is one of: info, warn, deny", "--owner must be answered", "--retrieved ", "--value must be"]
    for said in (*told, "--colour is no question", "--id begins with the name of its pack"):
        assert said in done.stderr
    assert sorted(rules.rglob("*")) == before


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pack": "documentation", "id": "documentation-tbs-number"}, "--id is taken"),
        ({"title": "The report states no TBS number"}, "is the title of documentation-tbs-number too"),
        ({"fact": "colour"}, "--fact is one of: "),
        ({"operator": "above"}, "--operator is one of: "),
        ({"fact": "units", "operator": "over", "value": "5"}, "dated table"),
        ({"operator": "any-in", "value": "nothing"}, "--value is one of: "),
        ({"message": "Line {line} of {patientName}."}, "data of a person"),
        ({"message": "98765: wobble absorptiometry with spoon density study of drawers"}, "AMA's wording"),
        ({"pack": "../out", "id": "../out-x"}, "--pack Must look like"),
        ({"pack": "claims", "id": "claims-x"}, "folder of base claims"),
        ({"family": "../../out"}, "--family Must look like"),
        ({"codes": "77080;DROP"}, "--codes `77080;DROP` is no procedure code"),
        ({"value": "25, xs"}, "--value `xs` is no modifier"),
        ({"fact": "payer", "operator": "is", "value": "Nobody"}, "--value no row of aliases names the payer"),
    ],
)
def test_what_nobody_may_answer(rules: Path, changes: dict[str, str], said: str) -> None:
    before = sorted(rules.rglob("*"))
    done = new(**changes)
    assert done.exit_code == 2
    assert said in done.stderr
    assert sorted(rules.rglob("*")) == before


def test_nothing_is_overwritten(rules: Path) -> None:
    assert new().exit_code == 0
    text = (rules / FILE).read_text()
    done = new(title="Another title")
    assert (done.exit_code, "--id is taken" in done.stderr) == (2, True)
    (rules / "our-clinic/rules/our-clinic-other.test.yaml").write_text("[]\n")
    done = new(id="our-clinic-other", title="Another title")
    assert done.exit_code == 2
    assert (rules / FILE).read_text() == text


@pytest.mark.parametrize("said", ["", "{", "[]", '{"pack": 1}'])
def test_answers_that_are_none(rules: Path, said: str) -> None:
    assert scrubber("rules", "new", "--from-json", "-", said=said).exit_code == 2


SAID = (
    "our-clinic", "Our clinic", "What we check.", "x", "our-clinic-units", "", "More than one unit", "", "77080", "",
    "?", "units", "over", "7", "1", "place", "place is 11", "", "no-other-line", "day", "", "procedure any 99213", "",
    "", "", "", "", "Line {line}: {units} units.", "Bill one.", "house-policy", "Policy",
    "", "", "", "", "coding policy", "",
)  # fmt: skip


def test_at_a_terminal_it_asks_and_teaches(rules: Path) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "scrubber", "rules", "new"],
        cwd=rules.parent, stdin=theirs, stdout=theirs, stderr=theirs,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"},
    ) as asking:  # fmt: skip
        os.close(theirs)
        os.write(ours, "".join(f"{line}\n" for line in SAID).encode())
        shown, end = b"", time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                shown += os.read(ours, 65536)
            except OSError:  # the other side has gone
                break
        assert asking.wait(PATIENCE) == 0, shown.decode()
    text = shown.decode()
    assert "begins with the name of its pack: our-clinic-" in text
    assert "units of the line (decimal)" in text
    assert "belong in a dated table" in text
    assert lint(rules) == []
    assert scrubber("rules", "test", "our-clinic-units").stdout == "6 cases of 1 rule, 0 failed\n"
    written = (rules / "our-clinic/rules/our-clinic-units.yaml").read_text()
    assert '    - {no-other-line: {same: [day], procedure: {any: ["99213"]}}}\n' in written
