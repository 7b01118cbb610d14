"""Turns are shared among batches: a small one does not wait for the end of a large one, with any job store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from scrubber.batch.model import CUT, DEFAULT_TENANT, BatchTally, Chunk, JobStore
from tests.support.batches import NOW, Keep, batch_of


def accept(job_store: JobStore, batch_id: str, priority: int = 0, tenant: str = DEFAULT_TENANT) -> None:
    batch = replace(batch_of(b"x", batch_id, priority=priority), tenant=tenant)
    job_store.accept(batch, None, None, NOW)


def turns(job_store: JobStore, most: int = 1_000, **chunks: int) -> list[str]:
    """Whose turn it was, one after the other, by one worker that finishes each chunk.

    A batch that is not cut yet is cut into so many `chunks` of one row.
    """
    found: list[str] = []
    while len(found) < most and (lease := job_store.take("one")):
        if lease.chunk.number == CUT:
            count = chunks[lease.batch.id]
            of_one_row = [Chunk(number, number + 1, 1, number, number + 1) for number in range(count)]
            assert job_store.cut(lease, of_one_row, count, NOW)
        else:
            found.append(lease.batch.id)
            assert job_store.finish(lease, BatchTally(accept=1), {}, NOW)
    return found


def test_batches_take_turns(keep: Keep) -> None:
    job_store = keep().job_store
    for batch_id in "abc":
        accept(job_store, batch_id)
    assert turns(job_store, a=4, b=2, c=3) == ["a", "b", "c", "a", "b", "c", "a", "c", "a"]


def test_a_small_batch_waits_for_one_chunk_of_each_that_was_there(keep: Keep) -> None:
    """To cut it is no turn: its first chunk is next then."""
    job_store = keep().job_store
    accept(job_store, "large")
    assert turns(job_store, 5, large=60) == ["large"] * 5
    accept(job_store, "small")
    assert turns(job_store, 4, small=1) == ["large", "small", "large", "large"]


def test_small_ones_that_keep_coming_do_not_stop_a_large_one(keep: Keep) -> None:
    """Whoever comes has its turn after those that wait, not before."""
    job_store = keep().job_store
    accept(job_store, "large")
    done = turns(job_store, 1, large=4)
    for number in range(6):
        accept(job_store, f"small{number}")
        accept(job_store, f"other{number}")
        done += turns(job_store, 3, **{f"small{number}": 1, f"other{number}": 1})
    assert done.count("large") == 4
    assert done.index("small3") > [place for place, batch_id in enumerate(done) if batch_id == "large"][3]


def test_tenants_take_turns_however_many_batches_each_has(keep: Keep) -> None:
    job_store = keep().job_store
    for number in range(6):
        accept(job_store, f"a{number}", tenant="clinic-a")
    accept(job_store, "b", tenant="clinic-b")
    done = turns(job_store, **{f"a{number}": 1 for number in range(6)}, b=3)
    assert [batch_id[0] for batch_id in done] == list("abababaaa")
    assert [batch_id for batch_id in done if batch_id != "b"] == [f"a{number}" for number in range(6)]


def test_a_tenant_that_comes_late_has_its_turn_next(keep: Keep) -> None:
    """What was its due while it had nothing to do is not made up for."""
    job_store = keep().job_store
    accept(job_store, "a", tenant="clinic-a")
    done = turns(job_store, 5, a=9)
    accept(job_store, "b", tenant="clinic-b")
    assert done + turns(job_store, b=3) == list("aaaaabababaa")


def test_priority_goes_before_turns(keep: Keep) -> None:
    job_store = keep().job_store
    accept(job_store, "a")
    accept(job_store, "urgent", priority=1)
    accept(job_store, "b")
    assert turns(job_store, a=2, b=2, urgent=2) == ["urgent", "urgent", "a", "b", "a", "b"]


def test_a_chunk_whose_lease_ran_out_goes_first(keep: Keep) -> None:
    job_store = keep().job_store
    accept(job_store, "a")
    assert turns(job_store, 1, a=3) == ["a"]
    assert job_store.take("dies") is not None
    accept(job_store, "b")
    job_store.release("dies")
    again = job_store.take("one")
    assert again is not None
    assert (again.batch.id, again.chunk.number, again.tries) == ("a", 1, 2)


def test_workers_at_once_share_turns_and_take_every_chunk_once(keep: Keep) -> None:
    job_store = keep().job_store
    for batch_id in "abc":
        accept(job_store, batch_id)
    before = turns(job_store, 3, a=40, b=40, c=40)
    assert before == ["a", "b", "c"]

    def take(worker: int) -> list[tuple[str, int]]:
        found = []
        mine = keep().job_store
        while lease := mine.take(str(worker)):
            found.append((lease.batch.id, lease.chunk.number))
        return found

    with ThreadPoolExecutor(4) as pool:
        taken = [place for found in pool.map(take, range(4)) for place in found]
    assert sorted(taken) == [(batch_id, number) for batch_id in "abc" for number in range(1, 40)]


def test_turns_of_ended_batches_hold_nobody_up(keep: Keep) -> None:
    job_store = keep().job_store
    accept(job_store, "a")
    accept(job_store, "b")
    assert turns(job_store, 2, a=3, b=4) == ["a", "b"]
    job_store.cancel("a", NOW)
    assert turns(job_store, 1) == ["b"]
    job_store.delete("a")
    accept(job_store, "c")
    assert turns(job_store, c=1) == ["b", "c", "b"]
