"""The whole path, from bytes to bytes."""

from __future__ import annotations

from datetime import date

import orjson
import pytest

from scrubber.errors import NotAClaim, NotJson
from scrubber.response import VIEWS, including
from scrubber.scrub import Receipt, Scrubber, scrub_bytes
from tests.support.claims import tbs_claim

STATED, SAID, OTHERWISE = date(2026, 3, 3), date(2026, 2, 2), date(2026, 1, 1)


def sent(received_on: date | None) -> bytes:
    body = tbs_claim()
    body["scrubContext"].pop("receivedOn", None)
    if received_on:
        body["scrubContext"]["receivedOn"] = f"{received_on:%Y%m%d}"
    return orjson.dumps(body)


@pytest.mark.parametrize(
    ("said", "stated", "expected"),
    [(None, None, OTHERWISE), (SAID, None, SAID), (SAID, STATED, STATED), (None, STATED, STATED)],
)
def test_the_day_of_receipt_is_what_the_caller_states_else_what_the_claim_says(
    shipped: Scrubber, said: date | None, stated: date | None, expected: date
) -> None:
    answered = scrub_bytes(sent(said), shipped, Receipt(OTHERWISE, stated))
    assert answered.result.received_on == expected
    assert orjson.loads(answered.content)["receivedOn"] == f"{expected:%Y%m%d}"


def test_one_path_gives_every_view_of_the_same_result(shipped: Scrubber) -> None:
    data, receipt = sent(SAID), Receipt(OTHERWISE)
    own = scrub_bytes(data, shipped, receipt)
    clearinghouse = scrub_bytes(data, shipped, receipt, view=VIEWS["clearinghouse"])
    assert clearinghouse.result == own.result
    assert "editStatus" in orjson.loads(clearinghouse.content)
    assert orjson.loads(own.content)["disposition"] == own.result.disposition


def test_only_a_view_that_lists_checks_has_them_made_by_name(shipped: Scrubber) -> None:
    data, receipt = sent(SAID), Receipt(OTHERWISE)
    assert scrub_bytes(data, shipped, receipt).result.every_check is None
    listed = scrub_bytes(data, shipped, receipt, view=including(["checks"]))
    assert listed.result.every_check
    assert all("list" in stage for stage in orjson.loads(listed.content)["checks"].values())


def test_bytes_that_are_no_claim_are_refused(shipped: Scrubber) -> None:
    with pytest.raises(NotJson):
        scrub_bytes(b"{", shipped, Receipt(OTHERWISE))
    with pytest.raises(NotAClaim):
        scrub_bytes(b"{}", shipped, Receipt(OTHERWISE))
