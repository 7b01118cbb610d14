"""The tables of the job store in a PostgreSQL database, and what is asked and changed in them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

from scrubber.database import Connection, Database
from scrubber.errors import StorageFull, StoreUnavailable
from scrubber.migrations import EMPTY, UNMARKED, Migration, Version, after, pending

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


_VERSION_TABLE: LiteralString = """
CREATE TABLE IF NOT EXISTS scrubber_batches.schema_version (version integer NOT NULL, usable_from integer NOT NULL)
"""
_MAY_NOT_CREATE = "the database of batches cannot be used: its user may not do there what is needed"
_MAY_NOT_MIGRATE = (
    "the database of batches cannot be used: its tables are to be migrated, which its user may not do; run "
    "`scrubber migrate` as the user who owns them"
)
SCHEMA_LOCK = 7_713_090  # of advisory locks; any number, as long as nobody else takes it
Row = dict[str, Any]
_BY_KIND: tuple[tuple[tuple[type[psycopg.Error], ...], str], ...] = (
    ((psycopg.errors.InsufficientPrivilege,), "its user may not do there what is needed"),
    ((psycopg.errors.ReadOnlySqlTransaction,), "it can only be read (is it a standby?)"),
    ((psycopg.errors.UndefinedColumn,), "its tables in scrubber_batches are those of another version of the program"),
)
# A connection that fails has no kind, only a message, which names the address; it may be in another language.
_BY_MESSAGE = (
    ("password", "it refuses the user or the password"),
    ("pg_hba.conf", "it lets this user or this machine not in"),
    ("does not exist", "there is no such database or user"),
    ("Connection refused", "nobody listens at its address"),
    ("Name or service not known", "the name of its host is not known"),
    ("timeout expired", "it does not answer"),
    ("too many clients", "it takes no more connections"),
    ("connection slots", "it takes no more connections"),
    ("starting up", "it starts just now"),
    ("shutting down", "it ends just now"),
    ("recovery mode", "it recovers just now"),
    ("closed", "the connection was lost"),
    ("lost", "the connection was lost"),
)


class BatchTables:
    """The tables, brought up to date when they are first needed. See Store."""

    name = "the database of batches"

    def __init__(self, database: Database) -> None:
        self._database = database
        self._current_in = 0

    def version(self) -> Version:
        """See Store."""
        with as_batch_errors(), self._database.change() as connection:
            return _version(Statements(connection))

    def pending(self) -> tuple[Migration, ...]:
        """See Store."""
        found = self.version()
        return () if found == EMPTY else pending(self.name, found, MIGRATIONS)

    def migrate(self) -> tuple[Migration, ...]:
        """See Store."""
        if self.version() == EMPTY:
            return ()
        with as_batch_errors():
            return self._bring_up()

    def query(self, statement: LiteralString, values: tuple[Any, ...]) -> list[Row]:
        """All rows found."""
        with as_batch_errors():
            self.bring_up_to_date()
            return self._database.query(statement, values)

    @contextmanager
    def change(self) -> Iterator[Statements]:
        """One transaction."""
        with as_batch_errors():
            self.bring_up_to_date()
            with self._database.change() as connection:
                yield Statements(connection)

    def bring_up_to_date(self) -> None:
        """Brings them up to date, once in a process. Looked at first: who may use tables may not always change them."""
        if self._current_in == os.getpid():
            return
        with self._database.change() as connection:
            found = _version(Statements(connection))
        if pending(self.name, found, MIGRATIONS):
            try:
                self._bring_up()
            except psycopg.errors.InsufficientPrivilege:
                raise StoreUnavailable(_MAY_NOT_MIGRATE if found != EMPTY else _MAY_NOT_CREATE) from None
        self._current_in = os.getpid()

    def _bring_up(self) -> tuple[Migration, ...]:
        """All migrations that are missing, or none: one transaction, for which others wait."""
        with self._database.change() as connection:
            do = Statements(connection)
            do("SELECT pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
            found = _version(do)
            missing = pending(self.name, found, MIGRATIONS)  # another process may have been faster
            for statement in (statement for each in missing for statement in each.statements):
                connection.execute(statement)
            if missing:
                connection.execute(_VERSION_TABLE)
                do("DELETE FROM scrubber_batches.schema_version", ())
                do("INSERT INTO scrubber_batches.schema_version VALUES (%s, %s)", tuple(after(found, missing)))
        return missing


def _version(do: Statements) -> Version:
    # Asked of a table of the server: else what it remembers from before the wait for a lock would answer.
    [found] = do(
        "SELECT to_regclass('scrubber_batches.schema_version') IS NOT NULL AS marked, "
        "to_regclass('scrubber_batches.chunks') IS NOT NULL AS made FROM pg_catalog.pg_class LIMIT 1",
        (),
    )
    if not found["marked"]:
        return UNMARKED if found["made"] else EMPTY
    [row] = do("SELECT version, usable_from FROM scrubber_batches.schema_version", ())
    return Version(row["version"], row["usable_from"])


class Statements:
    """Statements of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self, statement: LiteralString, values: tuple[Any, ...] | Mapping[str, Any]) -> list[Row]:
        """One statement; what it found."""
        cursor = self._connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []

    def copy(self, statement: LiteralString, rows: list[tuple[Any, ...]]) -> None:
        """Many rows in one go."""
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)


def open_database(address: str) -> Database:
    """The database of batches. Who stands still in a transaction does not hold up the others for ever."""
    return Database(address, dict_row, options="-c idle_in_transaction_session_timeout=60s")


@contextmanager
def as_batch_errors() -> Iterator[None]:
    """What the database fails with, as StoreUnavailable or StorageFull. Its own message may hold the address."""
    try:
        yield
    except psycopg.errors.DiskFull:
        reason = None
    except psycopg.Error as failure:
        reason = _reason(failure)
    else:
        return
    if reason is None:
        raise StorageFull("there is no room for the batch in the database")
    raise StoreUnavailable(f"the database of batches cannot be used: {reason}")


def _reason(failure: psycopg.Error) -> str:
    """What is wrong, as far as it can be told without a word of the message."""
    for kinds, reason in _BY_KIND:
        if isinstance(failure, kinds):
            return reason
    message = str(failure)
    return next((reason for text, reason in _BY_MESSAGE if text in message), type(failure).__name__)
