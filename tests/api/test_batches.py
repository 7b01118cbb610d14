"""Batches over HTTP: sent, followed, read back, ended."""

from __future__ import annotations

import csv
import gzip
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from scrubber.api.logs import open_log
from scrubber.app import create_app
from scrubber.batch.model import ROWS_A_CHUNK
from scrubber.batch.work import work as one_lease
from scrubber.config import Settings
from scrubber.scrub import Scrubber
from tests.support.batches import claims, context, ndjson, work_off
from tests.support.responses import json_of
from tests.support.service import ROOT
from tests.support.x12 import BODY as SENT
from tests.support.x12 import CANARY, envelope, in_group, in_interchange, in_set, written

BODY = SENT.replace("MI*SYN00000001", "MI*1EG4TE5MK73")  # as of Medicare, which numbers its patients so
NDJSON = "application/x-ndjson"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def app(state: Path, shipped: Scrubber) -> Flask:
    return create_app(
        Settings("127.0.0.1", 0, ROOT / "rules", None, 1, 1, 10_000_000, state=state, webhook_hosts=("hooks.example",)),
        shipped,
    )


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def work(state: Path, shipped: Scrubber) -> None:
    work_off(context(state, shipped))


def submit(client: FlaskClient, data: bytes, query: str = "", media_type: str = NDJSON, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(f"/v1/batches{query}", data=data, content_type=media_type, headers=named)


def lines(data: bytes) -> list[Any]:
    return [orjson.loads(line) for line in data.splitlines()]


def test_a_batch_from_submission_to_results(client: FlaskClient, state: Path, shipped: Scrubber) -> None:
    sent = submit(client, ndjson(6))
    assert (sent.status_code, sent.json["state"], sent.json["rows"]) == (202, "received", None)
    address = sent.headers["Location"]
    assert json_of(client.get(address))["id"] == json_of(sent)["id"]
    work(state, shipped)
    done = json_of(client.get(address))
    assert (done["state"], done["rows"], done["rowsDone"]) == ("done", 6, 6)
    assert sum(done["counts"].values()) == 6
    told = client.get(f"{address}/results")
    assert [row["claimNumber"] for row in lines(told.data)] == [f"CLAIM-{number:05}" for number in range(6)]
    assert told.headers["Batch-State"] == "done"
    one = client.post("/v1/claims/scrub", data=next(iter(claims(1))), content_type="application/json")
    assert lines(told.data)[0]["answer"] == one.json
    summary = json_of(client.get(f"{address}/summary"))
    assert summary["payers"][0]["claims"] == 6
    assert [batch["id"] for batch in json_of(client.get("/v1/batches"))["batches"]] == [json_of(sent)["id"]]


@pytest.mark.parametrize(
    ("media_type", "encoding", "make"),
    [
        (NDJSON, None, lambda rows: b"\n".join(rows)),
        ("application/json", None, lambda rows: b"[" + b",".join(rows) + b"]"),
        ("application/json", None, lambda rows: b"\n".join(rows)),
        (NDJSON, "gzip", lambda rows: gzip.compress(b"\n".join(rows))),
        ("application/gzip", None, lambda rows: gzip.compress(b"\n".join(rows))),
        ("application/json", "gzip", lambda rows: gzip.compress(b" [" + b",".join(rows) + b"]")),
        ("application/x-gzip", None, lambda rows: gzip.compress(b"[" + b",\n".join(rows) + b"]")),
        ("application/gzip", None, lambda rows: b"".join(map(gzip.compress, (b"", b"\n[", b",".join(rows), b"]")))),
        ("application/gzip", None, lambda rows: gzip.compress(b"\n".join(rows)) + bytes(500)),
        ("application/json", None, lambda rows: b"\xef\xbb\xbf" + b" " * 70_000 + b"[" + b",".join(rows) + b"]"),
    ],
)
def test_forms_of_upload(
    client: FlaskClient, state: Path, shipped: Scrubber, media_type: str, encoding: str | None, make: Any
) -> None:
    headers = {"Content_Encoding": encoding} if encoding else {}
    sent = submit(client, make(list(claims(3))), "", media_type, **headers)
    assert sent.status_code == 202
    work(state, shipped)
    assert len(lines(client.get(f"{sent.headers['Location']}/results").data)) == 3


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("media_type", ["application/edi-x12", "application/octet-stream"])
def test_a_batch_of_x12_answers_by_claim_in_order(
    client: FlaskClient, state: Path, shipped: Scrubber, media_type: str, pack: Any
) -> None:
    sent = submit(client, pack(envelope()), media_type=media_type)
    assert sent.status_code == 202
    work(state, shipped)
    rows = lines(client.get(f"{sent.headers['Location']}/results").data)
    assert [(row["row"], row["claimNumber"]) for row in rows] == [(1, "CLAIM-1"), (2, "CLAIM-2")]
    places = [(finding["pointer"], finding["x12"]) for row in rows for finding in row["answer"]["findings"]]
    assert {pointer for pointer, _ in places} == {None}
    assert all(place["segment"] for _, place in places)


def test_one_bad_claim_of_x12_does_not_stop_the_file(client: FlaskClient, state: Path, shipped: Scrubber) -> None:
    start, end = BODY.index("LX*1\nSV1*HC:J0897"), BODY.index("HL*3*2*23")
    data = envelope(BODY[:start] + BODY[end:]).replace(b"SE*", b"SE*1")
    sent = submit(client, data, media_type="application/edi-x12")
    work(state, shipped)
    rows = lines(client.get(f"{sent.headers['Location']}/results").data)
    assert [row.get("claimNumber") for row in rows] == [None, "CLAIM-2", None]
    assert "no service lines" in str(rows[0])
    assert "(SE01): the count is not what was counted" in str(rows[2])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(("view", "words"), [("999", "AK9*R*1*1*0"), ("277ca", "QTY*AA*1~")])
def test_a_file_of_x12_is_acknowledged_as_a_whole(
    client: FlaskClient, state: Path, shipped: Scrubber, view: str, words: str, pack: Any
) -> None:
    """One claim without lines is rejected, and so is the set, whose count is wrong; both are rows of the batch."""
    start, end = BODY.index("LX*1\nSV1*HC:J0897"), BODY.index("HL*3*2*23")
    data = envelope(BODY[:start] + BODY[end:]).replace(b"SE*", b"SE*1")
    sent = submit(client, pack(data), "?receivedOn=20260920", media_type="application/edi-x12")
    address = f"{sent.headers['Location']}/results?view={view}"
    assert "ask again when its state is `done`" in client.get(address).text
    work(state, shipped)
    answer = client.get(address)
    assert (answer.status_code, answer.content_type) == (200, "application/edi-x12")
    assert words in answer.text
    if view == "277ca":
        assert re.search(r"TRN\*2\*CLAIM-1~\nSTC\*A3:21\*\d{8}\*U\*250.00~", answer.text)
        assert re.search(r"TRN\*2\*CLAIM-2~\nSTC\*A2:20\*\d{8}\*WQ\*75~", answer.text)
    assert client.get(f"{address}&after=1").status_code == 400


def test_rows_that_are_no_claims_do_not_move_the_answers(client: FlaskClient, state: Path, shipped: Scrubber) -> None:
    """Ends with something wrong are rows, too: before the first claim, between claims, and behind a file cut off."""
    empty = in_set("BHT*0019*00*BATCH1*20260915*1200*CH", number="0007").replace("SE*", "SE*9")
    without_lines = BODY[: BODY.index("LX*1\nSV1*HC:J0897")] + BODY[BODY.index("HL*3*2*23") :]
    second = in_set(without_lines, number="0008")
    first = in_set(BODY, number="0009").replace("SE*", "SE*9")
    data = written(in_interchange(in_group(empty, first, second))) + b"ISA*00*"
    sent = submit(client, data, media_type="application/edi-x12")
    work(state, shipped)
    answer = client.get(f"{sent.headers['Location']}/results?view=277ca").text
    statuses = re.findall(r"TRN\*2\*(CLAIM-.)~\nSTC\*(A\d)", answer)
    assert statuses == [("CLAIM-1", "A3"), ("CLAIM-2", "A2"), ("CLAIM-1", "A3"), ("CLAIM-2", "A2")]
    verdicts = re.findall(r"IK5\*(\w)", client.get(f"{sent.headers['Location']}/results?view=999").text)
    assert verdicts == ["R", "R", "A"]


def test_a_batch_of_json_has_no_acknowledgment(client: FlaskClient, state: Path, shipped: Scrubber) -> None:
    sent = submit(client, ndjson(1))
    work(state, shipped)
    answer = client.get(f"{sent.headers['Location']}/results?view=999")
    assert answer.status_code == 400
    assert "only for a batch sent as X12" in answer.text


def test_what_is_not_read_behind_claims_of_x12_is_told(client: FlaskClient, state: Path, shipped: Scrubber) -> None:
    data = envelope() + b"ISA*" + CANARY.encode()
    sent = submit(client, data, media_type="application/edi-x12")
    work(state, shipped)
    rows = client.get(f"{sent.headers['Location']}/results")
    assert [row.get("claimNumber") for row in lines(rows.data)] == ["CLAIM-1", "CLAIM-2", None]
    assert "the rest of the file is not read" in rows.text
    assert CANARY not in rows.text


def test_the_sender_may_insist_on_a_format(client: FlaskClient, state: Path, shipped: Scrubber) -> None:
    data = b"[]\n" + ndjson(2)
    for body in (data, gzip.compress(data)):
        sent = submit(client, body, "?format=ndjson")
        work(state, shipped)
        done: Any = client.get(sent.headers["Location"]).json
        assert (done["rows"], done["counts"]["rejected"]) == (3, 1)


_X12 = b"ISA*00*          *00*          *ZZ*CANARY~\nGS*HC*CANARY~\nST*837*0001~\n"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (_X12, "ISA"),
        (b"\n" + _X12.split(b"\n", 1)[1], "begins with ISA"),
        (gzip.compress(_X12, mtime=0), "ISA"),
        (_X12 * 5_000, "ISA"),
        (envelope().replace(b"005010X222A1", b"005010X223A2"), "837I"),
        ("CANARY".encode("utf-16"), "UTF-8"),
        (b"PK\x03\x04CANARY", "zip"),
        (b"\x28\xb5\x2f\xfdCANARY", "zstd"),
        (gzip.compress(gzip.compress(ndjson(1), mtime=0), mtime=0), "twice"),
        (b'{\r\n  "controlNumber": "CANARY"\r\n}\r\n', "several lines"),
    ],
)
def test_what_is_never_read_is_refused_with_what_to_send(
    client: FlaskClient, state: Path, data: bytes, words: str
) -> None:
    answer = submit(client, data, media_type="application/octet-stream")
    assert (answer.status_code, words in answer.json["detail"]) == (415, True), answer.text
    assert "CANARY" not in answer.text
    assert not list((state / "batches").iterdir())


