"""A batch from its upload to results on the disk, by the real service with its own workers, over the shipped rules.

The claims are varied: thirteen specialties, six payers, 1 to 50 service lines, a third of them faulty (see
tests/support/varied_claims.py); the same for the same seed. The reference data is that of SCRUBBER_REFERENCE, else
the starter tables. Prints one table: what the claims are; what one process does with the same claims on one core,
without HTTP and batches; claims a second from the upload to the last result, and how many times that is what one core
does; what the digests cost that are kept of uploads, rows and results; memory of each process; how long batches of 5
claims take behind such a batch; and, while a third one is uploaded and runs, how long its status and single claims
take to answer.
"""

from __future__ import annotations

import argparse
import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

import orjson  # noqa: E402

from benchmarks.scrub import RECEIVED  # noqa: E402
from scrubber.batch.split import digest_of  # noqa: E402
from scrubber.claim import read_claim  # noqa: E402
from scrubber.cli.terminal import ProgressLine  # noqa: E402
from scrubber.config import cores  # noqa: E402
from scrubber.response.claim import to_bytes  # noqa: E402
from scrubber.scrub import open_scrubber  # noqa: E402
from tests.support.processes import family, most_memory, own_memory, processor_seconds  # noqa: E402
from tests.support.service import Service, running  # noqa: E402
from tests.support.varied_claims import varied_claims  # noqa: E402

SMALL = 5  # claims of a batch that waits behind a large one
PAUSE = 0.02  # seconds between single claims
GOING_ON = ("received", "running")  # states of a batch
PIECE = 1 << 20
MOST_ON_ONE_CORE = 20_000  # claims: of a larger file, one of so many is taken
WARM_UP = 500
ROWS = 500  # of a chunk
A_TICK = 0.01  # seconds: less than that is not counted
BESIDES = (
    2  # processes for batches that scrub none: one that looks after the others, and one for what else is to be done
)


