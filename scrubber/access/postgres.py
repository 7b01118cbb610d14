"""Stores API keys in a PostgreSQL database, for services on many machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from scrubber.access.key import Key
from scrubber.access.store import from_row, sooner, to_row
from scrubber.database import Connection, Database
from scrubber.errors import KeysDown, NewerStore
from scrubber.migrations import EMPTY, Migration, Store, Version, after, check_usable, pending

_LOCK = 7_713_092  # key of an advisory lock; any number that no other program uses
MIGRATIONS = (
    Migration(
        1,
        1,
        "keys, and how many changes there were",
        (
            "CREATE SCHEMA scrubber_access",
            """
            CREATE TABLE scrubber_access.keys (
              id text PRIMARY KEY, digest bytea NOT NULL, tenant text NOT NULL, scopes text NOT NULL,
              name text NOT NULL, created text NOT NULL, expires text, revoked text, replaces text,
              rate double precision, concurrent integer
            )
            """,
            "CREATE TABLE scrubber_access.changes (number bigint NOT NULL)",
            "INSERT INTO scrubber_access.changes VALUES (0)",
            "CREATE TABLE scrubber_access.schema_version (version integer NOT NULL, usable_from integer NOT NULL)",
            "INSERT INTO scrubber_access.schema_version VALUES (0, 0)",
        ),
    ),
)
_ADD = (
    "INSERT INTO scrubber_access.keys"
    " (id, digest, tenant, scopes, name, created, expires, revoked, replaces, rate, concurrent)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)


class _KeyTables:
    """The tables of API keys, as a Store for migrations."""

    name = "the database of API keys"

    def __init__(self, database: Database) -> None:
        self._database = database

    def version(self) -> Version:
        """See Store."""
        with _database_errors_as_keys_down(), self._database.change() as connection:
            return self.version_in(connection)

    def pending(self) -> tuple[Migration, ...]:
        """See Store."""
        found = self.version()
        return () if found == EMPTY else pending(self.name, found, MIGRATIONS)

    def migrate(self) -> tuple[Migration, ...]:
        """See Store."""
        if self.version() == EMPTY:
            return ()
        with _database_errors_as_keys_down(), self._database.change() as connection:
            return self.bring_up(connection)

    def version_in(self, connection: Connection) -> Version:
        """The version, read within a transaction. Raises NewerStore where this program cannot use the tables."""
        [table] = connection.execute("SELECT to_regclass('scrubber_access.schema_version') AS name").fetchall()
        if table["name"] is None:
            return EMPTY
        [row] = connection.execute("SELECT version, usable_from FROM scrubber_access.schema_version").fetchall()
        found = Version(row["version"], row["usable_from"])
        check_usable(self.name, found, MIGRATIONS[-1].version)
        return found

    def bring_up(self, connection: Connection) -> tuple[Migration, ...]:
        """Applies the missing migrations in a transaction; other processes wait for its end."""
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        found = self.version_in(connection)
        missing = pending(self.name, found, MIGRATIONS)
        for statement in (statement for each in missing for statement in each.statements):
            connection.execute(statement)
        if missing:
            newest = tuple(after(found, missing))
            connection.execute("UPDATE scrubber_access.schema_version SET version = %s, usable_from = %s", newest)
        return missing


class PostgresKeys:
    """A KeyStore in a database. The tables are created with the first key."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tables = _KeyTables(database)

    @property
    def store(self) -> Store:
        """See KeyStore."""
        return self._tables

    def revision(self) -> int:
        """See KeyStore."""
        with _database_errors_as_keys_down(), self._database.change() as connection:
            if self._tables.version_in(connection) == EMPTY:
                return 0
            [row] = connection.execute("SELECT number FROM scrubber_access.changes").fetchall()
            return int(row["number"])

    def every(self) -> list[Key]:
        """See KeyStore."""
        with _database_errors_as_keys_down(), self._database.change() as connection:
            if self._tables.version_in(connection) == EMPTY:
                return []
            found = connection.execute("SELECT * FROM scrubber_access.keys ORDER BY created, id").fetchall()
            return [from_row(row) for row in found]

    def add(self, key: Key) -> None:
        """See KeyStore."""
        with self._change() as connection:
            connection.execute(_ADD, to_row(key))

    def rotate(self, key_id: str, successor: Callable[[Key], Key], until: datetime) -> Key | None:
        """See KeyStore."""
        with self._change() as connection:
            key = _find(connection, key_id)
            if key is None:
                return None
            new = successor(key)
            connection.execute(_ADD, to_row(new))
            connection.execute(
                "UPDATE scrubber_access.keys SET expires = %s WHERE id = %s", (sooner(key.expires, until), key_id)
            )
            return new

    def revoke(self, key_id: str, now: datetime) -> Key | None:
        """See KeyStore."""
        with self._change() as connection:
            connection.execute(
                "UPDATE scrubber_access.keys SET revoked = %s WHERE id = %s AND revoked IS NULL",
                (now.isoformat(), key_id),
            )
            return _find(connection, key_id)

    @contextmanager
    def _change(self) -> Iterator[Connection]:
        """One transaction; the update of the counter lets only one run at a time."""
        with _database_errors_as_keys_down(), self._database.change() as connection:
            self._tables.bring_up(connection)
            connection.execute("UPDATE scrubber_access.changes SET number = number + 1")
            yield connection


def open_postgres_keys(address: str) -> PostgresKeys:
    """The keys in the database at an address. Nothing is opened yet."""
    return PostgresKeys(Database(address, dict_row))


def _find(connection: Connection, key_id: str) -> Key | None:
    rows: list[Any] = connection.execute("SELECT * FROM scrubber_access.keys WHERE id = %s", (key_id,)).fetchall()
    return from_row(rows[0]) if rows else None


@contextmanager
def _database_errors_as_keys_down() -> Iterator[None]:
    """Raises KeysDown in place of any error of the database, whose message may contain the address."""
    try:
        yield
    except NewerStore as newer:
        raise KeysDown(str(newer)) from None
    except psycopg.Error as failure:
        raise KeysDown(f"the API keys in the database cannot be read or written: {type(failure).__name__}") from None
