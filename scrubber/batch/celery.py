"""Around the path: Celery as the engine: it spreads work over many machines; what counts is in the ledger.

A message is a hint that a chunk waits. The worker that gets it takes from the ledger what is next there, so priority
and leases that ran out are the ledger's matter with every engine. A broker that forgets its messages loses nothing: a
sweeper on each machine counts what waits, and sends anew what is missing in the queue.
"""

from __future__ import annotations

import logging
import os
import signal
import warnings
from collections.abc import Sequence
from contextlib import suppress

from billiard.util import set_pdeathsig
from celery import Celery, signals
from celery.exceptions import CPendingDeprecationWarning
from kombu.exceptions import ChannelError, OperationalError

from scrubber.batch.pool import Duty, Worker, do_chunk
from scrubber.batch.work import Bench
from scrubber.errors import describe_failure

QUEUE = "claim-scrubber"
TASK = "scrubber.work"
MOST_HINTS = 10_000  # sent by one sweep
SWEEPS = 6  # in the length of a lease
TIMEOUT = 2.0  # seconds for the broker to answer: whoever sends a hint has something else to do
FORGOTTEN = 600  # seconds after which Redis gives out a message again that was neither done nor refused


class Broker:
    """Where hints go, and how many lie there."""

    def __init__(self, address: str) -> None:
        self.app = Celery("claim-scrubber", broker=address, set_as_current=False)
        self.app.conf.update(
            task_default_queue=QUEUE,
            task_acks_late=True,
            task_ignore_result=True,
            task_publish_retry=False,
            worker_prefetch_multiplier=1,
            worker_cancel_long_running_tasks_on_connection_loss=False,
            broker_connection_retry_on_startup=True,
            broker_connection_max_retries=None,
            broker_connection_timeout=TIMEOUT,
            broker_transport_options={
                "visibility_timeout": FORGOTTEN,
                "socket_connect_timeout": TIMEOUT,
                "socket_keepalive": True,
            },
        )

    def hint(self, batch_id: str, numbers: Sequence[int]) -> None:
        """See Hint. Where the broker is away, a sweeper will see to it."""
        with suppress(OperationalError), self.app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
            producer = self.app.amqp.Producer(connection)
            for number in numbers:
                self.app.send_task(TASK, (batch_id, number), producer=producer, retry=False)

    def waiting(self) -> int | None:
        """Hints that nobody has taken yet; None where the broker is away."""
        with suppress(OperationalError), self.app.connection_for_read() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
            try:
                return int(connection.default_channel.queue_declare(QUEUE, passive=True).message_count)
            except ChannelError:  # there is no such queue, or it is empty
                return 0
        return None


def celery_crew(address: str, count: int) -> list[Duty]:
    """What processes of a pool do where Celery is the engine: one sweeps, one has `count` workers below it."""
    return [lambda worker: worker.repeat(Sweep(Broker(address))), lambda worker: _serve(worker, address, count)]


class Sweep:
    """Sends the hints that are missing, several times in the length of a lease. See DoNext."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._at: float | None = None

    def __call__(self, _name: str, bench: Bench) -> bool:
        """False: nothing was missing, or it is not yet time."""
        if self._at is not None and bench.seconds() < self._at:
            return False
        self._at = bench.seconds() + bench.lease_seconds / SWEEPS
        chunks = bench.ledger.waiting(MOST_HINTS)
        there = self._broker.waiting() if chunks else None
        if there is None or there >= len(chunks):
            return False
        for batch_id, number in chunks[: len(chunks) - there]:
            self._broker.hint(batch_id, (number,))
        return True


def _serve(worker: Worker, address: str, count: int) -> None:
    """Celery's own process, until TERM or the end of the pool."""
    app = Broker(address).app
    app.task(name=TASK)(_Hand(worker).work)
    # Both connect to functions that live as long as this process does.
    signals.setup_logging.connect(lambda **_: _tell_warnings(worker), weak=False)
    signals.worker_process_init.connect(lambda **_: _end_with_parent(), weak=False)
    # A broker that is lost cancels no work here, which Celery finds worth a paragraph each time.
    warnings.simplefilter("ignore", CPendingDeprecationWarning)
    _end_with_parent()
    if os.getppid() != worker.parent:
        return
    with suppress(SystemExit):
        app.Worker(
            concurrency=count, pool="prefork", loglevel="WARNING", quiet=True, without_gossip=True, without_mingle=True
        ).start()


class _Hand:
    """One of the workers below Celery's process. What it needs is opened when its first hint comes."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._bench: Bench | None = None

    def work(self, batch_id: str, number: int) -> None:  # noqa: ARG002 -- they tell whoever watches Celery what it is for
        """A hint came."""
        try:
            if self._bench is None:
                self._bench = self._worker.bench()
            self._worker.attempt(do_chunk, self._bench)
        except Exception as error:  # noqa: BLE001 -- Celery would log its message, which may repeat a claim
            self._worker.tell("worker failed", describe_failure(error))
            os._exit(1)


def _end_with_parent() -> None:
    with suppress(OSError):  # not on this system
        set_pdeathsig(signal.SIGTERM)


class _Tell(logging.Handler):
    """Passes on what Celery has to say, in the form of the other lines of the log."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(logging.WARNING)
        self._worker = worker

    def emit(self, record: logging.LogRecord) -> None:
        self._worker.tell("celery", {"level": record.levelname.lower(), "said": record.getMessage()})


def _tell_warnings(worker: Worker) -> None:
    logging.getLogger().handlers[:] = [_Tell(worker)]