@pytest.mark.parametrize("media_type", ["text/plain", "application/json; charset=iso-8859-1"])
def test_kinds_of_body_that_are_not_read(client: FlaskClient, media_type: str) -> None:
    answer = submit(client, _X12, media_type=media_type)
    assert answer.status_code == 415
    assert "JSON" in answer.json["detail"]


def test_a_key_stands_for_one_batch(client: FlaskClient, state: Path) -> None:
    first = submit(client, ndjson(2), Idempotency_Key="night-1")
    again = submit(client, ndjson(2), Idempotency_Key="night-1")
    assert (again.status_code, again.headers["Location"]) == (202, first.headers["Location"])
    assert again.headers["Idempotent-Replayed"] == "true"
    other = submit(client, ndjson(3), Idempotency_Key="night-1")
    assert other.status_code == 409
    assert submit(client, ndjson(2), "?priority=3", Idempotency_Key="night-1").status_code == 409
    assert len(list((state / "batches").iterdir())) == 1


def test_a_key_stands_for_its_batch_past_midnight(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []
    for hour in (23, 25):
        moment = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(hours=hour)
        monkeypatch.setattr("scrubber.api.batches._now", lambda moment=moment: moment)
        sent.append(submit(client, ndjson(1), Idempotency_Key="night"))
    assert [answer.status_code for answer in sent] == [202, 202]
    assert sent[0].json["id"] == sent[1].json["id"]
    assert sent[1].json["options"]["receivedOn"] == "20261123"
    assert submit(client, ndjson(1), "?receivedOn=20261123", Idempotency_Key="night").status_code == 409


def test_results_are_resumed_and_narrowed(client: FlaskClient, state: Path, shipped: Scrubber) -> None:
    count = ROWS_A_CHUNK + 5
    address = submit(client, ndjson(count) + b"junk\n").headers["Location"] + "/results"
    work(state, shipped)
    every = lines(client.get(address).data)
    assert [row["row"] for row in every] == list(range(1, count + 2))
    for after in (0, 1, ROWS_A_CHUNK - 1, ROWS_A_CHUNK, ROWS_A_CHUNK + 1, count + 1, 10**8):
        assert lines(client.get(f"{address}?after={after}").data) == every[after:]
    assert lines(client.get(f"{address}?after=490&limit=20").data) == every[490:510]
    assert lines(client.get(f"{address}?limit=0").data) == []
    denied = lines(client.get(f"{address}?disposition=deny").data)
    assert denied == [row for row in every if row.get("answer", {}).get("disposition") == "deny"]
    rejected = lines(client.get(f"{address}?disposition=rejected").data)
    assert [row["row"] for row in rejected] == [count + 1]
    rule = every[0]["answer"]["findings"][0]["rule"]["id"]
    by_rule = lines(client.get(f"{address}?rule={rule}").data)
    assert by_rule == [
        row for row in every if any(f["rule"]["id"] == rule for f in row.get("answer", {}).get("findings", ()))
    ]
    risky = lines(client.get(f"{address}?minAtRisk=0.01").data)
    assert risky == [row for row in every if float(row.get("answer", {"impact": {}})["impact"].get("atRisk") or 0) > 0]
    assert risky


@pytest.mark.parametrize("formula", ["=", "+", "-", "@", "\uff1d"])
def test_findings_as_csv(client: FlaskClient, state: Path, shipped: Scrubber, formula: str) -> None:
    data = ndjson(2).replace(b"CLAIM-", f"{formula}CLAIM-".encode()) + b'junk\n{"claimInformation": []}\n'
    address = submit(client, data).headers["Location"] + "/results"
    work(state, shipped)
    told = client.get(f"{address}?format=csv")
    assert told.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(told.text)))
    expected = [
        (row["row"], finding["rule"]["id"])
        for row in lines(client.get(address).data)
        if "answer" in row
        for finding in row["answer"]["findings"]
    ]
    assert [(int(row["row"]), row["rule"]) for row in rows[:-2]] == expected
    assert rows[0]["claim_number"] == f"'{formula}CLAIM-00000"
    assert [(row["disposition"], row["message"], row["pointer"]) for row in rows[-2:]] == [
        ("rejected", "The row is not JSON from column 1 on", ""),
        ("rejected", "The row is not a claim: must be an object", "/claimInformation"),
    ]


