"""Celery as the engine: it spreads work over many machines; what counts is in the job store.

A message says that a chunk waits, and may be lost. The worker that gets it takes from the job store what is next there,
so priority and leases that ran out are the job store's matter with every engine. A broker that forgets its messages
loses nothing: a sweeper on each machine counts what waits, and sends anew what is missing in the queue. While the
broker is away, or says nothing, workers ask the job store themselves.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any

from billiard.util import set_pdeathsig
from celery import Celery, signals
from celery.exceptions import CPendingDeprecationWarning
from kombu.exceptions import ChannelError, OperationalError
from kombu.transport import get_transport_cls

from scrubber.batch.maintenance import LogEvent
from scrubber.batch.work import WorkContext
from scrubber.batch.worker_pool import Duty, Worker, do_chunk
from scrubber.errors import ConfigError, describe_failure

QUEUE = "claim-scrubber"
TASK = "scrubber.work"
MOST_MESSAGES = 10_000  # sent by one sweep
SWEEPS = 6  # in the length of a lease
TIMEOUT = 2.0  # seconds for the broker to answer: whoever sends a message has something else to do
LOOKS = 5.0  # seconds after which a worker looks again whether the broker answers
FORGOTTEN = 600  # seconds after which Redis gives out a message again that was neither done nor refused


class BrokerAway(Exception):
    """The broker cannot be reached, refuses us, or says nothing. `kind` is the type of what was raised."""

    def __init__(self, failure: BaseException) -> None:
        self.kind = type(failure.__cause__ or failure).__name__
        super().__init__(self.kind)


class Broker:
    """Where messages go, and how many lie there."""

    def __init__(self, address: str) -> None:
        """Raises ConfigError where nothing here can speak to a broker of that kind."""
        kind = address.partition("://")[0]
        try:
            get_transport_cls(kind)
        except (ImportError, KeyError):
            raise ConfigError(
                "SCRUBBER_BROKER_URL: no broker of that kind is known; give redis://HOST:PORT/0 or amqp://HOST:PORT//"
            ) from None
        self.app = Celery("claim-scrubber", broker=address, set_as_current=False)
        self.app.conf.update(
            task_default_queue=QUEUE,
            # A message is not worth the disk of the broker; the queue is there again after a restart.
            task_default_delivery_mode="transient",
            task_acks_late=True,
            task_ignore_result=True,
            task_publish_retry=False,
            worker_prefetch_multiplier=1,
            worker_cancel_long_running_tasks_on_connection_loss=False,
            # A worker that loses the broker ends; its replacement announces the chunks again.
            broker_connection_retry=False,
            broker_connection_retry_on_startup=False,
            broker_connection_timeout=TIMEOUT,
            broker_transport_options={
                # What Redis takes, and then RabbitMQ; each passes over the other's.
                "visibility_timeout": FORGOTTEN,
                "socket_connect_timeout": TIMEOUT,
                "socket_timeout": TIMEOUT,
                "socket_keepalive": True,
                "read_timeout": TIMEOUT,
                "write_timeout": TIMEOUT,
            },
        )

    def notify(self, batch_id: str, numbers: Sequence[int]) -> None:
        """See Notify. Where the broker is away, a sweeper will see to it."""
        with suppress(BrokerAway), self._connected() as connection:
            producer = self.app.amqp.Producer(connection)
            for number in numbers:
                self.app.send_task(TASK, (batch_id, number), producer=producer, retry=False)

    def waiting(self) -> int:
        """Messages that nobody has taken yet. Raises BrokerAway."""
        with self._connected() as connection:
            try:
                return int(connection.default_channel.queue_declare(QUEUE, passive=True).message_count)
            except ChannelError:  # there is no such queue, or it is empty
                return 0

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        connection = self.app.connection_for_write()
        try:
            with connection:
                connection.ensure_connection(max_retries=0, interval_start=0, interval_step=0)
                yield connection
        except (OperationalError, *connection.connection_errors, *connection.channel_errors) as failure:
            raise BrokerAway(failure) from None


def celery_duties(address: str, count: int, log_event: LogEvent) -> list[Duty]:
    """What processes of a pool do where Celery is the engine: one sweeps, `count` work."""
    broker = Broker(address)
    sweeper: Duty = lambda worker: worker.repeat(Sweep(broker, log_event))  # noqa: E731
    return [sweeper, *(partial(_serve, broker, number) for number in range(count))]


class Sweep:
    """Sends the messages that are missing, several times in the length of a lease. See DoNext."""

    def __init__(self, broker: Broker, log_event: LogEvent) -> None:
        self._broker = broker
        self._log_event = log_event
        self._at: float | None = None
        self._away = False

    def __call__(self, _name: str, context: WorkContext) -> bool:
        """False: nothing was missing, or it is not yet time."""
        if self._at is not None and context.seconds() < self._at:
            return False
        self._at = context.seconds() + context.lease_seconds / SWEEPS
        there = self._waiting()
        chunks = [] if there is None else context.job_store.waiting(MOST_MESSAGES)
        if there is None or there >= len(chunks):
            return False
        for batch_id, missing in groupby(chunks[: len(chunks) - there], itemgetter(0)):
            self._broker.notify(batch_id, [number for _, number in missing])
        return True

    def _waiting(self) -> int | None:
        """Messages in the queue; None while the broker is away, which is logged once."""
        try:
            there = self._broker.waiting()
        except BrokerAway as away:
            if not self._away:
                self._log_event("broker away", {"reason": away.kind, "meanwhile": "workers ask the ledger"})
            self._away = True
            return None
        if self._away:
            self._log_event("broker back", {})
        self._away = False
        return there


def _serve(broker: Broker, number: int, worker: Worker) -> None:
    """What one worker does: as Celery says, or without it for a while. The pool then replaces it."""
    _end_with_parent()
    if os.getppid() != worker.parent:
        return
    try:
        broker.waiting()
    except BrokerAway:
        worker.repeat(_Alone(worker))
    else:
        _serve_celery(broker, number, worker)


class _Alone:
    """Chunks as the job store has them, until it is time to look for the broker again. See DoNext."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._end: float | None = None

    def __call__(self, name: str, context: WorkContext) -> bool:
        """False: there is nothing to do just now."""
        if self._end is None:
            self._end = context.seconds() + LOOKS
        self._worker.ending |= context.seconds() >= self._end
        return do_chunk(name, context)


