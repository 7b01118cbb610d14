"""Around the path: the tables of the SQLite ledger, version by version. See scrubber.migrations."""

from __future__ import annotations

from scrubber.migrations import Migration

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
