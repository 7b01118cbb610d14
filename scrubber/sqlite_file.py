"""Opens one SQLite file for all threads and processes of a store: a connection each, none across a fork."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from scrubber.errors import StoreUnavailable
from scrubber.migrations import EMPTY, UNMARKED, Migration, Version, after, pending

_VERSION_TABLE = "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL, usable_from INTEGER NOT NULL)"
LOCK_TIMEOUT = 30.0  # seconds to wait for another writer


class SqliteFile:
    """A file with the tables of `migrations`, brought up to date on its first use. See Store.

    Only the user of this process may read the file.
    """

    def __init__(self, what: str, file: Path, migrations: Sequence[Migration]) -> None:
        self.name = f"{what} {file}"
        self._file = file
        self._migrations = migrations
        self._local = threading.local()
        _FILES.add(self)

    def version(self) -> Version:
        """See Store."""
        if not self._file.exists():
            return EMPTY
        with _as_store_errors(), closing(sqlite3.connect(f"file:{quote(str(self._file))}?mode=ro", uri=True)) as opened:
            return _version(opened)

    def pending(self) -> tuple[Migration, ...]:
        """See Store."""
        found = self.version()
        return () if found == EMPTY else pending(self.name, found, self._migrations)

    def migrate(self) -> tuple[Migration, ...]:
        """See Store."""
        if self.version() == EMPTY:
            return ()
        with (
            _as_store_errors(),
            closing(sqlite3.connect(self._file, timeout=LOCK_TIMEOUT, isolation_level=None)) as opened,
        ):
            return self._bring_up(opened)

    def query(self, statement: str, values: tuple[Any, ...]) -> list[sqlite3.Row]:
        """All rows found: a cursor that is left open would block checkpoints."""
        with _as_store_errors():
            return self._connection().execute(statement, values).fetchall()

    @contextmanager
    def change(self, *, durable: bool = False) -> Iterator[SqliteStatements]:
        """One transaction. `durable`: it survives a power failure; else it survives the death of processes."""
        with _as_store_errors():
            connection = self._connection()
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteStatements(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def checkpoint(self) -> None:
        """Moves all changes from the write-ahead log into the file, and empties the log."""
        self.query("PRAGMA wal_checkpoint(TRUNCATE)", ())

    def close(self) -> None:
        """Close the connection of this thread; the next use opens another."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            self._local.connection = None
            connection.close()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._open()
        return connection

    def _open(self) -> sqlite3.Connection:
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):  # SQLite creates the files beside it with the same mode
            os.close(os.open(self._file, os.O_CREAT | os.O_EXCL, 0o600))
        connection = sqlite3.connect(self._file, timeout=LOCK_TIMEOUT, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA secure_delete = ON")
        self._bring_up(connection)
        return connection

    def _bring_up(self, connection: sqlite3.Connection) -> tuple[Migration, ...]:
        """Applies all missing migrations or none: one transaction, for which other processes wait."""
        if not pending(self.name, _version(connection), self._migrations):
            return ()
        connection.execute("BEGIN IMMEDIATE")
        try:
            found = _version(connection)
            missing = pending(self.name, found, self._migrations)  # another process may have been faster
            for statement in (statement for each in missing for statement in each.statements):
                connection.execute(statement)
            if missing:
                connection.execute(_VERSION_TABLE)
                connection.execute("DELETE FROM schema_version")
                connection.execute("INSERT INTO schema_version VALUES (?, ?)", after(found, missing))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return missing


def _version(connection: sqlite3.Connection) -> Version:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "schema_version" not in tables:
        return UNMARKED if tables else EMPTY
    return Version(*connection.execute("SELECT version, usable_from FROM schema_version").fetchone())


class SqliteStatements:
    """Statements of one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __call__(self, statement: str, values: tuple[Any, ...]) -> sqlite3.Cursor:
        """One statement."""
        return self._connection.execute(statement, values)

    def many(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        """One statement for many rows."""
        self._connection.executemany(statement, rows)


# A connection must not cross a fork: the child would assume the locks of its parent, and when the parent is killed
# another
# process could rebuild the write-ahead log while the child uses it.
_FILES: weakref.WeakSet[SqliteFile] = weakref.WeakSet()


def _close_all() -> None:
    for file in tuple(_FILES):
        file.close()


os.register_at_fork(before=_close_all)


@contextmanager
def _as_store_errors() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        reason = type(error).__name__
    else:
        return
    raise StoreUnavailable(f"the ledger of batches cannot be used: {reason}")
