"""The tutorial of docs/writing-rules.md, typed from its first command to its last: what it shows is what comes out."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import ROOT

PAGE = ROOT / "docs" / "writing-rules.md"
SECTION = "## A rule in a day"
LEFT_OUT = "…"


class Step(NamedTuple):
    """A command as it is typed, and the lines that the page shows below it."""

    command: str
    shown: str


def steps(heading: str = SECTION) -> Iterator[Step]:
    _, _, text = PAGE.read_text(encoding="utf-8").partition(f"\n{heading}\n")
    section = re.split(r"\n## (?!\d)" if heading == SECTION else r"\n#{2,3} (?!\d)", text)[0]
    for block in re.findall(r"\n```shell\n(.*?)\n```", section, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            yield Step(*_parted(part))


def _parted(part: str) -> tuple[str, str]:
    """A command goes on after a backslash, and to the end of a text that is given to it."""
    lines = part.splitlines()
    last = 0
    while lines[last].endswith("\\"):
        last += 1
    if re.search("<< '?END'?", lines[last]):
        last = lines.index("END")
    return "\n".join(lines[: last + 1]), "\n".join(lines[last + 1 :]).strip("\n")


def matches(shown: str, said: str) -> bool:
    """Whether the output is what is shown; `…` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in shown.split(LEFT_OUT))
    return re.fullmatch(pattern, said.strip("\n"), re.DOTALL) is not None


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with the rules, the program where a clone has it, and the claims that the tutorial speaks of."""
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    for rule in (tmp_path / "rules").glob("*/*/*.yaml"):  # as in a release of today: after a year lint warns of a rule
        text = rule.read_text(encoding="utf-8")
        today = datetime.now(UTC).date()
        rule.write_text(re.sub(r"(?m)^reviewed: .*$", f'reviewed: "{today}"', text), encoding="utf-8")
    program = tmp_path / ".venv" / "bin" / "scrubber"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m scrubber "$@"\n')
    program.chmod(0o755)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    return tmp_path


def test_the_tutorial_from_start_to_end(desk: Path) -> None:
    assert typed_from_start_to_end(desk, SECTION) > 15


def test_the_example_of_a_table_of_ones_own(desk: Path) -> None:
    assert typed_from_start_to_end(desk, "### Tables of your own") > 10


def test_the_example_of_a_relation_and_a_definition(desk: Path) -> None:
    assert typed_from_start_to_end(desk, "### A rule with a relation and a definition") > 8


def typed_from_start_to_end(desk: Path, heading: str) -> int:
    """How many commands a section has; each must say what the page shows."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith("SCRUBBER_")}
    inner = {"PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    typed = list(steps(heading))
    for step in typed:
        done = subprocess.run(
            ["sh", "-c", step.command], cwd=desk, env=outer | inner, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode in ((0, 1) if "rules diff" in step.command else (0,)), (step, done)
        assert matches(step.shown, done.stdout), f"{step.command}\nshown:\n{step.shown}\nsaid:\n{done.stdout}"
    return len(typed)


def test_past_claims_of_the_tutorial_are_the_examples_and_the_claim_of_two_units() -> None:
    shown = [json.loads(path.read_bytes()) for path in sorted((ROOT / "examples").glob("*.json"))]
    two = json.loads((ROOT / "examples/tutorial/two-units.json").read_bytes())
    past = (ROOT / "examples/tutorial/past.ndjson").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in past] == [*shown, two]


def test_the_tutorial_tries_every_command_of_a_day() -> None:
    typed = " ".join(step.command for step in steps())
    for command in ("new", "lint", "test", "show", "list", "explain", "coverage", "mutate", "backtest", "diff"):
        assert f"scrubber rules {command}" in typed
    assert "scrubber replay" in typed
