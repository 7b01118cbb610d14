"""The real service for tests: gunicorn in a process of its own, on a free port, over rules that only tests use."""

from __future__ import annotations

import http.client
import os
import secrets
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import orjson

from tests.support.claims import tbs_claim
from tests.support.waiting import PATIENCE, until

ROOT = Path(__file__).resolve().parents[2]
JSON = {"Content-Type": "application/json"}
PORTS = range(10_000, 32_000)

_PACK = """\
# yaml-language-server: $schema=../pack.schema.json
name: sample
title: Sample rules
about: Rules that only tests use.
adoption: everyone
"""
_RULE = """\
# yaml-language-server: $schema=../../rule.schema.json
id: {id}
version: 1
title: A code that is always {severity}
status: active
severity: {severity}
stage: adjudication
category: coding
scope: line
owner: testing
reviewed: "{today}"
effective: {{from: "2020-01-01"}}
authority:
  - {{kind: house-policy, title: Sample policy}}
applies: {{procedure: {{any: ["{code}"]}}}}
when: {{fact: charge, over: "1.00"}}
message: "Line {{line}} bills {{procedure}}."
fix: Bill another code.
reason: {{group: CO, carc: "16"}}
at-risk: line-allowed
"""
_CASES = """\
# yaml-language-server: $schema=../../rule-test.schema.json
- name: the code
  claim: tbs
  change: {{line.1.procedure: "{code}"}}
  finds: [{{line: 1, severity: {severity}}}]
- name: the code at another charge
  claim: tbs
  change: {{line.1.procedure: "{code}", line.1.charge: "2.00"}}
  finds: [{{line: 1}}]
- name: the code at a dollar
  claim: tbs
  change: {{line.1.procedure: "{code}", line.1.charge: "1.00"}}
  finds: []
- name: another code
  claim: tbs
  change: {{line.1.procedure: "76977"}}
  finds: []
"""


def write_rules(folder: Path, *codes: tuple[str, str, str]) -> Path:
    """A folder of rules: for each (id, severity, code), one that fires on every line with that code, and its tests.

    They were reviewed today, whichever day it is: after a year lint warns of a rule.
    """
    lines = folder / "sample" / "lines"
    lines.mkdir(parents=True, exist_ok=True)
    (folder / "claims").mkdir(exist_ok=True)
    (folder / "claims" / "tbs.json").write_bytes(orjson.dumps(tbs_claim()))
    (folder / "sample" / "pack.yaml").write_text(_PACK)
    (folder / "sample" / "CHANGES.md").write_text("# Changes\n")
    for rule_id, severity, code in codes:
        text = _RULE.format(id=rule_id, severity=severity, code=code, today=datetime.now(UTC).date())
        (lines / f"{rule_id}.yaml").write_text(text)
        (lines / f"{rule_id}.test.yaml").write_text(_CASES.format(severity=severity, code=code))
    return folder


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        """The body, parsed."""
        parsed: dict[str, object] = orjson.loads(self.body)
        return parsed


@dataclass
class Service:
    """A running service; its output is collected in a file."""

    port: int
    process: subprocess.Popen[bytes]
    output: Path
    tls: ssl.SSLContext | None = None

    def ask(
        self,
        method: str,
        address: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own."""
        connection = (
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            if self.tls is None
            else http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE, context=self.tls)
        )
        try:
            connection.request(method, address, body, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def scrub(self, body: bytes, query: str = "") -> Answer:
        """Post a claim."""
        return self.ask("POST", f"/v1/claims/scrub{query}", body, JSON)

    def raw(self, request: bytes) -> bytes:
        """Send bytes as they are; return whatever comes until the service closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65_536), b""))

    def stop(self) -> int:
        """TERM; returns the exit code."""
        self.process.terminate()
        return self.process.wait(timeout=PATIENCE)


@contextmanager
def running(folder: Path, *command: str, **environ: str) -> Iterator[Service]:
    """`scrubber serve`, or another command line of Python, with one worker; its output goes to `folder`.

    On a free port of 127.0.0.1, unless SCRUBBER_BIND names one. A certificate that it has is trusted.
    """
    port = int(environ["SCRUBBER_BIND"].rpartition(":")[2]) if "SCRUBBER_BIND" in environ else free_port()
    output = folder / "output.txt"
    with output.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, *(command or ("-m", "scrubber", "serve"))],
            cwd=ROOT,
            env=os.environ
            | {"SCRUBBER_BIND": f"127.0.0.1:{port}", "SCRUBBER_WORKERS": "1", "SCRUBBER_BATCH_WORKERS": "0"}
            | environ,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    certificate = environ.get("SCRUBBER_TLS_CERTIFICATE")
    trusted = ssl.create_default_context(cafile=certificate) if certificate else None
    service = Service(port, process, output, trusted)
    try:
        until(lambda: _answers(service), "the service did not start")
        yield service
    finally:
        service.stop()


def certificate_in(folder: Path) -> dict[str, str]:
    """Settings for HTTPS with a certificate that nobody else trusts."""
    settings = {
        "SCRUBBER_TLS_CERTIFICATE": str(folder / "certificate.pem"),
        "SCRUBBER_TLS_KEY": str(folder / "certificate-key.pem"),
    }
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    subprocess.run(
        [
            *command.split(),
            *("-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"),
            *("-out", settings["SCRUBBER_TLS_CERTIFICATE"], "-keyout", settings["SCRUBBER_TLS_KEY"]),
        ],
        check=True,
        capture_output=True,
    )
    return settings


def free_port() -> int:
    """A port that nobody listens on just now.

    Below those that Linux gives to connections, and at random: tests in other processes look for ports as well.
    """
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _answers(service: Service) -> bool:
    assert service.process.poll() is None, service.output.read_text()
    with suppress(OSError):
        service.ask("GET", "/healthz")
        return True
    return False
