"""What compares two runs of the tests notices each test that one of them has not, or ends otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.service import ROOT

TESTS = """
import os, pytest

def test_passes(): pass

@pytest.mark.skipif("ANOTHER_DAY" in os.environ, reason="another day")
def test_is_skipped(): pass

if "ANOTHER_DAY" not in os.environ:
    @pytest.mark.parametrize("number", [1, 2])
    def test_is_not_there(number): pass
"""


def ran(folder: Path, name: str, **environ: str) -> Path:
    """The outcomes of the tests above."""
    file = folder / f"{name}.xml"
    command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={file}", "test_sample.py"]
    subprocess.run(command, cwd=folder, env=os.environ | environ, check=True, capture_output=True)
    return file


def compared(one: Path, other: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.support.same_outcomes", str(one), str(other)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_what_is_skipped_or_gone_on_another_day_is_told(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text(TESTS)
    today, another_day = ran(tmp_path, "today"), ran(tmp_path, "another-day", ANOTHER_DAY="1")
    same, different = compared(today, today), compared(today, another_day)
    assert (same.returncode, same.stdout, same.stderr) == (0, "", "")
    assert different.returncode == 1
    assert different.stderr.splitlines()[:-1] == [
        "test_sample::test_is_not_there[1]: passed, then not run",
        "test_sample::test_is_not_there[2]: passed, then not run",
        "test_sample::test_is_skipped: passed, then skipped",
    ]


def test_files_that_the_first_run_left_out_are_not_compared(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text(TESTS)
    part = ran(tmp_path, "part")
    (tmp_path / "test_other.py").write_text("def test_passes(): pass\n")
    whole = tmp_path / "whole.xml"
    command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={whole}", "."]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert compared(part, whole).returncode == 0
    assert compared(whole, part).returncode == 1
