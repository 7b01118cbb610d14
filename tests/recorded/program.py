"""The program as its users meet it: bytes of the HTTP API and of the command line. Nothing else here imports it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import click
import orjson
from click.testing import CliRunner
from flask.testing import FlaskClient

from scrubber.app import create_app
from scrubber.authoring.case_claim import claim_of
from scrubber.authoring.run_tests import all_cases, prepare_case
from scrubber.cli import main as command_line
from scrubber.config import Settings
from scrubber.scrub import Scrubber, open_scrubber
from tests.support.claims import office_claim, tbs_claim
from tests.support.service import Service, running
from tests.support.waiting import until

# All that is imported from the program and from what tests share: the only lines to edit when modules have moved.

ROOT = Path(__file__).resolve().parents[2]
Body = dict[str, Any]

JSON = "application/json"
NDJSON = "application/x-ndjson"
CLAIMS_OF_TESTS: Mapping[str, Body] = {"office": office_claim(), "tbs": tbs_claim()}
RECEIVED_ON = "20261123"
MAX_BODY_BYTES = 2_000_000
SERVE = ("-P", "-m", "scrubber", "serve")  # without the source beside it where the compiled package is tried
# Terminals, locales and settings of whoever runs this must not show in what is recorded.
_ENVIRONMENT = {"COLUMNS": "100", "LINES": "40", "NO_COLOR": "1", "LC_ALL": "C.UTF-8", "HOME": "home"}
_PLACEHOLDERS = (
    (re.compile(rb'(?<="requestId":)"[^"]*"'), b'"REQUEST-ID"'),
    (re.compile(rb"(?m)^X-Request-Id: .*$"), b"X-Request-Id: REQUEST-ID"),
    (re.compile(rb"(?m)^traceparent: .*$"), b"traceparent: TRACE"),
    (re.compile(rb"(?m)^(Date|Last-Modified): .*$"), rb"\1: MOMENT"),
    # Of a file, when it was installed; that of rules is their digest.
    (re.compile(rb'(?m)^ETag: "[0-9.]+-[0-9]+-[0-9]+"$'), b'ETag: "FILE"'),
    (re.compile(rb"\((source|compiled)\)"), b"(SOURCE-OR-COMPILED)"),
)
_OF_BATCHES = (
    (re.compile(rb'(?<="id":)"[^"]*"'), b'"BATCH-ID"'),
    (re.compile(rb'"(submitted|started|ended)":"[^"]*"'), rb'"\1":"MOMENT"'),
    (re.compile(rb'(?<="rowsPerSecond":)[0-9.]+'), b'"RATE"'),
)


class Claim(NamedTuple):
    """A body to send, and the day of receipt that the request states (CCYYMMDD)."""

    name: str
    body: bytes
    received_on: str = RECEIVED_ON


class CaseClaim(NamedTuple):
    """The claim of a test case of a rule, which fires on it or not.

    `client` is a service with the rows or releases that the case brings; None: the service with what is shipped.
    """

    claim: Claim
    rule: str
    fires: bool
    client: FlaskClient | None


class Program:
    """The program over the shipped rules and starter tables, run in a folder of its own, which `close` removes."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name)
        self._log = Path(os.devnull).open("w")  # noqa: SIM115 -- closed with this
        # Commands print the folder of rules as it is given, so it is a short one below the current folder.
        shutil.copytree(ROOT / "rules", self.folder / "rules")
        shutil.copytree(ROOT / "examples", self.folder / "examples")

    def close(self) -> None:
        """Remove its folder."""
        self._log.close()
        self._folder.cleanup()

    @cached_property
    def _scrubber(self) -> Scrubber:
        return open_scrubber(self.folder / "rules", None)

    @cached_property
    def client(self) -> FlaskClient:
        """The HTTP API."""
        return self._client(self._scrubber)

    def _client(self, scrubber: Scrubber) -> FlaskClient:
        settings = Settings("127.0.0.1", 0, self.folder / "rules", None, 1, 1, MAX_BODY_BYTES)
        with contextlib.redirect_stdout(self._log):
            return create_app(settings, scrubber).test_client()

    def case_claims(self) -> Iterator[CaseClaim]:
        """Every test case of every shipped rule."""
        folder = self.folder / "rules"
        clients: dict[Any, FlaskClient] = {}
        for case in all_cases(folder, self._scrubber.rulebook):
            ready = prepare_case(case, self._scrubber, folder)
            client = None
            if ready.scrubber is not self._scrubber and (case.tables or case.releases != "starter"):
                active = self._scrubber.rulebook.rules[case.rule].status == "active"
                key = repr(case.tables), case.releases, None if active else case.rule  # one that does not run does here
                client = clients[key] if key in clients else self._client(ready.scrubber)
                clients[key] = client
            name = f"{case.rule}-{case.line}"
            claim = Claim(name, dumped(claim_of(case, folder)), f"{ready.received_on:%Y%m%d}")
            yield CaseClaim(claim, case.rule, bool(case.finds), client)

    def ask(
        self,
        method: str,
        address: str,
        body: bytes | None = None,
        media_type: str | None = JSON,
        client: FlaskClient | None = None,
        **headers: str,
    ) -> bytes:
        """One request: status, headers and body as they came."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        response = (client or self.client).open(
            address, method=method, data=body, content_type=media_type if body is not None else None, headers=given
        )
        told = response.headers.items()
        # Flask takes the methods from a set.
        told = [(name, ", ".join(sorted(value.split(", "))) if name == "Allow" else value) for name, value in told]
        head = "".join(f"{name}: {value}\n" for name, value in sorted(told))
        return _neutral(f"{response.status_code}\n{head}\n".encode() + response.get_data())

    def command(self, *words: str, stdin: bytes = b"") -> bytes:
        """One command: its exit code, output and errors."""
        with contextlib.chdir(self.folder):
            done = CliRunner().invoke(command_line, words, input=stdin, prog_name="scrubber", env=self._environment())
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return self._ended(done.exit_code, done.stdout_bytes, done.stderr_bytes)

    def process(self, *words: str) -> bytes:
        """The same in a process of its own, for commands that start others."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("SCRUBBER_")}
        given = {name: value for name, value in self._environment().items() if value is not None}
        done = subprocess.run(
            [sys.executable, "-P", "-m", "scrubber", *words],
            cwd=self.folder,
            env=environ | given,
            capture_output=True,
            check=False,
        )
        return self._ended(done.returncode, done.stdout, done.stderr)

    def write(self, name: str, content: bytes) -> str:
        """A file in the folder in which commands run. Returns its name there."""
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_bytes(content)
        return name

    def read(self, name: str) -> bytes:
        """A file that a command wrote."""
        return (self.folder / name).read_bytes()

    def help_pages(self) -> Iterator[tuple[str, bytes]]:
        """`--help` of every command and of every command below it, however deep."""
        yield from self._help_below((), command_line)

    def _help_below(self, words: tuple[str, ...], command: click.Command) -> Iterator[tuple[str, bytes]]:
        yield "-".join(("scrubber", *words)), self.command(*words, "--help")
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                below = command.get_command(context, name)
                assert below is not None, f"{name} is listed and is no command"
                yield from self._help_below((*words, name), below)

    def batches(
        self, bodies: Mapping[str, tuple[bytes, str]], queries: Mapping[str, str]
    ) -> Iterator[tuple[str, bytes]]:
        """Batches through the real service and its worker: how each was taken, and what each query reads of it.

        `bodies`: by name, with their media types.
        """
        settings = {name: "" for name in os.environ if name.startswith("SCRUBBER_")}
        settings |= {"SCRUBBER_RULES": str(self.folder / "rules"), "SCRUBBER_BATCH_WORKERS": "1"}
        with (
            tempfile.TemporaryDirectory() as folder,
            running(Path(folder), *SERVE, **settings, SCRUBBER_STATE=str(Path(folder, "state"))) as service,
        ):
            for batch, (body, media_type) in bodies.items():
                address = f"/v1/batches?receivedOn={RECEIVED_ON}"
                sent = service.ask("POST", address, body, {"Content-Type": media_type})
                assert sent.status == 202, sent.body
                yield f"{batch}-taken", _neutral(sent.body, _OF_BATCHES)
                place = f"/v1/batches/{sent.json['id']}"
                until(partial(_ended, service, place), "it did not end")
                for name, query in queries.items():
                    yield f"{batch}-{name}", _neutral(service.ask("GET", place + query).body, _OF_BATCHES)

    def _environment(self) -> dict[str, str | None]:
        unset: dict[str, str | None] = {name: None for name in os.environ if name.startswith("SCRUBBER_")}
        return unset | _ENVIRONMENT | {"XDG_STATE_HOME": "state"}

    def _ended(self, code: int, output: bytes, errors: bytes) -> bytes:
        told = b"exit code %d\n%b" % (code, output) + (b"\non standard error:\n" + errors if errors else b"")
        return _neutral(told.replace(str(self.folder).encode(), b"FOLDER"))


def dumped(body: object) -> bytes:
    """JSON as senders write it."""
    return orjson.dumps(body)


def _ended(service: Service, address: str) -> bool:
    return service.ask("GET", address).json["state"] in ("done", "failed")


def _neutral(told: bytes, also: Sequence[tuple[re.Pattern[bytes], bytes]] = ()) -> bytes:
    """With placeholders for what differs from run to run: ids, moments, and whether the package is compiled."""
    for pattern, placeholder in (*_PLACEHOLDERS, *also):
        told = pattern.sub(placeholder, told)
    return told
