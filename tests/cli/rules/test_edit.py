"""`rules promote` and `rules migrate`: one line of one file changes, and nothing that lint or a case would refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scrubber.cli import main
from scrubber.errors import Faults
from scrubber.rulebook.lint import lint
from scrubber.rulebook.load import load_rulebook
from tests.authoring.test_same_version import git, needs_git
from tests.support.rule_folders import CASES, PACK, RULE, put, rule_folder, with_lines

FILE = "sample/family/sample-rule.yaml"
TESTS = "sample/family/sample-rule.test.yaml"
DRAFT = with_lines(RULE, status="status: draft  # until the policy is signed")
RELATION = "when: {no-other-line: {same: [day], procedure: {any: ['77080']}}}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCRUBBER_RULES", raising=False)
    monkeypatch.delenv("SCRUBBER_REFERENCE", raising=False)
    return rule_folder(tmp_path / "rules", DRAFT)


def promote(status: str, rule: str = "sample-rule") -> Result:
    return CliRunner().invoke(main, ["rules", "promote", rule, status])


def migrate(*packs: str) -> Result:
    return CliRunner().invoke(main, ["rules", "migrate", *packs])


def test_one_line_changes_and_what_is_due_is_told(folder: Path) -> None:
    done = promote("shadow")
    assert done.exit_code == 0, done.output
    assert (folder / FILE).read_text() == DRAFT.replace("status: draft  #", "status: shadow  #")
    assert f"{FILE}: status draft -> shadow" in done.stdout
    changes = "sample/CHANGES.md: add a line with `sample-rule`"
    for due in (changes, "rules backtest --rules sample-rule", "rules reload"):
        assert due in done.stdout
    put(folder, "sample/CHANGES.md", "# Changes\n\n## 2026-11-24\n\n- `sample-rule` counts.\n")
    done = promote("active")
    assert (done.exit_code, "CHANGES.md" in done.stdout) == (0, False), done.output
    assert [rule.id for rule in load_rulebook(folder).active] == ["sample-rule"]
    assert promote("draft").exit_code == 0
    assert (folder / FILE).read_text() == DRAFT


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ('"status": "draft"\n', '"status": shadow\n'),
        ("status:   draft\n", "status:   shadow\n"),
        ("status: draft\r\n", "status: shadow\r\n"),
    ],
)
def test_the_layout_of_the_line_stays(folder: Path, lines: str, text: str) -> None:
    (folder / FILE).write_text(with_lines(RULE, status="") + lines, newline="")
    assert promote("shadow").exit_code == 0
    assert (folder / FILE).read_bytes().decode().endswith(text)


AGAINST: dict[str, tuple[str, str, str]] = {
    "a word that is none": (with_lines(DRAFT, severity="severity: dire"), CASES, "severity: Must be one of"),
    "a denial by nobody": (
        with_lines(DRAFT, severity="severity: deny", authority="authority: [{kind: advice, title: An article}]"),
        CASES.replace("warn", "deny"),
        "an active deny needs a binding authority",
    ),
    "too few cases": (DRAFT, CASES[: CASES.index("- name: another code")], "needs at least 2 cases that stay silent"),
    "a case that fails": (
        DRAFT,
        CASES.replace("{line.1.units: 3}", "{line.1.units: 1}"),
        "three units",
    ),
}


@pytest.mark.parametrize("what", AGAINST)
def test_what_lint_or_a_case_would_refuse_is_told_and_nothing_written(folder: Path, what: str) -> None:
    rule, cases, reason = AGAINST[what]
    put(folder, FILE, rule)
    put(folder, TESTS, cases)
    done = promote("active")
    assert done.exit_code == 1, done.output
    assert reason in done.stdout
    assert "sample-rule stays draft; nothing was written" in done.stdout
    assert (folder / FILE).read_text() == rule
    assert promote("draft").exit_code == 2  # it is one already


def test_a_denial_may_run_without_effect_before_its_back_test(folder: Path) -> None:
    put(folder, FILE, AGAINST["a denial by nobody"][0])
    put(folder, TESTS, CASES.replace("warn", "deny"))
    done = promote("shadow")
    assert done.exit_code == 0, done.output
    assert "before it can be active it needs a back-test on record" in done.stdout


@needs_git
def test_another_meaning_under_the_version_that_runs_is_refused(folder: Path) -> None:
    put(folder, FILE, RULE)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "rules")
    put(folder, FILE, with_lines(DRAFT, stage="stage: submission"))
    done = promote("active")
    assert done.exit_code == 1, done.output
    assert "version: is still 1, but the rule means another thing than in HEAD" in done.stdout
    put(folder, FILE, with_lines(DRAFT, stage="stage: submission", version="version: 2"))
    put(folder, "sample/CHANGES.md", "# Changes\n\n## 2026-11-24\n\n- `sample-rule` version 2: another stage.\n")
    assert promote("active").exit_code == 0


def test_a_rule_that_another_one_left_to_cannot_become_a_draft(folder: Path) -> None:
    put(folder, FILE, RULE)
    old = {"id": "id: sample-old", "title": "title: An old rule", "status": "status: deprecated"}
    put(folder, "sample/family/sample-old.yaml", with_lines(RULE, **old) + "superseded-by: sample-rule\n")
    put(folder, "sample/family/sample-old.test.yaml", CASES)
    assert lint(folder) == []
    done = promote("draft")
    assert done.exit_code == 1, done.output
    assert "`sample-rule` is draft and has no effect" in done.stdout
    assert "deprecated: another rule took over" in promote("active", "sample-old").output


@pytest.mark.parametrize("rule", ["sample-none", "pack"])
def test_a_rule_that_there_is_not(folder: Path, rule: str) -> None:
    done = promote("active", rule)
    assert (done.exit_code, f"there is no rule {rule}" in done.output) == (2, True)


def test_a_status_that_has_no_line_of_its_own_is_left_to_the_author(folder: Path) -> None:
    text = "{id: sample-rule, status: draft}\n"
    put(folder, FILE, text)
    done = promote("active")
    assert (done.exit_code, "change it by hand" in done.output) == (2, True)
    assert (folder / FILE).read_text() == text


def test_a_relation_asks_for_grammar_2_and_migrate_writes_it(folder: Path) -> None:
    put(folder, FILE, with_lines(RULE, when=RELATION))
    put(folder, "sample/pack.yaml", "# Ours.\n" + PACK)
    with pytest.raises(Faults) as caught:
        load_rulebook(folder)
    [fault] = [fault for fault in caught.value.faults if "grammar" in fault.message]
    assert (fault.file, fault.line) == (FILE, 1 + with_lines(RULE, when=RELATION).splitlines().index(RELATION))
    assert "the relation `no-other-line` is of grammar 2, and pack sample is written in grammar 1" in fault.message
    assert "scrubber rules migrate sample" in fault.message
    done = migrate("sample")
    assert done.exit_code == 0, done.output
    assert (folder / "sample/pack.yaml").read_text() == "# Ours.\n" + PACK.replace(
        "name: sample\n", 'name: sample\ngrammar: "2"\n'
    )
    assert not [fault for fault in lint(folder) if "grammar" in fault.message]
    assert "already" in migrate("sample").stdout


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ("look-up: {edits: {in: lists}}", "`look-up`"),
        ("amounts: {wasted: {sum: units, of: other-lines}}", "`amounts`"),
        ("bypassed: {any: [{some-history: {within: {days: 3}}}]}", "the relation `some-history`"),
        ("bypassed: {fact: units, over: {fact: charge}}", "comparing with another fact"),
        ("bypassed: {definition: others}", "a definition"),
    ],
)
def test_each_key_of_grammar_2_is_told_in_a_pack_of_grammar_1(folder: Path, lines: str, what: str) -> None:
    put(folder, FILE, RULE + lines + "\n")
    assert [fault for fault in lint(folder) if f"{what} is of grammar 2" in fault.message]


def test_rules_of_grammar_1_mean_the_same_in_grammar_2(folder: Path) -> None:
    put(folder, FILE, RULE)
    before = load_rulebook(folder)
    assert migrate("sample").exit_code == 0
    assert load_rulebook(folder).rules == before.rules


def test_a_pack_that_there_is_not_or_that_is_broken(folder: Path) -> None:
    assert "there is no pack other; there are: payers, sample" in migrate("other").output
    put(folder, "sample/pack.yaml", PACK + 'grammar: "3"\n')
    done = migrate("sample")
    assert (done.exit_code, "grammar: Must be one of: 1, 2." in done.output) == (2, True), done.output
