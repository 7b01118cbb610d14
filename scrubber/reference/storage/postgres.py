"""Keeps loaded releases in a PostgreSQL database, one for a fleet. A change is one transaction.

Rows lie under part, table and key, packed as in a SQLite file. A look-up goes over the network; what a process once
found it remembers, as everywhere.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, LiteralString

import psycopg

from scrubber.database import Connection, Database, told_plainly
from scrubber.errors import ConfigError
from scrubber.migrations import EMPTY, UNMARKED, Migration, Version, after, pending
from scrubber.reference.releases import Pair, Release, Windows
from scrubber.reference.rows import PtpEdit
from scrubber.reference.storage import Loaded, check_layout, from_json, parts_of, releases_of, to_json
from scrubber.reference.storage.encoding import Texts, in_force_on, numbered, pairs_among
from scrubber.reference.storage.packer import Packed, unpack_rows
from scrubber.reference.storage.sqlite import damaged
from scrubber.reference.tables import PTP, PTP_BY_COLUMN2, R, Table

SCHEMA_LOCK = 7_713_092  # of advisory locks; any number, as long as nobody else takes it
# Of each part, from its rows and texts in their order. What is stored as it was loaded gives the same on every server.
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
            # The schema is that of the table: whoever changes rows by hand may have another one in search_path.
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
    """The tables of reference data in a database. See Store."""

    name = "the reference data in PostgreSQL"

    def __init__(self, database: Database) -> None:
        self._database = database

    def version(self) -> Version:
        """See Store."""
        with told_plainly(), self._database.change() as connection:
            return _version(connection)

    def pending(self) -> Sequence[Migration]:
        """See Store."""
        found = self.version()
        return () if found == EMPTY else pending(self.name, found, MIGRATIONS)

    def migrate(self) -> Sequence[Migration]:
        """See Store."""
        if self.version() == EMPTY:
            return ()
        with told_plainly(), self._database.change() as connection:
            return bring_up(connection)


def bring_up(connection: Connection) -> Sequence[Migration]:
    """All migrations that are missing, in the transaction of the connection; others wait for its end."""
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
    # Asked of a table of the server: else what it remembers from before the wait for a lock would answer.
    [(marked, made)] = _rows(
        connection,
        "SELECT to_regclass('scrubber_reference_schema') IS NOT NULL, to_regclass('scrubber_reference') IS NOT NULL "
        "FROM pg_catalog.pg_class LIMIT 1",
    )
    if not marked:
        return UNMARKED if made else EMPTY
    [found] = _rows(connection, "SELECT version, usable_from FROM scrubber_reference_schema")
    return Version(*found)


def _rows(connection: Connection, statement: LiteralString) -> list[tuple[Any, ...]]:
    return connection.execute(statement).fetchall()


class PostgresBackend:
    """See Backend. `parts` are names of parts by table and SHA-256."""

    def __init__(self, database: Database, parts: Mapping[tuple[str, str], str], releases: Iterable[Release]) -> None:
        self._database = database
        self._parts = dict(parts)
        self._releases = tuple(releases)
        self._texts = {part: self._read_texts(part) for part in set(self._parts.values())}

    def rows(self, table: Table[R], part: str, key: str) -> tuple[R, ...]:
        """See Backend."""
        name = self._parts[table.owner, part]
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

    def ptp_of(self, part: str, code: str, day: date) -> Sequence[PtpEdit]:
        """See Backend. One statement."""
        name = self._parts[PTP.name, part]
        found = self._database.ask(
            "SELECT table_name, packed FROM scrubber_reference_rows"
            " WHERE part = %s AND table_name IN (%s, %s) AND key = %s",
            (name, PTP.name, PTP_BY_COLUMN2.name, code),
        )
        packed = dict(found)
        as_column1, as_column2 = (packed.get(table.name, b"") for table in (PTP, PTP_BY_COLUMN2))
        return in_force_on(day, code, as_column1, as_column2, self._texts[name])

    def every(self, table: Table[R], part: str) -> Iterator[tuple[str, tuple[R, ...]]]:
        """See Backend."""
        name = self._parts[table.owner, part]
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

    def _read_texts(self, part: str) -> Texts:
        return dict(self._database.ask("SELECT number, text FROM scrubber_reference_texts WHERE part = %s", (part,)))


class PostgresSink:
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


SECONDS_A_GENERATION = 1.0  # between two questions whether there was a change
_DIGEST_OF_PART: LiteralString = (
    "INSERT INTO scrubber_reference_digests SELECT * FROM (" + DIGESTS + ") AS every WHERE part = %s"  # noqa: S608
)
CHANGE_LOCK = 7_713_089  # of advisory locks; any number, as long as nobody else takes it


class PostgresPlace:
    """The loaded releases in a database. See Place."""

    def __init__(self, address: str) -> None:
        self._database = Database(address)
        self.store = ReferenceTables(self._database)
        self._asked_at = -SECONDS_A_GENERATION
        self._generation: object = None

    def loaded(self) -> tuple[Loaded, ...]:
        """See Place."""
        self.store.pending()  # raises where a newer program wrote it
        with told_plainly():
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

    def backend(self, without: Collection[str] = ()) -> PostgresBackend:
        """See Place."""
        loaded = [each for each in self.loaded() if each.part not in without]
        for each in loaded:
            check_layout(f"{each.kind} {each.name}", each.layout)
        with told_plainly():
            wrong = self._damaged({each.part for each in loaded})
        if wrong:
            raise damaged("the PostgreSQL database", [each for each in loaded if each.part in wrong])
        with told_plainly():
            return PostgresBackend(self._database, dict(parts_of(loaded)), releases_of(loaded))

    @contextmanager
    def change(self) -> Iterator[_PostgresChange]:
        """See Place."""
        with told_plainly(), self._database.open(autocommit=False) as connection:
            [(free,)] = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (CHANGE_LOCK,)).fetchall()
            if not free:
                raise ConfigError("reference data: another change of the database is under way; try again after it")
            bring_up(connection)
            change = _PostgresChange(connection)
            yield change
            if not change.committed:
                connection.rollback()
        self._asked_at = -SECONDS_A_GENERATION

    def _damaged(self, parts: Collection[str]) -> list[str]:
        """Those of the parts whose rows or texts are no longer those that were loaded."""
        known = dict(self._ask("SELECT part, digest FROM scrubber_reference_digests"))
        found = dict(self._ask(DIGESTS)) if known else {}
        return [part for part in parts if part in known and found.get(part) != known[part]]

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

    def new_part(self) -> PostgresSink:
        """See Change."""
        return PostgresSink(self._connection)

    def commit(self, loaded: Iterable[Loaded], new: Loaded | None = None) -> None:
        """See Change."""
        run = self._connection.execute
        if new is not None:
            run("UPDATE scrubber_reference_rows SET part = %s WHERE part = ''", (new.part,))
            run("UPDATE scrubber_reference_texts SET part = %s WHERE part = ''", (new.part,))
            run("DELETE FROM scrubber_reference_digests WHERE part = %s", (new.part,))
            run(_DIGEST_OF_PART, (new.part,))
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
        self._connection.execute("DELETE FROM scrubber_reference_digests WHERE part <> ALL(%s)", (needed,))
