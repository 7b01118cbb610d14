"""CHANGES.md of a pack: what changed in meaning is mentioned, what did not is not."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scrubber.authoring.changelog import changelog_faults
from scrubber.authoring.diff import rulebook_difference
from scrubber.cli import main
from scrubber.rulebook.history import archive, changes_faults, read_changes
from scrubber.rulebook.load import digest, load_rulebook
from tests.conftest import ROOT
from tests.support.rule_folders import LISTS, RULE, put, rule_folder, with_lines

FIRST = "# Changes\n\n## 2026-11-23\n\n- Version 1: units.\n"
INFO = with_lines(RULE, severity="severity: info", version="version: 2")
TOLD = "# Changes\n\n## 2026-12-01\n\n- `sample-rule` version 2: informs only.\n" + FIRST.removeprefix("# Changes\n")


def folder_of(path: Path, rule: str = RULE, changes: str = FIRST, lists: str = LISTS) -> Path:
    put(rule_folder(path, rule, lists=lists), "sample/CHANGES.md", changes)
    return path


def faults(folder: Path, rule: str = RULE, changes: str = FIRST, lists: str = LISTS) -> list[str]:
    """What is untold in a changed sample folder."""
    before, after = folder_of(folder / "before"), folder_of(folder / "after", rule, changes, lists)
    return [
        str(fault) for fault in changelog_faults(before, after, rulebook_difference(before, after, "before", "after"))
    ]


# Without history


def test_entries_are_read() -> None:
    text = TOLD.replace("## 2026-11-23", "## 2026-11-23 (sha256:1f0c93aa7b52)")
    newest, first = read_changes(text).entries
    assert (newest.day.isoformat(), newest.digest, newest.names) == ("2026-12-01", None, {"sample-rule": 5})
    assert (first.digest, first.names) == ("sha256:1f0c93aa7b52", {})
    assert read_changes(text).versions == {("sample-rule", 2)}
    assert read_changes(text).faults == ()


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("", 1, "first line"),
        ("# Changelog\n", 1, "first line"),
        ("# Changes\n\n## December\n", 3, "a heading is a day"),
        ("# Changes\n\n## 2026-02-30\n", 3, "a heading is a day"),
        ("# Changes\n\n## 2026-12-01 (v1)\n", 3, "a heading is a day"),
        ("# Changes\n\n## 2026-11-23\n\n## 2026-12-01\n", 5, "newest entry comes first"),
    ],
)
def test_a_layout_that_cannot_be_read_is_a_fault(text: str, line: int, told: str) -> None:
    [(number, message)] = read_changes(text).faults
    assert number == line
    assert told in message


def test_a_raised_version_is_told_in_any_entry(tmp_path: Path) -> None:
    untold_yet, told = folder_of(tmp_path / "1", INFO), folder_of(tmp_path / "2", INFO, TOLD)
    rules = load_rulebook(told).rules.values()
    assert not list(changes_faults(told, "sample", rules))
    [fault] = changes_faults(untold_yet, "sample", rules)
    assert "`sample-rule` version 2" in fault.message


def test_lint_reads_the_changes_of_a_pack(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "rules", changes="# Changes\n\n## soon\n")
    done = CliRunner().invoke(main, ["rules", "lint"], env={"SCRUBBER_RULES": str(folder)})
    assert done.exit_code == 1
    assert "sample/CHANGES.md:3: a heading is a day" in done.output


# Against an earlier state


def test_nothing_changed_and_nothing_told_is_right(tmp_path: Path) -> None:
    assert faults(tmp_path) == []


def test_a_change_that_is_told_is_right(tmp_path: Path) -> None:
    assert faults(tmp_path, INFO, TOLD) == []


def test_a_change_that_is_not_told_is_a_fault(tmp_path: Path) -> None:
    [fault] = faults(tmp_path, INFO)
    assert fault == "sample/CHANGES.md:3: does not mention `sample-rule`, which was changed: add a line for it"


def test_a_mention_of_what_did_not_change_is_a_fault(tmp_path: Path) -> None:
    [fault] = faults(tmp_path, RULE, TOLD)
    assert fault == "sample/CHANGES.md:5: mentions `sample-rule`, in which nothing has changed"


def test_a_version_that_was_not_raised_is_a_fault(tmp_path: Path) -> None:
    [fault] = faults(tmp_path, with_lines(RULE, severity="severity: info"), TOLD)
    assert fault.startswith("sample/family/sample-rule.yaml: it means something else")


def test_other_words_may_be_told_and_need_not(tmp_path: Path) -> None:
    worded = with_lines(RULE, fix="fix: Bill one.")
    assert faults(tmp_path / "1", worded) == []
    assert faults(tmp_path / "2", worded, TOLD) == []


def test_a_second_change_of_the_same_day_is_told_in_its_entry(tmp_path: Path) -> None:
    today = FIRST.replace("Version 1: units.", "Version 1: units.\n- `sample-rule` version 2: informs only.")
    assert faults(tmp_path / "1", INFO, today) == []
    before = folder_of(tmp_path / "before", INFO, today)
    third = with_lines(INFO, version="version: 3", severity="severity: warn")
    after = folder_of(tmp_path / "after", third, f"{today}- `sample-rule` version 3: warns again.\n")
    assert changelog_faults(before, after, rulebook_difference(before, after, "before", "after")) == []


def test_rows_are_told_by_their_file(tmp_path: Path) -> None:
    lists = LISTS + "tbs,77090,,,,sample\n"
    [fault] = faults(tmp_path / "1", lists=lists)
    assert "does not mention `lists.csv`" in fault
    assert faults(tmp_path / "2", changes=TOLD.replace("sample-rule` version 2", "lists.csv`"), lists=lists) == []
    [fault] = faults(tmp_path / "3", changes=TOLD.replace("sample-rule` version 2", "lists.csv`"))
    assert "mentions `lists.csv`" in fault


def test_a_correction_of_an_old_entry_is_no_new_one(tmp_path: Path) -> None:
    before = folder_of(tmp_path / "before", INFO, TOLD)
    after = folder_of(tmp_path / "after", INFO, TOLD.replace("informs only", "only informs"))
    assert changelog_faults(before, after, rulebook_difference(before, after, "before", "after")) == []


def test_a_removed_rule_is_told(tmp_path: Path) -> None:
    before, after = folder_of(tmp_path / "before"), folder_of(tmp_path / "after")
    (after / "sample/family/sample-rule.yaml").unlink()
    difference = rulebook_difference(before, after, "before", "after")
    [fault] = changelog_faults(before, after, difference)
    assert "`sample-rule`, which was removed" in fault.message
    put(after, "sample/CHANGES.md", TOLD)
    assert changelog_faults(before, after, difference) == []


def test_a_new_pack_needs_an_entry_and_no_list_of_its_rules(tmp_path: Path) -> None:
    before, after = folder_of(tmp_path / "before"), folder_of(tmp_path / "after")
    shutil.rmtree(before / "sample")
    difference = rulebook_difference(before, after, "before", "after")
    assert changelog_faults(before, after, difference) == []
    put(after, "sample/CHANGES.md", "# Changes\n")
    [fault] = changelog_faults(before, after, difference)
    assert "tells nothing" in fault.message


def test_with_a_kept_rulebook_the_heading_that_names_it_tells_what_is_new(tmp_path: Path) -> None:
    rules = folder_of(tmp_path / "rules")
    kept = archive(rules, digest(rules), tmp_path / "state")
    put(rules, "sample/family/sample-rule.yaml", INFO)
    put(rules, "sample/CHANGES.md", TOLD)
    assert "no heading names (sha256:" in check(rules, tmp_path / "state", "--against", kept.name[:12]).output
    put(rules, "sample/CHANGES.md", TOLD.replace("## 2026-11-23", f"## 2026-11-23 (sha256:{kept.name[:12]})"))
    assert check(rules, tmp_path / "state", "--against", kept.name[:12]).exit_code == 0


# The command


def check(rules: Path, state: Path, *words: str) -> Result:
    environ = {"SCRUBBER_RULES": str(rules), "SCRUBBER_STATE": str(state)}
    return CliRunner().invoke(main, ["rules", "changes", *words], env=environ)


def test_the_command_tells_every_fault(tmp_path: Path) -> None:
    before, rules = folder_of(tmp_path / "before"), folder_of(tmp_path / "rules", INFO)
    done = check(rules, tmp_path, "--against", str(before))
    assert done.exit_code == 1
    assert done.output.splitlines()[0].startswith(f"{rules}/sample/CHANGES.md:3: does not mention")
    put(rules, "sample/CHANGES.md", TOLD)
    done = check(rules, tmp_path, "--against", str(before))
    assert (done.exit_code, done.output) == (
        0, f"CHANGES.md tells all that has changed since {before}: 1 rule, 0 rows\n"
    )  # fmt: skip


def test_outside_of_git_it_asks_for_a_revision(tmp_path: Path) -> None:
    done = check(folder_of(tmp_path / "rules"), tmp_path)
    assert done.exit_code == 2
    assert "say --against" in done.output


def test_our_packs_tell_what_has_changed_since_the_last_release() -> None:
    command = ["git", "-C", str(ROOT), "describe", "--tags", "--abbrev=0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False) if shutil.which("git") else None
    if done is None or done.returncode:
        pytest.skip("git knows no tag of a release here: none was made, or the clone is a shallow one")
    told = check(ROOT / "rules", ROOT, "--against", done.stdout.strip())
    if told.exit_code == 2 and "fault" in told.output:
        pytest.skip("the rules of that release are not read by this version of the program")
    assert told.exit_code == 0, told.output
