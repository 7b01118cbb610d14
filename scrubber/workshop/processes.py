"""Beside the path: works at the same time, each in a process of its own, which sees everything this one has loaded."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple


class _Started(NamedTuple):
    process: int
    answers: int  # descriptor that its result comes from


def at_once(works: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each work returns, in order. The last runs in this process, the others in forks of it.

    A result must be one that pickle can carry. Raises what the last work raises, and RuntimeError when another one
    ends without a result. Call it where no other thread runs.
    """
    *apart, last = works
    started = [_start(work) for work in apart]
    try:
        own = last()
        return [*(_result(each) for each in started), own]
    finally:
        for each in started:
            _end(each)


def _start(work: Callable[[], Any]) -> _Started:
    answers, answer = os.pipe()
    process = os.fork()
    if process:
        os.close(answer)
        return _Started(process, answers)
    code = 1
    try:
        os.close(answers)
        with os.fdopen(answer, "wb") as stream:
            pickle.dump(work(), stream, pickle.HIGHEST_PROTOCOL)
        code = 0
    finally:
        os._exit(code)  # nothing that the parent would do at its end


def _result(started: _Started) -> Any:
    with os.fdopen(os.dup(started.answers), "rb") as stream:
        told = stream.read()
    if not told:
        raise RuntimeError("a process ended without a result")
    return pickle.loads(told)  # noqa: S301 -- from a fork of this process, through a pipe that nobody else has


def _end(started: _Started) -> None:
    """Wherever it is: one that has given its result is at its end anyway."""
    os.close(started.answers)
    os.kill(started.process, signal.SIGKILL)
    os.waitpid(started.process, 0)
