"""The fast engine gives what the plain one gives, whatever it is sent and whatever happens around it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "check",
    [
        "poisoned_fact_among_others",
        "codes_600",
        "codes_3000",
        "several_rulesets",
        "tests_too_deep",
        "failing_batches",
        "session_recovers",
        "clean_claims_then_close",
        "ten_thousand_facts",
        "reloads_do_not_leak",
        "threads",
        "close_while_matching",
        "fork_after_compile",
        "fork_while_matching",
        "interrupted_matches",
    ],
)
def test_in_a_process_of_its_own(check: str) -> None:
    _check(check)


@pytest.mark.parametrize("times", [1, pytest.param(20, marks=pytest.mark.proof)])
@pytest.mark.parametrize("check", ["random_rules", "poisoned_rules", "remembered_answers"])
def test_random_rules_in_a_process_of_their_own(check: str, times: int) -> None:
    _check(check, times)


def _check(check: str, times: int = 1) -> None:
    # Freshly allocated memory is filled, so that a read of what was never set shows.
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.engine_check", check, str(times)],
        cwd=ROOT,
        env={**os.environ, "MALLOC_PERTURB_": "165"},
        capture_output=True,
        text=True,
        timeout=PATIENCE * times,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
