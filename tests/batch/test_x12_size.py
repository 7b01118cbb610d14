"""A large X12 file as a batch: no process that receives, splits or scrubs it grows with it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from scrubber.batch.model import BatchOptions
from scrubber.batch.storage import open_batches
from scrubber.batch.upload import Declared, receive
from scrubber.batch.work import work
from scrubber.scrub import open_scrubber
from tests.support.batches import NOW, RECEIVED, context
from tests.support.processes import most_memory
from tests.support.service import ROOT
from tests.support.x12 import BODY, in_set, isa, written

MOST_MEMORY = 250  # megabytes of a process, with the rules and the starter tables
SCRUBBED = 4  # chunks, of 500 claims each


def large_file(size: int) -> Iterator[bytes]:
    """An X12 file of about so many bytes, a piece for each set; each set has two claims, and a number of its own.

    A claim has about 1,400 bytes: of a gigabyte, fewer than the million claims that a batch may have.
    """
    yield written(f"{isa()}\nGS*HC*SENDER*RECEIVER*20260915*1200*1*X*005010X222A1")
    notes = "\n".join([f"K3*{'X' * 80}"] * 7)
    template = written(in_set(BODY.replace("\nHI*", f"\n{notes}\nHI*"), number="NUMBER"))
    count = 0
    while size > 0:
        count += 1
        piece = template.replace(b"NUMBER", b"%09d" % count)
        size -= len(piece)
        yield piece
    yield written(f"GE*{count}*1\nIEA*1*000000001")


def work_through(folder: Path, size: int) -> tuple[float, float, int]:
    """Receive a file of so many bytes, split it, and scrub the first of its claims.

    The most megabytes that it took up to its receipt, and in all; and how many claims there are.
    """
    scrubber = open_scrubber(ROOT / "rules", None)
    kept = open_batches(folder, None, 600.0)
    assert kept is not None
    on = context(kept, scrubber, most_upload_bytes=10**10)
    receive(kept, large_file(size), Declared("x12"), BatchOptions(RECEIVED), None, 10**10, _now)
    received = most_memory(os.getpid())
    for _ in range(1 + SCRUBBED):
        lease = on.job_store.take("test")
        assert lease is not None
        assert work(lease, on)
    [batch] = on.job_store.batches(1)
    assert batch.why is None
    assert on.job_store.progress(batch.id).tally.rejected == 0
    return received, most_memory(os.getpid()), batch.rows or 0


def _now() -> datetime:
    return NOW


@pytest.mark.proof
def test_no_process_grows_with_the_file(tmp_path: Path) -> None:
    taken = []
    for megabytes in (2, 60):
        program = f"""
from pathlib import Path
from tests.batch.test_x12_size import work_through
print(*work_through(Path({str(tmp_path / str(megabytes))!r}), {megabytes}_000_000))
"""
        done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
        received, worked, rows = map(float, done.stdout.split())
        assert rows > 400 * megabytes
        assert received < MOST_MEMORY
        assert worked < MOST_MEMORY
        taken.append(worked)
    assert taken[1] - taken[0] < 25
