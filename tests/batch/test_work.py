"""A batch from submission to results: each row exactly one result, whatever happens to the workers."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest

from scrubber.batch.model import ROWS_A_CHUNK
from scrubber.batch.results import ResultFilter, lines
from scrubber.batch.scrub_chunk import FATAL_DEATHS, merged
from scrubber.batch.work import MOST_TRIES, remove_batch, work
from scrubber.batch.worker_pool import Worker, do_chunk
from scrubber.claim.model import Claim
from scrubber.errors import StorageFull, StoreUnavailable
from scrubber.findings import ScrubResult
from scrubber.scrub import Receipt, Scrubber, scrub_bytes
from tests.support.batches import NOW, RECEIVED, Keep, claims, context, ndjson, result_bytes, results, submit, work_off
from tests.support.claims import office_claim, tbs_claim
from tests.support.waiting import until

MANY = ROWS_A_CHUNK + 20


def test_results_are_the_answers_in_the_order_of_the_rows(keep: Keep, shipped: Scrubber) -> None:
    on = context(keep(), shipped)
    rows = list(claims(MANY))
    submit(on, b"\n".join(rows))
    work_off(on)
    found = result_bytes(on).splitlines()
    assert len(found) == MANY
    for number, (row, told) in enumerate(zip(rows, found, strict=True), 1):
        answer = scrub_bytes(row, shipped, Receipt(RECEIVED)).content
        assert told == b'{"row":%d,"claimNumber":"CLAIM-%05d","answer":%b}' % (number, number - 1, answer)
    batch = on.job_store.batch("b1")
    assert batch is not None
    assert (batch.state, batch.rows) == ("done", MANY)


@pytest.mark.parametrize("gzipped", [False, True])
@pytest.mark.parametrize("form", ["ndjson", "json"])
def test_every_form_of_upload_gives_the_same_results(keep: Keep, shipped: Scrubber, form: str, gzipped: bool) -> None:
    on = context(keep(), shipped)
    submit(on, ndjson(30), "plain")
    data = ndjson(30) if form == "ndjson" else b"[" + b",\n".join(claims(30)) + b"]"
    submit(on, gzip.compress(data) if gzipped else data, "other", format=form, gzipped=gzipped)
    work_off(on)
    assert result_bytes(on, "other") == result_bytes(on, "plain")


def test_a_row_that_is_no_claim_is_rejected_and_the_rest_go_on(keep: Keep, shipped: Scrubber) -> None:
    good = next(iter(claims(1)))
    on = context(keep(), shipped, most_row_bytes=50_000)
    submit(
        on, b"\n".join([good, b"CANARY", b'{"claimInformation":{"serviceLines":"CANARY"}}', b"", b"9" * 60_000, good])
    )
    work_off(on)
    told = results(on)
    assert [row["row"] for row in told] == [1, 2, 3, 5, 6]
    assert ["rejected" in row for row in told] == [False, True, True, True, False]
    assert [row["rejected"]["title"] for row in told[1:4]] == [
        "The row is not JSON",
        "The row is not a claim",
        "The row is larger than a claim may be",
    ]
    assert told[2]["rejected"]["errors"][0]["pointer"] == "/claimInformation/serviceLines"
    assert b"CANARY" not in result_bytes(on)
    tally = on.job_store.progress("b1").tally
    assert (tally.rows, tally.rejected) == (5, 3)


def test_a_worker_that_unpacks_shows_that_it_lives(keep: Keep, shipped: Scrubber) -> None:
    signs: list[int] = []
    on = context(keep(), shipped, alive=lambda: signs.append(1), lease_seconds=0.0)
    submit(on, gzip.compress(b"[" + b" " * 20_000_000 + b"1]"), format="json", gzipped=True)
    lease = on.job_store.take("test")
    assert lease is not None
    assert work(lease, on)
    assert len(signs) >= 20  # one a megabyte; packed it is one piece


@pytest.mark.parametrize(("data", "form"), [(b"\n\n", "ndjson"), (b"[" + b" " * 200_000 + b"]", "json")])
def test_a_batch_without_a_claim_fails_and_says_so(keep: Keep, shipped: Scrubber, data: bytes, form: str) -> None:
    """It is refused when it is sent; one that was taken by an earlier version is not done with nothing in it."""
    on = context(keep(), shipped)
    submit(on, data, format=form)
    work_off(on)
    batch = on.job_store.batch("b1")
    assert batch is not None
    assert (batch.state, batch.why, results(on)) == ("failed", "the upload holds no claims", [])


def test_an_upload_that_cannot_be_cut_fails_and_says_why(keep: Keep, shipped: Scrubber) -> None:
    on = context(keep(), shipped)
    submit(on, b'[{"a": "CANARY', format="json")
    work_off(on)
    batch = on.job_store.batch("b1")
    assert batch is not None
    assert (batch.state, batch.why) == ("failed", "the upload ends within its array, in element 1")


def test_two_workers_on_one_chunk_give_one_result(keep: Keep, shipped: Scrubber) -> None:
    slow = context(keep(), shipped)
    hasty = context(keep(), shipped)
    submit(slow, ndjson(5))
    cut = slow.job_store.take("slow")
    assert cut is not None
    assert work(cut, slow)
    first = slow.job_store.take("slow")
    assert first is not None
    slow.job_store.release("slow")  # taken for dead, and it is not
    second = hasty.job_store.take("hasty")
    assert second is not None
    assert second.chunk == first.chunk
    assert work(second, hasty)
    assert not work(first, slow)
    assert len(results(slow)) == 5
    with pytest.raises(StoreUnavailable):
        slow.file_store.result("b1", 0, first.token)


def test_a_lease_that_ran_out_goes_to_another(keep: Keep, shipped: Scrubber) -> None:
    on, hasty = context(keep(), shipped), context(keep(0.01), shipped)
    submit(on, ndjson(1))
    taken = on.job_store.take("one")
    assert taken is not None
    assert on.job_store.take("two") is None
    assert hasty.job_store.renew(taken, None)
    again = until(lambda: on.job_store.take("two"))
    assert again is not None
    assert (again.chunk, again.tries) == (taken.chunk, 2)
    assert not on.job_store.renew(taken, None)


def test_a_row_that_ends_its_workers_is_isolated(keep: Keep, shipped: Scrubber) -> None:
    poison = 7

    class Killed(BaseException):
        """Stands for a worker that is killed."""

    def scrub(claim: Claim, *rest: Any) -> ScrubResult:
        if claim.patient_control_number == f"CLAIM-{poison:05}":
            raise Killed
        return shipped.scrub(claim, *rest)

    class Deadly:
        rulebook, reference = shipped.rulebook, shipped.reference

        def scrub(self, *rest: Any) -> ScrubResult:
            return scrub(*rest)

    on = context(keep(), Deadly())
    submit(on, ndjson(20))
    killed = 0
    while lease := on.job_store.take("worker"):
        try:
            work(lease, on)
        except Killed:
            killed += 1
            on.job_store.release("worker")
    assert killed == FATAL_DEATHS + 1  # the first time nobody knew at which row
    told = results(on)
    assert [row["row"] for row in told if "rejected" in row] == [poison + 1]
    assert len(told) == 20


def test_a_disk_that_is_full_for_long_condemns_no_row(
    keep: Keep, shipped: Scrubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scrubber.batch.worker_pool.RETRY_SECONDS", 0)
    on = context(keep(), shipped)
    submit(on, ndjson(3))
    left = [MOST_TRIES + FATAL_DEATHS]

    class Full:
        """The same file store, which has no room for results for a while."""

        def keep_result(self, *told: Any) -> None:
            left[0] -= 1
            if left[0] > 0:
                raise StorageFull("full")
            on.file_store.keep_result(*told)

        def __getattr__(self, name: str) -> Any:
            return getattr(on.file_store, name)

    said: list[str] = []
    worker = Worker("one", 0, lambda: on, lambda event, told: said.append(event))
    for _ in range(MOST_TRIES * 2):
        worker.try_next(do_chunk, replace(on, file_store=Full()))
    assert said == ["batches stand still", "batches go on"]
    assert [row["row"] for row in results(on) if "answer" in row] == [1, 2, 3]


def test_a_batch_that_is_deleted_under_a_worker_is_no_fault(keep: Keep, shipped: Scrubber) -> None:
    on = context(keep(), shipped)
    submit(on, ndjson(3))
    cut = on.job_store.take("one")
    assert cut is not None
    assert work(cut, on)
    lease = on.job_store.take("one")
    assert lease is not None

    def deleting() -> Scrubber:
        remove_batch("b1", on.job_store, on.file_store)
        return shipped

    assert not work(lease, replace(on, scrubber=deleting))
    assert on.job_store.take("one") is None


def test_workers_that_die_at_different_rows_condemn_none(keep: Keep, shipped: Scrubber) -> None:
    on = context(keep(), shipped)
    submit(on, ndjson(10))
    cut = on.job_store.take("worker")
    assert cut is not None
    work(cut, on)
    for row in range(1, 9):
        lease = on.job_store.take("worker")
        assert lease is not None
        on.job_store.renew(lease, row)
        on.job_store.release("worker")
    work_off(on)
    assert not [row for row in results(on) if "rejected" in row]


def test_a_failure_of_ours_is_told_without_the_claim(keep: Keep, shipped: Scrubber) -> None:
    class Broken:
        rulebook, reference = shipped.rulebook, shipped.reference

        def scrub(self, *_: Any) -> ScrubResult:
            raise ValueError("CANARY")

    on = context(keep(), Broken())
    submit(on, ndjson(2))
    work_off(on)
    assert [row["rejected"]["error"] for row in results(on)] == ["ValueError", "ValueError"]
    assert b"CANARY" not in result_bytes(on)


def test_too_many_rejected_rows_end_the_batch(keep: Keep, shipped: Scrubber) -> None:
    on = context(keep(), shipped)
    submit(on, b"junk\n" * (ROWS_A_CHUNK + 1), most_rejected=Decimal("0.1"))
    work_off(on)
    batch = on.job_store.batch("b1")
    assert batch is not None
    assert batch.state == "failed"
    assert batch.why is not None
    assert batch.why.startswith(f"{ROWS_A_CHUNK} of {ROWS_A_CHUNK + 1} rows were rejected")
    assert len(results(on)) == ROWS_A_CHUNK


@pytest.mark.parametrize(
    ("data", "state"),
    [
        (b"junk\n", "failed"),
        (ndjson(8) + b"junk\n" * 2, "failed"),
        (b"junk\n" + ndjson(9), "done"),
        (b"junk\n" * 51 + ndjson(ROWS_A_CHUNK), "done"),
        (ndjson(ROWS_A_CHUNK) + b"junk\n" * 56, "failed"),
    ],
)
def test_the_share_of_rejected_rows_is_that_of_the_whole_batch(
    keep: Keep, shipped: Scrubber, data: bytes, state: str
) -> None:
    on = context(keep(), shipped)
    submit(on, data, most_rejected=Decimal("0.1"))
    work_off(on)
    batch = on.job_store.batch("b1")
    assert batch is not None
    assert (batch.state, batch.ended) == (state, NOW)
    assert len(results(on)) == data.count(b"\n")


def test_blank_lines_are_counted_and_are_no_rows(keep: Keep, shipped: Scrubber) -> None:
    on = context(keep(), shipped)
    count = ROWS_A_CHUNK + 20
    submit(on, b"\n" + ndjson(count).replace(b"\n", b"\r\n\r\n \n"))
    assert work_off(on) == 3  # cut, and two chunks
    assert [row["row"] for row in results(on)] == [2 + 3 * place for place in range(count)]
    every = result_bytes(on).splitlines(keepends=True)
    for after in (0, 1, 2, 3, 4, 5, 3 * ROWS_A_CHUNK, 3 * ROWS_A_CHUNK + 1, 3 * ROWS_A_CHUNK + 2, 3 * count, 10**8):
        read = b"".join(lines(keep(), "b1", ResultFilter(after)))
        assert read == b"".join(line for line in every if orjson.loads(line)["row"] > after)


def test_a_cancelled_batch_stops_within_a_chunk_and_keeps_what_is_done(keep: Keep, shipped: Scrubber) -> None:
    on = context(keep(), shipped)
    submit(on, ndjson(ROWS_A_CHUNK + 1))
    for _ in range(2):
        lease = on.job_store.take("one")
        assert lease is not None
        assert work(lease, on)
    under_way = on.job_store.take("one")
    assert under_way is not None
    on.job_store.cancel("b1", NOW)
    assert not work(under_way, on)
    assert on.job_store.take("one") is None
    assert len(results(on)) == ROWS_A_CHUNK


def test_higher_priority_goes_first(keep: Keep, shipped: Scrubber) -> None:
    on = context(keep(), shipped)
    submit(on, ndjson(1), "a")
    submit(on, ndjson(1), "b", priority=5)
    lease = on.job_store.take("one")
    assert lease is not None
    assert lease.batch.id == "b"


def test_switches_and_the_received_on_date_of_a_batch_hold_for_its_rows(keep: Keep, shipped: Scrubber) -> None:
    on = context(keep(), shipped)
    submit(on, ndjson(1), disable=("cms-ncci-ptp-column-two",))
    work_off(on)
    answer = results(on)[0]["answer"]
    assert answer["switched"]["disable"] == ["cms-ncci-ptp-column-two"]
    assert "cms-ncci-ptp-column-two" not in [finding["rule"]["id"] for finding in answer["findings"]]


def test_nothing_stays_of_a_batch_that_is_removed(keep: Keep, shipped: Scrubber) -> None:
    on = context(keep(), shipped)
    data = ndjson(3).replace(b"CLAIM-", b"CANARY")
    submit(on, data)
    work_off(on)
    assert keep.holds(b"CANARY")
    remove_batch("b1", on.job_store, on.file_store)
    assert not keep.holds(b"CANARY")
    assert not list(on.file_store.untouched(NOW + timedelta(days=365_000)))
    assert on.job_store.batch("b1") is None


def test_the_summary_adds_up(keep: Keep, shipped: Scrubber) -> None:
    on = context(keep(), shipped)
    submit(on, ndjson(MANY))
    work_off(on)
    summary = merged(on.job_store.summaries("b1"))
    tally = on.job_store.progress("b1").tally
    assert sum(claims for claims, _, _ in summary["payers"].values()) == MANY
    assert sum(cents for _, _, cents in summary["payers"].values()) == tally.at_risk.scaleb(2)
    found: dict[str, int] = {}
    for row in results(on):
        for finding in row["answer"]["findings"]:
            found[finding["rule"]["id"]] = found.get(finding["rule"]["id"], 0) + 1
    assert {rule: findings for rule, (_, findings, _) in summary["rules"].items()} == found


def test_dollars_by_rule_are_those_of_its_findings(keep: Keep, shipped: Scrubber) -> None:
    """Of a rule whose finding stands on one line and stops the whole claim, too."""
    claim = tbs_claim()
    claim["claimInformation"]["serviceLines"].append(office_claim()["claimInformation"]["serviceLines"][0])
    claim["claimInformation"]["serviceLines"][1]["professionalService"]["lineItemChargeAmount"] = "100.005"
    on = context(keep(), shipped)
    submit(on, orjson.dumps(claim))
    work_off(on)
    [row] = results(on)
    found = {finding["rule"]["id"]: finding["impact"]["atRisk"] for finding in row["answer"]["findings"]}
    assert found["x12-837p-fraction-of-cents"] == row["answer"]["impact"]["atRisk"] != "0.00"
    summary = merged(on.job_store.summaries("b1"))["rules"]
    assert {rule: f"{cents / 100:.2f}" for rule, (_, _, cents) in summary.items()} == found


def test_work_goes_on_in_a_ledger_that_another_process_opened(keep: Keep, shipped: Scrubber) -> None:
    one, other = context(keep(), shipped), context(keep(), shipped)
    submit(one, ndjson(4))
    work_off(other)
    assert len(results(one)) == 4


def test_a_batch_that_is_running_can_be_read_to_its_first_gap(keep: Keep, shipped: Scrubber) -> None:
    on = context(keep(), shipped)
    submit(on, ndjson(2 * ROWS_A_CHUNK + 1))
    cut = on.job_store.take("one")
    assert cut is not None
    work(cut, on)
    first, second = on.job_store.take("one"), on.job_store.take("two")
    assert first is not None
    assert second is not None
    work(second, on)
    assert results(on) == []
    work(first, on)
    assert [row["row"] for row in results(on)] == list(range(1, 2 * ROWS_A_CHUNK + 1))
    assert [each.chunk.number for each in on.job_store.done("b1", ROWS_A_CHUNK + 1)] == [1]
