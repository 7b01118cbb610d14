"""Connections of the real server: slow and half-sent requests, more than can be answered, requests cut anywhere."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

from tests.support.claims import office_claim, tbs_claim
from tests.support.clients import Attack, asked_now_and_then, attack, closed_loop, request
from tests.support.service import Service, running, write_rules
from tests.support.waiting import PATIENCE, until

CLAIM = orjson.dumps(office_claim())
SCRUB, HEALTH = request("POST", "/v1/claims/scrub", CLAIM), request("GET", "/healthz")
HEAD = b"POST /v1/claims/scrub HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
SERVE = """
from scrubber.__main__ import main
from scrubber.server.connections import answers
{}
main(["serve"])
"""
FEW_ARE_TAKEN = SERVE.format("answers.MAX_QUEUE_SECONDS = 0\nanswers.ALWAYS_TAKEN = 2")
TWENTY_CONNECTIONS = SERVE.format("answers.MAX_CONNECTIONS = 20")


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rules(tmp_path_factory.mktemp("rules"), ("sample-denied", "deny", "77092"))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, rules: Path) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    with running(folder, SCRUBBER_RULES=str(rules), SCRUBBER_STATE=str(folder / "state")) as service:
        yield service


def _attacked(service: Service, connections: int, seconds: float, a_second: int) -> None:
    """Health is told and claims are scrubbed all the time, and afterwards nothing is left of it."""
    with ThreadPoolExecutor(3) as pool:
        attacker = pool.submit(attack, service.port, connections, seconds, a_second)
        asked = [
            pool.submit(asked_now_and_then, service.port, data, 0.05, lambda: not attacker.done())
            for data in (HEALTH, SCRUB)
        ]
        for seen in (one.result() for one in asked):
            assert set(seen.counts) == {200}
        assert attacker.result()[0] >= connections
    assert service.scrub(CLAIM).status == 200
    assert '"failure"' not in service.output.read_text()


def test_connections_that_send_or_read_slowly_hold_up_nobody(service: Service) -> None:
    _attacked(service, connections=100, seconds=3, a_second=50)


@pytest.mark.proof
def test_five_hundred_connections_reopened_for_a_minute_hold_up_nobody(service: Service) -> None:
    _attacked(service, connections=500, seconds=60, a_second=100)


def test_what_would_wait_too_long_is_refused_at_once(tmp_path: Path, rules: Path) -> None:
    with running(tmp_path, "-c", FEW_ARE_TAKEN, SCRUBBER_RULES=str(rules), SCRUBBER_THREADS="1") as service:
        ended = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            health = pool.submit(asked_now_and_then, service.port, HEALTH, 0.02, lambda: not ended.is_set())
            seen = closed_loop(service.port, SCRUB, clients=30, seconds=3)
            ended.set()
            assert set(health.result().counts) == {200}
        assert set(seen.counts) == {200, 503}
        assert seen.without_time == 0  # each refusal says when to ask again
        until(lambda: set(closed_loop(service.port, SCRUB, clients=2, seconds=1).counts) == {200})


def test_past_the_most_connections_the_oldest_idle_ones_are_closed(tmp_path: Path, rules: Path) -> None:
    with running(tmp_path, "-c", TWENTY_CONNECTIONS, SCRUBBER_RULES=str(rules)) as service:
        idle = [socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) for _ in range(25)]
        assert service.scrub(CLAIM).status == 200
        for connection in idle[:5]:
            assert connection.recv(1) == b""
        idle[-1].sendall(SCRUB)
        assert idle[-1].recv(15) == b"HTTP/1.1 200 OK"
        for connection in idle:
            connection.close()


def _answers(service: Service, *pieces: bytes) -> bytes:
    """What comes back until the service closes the connection, the pieces being sent one by one."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize("chunked", [False, True])
def test_a_request_that_comes_byte_by_byte_is_answered_alike(service: Service, chunked: bool) -> None:
    body = orjson.dumps(tbs_claim())
    if chunked:
        half = len(body) // 2
        parts = b"".join(b"%x;a=b\r\n%s\r\n" % (len(part), part) for part in (body[:half], body[half:]))
        sent = HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + parts + b"0\r\nX-Trailer: 1\r\n\r\n"
    else:
        sent = HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    answer = _answers(service, *(sent[at : at + 1] for at in range(len(sent))))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(service.scrub(body).body)


