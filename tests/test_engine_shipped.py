"""Over the shipped rules the fast engine answers random claims as the plain evaluator does."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.conftest import ROOT
from tests.waiting import PATIENCE


def test_random_claims_over_the_shipped_rules() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.shipped_check", "1500"],
        cwd=ROOT,
        env={**os.environ, "MALLOC_PERTURB_": "165"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
