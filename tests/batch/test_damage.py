"""What is kept of a batch is checked when it is read: what was changed or is gone is told, and never served."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from scrubber.batch.results import ResultFilter, checked_result, findings_csv, lines
from scrubber.batch.storage import Batches
from scrubber.batch.work import WorkContext, work
from scrubber.errors import DamagedResult
from scrubber.scrub import Scrubber
from tests.support.batches import NOW, Keep, context, ndjson, result_bytes, submit, work_off
from tests.support.waiting import until

Change = Callable[[bytes], bytes]


def rewrite(keep: Keep, kind: str, change: Change | None) -> None:
    """Change the bytes of every kept upload, or of every result; None: remove them."""
    if keep.address is None:
        for path in (keep.folder / "batches").glob("*/*"):
            if (path.name == "upload") == (kind == "upload"):
                path.unlink() if change is None else path.write_bytes(change(path.read_bytes()))
        return
    import psycopg

    with psycopg.connect(keep.address) as server:
        tables = server.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'scrubber_batches' "
            "AND table_name LIKE 'claims_%'"
        ).fetchall()
        for (table,) in tables:
            name = psycopg.sql.Identifier("scrubber_batches", table)
            if change is None:
                server.execute(psycopg.sql.SQL("DELETE FROM {} WHERE kind = %s").format(name), (kind,))
                continue
            found = server.execute(
                psycopg.sql.SQL("SELECT number, token, part, data FROM {} WHERE kind = %s").format(name), (kind,)
            ).fetchall()
            for number, token, part, data in found:
                server.execute(
                    psycopg.sql.SQL(
                        "UPDATE {} SET data = %s WHERE kind = %s AND number = %s AND token = %s AND part = %s"
                    ).format(name),
                    (change(data), kind, number, token, part),
                )


def accept_all(data: bytes) -> bytes:
    """What somebody would do who wants other results."""
    return data.replace(b'"disposition":"', b'"disposition":"accept","was":"')


def read(kept: Batches, batch_id: str = "b1") -> bytes:
    return b"".join(lines(kept, batch_id, ResultFilter()))


def done(keep: Keep, shipped: Scrubber, rows: int = 3) -> tuple[WorkContext, bytes]:
    on = context(keep(), shipped)
    submit(on, ndjson(rows))
    work_off(on)
    return on, result_bytes(on)


@pytest.mark.parametrize("change", [accept_all, lambda data: data[:-2], None], ids=["edited", "cut", "gone"])
def test_results_that_are_not_as_they_were_made_are_made_again(
    keep: Keep, shipped: Scrubber, change: Change | None
) -> None:
    on, before = done(keep, shipped)
    assert read(keep()) == before
    rewrite(keep, "result", change)
    with pytest.raises(DamagedResult) as told:
        read(keep())
    assert told.value.again
    assert "CLAIM" not in str(told.value)
    state = on.job_store.batch("b1")
    assert state is not None
    assert (state.state, state.ended) == ("running", None)
    assert on.job_store.progress("b1").tally.rows == 0
    assert work_off(on) == 1
    assert read(keep()) == before
    ended = on.job_store.batch("b1")
    assert ended is not None
    assert ended.state == "done"
    assert on.job_store.progress("b1").tally.rows == 3


def test_csv_is_checked_too_before_anything_is_told(keep: Keep, shipped: Scrubber) -> None:
    done(keep, shipped)
    rewrite(keep, "result", accept_all)
    with pytest.raises(DamagedResult):
        next(findings_csv(keep(), "b1", ResultFilter()))


def test_results_of_an_ended_batch_are_told_to_be_lost(keep: Keep, shipped: Scrubber) -> None:
    on = context(keep(), shipped)
    submit(on, ndjson(600))
    for _ in range(2):
        lease = on.job_store.take("one")
        assert lease is not None
        work(lease, on)
    on.job_store.cancel("b1", NOW)
    rewrite(keep, "result", accept_all)
    with pytest.raises(DamagedResult) as told:
        read(keep())
    assert not told.value.again


def test_two_who_find_the_same_damage_have_it_made_once(keep: Keep, shipped: Scrubber) -> None:
    on, before = done(keep, shipped)
    [found] = on.job_store.done("b1", 0)
    assert on.job_store.do_again("b1", found)
    assert not on.job_store.do_again("b1", found)
    assert work_off(on) == 1
    assert read(keep()) == before


def test_who_comes_second_to_the_same_damage_is_not_told_that_it_is_lost(keep: Keep, shipped: Scrubber) -> None:
    """Both were reading when the first one found it; the results are being made, and then they are there again."""
    on, before = done(keep, shipped)
    [found] = on.job_store.done("b1", 0)
    rewrite(keep, "result", accept_all)
    for _ in range(2):
        with pytest.raises(DamagedResult) as told:
            checked_result(keep(), "b1", found)
        assert told.value.again
    assert work_off(on) == 1
    assert read(keep()) == before


def renumber(data: bytes) -> bytes:
    """Another claim in the place of one that was sent."""
    return data.replace(b"CLAIM-00001", b"CLAIM-00009")


@pytest.mark.parametrize("change", [renumber, None], ids=["edited", "gone"])
def test_an_upload_that_is_not_as_it_was_sent_is_not_cut(keep: Keep, shipped: Scrubber, change: Change | None) -> None:
    on = context(keep(), shipped)
    submit(on, ndjson(3))
    rewrite(keep, "upload", change)
    work_off(on)
    ended = on.job_store.batch("b1")
    assert ended is not None
    assert ended.state == "failed"
    assert "what was kept of the upload" in str(ended.why)
    assert "send it again" in str(ended.why)


def test_rows_that_are_not_as_they_were_sent_are_not_judged(keep: Keep, shipped: Scrubber) -> None:
    """Changed after the batch was cut; a batch with a damaged result and a damaged upload fails instead of guessing."""
    on, _ = done(keep, shipped)
    rewrite(keep, "upload", renumber)
    rewrite(keep, "result", accept_all)
    with pytest.raises(DamagedResult):
        read(keep())
    work_off(on)
    ended = on.job_store.batch("b1")
    assert ended is not None
    assert ended.state == "failed"
    assert "no longer what was sent" in str(ended.why)
    assert read(keep()) == b""


def test_a_batch_that_fails_so_holds_up_no_other(keep: Keep, shipped: Scrubber) -> None:
    on = context(keep(), shipped)
    submit(on, ndjson(3))
    rewrite(keep, "upload", None)
    submit(replace(on), ndjson(3), "b2")
    work_off(on)
    assert [batch.state for batch in on.job_store.batches(2)] == ["done", "failed"]


def test_a_full_disk_is_told_while_it_lasts(keep: Keep) -> None:
    kept = keep()
    assert kept.stalled_reason() is None
    kept.job_store.report_stalled("one", "there is no room for the batch")
    assert keep().stalled_reason() == "there is no room for the batch"
    kept.job_store.go_on("one")
    assert keep().stalled_reason() is None
    short = keep(lease_seconds=0.01)
    short.job_store.report_stalled("two", "there is no room for the batch")
    assert until(lambda: keep().stalled_reason() is None)
