"""The job store in one SQLite file, for one machine.

Leases are measured by the machine's clock since its start, so a clock that is set forward or back loses none; after a
restart all leases of before have run out.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from scrubber.batch.model import (
    CUT,
    DEFAULT_TENANT,
    ENDED,
    LEASE_SECONDS,
    Announcement,
    Batch,
    BatchProgress,
    BatchTally,
    Chunk,
    Done,
    Lease,
    PinnedVersions,
    Provenance,
    ShortVersions,
    Summary,
)
from scrubber.batch.serialize import (
    PAGE,
    chunk_in,
    done_in_order,
    from_json,
    page_by_page,
    pinned_to_json,
    progress_of_columns,
    provenance_to_columns,
    same,
    stored_key,
    tally_to_columns,
    to_json,
    versions_in,
)
from scrubber.migrations import Migration
from scrubber.sqlite_file import SqliteFile, SqliteStatements

MIGRATIONS = (
    Migration(
        1,
        1,
        "batches, their chunks, and ends that are to be announced",
        (
            """CREATE TABLE IF NOT EXISTS batches (
              id TEXT PRIMARY KEY, state TEXT NOT NULL, written TEXT NOT NULL, rows INTEGER, left INTEGER, started TEXT,
              ended TEXT, why TEXT, key TEXT, key_until TEXT
            ) WITHOUT ROWID""",
            "CREATE UNIQUE INDEX IF NOT EXISTS batches_by_key ON batches (key) WHERE key IS NOT NULL",
            """CREATE TABLE IF NOT EXISTS chunks (
              batch TEXT, number INTEGER, first_row INTEGER, rows INTEGER, start INTEGER, stop INTEGER,
              state TEXT NOT NULL, urgency INTEGER NOT NULL, token TEXT, worker TEXT, boot TEXT, until REAL,
              tries INTEGER NOT NULL DEFAULT 0, at_row INTEGER, deaths TEXT NOT NULL DEFAULT '{}', accept INTEGER,
              warn INTEGER, deny INTEGER, rejected INTEGER, at_risk INTEGER, unpriced INTEGER, summary BLOB,
              PRIMARY KEY (batch, number)
            ) WITHOUT ROWID""",
            """CREATE TABLE IF NOT EXISTS announcements (
              batch TEXT PRIMARY KEY, boot TEXT NOT NULL DEFAULT '', due REAL NOT NULL DEFAULT 0,
              tries INTEGER NOT NULL DEFAULT 0
            ) WITHOUT ROWID""",
            """CREATE INDEX IF NOT EXISTS chunks_to_do ON chunks (state, urgency, batch, number)
              WHERE state <> 'done'""",
        ),
    ),
    Migration(
        2,
        1,
        "turns of batches, digests of rows and results, what a batch was begun and made with, why work stands still",
        (
            "ALTER TABLE batches ADD COLUMN pinned TEXT",
            "ALTER TABLE chunks ADD COLUMN rows_sha256 TEXT",
            "ALTER TABLE chunks ADD COLUMN result_sha256 TEXT",
            "ALTER TABLE chunks ADD COLUMN made_with TEXT",
            "CREATE TABLE turns (batch TEXT PRIMARY KEY, turn INTEGER NOT NULL) WITHOUT ROWID",
            "CREATE INDEX turns_in_order ON turns (turn)",
            """CREATE TABLE standstills (
              worker TEXT PRIMARY KEY, why TEXT NOT NULL, boot TEXT NOT NULL, until REAL NOT NULL
            ) WITHOUT ROWID""",
            "CREATE INDEX chunks_waiting ON chunks (batch, number) WHERE state = 'waiting'",
            "CREATE INDEX batches_under_way ON batches (id) WHERE ended IS NULL",
        ),
    ),
    Migration(
        3,
        1,
        "the tenant that a batch belongs to: default for those from before",
        (
            "ALTER TABLE batches ADD COLUMN tenant TEXT NOT NULL DEFAULT 'default'",
            "CREATE INDEX batches_of_tenant ON batches (tenant, id)",
        ),
    ),
    Migration(
        4,
        1,
        "turns of tenants",
        ("CREATE TABLE tenant_turns (tenant TEXT PRIMARY KEY, turn INTEGER NOT NULL) WITHOUT ROWID",),
    ),
)


_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_CHUNK = "number, first_row, rows, start, stop, rows_sha256"
_RAN_OUT = (
    "SELECT batch, number FROM chunks WHERE state = 'leased' AND (boot <> ? OR until < ?) "
    "ORDER BY urgency, batch, number LIMIT 1"
)
# First the tenant whose last turn is the longest ago, then among its batches likewise: who sends many gets no more.
_WAITING = """
SELECT chunks.batch, chunks.number FROM batches
JOIN chunks ON chunks.batch = batches.id AND chunks.number = (
  SELECT min(number) FROM chunks WHERE batch = batches.id AND state = 'waiting'
)
LEFT JOIN turns ON turns.batch = batches.id
LEFT JOIN tenant_turns ON tenant_turns.tenant = batches.tenant
WHERE batches.ended IS NULL
ORDER BY chunks.urgency, coalesce(tenant_turns.turn, 0), coalesce(turns.turn, 0), batches.id LIMIT 1
"""
_NEXT_TURN = "INSERT OR REPLACE INTO turns SELECT ?, coalesce(max(turn), 0) + 1 FROM turns"
_NEXT_TENANT_TURN = (
    "INSERT OR REPLACE INTO tenant_turns SELECT tenant, (SELECT coalesce(max(turn), 0) + 1 FROM tenant_turns) "
    "FROM batches WHERE id = ?"
)


class SqliteJobStore:
    """See JobStore. `boot` names the time since the machine's start."""

    def __init__(self, file: Path, lease_seconds: float = LEASE_SECONDS) -> None:
        self.store = self._file = SqliteFile("the ledger of batches", file, MIGRATIONS)
        self._lease_seconds = lease_seconds
        self._boot = _boot()

    def accept(self, batch: Batch, key: str | None, key_until: datetime | None, now: datetime) -> Batch:
        """See JobStore."""
        with self._file.change(durable=True) as do:
            if key is not None:
                key = stored_key(batch, key)
                do("UPDATE batches SET key = NULL WHERE key = ? AND key_until <= ?", (key, now.isoformat()))
                row = do("SELECT * FROM batches WHERE key = ?", (key,)).fetchone()
                if row is not None:
                    return same(_batch(row), batch)
            do(
                "INSERT INTO batches (id, state, written, key, key_until, tenant) VALUES (?, ?, ?, ?, ?, ?)",
                (batch.id, batch.state, to_json(batch), key, key_until and key_until.isoformat(), batch.tenant),
            )
            do(
                f"INSERT INTO chunks (batch, {_CHUNK}, state, urgency) VALUES (?, ?, 0, 0, 0, 0, NULL, 'waiting', ?)",  # noqa: S608
                (batch.id, CUT, -batch.options.priority),
            )
            do(_NEXT_TURN, (batch.id,))
            if batch.options.webhook is not None:
                do("INSERT INTO announcements (batch) VALUES (?)", (batch.id,))
        return batch

    def batch(self, batch_id: str) -> Batch | None:
        """See JobStore."""
        found = self._file.query("SELECT * FROM batches WHERE id = ?", (batch_id,))
        return _batch(found[0]) if found else None

    def batches(self, most: int, tenant: str = DEFAULT_TENANT) -> list[Batch]:
        """See JobStore."""
        which = "SELECT * FROM batches WHERE tenant = ? ORDER BY id DESC LIMIT ?"
        return [_batch(row) for row in self._file.query(which, (tenant, most))]

    def take(self, worker: str) -> Lease | None:
        """See JobStore."""
        ran_out = self._take(worker, _RAN_OUT, (self._boot, time.monotonic()))
        return ran_out or self._take(worker, _WAITING, ())

    def _take(self, worker: str, which: str, values: tuple[Any, ...]) -> Lease | None:
        if not self._file.query(which, values):
            return None  # read without a lock first: idle workers must not block others
        with self._file.change() as do:
            found = do(which, values).fetchone()
            if found is None:
                return None
            position = found["batch"], found["number"]
            token = secrets.token_hex(8)
            row = do("SELECT * FROM chunks WHERE batch = ? AND number = ?", position).fetchone()
            deaths = _with_death(row)
            do(
                "UPDATE chunks SET state = 'leased', token = ?, worker = ?, boot = ?, until = ?, tries = tries + 1, "
                "at_row = NULL, deaths = ? WHERE batch = ? AND number = ?",
                (token, worker, self._boot, self._until(), _deaths_json(deaths), *position),
            )
            if position[1] != CUT:
                do(_NEXT_TURN, (position[0],))
                do(_NEXT_TENANT_TURN, (position[0],))
            batch = _batch(do("SELECT * FROM batches WHERE id = ?", (position[0],)).fetchone())
        return Lease(batch, chunk_in(row), token, row["tries"] + 1, deaths)

    def renew(self, lease: Lease, at_row: int | None) -> bool:
        """See JobStore."""
        with self._file.change() as do:
            return _changed(
                do(
                    "UPDATE chunks SET until = ?, at_row = ? WHERE batch = ? AND number = ? AND token = ? "
                    "AND state = 'leased'",
                    (self._until(), at_row, lease.batch.id, lease.chunk.number, lease.token),
                )
            )

    def cut(
        self, lease: Lease, chunks: Sequence[Chunk], rows: int, now: datetime, pinned: PinnedVersions | None = None
    ) -> bool:
        """See JobStore."""
        batch = lease.batch
        with self._file.change() as do:
            if not _held(do, lease):
                return False
            do("DELETE FROM chunks WHERE batch = ? AND number = ?", (batch.id, CUT))
            do.many(
                f"INSERT INTO chunks (batch, {_CHUNK}, state, urgency) VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting', ?)",  # noqa: S608
                [(batch.id, *chunk, -batch.options.priority) for chunk in chunks],
            )
            do(
                "UPDATE batches SET state = ?, rows = ?, left = ?, started = ?, ended = ?, pinned = ? WHERE id = ?",
                (
                    "running" if chunks else "done",
                    rows,
                    len(chunks),
                    now.isoformat(),
                    None if chunks else now.isoformat(),
                    pinned_to_json(pinned),
                    batch.id,
                ),
            )
        return True

    def finish(
        self, lease: Lease, tally: BatchTally, summary: Summary, now: datetime, provenance: Provenance | None = None
    ) -> bool:
        """See JobStore."""
        batch = lease.batch.id
        with self._file.change() as do:
            if not _held(do, lease):
                return False
            do(
                "UPDATE chunks SET state = 'done', accept = ?, warn = ?, deny = ?, rejected = ?, at_risk = ?, "
                "unpriced = ?, summary = ?, result_sha256 = ?, made_with = ? WHERE batch = ? AND number = ?",
                (
                    *tally_to_columns(tally),
                    orjson.dumps(summary),
                    *provenance_to_columns(provenance),
                    batch,
                    lease.chunk.number,
                ),
            )
            do("UPDATE batches SET left = left - 1 WHERE id = ?", (batch,))
            if tally.rejected and (why := lease.batch.why_rejected(_rejected(do, batch))):
                _end(do, batch, "failed", why, now)
            do(
                "UPDATE batches SET state = 'done', ended = ? WHERE id = ? AND left = 0 AND state = 'running'",
                (now.isoformat(), batch),
            )
        return True

    def fail(self, batch_id: str, why: str, now: datetime) -> None:
        """See JobStore."""
        with self._file.change(durable=True) as do:
            _end(do, batch_id, "failed", why, now)

    def cancel(self, batch_id: str, now: datetime) -> None:
        """See JobStore."""
        with self._file.change(durable=True) as do:
            _end(do, batch_id, "cancelled", None, now)

    def release(self, worker: str) -> None:
        """See JobStore."""
        with self._file.change() as do:
            do("UPDATE chunks SET boot = '' WHERE worker = ? AND state = 'leased'", (worker,))

    def give_back(self, worker: str) -> None:
        """See JobStore."""
        with self._file.change() as do:
            do(
                "UPDATE chunks SET state = 'waiting', token = NULL, tries = tries - 1, at_row = NULL "
                "WHERE worker = ? AND state = 'leased'",
                (worker,),
            )

    def do_again(self, batch_id: str, done: Done) -> bool:
        """See JobStore."""
        with self._file.change() as do:
            runs = do("SELECT 1 FROM batches WHERE id = ? AND state IN ('running', 'done')", (batch_id,)).fetchone()
            again = runs and do(
                "UPDATE chunks SET state = 'waiting', token = NULL, tries = 0, at_row = NULL, accept = NULL, "
                "warn = NULL, deny = NULL, rejected = NULL, at_risk = NULL, unpriced = NULL, summary = NULL, "
                "result_sha256 = NULL, made_with = NULL WHERE batch = ? AND number = ? AND token = ? "
                "AND state = 'done'",
                (batch_id, done.chunk.number, done.token),
            )
            if not again or not _changed(again):
                return False
            do("UPDATE batches SET left = left + 1, state = 'running', ended = NULL WHERE id = ?", (batch_id,))
        return True

    def versions(self, batch_id: str) -> list[ShortVersions]:
        """See JobStore."""
        return versions_in(
            self._file.query(
                "SELECT made_with FROM chunks WHERE batch = ? AND made_with IS NOT NULL "
                "GROUP BY made_with ORDER BY min(number)",
                (batch_id,),
            )
        )

    def report_stalled(self, worker: str, why: str) -> None:
        """See JobStore."""
        with self._file.change() as do:
            do("INSERT OR REPLACE INTO standstills VALUES (?, ?, ?, ?)", (worker, why, self._boot, self._until()))

    def go_on(self, worker: str) -> None:
        """See JobStore."""
        with self._file.change() as do:
            do("DELETE FROM standstills WHERE worker = ?", (worker,))
            do("DELETE FROM standstills WHERE boot <> ? OR until < ?", (self._boot, time.monotonic()))

    def stalled_reason(self) -> str | None:
        """See JobStore."""
        found = self._file.query(
            "SELECT why FROM standstills WHERE boot = ? AND until >= ? ORDER BY until DESC LIMIT 1",
            (self._boot, time.monotonic()),
        )
        return found[0]["why"] if found else None

    def progress(self, batch_id: str) -> BatchProgress:
        """See JobStore."""
        [sums] = self._file.query(
            "SELECT count(*), total(state = 'done'), total(accept), total(warn), total(deny), total(rejected), "
            "total(at_risk), total(unpriced) FROM chunks WHERE batch = ? AND number <> ?",
            (batch_id, CUT),
        )
        return progress_of_columns(*map(int, sums))

    def done(self, batch_id: str, from_row: int) -> Iterator[Done]:
        """See JobStore."""
        batch = self.batch(batch_id)
        gaps = batch is not None and batch.state in ENDED
        rows = self._file.query(
            f"SELECT {_CHUNK}, token, state, result_sha256 FROM chunks WHERE batch = ? AND number <> ? AND number >= "  # noqa: S608
            "coalesce((SELECT max(number) FROM chunks WHERE batch = ? AND first_row <= ?), 0) ORDER BY number",
            (batch_id, CUT, batch_id, from_row),
        )
        return done_in_order(rows, gaps)

    def summaries(self, batch_id: str) -> Iterator[Summary]:
        """See JobStore."""
        return page_by_page(
            lambda last: self._file.query(
                "SELECT number, summary FROM chunks WHERE batch = ? AND number > ? AND state = 'done' "
                "ORDER BY number LIMIT ?",
                (batch_id, last, PAGE),
            )
        )

    def waiting(self, most: int) -> list[tuple[str, int]]:
        """See JobStore."""
        rows = self._file.query(
            "SELECT batch, number FROM chunks WHERE state = 'waiting' OR "
            "(state = 'leased' AND (boot <> ? OR until < ?)) ORDER BY urgency, batch, number LIMIT ?",
            (self._boot, time.monotonic(), most),
        )
        return [(row["batch"], row["number"]) for row in rows]

    def delete(self, batch_id: str) -> None:
        """See JobStore. Nothing of it stays in the file."""
        with self._file.change(durable=True) as do:
            do("DELETE FROM chunks WHERE batch = ?", (batch_id,))
            do("DELETE FROM announcements WHERE batch = ?", (batch_id,))
            do("DELETE FROM turns WHERE batch = ?", (batch_id,))
            do("DELETE FROM batches WHERE id = ?", (batch_id,))
        self._file.checkpoint()

    def next_announcement(self) -> Announcement | None:
        """See JobStore."""
        which = (
            "SELECT id, tries FROM batches JOIN announcements ON batch = id WHERE ended IS NOT NULL "
            "AND (boot <> ? OR due <= ?) ORDER BY due, id LIMIT 1",
            (self._boot, time.monotonic()),
        )
        if not self._file.query(*which):
            return None
        with self._file.change() as do:
            found = do(*which).fetchone()
            if found is None:
                return None
            do(
                "UPDATE announcements SET boot = ?, due = ?, tries = tries + 1 WHERE batch = ?",
                (self._boot, self._until(), found["id"]),
            )
            batch = _batch(do("SELECT * FROM batches WHERE id = ?", (found["id"],)).fetchone())
        return Announcement(batch, found["tries"] + 1)

    def announce_later(self, batch_id: str, seconds: float) -> None:
        """See JobStore."""
        with self._file.change() as do:
            due = time.monotonic() + seconds
            do("UPDATE announcements SET boot = ?, due = ? WHERE batch = ?", (self._boot, due, batch_id))

    def announced(self, batch_id: str) -> None:
        """See JobStore."""
        with self._file.change() as do:
            do("DELETE FROM announcements WHERE batch = ?", (batch_id,))

    def ended_before(self, moment: datetime) -> list[str]:
        """See JobStore."""
        rows = self._file.query("SELECT id FROM batches WHERE ended < ? ORDER BY id", (moment.isoformat(),))
        return [row["id"] for row in rows]

    def _until(self) -> float:
        return time.monotonic() + self._lease_seconds


