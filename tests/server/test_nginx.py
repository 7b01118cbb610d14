"""The nginx configuration of deploy/, as a real nginx runs it before the real service."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import orjson
import pytest

from tests.support.batches import ndjson
from tests.support.claims import office_claim
from tests.support.service import JSON, ROOT, Answer, Service, free_port, running, write_rules
from tests.support.waiting import PATIENCE, until

NAME = "claims.example"
CONFIGURATION = ROOT / "deploy" / "nginx.conf"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")

if os.environ.get("CI") is None:
    pytestmark = pytest.mark.skipif(
        NGINX is None or shutil.which("openssl") is None, reason="nginx and openssl are not installed"
    )


class Proxy:
    """A running nginx, and how to ask through it."""

    def __init__(self, port: int, certificate: Path) -> None:
        self._port = port
        self._trust = ssl.create_default_context(cafile=str(certificate))

    def connected(self) -> ssl.SSLSocket:
        """A connection on which TLS is agreed upon."""
        return self._trust.wrap_socket(
            socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE), server_hostname=NAME
        )

    def ask(
        self, method: str, address: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection(NAME, timeout=PATIENCE)
        connection.sock = self.connected()
        with connection.sock:
            connection.request(method, address, body, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())


def _certificate(folder: Path) -> Path:
    subject = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    files = ["-keyout", str(folder / f"{NAME}.key"), "-out", str(folder / f"{NAME}.crt")]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "7300"]
    subprocess.run(["openssl", "req", "-x509", *key, *subject, *files], check=True, capture_output=True)
    return folder / f"{NAME}.crt"


@contextmanager
def _nginx(folder: Path, service: int) -> Iterator[Proxy]:
    """nginx with the configuration as it is shipped, but for ports and folders."""
    certificate, port = _certificate(folder), free_port()
    text = CONFIGURATION.read_text().replace("listen 443", f"listen 127.0.0.1:{port}")
    text = text.replace("server 127.0.0.1:8080", f"server 127.0.0.1:{service}")
    text = re.sub(r"/(etc/nginx/tls|run|var/log/nginx|var/lib/nginx)/", f"{folder}/", text)
    (folder / "nginx.conf").write_text(text)
    assert NGINX is not None
    process = subprocess.Popen(
        [NGINX, "-c", str(folder / "nginx.conf"), "-e", str(folder / "first.log"), "-g", "daemon off;"],
        stderr=subprocess.PIPE,
    )
    proxy = Proxy(port, certificate)
    try:
        until(lambda: _listens(process, port), "nginx did not start")
        yield proxy
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    assert process.poll() is None, process.stderr and process.stderr.read()
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE):
        return True
    return False


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    rules = write_rules(folder / "rules", ("sample-denied", "deny", "77092"))
    environ = {"SCRUBBER_RULES": str(rules), "SCRUBBER_STATE": str(folder / "state"), "SCRUBBER_HOSTS": NAME}
    with running(folder, **environ, SCRUBBER_OPEN="yes") as service:
        yield service


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, service: Service) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    with _nginx(folder, service.port) as proxy:
        yield proxy


def test_claims_and_batches_pass_through(proxy: Proxy) -> None:
    claim = orjson.dumps(office_claim())
    assert proxy.ask("POST", "/v1/claims/scrub", claim, JSON).status == 200
    batch = proxy.ask("POST", "/v1/batches", ndjson(50), {"Content-Type": "application/x-ndjson"})
    assert batch.status == 202
    assert proxy.ask("GET", str(batch.headers["Location"])).json["id"]


def test_a_claim_that_is_too_large_stops_at_the_proxy(proxy: Proxy) -> None:
    assert proxy.ask("POST", "/v1/claims/scrub", b" " * 11_000_000, JSON).status == 413


def test_half_a_claim_never_reaches_the_service(proxy: Proxy, service: Service) -> None:
    """nginx waits for the rest by itself: forty such connections are nothing to the service."""
    before = service.output.read_text().count('"event":"request"')
    head = f"POST /v1/claims/scrub HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 9000\r\n\r\n{{"
    held = [proxy.connected() for _ in range(40)]
    for connection in held:
        connection.sendall(head.encode())
    assert proxy.ask("GET", "/healthz").status == 200
    assert service.output.read_text().count('"event":"request"') == before + 1
    for connection in held:
        connection.close()


def test_a_sender_may_not_hold_all_connections(proxy: Proxy) -> None:
    head = f"POST /v1/claims/scrub HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 9000\r\n\r\n{{"
    held = [proxy.connected() for _ in range(101)]
    for connection in held:
        connection.sendall(head.encode())
    # Which of them it refuses is a matter of which of its processes was quicker; most often the last.
    assert until(lambda: any(_is_refused(connection) for connection in reversed(held)))
    for connection in held:
        connection.close()


def _is_refused(connection: ssl.SSLSocket) -> bool:
    connection.settimeout(0.02)
    with suppress(TimeoutError, OSError):
        return b" 429 " in connection.recv(1_000)
    return False
