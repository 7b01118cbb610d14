"""Look-ups of facts and money: reference rows in a PostgreSQL database, one place for a fleet.

Rows lie under part, table and key, packed as in a SQLite file. A change is one transaction. A look-up goes over the
network; what a process once found it remembers, as everywhere.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, LiteralString

from scrubber.errors import ConfigError
from scrubber.reference.backend import Pair, Windows
from scrubber.reference.catalogue import PTP, R, Table
from scrubber.reference.packing import Texts
from scrubber.reference.part import Packed, unpack_rows
from scrubber.reference.place import Loaded, from_json, parts_of, releases_of, to_json
from scrubber.reference.ptp_packing import numbered, pairs_among, windows_of
from scrubber.reference.rows import Release

try:
    import psycopg
except ImportError as missing:
    raise ConfigError("reference data in PostgreSQL needs psycopg: install claim-scrubber[postgres]") from missing

SECONDS_A_GENERATION = 1.0  # between two questions whether there was a change
CHANGE_LOCK = 7_713_089  # of advisory locks; any number, as long as nobody else takes it
SCHEMA: tuple[LiteralString, ...] = (
    "CREATE TABLE IF NOT EXISTS scrubber_reference (generation bigint NOT NULL, catalogue text NOT NULL)",
    """CREATE TABLE IF NOT EXISTS scrubber_reference_rows (part text COLLATE "C", table_name text COLLATE "C",
       key text COLLATE "C", packed bytea NOT NULL, PRIMARY KEY (part, table_name, key))""",
    """CREATE TABLE IF NOT EXISTS scrubber_reference_texts (part text COLLATE "C", number int, text text NOT NULL,
       PRIMARY KEY (part, number))""",
)

Connection = psycopg.Connection[Any]


class _Connections(threading.local):
    """The connection of this thread, and the process that opened it: it must not cross a fork."""

    process: int = 0
    connection: Connection


class Database:
    """A database, asked from any thread and after a fork."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._connections = _Connections()

    def ask(self, statement: LiteralString, values: tuple[Any, ...] = ()) -> list[Any]:
        """All rows found. A connection that the server has given up is opened anew, once."""
        try:
            return self._connection().execute(statement, values).fetchall()
        except psycopg.OperationalError:
            self._connections.process = 0
            return self._connection().execute(statement, values).fetchall()

    def open(self, autocommit: bool) -> Connection:
        """A new connection."""
        return psycopg.connect(self._address, autocommit=autocommit, application_name="claim-scrubber")

    def _connection(self) -> Connection:
        mine = self._connections
        if mine.process != os.getpid():
            mine.connection = self.open(autocommit=True)
            mine.process = os.getpid()
        return mine.connection


class PostgresBackend:
    """See Backend. `parts` are names of parts by table and SHA-256."""

    def __init__(self, database: Database, parts: Mapping[tuple[str, str], str], releases: Iterable[Release]) -> None:
        self._database = database
        self._parts = dict(parts)
        self._releases = tuple(releases)
        self._texts = {part: self._read_texts(part) for part in set(self._parts.values())}

    def rows(self, table: Table[R], part: str, key: str) -> tuple[R, ...]:
        """See Backend."""
        name = self._parts[table.name, part]
        found = self._database.ask(
            "SELECT packed FROM scrubber_reference_rows WHERE part = %s AND table_name = %s AND key = %s",
            (name, table.name, key),
        )
        return unpack_rows(table, key, found[0][0], self._texts[name]) if found else ()

    def ptp_among(self, part: str, codes: frozenset[str]) -> Mapping[Pair, Windows]:
        """See Backend. One statement."""
        name = self._parts[PTP.name, part]
        asked = numbered(codes)
        found = self._database.ask(
            "SELECT key, packed FROM scrubber_reference_rows WHERE part = %s AND table_name = %s AND key = ANY(%s)",
            (name, PTP.name, list(asked.values())),
        )
        return pairs_among(found, asked, self._texts[name])

    def ptp_of(self, part: str, code: str) -> Windows:
        """See Backend. Goes through the whole part, a little at a time."""
        name = self._parts[PTP.name, part]
        with self._part_rows(PTP.name, name) as rows:
            return windows_of(rows, code, self._texts[name])

    def every(self, table: Table[R], part: str) -> Iterator[tuple[str, tuple[R, ...]]]:
        """See Backend."""
        name = self._parts[table.name, part]
        with self._part_rows(table.name, name) as rows:
            for key, packed in rows:
                yield key, unpack_rows(table, key, packed, self._texts[name])

    @contextmanager
    def _part_rows(self, table: str, part: str) -> Iterator[Iterable[tuple[str, bytes]]]:
        with self._database.open(autocommit=False) as connection, connection.cursor("every") as cursor:
            cursor.execute(
                "SELECT key, packed FROM scrubber_reference_rows WHERE part = %s AND table_name = %s ORDER BY key",
                (part, table),
            )
            yield cursor

    def releases(self) -> tuple[Release, ...]:
        """See Backend."""
        return self._releases

    def _read_texts(self, part: str) -> Texts:
        return dict(self._database.ask("SELECT number, text FROM scrubber_reference_texts WHERE part = %s", (part,)))


