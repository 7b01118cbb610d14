"""Around the path: tasks done by several processes, what comes out in the order of the tasks."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from typing import Any, NamedTuple, NoReturn, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")
AHEAD = 2  # tasks that a process has before it


class Lost(Exception):
    """A process ended before its task did. `task` is the one."""

    def __init__(self, task: object) -> None:
        self.task = task
        super().__init__("a process ended before its task did")


class _Hand(NamedTuple):
    process: int
    line: Connection


def in_order(work: Callable[[Task], Result], tasks: Iterable[Task], count: int) -> Iterator[Result]:
    """What `work` makes of each task, in `count` forks of this process; few tasks are taken ahead.

    The forks end with this process, also where that is killed. Tasks and results are such that pickle can carry them.
    Raises Lost. Call it where no other thread runs.
    """
    hands: list[_Hand] = []
    given: deque[tuple[_Hand, Task]] = deque()
    try:
        for _ in range(count):
            hands.append(_start(work, hands))
        for number, task in enumerate(tasks):
            hand = hands[number % count]
            given.append((hand, task))
            with suppress(BrokenPipeError):  # its first task is to be the one that is lost
                hand.line.send(task)
            if len(given) == count * AHEAD:
                yield _result(*given.popleft())
        while given:
            yield _result(*given.popleft())
    finally:
        for hand in hands:
            hand.line.close()
        for hand in hands:
            os.kill(hand.process, signal.SIGKILL)
            os.waitpid(hand.process, 0)


def _result(hand: _Hand, task: Any) -> Any:
    try:
        return hand.line.recv()
    except (EOFError, OSError):  # also in the middle of a result
        raise Lost(task) from None


def _start(work: Callable[[Any], Any], others: list[_Hand]) -> _Hand:
    mine, theirs = Pipe()
    process = os.fork()
    if not process:
        # A line that a sister held open would never tell that this process has ended.
        for line in (mine, *(other.line for other in others)):
            line.close()
        _be_hand(work, theirs)
    theirs.close()
    return _Hand(process, mine)


def _be_hand(work: Callable[[Any], Any], line: Connection) -> NoReturn:
    """What a fork does instead of going on as its parent; it ends with the line."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while True:
            line.send(work(line.recv()))
    finally:
        os._exit(1)
