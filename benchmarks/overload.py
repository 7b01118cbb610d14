"""What the service bears: clients that send and read slowly, and more of them than it can answer.

    .venv/bin/python benchmarks/overload.py [SECONDS]

Starts the real service with default settings and prints three tables. `well-behaved`: closed loops of a few clients.
`attack`: 500 connections that send nothing, half a head, half a body or half a batch, or do not read, of which 100 a
second are opened anew, for SECONDS (60); beside them one client asks for /healthz and one has single claims scrubbed.
`overload`: closed loops of 2, 8 and 30 clients for each thread of the service, who ask again at once when they are
refused; and a few clients 5 seconds later. Times are milliseconds of what was answered with 200.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

import orjson  # noqa: E402

from scrubber.config import cores, read_settings  # noqa: E402
from tests.support.claims import office_claim  # noqa: E402
from tests.support.clients import Seen, asked_now_and_then, attack, closed_loop, request  # noqa: E402
from tests.support.service import running  # noqa: E402

CONNECTIONS, A_SECOND = 500, 100
LOOP_SECONDS = 10.0
AFTER = 5.0  # seconds after an overload, when all is to be well again
THREADS = read_settings({}).threads * cores()
CLAIM = request("POST", "/v1/claims/scrub", orjson.dumps(office_claim()))
HEALTH = request("GET", "/healthz")
HEADING = f"{'':<34}{'answers':>9}{'a second':>9}{'refused':>9}{'broken':>8}{'median':>8}{'p99':>8}{'worst':>8}"


def show(name: str, seen: Seen, seconds: float) -> None:
    """One line of a table."""
    counts = seen.counts
    refused = counts[503] + counts[429]
    print(
        f"{name:<34}{counts[200]:>9}{counts[200] / seconds:>9.0f}{refused:>9}{counts[0]:>8}"
        f"{seen.percentile(50):>8.1f}{seen.percentile(99):>8.1f}{seen.worst():>8.1f}",
        flush=True,
    )
    if seen.without_time:
        raise SystemExit(f"{seen.without_time} refusals do not say when to ask again")


def beside(port: int, work: Callable[[], object]) -> tuple[float, Seen, Seen]:
    """Seconds of `work`, and what a client of /healthz and one of single claims saw meanwhile."""
    ended = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        asked = [
            pool.submit(asked_now_and_then, port, data, pause, lambda: not ended.is_set())
            for data, pause in ((HEALTH, 0.1), (CLAIM, 0.05))
        ]
        begun = time.monotonic()
        work()
        seconds = time.monotonic() - begun
        ended.set()
        health, claims = (one.result() for one in asked)
    return seconds, health, claims


def in_a_process(work: Callable[..., object], *arguments: object) -> None:
    """So that clients do not take the time of those who measure."""
    process = multiprocessing.get_context("fork").Process(target=work, args=arguments)
    process.start()
    process.join()


def overload(port: int, times: int) -> None:
    """Closed loops of so many clients for each thread, health beside them, and a few clients afterwards."""
    seen = Seen()
    with ThreadPoolExecutor(1) as pool:
        loop = pool.submit(closed_loop, port, CLAIM, times * THREADS, LOOP_SECONDS)
        ended = loop.done
        health = asked_now_and_then(port, HEALTH, 0.1, lambda: not ended())
        seen = loop.result()
    show(f"{times} clients a thread ({times * THREADS})", seen, LOOP_SECONDS)
    show("  /healthz beside them", health, LOOP_SECONDS)
    time.sleep(AFTER)
    show(f"  2 clients {AFTER:.0f} s later", closed_loop(port, CLAIM, 2, LOOP_SECONDS / 3), LOOP_SECONDS / 3)


def main(seconds: float = 60.0) -> None:
    """Measures and prints the tables."""
    with (
        tempfile.TemporaryDirectory() as name,
        running(
            Path(name),
            "-P",
            "-m",
            "scrubber",
            "serve",
            SCRUBBER_WORKERS="",
            SCRUBBER_STATE=str(Path(name) / "state"),
            SCRUBBER_BATCH_WORKERS="",
        ) as service,
    ):
        print(f"{cores()} cores, load {os.getloadavg()[0]:.1f}; {THREADS} threads for claims")
        print(f"{'well-behaved':<34}{HEADING[34:]}")
        for clients in (1, 2, 6):
            show(f"{clients} clients", closed_loop(service.port, CLAIM, clients, LOOP_SECONDS), LOOP_SECONDS)
        print(f"{'attack':<34}{HEADING[34:]}")
        took, health, claims = beside(service.port, lambda: time.sleep(LOOP_SECONDS))
        show("before: /healthz", health, took)
        show("before: single claims", claims, took)
        took, health, claims = beside(
            service.port, lambda: in_a_process(attack, service.port, CONNECTIONS, seconds, A_SECOND)
        )
        show("attack: /healthz", health, took)
        show("attack: single claims", claims, took)
        print(f"{'overload':<34}{HEADING[34:]}")
        for times in (2, 8, 30):
            overload(service.port, times)


if __name__ == "__main__":
    main(*(float(argument) for argument in sys.argv[1:2]))
