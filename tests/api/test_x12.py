"""An X12 file with one claim, posted where a claim in JSON may be."""

from __future__ import annotations

import gzip
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from scrubber.app import create_app
from scrubber.config import Settings
from scrubber.scrub import Scrubber
from tests.support.batches import context, results, work_off
from tests.support.claims import office_claim
from tests.support.pyx12_map import complaints
from tests.support.responses import json_of
from tests.support.service import ROOT
from tests.support.x12 import BODY, CANARY, context_line, envelope

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


CONTEXT = context_line("CLAIM-1", {"receivedOn": "20260920"})


@pytest.mark.parametrize("order", [("claims", "context"), ("context", "claims")])
def test_a_context_may_come_beside_the_claim(client: FlaskClient, order: tuple[str, str]) -> None:
    contents = {"claims": ONE_CLAIM, "context": CONTEXT}
    sent = {name: (BytesIO(contents[name]), name) for name in order}
    answer = client.post(SCRUB, data=sent, content_type="multipart/form-data")
    assert json_of(answer)["receivedOn"] == "20260920", answer.text
    assert client.post("/v1/claims/explain", data=in_parts(CONTEXT, ONE_CLAIM)).status_code == 200


def in_parts(context: bytes, claims: bytes, **more: bytes) -> dict[str, tuple[BytesIO, str]]:
    parts = {"context": context, "claims": claims, **more}
    return {name: (BytesIO(data), name) for name, data in parts.items()}


@pytest.mark.parametrize(
    ("parts", "status", "words"),
    [
        (in_parts(CONTEXT, ONE_CLAIM, other=b""), 400, "Send the parts `context`"),
        ({"claims": (BytesIO(ONE_CLAIM), "claims")}, 400, "Send the parts `context`"),
        (in_parts(CONTEXT, b'{"controlNumber": "%b"}' % CANARY.encode()), 400, "JSON, not X12"),
        (in_parts(CANARY.encode(), ONE_CLAIM), 400, "Line 1 of the context must be"),
        (in_parts(context_line(CANARY, {}), ONE_CLAIM), 400, "Line 1 of the context is for no claim"),
        (in_parts(context_line("CLAIM-1", {"abn": CANARY}), ONE_CLAIM), 422, "/scrubContext/abn"),
    ],
)
def test_parts_that_do_not_fit_are_refused_with_why(
    client: FlaskClient, parts: dict[str, tuple[BytesIO, str]], status: int, words: str
) -> None:
    for path in (SCRUB, "/v1/batches"):
        copies = {name: (BytesIO(content.getvalue()), file) for name, (content, file) in parts.items()}
        answer = client.post(path, data=copies, content_type="multipart/form-data")
        if path == SCRUB:
            assert (answer.status_code, words in answer.text) == (status, True), answer.text
        assert answer.status_code in (status, 202)
        assert CANARY not in answer.text


def test_a_body_in_parts_may_be_anything(client: FlaskClient) -> None:
    head = "multipart/form-data; boundary=b"
    part = b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
    sound = part % (b"context", CONTEXT) + part % (b"claims", ONE_CLAIM) + b"--b--\r\n"
    assert client.post(SCRUB, data=sound, content_type=head).status_code == 200
    for path in (SCRUB, "/v1/batches"):
        for end in range(0, len(sound) - 5, 97):
            assert client.post(path, data=sound[:end], content_type=head).status_code == 400, end
        for content_type in (
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=é",
        ):
            assert client.post(path, data=sound, content_type=content_type).status_code in (400, 415)
        packed = {"Content-Encoding": "gzip"}
        assert client.post(path, data=gzip.compress(sound), content_type=head, headers=packed).status_code == 415
    late = part % (b"claims", ONE_CLAIM) + part % (b"context", CONTEXT) + b"--b--\r\n"
    assert "before the part `claims`" in client.post("/v1/batches", data=late, content_type=head).text


def test_a_batch_of_x12_is_scrubbed_with_the_contexts_beside_it(
    client: FlaskClient, tmp_path: Path, shipped: Scrubber
) -> None:
    lines = b"\n".join((CONTEXT, context_line("CLAIM-2", {"receivedOn": "20260921"}), context_line(CANARY, {})))
    sent = client.post("/v1/batches?receivedOn=20260930", data=in_parts(lines, envelope()))
    assert sent.status_code == 202, sent.text
    on = context(tmp_path / "state", shipped)
    work_off(on)
    first, second, last = results(on, json_of(sent)["id"])
    assert [row["answer"]["receivedOn"] for row in (first, second)] == ["20260920", "20260921"]
    assert last["rejected"]["errors"][0]["detail"] == "the file: line 3 of the context is for no claim of the file"


@pytest.mark.parametrize(("view", "kind", "words"), [("999", "FA", "IK5*E*5"), ("277ca", "HN", "TRN*2*CLAIM-1")])
def test_it_is_acknowledged_as_x12(client: FlaskClient, view: str, kind: str, words: str) -> None:
    twice = BODY.partition("\nHL*3*2*23")[0].replace("REF*G1*AUTH0001", "REF*G1*AUTH0001\nREF*G1*AUTH0002")
    data = envelope(twice)
    answer = client.post(f"{SCRUB}?view={view}&receivedOn=20260920", data=data, content_type=X12)
    assert (answer.status_code, answer.content_type) == (200, X12)
    assert f"GS*{kind}*RECEIVER*SENDER*" in answer.text
    assert words in answer.text
    assert complaints(answer.text) == []


def test_an_acknowledgment_has_the_status_of_a_rule_that_denies(client: FlaskClient) -> None:
    data = ONE_CLAIM.replace(b"SV1*HC:J0897*200.00*UN*60***1:2", b"SV1*HC:J0897*200.00*UN*60***9")
    own = json_of(client.post(f"{SCRUB}?receivedOn=20260920", data=data, content_type=X12))
    denials = [each for each in own["findings"] if each["severity"] == "deny" and each["lines"] == [1]]
    statuses = [each["claimStatus"] for each in denials if each["claimStatus"]]
    answer = client.post(f"{SCRUB}?view=277ca&receivedOn=20260920", data=data, content_type=X12).text
    assert statuses
    for status in statuses:
        assert f"*{status['category']}:{status['code']}" in answer
    assert "*U*250.00" in answer
    assert complaints(answer) == []


@pytest.mark.parametrize("view", ["999", "277ca"])
def test_a_claim_in_json_has_no_acknowledgment(client: FlaskClient, view: str) -> None:
    answer = client.post(f"{SCRUB}?view={view}", json=office_claim())
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert "only for a claim sent as X12" in answer.text


def test_an_acknowledgment_includes_nothing_else(client: FlaskClient) -> None:
    answer = client.post(f"{SCRUB}?view=999&include=checks", data=ONE_CLAIM, content_type=X12)
    assert answer.status_code == 400
