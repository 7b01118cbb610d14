"""Look-ups of facts and money: reference rows in a PostgreSQL database, and how they get there.

Rows lie under part, table and key, packed as in a SQLite file. A look-up goes over the network; what a process once
found it remembers, as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from scrubber.reference.backend import Pair, Windows
from scrubber.reference.catalogue import PTP, PTP_BY_COLUMN2, R, Table
from scrubber.reference.edit_rows import PtpEdit
from scrubber.reference.packing import Texts
from scrubber.reference.part import Packed, unpack_rows
from scrubber.reference.postgres_database import Connection, Database
from scrubber.reference.ptp_packing import numbered, pairs_among
from scrubber.reference.ptp_partners import in_force_on
from scrubber.reference.releases import Release


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
