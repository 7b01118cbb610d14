"""Work over processes: in order, whatever ends, fails or interrupts them, and with nothing left running."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing import active_children
from pathlib import Path

import pytest

from scrubber.errors import BackTestStopped, Fault, Faults
from scrubber.processes import TASKS_A_PROCESS, ProcessLost, map_forked, map_spawned, run_forked
from tests.support.bodies import CANARY
from tests.support.service import ROOT
from tests.support.waiting import PATIENCE, until

# Prints the numbers of its processes, then works for ever.
ENDLESS = """
import os, time
from scrubber.processes import map_forked, map_spawned
def open_work():
    return work
def work(task):
    os.write(1, b"%d\\n" % os.getpid())  # in one piece: print may write the end of the line apart
    time.sleep(1_000)
if __name__ == "__main__":
    list({call})
"""


def ends(task: int, deadly: int) -> int:
    if task == deadly:
        os.kill(os.getpid(), signal.SIGKILL)
    return task


def opened(factor: int) -> Callable[[int], tuple[int, int]]:
    return lambda task: (task * factor, os.getpid())


def refused() -> Callable[[int], int]:
    raise BackTestStopped("the rules changed")


def test_results_come_in_the_order_of_their_tasks() -> None:
    def work(task: int) -> tuple[int, int]:
        time.sleep(random.random() / 500)
        return task, os.getpid()

    found = list(map_forked(work, range(50), 3))
    assert [task for task, _ in found] == list(range(50))
    assert len({process for _, process in found} - {os.getpid()}) > 1
    assert not active_children()


def test_processes_that_are_started_anew_open_the_work_for_themselves() -> None:
    found = list(map_spawned(partial(opened, 3), range(5), 2))
    assert [product for product, _ in found] == [0, 3, 6, 9, 12]
    assert os.getpid() not in {process for _, process in found}


def test_few_tasks_are_taken_ahead() -> None:
    taken = []

    def tasks() -> Iterator[int]:
        for task in range(100):
            taken.append(task)
            yield task

    results = map_forked(lambda task: task, tasks(), 2)
    assert next(results) == 0
    assert len(taken) == 2 * TASKS_A_PROCESS
    results.close()  # type: ignore[attr-defined]  # it is a generator
    assert not active_children()


@pytest.mark.parametrize("processes", [1, 3])
@pytest.mark.parametrize("deadly", [0, 5, 8])
def test_a_task_that_ends_its_process_is_named_and_those_before_it_have_results(processes: int, deadly: int) -> None:
    results = map_forked(lambda task: ends(task, deadly), range(9), processes)
    found = [next(results) for _ in range(deadly)]
    with pytest.raises(ProcessLost) as lost:
        next(results)
    assert (lost.value.task, lost.value.failure) == (deadly, None)
    assert found == list(range(deadly))


def test_a_process_that_is_killed_from_outside_costs_no_result(tmp_path: Path) -> None:
    def work(task: int) -> int:
        if task == 4 and not (tmp_path / "killed").exists():
            (tmp_path / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return task

    assert list(map_forked(work, range(20), 2)) == list(range(20))


def test_what_fails_says_where_and_no_value() -> None:
    def work(task: int) -> int:
        raise ValueError(f"{CANARY} {task}")

    with pytest.raises(ProcessLost) as lost:
        list(map_forked(work, range(3), 2))
    assert lost.value.task == 0
    assert lost.value.failure is not None
    assert lost.value.failure["error"] == "ValueError"
    assert "test_processes.py" in str(lost.value)
    assert CANARY not in f"{lost.value} {lost.value.__cause__} {lost.value.__context__}"


def test_an_error_of_ours_is_raised_as_it_is() -> None:
    with pytest.raises(BackTestStopped, match="the rules changed"):
        list(map_spawned(refused, range(3), 2))


def test_an_error_that_cannot_be_carried_is_described() -> None:
    def work(task: int) -> int:
        raise Faults([Fault("a.yaml", 1, "wrong")])

    with pytest.raises(ProcessLost, match="Faults"):
        list(map_forked(work, range(3), 2))


def test_functions_run_beside_each_other() -> None:
    def meet(own: int, other: int) -> int:
        os.write(own, b"x")
        os.read(other, 1)  # waits until the other one is there
        return os.getpid()

    (first, second), (third, fourth) = os.pipe(), os.pipe()
    found = run_forked([lambda: meet(second, third), lambda: meet(fourth, first)])
    for descriptor in (first, second, third, fourth):
        os.close(descriptor)
    assert len({*found, os.getpid()}) == 3
    assert run_forked([os.getpid]) == [os.getpid()]


def test_processes_may_have_processes() -> None:
    def work(task: int) -> list[int]:
        return list(map_forked(lambda inner: task * inner, range(4), 2))

    assert list(map_forked(work, range(3), 2)) == [[0, 0, 0, 0], [0, 1, 2, 3], [0, 2, 4, 6]]


@pytest.mark.parametrize("call", ["map_forked(work, range(9), 2)", "map_spawned(open_work, range(9), 2)"])
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_processes_end_with_the_one_that_started_them(tmp_path: Path, call: str, ending: signal.Signals) -> None:
    program = tmp_path / "endless.py"
    program.write_text(ENDLESS.format(call=call))
    with subprocess.Popen(
        [sys.executable, str(program)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, start_new_session=True,
    ) as first:  # fmt: skip
        assert first.stdout is not None
        theirs = [int(first.stdout.readline()) for _ in range(2)]
        if ending == signal.SIGINT:
            os.killpg(first.pid, ending)  # as a terminal does
        else:
            first.kill()
        first.communicate(timeout=PATIENCE)
    assert first.returncode != 0
    until(lambda: not any(Path(f"/proc/{process}").exists() for process in theirs), "a process goes on")
