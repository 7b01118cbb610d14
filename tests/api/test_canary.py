"""No error, log line or header repeats anything that a client sent, whatever happens to the request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.support.claims import office_claim
from tests.support.service import JSON, Answer, Service, running, write_rules
from tests.support.x12 import full_of_canaries

CANARY = "CANARY"  # a part of that in X12 files
QUERY = f"?{CANARY}={CANARY}&view={CANARY}"
HEADERS = JSON | {
    "X-Request-Id": CANARY,
    "User-Agent": CANARY,
    "Referer": f"/{CANARY}",
    "Authorization": f"Basic {CANARY}",
    "X-Forwarded-For": CANARY,
    CANARY: CANARY,
}


def poisoned(value: Any) -> Any:
    """The claim with a canary in every text and under a new name in every object."""
    match value:
        case dict():
            return {name: poisoned(item) for name, item in value.items()} | {CANARY: CANARY}
        case list():
            return [poisoned(item) for item in value]
        case _:
            return CANARY


def named_after_a_canary() -> dict[str, Any]:
    """A claim that can be read, of a patient named after a canary."""
    claim = office_claim()
    claim["subscriber"] |= {"lastName": CANARY, "memberId": CANARY}
    return claim


POISONED = orjson.dumps(poisoned(office_claim()))
BAD_BODIES = [
    POISONED[:-20],
    b'{"claimInformation": {"serviceLines": ["CANARY"], "CANARY": NaN}}',
    b'{"claimInformation": "CANARY"}',
    b'{"claimInformation": {"serviceLines": [{"CANARY": 1}, ["CANARY"], "CANARY"]}}',
    b'"CANARY"',
    b"CANARY \xff",
    b'{"CANARY":' * 5000,
    b'{"claimInformation": {"serviceLines": {"CANARY": {}}}}',
]


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_rules(tmp_path_factory.mktemp("rules"), ("sample-denied", "deny", "99213")))


@pytest.fixture
def service(tmp_path: Path, rules: str) -> Iterator[Service]:
    with running(tmp_path, SCRUBBER_RULES=rules) as service:
        yield service


def refused(answer: Answer) -> int:
    """Status of an answer that has no canary anywhere."""
    assert CANARY not in answer.body.decode()
    assert CANARY not in str(answer.headers)
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status


def test_refusals_and_logs_repeat_nothing(service: Service) -> None:
    scrub = "/v1/claims/scrub"
    for body in BAD_BODIES:
        assert refused(service.ask("POST", scrub, body, HEADERS)) in (400, 422)
    for method, address, headers, status in [
        ("POST", scrub + QUERY, HEADERS, 400),
        ("POST", f"/v1/claims/explain{QUERY}&rule={CANARY}", HEADERS, 400),
        ("POST", f"/v1/claims/explain?line={CANARY}", HEADERS, 400),
        ("POST", "/v1/claims/explain?line=999", HEADERS, 400),
        ("POST", scrub, HEADERS | {"Content-Type": f"text/{CANARY}"}, 415),
        ("POST", scrub, HEADERS | {"Content-Type": f"application/json; charset={CANARY}"}, 415),
        ("POST", scrub, HEADERS | {"Content-Encoding": CANARY}, 415),
        ("POST", f"/{CANARY}{QUERY}", HEADERS, 404),
        ("POST", f"//{CANARY}//{CANARY}/{QUERY}", HEADERS, 404),
        ("GET", f"/v1//rules{QUERY}", HEADERS, 404),
        ("GET", f"/v1/rules/{CANARY}", HEADERS, 404),
        ("GET", "/docs/docs.js", HEADERS | {"Range": "bytes=99999999-"}, 416),
        ("GET", f"/v1/rules?pack={CANARY}", HEADERS, 400),
        ("GET", f"/docs/{CANARY}", HEADERS, 404),
        ("GET", scrub + QUERY, HEADERS, 405),
        (CANARY, scrub, HEADERS, 405),
    ]:
        assert refused(service.ask(method, address, POISONED, headers)) == status
    assert service.ask("POST", scrub, POISONED, HEADERS).status == 200
    assert service.ask("POST", "/v1/claims/explain?line=1", POISONED, HEADERS).status == 200
    service.stop()
    assert CANARY not in service.output.read_text()


def test_a_scrubbed_claim_leaves_one_line_without_a_value(service: Service) -> None:
    answer = service.ask("POST", "/v1/claims/scrub", orjson.dumps(named_after_a_canary()), HEADERS)
    assert answer.status == 200
    service.stop()
    log = [orjson.loads(line) for line in service.output.read_text().splitlines()]
    (line,) = [line for line in log if line.get("route") == "/v1/claims/scrub"]
    assert CANARY not in str(line)
    assert line["request"] == answer.headers["X-Request-Id"]
    assert (line["method"], line["status"], line["disposition"]) == ("POST", 200, "deny")
    assert (line["deny"], line["warn"], line["info"]) == (1, 0, 0)
    assert line["sent"] == len(answer.body)
    assert line["received"] > 1000
    assert line["ms"] > 0


def test_a_crash_tells_its_place_and_nothing_else(tmp_path: Path, rules: str) -> None:
    with running(tmp_path, "-m", "tests.support.crashing", SCRUBBER_RULES=rules) as service:
        body = orjson.dumps(named_after_a_canary())
        answer = service.ask("POST", "/v1/claims/scrub", body, HEADERS)
        assert refused(answer) == 500
        not_ready = service.ask("GET", "/readyz", headers=HEADERS)
        assert refused(not_ready) == 503
        assert service.ask("GET", "/healthz").status == 200
        service.stop()
    text = service.output.read_text()
    assert CANARY not in text
    failures = [line for line in map(orjson.loads, text.splitlines()) if line["event"] == "failure"]
    first = failures[0]
    assert first["request"] == answer.headers["X-Request-Id"]
    assert first["request"] in str(answer.json["detail"])
    assert first["error"] == "ValueError"
    assert first["causes"][0]["error"] == "KeyError"
    assert any(frame.startswith("scrubber/api/claims.py:") for frame in first["frames"])
    assert any(frame.startswith("tests/support/crashing.py:") for frame in first["frames"])
    said = [line for line in map(orjson.loads, text.splitlines()) if line["event"] == "library"]
    of_the_claim = [(line["logger"], line["severity"], line.get("text")) for line in said][:6]
    assert of_the_claim == [
        ("some.library", "error", "cannot handle %s"),
        ("some.library", "error", None),
        ("some.library", "error", None),
        ("some.library", "warning", "the cache is full"),
        ("py.warnings", "UserWarning", None),
        ("py.warnings", "FutureWarning", "names will be required"),
    ]
    assert all(line["at"].startswith("tests/support/crashing.py:") for line in said[:6])


def test_x12_leaves_no_value_in_refusals_logs_and_metrics(service: Service) -> None:
    scrub, headers = "/v1/claims/scrub", {**HEADERS, "Content-Type": "application/edi-x12"}
    canaries = full_of_canaries()
    for body in (
        canaries.replace(b"ISA*00", b"ISA*0"),
        canaries.replace(b"005010X222A1", CANARY.encode()),
        canaries[106:],
        canaries.replace(b"*:~", b"*:" + CANARY.encode(), 1),
        canaries.replace(b"CLM*", b"CLM2*"),
        canaries.replace(b"SV1*", b"SV9*").replace(b"LX*", b"L9*"),
        CANARY.encode() + canaries,
        canaries + canaries,
        f"{CANARY},{CANARY}\n{CANARY},{CANARY}".encode(),
    ):
        assert refused(service.ask("POST", scrub, body, headers)) in (400, 422)
    sent = service.ask("POST", scrub, canaries, headers)
    assert sent.status == 200
    findings = orjson.loads(sent.body)["findings"]
    assert CANARY not in str([(found["message"], found["fix"], found["x12"]) for found in findings])
    assert CANARY not in service.ask("GET", "/metrics").body.decode()
    service.stop()
    assert CANARY not in service.output.read_text()
