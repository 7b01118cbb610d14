"""The job store in a PostgreSQL database, for many machines.

Leases are measured by the server's clock, the one clock that all machines share. When it is set forward, leases run out
early: a chunk may be done twice, and counts once. When it is set back, a dead worker's chunk waits longer.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import LiteralString

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
from scrubber.batch.storage.postgres_tables import BatchTables, Row, Statements
from scrubber.database import Database

KEY_LOCK = 7_713_091  # of advisory locks; any number that no other program uses
# Workers that take a chunk at the same time may all choose the batch whose turn it is: so many chunks of it are
# offered.
MOST_CANDIDATES = 32
_RAN_OUT: LiteralString = """
SELECT batch, number FROM scrubber_batches.chunks WHERE state = 'leased' AND until < now()
ORDER BY urgency, batch, number LIMIT 1 FOR UPDATE SKIP LOCKED
"""
# First the tenant whose last turn is the longest ago, then among its batches likewise: who sends many gets no more.
_WAITING: LiteralString = """
SELECT chunk.batch, chunk.number FROM (
  SELECT waiting.batch, waiting.number, row_number() OVER (
    ORDER BY waiting.urgency, coalesce(tenant_turns.turn, 0), coalesce(turns.turn, 0), batches.id, waiting.number
  ) AS turn_order
  FROM scrubber_batches.batches CROSS JOIN LATERAL (
    SELECT batch, number, urgency FROM scrubber_batches.chunks
    WHERE batch = batches.id AND state = 'waiting' ORDER BY number LIMIT %(at_once)s
  ) AS waiting LEFT JOIN scrubber_batches.turns ON turns.batch = batches.id
  LEFT JOIN scrubber_batches.tenant_turns ON tenant_turns.tenant = batches.tenant
  WHERE batches.ended IS NULL ORDER BY turn_order LIMIT %(at_once)s
) AS next JOIN scrubber_batches.chunks AS chunk ON chunk.batch = next.batch AND chunk.number = next.number
WHERE chunk.state = 'waiting' ORDER BY next.turn_order LIMIT 1 FOR UPDATE OF chunk SKIP LOCKED
"""
_LEASE: LiteralString = """
WITH taken AS (
  UPDATE scrubber_batches.chunks SET
    state = 'leased', token = %(token)s, worker = %(worker)s, until = now() + %(seconds)s * interval '1 second',
    tries = tries + 1, at_row = NULL,
    deaths = CASE WHEN state = 'leased' AND at_row IS NOT NULL
      THEN deaths || jsonb_build_object(at_row::text, coalesce((deaths ->> at_row::text)::integer, 0) + 1)
      ELSE deaths END
  WHERE batch = %(batch)s AND number = %(number)s
  RETURNING *
)
SELECT batches.*, number, first_row, taken.rows AS chunk_rows, start, stop, rows_sha256, tries, deaths
FROM taken JOIN scrubber_batches.batches ON batches.id = taken.batch
"""
# After the chunk, everywhere: else two would wait for each other.
_NEXT_TURN: LiteralString = """
INSERT INTO scrubber_batches.turns (batch) VALUES (%s)
ON CONFLICT (batch) DO UPDATE SET turn = nextval('scrubber_batches.turn')
"""
_NEXT_TENANT_TURN: LiteralString = """
INSERT INTO scrubber_batches.tenant_turns (tenant) SELECT tenant FROM scrubber_batches.batches WHERE id = %s
ON CONFLICT (tenant) DO UPDATE SET turn = nextval('scrubber_batches.turn')
"""
_NEXT_ANNOUNCEMENT: LiteralString = """
WITH found AS MATERIALIZED (
  SELECT batch FROM scrubber_batches.announcements JOIN scrubber_batches.batches ON batch = id
  WHERE ended IS NOT NULL AND due <= now() ORDER BY due, id LIMIT 1 FOR UPDATE OF announcements SKIP LOCKED
), taken AS (
  UPDATE scrubber_batches.announcements AS it SET due = now() + %s * interval '1 second', tries = tries + 1
  FROM found WHERE it.batch = found.batch RETURNING it.*
)
SELECT batches.*, tries FROM taken JOIN scrubber_batches.batches ON id = taken.batch
"""


class PostgresJobStore:
    """See JobStore. The tables are created on first use."""

    def __init__(self, database: Database, lease_seconds: float = LEASE_SECONDS) -> None:
        self.store = self._tables = BatchTables(database)
        self._lease_seconds = lease_seconds

    def accept(self, batch: Batch, key: str | None, key_until: datetime | None, now: datetime) -> Batch:
        """See JobStore."""
        with self._tables.change() as do:
            if key is not None:
                key = stored_key(batch, key)
                do("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (KEY_LOCK, key))
                do(
                    "UPDATE scrubber_batches.batches SET key = NULL WHERE key = %s AND key_until <= %s",
                    (key, now.isoformat()),
                )
                known = do("SELECT * FROM scrubber_batches.batches WHERE key = %s", (key,))
                if known:
                    return same(_batch(known[0]), batch)
            do(
                "INSERT INTO scrubber_batches.batches (id, state, written, key, key_until, tenant) "
                "VALUES (%s, %s, %s, %s, %s, %s)",
                (batch.id, batch.state, to_json(batch), key, key_until and key_until.isoformat(), batch.tenant),
            )
            _enter(do, batch, [Chunk(CUT, 0, 0, 0, 0)])
            do(_NEXT_TURN, (batch.id,))
            if batch.options.webhook is not None:
                do("INSERT INTO scrubber_batches.announcements (batch) VALUES (%s)", (batch.id,))
        return batch

    def batch(self, batch_id: str) -> Batch | None:
        """See JobStore."""
        found = self._tables.query("SELECT * FROM scrubber_batches.batches WHERE id = %s", (batch_id,))
        return _batch(found[0]) if found else None

    def batches(self, most: int, tenant: str = DEFAULT_TENANT) -> list[Batch]:
        """See JobStore."""
        found = self._tables.query(
            "SELECT * FROM scrubber_batches.batches WHERE tenant = %s ORDER BY id DESC LIMIT %s", (tenant, most)
        )
        return [_batch(row) for row in found]

    def take(self, worker: str) -> Lease | None:
        """See JobStore."""
        token = secrets.token_hex(8)
        with self._tables.change() as do:
            found = do(_RAN_OUT, ()) or do(_WAITING, {"at_once": MOST_CANDIDATES})
            if not found:
                return None
            [position] = found
            values = {"token": token, "worker": worker, "seconds": self._lease_seconds}
            [row] = do(_LEASE, values | position)
            if row["number"] != CUT:
                do(_NEXT_TURN, (position["batch"],))
                do(_NEXT_TENANT_TURN, (position["batch"],))
        chunk = chunk_in(row | {"rows": row["chunk_rows"]})
        deaths = {int(number): count for number, count in row["deaths"].items()}
        return Lease(_batch(row), chunk, token, row["tries"], deaths)

    def renew(self, lease: Lease, at_row: int | None) -> bool:
        """See JobStore."""
        with self._tables.change() as do:
            renewed = do(
                "UPDATE scrubber_batches.chunks SET until = now() + %s * interval '1 second', at_row = %s "
                "WHERE batch = %s AND number = %s AND token = %s AND state = 'leased' RETURNING 1",
                (self._lease_seconds, at_row, *_position(lease)),
            )
        return bool(renewed)

    def cut(
        self, lease: Lease, chunks: Sequence[Chunk], rows: int, now: datetime, pinned: PinnedVersions | None = None
    ) -> bool:
        """See JobStore."""
        batch, moment = lease.batch, now.isoformat()
        with self._tables.change() as do:
            _lock(do, batch.id)
            deleted = do(
                "DELETE FROM scrubber_batches.chunks "
                "WHERE batch = %s AND number = %s AND token = %s AND state = 'leased' RETURNING 1",
                _position(lease),
            )
            if not deleted:
                return False
            _enter(do, batch, chunks)
            do(
                "UPDATE scrubber_batches.batches SET state = %s, rows = %s, unfinished = %s, started = %s, ended = %s, "
                "pinned = %s WHERE id = %s",
                (
                    "running" if chunks else "done",
                    rows,
                    len(chunks),
                    moment,
                    None if chunks else moment,
                    pinned_to_json(pinned),
                    batch.id,
                ),
            )
        return True

    def finish(
        self, lease: Lease, tally: BatchTally, summary: Summary, now: datetime, provenance: Provenance | None = None
    ) -> bool:
        """See JobStore."""
        with self._tables.change() as do:
            _lock(do, lease.batch.id)
            finished = do(
                "UPDATE scrubber_batches.chunks SET state = 'done', accept = %s, warn = %s, deny = %s, rejected = %s, "
                "at_risk = %s, unpriced = %s, summary = %s, result_sha256 = %s, made_with = %s "
                "WHERE batch = %s AND number = %s AND token = %s AND state = 'leased' RETURNING 1",
                (
                    *tally_to_columns(tally),
                    orjson.dumps(summary),
                    *provenance_to_columns(provenance),
                    *_position(lease),
                ),
            )
            if not finished:
                return False
            if tally.rejected and (why := lease.batch.why_rejected(_rejected(do, lease.batch.id))):
                _end(do, lease.batch.id, "failed", why, now)
            do(
                "UPDATE scrubber_batches.batches SET unfinished = unfinished - 1, "
                "state = CASE WHEN unfinished = 1 THEN 'done' ELSE state END, "
                "ended = CASE WHEN unfinished = 1 THEN %s ELSE ended END WHERE id = %s AND state = 'running'",
                (now.isoformat(), lease.batch.id),
            )
        return True

    def fail(self, batch_id: str, why: str, now: datetime) -> None:
        """See JobStore."""
        with self._tables.change() as do:
            _end(do, batch_id, "failed", why, now)

    def cancel(self, batch_id: str, now: datetime) -> None:
        """See JobStore."""
        with self._tables.change() as do:
            _end(do, batch_id, "cancelled", None, now)

    def release(self, worker: str) -> None:
        """See JobStore."""
        with self._tables.change() as do:
            do(
                "UPDATE scrubber_batches.chunks SET until = '-infinity' WHERE worker = %s AND state = 'leased'",
                (worker,),
            )

    def give_back(self, worker: str) -> None:
        """See JobStore."""
        with self._tables.change() as do:
            do(
                "UPDATE scrubber_batches.chunks SET state = 'waiting', token = NULL, tries = tries - 1, at_row = NULL "
                "WHERE worker = %s AND state = 'leased'",
                (worker,),
            )

    def do_again(self, batch_id: str, done: Done) -> bool:
        """See JobStore."""
        with self._tables.change() as do:
            _lock(do, batch_id)
            again = do(
                "UPDATE scrubber_batches.chunks AS chunk SET state = 'waiting', token = NULL, tries = 0, "
                "at_row = NULL, accept = NULL, warn = NULL, deny = NULL, rejected = NULL, at_risk = NULL, "
                "unpriced = NULL, summary = NULL, result_sha256 = NULL, made_with = NULL FROM scrubber_batches.batches "
                "WHERE batches.id = chunk.batch AND batches.state IN ('running', 'done') "
                "AND chunk.batch = %s AND chunk.number = %s AND chunk.token = %s AND chunk.state = 'done' RETURNING 1",
                (batch_id, done.chunk.number, done.token),
            )
            if not again:
                return False
            do(
                "UPDATE scrubber_batches.batches SET unfinished = unfinished + 1, state = 'running', ended = NULL "
                "WHERE id = %s",
                (batch_id,),
            )
        return True

    def versions(self, batch_id: str) -> list[ShortVersions]:
        """See JobStore."""
        return versions_in(
            self._tables.query(
                "SELECT made_with FROM scrubber_batches.chunks WHERE batch = %s AND made_with IS NOT NULL "
                "GROUP BY made_with ORDER BY min(number)",
                (batch_id,),
            )
        )

    def report_stalled(self, worker: str, why: str) -> None:
        """See JobStore."""
        with self._tables.change() as do:
            do(
                "INSERT INTO scrubber_batches.standstills VALUES (%s, %s, now() + %s * interval '1 second') "
                "ON CONFLICT (worker) DO UPDATE SET why = excluded.why, until = excluded.until",
                (worker, why, self._lease_seconds),
            )

    def go_on(self, worker: str) -> None:
        """See JobStore."""
        with self._tables.change() as do:
            do("DELETE FROM scrubber_batches.standstills WHERE worker = %s OR until < now()", (worker,))

    def stalled_reason(self) -> str | None:
        """See JobStore."""
        found = self._tables.query(
            "SELECT why FROM scrubber_batches.standstills WHERE until >= now() ORDER BY until DESC LIMIT 1", ()
        )
        return found[0]["why"] if found else None

    def progress(self, batch_id: str) -> BatchProgress:
        """See JobStore."""
        [sums] = self._tables.query(
            "SELECT count(*) AS chunks, count(*) FILTER (WHERE state = 'done') AS done, sum(accept) AS accept, "
            "sum(warn) AS warn, sum(deny) AS deny, sum(rejected) AS rejected, sum(at_risk) AS at_risk, "
            "sum(unpriced) AS unpriced FROM scrubber_batches.chunks WHERE batch = %s AND number <> %s",
            (batch_id, CUT),
        )
        return progress_of_columns(*(int(value or 0) for value in sums.values()))

    def done(self, batch_id: str, from_row: int) -> Iterator[Done]:
        """See JobStore."""
        batch = self.batch(batch_id)
        gaps = batch is not None and batch.state in ENDED
        found = self._tables.query(
            "SELECT number, first_row, rows, start, stop, rows_sha256, token, state, result_sha256 "
            "FROM scrubber_batches.chunks WHERE batch = %s AND number <> %s AND number >= coalesce("
            "(SELECT max(number) FROM scrubber_batches.chunks WHERE batch = %s AND first_row <= %s), 0) "
            "ORDER BY number",
            (batch_id, CUT, batch_id, from_row),
        )
        return done_in_order(found, gaps)

    def summaries(self, batch_id: str) -> Iterator[Summary]:
        """See JobStore."""
        return page_by_page(
            lambda last: self._tables.query(
                "SELECT number, summary FROM scrubber_batches.chunks "
                "WHERE batch = %s AND number > %s AND state = 'done' ORDER BY number LIMIT %s",
                (batch_id, last, PAGE),
            )
        )

    def waiting(self, most: int) -> list[tuple[str, int]]:
        """See JobStore."""
        found = self._tables.query(
            "SELECT batch, number FROM scrubber_batches.chunks "
            "WHERE state <> 'done' AND (state = 'waiting' OR until < now()) "
            "ORDER BY state, urgency, batch, number LIMIT %s",
            (most,),
        )
        return [(row["batch"], row["number"]) for row in found]

    def delete(self, batch_id: str) -> None:
        """See JobStore."""
        with self._tables.change() as do:
            do("DELETE FROM scrubber_batches.batches WHERE id = %s", (batch_id,))
            do("DELETE FROM scrubber_batches.chunks WHERE batch = %s", (batch_id,))
            do("DELETE FROM scrubber_batches.turns WHERE batch = %s", (batch_id,))
            do("DELETE FROM scrubber_batches.announcements WHERE batch = %s", (batch_id,))

    def next_announcement(self) -> Announcement | None:
        """See JobStore."""
        with self._tables.change() as do:
            found = do(_NEXT_ANNOUNCEMENT, (self._lease_seconds,))
        return Announcement(_batch(found[0]), found[0]["tries"]) if found else None

    def announce_later(self, batch_id: str, seconds: float) -> None:
        """See JobStore."""
        with self._tables.change() as do:
            do(
                "UPDATE scrubber_batches.announcements SET due = now() + %s * interval '1 second' WHERE batch = %s",
                (seconds, batch_id),
            )

    def announced(self, batch_id: str) -> None:
        """See JobStore."""
        with self._tables.change() as do:
            do("DELETE FROM scrubber_batches.announcements WHERE batch = %s", (batch_id,))

    def ended_before(self, moment: datetime) -> list[str]:
        """See JobStore."""
        found = self._tables.query(
            "SELECT id FROM scrubber_batches.batches WHERE ended < %s ORDER BY id", (moment.isoformat(),)
        )
        return [row["id"] for row in found]


def _batch(row: Row) -> Batch:
    return from_json(row["written"], row)


def _position(lease: Lease) -> tuple[str, int, str]:
    return lease.batch.id, lease.chunk.number, lease.token


def _lock(do: Statements, batch_id: str) -> None:
    """First the batch, then its chunks, everywhere: else two would wait for each other."""
    do("SELECT 1 FROM scrubber_batches.batches WHERE id = %s FOR UPDATE", (batch_id,))


def _rejected(do: Statements, batch_id: str) -> int:
    [found] = do("SELECT sum(rejected)::integer AS rejected FROM scrubber_batches.chunks WHERE batch = %s", (batch_id,))
    rejected: int = found["rejected"]
    return rejected


def _end(do: Statements, batch_id: str, state: str, why: str | None, now: datetime) -> None:
    ended = do(
        "UPDATE scrubber_batches.batches SET state = %s, why = %s, ended = %s "
        "WHERE id = %s AND state IN ('received', 'running') RETURNING 1",
        (state, why, now.isoformat(), batch_id),
    )
    if ended:
        do("DELETE FROM scrubber_batches.chunks WHERE batch = %s AND state <> 'done'", (batch_id,))


def _enter(do: Statements, batch: Batch, chunks: Sequence[Chunk]) -> None:
    do.copy(
        "COPY scrubber_batches.chunks (batch, number, first_row, rows, start, stop, rows_sha256, state, urgency) "
        "FROM STDIN",
        [(batch.id, *chunk, "waiting", -batch.options.priority) for chunk in chunks],
    )
