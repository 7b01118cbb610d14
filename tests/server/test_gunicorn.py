"""The real server: gunicorn, HTTP, signals. What a caller and an operator of the service rely on."""

from __future__ import annotations

import gzip
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

from tests.support.claims import office_claim, tbs_claim
from tests.support.service import JSON, ROOT, Service, free_port, running, write_rules
from tests.support.waiting import PATIENCE

MOST = 200_000


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    codes = ("sample-denied", "deny", "77092"), ("sample-warned", "warn", "36415")
    return write_rules(tmp_path_factory.mktemp("rules"), *codes)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, rules: Path) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("serve")
    with running(folder, SCRUBBER_RULES=str(rules), SCRUBBER_MAX_BODY_BYTES=str(MOST)) as service:
        yield service


def test_a_claim_is_scrubbed(service: Service) -> None:
    answer = service.scrub(orjson.dumps(tbs_claim()))
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json["disposition"] == "deny"
    assert answer.json["receivedOn"] == "20250320"


def test_the_command_line_prints_the_apis_bytes(service: Service, rules: Path, tmp_path: Path) -> None:
    files = []
    for name, claim in ("tbs", tbs_claim()), ("office", office_claim()):
        files.append(tmp_path / f"{name}.json")
        files[-1].write_bytes(orjson.dumps(claim | {"scrubContext": {"receivedOn": "20250401"}}))
    for view in ("scrubber", "clearinghouse"):
        done = subprocess.run(
            [sys.executable, "-m", "scrubber", "scrub", "--json", "--view", view, *map(str, files)],
            cwd=ROOT,
            env=os.environ | {"SCRUBBER_RULES": str(rules)},
            capture_output=True,
            check=True,
        )
        posted = [service.scrub(file.read_bytes(), f"?view={view}").body for file in files]
        assert done.stdout == b"".join(body + b"\n" for body in posted)


def test_many_callers_at_once_get_the_same_bytes(service: Service) -> None:
    body = orjson.dumps(tbs_claim())

    def answer() -> bytes:
        while (given := service.scrub(body)).status == 503:  # on a busy machine it may ask to come again soon
            time.sleep(0.1)
        assert given.status == 200
        return given.body

    def ask(_: int) -> set[bytes]:
        return {answer() for _ in range(50)}

    with ThreadPoolExecutor(8) as pool:
        answers = set().union(*pool.map(ask, range(8)))
    assert len(answers) == 1


@pytest.mark.parametrize("size", [MOST + 1, 50_000_000])
def test_a_body_that_is_too_large_gets_a_clear_answer(service: Service, size: int) -> None:
    answer = service.scrub(b" " * size)
    assert answer.status == 413
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert f"{MOST:,} bytes" in str(answer.json["detail"])


def test_the_size_of_a_chunked_body_is_bounded_too(service: Service) -> None:
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    head = b"POST /v1/claims/scrub HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    answer = service.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 10 + b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_chunked_claim_is_read(service: Service) -> None:
    body = orjson.dumps(tbs_claim())
    head = b"POST /v1/claims/scrub HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    answer = service.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "request_text",
    [
        "CANARY\r\n\r\n",
        "GET /CANARY CANARY\r\n\r\n",
        "GET / HTTP/1.1\r\nCANARY CANARY: 1\r\n\r\n",
        "GET /" + "CANARY" * 2000 + " HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + "CANARY" * 20000 + "\r\n\r\n",
        "POST /v1/claims/scrub HTTP/1.1\r\nTransfer-Encoding: CANARY\r\n\r\n",
        "POST /v1/claims/scrub HTTP/1.1\r\nContent-Length: CANARY\r\n\r\n",
        "POST /v1/claims/scrub HTTP/1.1\r\nHost: localhost\r\nExpect: CANARY\r\nContent-Length: 0\r\n\r\n",
        "POST /v1/claims/scrub HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\nCANARY\r\nCANARY\r\n",
        "POST /v1/claims/scrub HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nCANARY CANARY\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_not_repeated(service: Service, request_text: str) -> None:
    answer = service.raw(request_text.encode())
    assert answer.split(b" ")[1][:1] in (b"4", b"5")
    assert b"application/problem+json" in answer
    assert b"CANARY" not in answer
    assert "CANARY" not in service.output.read_text()
    assert '"failure"' not in service.output.read_text()


_IMPATIENT = """
from scrubber.__main__ import main
from scrubber.api import limits
limits.SECONDS = 1
main(["serve"])
"""


@pytest.mark.parametrize(
    "sent", [b"POST /v1/cl", b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"]
)
def test_requests_that_never_end_do_not_stop_the_service(tmp_path: Path, rules: Path, sent: bytes) -> None:
    with running(tmp_path, "-c", _IMPATIENT, SCRUBBER_RULES=str(rules), SCRUBBER_THREADS="2") as service:
        stalled = [socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) for _ in range(4)]
        for connection in stalled:
            connection.sendall(sent)
        assert service.scrub(orjson.dumps(office_claim())).status == 200
        for connection in stalled:
            connection.close()
    assert '"failure"' not in service.output.read_text()


def test_a_refused_upload_does_not_break_the_connection(service: Service) -> None:
    packed = gzip.compress(orjson.dumps(tbs_claim())) * 500
    for encoding, status in ("br", 415), ("gzip", 413):
        answer = service.ask("POST", "/v1/claims/scrub", packed, JSON | {"Content-Encoding": encoding})
        assert answer.status == status
    assert service.ask("POST", "/nowhere", b"x" * 1_000_000).status == 404


@pytest.mark.parametrize("size", [150_000_000, 10_000_000_001])
def test_a_long_upload_that_is_refused_is_told_why(service: Service, size: int) -> None:
    """Also one of which the rest is never sent."""
    kind = "text/plain" if size < 10_000_000_000 else "application/x-ndjson"
    head = f"POST /v1/batches HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as connection:
        connection.sendall(head.encode())
        for _ in range(150):
            connection.sendall(b" " * 1_000_000)
        answer = connection.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 415 " if size < 10_000_000_000 else b"HTTP/1.1 413 ")


def test_clients_that_keep_their_end_open_hold_up_nobody(tmp_path: Path, rules: Path) -> None:
    with running(tmp_path, SCRUBBER_RULES=str(rules)) as service:
        held = [socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) for _ in range(40)]
        for number, connection in enumerate(held):
            last = "Connection: close" if number % 2 else "no header"
            connection.sendall(f"GET /healthz HTTP/1.1\r\nHost: localhost\r\n{last}\r\n\r\n".encode())
        assert service.ask("GET", "/healthz").status == 200
        for connection in held:
            assert connection.recv(65_536)
            connection.close()


