"""Look-ups of facts and money: reference rows in SQLite files, one a part, that nobody writes to once they are whole.

A file has a table `texts` and one table a reference table, key and packed rows. It is opened read-only and immutable:
no locks, and its pages are mapped, so that all workers share them. Every thread of every process has connections of
its own.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

from scrubber.reference.backend import Pair, Windows
from scrubber.reference.catalogue import PTP, PTP_BY_COLUMN2, R, Table
from scrubber.reference.edit_rows import PtpEdit
from scrubber.reference.packing import Texts
from scrubber.reference.part import Packed, unpack_rows
from scrubber.reference.place import LAYOUT, check_layout
from scrubber.reference.ptp_packing import numbered, pairs_among
from scrubber.reference.ptp_partners import in_force_on
from scrubber.reference.releases import Release

PAGE_BYTES = 16_384  # so that the windows of most codes lie on one page
MAPPED_BYTES = 1 << 34  # more than any part has: all of a file is mapped
CACHE_PAGES = 16  # private to a connection, so next to none; the pages are mapped anyway
WRITING_CACHE_KB = 65_536


class _Connections(threading.local):
    """The connections of this thread by file, and the process that opened them: SQLite's must not cross a fork."""

    process: int = 0
    by_file: dict[Path, sqlite3.Connection]


class UnreadableFiles(Exception):
    """Files are gone, or are no SQLite files any more."""

    def __init__(self, paths: list[Path]) -> None:
        super().__init__(f"{len(paths)} file(s) cannot be read")
        self.paths = paths


class SqliteBackend:
    """Rows in SQLite files by table and part.

    Raises UnreadableFiles, with all of them, and ConfigError for one whose rows another program packed.
    """

    def __init__(self, files: Mapping[tuple[str, str], Path], releases: Iterable[Release]) -> None:
        unreadable = [path for path in sorted(set(files.values())) if not _is_readable(path)]
        if unreadable:
            raise UnreadableFiles(unreadable)
        self._files = {of: path.resolve() for of, path in files.items()}
        self._releases = tuple(releases)
        self._connections = _Connections()
        self._texts: dict[Path, Texts] = {path: self._open_part(path) for path in set(self._files.values())}

    def rows(self, table: Table[R], part: str, key: str) -> tuple[R, ...]:
        """See Backend."""
        packed = self._packed(table, part, key)
        return unpack_rows(table, key, packed, self._texts[self._files[table.owner, part]]) if packed else ()

    def ptp_among(self, part: str, codes: frozenset[str]) -> Mapping[Pair, Windows]:
        """See Backend. One statement; partners are searched in what it finds."""
        path = self._files[PTP.name, part]
        asked = numbered(codes)
        marks = ",".join("?" * len(asked))
        found = self._ask(path, f'SELECT key, packed FROM "{PTP.name}" WHERE key IN ({marks})', *asked.values())  # noqa: S608
        return pairs_among(found, asked, self._texts[path])

    def ptp_of(self, part: str, code: str, day: date) -> Sequence[PtpEdit]:
        """See Backend. Two statements; edits are unpacked when they are read."""
        as_column1, as_column2 = (self._packed(table, part, code) for table in (PTP, PTP_BY_COLUMN2))
        return in_force_on(day, code, as_column1, as_column2, self._texts[self._files[PTP.name, part]])

    def every(self, table: Table[R], part: str) -> Iterator[tuple[str, tuple[R, ...]]]:
        """See Backend."""
        path = self._files[table.owner, part]
        for key, packed in self._connection(path).execute(f'SELECT key, packed FROM "{table.name}" ORDER BY key'):  # noqa: S608
            yield key, unpack_rows(table, key, packed, self._texts[path])

    def releases(self) -> tuple[Release, ...]:
        """See Backend."""
        return self._releases

    def _open_part(self, path: Path) -> Texts:
        [(found,)] = self._ask(path, "PRAGMA user_version")
        check_layout(str(path), found)
        return dict(self._ask(path, "SELECT number, text FROM texts"))

    def _packed(self, table: Table[Any], part: str, key: str) -> bytes:
        path = self._files[table.owner, part]
        found = self._ask(path, f'SELECT packed FROM "{table.name}" WHERE key = ?', key)  # noqa: S608 (names are ours)
        packed: bytes = found[0][0] if found else b""
        return packed

    def _ask(self, path: Path, statement: str, *values: str) -> list[Any]:
        return self._connection(path).execute(statement, values).fetchall()

    def _connection(self, path: Path) -> sqlite3.Connection:
        mine = self._connections
        if mine.process != os.getpid():
            mine.by_file = {}
            mine.process = os.getpid()
        connection = mine.by_file.get(path)
        if connection is None:
            connection = mine.by_file[path] = _open(path)
        return connection


def _is_readable(path: Path) -> bool:
    try:
        with closing(_open(path)) as connection:
            connection.execute("SELECT number, text FROM texts").fetchall()
    except sqlite3.Error:
        return False
    return True


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)
    connection.execute(f"PRAGMA cache_size = {CACHE_PAGES}")
    connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
    return connection


class SqliteSink:
    """Writes one part to a new file. A half-written file is thrown away, so nothing has to be undone in it."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._tables: set[str] = set()
        for pragma in (
            f"page_size = {PAGE_BYTES}",  # first: the file has its size once something is written
            f"user_version = {LAYOUT}",
            "journal_mode = OFF",
            "synchronous = OFF",
            f"cache_size = -{WRITING_CACHE_KB}",
        ):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("BEGIN")
        self._connection.execute("CREATE TABLE texts (number INTEGER PRIMARY KEY, text TEXT NOT NULL)")

    def append(self, table: str, packed: Packed) -> None:
        """See part.Sink."""
        if table not in self._tables:
            columns = "(key TEXT PRIMARY KEY, packed BLOB NOT NULL)"
            self._connection.execute(f'CREATE TABLE "{table}" {columns} WITHOUT ROWID')
            self._tables.add(table)
        self._connection.executemany(
            f'INSERT INTO "{table}" VALUES (?, ?) ON CONFLICT (key) DO UPDATE'  # noqa: S608 (names are ours)
            " SET packed = CAST(packed || excluded.packed AS BLOB)",
            packed,
        )

    def texts(self, texts: Iterable[tuple[int, str]]) -> None:
        """See part.Sink."""
        self._connection.executemany("INSERT INTO texts VALUES (?, ?)", texts)

    def of_several(self, table: str) -> Iterator[tuple[str, bytes]]:
        """See part.Sink."""
        yield from self._connection.execute(
            f"SELECT key, packed FROM \"{table}\" WHERE instr(packed, x'0A') < length(packed)"  # noqa: S608
        )

    def replace(self, table: str, packed: Packed) -> None:
        """See part.Sink."""
        self._connection.executemany(
            f'UPDATE "{table}" SET packed = ? WHERE key = ?',  # noqa: S608
            ((content, key) for key, content in packed),
        )

    def close(self) -> None:
        """Finish the file."""
        self._connection.execute("COMMIT")
        self._connection.close()

    def discard(self) -> None:
        """Leave the file as it is, half-written."""
        self._connection.close()
