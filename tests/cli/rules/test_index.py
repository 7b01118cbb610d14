"""`rules index`: the README.md of a folder of rules names every rule, and lint says when it no longer does."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scrubber.cli import main
from scrubber.rulebook.lint import lint_report
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.rule_index import index_text
from tests.support.rule_folders import RULE, SHIPPED, put, rule_folder, with_lines

FILE = "sample/family/sample-rule.yaml"
DAY = date(2026, 11, 24)
STALE = "README.md: is not up to date: write it anew with `scrubber rules index`"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rules = rule_folder(tmp_path / "rules", with_lines(RULE, title='title: "Units | of a score"'))
    monkeypatch.setenv("SCRUBBER_RULES", str(rules))
    return rules


def scrubber(*words: str) -> Result:
    return CliRunner().invoke(main, ["rules", *words])


def stale(folder: Path) -> bool:
    return STALE in map(str, lint_report(folder, DAY).warnings)


def test_every_rule_has_a_row_with_its_link(folder: Path) -> None:
    done = scrubber("index")
    assert done.stdout == f"{folder}/README.md is written: 1 rule in 2 packs\n"
    text = (folder / "README.md").read_text()
    authority = "[Sample policy, 1](https://policy.example/1)"
    assert f"| [sample-rule]({FILE}) | Units \\| of a score | warn | active | {authority} |" in text
    assert "## [sample](sample/pack.yaml): Sample pack" in text
    assert "House policy of a sample clinic. It holds for every payer" in text


def test_lint_warns_where_the_index_is_no_longer_right(folder: Path) -> None:
    assert not stale(folder)  # there is none, and nobody has to have one
    scrubber("index")
    assert not stale(folder)
    put(folder, FILE, with_lines(RULE, title="title: Other words"))
    assert stale(folder)
    put(folder, FILE, RULE + "severity: dire\n")
    assert not stale(folder)  # its faults come first


def test_promote_keeps_an_index_that_is_there_up_to_date(folder: Path) -> None:
    assert scrubber("promote", "sample-rule", "shadow").exit_code == 0
    assert not (folder / "README.md").exists()
    scrubber("index")
    assert scrubber("promote", "sample-rule", "active").exit_code == 0
    assert "| warn | active |" in (folder / "README.md").read_text()
    assert not stale(folder)


def test_a_draft_that_does_not_load_is_not_in_it(folder: Path) -> None:
    put(folder, "sample/family/sample-draft.yaml", "status: draft\n")
    scrubber("index")
    assert "sample-draft" not in (folder / "README.md").read_text()
    assert not stale(folder)


def test_the_shipped_index_is_current() -> None:
    book = load_rulebook(SHIPPED)
    text = (SHIPPED / "README.md").read_text(encoding="utf-8")
    assert text == index_text(book.packs, book.rules.values()), "write it anew: .venv/bin/scrubber rules index"
    assert all(f"]({rule.file})" in text and (SHIPPED / rule.file).is_file() for rule in book.rules.values())
