"""The clearinghouse view can be read by what reads a v3 /validation answer today."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from scrubber.claim.model import Claim, Context, Person, Provider
from scrubber.response import VIEWS
from scrubber.response.clearinghouse import document
from tests.support import results

CLAIM = Claim(
    control_number="000000001", payer_id="SAMPLE", payer_name="Sample Payer", filing_indicator="MB",
    subscriber=Person("/subscriber"), patient=Person("/subscriber"), billing=Provider("/billing"),
    rendering=None, ordering=None, referring=None, supervising=None, facility=None,
    patient_control_number="PCN-1", total=None, place=None, frequency=None,
    original_claim_number=None, texts={}, diagnoses=(), lines=(), context=Context(),
)  # fmt: skip


def scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from scalars(item)
    else:
        yield value


def test_a_denial_is_an_error_and_the_rest_may_be_overridden() -> None:
    warn = results.finding(results.rule("sample-warn", severity="warn"))
    info = results.finding(results.rule("sample-info", severity="info"))
    answer = document(CLAIM, results.result(findings=(results.finding(), warn, info)))
    assert (answer["status"], answer["editStatus"]) == ("ERROR", "ERROR")
    (error,) = answer["errors"]
    assert error["code"] == "sample-pair"
    assert error["followupAction"] == "Bill one of the two."
    assert error["value"] == ""
    edits = answer["editResponses"]
    assert [edit["editName"] for edit in edits] == ["sample-warn", "sample-info"]
    assert {edit["allowOverride"] for edit in edits} == {"Y"}
    assert {edit["badData"] for edit in edits} == {""}
    assert (edits[0]["loop"], edits[0]["segment"], edits[0]["element"]) == ("2400", "SV1", "SV101-2")


def test_the_senders_own_references_come_back() -> None:
    answer = document(CLAIM, results.clean())
    assert (answer["status"], answer["errors"], answer["editResponses"]) == ("SUCCESS", [], [])
    assert answer["controlNumber"] == "000000001"
    assert answer["tradingPartnerServiceId"] == "SAMPLE"
    assert answer["claimReference"]["customerClaimNumber"] == "000000001"
    assert answer["claimReference"]["patientControlNumber"] == "PCN-1"


def test_every_value_is_a_text_and_the_bytes_are_the_same_each_time() -> None:
    view = VIEWS["clearinghouse"].write
    answer = view(CLAIM, results.result())
    assert all(isinstance(value, str) for value in scalars(orjson.loads(answer)))
    assert answer == view(CLAIM, results.result())