def test_a_batch_is_cancelled_and_deleted(client: FlaskClient, state: Path, shipped: Scrubber) -> None:
    address = submit(client, ndjson(3)).headers["Location"]
    assert json_of(client.post(f"{address}/cancel"))["state"] == "cancelled"
    work(state, shipped)
    assert client.get(f"{address}/results").data == b""
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404
    assert client.delete(address).status_code == 404
    assert list((state / "batches").iterdir()) == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?receivedOn=20251301", "CCYYMMDD"),
        ("?receivedOn=CANARY", "CCYYMMDD"),
        ("?mostRejected=1.5", "from 0 to 1"),
        ("?priority=high", "-999 to 999"),
        ("?enable=CANARY", "a rule that there is not"),
        ("?webhook=https://evil.example/CANARY", "SCRUBBER_WEBHOOK_HOSTS"),
        ("?webhook=ftp://hooks.example/", "SCRUBBER_WEBHOOK_HOSTS"),
        ("?format=xml", "ndjson, json, x12"),
        ("?recievedOn=20260101", "Only these parameters"),
        ("?receivedOn=20260101&receivedOn=20250101", "more than once"),
        ("?webhook=https://hooks.example/CANARY%20b", "SCRUBBER_WEBHOOK_HOSTS"),
        ("?webhook=https://hooks.example/%C3%A9", "SCRUBBER_WEBHOOK_HOSTS"),
        ("?webhook=https://hooks.example/a%0d%0aX-CANARY:1", "SCRUBBER_WEBHOOK_HOSTS"),
        ("?webhook=https://hooks.example:443@evil.example/", "SCRUBBER_WEBHOOK_HOSTS"),
        ("?webhook=https://[::1]/", "SCRUBBER_WEBHOOK_HOSTS"),
    ],
)
def test_wrong_options_are_refused(client: FlaskClient, state: Path, query: str, words: str) -> None:
    answer = submit(client, ndjson(1), query)
    assert answer.status_code == 400
    assert words in answer.json["detail"]
    assert "CANARY" not in answer.text
    assert not (state / "batches").exists()


