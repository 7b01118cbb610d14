"""Over the shipped rules the fast engine answers random claims as the plain evaluator does."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.support.waiting import PATIENCE


@pytest.mark.parametrize("count", [400, pytest.param(10_000, marks=pytest.mark.proof)])
def test_random_claims_over_the_shipped_rules(count: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.shipped_check", str(count)],
        cwd=ROOT,
        env={**os.environ, "MALLOC_PERTURB_": "165"},
        capture_output=True,
        text=True,
        timeout=PATIENCE * (1 + count // 1_000),
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
