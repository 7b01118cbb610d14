"""Stores loaded releases in a PostgreSQL database for many machines. A change is one transaction.

Rows are stored by segment (column `part`), table and key, encoded as in a SQLite file. A look-up goes over the network;
the results are cached in each process, as with every storage.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, LiteralString

import psycopg

from scrubber.database import Connection, Database, database_errors_as_config_errors
from scrubber.errors import ConfigError
from scrubber.migrations import EMPTY, UNMARKED, Migration, Version, after, pending
from scrubber.reference.releases import Pair, Release, Windows
from scrubber.reference.rows import PtpEdit
from scrubber.reference.storage import (
    LoadedRelease,
    catalogue_from_json,
    catalogue_to_json,
    check_layout,
    releases_of,
    segment_names,
)
from scrubber.reference.storage.encoding import SharedTexts, codes_by_number, in_force_on, pairs_among
from scrubber.reference.storage.packer import PackedRows, unpack_rows
from scrubber.reference.storage.sqlite import damaged
from scrubber.reference.tables import PTP, PTP_BY_COLUMN2, R, Table

SCHEMA_LOCK = 7_713_092  # key of an advisory lock; any number that no other program uses
# The digest of each segment, over its rows and texts in order: the same on every server for the rows that were loaded.
DIGESTS: LiteralString = r"""
SELECT part, encode(sha256(every_row || coalesce(every_text, ''::bytea)), 'hex') AS digest
FROM (
  SELECT part, string_agg(sha256(convert_to(table_name || E'\n' || key || E'\n', 'UTF8') || packed), ''::bytea
    ORDER BY table_name, key) AS every_row
  FROM scrubber_reference_rows GROUP BY part
) AS of_rows LEFT JOIN (
  SELECT part, string_agg(sha256(convert_to(number || E'\n' || text, 'UTF8')), ''::bytea ORDER BY number) AS every_text
  FROM scrubber_reference_texts GROUP BY part
) AS of_texts USING (part)
"""
MIGRATIONS = (
    Migration(
        1,
        1,
        "releases, and a catalogue of them",
        (
            "CREATE TABLE IF NOT EXISTS scrubber_reference (generation bigint NOT NULL, catalogue text NOT NULL)",
            """CREATE TABLE IF NOT EXISTS scrubber_reference_rows (part text COLLATE "C", table_name text COLLATE "C",
               key text COLLATE "C", packed bytea NOT NULL, PRIMARY KEY (part, table_name, key))""",
            """CREATE TABLE IF NOT EXISTS scrubber_reference_texts (part text COLLATE "C", number int,
               text text NOT NULL, PRIMARY KEY (part, number))""",
        ),
    ),
    Migration(
        2,
        1,
        "digests of loaded rows, as they are now",
        (
            'CREATE TABLE scrubber_reference_digests (part text COLLATE "C" PRIMARY KEY, digest text NOT NULL)',
            "INSERT INTO scrubber_reference_digests " + DIGESTS,
        ),
    ),
    Migration(
        3,
        1,
        "services notice rows that are changed under them",
        (
            # The schema of the table is named because a person who changes rows may have another one in search_path.
            """CREATE FUNCTION scrubber_reference_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
               EXECUTE format('UPDATE %I.scrubber_reference SET generation = generation + 1', TG_TABLE_SCHEMA);
               RETURN NULL; END $$""",
            """CREATE TRIGGER scrubber_reference_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
               ON scrubber_reference_rows EXECUTE FUNCTION scrubber_reference_changed()""",
            """CREATE TRIGGER scrubber_reference_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
               ON scrubber_reference_texts EXECUTE FUNCTION scrubber_reference_changed()""",
        ),
    ),
)


class ReferenceTables:
    """The tables of reference data in a database, as a Store for migrations."""

    name = "the reference data in PostgreSQL"

    def __init__(self, database: Database) -> None:
        self._database = database

    def version(self) -> Version:
        """See Store."""
        with database_errors_as_config_errors(), self._database.change() as connection:
            return _version(connection)

    def pending(self) -> Sequence[Migration]:
        """See Store."""
        found = self.version()
        return () if found == EMPTY else pending(self.name, found, MIGRATIONS)

    def migrate(self) -> Sequence[Migration]:
        """See Store."""
        if self.version() == EMPTY:
            return ()
        with database_errors_as_config_errors(), self._database.change() as connection:
            return bring_up(connection)


def bring_up(connection: Connection) -> Sequence[Migration]:
    """Applies the missing migrations in the transaction of the connection; other processes wait for its end."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
    found = _version(connection)
    missing = pending(ReferenceTables.name, found, MIGRATIONS)
    for statement in (statement for each in missing for statement in each.statements):
        connection.execute(statement)
    if missing:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS scrubber_reference_schema (version int NOT NULL, usable_from int NOT NULL)"
        )
        connection.execute("DELETE FROM scrubber_reference_schema")
        connection.execute("INSERT INTO scrubber_reference_schema VALUES (%s, %s)", tuple(after(found, missing)))
    return missing


