"""What every job store and every file store promises: the same over SQLite and a folder as over PostgreSQL."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from scrubber.batch.model import CUT, PIECE, Batch, BatchOptions, BatchTally, Chunk, JobStore, KeyUsed, Lease
from scrubber.batch.storage import Batches, open_batches
from scrubber.errors import BadUpload, StoreUnavailable
from tests.support.batches import NOW, RECEIVED, Keep, batch_of, forget_batches
from tests.support.waiting import PATIENCE, until

LATER = NOW + timedelta(hours=24)
HOUR = timedelta(hours=1)
FAR = datetime(2999, 1, 1, tzinfo=UTC)


def accepted(job_store: JobStore, batch_id: str = "b1", **changes: object) -> Batch:
    return job_store.accept(batch_of(b"x", batch_id, **changes), None, None, NOW)


def taken(job_store: JobStore, worker: str = "one") -> Lease:
    lease = job_store.take(worker)
    assert lease is not None
    return lease


def with_chunks(job_store: JobStore, count: int, batch_id: str = "b1") -> None:
    accepted(job_store, batch_id)
    chunks = [Chunk(number, number * 10 + 1, 10, number * 100, number * 100 + 100) for number in range(count)]
    assert job_store.cut(taken(job_store), chunks, 10 * count, NOW)


def test_a_batch_reads_back_as_it_was_accepted(keep: Keep) -> None:
    job_store = keep().job_store
    sent = batch_of(
        b"x", priority=3, enable=("one",), disable=("two", "three"), most_rejected=Decimal("0.05"), webhook="https://h/"
    )
    assert job_store.accept(sent, None, None, NOW) == sent
    assert job_store.batch("b1") == sent
    assert job_store.batch("b2") is None
    accepted(job_store, "b2")
    assert [batch.id for batch in job_store.batches(10)] == ["b2", "b1"]
    assert [batch.id for batch in job_store.batches(1)] == ["b2"]


def test_a_key_stands_for_its_batch_for_as_long_as_it_is_kept(keep: Keep) -> None:
    job_store = keep().job_store
    first = job_store.accept(batch_of(b"x", "b1"), "key", LATER, NOW)
    assert job_store.accept(batch_of(b"x", "b2"), "key", LATER + HOUR, NOW + HOUR) == first
    with pytest.raises(KeyUsed):
        job_store.accept(batch_of(b"y", "b3"), "key", LATER + HOUR, NOW + HOUR)
    assert job_store.accept(batch_of(b"y", "b4"), "key", LATER + HOUR, LATER).id == "b4"
    assert [batch.id for batch in job_store.batches(10)] == ["b4", "b1"]


def test_batches_and_keys_are_those_of_a_tenant(keep: Keep) -> None:
    job_store = keep().job_store
    ours, theirs = (replace(batch_of(b"x", name), tenant=name) for name in ("clinic-a", "clinic-b"))
    for batch in ours, theirs:
        assert job_store.accept(batch, "night", LATER, NOW) == batch
    accepted(job_store, "b1")
    assert job_store.accept(replace(ours, id="b2"), "night", LATER, NOW) == ours
    assert job_store.batch("clinic-b") == theirs
    tenants = ("clinic-a", "clinic-b", "default", "clinic-c")
    listed = [[batch.id for batch in job_store.batches(10, tenant)] for tenant in tenants]
    assert listed == [["clinic-a"], ["clinic-b"], ["b1"], []]
    assert {taken(job_store, worker).batch.tenant for worker in "abc"} == {"clinic-a", "clinic-b", "default"}


def test_of_many_that_send_one_key_at_once_one_is_accepted(keep: Keep) -> None:
    job_store, ready = keep().job_store, threading.Barrier(4, timeout=PATIENCE)

    def accept(sender: int) -> list[str]:
        found = []
        for number in range(10):
            ready.wait()
            batch = batch_of(b"x", f"b{number}-{sender}")
            found.append(job_store.accept(batch, f"key {number}", LATER, NOW).id)
        return found

    with ThreadPoolExecutor(4) as pool:
        one, *others = pool.map(accept, range(4))
    assert all(other == one for other in others)
    assert len(job_store.batches(50)) == 10


def test_many_workers_take_each_chunk_once(keep: Keep) -> None:
    job_store = keep().job_store
    with_chunks(job_store, 60)

    def take_all(worker: int) -> list[int]:
        found = []
        while lease := job_store.take(str(worker)):
            found.append(lease.chunk.number)
        return found

    with ThreadPoolExecutor(4) as pool:
        numbers = [number for found in pool.map(take_all, range(4)) for number in found]
    assert sorted(numbers) == list(range(60))
    assert job_store.waiting(10) == []


def test_a_batch_is_done_with_its_last_chunk(keep: Keep) -> None:
    job_store = keep().job_store
    with_chunks(job_store, 3)
    for left in (2, 1, 0):
        lease = taken(job_store)
        assert job_store.finish(
            lease, BatchTally(accept=4, deny=6, at_risk=Decimal("10.25"), unpriced=1), {}, NOW + HOUR
        )
        assert not job_store.finish(lease, BatchTally(), {}, NOW)
        batch = job_store.batch("b1")
        assert batch is not None
        assert (batch.state, batch.ended) == (("running", None) if left else ("done", NOW + HOUR))
    progress = job_store.progress("b1")
    assert (progress.chunks_done, progress.chunks) == (3, 3)
    assert progress.tally == BatchTally(accept=12, deny=18, at_risk=Decimal("30.75"), unpriced=3)
    assert job_store.ended_before(NOW + HOUR) == []
    assert job_store.ended_before(NOW + HOUR * 2) == ["b1"]


def test_what_is_done_under_a_lost_lease_does_not_count(keep: Keep) -> None:
    job_store = keep().job_store
    accepted(job_store)
    cutter = taken(job_store)
    job_store.release("one")
    other = taken(job_store, "two")
    assert (other.chunk.number, other.tries) == (CUT, 2)
    assert not job_store.cut(cutter, [Chunk(0, 1, 1, 0, 1)], 1, NOW)
    assert not job_store.renew(cutter, None)
    assert job_store.cut(other, [Chunk(0, 1, 1, 0, 1)], 1, NOW)
    assert not job_store.renew(other, None)
    assert job_store.waiting(10) == [("b1", 0)]


def test_the_ledger_knows_at_which_rows_workers_died(keep: Keep) -> None:
    job_store = keep().job_store
    with_chunks(job_store, 1)
    for row in (None, 4, 4, 7):
        assert job_store.renew(taken(job_store), row)
        job_store.release("one")
    assert taken(job_store).deaths == {4: 2, 7: 1}


def test_release_gives_back_what_one_worker_held(keep: Keep) -> None:
    job_store = keep().job_store
    with_chunks(job_store, 2)
    mine, other = taken(job_store, "mine"), taken(job_store, "other")
    job_store.release("mine")
    assert job_store.waiting(10) == [("b1", mine.chunk.number)]
    assert job_store.renew(other, None)


def test_what_is_given_back_was_never_taken(keep: Keep) -> None:
    job_store = keep().job_store
    with_chunks(job_store, 1)
    for row in (None, 4):
        job_store.renew(taken(job_store), row)
        job_store.release("one")
    again = taken(job_store)
    assert (again.tries, again.deaths) == (3, {4: 1})
    assert job_store.renew(again, 7)
    job_store.give_back("other")
    assert job_store.renew(again, 7)
    job_store.give_back("one")
    assert not job_store.renew(again, 7)
    assert not job_store.finish(again, BatchTally(accept=10), {}, NOW)
    again = taken(job_store)
    assert (again.tries, again.deaths) == (3, {4: 1})


def test_a_lease_that_ran_out_goes_before_what_waits(keep: Keep) -> None:
    job_store = keep().job_store
    with_chunks(job_store, 3)
    taken(job_store)
    second = taken(job_store, "dead")
    job_store.release("dead")
    assert taken(job_store).chunk == second.chunk


def test_an_ended_batch_has_nothing_to_do_and_stays_as_it_ended(keep: Keep) -> None:
    job_store = keep().job_store
    with_chunks(job_store, 3)
    assert job_store.finish(taken(job_store), BatchTally(accept=10), {}, NOW)
    held = taken(job_store)
    job_store.fail("b1", "so it is", NOW)
    job_store.cancel("b1", NOW + HOUR)
    batch = job_store.batch("b1")
    assert batch is not None
    assert (batch.state, batch.why, batch.ended) == ("failed", "so it is", NOW)
    assert job_store.take("one") is None
    assert not job_store.finish(held, BatchTally(accept=10), {}, NOW)
    assert [each.chunk.number for each in job_store.done("b1", 0)] == [0]


def test_summaries_come_in_the_order_of_the_chunks_however_many(keep: Keep) -> None:
    job_store = keep().job_store
    with_chunks(job_store, 203)
    while lease := job_store.take("one"):
        job_store.finish(lease, BatchTally(), {"rules": {str(lease.chunk.number): [1, 1, 1]}}, NOW)
    numbers = [int(key) for summary in job_store.summaries("b1") for key in summary["rules"]]
    assert numbers == list(range(203))


def test_nothing_is_left_of_a_batch_that_is_deleted(keep: Keep) -> None:
    job_store = keep().job_store
    with_chunks(job_store, 2)
    job_store.delete("b1")
    assert job_store.batch("b1") is None
    assert job_store.take("one") is None
    job_store.delete("b1")


def test_the_ledger_goes_on_in_a_child_and_in_its_parent(keep: Keep) -> None:
    job_store = keep().job_store
    with_chunks(job_store, 4)
    child = os.fork()
    if not child:
        status = 1
        try:
            status = 0 if job_store.finish(taken(job_store), BatchTally(accept=10), {}, NOW) else 2
        finally:
            os._exit(status)
    assert job_store.finish(taken(job_store), BatchTally(accept=10), {}, NOW)
    assert os.waitpid(child, 0)[1] == 0
    assert job_store.progress("b1").tally.accept == 20


def test_uploads_read_back_whole_and_in_pieces(keep: Keep) -> None:
    file_store = keep().file_store
    data = os.urandom(2 * PIECE + 12_345)
    cuts = (0, 10, PIECE - 1, PIECE + 7, 2 * PIECE + 5, len(data))
    assert file_store.receive("b1", (data[a:b] for a, b in pairwise(cuts))) == len(data)
    with file_store.upload("b1") as upload:
        assert b"".join(iter(lambda: upload.read(PIECE), b"")) == data
    for start, stop in ((0, 0), (0, 5), (PIECE - 3, PIECE), (PIECE, PIECE + 1), (7, 2 * PIECE + 7), (0, len(data))):
        assert file_store.rows("b1", start, stop) == data[start:stop]


def test_rows_that_were_kept_stand_in_for_the_upload_whoever_kept_them(keep: Keep) -> None:
    file_store = keep().file_store
    file_store.receive("b1", [b"packed"])
    file_store.keep_rows("b1", "second", [b"one\n", b"two\n"])
    file_store.keep_rows("b1", "first", [b"one\ntwo\n"])
    assert file_store.rows("b1", 4, 8) == b"two\n"
    with file_store.kept_rows("b1") as rows:
        assert rows.read() == b"one\ntwo\n"
    with file_store.upload("b1") as upload:
        assert upload.read() == b"packed"


def test_results_are_kept_by_lease(keep: Keep) -> None:
    file_store = keep().file_store
    file_store.receive("b1", [b"x"])
    file_store.keep_result("b1", 3, "lost", b"one")
    large = os.urandom(PIECE + 3)
    file_store.keep_result("b1", 3, "held", large)
    file_store.drop_result("b1", 3, "lost")
    file_store.drop_result("b1", 3, "lost")
    assert file_store.result("b1", 3, "held") == large
    with pytest.raises(StoreUnavailable):
        file_store.result("b1", 3, "lost")


def test_nothing_is_kept_of_an_upload_that_breaks_off(keep: Keep) -> None:
    file_store = keep().file_store

    def broken() -> Iterator[bytes]:
        yield b"x" * 3 * PIECE
        raise BadUpload("too-large", "too large")

    with pytest.raises(BadUpload):
        file_store.receive("b1", broken())
    assert list(file_store.untouched(FAR)) == []
    file_store.receive("b2", [b"x"])
    assert list(file_store.untouched(FAR)) == ["b2"]
    file_store.remove("b2")
    file_store.remove("b2")
    assert list(file_store.untouched(FAR)) == []


@pytest.mark.parametrize("use", ["ledger", "depot"])
def test_what_cannot_be_reached_is_told_without_its_address(tmp_path: Path, use: str) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    kept = open_batches(None, f"postgresql://CANARY:CANARY@localhost/x?host={tmp_path}")
    assert isinstance(kept, Batches)
    with pytest.raises(StoreUnavailable) as told:
        kept.job_store.batch("b1") if use == "ledger" else kept.file_store.rows("b1", 0, 1)
    assert "CANARY" not in str(told.value)


def test_a_database_with_no_room_says_so(postgres: str) -> None:
    import psycopg

    from scrubber.errors import StorageFull

    forget_batches(postgres)
    kept = open_batches(None, postgres)
    assert kept is not None
    kept.file_store.receive("b1", [b"x"])
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(
            "CREATE OR REPLACE FUNCTION no_room() RETURNS event_trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = 'disk_full'; END $$"
        )
        connection.execute("CREATE EVENT TRIGGER no_room ON ddl_command_end EXECUTE FUNCTION no_room()")
        try:
            with pytest.raises(StorageFull):
                kept.file_store.receive("b2", [b"x"])
        finally:
            connection.execute("DROP EVENT TRIGGER no_room")
    assert list(kept.file_store.untouched(FAR)) == ["b1"]


def test_the_options_of_a_batch_are_told_apart_under_one_key(keep: Keep) -> None:
    job_store = keep().job_store
    job_store.accept(batch_of(b"x", "b1"), "key", LATER, NOW)
    other = batch_of(b"x", "b2", priority=1)
    assert other.options != BatchOptions(RECEIVED)
    with pytest.raises(KeyUsed):
        job_store.accept(other, "key", LATER, NOW)


def test_the_end_of_a_batch_is_owed_until_it_is_told(keep: Keep) -> None:
    job_store, hasty = keep().job_store, keep(0.01).job_store
    accepted(job_store, "b1", webhook="https://hooks.example/")
    accepted(job_store, "b2")
    assert job_store.next_announcement() is None
    job_store.cancel("b1", NOW)
    job_store.cancel("b2", NOW)
    for tries, teller in ((1, hasty), (2, hasty), (3, job_store)):
        announcement = until(teller.next_announcement)
        assert announcement is not None
        assert (announcement.batch.id, announcement.batch.state, announcement.tries) == ("b1", "cancelled", tries)
    assert job_store.next_announcement() is None
    job_store.announce_later("b1", 60)
    assert job_store.next_announcement() is None
    job_store.announce_later("b1", 0)
    job_store.announced("b1")
    assert job_store.next_announcement() is None


def test_a_clock_that_is_set_loses_no_lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On one machine leases are measured from its start, by a clock that nobody sets."""
    job_store = Keep(tmp_path)().job_store
    with_chunks(job_store, 1)
    held = taken(job_store)
    for moment in (0.0, 4e9):
        monkeypatch.setattr(time, "time", lambda moment=moment: moment)
        assert job_store.take("other") is None
        assert job_store.renew(held, None)
    assert job_store.finish(held, BatchTally(accept=10), {}, NOW)


def test_leases_of_before_a_restart_of_the_machine_have_run_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Keep(tmp_path)().job_store
    with_chunks(before, 1)
    held = taken(before)
    monkeypatch.setattr("scrubber.batch.storage.sqlite._boot", lambda: "another")
    after = Keep(tmp_path)().job_store
    assert taken(after, "other").chunk == held.chunk


def test_when_the_clock_of_the_database_is_set_forward_the_chunk_counts_once(postgres: str, tmp_path: Path) -> None:
    import psycopg

    forget_batches(postgres)
    job_store = Keep(tmp_path, postgres)().job_store
    with_chunks(job_store, 1)
    slow = taken(job_store, "slow")
    with psycopg.connect(postgres, autocommit=True) as connection:
        # To every lease a clock that went on by a day is a lease that ends a day earlier.
        connection.execute("UPDATE scrubber_batches.chunks SET until = until - interval '1 day'")
    hasty = taken(job_store, "hasty")
    assert hasty.chunk == slow.chunk
    assert not job_store.finish(slow, BatchTally(deny=10), {}, NOW)
    assert job_store.finish(hasty, BatchTally(accept=10), {}, NOW)
    assert job_store.progress("b1").tally == BatchTally(accept=10)
