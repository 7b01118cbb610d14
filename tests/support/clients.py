"""Clients that ask as fast as they are answered, and some that attack: bounded in count and time, on loopback only."""

from __future__ import annotations

import selectors
import socket
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

HOST = "127.0.0.1"


def request(method: str, path: str, body: bytes = b"", kind: str = "application/json") -> bytes:
    """The bytes of a request on a connection that is kept."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@dataclass
class Seen:
    """What clients saw: seconds of each answer by its status, 0 where the connection broke."""

    seconds: dict[int, list[float]] = field(default_factory=dict)
    without_time: int = 0  # refusals that do not say when to ask again

    def add(self, status: int, seconds: float) -> None:
        """One answer."""
        self.seconds.setdefault(status, []).append(seconds)

    @property
    def counts(self) -> Counter[int]:
        """Answers by status."""
        return Counter({status: len(found) for status, found in self.seconds.items()})

    def percentile(self, part: int, status: int = 200) -> float:
        """Milliseconds in which so many of a hundred answers came."""
        found = sorted(self.seconds.get(status, [0.0]))
        return found[min(len(found) - 1, len(found) * part // 100)] * 1e3

    def worst(self, status: int = 200) -> float:
        """Milliseconds of the slowest answer."""
        return max(self.seconds.get(status, [0.0])) * 1e3

    def mean(self, status: int = 200) -> float:
        """Milliseconds."""
        return statistics.fmean(self.seconds.get(status, [0.0])) * 1e3


class _Client:
    """One connection on which a request is sent as soon as the one before is answered."""

    def __init__(self, port: int, data: bytes) -> None:
        self._port, self._data = port, data
        self.sock = self._connected()
        self.begin()

    def _connected(self) -> socket.socket:
        sock = socket.create_connection((HOST, self._port), timeout=30)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def begin(self) -> None:
        self.begun, self._got, self._wanted = time.perf_counter(), b"", 0
        self.sock.sendall(self._data)

    def again(self) -> None:
        self.sock.close()
        self.sock = self._connected()
        self.begin()

    def read(self) -> tuple[int, bytes] | None:
        """Status and head, once the answer is whole. Raises OSError where the connection broke."""
        data = self.sock.recv(1 << 18)
        if not data:
            raise ConnectionResetError
        self._got += data
        if not self._wanted and (end := self._got.find(b"\r\n\r\n")) >= 0:
            head = self._got[:end].lower()
            at = head.index(b"content-length:") + len(b"content-length:")
            self._wanted = end + 4 + int(head[at:].split(b"\r\n", 1)[0])
        if not self._wanted or len(self._got) < self._wanted:
            return None
        return int(self._got[9:12]), self._got[: self._got.index(b"\r\n\r\n")].lower()


def closed_loop(port: int, data: bytes, clients: int, seconds: float) -> Seen:
    """So many clients, each of which sends the request again as soon as it is answered."""
    seen, selector = Seen(), selectors.DefaultSelector()
    for _ in range(clients):
        client = _Client(port, data)
        selector.register(client.sock, selectors.EVENT_READ, client)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        for key, _ in selector.select(0.1):
            _take(key.data, selector, seen)
    for key in list(selector.get_map().values()):
        key.data.sock.close()
    return seen


def _take(client: _Client, selector: selectors.BaseSelector, seen: Seen) -> None:
    try:
        answer = client.read()
        if answer is None:
            return
        status, head = answer
        seen.add(status, time.perf_counter() - client.begun)
        seen.without_time += status in (429, 503) and b"\r\nretry-after:" not in head
        client.begin()
    except OSError:
        seen.add(0, time.perf_counter() - client.begun)
        selector.unregister(client.sock)
        client.again()
        selector.register(client.sock, selectors.EVENT_READ, client)


def asked_now_and_then(port: int, data: bytes, pause: float, goes_on: Callable[[], bool]) -> Seen:
    """One client who asks on a new connection each time, with a pause in between."""
    seen = Seen()
    while goes_on():
        begun = time.perf_counter()
        status = 0
        with suppress(OSError):
            client = _Client(port, data)
            client.begun = begun
            with client.sock:
                while (answer := client.read()) is None:
                    pass
                status = answer[0]
        seen.add(status, time.perf_counter() - begun)
        time.sleep(pause)
    return seen


# What attackers send: bytes at once, and a byte a second after that where there is one.
NOTHING, HALF_A_HEAD = b"", b"POST /v1/claims/scrub HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Filler: "
HALF_A_BODY = request("POST", "/v1/claims/scrub", b" " * 9000)[:-8999]
HALF_A_BATCH = b"POST /v1/batches HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900000\r\n\r\n{" + b" " * 100
SLOW_READER = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 4
ATTACKS = (NOTHING, HALF_A_HEAD, HALF_A_BODY, HALF_A_BATCH, SLOW_READER)


class Attack:
    """So many connections at once, of each kind as many; `reopen` closes the oldest and opens others in their place."""

    def __init__(self, port: int, connections: int) -> None:
        self._port = port
        self._kinds = self._each_kind()
        self._open: list[tuple[socket.socket, bytes]] = []
        self.opened = 0
        self.broken = 0  # connections that could not be opened, or were closed by the server
        for _ in range(connections):
            self._begin()

    def _each_kind(self) -> Iterator[bytes]:
        while True:
            yield from ATTACKS

    def _begin(self) -> None:
        kind = next(self._kinds)
        sock = socket.socket()
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.settimeout(1)
            sock.connect((HOST, self._port))
            sock.sendall(kind)
        except OSError:
            self.broken += 1
            sock.close()
            return
        sock.setblocking(False)
        self._open.append((sock, kind))
        self.opened += 1

    def reopen(self, count: int) -> None:
        """Others in place of so many."""
        gone, self._open = self._open[:count], self._open[count:]
        for sock, _ in gone:
            sock.close()
        for _ in gone:
            self._begin()

    def dribble(self) -> None:
        """Each sends one more byte, and those that read take one."""
        for sock, kind in self._open:
            try:
                if kind is SLOW_READER:
                    with suppress(BlockingIOError):
                        sock.recv(1)
                elif kind:
                    sock.send(b"a" if kind is HALF_A_HEAD else b" ")
            except OSError:
                self.broken += 1

    def end(self) -> None:
        """All are closed."""
        for sock, _ in self._open:
            sock.close()


def attack(port: int, connections: int, seconds: float, a_second: int) -> tuple[int, int]:
    """Attack for so long, with so many connections anew each second; how many were opened, and how many broke."""
    attack, ends, dribbled, due = Attack(port, connections), time.monotonic() + seconds, time.monotonic(), 0.0
    last = time.monotonic()
    try:
        while (now := time.monotonic()) < ends:
            due += (now - last) * a_second
            last = now
            attack.reopen(int(due))
            due -= int(due)
            if now > dribbled + 1:
                dribbled = now
                attack.dribble()
            time.sleep(0.02)
    finally:
        attack.end()
    return attack.opened, attack.broken