def test_bodies_that_are_no_batch_are_refused(client: FlaskClient, state: Path) -> None:
    assert submit(client, b"").status_code == 400
    assert submit(client, b" \n\n").status_code == 400
    assert submit(client, b"{}", media_type="text/plain").status_code == 415
    assert submit(client, b"{}", Content_Encoding="br").status_code == 415
    assert submit(client, b"{}", Idempotency_Key="a b").status_code == 400
    assert not list((state / "batches").iterdir())


def test_a_batch_that_is_too_large_is_refused_and_not_kept(state: Path, shipped: Scrubber) -> None:
    settings = Settings("127.0.0.1", 0, ROOT / "rules", None, 1, 1, 10_000_000, state=state, max_batch_bytes=1_000)
    answer = submit(create_app(settings, shipped).test_client(), b"x" * 1_001)
    assert (answer.status_code, "1,000 bytes" in answer.json["detail"]) == (413, True)
    assert not list((state / "batches").iterdir())


def test_a_service_without_a_place_takes_no_batches(shipped: Scrubber) -> None:
    client = create_app(Settings("127.0.0.1", 0, ROOT / "rules", None, 1, 1, 10_000_000), shipped).test_client()
    assert submit(client, ndjson(1)).status_code == 503
    assert client.get("/v1/batches/x").status_code == 503


