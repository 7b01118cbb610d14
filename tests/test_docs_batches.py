"""docs/batches.md: every command runs against a real service, in the order of the page."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import orjson
import pytest

from scrubber.batch.maintenance import signature
from tests.support.batches import ndjson
from tests.support.service import ROOT, Service, running
from tests.support.waiting import PATIENCE, until
from tests.support.x12 import context_line, envelope

PAGE = (ROOT / "docs" / "batches.md").read_text()
EXAMPLES = len(list((ROOT / "examples").glob("*.json")))


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which somebody follows the page."""
    folder = tmp_path_factory.mktemp("here")
    for name in ("examples", "rules"):
        (folder / name).symlink_to(ROOT / name)
    command = folder / ".venv" / "bin" / "scrubber"
    command.parent.mkdir(parents=True)
    (folder / "night.837").write_bytes(envelope())
    (folder / "contexts.ndjson").write_bytes(context_line("CLAIM-1", {"receivedOn": "20261123"}))
    command.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m scrubber "$@"\n')
    command.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def service(here: Path, shipped_passed: Callable[[Path], Path]) -> Iterator[Service]:
    environ = {"SCRUBBER_STATE": str(shipped_passed(here / "state")), "SCRUBBER_BATCH_WORKERS": "1"}
    with running(here, **environ) as service:
        yield service


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def commands() -> list[str]:
    """Every command of the page, one a line, or several that are continued with a backslash."""
    joined = "".join(blocks("sh")).replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip()]


def shell(here: Path, service: Service, command: str, batch: str) -> bytes:
    address = f"127.0.0.1:{service.port}"
    environ = os.environ | {"BATCH": batch, "SCRUBBER_URL": f"http://{address}"}
    placed = command.replace("127.0.0.1:8080", address)
    done = subprocess.run(
        ["sh", "-ec", placed], cwd=here, env=environ, capture_output=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


def _done(service: Service, address: str) -> bool:
    return bool(service.ask("GET", address).json["state"] == "done")


def test_every_command_of_the_page(here: Path, service: Service) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl")
    batch, told = "", {}
    for command in commands():
        told[command] = shell(here, service, command, batch)
        if "batch submit" in command:
            batch, *cells = told[command].decode().splitlines()[1].split()
            assert cells[:3] == ["done", str(EXAMPLES), str(EXAMPLES)]
        elif "-X POST -T" in command:
            batch = orjson.loads(told[command])["id"]
            until(partial(_done, service, f"/v1/batches/{batch}"))
    by_words = {words: next(out for command, out in told.items() if words in command) for words in _EXPECTED}
    for words, expected in _EXPECTED.items():
        assert expected in by_words[words], words
    assert (here / "results.ndjson").read_bytes() == (here / "answers.ndjson").read_bytes()
    assert (here / "worklist.csv").read_text().startswith("row,claim_number,disposition")
    assert service.ask("GET", f"/v1/batches/{batch}").status == 404  # the page removes it in the end


_EXPECTED = {
    "batch status": b"STATE",
    "batch summary": b"cms-ncci-ptp-column-two",
    "after=3&limit=2": b'{"row":4,',
    "format=csv": b"cms-ncci-ptp-column-two",
    "$BATCH/summary": b'"providers"',
    "/cancel": b'"state":"done"',
}


@pytest.mark.parametrize("secret", ["a secret", "whsec_" + base64.b64encode(b"a secret").decode()])
def test_the_check_of_a_signature(secret: str) -> None:
    [code, _] = blocks("python")
    names: dict[str, object] = {}
    exec(code, names)  # noqa: S102 -- the page's own
    is_ours = names["is_ours"]
    body, now = b'{"id":"b1"}', int(datetime.now(UTC).timestamp())
    for timestamp, content, fine in ((now, body, True), (now - 301, body, False), (now, body + b" ", False)):
        headers = {
            "webhook-id": "b1",
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(secret, "b1", timestamp, body),
        }
        assert is_ours(headers, content, secret) is fine  # type: ignore[operator]


def test_the_example_for_dask(tmp_path: Path) -> None:
    pytest.importorskip("dask.bag", reason="the extra dask is not installed")
    (tmp_path / "rules").symlink_to(ROOT / "rules")
    (tmp_path / "year").mkdir()
    for month in ("01", "02"):
        (tmp_path / "year" / f"{month}.ndjson").write_bytes(ndjson(5))
    (tmp_path / "year.py").write_text(blocks("python")[1])
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "year.py"], cwd=tmp_path, env=environ, check=True, timeout=PATIENCE)
    together = b"".join(file.read_bytes() for file in (tmp_path / "results").iterdir())
    assert len([orjson.loads(line)["answer"] for line in together.splitlines()]) == 10


def test_the_settings_of_the_page_are_settings() -> None:
    from scrubber.config import unknown_settings

    assert unknown_settings(set(re.findall(r"SCRUBBER_[A-Z_]+", PAGE))) == []
