"""The bytes of batches in a PostgreSQL database, for many machines.

Each batch has a table of its own. Dropping it returns its disk space at once and leaves none of its claims in the files
of the database, which deleting rows would not. Bytes lie in parts that fill a page of PostgreSQL each, key and all:
they are written and read faster than large values, which it would cut up and keep elsewhere.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, BinaryIO, LiteralString, NoReturn

from psycopg import Cursor
from psycopg.sql import SQL, Composed, Identifier

from scrubber.batch.model import PIECE
from scrubber.batch.storage.postgres_tables import BatchTables, Row, as_batch_errors
from scrubber.database import Database
from scrubber.errors import StoredDataGone

UPLOAD, ROWS, RESULT = "upload", "rows", "result"
BLOCK_SIZE = 8_000  # bytes
_PREFIX = "claims_"
_CREATE_TABLES = (
    "CREATE TABLE {table} (kind text, number integer, token text, part integer, data bytea NOT NULL,"
    " PRIMARY KEY (kind, number, token, part))",
    "ALTER TABLE {table} ALTER COLUMN data SET STORAGE PLAIN",
)
# Rows that were kept sort before the upload. Of several attempts at keeping them, which hold the same bytes, one.
_SOURCE: LiteralString = (
    "SELECT kind, token FROM {table} WHERE kind = ANY(%s) AND number = 0 ORDER BY kind, token LIMIT 1"
)
_SELECT_BLOCKS: LiteralString = (
    "SELECT data FROM {table} WHERE kind = %(kind)s AND number = %(number)s AND token = %(token)s "
    "AND part BETWEEN %(first)s AND %(last)s ORDER BY part"
)
_ALL: LiteralString = "SELECT data FROM {table} WHERE kind = %s AND number = %s AND token = %s ORDER BY part"


class PostgresFileStore:
    """See FileStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tables = BatchTables(database)

    def receive(self, batch_id: str, pieces: Iterable[bytes]) -> int:
        """See FileStore."""
        with as_batch_errors():
            self._tables.bring_up_to_date()
        with as_batch_errors(), self._database.open(autocommit=False) as connection, connection.cursor() as cursor:
            for statement in _CREATE_TABLES:
                cursor.execute(_on(batch_id, statement))
            cursor.execute("INSERT INTO scrubber_batches.uploads (batch) VALUES (%s)", (batch_id,))
            return _copy(cursor, batch_id, UPLOAD, 0, "", pieces)

    def upload(self, batch_id: str) -> BinaryIO:
        """See FileStore."""
        return self._open(batch_id, UPLOAD)

    def keep_rows(self, batch_id: str, token: str, pieces: Iterable[bytes]) -> None:
        """See FileStore. On a connection of its own: the upload is read, and the lease renewed, in between."""
        with as_batch_errors(), self._database.open(autocommit=False) as connection, connection.cursor() as cursor:
            _copy(cursor, batch_id, ROWS, 0, token, pieces)

    def kept_rows(self, batch_id: str) -> BinaryIO:
        """See FileStore."""
        return self._open(batch_id, ROWS)

    def rows(self, batch_id: str, start: int, stop: int) -> bytes:
        """See FileStore."""
        return self._slice(batch_id, self._source(batch_id, ROWS, UPLOAD), start, stop)

    def keep_result(self, batch_id: str, number: int, token: str, result: bytes) -> None:
        """See FileStore."""
        with as_batch_errors(), self._database.change() as connection, connection.cursor() as cursor:
            _copy(cursor, batch_id, RESULT, number, token, (result,))

    def result(self, batch_id: str, number: int, token: str) -> bytes:
        """See FileStore."""
        return _joined(self._query(batch_id, _ALL, (RESULT, number, token)))

    def drop_result(self, batch_id: str, number: int, token: str) -> None:
        """See FileStore."""
        statement = "DELETE FROM {table} WHERE kind = %s AND number = %s AND token = %s"
        with as_batch_errors(), self._database.change() as connection:
            connection.execute(_on(batch_id, statement), (RESULT, number, token))

    def full(self) -> bool:
        """See FileStore. Nobody but the server can see its disk."""
        return False

    def remove(self, batch_id: str) -> None:
        """See FileStore."""
        with as_batch_errors(), self._database.change() as connection:
            connection.execute("DELETE FROM scrubber_batches.uploads WHERE batch = %s", (batch_id,))
            connection.execute(_on(batch_id, "DROP TABLE IF EXISTS {table}"))

    def untouched(self, since: datetime) -> Iterator[str]:
        """See FileStore. An upload is there as a whole or not at all, so the moment in which it came will do."""
        found = self._tables.query(
            "SELECT batch FROM scrubber_batches.uploads WHERE received < %s ORDER BY batch", (since,)
        )
        return (row["batch"] for row in found)

    def _open(self, batch_id: str, kind: str) -> BinaryIO:
        source = self._source(batch_id, kind)
        return io.BufferedReader(_BlockReader(lambda start, stop: self._slice(batch_id, source, start, stop)), PIECE)

    def _source(self, batch_id: str, *kinds: str) -> Row:
        found = self._query(batch_id, _SOURCE, (list(kinds),))
        return found[0] if found else _gone()

    def _slice(self, batch_id: str, source: Row, start: int, stop: int) -> bytes:
        """Bytes from `start` to `stop`, or to the end where that comes first."""
        if start == stop:
            return b""
        span = {"number": 0, "first": start // BLOCK_SIZE, "last": (stop - 1) // BLOCK_SIZE}
        data = b"".join(row["data"] for row in self._query(batch_id, _SELECT_BLOCKS, source | span))
        before = span["first"] * BLOCK_SIZE
        return data[start - before : stop - before]

    def _query(self, batch_id: str, statement: LiteralString, values: Any) -> list[Row]:
        with as_batch_errors():
            return self._database.query(_on(batch_id, statement), values, binary=True)


class _BlockReader(io.RawIOBase):
    """Kept bytes as a file, read from its start."""

    def __init__(self, slice_of: Callable[[int, int], bytes]) -> None:
        self._slice_of = slice_of
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        """Some bytes; none at the end."""
        data = self._slice_of(self._at, self._at + len(into))
        into[: len(data)] = data
        self._at += len(data)
        return len(data)


def _on(batch_id: str, statement: LiteralString) -> Composed:
    return SQL(statement).format(table=Identifier("scrubber_batches", f"{_PREFIX}{batch_id}"))


def _gone() -> NoReturn:
    raise StoredDataGone("the database of batches cannot be used: what was kept is not there")


def _joined(blocks: list[Row]) -> bytes:
    return b"".join(row["data"] for row in blocks) if blocks else _gone()


def _copy(cursor: Cursor[Any], batch_id: str, kind: str, number: int, token: str, pieces: Iterable[bytes]) -> int:
    size = 0
    with cursor.copy(_on(batch_id, "COPY {table} FROM STDIN (FORMAT BINARY)")) as copy:
        copy.set_types(("text", "int4", "text", "int4", "bytea"))
        for block, data in enumerate(_blocks(pieces)):
            size += len(data)
            copy.write_row((kind, number, token, block, data))
    return size


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in full parts, and what is left in a last one, which may be empty."""
    held = b""
    for piece in pieces:
        held += piece
        full = len(held) // BLOCK_SIZE * BLOCK_SIZE
        yield from (held[start : start + BLOCK_SIZE] for start in range(0, full, BLOCK_SIZE))
        held = held[full:]
    yield held
