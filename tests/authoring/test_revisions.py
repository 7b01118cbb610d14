"""A revision of the rules: a folder, a kept rulebook, or what git has; and what is told when there is none."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from scrubber.authoring.revisions import is_git_revision, opened_revision
from scrubber.cli import main
from scrubber.errors import NoRulebook
from scrubber.rulebook.history import archive
from scrubber.rulebook.load import digest, load_rulebook
from tests.support.rule_folders import RULE, put, rule_folder, with_lines

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
WARN, INFO = RULE, with_lines(RULE, severity="severity: info")


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *who, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """Rules in a git work tree: `warn` in the first commit, `info` in the second, which is HEAD."""
    folder = rule_folder(tmp_path / "work" / "our rules", WARN)
    git(tmp_path / "work", "init", "-q")
    commit(folder)
    put(folder, "sample/family/sample-rule.yaml", INFO)
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "rules")


def severity(text: str, rules: Path, state: Path | None = None) -> str:
    with opened_revision(text, rules, state) as folder:
        return load_rulebook(folder).rules["sample-rule"].severity


def test_a_folder_is_itself(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path / "rules")
    with opened_revision(str(folder), Path("elsewhere"), None) as found:
        assert found == folder


@pytest.mark.parametrize("prefix", ["", "sha256:"])
def test_a_kept_rulebook_is_found_by_its_digest(tmp_path: Path, prefix: str) -> None:
    folder = rule_folder(tmp_path / "rules", WARN)
    kept = archive(folder, digest(folder), tmp_path / "state")
    put(folder, "sample/family/sample-rule.yaml", INFO)
    assert severity(prefix + kept.name[:12], folder, tmp_path / "state") == "warn"


@needs_git
def test_git_knows_the_rules_as_they_were(rules: Path) -> None:
    put(rules, "sample/family/sample-rule.yaml", with_lines(RULE, severity="severity: deny"))
    first = git(rules, "rev-parse", "HEAD~1")
    assert [severity(text, rules) for text in ("HEAD~1", "HEAD", first, first[:10])] == ["warn", "info", "warn", "warn"]


@needs_git
def test_what_git_gave_is_gone_afterwards(rules: Path) -> None:
    with opened_revision("HEAD", rules, None) as folder:
        assert digest(folder) == digest(rules)
    assert not folder.exists()


@needs_git
def test_rules_may_be_the_whole_work_tree(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path / "rules", WARN)
    git(folder, "init", "-q")
    commit(folder)
    assert severity("HEAD", folder) == "warn"


@needs_git
def test_a_hook_of_another_repository_leads_nowhere_else(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(rules / "nowhere"))
    assert severity("HEAD~1", rules) == "warn"


@needs_git
@pytest.mark.parametrize("text", ["no-such-branch", "--output=x", "HEAD~9", "", "0123456789abcdef"])
def test_an_unknown_revision_is_told(rules: Path, text: str) -> None:
    with pytest.raises(NoRulebook, match=r"no revision of git|no rulebook"), opened_revision(text, rules, None):
        pass


@needs_git
def test_a_revision_before_the_folder_was_there_is_told(rules: Path) -> None:
    moved = rules.with_name("moved")
    rules.rename(moved)
    with pytest.raises(NoRulebook, match="has no folder moved"), opened_revision("HEAD", moved, None):
        pass


@needs_git
def test_changes_and_differences_are_told_against_what_git_has_last(rules: Path) -> None:
    environ = {"SCRUBBER_RULES": str(rules)}
    told = CliRunner().invoke(main, ["rules", "changes"], env=environ)
    assert (told.exit_code, told.output) == (0, "CHANGES.md tells all that has changed since HEAD: 0 rules, 0 rows\n")
    put(rules, "sample/family/sample-rule.yaml", WARN)
    assert CliRunner().invoke(main, ["rules", "changes"], env=environ).exit_code == 1
    assert "severity: info -> warn" in CliRunner().invoke(main, ["rules", "diff", "HEAD"], env=environ).output


@needs_git
def test_outside_of_git_it_says_so(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path / "rules")
    with pytest.raises(NoRulebook, match="not a git repository"), opened_revision("HEAD", folder, None):
        pass
    assert not is_git_revision("HEAD", folder)


def test_without_git_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoRulebook, match="git is not installed"), opened_revision("HEAD", tmp_path, None):
        pass