def test_uploads_that_stall_at_their_beginning_take_no_thread(tmp_path: Path, rules: Path) -> None:
    """Each thread that may receive a batch is left to those who send one."""
    head = b"POST /v1/batches HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
    head += b"Content-Length: 9000\r\n\r\n{"
    with running(tmp_path, SCRUBBER_RULES=str(rules), SCRUBBER_STATE=str(tmp_path / "state")) as service:
        stalled = [socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) for _ in range(20)]
        for connection in stalled:
            connection.sendall(head)
        batch = orjson.dumps(office_claim())
        assert service.ask("POST", "/v1/batches", batch, {"Content-Type": "application/x-ndjson"}).status == 202
        assert service.scrub(batch).status == 200
        for connection in stalled:
            connection.close()


def test_uploads_that_stall_on_their_way_leave_threads_to_others(tmp_path: Path, rules: Path) -> None:
    head = b"POST /v1/batches HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
    head += b"Content-Length: 900000\r\n\r\n"
    with running(tmp_path, SCRUBBER_RULES=str(rules), SCRUBBER_STATE=str(tmp_path / "state")) as service:
        stalled = [socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) for _ in range(20)]
        for connection in stalled:
            connection.sendall(head + b" " * 200_000)
        refused: list[bytes] = []
        while len(refused) < 18:  # all but the two that came first, whichever those were
            answered, _, _ = select.select(stalled, [], [], PATIENCE)
            assert answered
            refused.extend(connection.recv(65_536) for connection in answered)
            stalled = [connection for connection in stalled if connection not in answered]
        assert all(answer.startswith(b"HTTP/1.1 503 ") for answer in refused)
        assert service.scrub(orjson.dumps(office_claim())).status == 200
        for connection in stalled:
            connection.close()


def test_term_ends_the_service_cleanly(tmp_path: Path, rules: Path) -> None:
    with running(tmp_path, SCRUBBER_RULES=str(rules)) as service:
        assert service.scrub(orjson.dumps(office_claim())).status == 200
        assert service.stop() == 0
    assert all(orjson.loads(line) for line in service.output.read_text().splitlines())


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"SCRUBBER_BIND": "nowhere"}, "SCRUBBER_BIND"),
        ({"SCRUBBER_RULES": "no/such/folder"}, "SCRUBBER_RULES"),
        ({"SCRUBBER_REFERENCE": "no/such/file"}, "reference data"),
    ],
)
def test_what_cannot_start_says_why(environ: dict[str, str], words: str) -> None:
    done = _serve(environ)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_rules_with_faults_do_not_start(tmp_path: Path) -> None:
    rules = write_rules(tmp_path, ("sample-faulty", "deny", "77092"))
    file = rules / "sample" / "lines" / "sample-faulty.yaml"
    file.write_text(file.read_text().replace("severity: deny", "severity: dire"))
    done = _serve({"SCRUBBER_RULES": str(rules)})
    assert done.returncode == 2
    assert "sample/lines/sample-faulty.yaml:6" in done.stderr
    assert "scrubber rules lint" in done.stderr.splitlines()[-1]


def test_a_misspelt_setting_is_told(tmp_path: Path, rules: Path) -> None:
    with running(tmp_path, SCRUBBER_RULES=str(rules), SCRUBBER_WORKER="2") as service:
        assert "SCRUBBER_WORKER is no setting" in service.output.read_text()


def _serve(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scrubber", "serve"],
        cwd=ROOT,
        env=os.environ | {"SCRUBBER_BIND": f"127.0.0.1:{free_port()}"} | environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
