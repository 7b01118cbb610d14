"""`scrubber batch` against a real service: what people type, what they see, what they find in their files."""

from __future__ import annotations

import csv
import io
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from scrubber.cli import main
from scrubber.cli.batch_client import batches_table
from tests.support.batches import ndjson
from tests.support.service import ROOT, Service, free_port, running, write_rules
from tests.support.waiting import PATIENCE

ROWS = 620


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    rules = write_rules(folder / "rules", ("sample-denied", "deny", "77092"), ("sample-other", "warn", "99213"))
    environ = {"SCRUBBER_RULES": rules, "SCRUBBER_STATE": folder / "state", "SCRUBBER_BATCH_WORKERS": "1"}
    with running(folder, **{name: str(value) for name, value in environ.items()}) as service:
        yield service


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("claims") / "night.ndjson"
    file.write_bytes(ndjson(ROWS))
    return file


@pytest.fixture(scope="module")
def batch_id(service: Service, file: Path) -> str:
    """A batch that has ended."""
    done = batch(service, "submit", str(file), "--wait", "--json")
    assert done.returncode == 0, done.stderr
    return str(orjson.loads(done.stdout)["id"])


def batch(service: Service | str, *words: str, data: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """What the command does, without a process of its own; those that are interrupted below have one."""
    url = service if isinstance(service, str) else f"http://127.0.0.1:{service.port}"
    done = CliRunner().invoke(main, ["batch", *words], env={"SCRUBBER_URL": url}, input=data)
    return subprocess.CompletedProcess([*words], done.exit_code, done.stdout_bytes, done.stderr_bytes)


def test_a_batch_is_sent_and_waited_for(service: Service, file: Path) -> None:
    done = batch(service, "submit", str(file), "--wait", "--disable", "sample-other", "--priority", "-2")
    assert done.returncode == 0, done.stderr
    heading, row = done.stdout.decode().splitlines()
    assert heading.split()[:4] == ["ID", "STATE", "ROWS", "DONE"]
    assert row.split()[1:4] == ["done", "620", "620"]
    options = service.ask("GET", f"/v1/batches/{row.split()[0]}").json["options"]
    assert (options["disable"], options["priority"]) == (["sample-other"], -2)  # type: ignore[index]


def test_standard_input_is_sent(service: Service) -> None:
    done = batch(service, "submit", "-", "--wait", "--json", data=ndjson(2) + b"junk\n")
    assert done.returncode == 1  # a row was no claim
    assert orjson.loads(done.stdout)["counts"]["rejected"] == 1


def test_a_pipe_is_sent(service: Service, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["sh", "-c", 'cat > "$0"', str(pipe)], stdin=subprocess.PIPE) as writing:
        assert writing.stdin is not None
        writing.stdin.write(ndjson(2))
        writing.stdin.close()
        done = batch(service, "submit", str(pipe), "--wait", "--json")
    assert (done.returncode, orjson.loads(done.stdout)["rows"]) == (0, 2), done.stderr


def test_a_key_sends_a_file_once(service: Service, file: Path) -> None:
    sent = [batch(service, "submit", str(file), "--key", "night").stdout for _ in range(2)]
    assert sent[0] == sent[1]
    other = batch(service, "submit", "-", "--key", "night", data=ndjson(1))
    assert other.returncode == 2
    assert b"The idempotency key stands for another batch" in other.stderr


def test_status_is_a_table(service: Service, batch_id: str) -> None:
    listed = batch(service, "status").stdout.decode()
    assert any(line.split()[:2] == [batch_id, "done"] for line in listed.splitlines())
    told = orjson.loads(batch(service, "status", batch_id, "--json").stdout)
    assert told == service.ask("GET", f"/v1/batches/{batch_id}").json


@pytest.mark.parametrize(("width", "left_out"), [(80, {"ROWS/S", "SUBMITTED", "ACCEPT"}), (130, set()), (None, set())])
def test_a_table_fits_the_terminal(monkeypatch: pytest.MonkeyPatch, width: int | None, left_out: set[str]) -> None:
    monkeypatch.setattr("scrubber.cli.terminal.width", lambda: width)
    told = {
        "id": "0" * 32,
        "state": "cancelled",
        "why": None,
        "submitted": "2026-11-23T12:00:00.000Z",
        "rows": 1_000_000,
        "rowsDone": 1_000_000,
        "counts": dict.fromkeys(("accept", "warn", "deny", "rejected"), 100_000),
        "atRisk": "9999999.99",
        "rowsPerSecond": 9999.9,
    }
    heading, row = batches_table([told])
    assert width is None or max(len(heading), len(row)) <= width
    assert "AT RISK" in heading
    assert not left_out & set(heading.split())


def test_results_are_printed_and_narrowed(service: Service, batch_id: str) -> None:
    every = batch(service, "results", batch_id).stdout
    assert every == service.ask("GET", f"/v1/batches/{batch_id}/results").body
    denied = batch(service, "results", batch_id, "--disposition", "deny", "--rule", "sample-denied").stdout
    assert {orjson.loads(line)["answer"]["disposition"] for line in denied.splitlines()} == {"deny"}
    table = batch(service, "results", batch_id, "--csv", "--rule", "sample-other").stdout.decode()
    assert {row["rule"] for row in csv.DictReader(io.StringIO(table))} == {"sample-other"}
    assert batch(service, "results", batch_id, "--min-at-risk", "0.01").stdout == b""  # nothing prices these claims


@pytest.mark.parametrize("form", [(), ("--csv",), ("--disposition", "deny")])
@pytest.mark.parametrize("share", [0.001, 0.5, 1.0])
def test_a_file_that_was_begun_is_continued(
    service: Service, batch_id: str, tmp_path: Path, form: tuple[str, ...], share: float
) -> None:
    whole = batch(service, "results", batch_id, *form).stdout
    output = tmp_path / "output"
    output.write_bytes(whole[: int(share * len(whole))])
    done = batch(service, "results", batch_id, *form, "-o", str(output))
    assert done.returncode == 0, done.stderr
    assert output.read_bytes() == whole


def test_a_file_of_other_results_is_left_alone(service: Service, batch_id: str, tmp_path: Path) -> None:
    whole = batch(service, "results", batch_id).stdout
    for number, other in enumerate(
        (b"what a spreadsheet left\n", b'{"row":3,"claimNumber":"X"}\n', whole.replace(b"CLAIM-00619", b"CLAIM-x0619"))
    ):
        output = tmp_path / str(number)
        output.write_bytes(other)
        done = batch(service, "results", batch_id, "-o", str(output))
        assert done.returncode == 2
        assert b"holds something else" in done.stderr
        assert output.read_bytes() == other


@pytest.mark.parametrize("form", [(), ("--csv",)])
def test_a_file_that_was_begun_with_other_filters_is_left_alone(
    service: Service, batch_id: str, tmp_path: Path, form: tuple[str, ...]
) -> None:
    denied = batch(service, "results", batch_id, *form, "--disposition", "deny").stdout
    assert denied.splitlines()[-1] in batch(service, "results", batch_id, *form).stdout.splitlines()
    output = tmp_path / "output"
    output.write_bytes(denied)
    done = batch(service, "results", batch_id, *form, "-o", str(output))
    assert (done.returncode, b"holds something else" in done.stderr) == (2, True)
    assert output.read_bytes() == denied


def test_the_summary_is_tables_by_dollars(service: Service, batch_id: str) -> None:
    told = batch(service, "summary", batch_id, "--top", "1").stdout.decode()
    assert told.startswith("RULE")
    assert "sample-other" in told
    assert "... and 1 more" in told
    assert orjson.loads(batch(service, "summary", batch_id, "--json").stdout)["id"] == batch_id


def test_a_batch_is_cancelled_and_removed(service: Service) -> None:
    sent = batch(service, "submit", "-", data=ndjson(1)).stdout.decode().strip()
    cancelled = orjson.loads(batch(service, "cancel", sent, "--json").stdout)
    assert (cancelled["id"], cancelled["state"] in ("cancelled", "done")) == (sent, True)
    assert batch(service, "cancel", sent).returncode == 0
    assert batch(service, "delete", sent, data=b"n\n").returncode != 0
    assert batch(service, "delete", sent, "--yes").stdout == b"removed\n"
    gone = batch(service, "status", sent)
    assert gone.returncode == 2
    assert b"There is no such batch" in gone.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("submit", "-", "--received-on", "tomorrow"), b"`receivedOn` is a date as CCYYMMDD"),
        (("submit", "-", "--enable", "no-such-rule"), b"a rule that there is not"),
        (("submit", "-", "--webhook", "https://evil.example/"), b"SCRUBBER_WEBHOOK_HOSTS"),
        (("results", "unknown"), b"There is no such batch"),
    ],
)
def test_what_is_refused_says_why(service: Service, words: tuple[str, ...], told: bytes) -> None:
    done = batch(service, *words, data=ndjson(1))
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr
    assert b"Traceback" not in done.stderr