def main(claims: int, workers: int, seed: int) -> None:
    """Measures and prints the table."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "claims.ndjson"
        _row("load average before", os.getloadavg()[0], "")
        _make(file, claims, seed)
        alone, dispositions = _one_core(file, claims)
        with _service(Path(name), workers) as service:
            batch, spent = _whole_batch(service, file, claims, workers, alone)
            counts = _ask(service, f"/v1/batches/{batch}")["counts"]
            if claims <= MOST_ON_ONE_CORE and dispositions != Counter({key: n for key, n in counts.items() if n}):
                raise SystemExit(f"the batch answered otherwise than one process: {counts} for {dict(dispositions)}")
            _digests(service, batch, file, spent)
            _memory(service)
            _behind(service, file)
            _meanwhile(service, file)
        _row("load average after", os.getloadavg()[0], "")


def _make(file: Path, claims: int, seed: int) -> None:
    """Write the claims, one a line, and tell what they are."""
    specialties: set[str] = set()
    faulty = lines = most = 0
    shown = ProgressLine("claims made")
    with file.open("wb") as out:
        for number, made in enumerate(varied_claims(claims, seed), start=1):
            out.write(orjson.dumps(made.body) + b"\n")
            specialties.add(made.specialty)
            faulty += bool(made.faults)
            of_this = len(made.body["claimInformation"]["serviceLines"])
            lines, most = lines + of_this, max(most, of_this)
            shown(number, number / claims)
    _row("claims", claims, f"of {len(specialties)} specialties, {file.stat().st_size / 1e6:,.1f} MB")
    _row("service lines a claim", lines / claims, f"on average, {most} at most")
    _row("with a fault", 100 * faulty / claims, "%")


def _one_core(file: Path, claims: int) -> tuple[float, Counter[str]]:
    """Claims per second of processor, bytes to bytes in this process, and what became of them."""
    scrubber = open_scrubber(ROOT / "rules", os.environ.get("SCRUBBER_REFERENCE") or None)
    step = -(-claims // MOST_ON_ONE_CORE)
    with file.open("rb") as stream:
        bodies = list(islice(stream, 0, None, step))
    dispositions: Counter[str] = Counter()
    findings = 0
    for body in bodies[:WARM_UP]:
        to_bytes(scrubber.scrub(read_claim(body), RECEIVED))
    begun = time.process_time()
    for body in bodies:
        result = scrubber.scrub(read_claim(body), RECEIVED)
        to_bytes(result)
        dispositions[result.disposition] += 1
        findings += len(result.findings)
    rate = len(bodies) / (time.process_time() - begun)
    _row("findings a claim", findings / len(bodies), ", ".join(f"{n:,} {key}" for key, n in dispositions.items()))
    _row("one process on one core", rate, "claims/s" + (f", each {step}th claim" if step > 1 else ""))
    return rate, dispositions


def _whole_batch(service: Service, file: Path, claims: int, workers: int, alone: float) -> tuple[str, float]:
    """From the upload to the last result: the id of the batch, and seconds of processor that it took the service."""
    before = _worked(service)
    begun = time.perf_counter()
    batch = _submit(service, file)
    submitted = time.perf_counter() - begun
    _row("upload, until durable", submitted, f"s, {file.stat().st_size / 1e6 / submitted:,.0f} MB/s")
    _wait(service, batch, 0.1, claims)
    rate = claims / (time.perf_counter() - begun)
    worked, spent = (max(after - since, A_TICK) for since, after in zip(before, _worked(service), strict=True))
    _row("from upload to results", rate, f"claims/s by {workers} workers on {cores()} cores")
    _row("that is", rate / alone, "times one core")
    _row("a core of the workers", claims / worked, f"claims/s, {claims / worked / alone:.2f} of one process alone")
    return batch, spent


def _digests(service: Service, batch: str, file: Path, spent: float) -> None:
    """What hashing the same bytes costs, as often as it is done: of the upload on receipt and before it is cut, of the
    rows when they are cut and before they are scrubbed, of the results when they are made; and when they are read.
    """
    results, read = _hashed(_results(service, batch))
    upload, _ = _hashed(_pieces(file))
    rows = _rows_hashed(file)
    whole = 2 * upload + 2 * rows + results
    _row("digests of the batch", whole, f"s of processor, {100 * whole / spent:.1f} % of {spent:,.1f} s of the service")
    _row("and to read its results", results, f"s for {read / 1e6:,.1f} MB")


def _hashed(pieces: Iterable[bytes]) -> tuple[float, int]:
    """Seconds of processor to hash, reading aside, and bytes."""
    hashing, seconds, size = sha256(), 0.0, 0
    for piece in pieces:
        begun = time.process_time()
        hashing.update(piece)
        seconds += time.process_time() - begun
        size += len(piece)
    return seconds, size


def _rows_hashed(file: Path) -> float:
    seconds = 0.0
    with file.open("rb") as stream:
        while rows := [(number, line[:-1]) for number, line in zip(count(1), islice(stream, ROWS), strict=False)]:
            begun = time.process_time()
            digest_of(rows)
            seconds += time.process_time() - begun
    return seconds


def _behind(service: Service, file: Path) -> None:
    """How long small batches take while a large one is there that came before them."""
    small = file.with_name("small.ndjson")
    with file.open("rb") as stream:
        small.write_bytes(b"".join(islice(stream, SMALL)))
    large = _submit(service, file)
    while (told := _ask(service, f"/v1/batches/{large}"))["state"] in GOING_ON and not told["rowsDone"]:
        time.sleep(PAUSE)
    taken: list[float] = []
    while True:
        begun = time.perf_counter()
        _wait(service, _submit(service, small), PAUSE)
        spent = time.perf_counter() - begun
        if _ask(service, f"/v1/batches/{large}")["state"] not in GOING_ON:
            break
        taken.append(spent)
    _took(f"{SMALL} claims behind it", taken, "s", 2)


def _meanwhile(service: Service, file: Path) -> None:
    """How long others wait while a batch is uploaded and runs."""
    with file.open("rb") as stream:
        bodies = list(islice(stream, 1_000))
    command = [sys.executable, "-P", "-m", "scrubber", "batch", "submit", str(file), "--wait"]
    address = f"http://127.0.0.1:{service.port}"
    sending = subprocess.Popen(
        [*command, "--url", address], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    listed: list[float] = []
    scrubbed: list[float] = []
    claims = http.client.HTTPConnection("127.0.0.1", service.port)
    for body in cycle(bodies):
        if sending.poll() is not None:
            break
        scrubbed.append(_milliseconds(claims, "POST", "/v1/claims/scrub", body))
        if len(scrubbed) % 5 == 0:
            listed.append(_milliseconds(claims, "GET", "/v1/batches", None))
        time.sleep(PAUSE)
    _took("status meanwhile", listed, "ms", 1)
    _took("single claims meanwhile", scrubbed, "ms", 1)


def _took(name: str, taken: list[float], unit: str, digits: int) -> None:
    if not taken:
        print(f"{name:<26}{'-':>12} the batch ended before any was answered; take more claims", flush=True)
        return
    taken.sort()
    half, most = (f"{value:,.{digits}f}" for value in (taken[len(taken) // 2], taken[-1]))
    _row(
        name,
        taken[int(len(taken) * 0.99)],
        f"{unit}, 99 of 100 within; half within {half}, worst {most}, of {len(taken)}",
    )


def _milliseconds(connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None) -> float:
    begun = time.perf_counter()
    connection.request(method, path, body, {"Content-Type": "application/json"})
    connection.getresponse().read()
    return (time.perf_counter() - begun) * 1e3


def _row(name: str, value: float, unit: str) -> None:
    digits = 0 if value >= 100 or value == int(value) else 2
    print(f"{name:<26}{value:>12,.{digits}f} {unit}".rstrip(), flush=True)


class _service:  # noqa: N801 -- read as a word
    """`scrubber serve` with default settings and so many workers for batches, once these are there."""

    def __init__(self, folder: Path, workers: int) -> None:
        chosen = {"SCRUBBER_STATE": str(folder / "state"), "SCRUBBER_BATCH_WORKERS": str(workers)}
        self._workers = workers
        self._running = running(folder, "-P", "-m", "scrubber", "serve", SCRUBBER_WORKERS="", **chosen)

    def __enter__(self) -> Service:
        service = self._running.__enter__()
        while len(_for_batches(service)) < BESIDES + self._workers:
            time.sleep(0.05)
        return service

    def __exit__(self, *_: object) -> None:
        self._running.__exit__(None, None, None)


def _ask(service: Service, path: str) -> Any:
    return service.ask("GET", path).json


def _submit(service: Service, file: Path) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, blocksize=PIECE)
    with file.open("rb") as stream:
        headers = {"Content-Type": "application/x-ndjson", "Content-Length": str(file.stat().st_size)}
        connection.request("POST", "/v1/batches", stream, headers)
        answer = connection.getresponse()
        told: dict[str, str] = orjson.loads(answer.read())
    if answer.status != 202:
        raise SystemExit(f"the batch was refused: {told}")
    return told["id"]


def _wait(service: Service, batch: str, pause: float, claims: int = 0) -> None:
    """Until a batch has ended; of so many claims it is shown how far it is."""
    shown = ProgressLine("claims done")
    while (told := _ask(service, f"/v1/batches/{batch}"))["state"] in GOING_ON:
        if claims:
            shown(told["rowsDone"], told["rowsDone"] / claims)
        time.sleep(pause)
    if told["state"] != "done":
        raise SystemExit(f"the batch is {told['state']}: {told['why']}")


def _results(service: Service, batch: str) -> Iterator[bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", service.port)
    connection.request("GET", f"/v1/batches/{batch}/results")
    answer = connection.getresponse()
    while piece := answer.read(PIECE):
        yield piece


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while piece := stream.read(PIECE):
            yield piece


def _memory(service: Service) -> None:
    """Resident memory at most since the start of each, what they share counted in each."""
    workers = _for_batches(service)
    for each in family(service.process.pid):
        kind = "for batches" if each in workers else "service"
        _row(f"memory, {kind}", most_memory(each), f"MB at most, {own_memory(each):,.0f} MB its own now")


def _for_batches(service: Service) -> list[int]:
    """Processes that work on batches."""
    told = ((each, Path(f"/proc/{each}/cmdline").read_bytes()) for each in family(service.process.pid))
    return [each for each, line in told if b"worker" in line.split(b"\0")]


def _worked(service: Service) -> tuple[float, float]:
    """Seconds of processor of the processes for batches, and of all of the service."""
    return processor_seconds(_for_batches(service)), processor_seconds(family(service.process.pid))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("claims", type=int, nargs="?", default=20_000, help="how many (20000)")
    parser.add_argument("workers", type=int, nargs="?", default=cores(), help="processes for batches (one per core)")
    parser.add_argument("--seed", type=int, default=1, help="other claims for another one (1)")
    main(**vars(parser.parse_args()))
