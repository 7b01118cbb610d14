"""Celery over a real broker: hints, and what happens when they are lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from scrubber.batch.job import Chunk
from scrubber.batch.place import Batches, open_batches
from scrubber.scrub import Scrubber
from tests.batches import NOW, Keep, batch_of, bench, forget_batches, ndjson, results, submit
from tests.brokers import broker_running
from tests.service import ROOT, free_port

pytest.importorskip("celery", reason="Celery is not installed")
redis = pytest.importorskip("redis", reason="no client of Redis is installed")

from scrubber.batch.celery import Broker, Sweep  # noqa: E402 -- only where Celery is installed


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with broker_running() as address:
        yield address


@pytest.fixture
def broker(address: str) -> Broker:
    forget_hints(address)
    return Broker(address)


@pytest.fixture
def kept(postgres: str, tmp_path: Path) -> Batches:
    forget_batches(postgres)
    return Keep(tmp_path, postgres)()


def forget_hints(address: str) -> None:
    redis.Redis.from_url(address).flushall()


def test_hints_lie_in_the_queue(broker: Broker) -> None:
    assert broker.waiting() == 0
    broker.hint("b1", (-1,))
    broker.hint("b1", range(3))
    assert broker.waiting() == 4


def test_a_broker_that_is_away_fails_nobody() -> None:
    away = Broker(f"redis://127.0.0.1:{free_port()}/0")
    away.hint("b1", (1, 2))
    assert away.waiting() is None


def test_a_sweep_sends_what_is_missing_and_no_more(broker: Broker, kept: Batches, address: str) -> None:
    seconds = [0.0]
    on = bench(kept, None, seconds=lambda: seconds[0])
    sweep = Sweep(broker)
    assert not sweep("me", on)
    kept.ledger.accept(batch_of(b"x"), None, None, NOW)
    lease = kept.ledger.take("me")
    assert lease is not None
    kept.ledger.cut(lease, [Chunk(number, number + 1, 1, 0, 1) for number in range(5)], 5, NOW)
    broker.hint("b1", (0, 1))
    assert not sweep("me", on)  # it is not yet time
    for expected in (True, False):
        seconds[0] += on.lease_seconds
        assert sweep("me", on) is expected
        assert broker.waiting() == 5
    forget_hints(address)
    seconds[0] += on.lease_seconds
    assert sweep("me", on)
    assert broker.waiting() == 5


def test_who_accepts_and_who_cuts_send_hints(postgres: str, tmp_path: Path, broker: Broker, address: str) -> None:
    from datetime import UTC, datetime

    from scrubber.batch.job import Options
    from scrubber.batch.receive import receive
    from scrubber.batch.work import work
    from tests.batches import RECEIVED

    forget_batches(postgres)
    kept = open_batches(None, postgres, 60.0, address)
    assert kept is not None
    receive(kept, [ndjson(1_001)], "ndjson", Options(RECEIVED), None, 10**9, lambda: datetime.now(UTC))
    assert broker.waiting() == 1
    lease = kept.ledger.take("me")
    assert lease is not None
    assert work(lease, bench(kept, None, hint=kept.hint))
    assert broker.waiting() == 1 + 3


def test_workers_of_celery_scrub_what_waits_though_no_hint_was_sent(
    postgres: str, tmp_path: Path, kept: Batches, broker: Broker, address: str, shipped: Scrubber
) -> None:
    on = bench(kept, shipped)
    submit(on, ndjson(1_200))
    with workers(tmp_path, postgres, address) as process:
        until(on, "b1", "done")
        forget_hints(address)
        submit(on, ndjson(3), "b2")
        until(on, "b2", "done")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert [row["row"] for row in results(on)] == list(range(1, 1_201))
    said = [orjson.loads(line) for line in (tmp_path / "worker.txt").read_text().splitlines() if line.startswith("{")]
    assert {line["event"] for line in said} <= {"workers", "celery", "library"}


def test_workers_end_with_whoever_watches_over_them(postgres: str, tmp_path: Path, kept: Batches, address: str) -> None:
    with workers(tmp_path, postgres, address) as process:
        below = _settled(process.pid)
        process.kill()
        process.wait()
        for _ in range(200):
            if not any(Path(f"/proc/{each}/cmdline").exists() for each in below):
                return
            time.sleep(0.05)
    raise AssertionError("they go on")


@contextmanager
def workers(folder: Path, database: str, broker: str) -> Iterator[subprocess.Popen[bytes]]:
    settings = {
        "SCRUBBER_DATABASE_URL": database,
        "SCRUBBER_BROKER_URL": broker,
        "SCRUBBER_LEASE_SECONDS": "2",
        "SCRUBBER_STATE": str(folder / "state"),
    }
    command = [sys.executable, "-m", "scrubber", "worker", "--processes", "1"]
    with (folder / "worker.txt").open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | settings, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(on: object, batch_id: str, state: str) -> None:
    for _ in range(600):
        batch = on.ledger.batch(batch_id)  # type: ignore[attr-defined]
        if batch is not None and batch.state == state:
            return
        time.sleep(0.05)
    raise AssertionError("it is not done")


def _settled(process: int) -> list[int]:
    """All processes below one, once Celery's own are among them."""
    from tests.chaos import tree

    for _ in range(200):
        if len(below := tree(process)[1:]) >= 4:  # errands, the sweeper, Celery and its worker
            return below
        time.sleep(0.1)
    raise AssertionError("they did not start")
