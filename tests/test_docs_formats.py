"""docs/formats.md: its commands run one after another, and what they say is listed is all."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.conftest import ROOT
from tests.test_docs import commands, run

PAGE = ROOT / "docs" / "formats.md"


def test_the_commands_run_and_the_claim_comes_back(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    for command in commands(PAGE):
        words, _, output = command.partition(" > ")
        done = run(words, tmp_path)
        assert done.returncode in (0, 1), done.stderr
        (tmp_path / output).write_text(done.stdout)
    first, again = (segments_of_claims(tmp_path / name) for name in ("claims.837", "again.837"))
    assert first == again


def segments_of_claims(file: Path) -> list[str]:
    headers = ("ISA", "GS", "BHT", "IEA")
    return [line for line in file.read_text().split("~\n") if not line.startswith(headers)]
