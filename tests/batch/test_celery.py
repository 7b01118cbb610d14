"""Celery over a real broker: messages, and what happens when they are lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import orjson
import pytest

from scrubber.batch.model import Chunk
from scrubber.batch.storage import Batches, open_batches
from scrubber.batch.work import WorkContext
from scrubber.errors import ConfigError
from scrubber.scrub import Scrubber
from tests.support.batches import NOW, Keep, batch_of, context, forget_batches, ndjson, results, submit
from tests.support.brokers import KINDS, broker_running
from tests.support.service import ROOT, free_port, write_rules
from tests.support.waiting import PATIENCE, until

pytest.importorskip("celery", reason="Celery is not installed")

from kombu.exceptions import ChannelError

from scrubber.batch.celery import QUEUE, TIMEOUT, Broker, BrokerAway, Sweep

# Long: with one broker; `make proofs` tries them all.
WITH_ONE_BROKER = pytest.mark.parametrize(
    "carrier",
    [kind if kind == KINDS[0] else pytest.param(kind, marks=pytest.mark.proof) for kind in KINDS],
    indirect=True,
    scope="module",
)
MAY_TAKE = 5 * TIMEOUT  # to connect, to ask, to close the channel, to close the connection; and the machine is busy


@pytest.fixture(scope="module", params=KINDS)
def carrier(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Carrier]:
    with broker_running(request.param, tmp_path_factory.mktemp("broker")) as (address, process):
        yield Carrier(address, process)


class Carrier(NamedTuple):
    """A broker that runs."""

    address: str
    process: subprocess.Popen[bytes]


@pytest.fixture
def address(carrier: Carrier) -> str:
    return carrier.address


@pytest.fixture
def broker(address: str) -> Broker:
    forget_hints(address)
    return Broker(address)


@pytest.fixture
def kept(postgres: str, tmp_path: Path) -> Batches:
    forget_batches(postgres)
    return Keep(tmp_path, postgres)()


def forget_hints(address: str) -> None:
    with Broker(address).app.connection_for_write() as connection, suppress(ChannelError):
        connection.default_channel.queue_purge(QUEUE)


def test_hints_lie_in_the_queue(broker: Broker) -> None:
    assert broker.waiting() == 0
    broker.notify("b1", (-1,))
    broker.notify("b1", range(3))
    assert broker.waiting() == 4


@pytest.mark.parametrize("address", ["redis://127.0.0.1:{}/0", "amqp://127.0.0.1:{}//"])
def test_a_broker_that_is_away_fails_nobody(address: str) -> None:
    away = Broker(address.format(free_port()))
    away.notify("b1", (1, 2))
    with pytest.raises(BrokerAway, match=r"^Connection(Refused)?Error$"):
        away.waiting()


def test_a_broker_that_hangs_holds_up_nobody_for_long(carrier: Carrier, broker: Broker) -> None:
    carrier.process.send_signal(signal.SIGSTOP)
    try:
        begun = time.monotonic()
        broker.notify("b1", (1, 2))
        assert time.monotonic() - begun < MAY_TAKE
        with pytest.raises(BrokerAway):
            broker.waiting()
    finally:
        carrier.process.send_signal(signal.SIGCONT)


def test_a_broker_that_takes_no_more_holds_up_nobody_for_long(tmp_path: Path) -> None:
    """RabbitMQ reads no further from whoever sends when its disk is nearly full."""
    (tmp_path / "broker").mkdir()
    (tmp_path / "broker" / "rabbitmq.conf").write_text("disk_free_limit.absolute = 1000TB\n")
    with broker_running("rabbitmq", tmp_path) as (address, _):
        begun = time.monotonic()
        Broker(address).notify("b1", (1, 2))
        assert time.monotonic() - begun < MAY_TAKE


def test_a_kind_of_broker_that_nobody_knows_is_refused_and_its_address_kept_quiet() -> None:
    for address in ("carrier-pigeon://secret@here", "secret"):
        with pytest.raises(ConfigError, match="SCRUBBER_BROKER_URL") as refused:
            Broker(address)
        assert "secret" not in str(refused.value)


def test_a_sweep_sends_what_is_missing_and_no_more(broker: Broker, kept: Batches, address: str) -> None:
    seconds = [0.0]
    on = context(kept, None, seconds=lambda: seconds[0])
    sweep = Sweep(broker, lambda *told: None)
    assert not sweep("me", on)
    kept.job_store.accept(batch_of(b"x"), None, None, NOW)
    lease = kept.job_store.take("me")
    assert lease is not None
    kept.job_store.cut(lease, [Chunk(number, number + 1, 1, 0, 1) for number in range(5)], 5, NOW)
    broker.notify("b1", (0, 1))
    assert not sweep("me", on)  # it is not yet time
    for expected in (True, False):
        seconds[0] += on.lease_seconds
        assert sweep("me", on) is expected
        assert broker.waiting() == 5
    forget_hints(address)
    seconds[0] += on.lease_seconds
    assert sweep("me", on)
    assert broker.waiting() == 5


def test_a_sweep_connects_once_for_all_that_is_missing_of_a_batch(kept: Batches, address: str) -> None:
    told: list[tuple[str, list[int]]] = []

    class Told(Broker):
        def notify(self, batch_id: str, numbers: Sequence[int]) -> None:
            told.append((batch_id, list(numbers)))

    forget_hints(address)
    for batch_id in ("b1", "b2"):
        kept.job_store.accept(batch_of(b"x", batch_id), None, None, NOW)
    lease = kept.job_store.take("me")
    assert lease is not None
    kept.job_store.cut(lease, [Chunk(number, number + 1, 1, 0, 1) for number in range(5)], 5, NOW)
    assert Sweep(Told(address), lambda *_: None)("me", context(kept, None))
    assert sorted(told) == [("b1", [0, 1, 2, 3, 4]), ("b2", [-1])]


def test_who_accepts_and_who_cuts_send_hints(postgres: str, broker: Broker, address: str, shipped: Scrubber) -> None:
    from scrubber.batch.model import BatchOptions
    from scrubber.batch.upload import Declared, receive
    from scrubber.batch.work import work
    from tests.support.batches import RECEIVED

    forget_batches(postgres)
    kept = open_batches(None, postgres, 60.0, address)
    assert kept is not None
    receive(kept, [ndjson(1_001)], Declared("ndjson"), BatchOptions(RECEIVED), None, 10**9, lambda: NOW)
    assert broker.waiting() == 1
    lease = kept.job_store.take("me")
    assert lease is not None
    assert work(lease, context(kept, shipped, notify=kept.notify))
    assert broker.waiting() == 1 + 3


@WITH_ONE_BROKER
def test_workers_of_celery_scrub_what_waits_though_no_hint_was_sent(
    postgres: str, tmp_path: Path, kept: Batches, broker: Broker, address: str, shipped: Scrubber
) -> None:
    on = context(kept, shipped)
    submit(on, ndjson(1_200))
    with workers(tmp_path, postgres, address) as process:
        until_done(on, "b1")
        forget_hints(address)
        submit(on, ndjson(3), "b2")
        until_done(on, "b2")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert [row["row"] for row in results(on)] == list(range(1, 1_201))
    assert set(said(tmp_path)) <= {"workers", "celery", "library"}


@WITH_ONE_BROKER
def test_a_chunk_of_a_worker_that_is_killed_is_done_again_at_once(
    postgres: str, tmp_path: Path, kept: Batches, broker: Broker, address: str
) -> None:
    with workers(tmp_path, postgres, address, lease=600) as process:
        _settled(process.pid)
        submit(context(kept, None), ndjson(2_000))
        broker.notify("b1", (-1, 0, 1, 2, 3))
        for _ in range(3):
            os.kill(_holder(postgres, process.pid), signal.SIGKILL)
        until_done(context(kept, None), "b1")


@pytest.mark.parametrize(
    ("kind", "how"), [("rabbitmq", signal.SIGKILL), pytest.param("valkey", signal.SIGSTOP, marks=pytest.mark.proof)]
)
def test_work_goes_on_without_the_broker_and_with_it_again(
    postgres: str, tmp_path: Path, kept: Batches, shipped: Scrubber, kind: str, how: signal.Signals
) -> None:
    on = context(kept, shipped)
    with broker_running(kind, tmp_path) as (address, process), workers(tmp_path, postgres, address):
        submit(on, ndjson(3))
        until_done(on, "b1")
        process.send_signal(how)
        submit(on, ndjson(1_200), "b2")
        until_done(on, "b2")
    assert [row["row"] for row in results(on, "b2")] == list(range(1, 1_201))
    assert said(tmp_path).count("broker away") == 1


def said(folder: Path) -> list[str]:
    """What the workers told, by its name."""
    lines = (folder / "worker.txt").read_text().splitlines()
    return [str(orjson.loads(line)["event"]) for line in lines if line.startswith("{")]


def _holder(database: str, pool: int) -> int:
    """A process of the pool that holds a lease now."""
    import psycopg

    from tests.support.chaos import tree

    with psycopg.connect(database, autocommit=True) as connection:
        asked = "SELECT worker FROM scrubber_batches.chunks WHERE state = 'leased' AND until > now()"
        until(lambda: connection.execute(asked).fetchall(), "nobody took anything")
    # Maintenance and the sweeper never have one; they were started first.
    return tree(pool)[-1]


def test_workers_end_with_whoever_watches_over_them(postgres: str, tmp_path: Path, kept: Batches, address: str) -> None:
    with workers(tmp_path, postgres, address) as process:
        below = _settled(process.pid)
        process.kill()
        process.wait()
        until(lambda: not any(Path(f"/proc/{each}/cmdline").exists() for each in below), "they go on")


@contextmanager
def workers(folder: Path, database: str, broker: str, lease: int = 2) -> Iterator[subprocess.Popen[bytes]]:
    settings = {
        "SCRUBBER_DATABASE_URL": database,
        "SCRUBBER_BROKER_URL": broker,
        "SCRUBBER_LEASE_SECONDS": str(lease),
        "SCRUBBER_STATE": str(folder / "state"),
        "SCRUBBER_RULES": str(write_rules(folder / "rules", ("sample-denied", "deny", "77092"))),
    }
    command = [sys.executable, "-m", "scrubber", "worker", "--processes", "1"]
    with (folder / "worker.txt").open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | settings, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until_done(on: WorkContext, batch_id: str) -> None:
    until(lambda: (batch := on.job_store.batch(batch_id)) and batch.state == "done", "it is not done")


def _settled(process: int) -> list[int]:
    """All processes below one, once Celery's own are among them."""
    from tests.support.chaos import tree

    until(lambda: len(tree(process)) >= 4, "they did not start")  # it, maintenance, the sweeper, a worker
    return tree(process)[1:]
