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

from scrubber.batch.maintenance import Afterwards, Errands, Tell
from scrubber.batch.work import Bench, work
from scrubber.errors import DepotFull, LedgerDown, ScrubberError, describe_failure

IDLE_SECONDS = 0.2
STUCK_SECONDS = 120  # on one row, or one piece of an upload
NICE = 10  # workers give way to those who answer requests
RETRY_SECONDS = 1.0

OpenBench = Callable[[], Bench]
Prepare = Callable[[], OpenBench]
DoNext = Callable[[str, Bench], bool]  # the worker's name; False: there is nothing to do


class Pool:
    """Keeps a worker at each of `duties` until TERM or INT; HUP replaces them, each after what it is at.

    `prepare` reads what all workers share, rules above all, at the start and on HUP; where it raises on HUP, all stays
    as it was. It returns what opens a bench, which is called in each worker, and once here.
    """

    def __init__(self, duties: Sequence[Duty], prepare: Prepare, tell: Tell) -> None:
        self._duties = duties
        self._prepare = prepare
        self._open_bench = prepare()
        self._tell = tell
        self._workers: dict[int, _Post] = {}  # by process
        self._ending = self._renewing = False

    def run(self, goes_on: Callable[[], bool]) -> None:
        """Until told to end, or `goes_on` says no."""
        bench = self._open_bench()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        signal.signal(signal.SIGHUP, self._hear)
        while not self._ending:
            for place in set(range(len(self._duties))) - {post.place for post in self._workers.values()}:
                self._start(place)
            time.sleep(IDLE_SECONDS)
            self._reap(bench)
            if self._renewing:
                self._renew()
            if not goes_on():
                self._end()
        self._replace()
        while self._workers:
            time.sleep(IDLE_SECONDS)
            self._reap(bench)

    def _start(self, place: int) -> None:
        name, parent = secrets.token_hex(8), os.getpid()
        child = os.fork()
        if not child:
            _be_worker(Worker(name, parent, self._open_bench, self._tell), self._duties[place])
        self._workers[child] = _Post(place, name)

    def _reap(self, bench: Bench) -> None:
        for process, post in list(self._workers.items()):
            found, status = os.waitpid(process, os.WNOHANG)
            if not found:
                continue
            del self._workers[process]
            if status:
                self._tell("worker ended", {"status": os.waitstatus_to_exitcode(status)})
            with suppress(ScrubberError):  # its leases run out all the same
                bench.ledger.release(post.name)

    def _end(self, *_: object) -> None:
        self._ending = True

    def _hear(self, *_: object) -> None:
        self._renewing = True

    def _renew(self) -> None:
        self._renewing = False
        try:
            self._open_bench = self._prepare()
        except ScrubberError as error:
            self._tell("reload refused", {"reasons": str(error).splitlines()})
            return
        self._replace()

    def _replace(self) -> None:
        for process in self._workers:
            os.kill(process, signal.SIGTERM)


class _Post(NamedTuple):
    """Which of the duties a worker has, and its name."""

    place: int
    name: str


def _be_worker(worker: Worker, duty: Duty) -> NoReturn:
    """What a forked process does instead of going on as its parent."""
    status = 1
    try:
        worker.begin()
        duty(worker)
        status = 0
    except ScrubberError as error:
        worker.tell("worker failed", {"reason": str(error)})
    except BaseException as error:  # noqa: BLE001 -- nothing may get past here into the code of the parent
        worker.tell("worker failed", describe_failure(error))
    finally:
        os._exit(status)


@dataclass
class Worker:
    """One worker process."""

    name: str
    parent: int
    open_bench: OpenBench
    tell: Tell
    ending: bool = False
    standing: str | None = None

    def begin(self) -> None:
        """From now on TERM ends it after what it is at."""
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        os.nice(NICE)

    def bench(self) -> Bench:
        """A bench that ends this process where work hangs."""
        return replace(self.open_bench(), alive=_watch)

    def repeat(self, do_next: DoNext) -> None:
        """Do what is next, until TERM, or the end of the watcher."""
        bench = self.bench()
        while not self.ending and os.getppid() == self.parent:
            if not self.attempt(do_next, bench):
                time.sleep(IDLE_SECONDS)

    def attempt(self, do_next: DoNext, bench: Bench) -> bool:
        """Do what is next. False: there was nothing to do, or it could not be done."""
        try:
            if self.standing is not None:
                # It was not the fault of any row: else a disk that is full for long would condemn the last one.
                bench.ledger.give_back(self.name)
            done = do_next(self.name, bench)
            if self.standing is not None:
                bench.ledger.go_on(self.name)
                self.tell("batches go on", {})
        except (LedgerDown, DepotFull) as error:
            self._stand(str(error), bench)
            return False
        self.standing = None
        return done

    def _stand(self, why: str, bench: Bench) -> None:
        """Says once in the log why nothing goes on, keeps saying it to whoever asks the ledger, and waits a little."""
        if why != self.standing:
            self.tell("batches stand still", {"reason": why})
        self.standing = why
        with suppress(LedgerDown, DepotFull):
            bench.ledger.stand_still(self.name, why)
        time.sleep(RETRY_SECONDS)

    def _end(self, *_: object) -> None:
        self.ending = True


def do_chunk(name: str, bench: Bench) -> bool:
    """The next chunk. See DoNext."""
    lease = bench.ledger.take(name)
    if lease is None:
        return False
    bench.alive()
    try:
        work(lease, bench)
    finally:
        faulthandler.cancel_dump_traceback_later()
    return True


def chunks(worker: Worker) -> None:
    """A duty: one chunk after the other."""
    worker.repeat(do_chunk)


def errands(afterwards: Afterwards) -> Duty:
    """A duty: what is to be done beside chunks."""

    def run(worker: Worker) -> None:
        all_errands = Errands(afterwards, worker.tell)
        worker.repeat(lambda _name, bench: all_errands(bench))

    return run


def _watch() -> None:
    """Ends this process when it does not say again in time that it is alive, even where it hangs in C code."""
    faulthandler.dump_traceback_later(STUCK_SECONDS, exit=True)


Duty = Callable[[Worker], None]  # what a process does until it is to end
