"""The benchmark of batches runs over a real service, and measures what it says."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.conftest import ROOT

BENCHMARK = ROOT / "benchmarks" / "batch.py"


def test_it_prints_a_row_for_each_thing_that_it_measures() -> None:
    command = [sys.executable, "-P", str(BENCHMARK), "40", "1", "--seed", "3"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    rows = dict(re.findall(r"^(.{26}) *([\d.,]+|-)", ran.stdout, re.MULTILINE))
    assert [name.strip() for name in rows] == [
        "load average before",
        "claims",
        "service lines a claim",
        "with a fault",
        "findings a claim",
        "one process on one core",
        "upload, until durable",
        "from upload to results",
        "that is",
        "a core of the workers",
        "digests of the batch",
        "and to read its results",
        "memory, service",
        "memory, for batches",
        "5 claims behind it",
        "status meanwhile",
        "single claims meanwhile",
        "load average after",
    ]
    assert rows[f"{'claims':26}"] == "40"


def test_its_help_says_what_can_be_chosen() -> None:
    ran = subprocess.run([sys.executable, str(BENCHMARK), "--help"], capture_output=True, text=True, check=True)
    assert all(word in ran.stdout for word in ("claims", "workers", "--seed", "SCRUBBER_REFERENCE"))
