"""What is done for batches beside their chunks: ends are told to webhooks, and nothing is kept past its time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest

from scrubber.batch import maintenance
from scrubber.batch.maintenance import UNTOUCHED, Maintenance, MaintenanceOptions, allowed, signature
from scrubber.batch.storage.files import FolderFileStore
from scrubber.batch.storage.sqlite import SqliteJobStore
from scrubber.batch.work import WorkContext
from scrubber.scrub import Scrubber
from tests.support.batches import NOW, context, ndjson, submit, work_off
from tests.support.waiting import until

SECRET = "a secret of the tests"  # noqa: S105
WEEK = timedelta(days=7)
HERE = MaintenanceOptions(WEEK, ("127.0.0.1", "localhost"), SECRET)


class Receiver:
    """A server that is told of ends, and answers with these statuses, the last of them for ever."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.told: list[tuple[str, dict[str, str], bytes]] = []
        self.port = 0

    @contextmanager
    def running(self, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
        receiver = self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                names = {name.lower(): value for name, value in self.headers.items()}
                receiver.told.append((self.path, names, content))
                left = receiver.statuses
                self.send_response(left.pop(0) if len(left) > 1 else left[0])
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "FIRST_DELAY", 0.02)


def run(on: WorkContext, chosen: MaintenanceOptions = HERE, tries: int = 1) -> list[tuple[str, dict[str, object]]]:
    """Maintenance for a while. Returns what the log was told."""
    logged: list[tuple[str, dict[str, object]]] = []
    errands = Maintenance(chosen, lambda *said: logged.append(said))
    for _ in range(tries):
        until(lambda: errands(on), "there was nothing to do")
    return logged


def test_the_end_of_a_batch_is_told_once_signed_and_without_claims(tmp_path: Path, shipped: Scrubber) -> None:
    on = context(tmp_path, shipped)
    with Receiver(204).running() as receiver:
        submit(on, ndjson(3) + b"junk\n", webhook=f"http://localhost:{receiver.port}/done?from=a")
        assert not Maintenance(HERE, lambda *_: None)(on)
        work_off(on)
        run(on)
        assert not Maintenance(HERE, lambda *_: None)(on)
    [(address, headers, content)] = receiver.told
    assert address == "/done?from=a"
    told = orjson.loads(content)
    assert {"id", "state", "rows", "counts"} == set(told)
    assert (told["id"], told["state"], told["rows"], told["counts"]["rejected"]) == ("b1", "done", 4, 1)
    assert headers["webhook-id"] == "b1"
    signed = b"b1.%b.%b" % (headers["webhook-timestamp"].encode(), content)
    mac = base64.b64encode(hmac.digest(SECRET.encode(), signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{mac}"
    assert int(headers["webhook-timestamp"]) == int(NOW.timestamp())


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of its specification."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105
    made = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("end", ["cancel", "fail", "empty"])
def test_every_end_is_told(tmp_path: Path, shipped: Scrubber, end: str) -> None:
    on = context(tmp_path, shipped)
    with Receiver(200).running() as receiver:
        submit(on, b"\n" if end == "empty" else ndjson(1), webhook=f"http://127.0.0.1:{receiver.port}")
        if end == "cancel":
            on.job_store.cancel("b1", NOW)
        elif end == "fail":
            on.job_store.fail("b1", "why", NOW)
        work_off(on)
        run(on)
    expected = {"cancel": "cancelled", "fail": "failed", "empty": "failed"}[end]
    assert [orjson.loads(content)["state"] for _, _, content in receiver.told] == [expected]


def test_who_fails_or_sends_elsewhere_is_told_again(tmp_path: Path, shipped: Scrubber) -> None:
    on = context(tmp_path, shipped)
    with Receiver(500, 302, 200).running() as receiver:
        submit(on, b"\n", webhook=f"http://127.0.0.1:{receiver.port}/here")
        work_off(on)
        run(on, tries=3)
        assert not Maintenance(HERE, lambda *_: None)(on)
    assert [(address, headers["webhook-id"]) for address, headers, _ in receiver.told] == [("/here", "b1")] * 3


def test_nobody_there_is_tried_again_later_and_given_up_in_the_end(
    tmp_path: Path, shipped: Scrubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "MOST_TRIES", 3)
    on = context(tmp_path, shipped)
    submit(on, b"\n", webhook="http://127.0.0.1:1/CANARY")
    work_off(on)
    logged = run(on, tries=3)
    assert logged == [("webhook given up", {"batch": "b1", "tries": 3, "status": None})]
    assert on.job_store.next_announcement() is None


def test_delays_grow_to_an_hour_and_go_on_for_about_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    delays = [maintenance.delay(tries) for tries in range(1, maintenance.MOST_TRIES)]
    assert delays == sorted(delays)
    assert (delays[0], delays[-1]) == (5.0, 3_600.0)
    assert 20 * 3_600 < sum(delays) < 28 * 3_600


def test_what_a_killed_process_was_to_tell_is_told_by_another(tmp_path: Path, shipped: Scrubber) -> None:
    on = context(tmp_path, shipped, job_store=SqliteJobStore(tmp_path / "batches.sqlite", 0.05))
    with Receiver(200).running() as receiver:
        submit(on, b"\n", webhook=f"http://127.0.0.1:{receiver.port}")
        work_off(on)
        assert on.job_store.next_announcement() is not None  # and here it dies
        assert on.job_store.next_announcement() is None
        run(on)
    assert len(receiver.told) == 1


@pytest.mark.parametrize(
    "chosen", [MaintenanceOptions(WEEK, ("hooks.example",), SECRET), MaintenanceOptions(WEEK, ("127.0.0.1",), None)]
)
def test_a_host_that_is_allowed_no_more_is_not_told(
    tmp_path: Path, shipped: Scrubber, chosen: MaintenanceOptions
) -> None:
    on = context(tmp_path, shipped)
    with Receiver(200).running() as receiver:
        submit(on, b"\n", webhook=f"http://127.0.0.1:{receiver.port}")
        work_off(on)
        run(on, chosen)
    assert receiver.told == []
    assert on.job_store.next_announcement() is None


def test_a_receiver_that_is_gone_is_left_alone(tmp_path: Path, shipped: Scrubber) -> None:
    on = context(tmp_path, shipped)
    with Receiver(410).running() as receiver:
        submit(on, b"\n", webhook=f"http://127.0.0.1:{receiver.port}")
        work_off(on)
        assert [event for event, _ in run(on)] == ["webhook given up"]
    assert on.job_store.next_announcement() is None


def test_a_proxy_of_the_environment_is_not_used(
    tmp_path: Path, shipped: Scrubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    on = context(tmp_path, shipped)
    with Receiver(200).running() as receiver:
        submit(on, b"\n", webhook=f"http://127.0.0.1:{receiver.port}")
        work_off(on)
        run(on)
    assert len(receiver.told) == 1


def test_https_is_checked(tmp_path: Path, shipped: Scrubber, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    made = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject)
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    on = context(tmp_path, shipped)
    with Receiver(200).running(tls) as receiver:
        submit(on, b"\n", webhook=f"https://localhost:{receiver.port}/")
        work_off(on)
        run(on)  # nobody vouches for it
        assert receiver.told == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        run(on)
    assert len(receiver.told) == 1


def test_a_receiver_that_answers_in_drops_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "SECONDS", 0.3)
    listening = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler).socket

    sent: list[int] = []

    def drop() -> None:
        connection, _ = listening.accept()
        with suppress(OSError):
            for byte in b"HTTP/1.1 200 OK" * 20:
                connection.send(bytes([byte]))
                sent.append(byte)
                time.sleep(0.1)

    threading.Thread(target=drop, daemon=True).start()
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    assert maintenance.post(address, "b1", b"{}", SECRET, NOW) is None
    assert len(sent) < 300  # all would take half a minute
    listening.close()


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("https://hooks.example/done", True),
        ("http://HOOKS.example:8080", True),
        ("https://hooks.example.evil.example/", False),
        ("https://evil.example/hooks.example", False),
        ("https://evil.example#@hooks.example/", False),
        ("https://user@hooks.example/", False),
        ("https://@hooks.example/", False),
        ("https://hooks.example:99999/", False),
        ("https://hooks.example\\.evil.example/", False),
        ("ftp://hooks.example/", False),
        ("//hooks.example/", False),
        ("https://[hooks.example/", False),
    ],
)
def test_addresses(address: str, is_allowed: bool) -> None:
    assert allowed(address, ("hooks.example",)) is is_allowed