def test_a_ledger_that_cannot_be_used_is_told(client: FlaskClient, state: Path) -> None:
    submit(client, ndjson(1))
    for path in state.glob("batches.sqlite*"):
        path.write_bytes(b"no ledger" * 1000)
    assert client.get("/v1/batches").status_code == 503


@pytest.mark.parametrize("query", ["", "?format=csv", "?disposition=deny"])
def test_damaged_results_are_a_503_and_then_there_again(
    client: FlaskClient, state: Path, shipped: Scrubber, query: str
) -> None:
    address = submit(client, ndjson(3).replace(b"CLAIM-", b"CANARY-")).headers["Location"]
    work(state, shipped)
    before = client.get(f"{address}/results").data
    _accept_all(state)
    told = client.get(f"{address}/results{query}")
    assert (told.status_code, json_of(told)["type"]) == (503, "urn:claim-scrubber:problem:results-damaged")
    assert told.mimetype == "application/problem+json"
    assert int(told.headers["Retry-After"]) > 0
    assert "made again from the upload" in json_of(told)["detail"]
    assert "CANARY" not in told.text
    assert json_of(client.get(address))["state"] == "running"
    assert client.get(f"{address}/results").data == b""  # nothing of what was changed
    work(state, shipped)
    assert client.get(f"{address}/results").data == before


def test_damaged_results_of_a_cancelled_batch_are_a_500_that_says_what_to_do(
    client: FlaskClient, app: Flask, state: Path, shipped: Scrubber
) -> None:
    data = ndjson(ROWS_A_CHUNK + 1).replace(b"CLAIM-", b"CANARY-")
    address = submit(client, data).headers["Location"]
    on = context(state, shipped)
    for _ in range(2):  # it is cut, and one chunk is scrubbed
        lease = on.job_store.take("one")
        assert lease is not None
        one_lease(lease, on)
    assert json_of(client.post(f"{address}/cancel"))["state"] == "cancelled"
    assert len(lines(client.get(f"{address}/results").data)) == ROWS_A_CHUNK
    _accept_all(state)
    log = io.BytesIO()
    stream = io.TextIOWrapper(log)
    app.extensions["claim-scrubber-log"] = open_log(stream)
    for query in ("", "?format=csv", "?after=3"):
        told = client.get(f"{address}/results{query}")
        assert (told.status_code, json_of(told)["type"]) == (500, "urn:claim-scrubber:problem:results-lost")
        assert "Delete the batch and send its claims again" in json_of(told)["detail"]
        assert "Retry-After" not in told.headers
        assert "CANARY" not in told.text
    assert json_of(client.get(address))["state"] == "cancelled"
    assert b"CANARY" not in log.getvalue()
    [outage] = [line for line in lines(log.getvalue()) if line["event"] == "outage"]
    assert (outage["level"], outage["of"]) == ("error", f"results of batch {address.rpartition('/')[2]}")
    assert client.delete(address).status_code == 204


