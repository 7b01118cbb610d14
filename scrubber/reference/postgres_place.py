"""Before any claim: loaded releases in a PostgreSQL database, one place for a fleet. A change is one transaction."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg

from scrubber.errors import ConfigError
from scrubber.reference.digests import damaged
from scrubber.reference.place import Loaded, check_layout, from_json, parts_of, releases_of, to_json
from scrubber.reference.postgres import PostgresBackend, PostgresSink
from scrubber.reference.postgres_database import Connection, Database, told_plainly
from scrubber.reference.postgres_schema import DIGESTS, ReferenceTables, bring_up

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
