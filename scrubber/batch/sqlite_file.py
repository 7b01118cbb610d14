"""Around the path: one SQLite file as every thread and process uses it: a connection each, none across a fork."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from scrubber.errors import LedgerDown

PATIENCE = 30.0  # seconds to wait for another writer


class SqliteFile:
    """A file with the tables of `schema`, made when it is first used; only the user of this process may read it."""

    def __init__(self, file: Path, schema: str) -> None:
        self._file = file
        self._schema = schema
        self._mine = threading.local()
        _FILES.add(self)

    def ask(self, statement: str, values: tuple[Any, ...]) -> list[sqlite3.Row]:
        """All rows found: a cursor that is left open would keep the file from being tidied."""
        with _told_plainly():
            return self._connection().execute(statement, values).fetchall()

    @contextmanager
    def change(self, *, durable: bool = False) -> Iterator[Do]:
        """One transaction. `durable`: it survives a loss of power; else it survives the death of processes."""
        with _told_plainly():
            connection = self._connection()
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Do(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def tidy(self) -> None:
        """Bring all that was changed into the file itself, and empty what it was noted in until now."""
        self.ask("PRAGMA wal_checkpoint(TRUNCATE)", ())

    def close(self) -> None:
        """Close the connection of this thread; the next use opens another."""
        connection: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        if connection is not None:
            self._mine.connection = None
            connection.close()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._mine.connection = self._open()
        return connection

    def _open(self) -> sqlite3.Connection:
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):  # what SQLite lays beside the file takes its mode
            os.close(os.open(self._file, os.O_CREAT | os.O_EXCL, 0o600))
        connection = sqlite3.connect(self._file, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.executescript(self._schema)
        return connection


class Do:
    """Statements of one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __call__(self, statement: str, values: tuple[Any, ...]) -> sqlite3.Cursor:
        """One statement."""
        return self._connection.execute(statement, values)

    def many(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        """One statement for many rows."""
        self._connection.executemany(statement, rows)


# A connection must not cross a fork: the child would believe that it holds the locks of its parent, and another process
# could rebuild what lies beside the file under its feet when the parent is killed.
_FILES: weakref.WeakSet[SqliteFile] = weakref.WeakSet()


def _close_all() -> None:
    for file in tuple(_FILES):
        file.close()


os.register_at_fork(before=_close_all)


@contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        reason = type(error).__name__
    else:
        return
    raise LedgerDown(f"the ledger of batches cannot be used: {reason}")
