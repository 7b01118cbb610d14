"""A draft stops nothing, whatever is wrong with it: it is told, and all other rules are loaded, checked and served."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from scrubber.authoring.admission import admit
from scrubber.authoring.check_cache import CheckCache
from scrubber.authoring.run_tests import run_tests
from scrubber.cli import main
from scrubber.errors import Faults
from scrubber.reference import open_reference
from scrubber.rulebook.lint import lint, lint_report
from scrubber.rulebook.load import load_rulebook
from scrubber.scrub import open_scrubber
from tests.server.test_reload import digests, hup, logged, reload, serving
from tests.support.rule_folders import CASES, RULE, put, rule_folder, with_lines

DRAFT = "sample/family/sample-draft.yaml"
TODAY = date(2026, 11, 23)
SOUND = with_lines(RULE, id="id: sample-draft", title="title: A sample draft", status="status: draft")


def folder_with(folder: Path, draft: str, cases: str | None = CASES) -> Path:
    rule_folder(folder)
    put(folder, DRAFT, draft)
    if cases is not None:
        put(folder, DRAFT.replace(".yaml", ".test.yaml"), cases)
    return folder


def warned(folder: Path) -> list[str]:
    return [str(warning) for warning in lint_report(folder, TODAY).warnings]


BROKEN = {
    "a word that is none": with_lines(SOUND, severity="severity: dire"),
    "a fact that is none": with_lines(SOUND, when="when: {fact: colour, is: red}"),
    "no YAML": SOUND + "when: [\n",
    "half typed": 'id: sample-draft\nstatus: draft\ntitle: A quotation "that is',
    "nothing but its status": "status: draft\n",
    "the title of another rule": with_lines(SOUND, title="title: A sample rule"),
}


@pytest.mark.parametrize("draft", BROKEN.values(), ids=BROKEN)
def test_a_draft_that_does_not_load_is_left_out_and_told(tmp_path: Path, draft: str) -> None:
    folder = folder_with(tmp_path, draft)
    book = load_rulebook(folder)
    assert list(book.rules) == ["sample-rule"]
    assert {fault.file for fault in book.left_out} == {DRAFT}
    assert lint(folder) == []
    assert any(line.startswith(DRAFT) and "a draft that is left out: " in line for line in warned(folder))
    admitted = admit(folder, open_reference(None), CheckCache(None), 1)
    assert (list(admitted.rulebook.rules), admitted.cases) == (["sample-rule"], 4)
    assert DRAFT in {warning.file for warning in admitted.warnings}
    assert {result.rule for result in run_tests(open_scrubber(folder, None), folder)} == {"sample-rule"}


@pytest.mark.parametrize(
    "rule",
    [
        with_lines(BROKEN["a word that is none"], status="status: active"),
        with_lines(BROKEN["a word that is none"], status="status: shadow"),
        BROKEN["half typed"].replace("draft\n", "active\n"),
        BROKEN["half typed"] + "\nstatus: active\n",
        "nothing: yes\n",
    ],
)
def test_any_other_rule_that_does_not_load_stops_all(tmp_path: Path, rule: str) -> None:
    folder = folder_with(tmp_path, rule)
    with pytest.raises(Faults):
        load_rulebook(folder)
    assert DRAFT in {fault.file for fault in lint(folder)}


@pytest.mark.parametrize(
    ("cases", "said"),
    [
        (None, "has no tests"),
        ("- name: [\n", "a draft: "),
        (CASES.replace("units: 2", "units: 1"), "expected finding"),
    ],
)
def test_tests_of_a_draft_stop_nothing(tmp_path: Path, cases: str | None, said: str) -> None:
    folder = folder_with(tmp_path, SOUND, cases)
    assert lint(folder) == []
    admitted = admit(folder, open_reference(None), CheckCache(None), 1)
    assert "sample-draft" in admitted.rulebook.rules
    assert any(said in str(warning) and "a draft: " in warning.message for warning in admitted.warnings)
    put(folder, DRAFT, with_lines(SOUND, status="status: active"))
    with pytest.raises(Faults):
        admit(folder, open_reference(None), CheckCache(None), 1)


def test_the_tests_of_a_draft_that_is_left_out_say_why_they_do_not_run(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, BROKEN["a word that is none"])
    with pytest.raises(Faults, match=r"sample-draft\.yaml:\d+: severity: Must be one of"):
        run_tests(open_scrubber(folder, None), folder, ["sample-draft"])


def test_a_draft_takes_over_from_nothing(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, BROKEN["no YAML"])
    put(folder, "sample/family/sample-rule.yaml", with_lines(
        RULE, status="status: deprecated", superseded_by="superseded-by: sample-draft"))  # fmt: skip
    [fault] = lint(folder)
    assert "`sample-draft` is draft and has no effect" in fault.message


def test_a_service_goes_on_beside_a_draft_that_does_not_load(tmp_path: Path) -> None:
    rules = folder_with(tmp_path / "rules", BROKEN["a word that is none"])
    with serving(tmp_path, rules) as service:
        assert any(DRAFT in line["reason"] for line in logged(service, "draft"))
        (old,) = digests(service)
        put(rules, DRAFT, BROKEN["half typed"])
        outcome = hup(tmp_path, service)
        assert (outcome.outcome, outcome.rules) == ("reloaded", 1)
        assert DRAFT in outcome.warnings[0]
        put(rules, DRAFT, BROKEN["no YAML"])
        done = reload(tmp_path)
        assert done.returncode == 0
        assert f"warning: {rules}/{DRAFT}" in done.stdout
        assert digests(service) != {old}


@pytest.mark.parametrize(
    "words",
    [
        ("rules", "list"),
        ("rules", "show", "sample-draft"),
        ("rules", "explain", "{claim}", "--rule", "sample-draft"),
        ("rules", "backtest", "--rules", "sample-draft", "--claims", "{claim}"),
        ("scrub", "{claim}", "--enable", "sample-draft"),
    ],
    ids=" ".join,
)
def test_commands_say_that_a_draft_does_not_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    folder = folder_with(tmp_path, "status: draft\n")
    monkeypatch.setenv("SCRUBBER_RULES", str(folder))
    done = CliRunner().invoke(main, [word.format(claim=folder / "claims" / "tbs.json") for word in words])
    assert "not load" in done.output
    assert "perhaps" not in done.output


@pytest.mark.parametrize(
    "words",
    [
        ("rules", "lint"),
        ("rules", "test"),
        ("rules", "coverage", "sample-rule"),
        ("rules", "mutate", "sample-rule"),
        ("rules", "index"),
        ("rules", "diff", "{folder}"),
        ("rules", "explain", "{claim}"),
        ("scrub", "{claim}"),
    ],
    ids=" ".join,
)
def test_no_command_stops_at_a_draft_that_does_not_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    folder = folder_with(tmp_path, BROKEN["no YAML"])
    monkeypatch.setenv("SCRUBBER_RULES", str(folder))
    names = {"claim": folder / "claims" / "tbs.json", "folder": folder}
    done = CliRunner().invoke(main, [word.format(**names) for word in words])
    assert done.exit_code == 0, done.output
