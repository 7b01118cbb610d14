"""Worker processes on one machine, and who watches over them.

A worker that dies is replaced, and what it held is given back at once. The watcher itself keeps nothing: when it dies,
its workers end, and leases run out.
"""

from __future__ import annotations

import faulthandler
import os
import secrets
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import NamedTuple, NoReturn

from scrubber.batch.maintenance import LogEvent, Maintenance, MaintenanceOptions
from scrubber.batch.work import WorkContext, work
from scrubber.errors import ScrubberError, StorageFull, StoreUnavailable, describe_failure

IDLE_SECONDS = 0.2
STUCK_SECONDS = 120  # on one row, or one piece of an upload
NICE = 10  # workers give way to those who answer requests
RETRY_SECONDS = 1.0

OpenContext = Callable[[], WorkContext]
Prepare = Callable[[], OpenContext]
DoNext = Callable[[str, WorkContext], bool]  # the worker's name; False: there is nothing to do


SIGNALS = frozenset((signal.SIGTERM, signal.SIGINT, signal.SIGHUP))  # that a pool and its workers listen to


class Pool:
    """Keeps a worker at each of `duties` until TERM or INT; HUP replaces them, each after what it is at.

    `prepare` reads what all workers share, rules above all, at the start and on HUP; where it raises on HUP, all stays
    as it was. It returns what opens a context, which is called in each worker, and once here.
    """

    def __init__(self, duties: Sequence[Duty], prepare: Prepare, log_event: LogEvent) -> None:
        self._duties = duties
        self._prepare = prepare
        self._open_context = prepare()
        self._log_event = log_event
        self._workers: dict[int, _Slot] = {}  # by process
        self._ending = self._renewing = False

    def run(self, goes_on: Callable[[], bool]) -> None:
        """Until told to end, or `goes_on` says no."""
        context = self._open_context()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        signal.signal(signal.SIGHUP, self._hear)
        while not self._ending:
            for slot_number in set(range(len(self._duties))) - {slot.number for slot in self._workers.values()}:
                self._start(slot_number)
            time.sleep(IDLE_SECONDS)
            self._reap(context)
            if self._renewing:
                self._renew()
            if not goes_on():
                self._end()
        self._replace()
        while self._workers:
            time.sleep(IDLE_SECONDS)
            self._reap(context)

    def _start(self, number: int) -> None:
        name, parent = secrets.token_hex(8), os.getpid()
        # A signal that reached the child before it listens would be heard by its copy of this pool, and be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        child = os.fork()
        if not child:
            _be_worker(Worker(name, parent, self._open_context, self._log_event), self._duties[number])
        self._workers[child] = _Slot(number, name)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def _reap(self, context: WorkContext) -> None:
        for process, slot in list(self._workers.items()):
            found, status = os.waitpid(process, os.WNOHANG)
            if not found:
                continue
            del self._workers[process]
            if status:
                self._log_event("worker ended", {"status": os.waitstatus_to_exitcode(status)})
            with suppress(ScrubberError):  # its leases run out all the same
                context.job_store.release(slot.name)

    def _end(self, *_: object) -> None:
        self._ending = True

    def _hear(self, *_: object) -> None:
        self._renewing = True

    def _renew(self) -> None:
        self._renewing = False
        try:
            self._open_context = self._prepare()
        except ScrubberError as error:
            self._log_event("reload refused", {"reasons": str(error).splitlines()})
            return
        self._replace()

    def _replace(self) -> None:
        for process in self._workers:
            os.kill(process, signal.SIGTERM)


class _Slot(NamedTuple):
    """Which of the duties a worker has, and its name."""

    number: int
    name: str


def _be_worker(worker: Worker, duty: Duty) -> NoReturn:
    """What a forked process does instead of going on as its parent."""
    status = 1
    try:
        worker.begin()
        duty(worker)
        status = 0
    except ScrubberError as error:
        worker.log_event("worker failed", {"reason": str(error)})
    except BaseException as error:  # noqa: BLE001 -- nothing may get past here into the code of the parent
        worker.log_event("worker failed", describe_failure(error))
    finally:
        os._exit(status)


@dataclass
class Worker:
    """One worker process."""

    name: str
    parent: int
    open_context: OpenContext
    log_event: LogEvent
    ending: bool = False
    stalled: str | None = None

    def begin(self) -> None:
        """From now on TERM ends it after what it is at."""
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        os.nice(NICE)

    def context(self) -> WorkContext:
        """A context that ends this process where work hangs."""
        return replace(self.open_context(), alive=_watch)

    def repeat(self, do_next: DoNext) -> None:
        """Do what is next, until TERM, or the end of the watcher."""
        context = self.context()
        while not self.ending and os.getppid() == self.parent:
            if not self.try_next(do_next, context):
                time.sleep(IDLE_SECONDS)

    def try_next(self, do_next: DoNext, context: WorkContext) -> bool:
        """Do what is next. False: there was nothing to do, or it could not be done."""
        try:
            if self.stalled is not None:
                # It was not the fault of any row: else a disk that is full for long would condemn the last one.
                context.job_store.give_back(self.name)
            done = do_next(self.name, context)
            if self.stalled is not None:
                context.job_store.go_on(self.name)
                self.log_event("batches go on", {})
        except (StoreUnavailable, StorageFull) as error:
            self._report_stalled(str(error), context)
            return False
        self.stalled = None
        return done

    def _report_stalled(self, why: str, context: WorkContext) -> None:
        """Log once why nothing goes on, keep the reason in the job store for those who ask, and wait a little."""
        if why != self.stalled:
            self.log_event("batches stand still", {"reason": why})
        self.stalled = why
        with suppress(StoreUnavailable, StorageFull):
            context.job_store.report_stalled(self.name, why)
        time.sleep(RETRY_SECONDS)

    def _end(self, *_: object) -> None:
        self.ending = True


def do_chunk(name: str, context: WorkContext) -> bool:
    """The next chunk. See DoNext."""
    lease = context.job_store.take(name)
    if lease is None:
        return False
    context.alive()
    try:
        work(lease, context)
    finally:
        faulthandler.cancel_dump_traceback_later()
    return True


def chunks(worker: Worker) -> None:
    """A duty: one chunk after the other."""
    worker.repeat(do_chunk)


def maintenance_duty(options: MaintenanceOptions) -> Duty:
    """A duty: what is to be done beside chunks."""

    def run(worker: Worker) -> None:
        maintenance = Maintenance(options, worker.log_event)
        worker.repeat(lambda _name, context: maintenance(context))

    return run


def _watch() -> None:
    """Ends this process when it does not say again in time that it is alive, even where it hangs in C code."""
    faulthandler.dump_traceback_later(STUCK_SECONDS, exit=True)


Duty = Callable[[Worker], None]  # what a process does until it is to end
