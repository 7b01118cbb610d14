"""Around the path: keys in a PostgreSQL database, for many machines. See KeyStore."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from scrubber.access.key import Key
from scrubber.access.written import from_row, sooner, to_row
from scrubber.errors import KeysDown
from scrubber.reference.postgres_database import Connection, Database

VERSION = 1  # of the tables
_LOCK = 7_713_092  # of advisory locks; any number, as long as nobody else takes it
_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS scrubber_access;
CREATE TABLE IF NOT EXISTS scrubber_access.keys (
  id text PRIMARY KEY, digest bytea NOT NULL, tenant text NOT NULL, scopes text NOT NULL, name text NOT NULL,
  created text NOT NULL, expires text, revoked text, replaces text, rate double precision, concurrent integer
);
CREATE TABLE IF NOT EXISTS scrubber_access.changes (number bigint NOT NULL, version integer NOT NULL);
INSERT INTO scrubber_access.changes SELECT 0, 1 WHERE NOT EXISTS (SELECT 1 FROM scrubber_access.changes);
"""
_ADD = (
    "INSERT INTO scrubber_access.keys"
    " (id, digest, tenant, scopes, name, created, expires, revoked, replaces, rate, concurrent)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)


class PostgresKeys:
    """See KeyStore. The tables are made with the first key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def revision(self) -> int:
        """See KeyStore."""
        with _told_plainly():
            if not self._made():
                return 0
            [row] = self._database.ask("SELECT number, version FROM scrubber_access.changes")
            _check_version(row["version"])
            return int(row["number"])

    def every(self) -> list[Key]:
        """See KeyStore."""
        with _told_plainly():
            if not self._made():
                return []
            return [
                from_row(row) for row in self._database.ask("SELECT * FROM scrubber_access.keys ORDER BY created, id")
            ]

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

    def _made(self) -> bool:
        """Looked for first: who may read the tables may not always make them."""
        [found] = self._database.ask("SELECT to_regclass('scrubber_access.changes') IS NOT NULL AS made")
        return bool(found["made"])

    @contextmanager
    def _change(self) -> Iterator[Connection]:
        """One transaction, one at a time."""
        with _told_plainly():
            made = self._made()
            with self._database.change() as connection:
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                if not made:
                    connection.execute(_SCHEMA)
                [row] = connection.execute(
                    "UPDATE scrubber_access.changes SET number = number + 1 RETURNING version"
                ).fetchall()
                _check_version(row["version"])
                yield connection


def open_postgres_keys(address: str) -> PostgresKeys:
    """The keys in the database at an address. Nothing is opened yet."""
    return PostgresKeys(Database(address, dict_row))


def _find(connection: Connection, key_id: str) -> Key | None:
    rows: list[Any] = connection.execute("SELECT * FROM scrubber_access.keys WHERE id = %s", (key_id,)).fetchall()
    return from_row(rows[0]) if rows else None


def _check_version(version: int) -> None:
    if version > VERSION:
        raise KeysDown(f"the API keys were written by a later version of the program (tables {version}, not {VERSION})")


@contextmanager
def _told_plainly() -> Iterator[None]:
    """What the database fails with, as KeysDown. Its own message may hold the address."""
    try:
        yield
    except psycopg.Error as failure:
        raise KeysDown(f"the API keys in the database cannot be read or written: {type(failure).__name__}") from None
