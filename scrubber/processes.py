"""Maps work over processes for tests of rules, back-tests and files of claims.

Order, interrupts, failures and processes that end are handled here. Underneath is the standard library's
ProcessPoolExecutor, which names no task when a process ends: the first task without a result is then done again alone.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.connection import wait
from typing import Any, Literal, NamedTuple, TypeVar

from scrubber.errors import ScrubberError, describe_failure

Task = TypeVar("Task")
Result = TypeVar("Result")
TASKS_A_PROCESS = 3  # taken ahead: enough that no process waits


class ProcessLost(RuntimeError):
    """A process ended, or failed, before its task was done. `task` is the one.

    `failure` is None where the process ended, else what `describe_failure` says of it: no value from a claim.
    """

    def __init__(self, task: object, failure: dict[str, Any] | None = None) -> None:
        self.task = task
        self.failure = failure
        super().__init__(f"a process failed: {failure}" if failure else "a process ended before its task did")


def map_forked(work: Callable[[Task], Result], tasks: Iterable[Task], processes: int) -> Iterator[Result]:
    """The result of `work` for each task, in order, from forks of this process.

    Forks share everything that this process has loaded. Tasks and results must be picklable; few tasks are taken ahead.
    The forks end with this process, also where that is killed. Raises the errors of ours that `work` raises where they
    hold a message alone, and ProcessLost. Call it where no other thread runs.
    """
    return _mapped(lambda: work, tasks, processes, "fork")


def map_spawned(
    open_work: Callable[[], Callable[[Task], Result]], tasks: Iterable[Task], processes: int
) -> Iterator[Result]:
    """`map_forked` in processes that are started anew, for what a fork must not share; each calls `open_work` first.

    `open_work` must be picklable. What it raises is raised for the first task.
    """
    return _mapped(open_work, tasks, processes, "spawn")


def run_forked(works: Sequence[Callable[[], Any]]) -> list[Any]:
    """The results of the functions, in order, each from a fork of its own; a single one runs here. See `map_forked`."""
    if len(works) == 1:
        return [works[0]()]
    return list(map_forked(lambda number: works[number](), range(len(works)), len(works)))


class _Failure(NamedTuple):
    """What comes back in the place of a result."""

    error: Exception | None
    description: dict[str, Any]


_StartMethod = Literal["fork", "spawn"]
_OpenWork = Callable[[], Callable[[Any], Any]]


def _mapped(open_work: _OpenWork, tasks: Iterable[Task], processes: int, start: _StartMethod) -> Iterator[Any]:
    under_way: deque[Task] = deque()
    left = iter(tasks)
    while True:
        try:
            with _pool(open_work, processes, start) as pool:
                yield from _results(pool, under_way, left, TASKS_A_PROCESS * processes)
                return
        except BrokenProcessPool:
            if processes == 1 or not under_way:
                raise ProcessLost(under_way[0] if under_way else None) from None
        yield from _mapped(open_work, [under_way.popleft()], 1, start)


def _results(pool: ProcessPoolExecutor, under_way: deque[Task], left: Iterator[Task], most: int) -> Iterator[Any]:
    """Results of the tasks under way and of those that are left. A task stays under way until its result is there."""
    futures = deque(pool.submit(_do, task) for task in under_way)
    for task in left:
        under_way.append(task)
        futures.append(pool.submit(_do, task))
        if len(futures) >= most:
            yield _first(futures, under_way)
    while futures:
        yield _first(futures, under_way)


def _first(futures: deque[Future[Any]], under_way: deque[Any]) -> Any:
    result = futures[0].result()
    futures.popleft()
    task = under_way.popleft()
    if not isinstance(result, _Failure):
        return result
    raise result.error or ProcessLost(task, result.description)


@contextmanager
def _pool(open_work: _OpenWork, processes: int, start: _StartMethod) -> Iterator[ProcessPoolExecutor]:
    """Processes that have opened the work; whatever ends the mapping ends them."""
    others = active_children()
    pool = ProcessPoolExecutor(processes, get_context(start), _begin, (open_work,))
    try:
        with _without_interrupts():
            for future in [pool.submit(_ready) for _ in range(processes)]:
                future.cancel()
        yield pool
    except BaseException:
        for process in active_children():
            if process not in others:
                process.kill()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ctrl-C reaches every process of a terminal, and only the first may act on it: those started within ignore it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


# What runs in the processes


_work: Callable[[Any], Any]  # a process of a pool has no other scope for it


def _ready() -> None:
    """A no-op task: submitting it starts a process."""


def _begin(open_work: _OpenWork) -> None:
    global _work
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _work = open_work()
    except Exception as error:  # noqa: BLE001 -- goes to the parent, which would else see a process that ended
        failure = _failure(error)
        _work = lambda _: failure  # noqa: E731


def _end_with_parent() -> None:
    """A pool's process that lost its parent would wait for tasks for ever."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _do(task: Any) -> Any:
    try:
        return _work(task)
    except Exception as error:  # noqa: BLE001 -- goes to the parent
        return _failure(error)


def _failure(error: Exception) -> _Failure:
    """An error of ours as it is. The message of any other may hold a value of a claim: only a description leaves."""
    # One that is made of other things than its message would arrive as another one.
    carried = isinstance(error, ScrubberError) and type(error).__init__ is ScrubberError.__init__
    return _Failure(error if carried else None, describe_failure(error))
