"""A rule that means something else under the version it had: refused by lint, by a reload and by a start."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scrubber.authoring.in_force import record_in_force
from scrubber.cli import main
from scrubber.rulebook.history import archive
from scrubber.rulebook.load import digest
from tests.server.test_reload import SECOND_VERSION, digests, hup, reload, serving
from tests.support.rule_folders import CASES, RULE, put, rule_folder, with_lines
from tests.support.service import ROOT, free_port

FILE, TESTS = "sample/family/sample-rule.yaml", "sample/family/sample-rule.test.yaml"
SAID = f"{FILE}:3: version: is still 1, but the rule means another thing than in "
GIT = shutil.which("git")


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return rule_folder(tmp_path / "rules")


def deny(rules: Path, version: int) -> None:
    """The rule denies from now on."""
    put(rules, FILE, with_lines(RULE, severity="severity: deny", version=f"version: {version}"))
    put(rules, TESTS, CASES.replace("warn", "deny"))
    put(rules, "sample/CHANGES.md", SECOND_VERSION if version == 2 else "# Changes\n")


def lint(rules: Path, *options: str, state: Path | None = None) -> Result:
    environ = {"SCRUBBER_RULES": str(rules)} | ({"SCRUBBER_STATE": str(state)} if state else {})
    return CliRunner().invoke(main, ["rules", "lint", *options], env=environ)


def command(*words: str, rules: Path, state: Path) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {
        "SCRUBBER_RULES": str(rules),
        "SCRUBBER_STATE": str(state),
        "SCRUBBER_BIND": f"127.0.0.1:{free_port()}",
    }
    done = [sys.executable, "-m", "scrubber", *words]
    return subprocess.run(done, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False)


def git(folder: Path, *words: str) -> None:
    named = ("-c", "user.name=Sample", "-c", "user.email=sample@example.com", "-c", "commit.gpgsign=false")
    assert GIT
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run([GIT, *named, *words], cwd=folder, check=True, capture_output=True, env=environ)


needs_git = pytest.mark.skipif(GIT is None, reason="git is not installed")


@needs_git
def test_lint_holds_versions_against_what_git_has_last(rules: Path) -> None:
    git(rules, "init")
    assert lint(rules).exit_code == 0
    git(rules, "add", ".")
    git(rules, "commit", "-m", "first")
    deny(rules, 1)
    done = lint(rules)
    assert done.exit_code == 1
    assert f"{SAID}HEAD (`severity`): raise it" in done.stdout
    deny(rules, 2)
    assert lint(rules).exit_code == 0
    put(rules, "sample/family/sample-new.yaml", RULE.replace("sample-rule", "sample-new").replace("A s", "A new s"))
    put(rules, "sample/family/sample-new.test.yaml", CASES)
    assert lint(rules).exit_code == 0  # a rule that is new has nothing to be held against
    git(rules, "add", ".")
    git(rules, "commit", "-m", "second")
    put(rules, FILE, with_lines(RULE, severity="severity: info", version="version: 2"))
    put(rules, TESTS, CASES.replace("warn", "info"))
    assert "is still 2" in lint(rules).stdout
    assert lint(rules, "--against", "HEAD~1").exit_code == 0


@needs_git
def test_a_draft_may_change_under_its_version(rules: Path) -> None:
    put(rules, FILE, with_lines(RULE, status="status: draft"))
    git(rules, "init")
    git(rules, "add", ".")
    git(rules, "commit", "-m", "first")
    put(rules, FILE, with_lines(RULE, severity="severity: deny"))
    put(rules, TESTS, CASES.replace("warn", "deny"))
    assert lint(rules).exit_code == 0


def test_without_git_lint_holds_versions_against_the_rules_last_in_force(rules: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    deny(rules, 1)
    assert lint(rules, state=state).exit_code == 0
    kept = digest(rules)
    archive(rules, kept, state)
    record_in_force(rules, kept, state)
    put(rules, FILE, RULE)
    put(rules, TESTS, CASES)
    done = lint(rules, state=state)
    assert done.exit_code == 1
    assert f"{SAID}the rules last in force ({kept[:19]}) (`severity`)" in done.stdout


def test_a_reload_refuses_what_changed_under_its_version(rules: Path, tmp_path: Path) -> None:
    with serving(tmp_path, rules) as service:
        (old,) = digests(service)
        deny(rules, 1)
        done = reload(tmp_path)
        assert done.returncode == 1
        assert f"{rules}/{SAID}the rules in force ({old[:19]}) (`severity`)" in done.stdout
        assert "1 fault; nothing has changed" in done.stdout
        assert hup(tmp_path, service).outcome == "refused"
        assert digests(service) == {old}
        deny(rules, 2)
        assert reload(tmp_path).returncode == 0
        put(rules, FILE, RULE)  # back to what was in force before: version 1 means what it meant
        put(rules, TESTS, CASES)
        put(rules, "sample/CHANGES.md", "# Changes\n")
        assert reload(tmp_path).returncode == 0
        assert digests(service) == {old}


def test_a_start_judges_as_a_reload_does(rules: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with serving(tmp_path, rules) as service:
        (old,) = digests(service)
        deny(rules, 2)
        assert hup(tmp_path, service).outcome == "reloaded"
        (new,) = digests(service)
        put(rules, FILE, with_lines(RULE, severity="severity: info", version="version: 2"))
        put(rules, TESTS, CASES.replace("warn", "info"))
        put(rules, "sample/CHANGES.md", SECOND_VERSION)
        assert hup(tmp_path, service).outcome == "refused"
    for words in (("serve",), ("worker",)):
        done = command(*words, rules=rules, state=state)
        assert done.returncode == 2
        assert f"the rules last in force ({new[:19]}) (`severity`)" in done.stderr
        assert "Traceback" not in done.stderr
    put(rules, FILE, RULE)
    put(rules, TESTS, CASES)
    with serving(tmp_path, rules) as service:
        assert digests(service) == {old}


def test_while_somebody_watches_a_version_is_raised_once(rules: Path, tmp_path: Path) -> None:
    with serving(tmp_path, rules) as plain:
        (old,) = digests(plain)
    with serving(tmp_path, rules, "--watch") as service:
        deny(rules, 2)
        first = hup(tmp_path, service)
        put(rules, FILE, with_lines(RULE, severity="severity: info", version="version: 2"))
        put(rules, TESTS, CASES.replace("warn", "info"))
        second = hup(tmp_path, service)
        assert {first.outcome, second.outcome} <= {"reloaded", "unchanged"}
        assert digests(service) not in ({old}, {first.new})
        put(rules, FILE, with_lines(RULE, severity="severity: info"))
        assert hup(tmp_path, service).outcome == "refused"