def _serve_celery(broker: Broker, number: int, worker: Worker) -> None:
    """Celery in this process, until TERM, the end of the pool, or that of the broker."""
    app, runner = broker.app, _TaskRunner(worker)
    app.task(name=TASK)(runner.work)
    # It connects to a function that lives as long as this process does.
    signals.setup_logging.connect(lambda **_: _log_warnings(worker), weak=False)
    # A broker that is lost cancels no work here, which Celery finds worth a paragraph each time.
    warnings.simplefilter("ignore", CPendingDeprecationWarning)
    threading.Thread(target=_watch, args=(broker, worker, runner.working), daemon=True).start()
    with suppress(SystemExit):
        app.Worker(
            hostname=f"{worker.parent}-{number}@{socket.gethostname()}",
            # The pool itself watches over each worker, and gives back at once what one held that died.
            pool="solo",
            concurrency=1,
            loglevel="WARNING",
            quiet=True,
            without_gossip=True,
            without_mingle=True,
        ).start()


def _watch(broker: Broker, worker: Worker, working: threading.Lock) -> None:
    """Ends this process between two chunks where Celery would not: it would wait for a broker for ever.

    It also ends it where TERM came before Celery listened, or the pool is gone.
    """
    while not worker.ending and os.getppid() == worker.parent:
        time.sleep(LOOKS)
        try:
            broker.waiting()
        except BrokerAway:
            break
    with working:
        os._exit(0)


class _TaskRunner:
    """Does what a message asks for. What it needs is opened when the first one comes. `working` is locked meanwhile."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._context: WorkContext | None = None
        self.working = threading.Lock()

    def work(self, batch_id: str, number: int) -> None:  # noqa: ARG002 -- for people who watch Celery
        """A message came."""
        try:
            with self.working:
                if self._context is None:
                    self._context = self._worker.context()
                self._worker.try_next(do_chunk, self._context)
        except Exception as error:  # noqa: BLE001 -- Celery would log its message, which may repeat a claim
            self._worker.log_event("worker failed", describe_failure(error))
            os._exit(1)


def _end_with_parent() -> None:
    with suppress(OSError):  # not on this system
        set_pdeathsig(signal.SIGTERM)


class _LogHandler(logging.Handler):
    """Passes on what Celery has to say, in the form of the other lines of the log."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(logging.WARNING)
        self._worker = worker

    def emit(self, record: logging.LogRecord) -> None:
        self._worker.log_event("celery", {"level": record.levelname.lower(), "said": record.getMessage()})


def _log_warnings(worker: Worker) -> None:
    logging.getLogger().handlers[:] = [_LogHandler(worker)]
    # The sweeper logs once that the broker was lost.
    logging.getLogger("celery.worker.consumer.consumer").setLevel(logging.CRITICAL + 1)