def test_a_service_that_is_not_there(file: Path) -> None:
    done = batch(f"http://127.0.0.1:{free_port()}", "submit", str(file))
    assert done.returncode == 2
    assert b"scrubber serve" in done.stderr
    for address in ("localhost", "http://127.0.0.1:99999"):
        assert b"--url is" in batch(address, "status").stderr


def test_a_service_that_is_started_anew_is_waited_for(tmp_path: Path, file: Path) -> None:
    environ = {"SCRUBBER_RULES": str(write_rules(tmp_path / "rules")), "SCRUBBER_STATE": str(tmp_path / "state")}
    with running(tmp_path, **environ) as service:  # without workers
        url = f"http://127.0.0.1:{service.port}"
        waiting = subprocess.Popen(
            [sys.executable, "-m", "scrubber", "batch", "submit", str(file), "--wait", "--json", "--url", url],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert waiting.stderr is not None
        batch_id = waiting.stderr.readline().split()[-1]
    seen: list[str] = []
    while not seen or "waiting for it" not in seen[-1]:
        seen.append(waiting.stderr.readline())
    environ["SCRUBBER_BATCH_WORKERS"] = "1"
    with running(tmp_path, **environ, SCRUBBER_BIND=f"127.0.0.1:{service.port}"), waiting:
        told, _ = waiting.communicate(timeout=PATIENCE)
    assert (waiting.returncode, orjson.loads(told)["id"]) == (0, batch_id)


def test_an_output_that_cannot_be_written_is_named(service: Service, batch_id: str, tmp_path: Path) -> None:
    for output in (Path("/dev/full"), tmp_path / "nowhere" / "out.ndjson"):
        done = batch(service, "results", batch_id, "-o", str(output))
        assert (done.returncode, str(output).encode() in done.stderr) == (2, True), done.stderr


def test_a_service_that_closes_while_a_batch_is_sent_is_asked_again(file: Path) -> None:
    """It refuses at once, and the client may never see why: the answer can be lost with the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        sent = subprocess.Popen(
            [sys.executable, "-m", "scrubber", "batch", "submit", str(file), "--url", address],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        listening.settimeout(PATIENCE)
        connection, _ = listening.accept()
        connection.recv(10)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        connection, _ = listening.accept()
        with connection, connection.makefile("rb") as stream:
            head = dict(
                line.strip().lower().split(b": ", 1) for line in iter(stream.readline, b"\r\n") if b": " in line
            )
            assert len(stream.read(int(head[b"content-length"]))) == file.stat().st_size
            connection.sendall(b'HTTP/1.1 202 Accepted\r\nContent-Length: 11\r\n\r\n{"id":"b1"}')
        with sent:
            assert sent.communicate(timeout=PATIENCE)[0] == b"b1\n"
