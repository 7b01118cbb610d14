"""Batches for tests: a context on a folder, submissions, and the results of a batch in order."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson

from scrubber.batch.model import Batch, BatchOptions, StoredUpload
from scrubber.batch.storage import Batches, open_batches
from scrubber.batch.work import WorkContext, work
from tests.support.claims import office_claim, tbs_claim
from tests.support.waiting import until

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
RECEIVED = date(2026, 11, 23)
LEASE = 60.0  # seconds


@dataclass(frozen=True)
class Keep:
    """Where batches are kept: below a folder, or in a database."""

    folder: Path
    address: str | None = None

    def __call__(self, lease_seconds: float = LEASE) -> Batches:
        """The same batches each time, with leases of so many seconds."""
        kept = open_batches(self.folder, self.address, lease_seconds)
        assert kept is not None
        return kept

    def holds(self, text: bytes) -> bool:
        """Whether a text is in any file that batches are kept in. What the database logs, it overwrites in time."""
        folder = self.folder if self.address is None else _settled(self.address)
        return any(text in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def _settled(address: str) -> Path:
    """The folder of a database's tables, with all that was changed in it."""
    import psycopg

    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        [[folder]] = connection.execute("SHOW data_directory").fetchall()
    return Path(folder) / "base"


def forget_batches(address: str) -> None:
    """Remove all that a database keeps of batches."""
    import psycopg

    with psycopg.connect(address, autocommit=True) as connection:

        def dropped() -> bool:
            """False: a worker of the test before, about to end, held one of the tables and waited for another."""
            try:
                connection.execute("DROP SCHEMA IF EXISTS scrubber_batches CASCADE")
            except psycopg.errors.DeadlockDetected:
                return False
            return True

        until(dropped)


def context(where: Path | Batches, scrubber: Any, **changes: Any) -> WorkContext:
    """A context over a job store and a file store, or over SQLite and a folder. Its time of day stands still."""
    kept = where if isinstance(where, Batches) else open_batches(where, None, LEASE)
    assert kept is not None
    told: dict[str, Any] = {
        "job_store": kept.job_store,
        "file_store": kept.file_store,
        "scrubber": lambda: scrubber,
        "most_row_bytes": 1_000_000,
        "most_upload_bytes": 100_000_000,
        "now": lambda: NOW,
        "seconds": time.monotonic,
        "alive": lambda: None,
        "lease_seconds": LEASE,
    }
    return WorkContext(**(told | changes))


def batch_of(data: bytes, batch_id: str = "b1", **changes: Any) -> Batch:
    """A batch of NDJSON, before it is accepted."""
    body = StoredUpload(changes.pop("format", "ndjson"), changes.pop("gzipped", False), len(data), sha256(data))
    return Batch(batch_id, "received", NOW, body, BatchOptions(RECEIVED, **changes))


def sha256(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def submit(on: WorkContext, data: bytes, batch_id: str = "b1", **changes: Any) -> Batch:
    """Keep and accept a batch, as the service does."""
    on.file_store.receive(batch_id, [data])
    return on.job_store.accept(batch_of(data, batch_id, **changes), None, None, NOW)


def work_off(on: WorkContext) -> int:
    """Do all that there is to do. Returns the number of leases taken."""
    done = 0
    while lease := on.job_store.take("test"):
        work(lease, on)
        done += 1
    return done


def results(on: WorkContext, batch_id: str = "b1") -> list[Any]:
    """The results of a batch, in order."""
    return [orjson.loads(line) for line in result_bytes(on, batch_id).splitlines()]


def result_bytes(on: WorkContext, batch_id: str = "b1") -> bytes:
    """The results of a batch as they lie there."""
    done = on.job_store.done(batch_id, 0)
    return b"".join(on.file_store.result(batch_id, each.chunk.number, each.token) for each in done)


def claims(count: int) -> Iterable[bytes]:
    """Claims of two kinds, numbered, one a line."""
    for number in range(count):
        body = tbs_claim() if number % 3 == 0 else office_claim()
        body["claimInformation"]["patientControlNumber"] = f"CLAIM-{number:05}"
        yield orjson.dumps(body)


def ndjson(count: int) -> bytes:
    """So many claims."""
    return b"".join(line + b"\n" for line in claims(count))