class PostgresPlace:
    """The loaded releases in a database. See Place."""

    def __init__(self, address: str) -> None:
        self._database = Database(address)
        self._asked_at = -SECONDS_A_GENERATION
        self._generation: object = None

    def loaded(self) -> tuple[Loaded, ...]:
        """See Place."""
        with _told_plainly():
            found = self._ask("SELECT catalogue FROM scrubber_reference")
        return from_json(found[0][0]) if found else ()

    def generation(self) -> object:
        """See Place. Asked once a second at most; while the database is away, as it was."""
        now = time.monotonic()
        if now - self._asked_at >= SECONDS_A_GENERATION:
            self._asked_at = now
            try:
                found = self._ask("SELECT generation FROM scrubber_reference")
                self._generation = found[0][0] if found else None
            except psycopg.Error:
                return self._generation
        return self._generation

    def backend(self) -> PostgresBackend:
        """See Place."""
        loaded = self.loaded()
        with _told_plainly():
            return PostgresBackend(self._database, dict(parts_of(loaded)), releases_of(loaded))

    @contextmanager
    def change(self) -> Iterator[_PostgresChange]:
        """See Place."""
        with _told_plainly(), self._database.open(autocommit=False) as connection:
            [(free,)] = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (CHANGE_LOCK,)).fetchall()
            if not free:
                raise ConfigError("reference data: another change of the database is under way; try again after it")
            for statement in SCHEMA:
                connection.execute(statement)
            change = _PostgresChange(connection)
            yield change
            if not change.committed:
                connection.rollback()
        self._asked_at = -SECONDS_A_GENERATION

    def _ask(self, statement: LiteralString) -> list[Any]:
        """What is found; nothing where nothing was ever loaded."""
        try:
            return self._database.ask(statement)
        except psycopg.errors.UndefinedTable:
            return []


class _PostgresChange:
    """See Change. All of it is one transaction, which ends with `commit`."""

    def __init__(self, connection: Connection) -> None:
        self.committed = False
        self._connection = connection
        found = connection.execute("SELECT catalogue FROM scrubber_reference").fetchall()
        self.loaded = from_json(found[0][0]) if found else ()
        self._sweep()

    def new_part(self) -> _PostgresSink:
        """See Change."""
        return _PostgresSink(self._connection)

    def commit(self, loaded: Iterable[Loaded], new: Loaded | None = None) -> None:
        """See Change."""
        run = self._connection.execute
        if new is not None:
            run("UPDATE scrubber_reference_rows SET part = %s WHERE part = ''", (new.part,))
            run("UPDATE scrubber_reference_texts SET part = %s WHERE part = ''", (new.part,))
        [(last,)] = run("SELECT coalesce(max(generation), 0) FROM scrubber_reference").fetchall()
        run("DELETE FROM scrubber_reference")
        catalogue = to_json(tuple(loaded)).decode()
        run("INSERT INTO scrubber_reference VALUES (%s, %s)", (last + 1, catalogue))
        self._connection.commit()
        self.committed = True

    def _sweep(self) -> None:
        """Remove what no release needs since the change before."""
        needed = [each.part for each in self.loaded]
        self._connection.execute("DELETE FROM scrubber_reference_rows WHERE part <> ALL(%s)", (needed,))
        self._connection.execute("DELETE FROM scrubber_reference_texts WHERE part <> ALL(%s)", (needed,))


class _PostgresSink:
    """Writes a part without a name yet."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        connection.execute(
            'CREATE TEMPORARY TABLE arriving (key text COLLATE "C", packed bytea NOT NULL) ON COMMIT DROP'
        )

    def append(self, table: str, packed: Packed) -> None:
        """See part.Sink."""
        with self._connection.cursor() as cursor:
            with cursor.copy("COPY arriving FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(("text", "bytea"))
                for key, content in packed:
                    copy.write_row((key, content))
            cursor.execute(
                "INSERT INTO scrubber_reference_rows SELECT '', %s, key, packed FROM arriving"
                " ON CONFLICT (part, table_name, key) DO UPDATE"
                " SET packed = scrubber_reference_rows.packed || excluded.packed",
                (table,),
            )
            cursor.execute("TRUNCATE arriving")

    def texts(self, texts: Iterable[tuple[int, str]]) -> None:
        """See part.Sink."""
        with self._connection.cursor() as cursor:
            cursor.executemany("INSERT INTO scrubber_reference_texts VALUES ('', %s, %s)", list(texts))

    def of_several(self, table: str) -> Iterator[tuple[str, bytes]]:
        """See part.Sink."""
        with self._connection.cursor("several") as cursor:
            cursor.execute(
                "SELECT key, packed FROM scrubber_reference_rows WHERE part = '' AND table_name = %s"
                " AND position('\\x0a'::bytea IN packed) < length(packed)",
                (table,),
            )
            yield from cursor

    def replace(self, table: str, packed: Packed) -> None:
        """See part.Sink."""
        with self._connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE scrubber_reference_rows SET packed = %s WHERE part = '' AND table_name = %s AND key = %s",
                [(content, table, key) for key, content in packed],
            )


@contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as failure:
        # The message of a failed connection names the address, which may hold a password.
        raise ConfigError(f"reference data: the PostgreSQL database failed ({type(failure).__name__})") from None
