"""Before any claim: writes reference tables into one SQLite file that all workers share."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from scrubber.reference import layout
from scrubber.reference.catalogue import Table
from scrubber.reference.files import Contents, read_contents
from scrubber.reference.rows import Release

READABLE = 0o644  # by the service, whoever built the file


def build_sqlite(target: Path, folder: Path | None = None) -> None:
    """Write the starter tables, with those replaced whose files stand in `folder`, to `target`.

    The file appears whole or not at all; one that is there is replaced, and stays as it is for those who have it open.
    Raises Faults when a CSV file is wrong, OSError when `target` cannot be written.
    """
    contents = read_contents(folder)
    descriptor, name = tempfile.mkstemp(prefix=f"{target.name}.", dir=target.parent)
    os.close(descriptor)
    unfinished = Path(name)
    try:
        _write(unfinished, contents)
        _settle(unfinished)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _write(path: Path, contents: Contents) -> None:
    with closing(sqlite3.connect(path)) as connection:
        # A half-written file is thrown away, so nothing has to be undone in it.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        for statement in layout.schema():
            connection.execute(statement)
        texts = _write_texts(connection, contents)
        _insert(connection, layout.RELEASES, [layout.store_row(row, texts) for row in contents.releases], Release)
        for table, rows in contents.tables.items():
            _write_table(connection, table, rows, texts)
        connection.commit()


def _settle(path: Path) -> None:
    """Put the bytes on the disk before the name: a crash leaves the old file, never a torn one."""
    path.chmod(READABLE)
    with path.open("rb") as written:
        os.fsync(written.fileno())


def _write_texts(connection: sqlite3.Connection, contents: Contents) -> dict[str, int]:
    rows = [*contents.releases, *(row for rows in contents.tables.values() for row in rows)]
    shared = {getattr(row, name) for row in rows for name in layout.SHARED_TEXTS if hasattr(row, name)}
    texts = {text: number for number, text in enumerate(sorted(shared))}
    connection.executemany("INSERT INTO texts (text, number) VALUES (?, ?)", texts.items())
    return texts


def _write_table(
    connection: sqlite3.Connection, table: Table[Any], rows: tuple[Any, ...], texts: dict[str, int]
) -> None:
    own_key = layout.key_columns(table) == ("key",)
    stored = [
        [*([table.key(row)] if own_key else []), position, *layout.store_row(row, texts)]
        for position, row in enumerate(rows)
    ]
    _insert(connection, table.name, stored, table.row_type, *(["key"] if own_key else []), "position")


def _insert(
    connection: sqlite3.Connection, table: str, stored: list[list[Any]], row_type: type[NamedTuple], *ahead: str
) -> None:
    names = [*ahead, *(cell.name for cell in layout.cells(row_type))]
    columns = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join("?" * len(names))
    connection.executemany(f'INSERT INTO "{table}" ({columns}) VALUES ({marks})', stored)  # noqa: S608 (names are ours)
