"""The other commands, and what each of them says of itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import orjson
import pytest
from click.testing import CliRunner, Result

from scrubber import __version__
from scrubber.cli import main
from tests.service import ROOT, write_rules


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    codes = ("sample-denied", "deny", "77092"), ("sample-warned", "warn", "36415")
    write_rules(tmp_path / "rules", *codes)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCRUBBER_RULES", raising=False)
    monkeypatch.delenv("SCRUBBER_REFERENCE", raising=False)
    return tmp_path


def scrubber(*args: str) -> Result:
    return CliRunner().invoke(main, args)


def commands(group: click.Group, *path: str) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [path]
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        below = commands(command, *path, name) if isinstance(command, click.Group) else [(*path, name)]
        found += below
    return found


@pytest.mark.parametrize("path", commands(main), ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    done = scrubber(*path, "--help")
    assert done.exit_code == 0
    assert "Usage:" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_version() -> None:
    assert scrubber("--version").stdout == f"scrubber, version {__version__}\n"


def test_help_does_not_wait_for_flask() -> None:
    code = "import sys; from scrubber.cli import main; main(['--help'], standalone_mode=False); "
    code += "sys.exit('flask' in sys.modules or 'marshmallow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)


def test_an_unknown_command_is_refused() -> None:
    assert scrubber("scrap").exit_code == 2


def test_rules_are_listed(folder: Path) -> None:
    listed = scrubber("rules", "list").stdout.splitlines()
    assert [line.split()[:3] for line in listed] == [
        ["sample-denied", "active", "deny"],
        ["sample-warned", "active", "warn"],
    ]
    assert scrubber("rules", "list", "--pack", "sample").stdout.splitlines() == listed
    refused = scrubber("rules", "list", "--pack", "other")
    assert refused.exit_code == 2
    assert "sample" in refused.stderr


def test_a_rule_is_shown(folder: Path) -> None:
    assert orjson.loads(scrubber("rules", "show", "sample-denied").stdout)["severity"] == "deny"
    refused = scrubber("rules", "show", "nothing")
    assert refused.exit_code == 2
    assert "nothing" in refused.stderr


def test_reference_data_is_built_and_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    starter = scrubber("reference", "list").stdout
    assert "mpfs" in starter
    assert scrubber("reference", "build", "reference.sqlite").exit_code == 0
    monkeypatch.setenv("SCRUBBER_REFERENCE", "reference.sqlite")
    assert scrubber("reference", "list").stdout == starter


@pytest.mark.parametrize(
    "args",
    [
        ["reference.db"],
        ["nowhere/reference.sqlite"],
        ["reference.sqlite", "--from", "nowhere"],
        ["reference.sqlite", "--from", "faulty"],
    ],
)
def test_a_build_that_fails_leaves_nothing(folder: Path, args: list[str]) -> None:
    (folder / "faulty").mkdir()
    (folder / "faulty" / "mpfs.csv").write_text("nonsense\n1\n")
    done = scrubber("reference", "build", *args)
    assert done.exit_code == 2
    assert done.stderr
    assert "Traceback" not in done.stderr
    assert [path for path in folder.iterdir() if "reference" in path.name] == []


def test_a_place_without_reference_data_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRUBBER_REFERENCE", "nowhere.sqlite")
    done = scrubber("reference", "list")
    assert done.exit_code == 2
    assert "reference data" in done.stderr
