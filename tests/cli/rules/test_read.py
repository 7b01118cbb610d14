"""Reading and running rules at a terminal: `rules list`, `rules show`, `rules test`."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scrubber.cli import main
from tests.support.rule_folders import CASES, RULE, put, rule_folder, with_lines
from tests.support.service import ROOT
from tests.support.waiting import PATIENCE

TESTS = "sample/family/sample-rule.test.yaml"


def scrubber(*args: str, width: int = 100) -> Result:
    return CliRunner(env={"COLUMNS": str(width)}).invoke(main, args)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SCRUBBER_RULES", str(tmp_path))
    monkeypatch.delenv("SCRUBBER_REFERENCE", raising=False)
    return rule_folder(tmp_path)


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a clone: a page names the file of its rule, as wide as the path of the clone makes it."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("SCRUBBER_RULES", "rules")
    monkeypatch.delenv("SCRUBBER_REFERENCE", raising=False)


def listed(*options: str) -> dict[str, dict[str, object]]:
    done = scrubber("rules", "list", *options, "--json")
    assert done.exit_code == 0, done.output
    return {rule["id"]: rule for rule in json.loads(done.stdout)}


@pytest.mark.usefixtures("shipped")
def test_rules_of_a_code() -> None:
    found = listed("--code", "77092")
    assert found["documentation-tbs-number"]["namesCode"] is True  # by a list
    assert found["cms-ncci-mue-line"]["namesCode"] is False  # for every code
    assert "documentation-tbs-number" not in listed("--code", "99213")


@pytest.mark.usefixtures("shipped")
def test_rules_of_a_payer_and_a_day() -> None:
    original, commercial = listed("--payer", "original-medicare"), listed("--payer", "commercial")
    assert "medicare-abn-gz" in original
    assert "medicare-abn-gz" not in commercial
    assert "documentation-tbs-number" not in listed("--as-of", "2021-12-31")
    assert "documentation-tbs-number" in listed("--as-of", "2022-01-01")
    assert listed("--status", "draft") == {}
    assert scrubber("rules", "list", "--payer", "Nobody").exit_code == 2
    assert scrubber("rules", "list", "--as-of", "soon").exit_code == 2


@pytest.mark.usefixtures("shipped")
def test_a_rule_as_a_page() -> None:
    for width in 80, 100:
        done = scrubber("rules", "show", "documentation-tbs-number", width=width)
        assert done.exit_code == 0
        assert max(map(len, done.stdout.splitlines())) <= width
    said = " ".join(done.stdout.split())
    for part in (
        "WHAT It says: Line {line} bills {procedure}, but the report states no TBS number.",
        "procedure any-in tbs-with-report",
        "any of tbsValue is absent tbsValue is not-a-number",
        "advice (not binding): How To Use CPT Code 77092",
        "Dates of service from 2022-01-01 on. Version 1, active: it runs.",
        'fires: a report that says only "low" has no number',
        "not checked: nothing sent about the report is not a fault",
        "documentation-tbs-interpretation: The report does not interpret the score",
    ):
        assert part in said


def test_states_of_the_life_cycle_on_the_page(folder: Path) -> None:
    put(folder, "sample/sample-next.yaml", with_lines(RULE, id="id: sample-next", title="title: Next"))
    old = {"status": "status: deprecated", "superseded_by": "superseded-by: sample-next"}
    put(folder, "sample/family/sample-rule.yaml", with_lines(RULE, **old))
    said = scrubber("rules", "show", "sample-rule").stdout
    assert "deprecated: it never runs any more" in said
    assert "Superseded by sample-next" in said


def test_a_failing_case_shows_expected_and_found(folder: Path) -> None:
    put(folder, TESTS, CASES.replace("severity: warn", "severity: deny"))
    done = scrubber("rules", "test", width=80)
    assert done.exit_code == 1
    shown = done.stdout.splitlines()
    assert shown[1:4] == ["  - expected finding", "  -     line 1", "  -     severity deny"]
    assert "  +     severity warn" in shown
    assert max(map(len, shown[1:])) <= 80
    assert shown[-1] == "4 cases of 1 rule, 1 failed"


@contextmanager
def watching(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-m", "scrubber", "rules", "test", "--watch"],
        cwd=ROOT,
        env=os.environ | {"SCRUBBER_RULES": str(folder)},
        stdout=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until(process: subprocess.Popen[bytes], said: str) -> str:
    assert process.stdout is not None
    shown, end = "", time.monotonic() + PATIENCE
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ)
        while said not in shown and time.monotonic() < end:
            if waiting.select(1):
                shown += os.read(process.stdout.fileno(), 65536).decode()
    assert said in shown
    return shown


def test_watching_runs_again_what_was_saved(folder: Path) -> None:
    put(folder, "sample/sample-next.yaml", with_lines(RULE, id="id: sample-next", title="title: Next"))
    put(folder, "sample/sample-next.test.yaml", CASES)
    with watching(folder) as process:
        until(process, "8 cases of 2 rules, 0 failed")
        put(folder, TESTS, CASES.replace("severity: warn", "severity: deny"))
        assert "sample-rule;" in until(process, "4 cases of 1 rule, 1 failed")
        put(folder, "sample/family/sample-rule.yaml", RULE.replace("severity: warn", "severity: dire"))
        until(process, "nothing was run")
        put(folder, "sample/family/sample-rule.yaml", RULE.replace("severity: warn", "severity: deny"))
        until(process, "8 cases of 2 rules, 0 failed")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
