"""Around the path: the tables of batches in PostgreSQL, version by version. See scrubber.migrations."""

from __future__ import annotations

from scrubber.migrations import Migration

MIGRATIONS = (
    Migration(
        1,
        1,
        "batches, their chunks, uploads, and ends that are to be announced",
        (
            "CREATE SCHEMA IF NOT EXISTS scrubber_batches",
            """
            CREATE TABLE IF NOT EXISTS scrubber_batches.batches (
              id text PRIMARY KEY, state text NOT NULL, written text NOT NULL, rows integer, unfinished integer,
              started text, ended text, why text, key text UNIQUE, key_until text
            )
            """,
            """
            CREATE TABLE IF NOT EXISTS scrubber_batches.chunks (
              batch text, number integer, first_row integer NOT NULL, rows integer NOT NULL, start bigint NOT NULL,
              stop bigint NOT NULL, state text NOT NULL, urgency integer NOT NULL, token text, worker text,
              until timestamptz, tries integer NOT NULL DEFAULT 0, at_row integer, deaths jsonb NOT NULL DEFAULT '{}',
              accept integer, warn integer, deny integer, rejected integer, at_risk bigint, unpriced integer,
              summary bytea, PRIMARY KEY (batch, number)
            )
            """,
            """
            CREATE TABLE IF NOT EXISTS scrubber_batches.announcements (
              batch text PRIMARY KEY, due timestamptz NOT NULL DEFAULT '-infinity', tries integer NOT NULL DEFAULT 0
            )
            """,
            """
            CREATE TABLE IF NOT EXISTS scrubber_batches.uploads (
              batch text PRIMARY KEY, received timestamptz NOT NULL DEFAULT now()
            )
            """,
            """
            CREATE INDEX IF NOT EXISTS chunks_to_do ON scrubber_batches.chunks (state, urgency, batch, number)
              WHERE state <> 'done'
            """,
        ),
    ),
    Migration(
        2,
        1,
        "turns of batches, digests of rows and results, what a batch was begun and made with, why work stands still",
        (
            "ALTER TABLE scrubber_batches.batches ADD COLUMN pinned text",
            "ALTER TABLE scrubber_batches.chunks ADD COLUMN rows_sha256 text, ADD COLUMN result_sha256 text, "
            "ADD COLUMN made_with text",
            "CREATE SEQUENCE scrubber_batches.turn",
            """
            CREATE TABLE scrubber_batches.turns (
              batch text PRIMARY KEY, turn bigint NOT NULL DEFAULT nextval('scrubber_batches.turn')
            )
            """,
            """
            CREATE TABLE scrubber_batches.standstills (
              worker text PRIMARY KEY, why text NOT NULL, until timestamptz NOT NULL
            )
            """,
            "CREATE INDEX chunks_waiting ON scrubber_batches.chunks (batch, number) WHERE state = 'waiting'",
            "CREATE INDEX batches_under_way ON scrubber_batches.batches (id) WHERE ended IS NULL",
        ),
    ),
    Migration(
        3,
        1,
        "the tenant that a batch belongs to: default for those from before",
        (
            "ALTER TABLE scrubber_batches.batches ADD COLUMN tenant text NOT NULL DEFAULT 'default'",
            "CREATE INDEX batches_of_tenant ON scrubber_batches.batches (tenant, id)",
        ),
    ),
    Migration(
        4,
        1,
        "turns of tenants",
        (
            """
            CREATE TABLE scrubber_batches.tenant_turns (
              tenant text PRIMARY KEY, turn bigint NOT NULL DEFAULT nextval('scrubber_batches.turn')
            )
            """,
        ),
    ),
)
