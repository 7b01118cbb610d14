"""Around every answer: packed when asked for, stored by nobody where it may hold a claim, known by the sender's ids."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from scrubber.app import create_app
from scrubber.config import Settings
from scrubber.scrub import Scrubber
from tests.support.batches import context, ndjson, work_off
from tests.support.claims import office_claim, tbs_claim
from tests.support.service import JSON, ROOT, Service, running, write_rules
from tests.support.waiting import until

SCRUB, EXPLAIN, BATCHES = "/v1/claims/scrub", "/v1/claims/explain", "/v1/batches"
CLAIM = orjson.dumps(tbs_claim())
GZIP = {"Accept-Encoding": "gzip"}
NEW_ID = re.compile(r"[0-9a-f]{16}")
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def app(state: Path) -> Flask:
    return create_app(Settings("127.0.0.1", 0, ROOT / "rules", None, 1, 2, 10_000_000, state=state))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="module")
def results(app: Flask, state: Path, shipped: Scrubber) -> str:
    """The address of the results of a batch that is done."""
    sent = app.test_client().post(BATCHES, data=ndjson(30), content_type="application/x-ndjson")
    work_off(context(state, shipped))
    return f"{sent.headers['Location']}/results"


def post(client: FlaskClient, route: str = SCRUB, body: bytes = CLAIM, **headers: str) -> Any:
    sent = {name.replace("_", "-"): told for name, told in headers.items()}
    return client.post(route, data=body, headers=JSON | sent)


def read(answer: Any) -> Any:
    """The answer, sent to its end: until then it takes the place of another download."""
    assert answer.data
    return answer


# Packed answers


def test_what_is_unpacked_is_the_plain_answer_byte_for_byte(client: FlaskClient, results: str) -> None:
    plain = post(client)
    packed = post(client, Accept_Encoding="gzip, deflate, br")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert (gzip.decompress(packed.data), plain.headers.get("Content-Encoding")) == (plain.data, None)
    assert packed.data == post(client, Accept_Encoding="gzip").data
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 2
    for address in ("/v1/rules", "/openapi.json", "/docs/swagger-ui.css", results, f"{results}?format=csv"):
        answer = client.get(address, headers=GZIP)
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(answer.data) == client.get(address).data, address
        assert "Accept-Encoding" in answer.vary


@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [
        ("gzip", True),
        ("GZIP;q=0.1", True),
        ("*", True),
        ("br, *;q=0.5", True),
        ("gzip;q=1.0, identity;q=0.5", True),
        ("", False),
        ("br", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *", False),
        ("*;q=0", False),
        ("gzip;q=0.5, identity", False),
        ("gzip;q=none", False),
    ],
)
def test_only_those_who_want_it_packed_get_it_so(client: FlaskClient, accepted: str, is_packed: bool) -> None:
    answer = post(client, Accept_Encoding=accepted)
    assert ("Content-Encoding" in answer.headers) is is_packed
    assert "Accept-Encoding" in answer.vary
    assert answer.status_code == 200


def test_tiny_answers_and_pictures_stay_as_they_are(client: FlaskClient) -> None:
    for address in ("/healthz", "/v1/nowhere", "/docs/favicon-32x32.png"):
        answer = client.get(address, headers=GZIP)
        assert "Content-Encoding" not in answer.headers
        assert answer.data == client.get(address).data
    assert "Accept-Encoding" in client.get("/healthz").vary


def test_large_problems_are_packed_too(client: FlaskClient) -> None:
    answer = post(client, body=b'{"claimInformation": {"serviceLines": [%b1]}}' % (b"1," * 400), Accept_Encoding="gzip")
    assert (answer.status_code, answer.headers["Content-Encoding"]) == (422, "gzip")
    assert len(orjson.loads(gzip.decompress(answer.data))["errors"]) > 1


def test_a_tag_is_the_same_packed_and_plain_but_weak_where_bytes_may_differ(client: FlaskClient) -> None:
    plain, packed = client.get("/v1/rules"), client.get("/v1/rules", headers=GZIP)
    assert packed.headers["ETag"] == f"W/{plain.headers['ETag']}"
    for tag in plain.headers["ETag"], packed.headers["ETag"]:
        for asked in ({}, GZIP):
            again = client.get("/v1/rules", headers=asked | {"If-None-Match": tag})
            assert (again.status_code, again.data) == (304, b"")
            assert again.headers["ETag"] == (packed if asked else plain).headers["ETag"]
            assert "Accept-Encoding" in again.vary


def test_a_part_of_a_file_is_sent_as_it_is(client: FlaskClient) -> None:
    part = client.get("/docs/docs.js", headers=GZIP | {"Range": "bytes=0-9"})
    assert (part.status_code, len(part.data), "Content-Encoding" in part.headers) == (206, 10, False)
    assert "Accept-Ranges" not in client.get("/docs/swagger-ui.css", headers=GZIP).headers


def test_a_packed_download_that_is_given_up_makes_room_for_the_next(client: FlaskClient, results: str) -> None:
    """At most one at a time is sent here."""
    for _ in range(3):
        begun = client.get(results, headers=GZIP, buffered=False)
        assert begun.status_code == 200
        assert client.get(results).status_code == 503
        begun.close()
        assert gzip.decompress(client.get(results, headers=GZIP).data)


# Who may store an answer


def test_nothing_that_may_hold_a_claim_is_stored(client: FlaskClient, results: str) -> None:
    batch = results.removesuffix("/results")
    answers = [
        post(client),
        post(client, f"{SCRUB}?view=clearinghouse", Accept_Encoding="gzip"),
        post(client, EXPLAIN),
        post(client, body=b"[]"),
        post(client, body=b"{"),
        post(client, f"{SCRUB}?veiw=x"),
        post(client, Content_Encoding="br"),
        post(client, f"{BATCHES}?receivedOn=x"),
        client.post(BATCHES, data=ndjson(1), headers=JSON),
        client.get(BATCHES),
        client.get(batch),
        read(client.get(results)),
        read(client.get(results, headers=GZIP)),
        read(client.get(f"{results}?format=csv")),
        client.get(f"{batch}/summary"),
        client.post(f"{batch}/cancel"),
        client.get(f"{BATCHES}/unknown"),
        client.delete(batch + "x"),
    ]
    assert [answer.headers["Cache-Control"] for answer in answers] == ["no-store"] * len(answers)
    assert {answer.status_code for answer in answers} == {200, 202, 400, 404, 415, 422}


def test_what_holds_no_claim_says_how_long_it_is_good(client: FlaskClient) -> None:
    assert client.get("/v1/rules").headers["Cache-Control"] == "no-cache"
    assert client.get("/docs").headers["Cache-Control"] == "no-cache"
    for name in ("docs.js", "swagger-ui.css", "swagger-ui-bundle.js"):
        script = client.get(f"/docs/{name}")
        assert script.headers["Cache-Control"] == "public, max-age=3600"
        again = client.get(f"/docs/{name}", headers=GZIP | {"If-None-Match": script.headers["ETag"]})
        assert (again.status_code, again.headers["Cache-Control"]) == (304, "public, max-age=3600")
    assert client.get("/docs/nothing.js").headers["Cache-Control"] == "no-store"
    assert client.get("/healthz").headers["Cache-Control"] == "no-store"


# Ids


@pytest.mark.parametrize(
    "sent",
    [
        "7",
        "req-42",
        "0190a5b2-7c3f-7d8e-9a1b-2c3d4e5f6a7b",
        "01J2M6Y8ZK3T9QFVXW5RBN7CDE",
        "Root=1-67891233-abcdef012345678912345678",
        "Zm9vYmFyYmF6cXV4Zm9vYmFy/+==",
        "x" * 127 + "1",
        "onlyletters-but-twenty-of-them",
    ],
)
def test_the_senders_id_is_kept(client: FlaskClient, sent: str) -> None:
    assert client.get("/healthz", headers={"X-Request-Id": sent}).headers["X-Request-Id"] == sent


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "CANARY",
        "Doe, Jane 1",
        "1 2",
        "jane1@example.org",
        '1"}',
        "-1",
        "é1",
        "1\t2",
        "a1," * 2 + "a1",
        "x" * 128 + "1",
    ],
)
def test_what_is_no_id_is_made_anew(client: FlaskClient, sent: str) -> None:
    answer = client.get("/healthz", headers={"X-Request-Id": sent})
    assert NEW_ID.fullmatch(answer.headers["X-Request-Id"])


@pytest.mark.parametrize("route", [SCRUB, EXPLAIN])
@pytest.mark.parametrize("packed", [False, True])
def test_an_id_that_stands_in_the_claim_is_made_anew(client: FlaskClient, route: str, packed: bool) -> None:
    body = gzip.compress(CLAIM) if packed else CLAIM
    headers = {"Content_Encoding": "gzip"} if packed else {}
    for sent, is_kept in ("TBS-0001", False), ("TBS-0002", True):
        answer = post(client, route, body, X_Request_Id=sent, **headers)
        assert (answer.headers["X-Request-Id"] == sent) is is_kept


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (TRACE, TRACE),
        (TRACE[:-2] + "00", TRACE[:-2] + "00"),
        ("01" + TRACE[2:], TRACE),
        ("cc" + TRACE[2:] + "-what-will-be", TRACE),
        ("cc" + TRACE[2:-2] + "0a-what-will-be", TRACE[:-2] + "00"),
        ("ff" + TRACE[2:], None),
        (TRACE + "-more", None),
        (TRACE.upper(), None),
        (TRACE[:-1], None),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", None),
        (f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01", None),
        (f"{TRACE},{TRACE}", None),
        ("cc" + TRACE[2:] + "-" + "x" * 300, None),
        ("CANARY", None),
        ("", None),
    ],
)
def test_a_trace_is_kept_where_it_is_one(client: FlaskClient, sent: str, kept: str | None) -> None:
    answered = client.get("/healthz", headers={"traceparent": sent}).headers["traceparent"]
    assert kept is None or answered == kept
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", answered)
    assert (answered[3:35] == TRACE[3:35]) is (kept is not None)


def test_requests_without_ids_get_different_ones(client: FlaskClient) -> None:
    answers = [client.get("/healthz").headers for _ in range(3)]
    assert len({answer["X-Request-Id"] for answer in answers} | {answer["traceparent"] for answer in answers}) == 6


# Over the real server


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    rules = write_rules(tmp_path / "rules", ("sample-denied", "deny", "99213"))
    state = tmp_path / "state"
    with running(tmp_path, SCRUBBER_RULES=str(rules), SCRUBBER_STATE=str(state), SCRUBBER_BATCH_WORKERS="1") as service:
        yield service


def test_the_server_answers_packed_and_logs_the_senders_ids(service: Service) -> None:
    claim = orjson.dumps(office_claim())
    ids = {"X-Request-Id": "req-42", "traceparent": TRACE}
    plain = service.ask("POST", SCRUB, claim, JSON)
    packed = service.ask("POST", SCRUB, gzip.compress(claim), JSON | ids | GZIP | {"Content-Encoding": "gzip"})
    assert (packed.status, packed.headers["Content-Encoding"]) == (200, "gzip")
    assert gzip.decompress(packed.body) == plain.body
    assert (packed.headers["X-Request-Id"], packed.headers["traceparent"]) == ("req-42", TRACE)
    assert packed.headers["Cache-Control"] == "no-store"
    refused = service.ask("POST", "/nowhere", claim, JSON | ids | {"X-Request-Id": 'req-1"}, {"x": "1'})
    assert (refused.status, NEW_ID.fullmatch(refused.headers["X-Request-Id"]) is not None) == (404, True)
    twice = service.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: a1\r\nX-Request-Id: a2\r\n\r\n")
    assert not re.search(rb"x-request-id: a[12]", twice, re.IGNORECASE)
    service.stop()
    lines = [orjson.loads(line) for line in service.output.read_text().splitlines()]
    (line,) = [line for line in lines if line.get("request") == "req-42"]
    assert (line["traceparent"], line["sent"], line["route"]) == (TRACE, len(packed.body), SCRUB)


def test_the_server_streams_results_packed(service: Service) -> None:
    sent = service.ask("POST", BATCHES, gzip.compress(ndjson(700)), JSON | {"Content-Encoding": "gzip"})
    address = sent.headers["Location"]
    until(lambda: service.ask("GET", address).json["state"] == "done", "the batch is not done")
    plain = service.ask("GET", f"{address}/results")
    packed = service.ask("GET", f"{address}/results", headers=GZIP)
    assert (packed.headers["Content-Encoding"], packed.headers["Content-Length"]) == ("gzip", None)
    assert gzip.decompress(packed.body) == plain.body
    assert plain.body.count(b"\n") == 700
    head = service.ask("HEAD", f"{address}/results", headers=GZIP)
    assert (head.status, head.body, head.headers["Content-Encoding"]) == (200, b"", "gzip")
