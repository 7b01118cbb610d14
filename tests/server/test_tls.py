"""HTTPS that the service speaks by itself, over its own connections: claims, batches, and clients that stall."""

from __future__ import annotations

import gzip
import http.client
import socket
import ssl
from collections.abc import Iterator

import orjson
import pytest

from tests.support.batches import ndjson
from tests.support.claims import office_claim
from tests.support.clients import request
from tests.support.service import JSON, Service, certificate_in, running, write_rules
from tests.support.waiting import PATIENCE, until

CLAIM = orjson.dumps(office_claim())
SCRUB, HEALTH = request("POST", "/v1/claims/scrub", CLAIM), request("GET", "/healthz")
STALLED = 40  # more than there are threads, of any kind


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    rules = write_rules(folder / "rules", ("sample-denied", "deny", "99213"))
    environ = {"SCRUBBER_RULES": str(rules), "SCRUBBER_STATE": str(folder / "state"), "SCRUBBER_BATCH_WORKERS": "1"}
    with running(folder, **environ, **certificate_in(folder)) as service:
        yield service


def _connected(service: Service) -> ssl.SSLSocket:
    assert service.tls is not None
    plain = socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE)
    return service.tls.wrap_socket(plain, server_hostname="127.0.0.1")


def _hello(service: Service) -> bytes:
    """What a client sends first."""
    assert service.tls is not None
    arriving, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        service.tls.wrap_bio(arriving, leaving, server_hostname="127.0.0.1").do_handshake()
    return leaving.read()


def test_a_claim_is_scrubbed_and_who_does_not_know_the_certificate_is_not_answered(service: Service) -> None:
    answer = service.scrub(CLAIM)
    assert (answer.status, answer.json["disposition"]) == (200, "deny")
    stranger = http.client.HTTPSConnection("127.0.0.1", service.port, timeout=PATIENCE)
    with pytest.raises(ssl.SSLCertVerificationError):
        stranger.request("GET", "/healthz")


def test_a_connection_is_kept_for_one_request_after_the_other(service: Service) -> None:
    connection = http.client.HTTPSConnection("127.0.0.1", service.port, timeout=PATIENCE, context=service.tls)
    connection.connect()
    first = connection.sock
    bodies = []
    for _ in range(20):
        connection.request("POST", "/v1/claims/scrub", CLAIM, JSON)
        bodies.append(connection.getresponse().read())
    assert connection.sock is first
    assert set(bodies) == {service.scrub(CLAIM).body}
    connection.close()


def test_requests_in_one_record_are_answered_in_order(service: Service) -> None:
    """TLS takes all of them off the wire at once, so that nothing says later that there is more."""
    last = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    with _connected(service) as connection:
        connection.sendall(HEALTH * 30 + SCRUB + HEALTH + last)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"200"] * 33


def test_a_request_that_comes_byte_by_byte_is_answered_alike(service: Service) -> None:
    with _connected(service) as connection:
        for at in range(len(SCRUB)):
            connection.sendall(SCRUB[at : at + 1])
        assert connection.recv(15) == b"HTTP/1.1 200 OK"


def test_a_batch_is_received_and_its_results_are_read(service: Service) -> None:
    """More than what the system keeps of an answer, so that it is sent in steps."""
    rows = 300
    sent = service.ask("POST", "/v1/batches", ndjson(rows), {"Content-Type": "application/x-ndjson"})
    assert sent.status == 202
    address = sent.headers["Location"]
    done = until(lambda: (told := service.ask("GET", address).json)["state"] == "done" and told)
    assert done["rowsDone"] == rows
    plain = service.ask("GET", f"{address}/results").body
    assert [orjson.loads(line)["row"] for line in plain.splitlines()] == list(range(1, rows + 1))
    packed = service.ask("GET", f"{address}/results", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.body) == plain
    with _connected(service) as slow:
        slow.sendall(f"GET {address}/results HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        received = b"".join(iter(lambda: slow.recv(1_000), b""))
    assert received.startswith(b"HTTP/1.1 200 ")
    assert b'"row":300,' in received


def test_clients_that_do_not_finish_their_handshake_hold_up_nobody(service: Service) -> None:
    """One says nothing, the next half of its first message, the third all of it and then nothing."""
    hello = _hello(service)
    stalled = []
    for number in range(STALLED):
        connection = socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE)
        connection.sendall((b"", hello[: len(hello) // 2], hello)[number % 3])
        stalled.append(connection)
    assert stalled[2].recv(1) == b"\x16"  # the service has begun with it: a handshake
    for _ in range(5):
        assert service.ask("GET", "/healthz").status == 200
        assert service.scrub(CLAIM).status == 200
    stalled[0].setblocking(False)
    with pytest.raises(BlockingIOError):
        stalled[0].recv(1)  # they were there all the time
    for connection in stalled:
        connection.close()
    assert service.scrub(CLAIM).status == 200


@pytest.mark.parametrize("data", [HEALTH, b"\x16\x03\x01\xff\xff" + bytes(70_000), b"CANARY\r\n\r\n"])
def test_what_is_no_tls_is_closed_and_no_failure(service: Service, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        except OSError:  # it was closed before all was sent
            answer = b""
    assert b"HTTP/1.1 200" not in answer
    assert service.ask("GET", "/healthz").status == 200
    log = service.output.read_text()
    assert '"failure"' not in log
    assert "CANARY" not in log