def _version(connection: Connection) -> Version:
    # Selected from a table of the server: without one, a plan cached before the wait for the lock would answer.
    [(has_version, has_tables)] = _rows(
        connection,
        "SELECT to_regclass('scrubber_reference_schema') IS NOT NULL, to_regclass('scrubber_reference') IS NOT NULL "
        "FROM pg_catalog.pg_class LIMIT 1",
    )
    if not has_version:
        return UNMARKED if has_tables else EMPTY
    [found] = _rows(connection, "SELECT version, usable_from FROM scrubber_reference_schema")
    return Version(*found)


def _rows(connection: Connection, statement: LiteralString) -> list[tuple[Any, ...]]:
    return connection.execute(statement).fetchall()


class PostgresBackend:
    """A Backend over the rows in the database. `segments` are their names by table and SHA-256."""

    def __init__(
        self, database: Database, segments: Mapping[tuple[str, str], str], releases: Iterable[Release]
    ) -> None:
        self._database = database
        self._segments = dict(segments)
        self._releases = tuple(releases)
        self._texts = {segment: self._read_texts(segment) for segment in set(self._segments.values())}

    def rows(self, table: Table[R], sha256: str, key: str) -> tuple[R, ...]:
        """See Backend."""
        name = self._segments[table.owner, sha256]
        found = self._database.query(
            "SELECT packed FROM scrubber_reference_rows WHERE part = %s AND table_name = %s AND key = %s",
            (name, table.name, key),
        )
        return unpack_rows(table, key, found[0][0], self._texts[name]) if found else ()

    def ptp_among(self, sha256: str, codes: frozenset[str]) -> Mapping[Pair, Windows]:
        """See Backend. One statement."""
        name = self._segments[PTP.name, sha256]
        by_number = codes_by_number(codes)
        found = self._database.query(
            "SELECT key, packed FROM scrubber_reference_rows WHERE part = %s AND table_name = %s AND key = ANY(%s)",
            (name, PTP.name, list(by_number.values())),
        )
        return pairs_among(found, by_number, self._texts[name])

    def ptp_of(self, sha256: str, code: str, day: date) -> Sequence[PtpEdit]:
        """See Backend. One statement."""
        name = self._segments[PTP.name, sha256]
        found = self._database.query(
            "SELECT table_name, packed FROM scrubber_reference_rows"
            " WHERE part = %s AND table_name IN (%s, %s) AND key = %s",
            (name, PTP.name, PTP_BY_COLUMN2.name, code),
        )
        packed = dict(found)
        as_column1, as_column2 = (packed.get(table.name, b"") for table in (PTP, PTP_BY_COLUMN2))
        return in_force_on(day, code, as_column1, as_column2, self._texts[name])

    def every(self, table: Table[R], sha256: str) -> Iterator[tuple[str, tuple[R, ...]]]:
        """See Backend."""
        name = self._segments[table.owner, sha256]
        with self._database.open(autocommit=False) as connection, connection.cursor("every") as cursor:
            cursor.execute(
                "SELECT key, packed FROM scrubber_reference_rows WHERE part = %s AND table_name = %s ORDER BY key",
                (name, table.name),
            )
            for key, packed in cursor:
                yield key, unpack_rows(table, key, packed, self._texts[name])

    def releases(self) -> tuple[Release, ...]:
        """See Backend."""
        return self._releases

    def _read_texts(self, segment: str) -> SharedTexts:
        return dict(
            self._database.query("SELECT number, text FROM scrubber_reference_texts WHERE part = %s", (segment,))
        )


