"""Reloads of 300 rules in a running service under load: time, memory, failed requests.

    .venv/bin/python benchmarks/reload.py [RELOADS]

Starts the real service with two workers and four clients, changes one rule before each reload, and
prints one table: for some of the reloads the seconds from the HUP to the answer, checks included, and what parent and
workers hold together. Memory is the processes' share of it (PSS), in MB.
"""

from __future__ import annotations

import http.client
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

import orjson  # noqa: E402

from scrubber.rulebook.load import rule_files  # noqa: E402
from scrubber.server.registry import running as running_services  # noqa: E402
from tests.support.claims import office_claim  # noqa: E402
from tests.support.rule_folders import shipped_rules  # noqa: E402
from tests.support.service import JSON, Service, running  # noqa: E402

RULES = 300
WORKERS = 2
CLIENTS = 4
PAUSE = 0.01  # seconds between two requests of a client
SHOWN = frozenset((1, 2, 5, 10, 20, 50, 100, 200, 500, 1000))


class Load:
    """Clients on kept-alive connections; counts answers by status and by rulebook."""

    def __init__(self, port: int) -> None:
        self.answers: Counter[str] = Counter()
        self._port = port
        self._ended = threading.Event()
        self._clients = [threading.Thread(target=self._ask) for _ in range(CLIENTS)]
        for client in self._clients:
            client.start()

    def end(self) -> None:
        """No further request."""
        self._ended.set()
        for client in self._clients:
            client.join()

    def _ask(self) -> None:
        body = orjson.dumps(office_claim())
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self._ended.is_set():
            try:
                connection.request("POST", "/v1/claims/scrub", body, JSON)
                response = connection.getresponse()
                response.read()
                self.answers["ok" if response.status == 200 else str(response.status)] += 1
                self._ended.wait(PAUSE)
            except (OSError, http.client.HTTPException) as error:
                self.answers[type(error).__name__] += 1
                connection.close()


def processes(parent: int) -> list[int]:
    """The parent and its children, once the one that reloaded is gone, or two seconds later all that are left."""
    for _ in range(200):
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        if len(children) == WORKERS:
            break
        time.sleep(0.01)
    return [parent, *map(int, children)]


def held(process: int) -> tuple[float, int]:
    """MB of memory, and open files."""
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    pss = next(line for line in rollup.splitlines() if line.startswith("Pss:"))
    return int(pss.split()[1]) / 1024, len(list(Path(f"/proc/{process}/fd").iterdir()))


def change(rules: list[Path], number: int) -> None:
    """One rule says something else."""
    path = rules[number % len(rules)]
    kept = [line for line in path.read_text().splitlines() if not line.startswith("owner:")]
    path.write_text("\n".join([*kept, f"owner: policy {number}"]) + "\n")


def reload(state: Path) -> float:
    """Seconds from the HUP to the answer."""
    service = running_services(state)[0]
    begun = time.perf_counter()
    before = service.status().begun
    os.kill(service.process, signal.SIGHUP)
    while (status := service.status()).ended <= before:
        time.sleep(0.01)
    if status.last is None or status.last.outcome != "reloaded":
        raise SystemExit(f"the reload came to {status.last}")
    return time.perf_counter() - begun


def rows(service: Service, state: Path, folder: Path, reloads: int) -> Iterator[tuple[int, float, list[int]]]:
    """Number, seconds and processes of each reload."""
    rules = rule_files(folder)
    for number in range(1, reloads + 1):
        change(rules, number)
        yield number, reload(state), processes(service.process.pid)


def table(service: Service, state: Path, folder: Path, reloads: int) -> list[float]:
    """Prints it; the seconds of every reload."""
    print(f"{'reload':>6}{'seconds':>9}{'parent MB':>11}{'workers MB':>12}{'all MB':>8}{'files':>7}{'processes':>11}")
    seconds = []
    for number, took, found in rows(service, state, folder, reloads):
        seconds.append(took)
        if number in SHOWN:
            (parent, *workers), files = zip(*map(held, found), strict=True)
            every = parent + sum(workers)
            print(
                f"{number:>6}{took:>9.2f}{parent:>11.1f}{sum(workers):>12.1f}{every:>8.1f}{sum(files):>7}{len(found):>11}",
                flush=True,
            )
    return seconds


def command(folder: Path, state: Path, number: int) -> float:
    """Seconds of `scrubber rules reload` as a user runs it."""
    change(rule_files(folder), number)
    begun = time.perf_counter()
    command = [sys.executable, "-P", "-m", "scrubber", "rules", "reload"]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"SCRUBBER_STATE": str(state)}, check=True, capture_output=True)
    return time.perf_counter() - begun


def main(reloads: int = 100) -> None:
    """Measures and prints the table."""
    with tempfile.TemporaryDirectory() as name:
        folder, state = shipped_rules(Path(name) / "rules", RULES), Path(name) / "state"
        chosen = {"SCRUBBER_RULES": str(folder), "SCRUBBER_STATE": str(state), "SCRUBBER_WORKERS": str(WORKERS)}
        with running(Path(name), **chosen) as service:
            idle = [command(folder, state, -number) for number in range(1, 5)]
            print(f"{RULES} rules, {WORKERS} workers; `scrubber rules reload` without load: {min(idle[1:]):.2f} s")
            load = Load(service.port)
            try:
                seconds = table(service, state, folder, reloads)
            finally:
                load.end()
            print(f"seconds under load: median {statistics.median(seconds):.2f}, worst {max(seconds):.2f}")
            print(f"requests: {', '.join(f'{count} {word}' for word, count in load.answers.items())}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
