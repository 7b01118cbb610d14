"""Before any claim: the tables of reference data in PostgreSQL, version by version, and the digest of a part's rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString

from scrubber.migrations import EMPTY, UNMARKED, Migration, Version, after, pending
from scrubber.reference.postgres_database import Connection, Database, told_plainly

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