def test_a_batch_that_is_deleted_is_told_no_more(tmp_path: Path, shipped: Scrubber) -> None:
    on = context(tmp_path, shipped)
    submit(on, b"\n", webhook="http://127.0.0.1:1/")
    work_off(on)
    on.job_store.delete("b1")
    assert on.job_store.next_announcement() is None


def test_batches_are_removed_after_their_time_and_not_before(tmp_path: Path, shipped: Scrubber) -> None:
    on = context(tmp_path, shipped)
    submit(on, ndjson(1), "old")
    submit(on, ndjson(1), "running")
    on.job_store.cancel("old", NOW - WEEK - timedelta(seconds=1))
    submit(on, ndjson(1), "new")
    on.job_store.cancel("new", NOW - WEEK + timedelta(seconds=1))
    Maintenance(HERE, lambda *_: None)(on)
    assert {batch.id for batch in on.job_store.batches(9)} == {"running", "new"}
    assert {path.name for path in (tmp_path / "batches").iterdir()} == {"running", "new"}


def test_bytes_of_no_batch_are_swept_but_not_those_under_way(tmp_path: Path, shipped: Scrubber) -> None:
    on = context(tmp_path, shipped)
    long_ago = (NOW - UNTOUCHED - timedelta(seconds=1)).timestamp()
    submit(on, ndjson(1), "kept")
    on.file_store.receive("crashed", [b"CANARY"])
    on.file_store.receive("under-way", [b"CANARY"])
    on.file_store.receive("half-removed", [b"CANARY"])
    (tmp_path / "batches" / "half-removed").rename(tmp_path / "batches" / "half-removed.removed")
    for path in (tmp_path / "batches").rglob("*"):
        os.utime(path, (long_ago, long_ago))
    os.utime(tmp_path / "batches" / "under-way" / "upload", (NOW.timestamp(), NOW.timestamp()))
    Maintenance(HERE, lambda *_: None)(on)
    assert {path.name for path in (tmp_path / "batches").iterdir()} == {"kept", "under-way"}


def test_whoever_works_on_a_batch_that_is_removed_leaves_nothing(tmp_path: Path) -> None:
    file_store = FolderFileStore(tmp_path / "batches")
    file_store.receive("b1", [b"CANARY"])
    with (tmp_path / "batches" / "b1" / "0000001-token").open("wb") as held:
        file_store.remove("b1")
        held.write(b"CANARY")
    assert list((tmp_path / "batches").iterdir()) == []