def _boot() -> str:
    return _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else "since the start"


def _batch(row: sqlite3.Row) -> Batch:
    return from_json(row["written"], row)


def _with_death(row: sqlite3.Row) -> dict[int, int]:
    """The deaths at rows of a chunk, with that of the worker whose lease is taken over."""
    deaths = {int(number): count for number, count in orjson.loads(row["deaths"]).items()}
    if row["state"] == "leased" and row["at_row"] is not None:
        deaths[row["at_row"]] = deaths.get(row["at_row"], 0) + 1
    return deaths


def _deaths_json(deaths: dict[int, int]) -> str:
    return orjson.dumps({str(number): count for number, count in deaths.items()}).decode()


def _held(do: SqliteStatements, lease: Lease) -> bool:
    found = do(
        "SELECT 1 FROM chunks WHERE batch = ? AND number = ? AND token = ? AND state = 'leased'",
        (lease.batch.id, lease.chunk.number, lease.token),
    )
    return found.fetchone() is not None


def _rejected(do: SqliteStatements, batch_id: str) -> int:
    found: int = do("SELECT sum(rejected) FROM chunks WHERE batch = ?", (batch_id,)).fetchone()[0]
    return found


def _end(do: SqliteStatements, batch_id: str, state: str, why: str | None, now: datetime) -> None:
    ended = do(
        "UPDATE batches SET state = ?, why = ?, ended = ? WHERE id = ? AND state IN ('received', 'running')",
        (state, why, now.isoformat(), batch_id),
    )
    if _changed(ended):
        do("DELETE FROM chunks WHERE batch = ? AND state <> 'done'", (batch_id,))


def _changed(cursor: sqlite3.Cursor) -> bool:
    return cursor.rowcount == 1