def test_requests_that_come_at_once_are_answered_in_order(service: Service) -> None:
    last = HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}"
    answer = _answers(service, HEALTH + SCRUB + HEALTH + last)
    assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"200", b"422"]


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: 4\r\nContent-Length: 4\r\n\r\n{}{}",
        b"Content-Length: 4, 4\r\n\r\n{}{}",
        b"Content-Length: +4\r\n\r\n{}{}",
        b"Transfer-Encoding: gzip\r\n\r\n{}{}",
        b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}{}\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
    ],
)
def test_a_body_of_doubtful_length_is_refused_and_nothing_after_it_is_read(service: Service, framing: bytes) -> None:
    smuggled = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = _answers(service, HEAD + framing + smuggled)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 "))
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_client_that_asks_first_is_told_to_send_its_body(service: Service) -> None:
    head = HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(CLAIM)
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as connection:
        connection.sendall(head)
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(CLAIM)
        assert connection.recv(15) == b"HTTP/1.1 200 OK"


def test_a_client_that_asks_first_is_refused_without_sending_its_body(service: Service) -> None:
    head = HEAD + b"Expect: 100-continue\r\nContent-Length: 10000001\r\n\r\n"
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as connection:
        connection.sendall(head)
        assert connection.recv(12) == b"HTTP/1.1 413"


def test_an_answer_that_is_not_read_holds_no_thread(tmp_path: Path, rules: Path) -> None:
    with running(tmp_path, SCRUBBER_RULES=str(rules), SCRUBBER_THREADS="1") as service:
        readers = Attack(service.port, 50)
        until(lambda: service.output.read_text().count('"route":"/docs/<name>"') >= 5)
        assert service.ask("GET", "/docs").status == 200
        assert service.scrub(CLAIM).status == 200
        readers.end()


# What is refused before the application sees it


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
KNOWN = f"X-Request-Id: sender-4711\r\ntraceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\n".encode()
HURRIED = SERVE.format("from scrubber.api import limits\nlimits.SECONDS = 1")
NONE_IS_TAKEN = SERVE.format("answers.MAX_QUEUE_SECONDS = -1\nanswers.ALWAYS_TAKEN = -1")


def _logged(service: Service, status: int) -> list[dict[str, object]]:
    lines = [orjson.loads(line) for line in service.output.read_text().splitlines()]
    return [line for line in lines if line["event"] == "request" and line["status"] == status]


@pytest.mark.parametrize(
    ("head", "known"),
    [
        (KNOWN, True),
        (KNOWN.lower(), True),
        (b"X-Request-Id: CANARY\r\ntraceparent: 00-CANARY\r\n", False),
        (b"X-Request-Id: sender-1\r\nX-Request-Id: sender-2\r\n", False),
        (b"X-Request-Id: subscriber-4711\r\n", False),  # it stands in the claim
    ],
)
def test_a_refusal_in_an_overload_has_the_ids_of_the_sender(
    tmp_path: Path, rules: Path, head: bytes, known: bool
) -> None:
    body = b'{"subscriber": {"memberId": "subscriber-4711"}}'
    with running(tmp_path, "-c", NONE_IS_TAKEN, SCRUBBER_RULES=str(rules)) as service:
        sent = HEAD + head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        _is_known(_answers(service, sent), service, 503, known)


def test_a_request_that_does_not_arrive_in_time_is_refused_with_the_ids_of_the_sender(
    tmp_path: Path, rules: Path
) -> None:
    with running(tmp_path, "-c", HURRIED, SCRUBBER_RULES=str(rules)) as service:
        for head in (KNOWN, b"X-Request-Id: subscriber-4711\r\n"):
            answer = _answers(service, HEAD + head + b'Content-Length: 1000\r\n\r\n{"memberId": "subscriber-4711"')
            _is_known(answer, service, 408, head is KNOWN)
        _is_known(_answers(service, HEAD + KNOWN), service, 408, known=False)  # its head is not at its end


def _is_known(answer: bytes, service: Service, status: int, known: bool) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.decode().split("\r\n"))}
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert headers["cache-control"] == "no-store"
    assert (headers["x-request-id"] == "sender-4711") == known
    assert (headers["traceparent"].split("-")[1] == TRACE) == known
    line = _logged(service, status)[-1]
    assert (line["request"], line["traceparent"]) == (headers["x-request-id"], headers["traceparent"])
    assert line["waited"] == 0
    assert b"4711" not in body
    for value in ("CANARY", "subscriber-4711", "sender-1", "sender-2"):
        assert value not in answer.decode()
        assert value not in service.output.read_text()


def test_the_log_says_how_long_a_request_waited_for_its_thread(tmp_path: Path, rules: Path) -> None:
    """One thread and many who ask at once: all but one wait while others are answered."""
    with running(tmp_path, SCRUBBER_RULES=str(rules), SCRUBBER_THREADS="1") as service:
        closed_loop(service.port, SCRUB, clients=4, seconds=1)
        service.ask("GET", "/docs")
        lines = _logged(service, 200)
    assert all(isinstance(line["waited"], float) and line["waited"] >= 0 for line in lines)
    scrubbed = [line for line in lines if line["route"] == "/v1/claims/scrub"]
    assert max(float(str(line["waited"])) for line in scrubbed) >= min(float(str(line["ms"])) for line in scrubbed)
