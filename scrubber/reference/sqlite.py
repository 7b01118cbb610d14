"""Look-ups of facts and money: reference rows in a SQLite file that nobody writes to while it is open.

The file is replaced as a whole, never changed (see `build`), so it is opened read-only and immutable: no locks, one
page cache for all workers. Every thread of every process has a connection of its own.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from scrubber.errors import ConfigError
from scrubber.reference import layout
from scrubber.reference.backend import Pair, Windows
from scrubber.reference.catalogue import PTP, R, Table
from scrubber.reference.rows import PtpEdit, Release


class _Connections(threading.local):
    """The connection of this thread, and the process that opened it: SQLite's must not cross a fork."""

    process: int = 0
    connection: sqlite3.Connection


class SqliteBackend:
    """Rows in a SQLite file. Raises ConfigError when the file is none of ours."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self._connections = _Connections()
        try:
            self._check_layout()
            self._texts: dict[int, str] = dict(self._ask("SELECT number, text FROM texts"))
            self._releases = tuple(self._read_releases())
        except sqlite3.Error as failure:
            raise ConfigError(f"reference data: {path} cannot be read: {failure}") from failure

    def rows(self, table: Table[R], key: str) -> tuple[R, ...]:
        """See Backend."""
        found = self._ask(
            f'SELECT {_names(table.row_type)} FROM "{table.name}"'  # noqa: S608 (names are ours)
            f" WHERE {layout.key_columns(table)[0]} = ? ORDER BY position",
            (key,),
        )
        return tuple(layout.load_row(table.row_type, stored, self._texts) for stored in found)

    def ptp_among(self, codes: frozenset[str]) -> Mapping[Pair, Windows]:
        """See Backend. One statement."""
        bound = sorted(codes)
        marks = ",".join("?" * len(bound))
        found = self._ask(
            f'SELECT {_names(PtpEdit)} FROM "{PTP.name}"'  # noqa: S608 (names are ours)
            f" WHERE column1 IN ({marks}) AND column2 IN ({marks}) ORDER BY column1, column2, position",
            (*bound, *bound),
        )
        pairs: dict[Pair, Windows] = {}
        for stored in found:
            edit: PtpEdit = layout.load_row(PtpEdit, stored, self._texts)
            pair = edit.column1, edit.column2
            pairs[pair] = (*pairs.get(pair, ()), edit)
        return pairs

    def releases(self) -> tuple[Release, ...]:
        """See Backend."""
        return self._releases

    def _check_layout(self) -> None:
        [(found,)] = self._ask("PRAGMA user_version")
        if found != layout.LAYOUT:
            raise ConfigError(
                f"reference data: {self._path} has layout {found}, this program reads {layout.LAYOUT}: build it again"
            )

    def _read_releases(self) -> Iterable[Release]:
        stored = self._ask(f"SELECT {_names(Release)} FROM {layout.RELEASES} ORDER BY rowid")  # noqa: S608 (names are ours)
        return (layout.load_row(Release, cells, self._texts) for cells in stored)

    def _ask(self, statement: str, values: tuple[str, ...] = ()) -> list[Any]:
        return self._connection().execute(statement, values).fetchall()

    def _connection(self) -> sqlite3.Connection:
        mine = self._connections
        if mine.process != os.getpid():
            mine.connection = sqlite3.connect(f"file:{quote(str(self._path))}?mode=ro&immutable=1", uri=True)
            mine.process = os.getpid()
        return mine.connection


def _names(row_type: type[NamedTuple]) -> str:
    return ", ".join(f'"{cell.name}"' for cell in layout.cells(row_type))