def _accept_all(state: Path) -> None:
    """Change every result that is kept."""
    for path in (state / "batches").glob("*/*"):
        data = path.read_bytes()
        if data.startswith(b'{"row":'):
            path.write_bytes(data.replace(b'"disposition":"', b'"disposition":"accept","was":"'))


def test_lost_and_damaged_results_are_documented(client: FlaskClient) -> None:
    """As 500 and 503."""
    spec: Any = client.get("/openapi.json").json
    told = spec["paths"]["/v1/batches/{batch_id}/results"]["get"]["responses"]
    assert {"400", "404", "500", "503"} <= set(told)


def test_a_full_disk_is_told_of_batches_and_the_service_stays_ready(
    client: FlaskClient, app: Flask, state: Path, shipped: Scrubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = submit(client, ndjson(1)).headers["Location"]
    work(state, shipped)
    waiting = submit(client, ndjson(3).replace(b"CLAIM-", b"CANARY-")).headers["Location"]
    assert json_of(client.get("/readyz"))["batches"] == {"goOn": True, "why": None}
    kept = app.extensions["claim-scrubber"].batches
    monkeypatch.setattr(kept.file_store, "_disk", lambda _place: SimpleNamespace(f_blocks=100, f_bavail=0, f_frsize=1))
    ready = client.get("/readyz")
    why = "there is no room for the batch"
    assert (ready.status_code, json_of(ready)["batches"]) == (200, {"goOn": False, "why": why})
    assert [json_of(client.get(address))["why"] for address in (waiting, ended)] == [why, None]
    assert [batch["why"] for batch in json_of(client.get("/v1/batches"))["batches"]] == [why, None]
    refused = submit(client, ndjson(1).replace(b"CLAIM-", b"CANARY-"))
    assert (refused.status_code, refused.json["type"]) == (507, "urn:claim-scrubber:problem:no-room")
    for answer in (ready, client.get(waiting), refused):
        assert "CANARY" not in answer.text
    one = client.post("/v1/claims/scrub", data=next(iter(claims(1))), content_type="application/json")
    assert one.status_code == 200
    monkeypatch.undo()
    assert json_of(client.get("/readyz"))["batches"] == {"goOn": True, "why": None}
    assert json_of(client.get(waiting))["why"] is None


def test_what_a_worker_says_is_told_until_it_goes_on(client: FlaskClient, state: Path, shipped: Scrubber) -> None:
    """The disk of another machine: the service itself sees nothing of it."""
    address = submit(client, ndjson(1)).headers["Location"]
    job_store = context(state, shipped).job_store
    job_store.report_stalled("worker", "there is no room for the batch")
    assert json_of(client.get(address))["why"] == "there is no room for the batch"
    assert json_of(client.get("/readyz"))["batches"] == {"goOn": False, "why": "there is no room for the batch"}
    job_store.go_on("worker")
    assert json_of(client.get(address))["why"] is None
    assert json_of(client.get("/readyz"))["batches"] == {"goOn": True, "why": None}


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/results?after=x",
        "/results?limit=-1",
        "/results?disposition=maybe",
        "/results?rule=cms-ncci-ptp-column-tow",
        "/results?afte=3",
        "/results?after=1&after=3",
        "/summary?top=3",
        "?wait=1",
    ],
)
def test_wrong_questions_are_refused(client: FlaskClient, address: str) -> None:
    known = submit(client, ndjson(1)).headers["Location"]
    assert client.get(f"/v1/batches/unknown{address.split('?')[0]}").status_code == 404
    if "?" in address:
        assert client.get(f"{known}{address}").status_code == 400


def test_answers_keep_to_the_document(client: FlaskClient, state: Path, shipped: Scrubber) -> None:
    spec: Any = client.get("/openapi.json").json

    def fits(name: str, value: object) -> bool:
        schema = {"$ref": f"#/components/schemas/{name}", "components": spec["components"]}
        return Draft202012Validator(schema).is_valid(value)

    address = submit(client, ndjson(2)).headers["Location"]
    assert fits("Batch", client.get(address).json)
    work(state, shipped)
    assert fits("Batch", client.get(address).json)
    assert fits("BatchList", client.get("/v1/batches").json)
    assert fits("BatchSummary", client.get(f"{address}/summary").json)
