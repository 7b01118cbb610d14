"""One SQLite file as every thread and process of ours uses it: a connection each, none across a fork."""

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
PATIENCE = 30.0  # seconds to wait for another writer


class SqliteFile:
    """A file with the tables that `migrations` make, brought up to date when it is first used. See Store.

    Only the user of this process may read it.
    """

    def __init__(self, what: str, file: Path, migrations: Sequence[Migration]) -> None:
        self.name = f"{what} {file}"
        self._file = file
        self._migrations = migrations
        self._mine = threading.local()
        _FILES.add(self)

    def version(self) -> Version:
        """See Store."""
        if not self._file.exists():
            return EMPTY
        with _told_plainly(), closing(sqlite3.connect(f"file:{quote(str(self._file))}?mode=ro", uri=True)) as opened:
            return _version(opened)

    def pending(self) -> tuple[Migration, ...]:
        """See Store."""
        found = self.version()
        return () if found == EMPTY else pending(self.name, found, self._migrations)

    def migrate(self) -> tuple[Migration, ...]:
        """See Store."""
        if self.version() == EMPTY:
            return ()
        with _told_plainly(), closing(sqlite3.connect(self._file, timeout=PATIENCE, isolation_level=None)) as opened:
            return self._bring_up(opened)

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
        self._bring_up(connection)
        return connection

    def _bring_up(self, connection: sqlite3.Connection) -> tuple[Migration, ...]:
        """All migrations that are missing, or none: one transaction, for which others wait."""
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
    raise StoreUnavailable(f"the ledger of batches cannot be used: {reason}")
