"""The package as `make compiled` builds it, and as users run it: compiled, it answers what its source answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scrubber import __version__
from tests.support.service import ROOT, running
from tests.support.waiting import PATIENCE, until

COMPILED = Path(sys.prefix) / "compiled"
CLAIMS, CLAIMS_OF_A_PROOF = 1_000, 20_000
PROCESSES = 5  # the server and its worker, the watcher of batches, its worker and the one for maintenance


def built() -> bool:
    if not COMPILED.is_dir():
        return False
    written = COMPILED.stat().st_mtime
    return all(path.stat().st_mtime <= written for path in (ROOT / "scrubber").rglob("*.py"))


pytestmark = pytest.mark.skipif(
    not built(), reason="the compiled package is not there, or is older than its source: make compiled"
)


@pytest.mark.parametrize("claims", [CLAIMS, pytest.param(CLAIMS_OF_A_PROOF, marks=pytest.mark.proof)])
def test_compiled_and_source_answer_the_same(claims: int) -> None:
    compiled, source = outcomes(COMPILED, claims), outcomes(ROOT, claims)
    assert compiled[0] == "compiled"
    assert source[0] == "source"
    assert len(source) == 1 + claims // 100
    assert compiled[1:] == source[1:]


def test_the_command_tells_that_it_is_compiled() -> None:
    assert ran(COMPILED, "scrubber", "--version").startswith(f"scrubber, version {__version__} (compiled)")


def test_every_process_of_the_service_is_compiled(tmp_path: Path) -> None:
    """The workers for batches too, although the source lies in the current folder."""
    state = str(tmp_path / "state")
    command = ("-P", "-m", "scrubber", "serve")
    with running(
        tmp_path, *command, PYTHONPATH=str(COMPILED), SCRUBBER_BATCH_WORKERS="1", SCRUBBER_STATE=state
    ) as serve:
        until(lambda: all_compiled(serve.process.pid))


def all_compiled(process: int) -> bool:
    """Whether all processes of a service are there, and each has compiled code in its memory."""
    below = [process, *descendants(process)]
    return len(below) == PROCESSES and all(str(COMPILED).encode() in told(each, "maps") for each in below)


def descendants(process: int) -> list[int]:
    children = [int(child) for child in told(process, f"task/{process}/children").split()]
    return children + [each for child in children for each in descendants(child)]


def told(process: int, what: str) -> bytes:
    return Path(f"/proc/{process}/{what}").read_bytes()


def outcomes(package: Path, claims: int) -> list[str]:
    return ran(package, "tests.support.compiled_check", str(claims)).splitlines()


def ran(package: Path, *command: str) -> str:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join((str(package), str(ROOT)))}
    done = subprocess.run(
        [sys.executable, "-P", "-m", *command],
        env=environ,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
