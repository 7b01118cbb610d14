"""An X12 file with one claim, posted where a claim in JSON may be."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from scrubber.app import create_app
from scrubber.config import Settings
from scrubber.scrub import Scrubber
from tests.support.responses import json_of
from tests.support.service import ROOT
from tests.support.x12 import BODY, CANARY, envelope

X12 = "application/edi-x12"
ONE_CLAIM = envelope(BODY.partition("\nHL*3*2*23")[0])
SCRUB = "/v1/claims/scrub"


@pytest.fixture
def client(tmp_path: Path, shipped: Scrubber) -> FlaskClient:
    settings = Settings("127.0.0.1", 0, ROOT / "rules", None, 1, 1, 10_000_000, state=tmp_path / "state")
    return create_app(settings, shipped).test_client()


@pytest.mark.parametrize("media_type", [X12, "application/json"])
def test_its_findings_say_where_in_the_file_they_are(client: FlaskClient, media_type: str) -> None:
    answer = json_of(client.post(f"{SCRUB}?receivedOn=20260920", data=ONE_CLAIM, content_type=media_type))
    finding = next(each for each in answer["findings"] if each["rule"]["id"] == "x12-837p-member-id-format")
    assert finding["pointer"] is None
    number = 1 + ONE_CLAIM.decode().split("~\n").index("NM1*IL*1*TESTER*CASEY****MI*SYN00000001")
    assert finding["x12"] == {"loop": "2010BA", "element": "NM109", "segment": number}


def test_it_may_be_packed(client: FlaskClient) -> None:
    packed = client.post(SCRUB, data=gzip.compress(ONE_CLAIM), content_type=X12, headers={"Content-Encoding": "gzip"})
    assert packed.status_code == 200


@pytest.mark.parametrize("include", ["checks", "shadow", "settledBy"])
def test_parts_of_the_answer_may_be_asked_for(client: FlaskClient, include: str) -> None:
    answer = client.post(f"{SCRUB}?include={include}", data=ONE_CLAIM, content_type=X12)
    assert answer.status_code == 200
    assert {finding["pointer"] for finding in json_of(answer)["findings"]} == {None}


@pytest.mark.parametrize("path", ["/v1/claims/scrub?view=clearinghouse", "/v1/claims/explain"])
def test_other_answers_are_given_as_well(client: FlaskClient, path: str) -> None:
    assert client.post(path, data=ONE_CLAIM, content_type=X12).status_code == 200


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (envelope(), 422, "more than one claim"),
        (ONE_CLAIM.replace(b"005010X222A1", b"005010X221A1"), 400, "837 of an unknown guide"),
        (b"ISA*00*" + CANARY.encode(), 400, "ISA"),
        (f"{CANARY},a,b\n{CANARY},c,d\n".encode(), 400, "CSV"),
        (b'{"controlNumber": "%b"}' % CANARY.encode(), 400, "JSON"),
        (b"", 400, "ISA"),
    ],
)
def test_what_is_no_file_with_one_claim_is_refused_with_why(
    client: FlaskClient, data: bytes, status: int, words: str
) -> None:
    answer = client.post(SCRUB, data=data, content_type=X12)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert words in answer.text, answer.text
    assert CANARY not in answer.text
