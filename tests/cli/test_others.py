"""The other commands, and what each of them says of itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import orjson
import pytest
from click.testing import CliRunner, Result

from scrubber import __version__
from scrubber.cli import main
from tests.support.claims import office_claim
from tests.support.service import ROOT, write_rules


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
    assert scrubber("--version").stdout == f"scrubber, version {__version__} (source)\n"


def test_help_does_not_wait_for_flask() -> None:
    code = "import sys; from scrubber.cli import main; main(['--help'], standalone_mode=False); "
    code += "sys.exit('flask' in sys.modules or 'marshmallow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)


def test_an_unknown_command_is_refused() -> None:
    assert scrubber("scrap").exit_code == 2


def test_rules_are_listed(folder: Path) -> None:
    header, *listed = scrubber("rules", "list").stdout.splitlines()
    assert header.split() == ["ID", "STATUS", "SEVERITY", "TITLE"]
    assert [line.split()[:3] for line in listed] == [
        ["sample-denied", "active", "deny"],
        ["sample-warned", "active", "warn"],
    ]
    assert scrubber("rules", "list", "--pack", "sample").stdout.splitlines() == [header, *listed]
    refused = scrubber("rules", "list", "--pack", "other")
    assert refused.exit_code == 2
    assert "sample" in refused.stderr


def test_a_rule_is_shown(folder: Path) -> None:
    assert orjson.loads(scrubber("rules", "show", "sample-denied", "--json").stdout)["severity"] == "deny"
    refused = scrubber("rules", "show", "nothing")
    assert refused.exit_code == 2
    assert "nothing" in refused.stderr


def test_a_place_without_reference_data_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRUBBER_REFERENCE", "nowhere.sqlite")
    done = scrubber("reference", "list")
    assert done.exit_code == 2
    assert "reference data" in done.stderr


_CASES = """\
# yaml-language-server: $schema=../../rule-test.schema.json
- name: the code is denied
  claim: tbs
  finds: [{line: 1, severity: deny}]
- name: the code is denied at any charge
  claim: tbs
  change: {line.1.charge: "70.00"}
  finds: [{line: 1}]
- name: another code is not
  claim: office
  finds: []
- name: a cent is not worth it
  claim: tbs
  change: {line.1.charge: "0.01"}
  finds: []
"""


@pytest.fixture
def checked(folder: Path) -> Path:
    """A folder of one rule with its tests, claims and schemas."""
    rules = folder / "rules"
    (rules / "claims" / "office.json").write_bytes(orjson.dumps(office_claim()))
    (rules / "sample" / "lines" / "sample-warned.yaml").unlink()
    (rules / "sample" / "lines" / "sample-warned.test.yaml").unlink()
    (rules / "sample" / "lines" / "sample-denied.test.yaml").write_text(_CASES)
    assert scrubber("rules", "schema").exit_code == 0
    return rules


def test_rules_without_faults(checked: Path) -> None:
    done = scrubber("rules", "lint")
    assert done.stdout == "1 rule in 1 pack, no faults\n"
    assert done.exit_code == 0


def test_faults_are_told_with_file_and_line(checked: Path) -> None:
    rule = checked / "sample" / "lines" / "sample-denied.yaml"
    rule.write_text(rule.read_text().replace("severity: deny", "severity: dire"))
    (checked / "sample" / "CHANGES.md").unlink()
    done = scrubber("rules", "lint")
    assert done.exit_code == 1
    assert "rules/sample/lines/sample-denied.yaml:6: " in done.stdout
    assert "rules/sample/CHANGES.md: " in done.stdout


def test_cases_pass(checked: Path) -> None:
    for ids in [], ["sample-denied"]:
        done = scrubber("rules", "test", *ids)
        assert done.stdout == "4 cases of 1 rule, 0 failed\n"
        assert done.exit_code == 0


def test_a_case_that_fails_is_told_with_its_place(checked: Path) -> None:
    file = checked / "sample" / "lines" / "sample-denied.test.yaml"
    file.write_text(file.read_text().replace("severity: deny", "severity: warn"))
    done = scrubber("rules", "test")
    assert done.exit_code == 1
    assert done.stdout.startswith("rules/sample/lines/sample-denied.test.yaml:2: sample-denied: ")
    assert done.stdout.endswith("4 cases of 1 rule, 1 failed\n")


def test_a_rule_that_is_not_there_cannot_be_tested(checked: Path) -> None:
    done = scrubber("rules", "test", "nothing")
    assert done.exit_code == 2
    assert "nothing" in done.stderr


def test_without_psycopg_a_database_says_what_to_install() -> None:
    hidden = "import sys; sys.modules['psycopg'] = None; from scrubber.cli import main; main()"
    env = os.environ | {"SCRUBBER_REFERENCE": "postgresql://localhost/reference"}
    done = subprocess.run([sys.executable, "-c", hidden, "reference", "list"], env=env, capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'claim-scrubber[postgres]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_durable_rules_that_does_not_load_is_told_with_the_way_to_install_it(tmp_path: Path) -> None:
    undefined = "durable_rules_engine.so: undefined symbol: PyEval_CallObject"
    (tmp_path / "durable_rules_engine.py").write_text(f"raise ImportError({undefined!r})")
    env = os.environ | {"PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))}
    command = [sys.executable, "-m", "scrubber", "scrub", "no-claim.json"]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: durable-rules cannot be loaded: {undefined}. How to install it: docs/deploy")
