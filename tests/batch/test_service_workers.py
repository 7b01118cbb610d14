"""Batches on a real service with workers beside it: what dies is started again, what is slow is waited for."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from scrubber.api.limits import STEP
from tests.support.batches import ndjson
from tests.support.claims import office_claim, tbs_claim
from tests.support.rule_folders import CASES, RULE, put, rule_folder, with_lines
from tests.support.service import ROOT, Service, running, write_rules
from tests.support.waiting import PATIENCE, until

NDJSON = {"Content-Type": "application/x-ndjson"}
PAUSES, PAUSE = 8, 0.5  # seconds: together longer than the service is patient, each so short that any machine keeps it
PATIENT_FOR_THREE_SECONDS = """
from scrubber.__main__ import main
from scrubber.api import limits
limits.SECONDS = 3
main(["serve"])
"""


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rules(tmp_path_factory.mktemp("rules"), ("sample-denied", "deny", "77092"))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, rules: Path) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    with running(folder, "-c", PATIENT_FOR_THREE_SECONDS, **_environ(folder, rules)) as service:
        yield service


def _environ(folder: Path, rules: Path, workers: int = 1) -> dict[str, str]:
    return {
        "SCRUBBER_RULES": str(rules),
        "SCRUBBER_STATE": str(folder / "state"),
        "SCRUBBER_BATCH_WORKERS": str(workers),
    }


def submit(service: Service, data: bytes, query: str = "") -> str:
    answer = service.ask("POST", f"/v1/batches{query}", data, NDJSON)
    assert answer.status == 202, answer.body
    return str(answer.headers["Location"])


def ended(service: Service, address: str) -> Any:
    until(lambda: service.ask("GET", address).json["state"] not in ("received", "running"))
    return service.ask("GET", address).json


def children(process: int) -> list[int]:
    """Processes that a process started, by what the kernel says."""
    return [int(text) for text in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def watcher(service: Service) -> int | None:
    """The process that watches over the workers for batches."""
    found = [child for child in children(service.process.pid) if b"--parent" in _command(child)]
    return found[0] if found else None


def _command(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def lives(process: int) -> bool:
    return b"--parent" in _command(process)


def test_the_service_scrubs_batches_with_nothing_else_started(service: Service) -> None:
    address = submit(service, ndjson(600))
    told = ended(service, address)
    assert (told["state"], told["rowsDone"]) == ("done", 600)
    lines = service.ask("GET", f"{address}/results").body.splitlines()
    assert [orjson.loads(line)["row"] for line in lines] == list(range(1, 601))


def test_workers_that_are_killed_are_replaced(service: Service) -> None:
    until(lambda: watcher(service) and children(watcher(service) or 0))
    first = watcher(service)
    assert first is not None
    os.kill(children(first)[0], signal.SIGKILL)
    assert ended(service, submit(service, ndjson(3)))["state"] == "done"
    os.kill(first, signal.SIGKILL)
    assert ended(service, submit(service, ndjson(3)))["state"] == "done"
    assert watcher(service) not in (None, first)


def test_new_rules_reach_the_workers_and_faulty_ones_do_not(tmp_path: Path) -> None:
    rules = rule_folder(tmp_path / "rules")
    claim = tbs_claim()
    claim["claimInformation"]["serviceLines"][0]["professionalService"]["serviceUnitCount"] = "2"
    data = orjson.dumps(claim)

    def fired(service: Service) -> set[str]:
        address = submit(service, data)
        ended(service, address)
        answer = orjson.loads(service.ask("GET", f"{address}/results").body)["answer"]
        return {finding["rule"]["id"] for finding in answer["findings"]}

    with running(tmp_path, **_environ(tmp_path, rules)) as service:
        assert fired(service) == {"sample-rule"}
        second = with_lines(RULE, id="id: sample-second", title="title: A second rule")
        put(rules, "sample/family/sample-second.yaml", second)
        put(rules, "sample/family/sample-second.test.yaml", CASES)
        service.process.send_signal(signal.SIGHUP)
        until(lambda: fired(service) == {"sample-rule", "sample-second"})
        put(rules, "sample/family/sample-second.test.yaml", CASES.replace("severity: warn", "severity: deny"))
        os.kill(watcher(service) or 0, signal.SIGHUP)
        until(lambda: "reload refused" in service.output.read_text())
        assert fired(service) == {"sample-rule", "sample-second"}


def test_a_worker_apart_from_the_service_does_the_same(tmp_path: Path, rules: Path) -> None:
    environ = _environ(tmp_path, rules, workers=0)
    with running(tmp_path, **environ) as service:
        address = submit(service, ndjson(3))
        command = [sys.executable, "-m", "scrubber", "worker", "--processes", "1"]
        with subprocess.Popen(command, cwd=ROOT, env=os.environ | environ, stdout=subprocess.PIPE) as worker:
            assert ended(service, address)["state"] == "done"
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(PATIENCE) == 0
            assert worker.stdout is not None
            assert orjson.loads(worker.stdout.readline())["event"] == "workers"


LATER = """
from datetime import UTC, datetime, timedelta
from scrubber.__main__ import main
from scrubber.cli import serve
serve._now = lambda: datetime.now(UTC) + timedelta(days=8)
main(["worker", "--processes", "1"])
"""


def test_nothing_of_a_batch_stays_on_the_disk(tmp_path: Path, rules: Path) -> None:
    """Neither after it is deleted nor after its time."""
    environ = _environ(tmp_path, rules)

    def with_canary() -> list[Path]:
        return [path for path in (tmp_path / "state").rglob("*") if b"CANARY" in content(path)]

    def content(path: Path) -> bytes:
        try:
            return path.read_bytes() if path.is_file() else b""
        except FileNotFoundError:  # it was removed just now
            return b""

    with running(tmp_path, **environ) as service:
        deleted, old = submit(service, _canaries()), submit(service, _canaries())
        for address in (deleted, old):
            assert ended(service, address)["counts"]["accept"] == 600
        found = with_canary()
        assert {path.name for path in found} & {"upload", "batches.sqlite-wal", "batches.sqlite"}
        assert {path.stat().st_mode & 0o077 for path in found} == {0}
        assert service.ask("DELETE", deleted).status == 204
        assert all(old.rpartition("/")[2] in path.parts or "sqlite" in path.name for path in with_canary())
        with subprocess.Popen([sys.executable, "-c", LATER], cwd=ROOT, env=os.environ | environ) as worker:
            try:
                until(lambda: service.ask("GET", old).status == 404)
                until(lambda: not with_canary())
            finally:
                worker.send_signal(signal.SIGTERM)
        assert service.ask("GET", "/v1/batches").json == {"batches": []}


def _canaries() -> bytes:
    """Claims with a canary wherever anything might keep it, in the summary of a chunk for one."""
    claim = office_claim()
    claim["tradingPartnerServiceId"] = "CANARY"
    claim["subscriber"] |= {"lastName": "CANARY", "memberId": "CANARY"}
    claim["claimInformation"]["patientControlNumber"] = "CANARY"
    return b"".join([orjson.dumps(claim) + b"\n"] * 600)


def test_a_slow_upload_is_waited_for_and_one_that_stands_still_is_not(service: Service) -> None:
    rows = ndjson(400)
    step = len(rows) // PAUSES + 1
    assert step > STEP  # what arrives in between is worth another wait
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as slow:
        slow.sendall(_head(len(rows)))
        for start in range(0, len(rows), step):
            slow.sendall(rows[start : start + step])
            time.sleep(PAUSE)
        assert b" 202 " in slow.recv(1_000)
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as still:
        still.sendall(_head(len(rows)) + rows[:100])
        assert b" 408 " in still.recv(1_000)
    assert '"failure"' not in service.output.read_text()


def _head(length: int) -> bytes:
    return (
        b"POST /v1/batches HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
        b"Content-Length: %d\r\n\r\n" % length
    )


def test_a_slow_download_is_waited_for(service: Service) -> None:
    address = submit(service, ndjson(2_000))
    ended(service, address)
    whole = service.ask("GET", f"{address}/results").body
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=PATIENCE)
    connection.connect()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    connection.request("GET", f"{address}/results")
    answer = connection.getresponse()
    read = b""
    while piece := answer.read(len(whole) // PAUSES + 1):
        read += piece
        time.sleep(PAUSE)
    assert read == whole


def test_uploads_leave_a_thread_to_those_who_wait_for_one_claim(tmp_path: Path, rules: Path) -> None:
    environ = _environ(tmp_path, rules, workers=0) | {"SCRUBBER_THREADS": "2"}
    with running(tmp_path, **environ) as service:
        with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as upload:
            upload.sendall(_head(1_000_000) + b"{" + b" " * 2 * STEP)  # less of it takes no thread
            until(lambda: list((tmp_path / "state" / "batches").glob("*")))
            assert service.scrub(orjson.dumps(office_claim())).status == 200
            answer = service.ask("POST", "/v1/batches", ndjson(1), NDJSON)
            assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
        until(lambda: service.ask("POST", "/v1/batches", ndjson(1), NDJSON).status == 202)


def test_workers_give_way_to_requests_and_end_with_a_service_that_is_killed(tmp_path: Path, rules: Path) -> None:
    with running(tmp_path, **_environ(tmp_path, rules)) as service:
        until(lambda: watcher(service) and children(watcher(service) or 0))
        theirs = [watcher(service) or 0, *children(watcher(service) or 0)]
        until(lambda: os.getpriority(os.PRIO_PROCESS, theirs[-1]) > 0)
        service.process.kill()
        until(lambda: not any(map(lives, theirs)))