class PostgresSink:
    """Writes a segment, whose name is blank until the change is committed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        connection.execute(
            'CREATE TEMPORARY TABLE arriving (key text COLLATE "C", packed bytea NOT NULL) ON COMMIT DROP'
        )

    def append(self, table: str, packed: PackedRows) -> None:
        """See packer.Sink."""
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
        """See packer.Sink."""
        with self._connection.cursor() as cursor:
            cursor.executemany("INSERT INTO scrubber_reference_texts VALUES ('', %s, %s)", list(texts))

    def with_several_rows(self, table: str) -> Iterator[tuple[str, bytes]]:
        """See packer.Sink."""
        with self._connection.cursor("several") as cursor:
            cursor.execute(
                "SELECT key, packed FROM scrubber_reference_rows WHERE part = '' AND table_name = %s"
                " AND position('\\x0a'::bytea IN packed) < length(packed)",
                (table,),
            )
            yield from cursor

    def replace(self, table: str, packed: PackedRows) -> None:
        """See packer.Sink."""
        with self._connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE scrubber_reference_rows SET packed = %s WHERE part = '' AND table_name = %s AND key = %s",
                [(content, table, key) for key, content in packed],
            )


SECONDS_BETWEEN_READS = 1.0  # of the generation, which tells whether there was a change
_DIGEST_OF_SEGMENT: LiteralString = (
    "INSERT INTO scrubber_reference_digests SELECT * FROM (" + DIGESTS + ") AS every WHERE part = %s"  # noqa: S608
)
CHANGE_LOCK = 7_713_089  # key of an advisory lock; any number that no other program uses


class PostgresStorage:
    """The ReleaseStorage in a database."""

    def __init__(self, address: str) -> None:
        self._database = Database(address)
        self.store = ReferenceTables(self._database)
        self._read_at = -SECONDS_BETWEEN_READS
        self._generation: object = None

    def loaded(self) -> tuple[LoadedRelease, ...]:
        """See ReleaseStorage."""
        self.store.pending()  # raises where a newer program wrote it
        with database_errors_as_config_errors():
            found = self._query("SELECT catalogue FROM scrubber_reference")
        return catalogue_from_json(found[0][0]) if found else ()

    def generation(self) -> object:
        """See ReleaseStorage. Read once a second at most; while the database cannot be reached, the last value."""
        now = time.monotonic()
        if now - self._read_at >= SECONDS_BETWEEN_READS:
            self._read_at = now
            try:
                found = self._query("SELECT generation FROM scrubber_reference")
                self._generation = found[0][0] if found else None
            except psycopg.Error:
                return self._generation
        return self._generation

    def backend(self, without: Collection[str] = ()) -> PostgresBackend:
        """See ReleaseStorage."""
        loaded = [each for each in self.loaded() if each.segment not in without]
        for each in loaded:
            check_layout(f"{each.kind} {each.name}", each.layout)
        with database_errors_as_config_errors():
            wrong = self._damaged({each.segment for each in loaded})
        if wrong:
            raise damaged("the PostgreSQL database", [each for each in loaded if each.segment in wrong])
        with database_errors_as_config_errors():
            return PostgresBackend(self._database, dict(segment_names(loaded)), releases_of(loaded))

    @contextmanager
    def change(self) -> Iterator[_PostgresChange]:
        """See ReleaseStorage."""
        with database_errors_as_config_errors(), self._database.open(autocommit=False) as connection:
            [(free,)] = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (CHANGE_LOCK,)).fetchall()
            if not free:
                raise ConfigError("reference data: another change of the database is under way; try again after it")
            bring_up(connection)
            change = _PostgresChange(connection)
            yield change
            if not change.committed:
                connection.rollback()
        self._read_at = -SECONDS_BETWEEN_READS

    def _damaged(self, segments: Collection[str]) -> list[str]:
        """Those of the segments whose rows or texts are no longer those that were loaded."""
        known = dict(self._query("SELECT part, digest FROM scrubber_reference_digests"))
        found = dict(self._query(DIGESTS)) if known else {}
        return [segment for segment in segments if segment in known and found.get(segment) != known[segment]]

    def _query(self, statement: LiteralString) -> list[Any]:
        """The rows found; none where nothing was ever loaded, so that the tables are missing."""
        try:
            return self._database.query(statement)
        except psycopg.errors.UndefinedTable:
            return []


class _PostgresChange:
    """A StorageChange in one transaction, which ends with `commit`."""

    def __init__(self, connection: Connection) -> None:
        self.committed = False
        self._connection = connection
        found = connection.execute("SELECT catalogue FROM scrubber_reference").fetchall()
        self.loaded = catalogue_from_json(found[0][0]) if found else ()
        self._sweep()

    def new_segment(self) -> PostgresSink:
        """See StorageChange."""
        return PostgresSink(self._connection)

    def commit(self, loaded: Iterable[LoadedRelease], new: LoadedRelease | None = None) -> None:
        """See StorageChange."""
        run = self._connection.execute
        if new is not None:
            run("UPDATE scrubber_reference_rows SET part = %s WHERE part = ''", (new.segment,))
            run("UPDATE scrubber_reference_texts SET part = %s WHERE part = ''", (new.segment,))
            run("DELETE FROM scrubber_reference_digests WHERE part = %s", (new.segment,))
            run(_DIGEST_OF_SEGMENT, (new.segment,))
        [(last,)] = run("SELECT coalesce(max(generation), 0) FROM scrubber_reference").fetchall()
        run("DELETE FROM scrubber_reference")
        catalogue = catalogue_to_json(tuple(loaded)).decode()
        run("INSERT INTO scrubber_reference VALUES (%s, %s)", (last + 1, catalogue))
        self._connection.commit()
        self.committed = True

    def _sweep(self) -> None:
        """Remove the segments that the catalogue has not named since the change before."""
        needed = [each.segment for each in self.loaded]
        self._connection.execute("DELETE FROM scrubber_reference_rows WHERE part <> ALL(%s)", (needed,))
        self._connection.execute("DELETE FROM scrubber_reference_texts WHERE part <> ALL(%s)", (needed,))
        self._connection.execute("DELETE FROM scrubber_reference_digests WHERE part <> ALL(%s)", (needed,))
