"""Stores API keys in a SQLite file, for services on one machine."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from scrubber.access.key import Key
from scrubber.access.store import COLUMNS, from_row, sooner, to_row
from scrubber.errors import KeysDown, NewerStore, StoreUnavailable
from scrubber.migrations import Migration, Store
from scrubber.sqlite_file import SqliteFile, SqliteStatements

MIGRATIONS = (
    Migration(
        1,
        1,
        "keys, and how many changes there were",
        (
            """CREATE TABLE keys (
              id TEXT PRIMARY KEY, digest BLOB NOT NULL, tenant TEXT NOT NULL, scopes TEXT NOT NULL, name TEXT NOT NULL,
              created TEXT NOT NULL, expires TEXT, revoked TEXT, replaces TEXT, rate REAL, concurrent INTEGER
            ) WITHOUT ROWID""",
            "CREATE TABLE changes (number INTEGER NOT NULL)",
            "INSERT INTO changes VALUES (0)",
        ),
    ),
)
_COLUMNS = ", ".join(COLUMNS)
_PARAMETERS = ", ".join("?" * len(COLUMNS))


class SqliteKeys:
    """A KeyStore in a file, which is created with the first key; only the user of this process may read it."""

    def __init__(self, file: Path) -> None:
        self._path = file
        self._file = SqliteFile("the API keys in", file, MIGRATIONS)

    @property
    def store(self) -> Store:
        """See KeyStore."""
        return self._file

    def revision(self) -> int:
        """See KeyStore."""
        if not self._path.exists():
            return 0
        with self._opened() as file:
            [row] = file.query("SELECT number FROM changes", ())
        return int(row["number"])

    def every(self) -> list[Key]:
        """See KeyStore."""
        if not self._path.exists():
            return []
        with self._opened() as file:
            return [from_row(row) for row in file.query(f"SELECT {_COLUMNS} FROM keys ORDER BY created, id", ())]  # noqa: S608

    def add(self, key: Key) -> None:
        """See KeyStore."""
        with self._change() as do:
            do(f"INSERT INTO keys ({_COLUMNS}) VALUES ({_PARAMETERS})", to_row(key))  # noqa: S608

    def rotate(self, key_id: str, successor: Callable[[Key], Key], until: datetime) -> Key | None:
        """See KeyStore."""
        with self._change() as do:
            key = _find(do, key_id)
            if key is None:
                return None
            new = successor(key)
            do(f"INSERT INTO keys ({_COLUMNS}) VALUES ({_PARAMETERS})", to_row(new))  # noqa: S608
            do("UPDATE keys SET expires = ? WHERE id = ?", (sooner(key.expires, until), key_id))
            return new

    def revoke(self, key_id: str, now: datetime) -> Key | None:
        """See KeyStore."""
        with self._change() as do:
            do("UPDATE keys SET revoked = ? WHERE id = ? AND revoked IS NULL", (now.isoformat(), key_id))
            return _find(do, key_id)

    @contextmanager
    def _change(self) -> Iterator[SqliteStatements]:
        with self._opened() as file, file.change(durable=True) as do:
            yield do
            do("UPDATE changes SET number = number + 1", ())

    @contextmanager
    def _opened(self) -> Iterator[SqliteFile]:
        """The open file, closed afterwards, so that a copy put in its place is read by the next call."""
        try:
            yield self._file
        except NewerStore as newer:
            raise KeysDown(str(newer)) from None
        except StoreUnavailable as down:
            raise KeysDown(f"the API keys cannot be read or written: {str(down).rpartition(': ')[2]}") from None
        finally:
            self._file.close()


def _find(do: SqliteStatements, key_id: str) -> Key | None:
    row: sqlite3.Row | None = do(f"SELECT {_COLUMNS} FROM keys WHERE id = ?", (key_id,)).fetchone()  # noqa: S608
    return from_row(row) if row else None
