"""A batch is finished with the rules and reference data that it was begun with; its status names what made it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from scrubber.batch.model import ROWS_A_CHUNK
from scrubber.batch.pinned import PinnedScrubbers, versions_of
from scrubber.batch.status import BatchStatus, write_batch_read
from scrubber.batch.work import WorkContext, work
from scrubber.rulebook.history import archive
from scrubber.scrub import Scrubber, open_scrubber
from tests.support.batches import NOW, Keep, context, result_bytes, results, submit, work_off
from tests.support.claims import tbs_claim
from tests.support.service import write_rules

CHUNKS = 2


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return write_rules(tmp_path / "rules", ("sample-denied", "deny", "77092"))


def claims() -> bytes:
    """As many as make two chunks, each of which the sample rule denies."""
    claim = tbs_claim()
    claim["claimInformation"]["serviceLines"][0]["professionalService"]["procedureCode"] = "77092"
    return (orjson.dumps(claim) + b"\n") * (ROWS_A_CHUNK + 1)


def begun(keep: Keep, before: Scrubber) -> WorkContext:
    """A batch whose first chunk is done."""
    on = context(keep(), before)
    submit(on, claims())
    for _ in range(2):  # cut, and one chunk
        lease = on.job_store.take("one")
        assert lease is not None
        assert work(lease, on)
    return on


def fired(row: Any) -> list[str]:
    return [
        finding["rule"]["id"] for finding in row["answer"]["findings"] if finding["rule"]["id"].startswith("sample")
    ]


def kept_scrubbers(state: Path, missing: list[str]) -> PinnedScrubbers:
    return PinnedScrubbers(None, state, 183, missing.append)


def test_new_rules_do_not_reach_a_batch_that_was_begun(keep: Keep, rules: Path, tmp_path: Path) -> None:
    before = open_scrubber(rules, None)
    archive(rules, before.rulebook.digest, tmp_path / "state")
    undisturbed = context(keep(), before)
    submit(undisturbed, claims(), "b0")
    work_off(undisturbed)
    on = begun(keep, before)
    write_rules(rules, ("sample-other", "warn", "77092"))
    after = open_scrubber(rules, None)
    assert after.rulebook.digest != before.rulebook.digest
    missing: list[str] = []
    work_off(replace(on, scrubber=lambda: after, pinned=kept_scrubbers(tmp_path / "state", missing)))
    assert missing == []
    assert fired(results(on)[-1]) == ["sample-denied"]
    assert result_bytes(on, "b1") == result_bytes(on, "b0")
    [made] = on.job_store.versions("b1")
    assert made == versions_of(before).in_short()


def test_a_batch_whose_rules_are_gone_goes_on_and_its_status_names_both(
    keep: Keep, rules: Path, tmp_path: Path
) -> None:
    before = open_scrubber(rules, None)
    on = begun(keep, before)
    write_rules(rules, ("sample-other", "warn", "77092"))
    after = open_scrubber(rules, None)
    missing: list[str] = []
    work_off(replace(on, scrubber=lambda: after, pinned=kept_scrubbers(tmp_path / "state", missing)))
    assert len(missing) == 1
    batch = on.job_store.batch("b1")
    assert batch is not None
    assert batch.state == "done"
    store = on.job_store
    told = write_batch_read(BatchStatus(batch, store.progress("b1"), store.versions("b1"), None, NOW))
    assert [each["rulebook"] for each in told["versions"]] == [before.rulebook.digest, after.rulebook.digest]
    assert told["begunWith"]["rulebook"] == before.rulebook.digest
    named = {(each["table"], each["release"], each["sha256"]) for each in told["releases"]}
    assert named == {(each.table, each.name, each.sha256) for each in before.reference.releases()}


def test_an_upgraded_program_finishes_it_and_versions_names_both(
    keep: Keep, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scrubber = open_scrubber(rules, None)
    on = begun(keep, scrubber)
    monkeypatch.setattr("scrubber.batch.pinned.__version__", "999.0")
    work_off(on)
    versions = on.job_store.versions("b1")
    assert [each.program for each in versions][1:] == ["999.0"]
    assert len({each.program for each in versions}) == 2
    assert len({each.rulebook for each in versions}) == 1


def test_a_rule_that_a_sender_left_out_is_left_out_to_the_end(keep: Keep, rules: Path, tmp_path: Path) -> None:
    """Also where new rules do not have it any more."""
    before = open_scrubber(rules, None)
    archive(rules, before.rulebook.digest, tmp_path / "state")
    on = context(keep(), before)
    submit(on, claims(), disable=("sample-denied",))
    lease = on.job_store.take("one")
    assert lease is not None
    assert work(lease, on)
    (rules / "sample" / "lines" / "sample-denied.yaml").unlink()
    (rules / "sample" / "lines" / "sample-denied.test.yaml").unlink()
    write_rules(rules, ("sample-other", "warn", "77092"))
    after = open_scrubber(rules, None)
    work_off(replace(on, scrubber=lambda: after, pinned=kept_scrubbers(tmp_path / "state", [])))
    ended = on.job_store.batch("b1")
    assert ended is not None
    assert ended.state == "done"
    assert fired(results(on)[0]) == []
