"""Around the path: keys in one SQLite file, for one machine. See KeyStore.

Each call opens the file and closes it again: keys are read a few times a minute, and nothing crosses a fork.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from scrubber.access.key import Key
from scrubber.access.written import COLUMNS, from_row, sooner, to_row
from scrubber.errors import KeysDown

PATIENCE = 10.0  # seconds to wait for another writer
VERSION = 1  # of the tables; the file says which it has as its user_version
_SCHEMA = """
CREATE TABLE IF NOT EXISTS keys (
  id TEXT PRIMARY KEY, digest BLOB NOT NULL, tenant TEXT NOT NULL, scopes TEXT NOT NULL, name TEXT NOT NULL,
  created TEXT NOT NULL, expires TEXT, revoked TEXT, replaces TEXT, rate REAL, concurrent INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS changes (number INTEGER NOT NULL);
INSERT INTO changes SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM changes);
PRAGMA user_version = 1;
"""
_COLUMNS = ", ".join(COLUMNS)
_PLACES = ", ".join("?" * len(COLUMNS))


class SqliteKeys:
    """See KeyStore. The file is made with the first key; only the user of this process may read it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def revision(self) -> int:
        """See KeyStore."""
        if not self._file.exists():
            return 0
        with self._opened() as connection:
            if not _version(connection):
                return 0
            [number] = connection.execute("SELECT number FROM changes").fetchone()
        return int(number)

    def every(self) -> list[Key]:
        """See KeyStore."""
        if not self._file.exists():
            return []
        with self._opened() as connection:
            if not _version(connection):
                return []
            return [from_row(row) for row in connection.execute(f"SELECT {_COLUMNS} FROM keys ORDER BY created, id")]  # noqa: S608

    def add(self, key: Key) -> None:
        """See KeyStore."""
        with self._change() as connection:
            connection.execute(f"INSERT INTO keys ({_COLUMNS}) VALUES ({_PLACES})", to_row(key))  # noqa: S608

    def rotate(self, key_id: str, successor: Callable[[Key], Key], until: datetime) -> Key | None:
        """See KeyStore."""
        with self._change() as connection:
            key = _find(connection, key_id)
            if key is None:
                return None
            new = successor(key)
            connection.execute(f"INSERT INTO keys ({_COLUMNS}) VALUES ({_PLACES})", to_row(new))  # noqa: S608
            connection.execute("UPDATE keys SET expires = ? WHERE id = ?", (sooner(key.expires, until), key_id))
            return new

    def revoke(self, key_id: str, now: datetime) -> Key | None:
        """See KeyStore."""
        with self._change() as connection:
            connection.execute(
                "UPDATE keys SET revoked = ? WHERE id = ? AND revoked IS NULL", (now.isoformat(), key_id)
            )
            return _find(connection, key_id)

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """One transaction."""
        with self._opened(make=True) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("UPDATE changes SET number = number + 1")
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _opened(self, make: bool = False) -> Iterator[sqlite3.Connection]:
        try:
            if make:
                self._make()
            with closing(sqlite3.connect(self._file, timeout=PATIENCE, isolation_level=None)) as connection:
                connection.row_factory = sqlite3.Row
                _version(connection)
                if make:
                    connection.executescript(_SCHEMA)
                yield connection
        except (sqlite3.Error, OSError) as error:
            reason = type(error).__name__
        else:
            return
        raise KeysDown(f"the API keys in {self._file} cannot be read or written: {reason}")

    def _make(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            os.close(os.open(self._file, os.O_CREAT | os.O_EXCL, 0o600))


def _version(connection: sqlite3.Connection) -> int:
    """Of the tables; 0 where none were made. Raises KeysDown for one of a later program."""
    [version] = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise KeysDown(f"the API keys were written by a later version of the program (tables {version}, not {VERSION})")
    return int(version)


def _find(connection: sqlite3.Connection, key_id: str) -> Key | None:
    row = connection.execute(f"SELECT {_COLUMNS} FROM keys WHERE id = ?", (key_id,)).fetchone()  # noqa: S608
    return from_row(row) if row else None
