"""A batch from its upload to results on the disk, by the real service with its own workers, over the shipped rules.

    .venv/bin/python benchmarks/batch.py [CLAIMS] [WORKERS]

Prints one table: the load of the machine, seconds to submit, claims per second from the upload to the last result, and
memory of each process at most; then, while a second batch runs, how long its status and single claims took to answer.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

import orjson  # noqa: E402

from benchmarks.scrub import variants  # noqa: E402
from tests.claims import office_claim  # noqa: E402
from tests.service import free_port  # noqa: E402

PAUSE = 0.02  # seconds between single claims
PIECE = 1 << 20


def main(claims: int = 20_000, workers: int = 2) -> None:
    """Measures and prints the table."""
    with tempfile.TemporaryDirectory() as folder, _service(Path(folder), workers) as (port, process):
        file = Path(folder) / "claims.ndjson"
        bodies = variants(office_claim())
        with file.open("wb") as out:
            out.writelines(body + b"\n" for body in islice(cycle(bodies), claims))
        _row("load average before", os.getloadavg()[0], "")
        _row("claims", claims, f"of {len(bodies[0]):,} bytes, {file.stat().st_size / 1e6:,.0f} MB")
        begun, worked = time.perf_counter(), _worked(process)
        batch = _submit(port, file)
        submitted = time.perf_counter() - begun
        _row("submitted", submitted, f"s, {file.stat().st_size / 1e6 / submitted:,.0f} MB/s")
        _wait(port, batch)
        spent = time.perf_counter() - begun
        _row("from upload to results", claims / spent, "claims/s")
        _row("of that, scrubbing", _ask(port, "GET", f"/v1/batches/{batch}")["rowsPerSecond"], "claims/s")
        _row("per second of processor", claims / (_worked(process) - worked), "claims a core, by the workers alone")
        _memory(process)
        _meanwhile(port, file, bodies)
        _row("load average after", os.getloadavg()[0], "")


def _meanwhile(port: int, file: Path, bodies: list[bytes]) -> None:
    """How long others wait while a batch is uploaded and runs."""
    sending = subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-m",
            "scrubber",
            "batch",
            "submit",
            str(file),
            "--url",
            f"http://127.0.0.1:{port}",
            "--wait",
        ],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    listed: list[float] = []
    scrubbed: list[float] = []
    claims = http.client.HTTPConnection("127.0.0.1", port)
    for body in cycle(bodies):
        if sending.poll() is not None:
            break
        scrubbed.append(_milliseconds(claims, "POST", "/v1/claims/scrub", body))
        if len(scrubbed) % 5 == 0:
            listed.append(_milliseconds(claims, "GET", "/v1/batches", None))
        time.sleep(PAUSE)
    for name, taken in (("status meanwhile", listed), ("single claims meanwhile", scrubbed)):
        taken.sort()
        told = f"ms at most for 99 of 100; half within {taken[len(taken) // 2]:.1f} ms ({len(taken)} asked)"
        _row(name, taken[int(len(taken) * 0.99)], told)


def _milliseconds(connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None) -> float:
    begun = time.perf_counter()
    connection.request(method, path, body, {"Content-Type": "application/json"})
    connection.getresponse().read()
    return (time.perf_counter() - begun) * 1e3


def _row(name: str, value: float, unit: str) -> None:
    print(f"{name:<26}{value:>12,.{0 if value >= 100 else 2}f} {unit}".rstrip(), flush=True)


class _service:  # noqa: N801 -- read as a word
    """`scrubber serve` in a folder: its port and its process."""

    def __init__(self, folder: Path, workers: int) -> None:
        self._folder = folder
        self._workers = workers

    def __enter__(self) -> tuple[int, int]:
        port = free_port()
        chosen = {
            "BIND": f"127.0.0.1:{port}",
            "STATE": str(self._folder / "state"),
            "BATCH_WORKERS": str(self._workers),
        }
        environ = os.environ | {f"SCRUBBER_{name}": value for name, value in chosen.items()}
        command = [sys.executable, "-P", "-m", "scrubber", "serve"]
        self._process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL)
        while not _answers(port):
            time.sleep(0.05)
        while len(_family(self._process.pid)) < 3 + self._workers:
            time.sleep(0.05)
        return port, self._process.pid

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


def _answers(port: int) -> bool:
    try:
        return bool(_ask(port, "GET", "/readyz"))
    except OSError:
        return False


def _ask(port: int, method: str, path: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request(method, path)
    return orjson.loads(connection.getresponse().read())


def _submit(port: int, file: Path) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, blocksize=PIECE)
    with file.open("rb") as stream:
        headers = {"Content-Type": "application/x-ndjson", "Content-Length": str(file.stat().st_size)}
        connection.request("POST", "/v1/batches", stream, headers)
        answer = connection.getresponse()
        told: str = orjson.loads(answer.read())["id"]
    return told


def _wait(port: int, batch: str) -> None:
    while _ask(port, "GET", f"/v1/batches/{batch}")["state"] in ("received", "running"):
        time.sleep(0.1)


def _memory(process: int) -> None:
    """Resident memory at most since the start of each, what they share counted in each."""
    for each in [process, *_family(process)]:
        kind = "for batches" if _is_worker(each) else "service"
        status = dict(line.split(":", 1) for line in Path(f"/proc/{each}/status").read_text().splitlines())
        _row(f"memory, {kind}", int(status["VmHWM"].split()[0]) / 1024, f"MB at most, {_own(each):,.0f} MB its own now")


def _is_worker(process: int) -> bool:
    return b"worker" in Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")


def _worked(process: int) -> float:
    """Seconds of processor that the workers have had."""
    told = (Path(f"/proc/{each}/stat").read_text() for each in _family(process) if _is_worker(each))
    ticks = (sum(map(int, line.rpartition(")")[2].split()[11:13])) for line in told)
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def _own(process: int) -> float:
    told = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in told if line.startswith("Private")) / 1024


def _family(process: int) -> list[int]:
    return list(_below(process))


def _below(process: int) -> Iterator[int]:
    for text in Path(f"/proc/{process}/task/{process}/children").read_text().split():
        yield int(text)
        yield from _below(int(text))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
