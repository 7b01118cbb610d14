"""Worker processes and who watches over them: whatever dies, the batch goes on, and each row has one result."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from scrubber.batch.model import ROWS_A_CHUNK
from scrubber.batch.work import WorkContext
from scrubber.scrub import Scrubber
from tests.support.batches import Keep, context, ndjson, results, submit
from tests.support.chaos import tree
from tests.support.service import ROOT, write_rules
from tests.support.waiting import PATIENCE, until

ALL = 30


@contextmanager
def pool(keep: Keep, workers: int = 1, stuck: int = PATIENCE) -> Iterator[subprocess.Popen[bytes]]:
    """Leases last a minute here: whatever goes on sooner was given back."""
    rules = write_rules(keep.folder / "rules", ("sample-denied", "deny", "77092"))
    words = (keep.folder, keep.address or "", rules, workers, stuck)
    command = [sys.executable, "-m", "tests.support.working", *map(str, words)]
    with (keep.folder / "pool.txt").open("ab") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out)
    try:
        yield process
    finally:
        for each in tree(process.pid)[::-1]:
            os.kill(each, signal.SIGKILL)
        process.wait()


def claims_that(**harms: str) -> bytes:
    """Thirty claims; the n-th, from 1, does what `n<n>` says."""
    rows = [orjson.loads(line) for line in ndjson(ALL).splitlines()]
    for number, harm in harms.items():
        rows[int(number.removeprefix("n")) - 1]["claimInformation"]["patientControlNumber"] = f"{harm}-1"
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def slow(count: int) -> bytes:
    return ndjson(count).replace(b"CLAIM-", b"slow-")


def done(on: WorkContext, batch_id: str = "b1") -> bool:
    batch = on.job_store.batch(batch_id)
    return batch is not None and batch.state == "done"


def rejected(on: WorkContext) -> list[int]:
    told = results(on)
    assert [row["row"] for row in told] == list(range(1, len(told) + 1))
    assert len(told) == ALL
    return [row["row"] for row in told if "rejected" in row]


def at_work(on: WorkContext) -> bool:
    """Whether the one chunk of a batch is under way."""
    batch = on.job_store.batch("b1")
    waiting = [batch_id for batch_id, _ in on.job_store.waiting(9)]
    return batch is not None and batch.state == "running" and "b1" not in waiting


@pytest.fixture
def files(tmp_path: Path) -> Keep:
    return Keep(tmp_path)


def test_a_claim_that_ends_its_workers_is_isolated_and_the_rest_are_done(keep: Keep, shipped: Scrubber) -> None:
    _isolated(keep, shipped, "kill")


@pytest.mark.parametrize("harm", ["crash", "hang"])
def test_whatever_it_is_that_ends_them(files: Keep, shipped: Scrubber, harm: str) -> None:
    _isolated(files, shipped, harm)


def _isolated(keep: Keep, shipped: Scrubber, harm: str) -> None:
    on = context(keep(), shipped)
    submit(on, claims_that(n7=harm))
    with pool(keep, stuck=2 if harm == "hang" else PATIENCE):
        until(lambda: done(on))
    assert rejected(on) == [7]
    assert on.job_store.progress("b1").tally.rejected == 1
    assert "CLAIM" not in (keep.folder / "pool.txt").read_text()


def test_several_such_claims_in_one_chunk_are_isolated_all(files: Keep, shipped: Scrubber) -> None:
    on = context(files(), shipped)
    submit(on, claims_that(n1="kill", n15="kill", n30="crash"))
    with pool(files):
        until(lambda: done(on))
    assert rejected(on) == [1, 15, 30]


def test_a_worker_that_is_killed_is_replaced_and_its_chunk_done_again_at_once(keep: Keep, shipped: Scrubber) -> None:
    on = context(keep(), shipped)
    submit(on, slow(ALL))
    with pool(keep) as watcher:
        until(lambda: at_work(on))
        _, errands, worker = tree(watcher.pid)
        os.kill(worker, signal.SIGKILL)
        os.kill(errands, signal.SIGKILL)
        until(lambda: done(on))
        assert len(tree(watcher.pid)) == 3
        assert not {worker, errands} & set(tree(watcher.pid))
    assert rejected(on) == []


def test_workers_end_with_their_watcher_and_others_go_on(files: Keep, shipped: Scrubber) -> None:
    on = context(files(), shipped)
    submit(on, slow(ROWS_A_CHUNK * 2))
    with pool(files, workers=2) as watcher:
        until(lambda: at_work(on))
        below = tree(watcher.pid)[1:]
        os.kill(watcher.pid, signal.SIGKILL)
        watcher.wait()
        for worker in below[1:]:
            os.kill(worker, signal.SIGKILL)  # they would end after their chunks, which take half a minute here
        until(lambda: not any(map(_runs, below)))
    on.job_store.cancel("b1", on.now())
    submit(on, ndjson(ALL), "b2")
    with pool(files):
        until(lambda: done(on, "b2"))


def test_workers_whose_watcher_was_killed_finish_their_chunks_and_end(files: Keep, shipped: Scrubber) -> None:
    on = context(files(), shipped)
    submit(on, slow(ALL))
    submit(on, ndjson(1), "b2")
    with pool(files) as watcher:
        until(lambda: at_work(on))
        below = tree(watcher.pid)[1:]
        os.kill(watcher.pid, signal.SIGKILL)
        watcher.wait()
        until(lambda: not any(map(_runs, below)))
    assert done(on)
    assert not done(on, "b2")


def test_term_ends_a_pool_after_the_chunks_that_are_under_way(files: Keep, shipped: Scrubber) -> None:
    on = context(files(), shipped)
    submit(on, slow(ALL))
    submit(on, ndjson(1), "b2")
    with pool(files) as watcher:
        until(lambda: at_work(on))
        watcher.send_signal(signal.SIGTERM)
        assert watcher.wait(PATIENCE) == 0
    assert done(on)
    assert not done(on, "b2")


def test_hup_replaces_workers_after_their_chunks(files: Keep, shipped: Scrubber) -> None:
    on = context(files(), shipped)
    submit(on, slow(ALL))
    with pool(files) as watcher:
        until(lambda: at_work(on))
        before = tree(watcher.pid)[1:]
        watcher.send_signal(signal.SIGHUP)
        until(lambda: done(on))
        until(lambda: len(after := tree(watcher.pid)[1:]) == 2 and not set(after) & set(before))
        submit(on, ndjson(ALL), "b2")
        until(lambda: done(on, "b2"))
    assert "worker ended" not in (files.folder / "pool.txt").read_text()


def test_cancelling_ends_work_within_a_chunk(files: Keep, shipped: Scrubber) -> None:
    on = context(files(), shipped)
    submit(on, slow(ROWS_A_CHUNK * 3))
    with pool(files):
        until(lambda: len(on.job_store.waiting(9)) == 2)
        on.job_store.cancel("b1", on.now())
        submit(on, ndjson(ALL), "b2")
        until(lambda: done(on, "b2"))
    assert on.job_store.progress("b1").chunks_done == 0


def _runs(process: int) -> bool:
    try:
        return b"tests.support.working" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False
