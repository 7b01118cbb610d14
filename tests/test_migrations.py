"""What an earlier program kept: read, migrated, and refused where it is a newer one that wrote it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scrubber.batch.model import BatchTally, Chunk, Lease
from scrubber.batch.serialize import to_json
from scrubber.batch.storage import Batches, open_batches
from scrubber.batch.storage.sqlite import MIGRATIONS
from scrubber.cli import main
from scrubber.errors import NewerStore, StoreUnavailable
from scrubber.migrations import MARK, UNMARKED, Version
from scrubber.scrub import Scrubber
from tests.support.batches import (
    NOW,
    batch_of,
    context,
    forget_batches,
    ndjson,
    result_bytes,
    results,
    submit,
    work_off,
)
from tests.support.service import free_port, write_rules

NEWEST = MIGRATIONS[-1].version
# The tables of schema version 1, word for word as the program made them that knew no versions.
SQLITE_1 = """
CREATE TABLE IF NOT EXISTS batches (
  id TEXT PRIMARY KEY, state TEXT NOT NULL, written TEXT NOT NULL, rows INTEGER, left INTEGER, started TEXT, ended TEXT,
  why TEXT, key TEXT, key_until TEXT
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS batches_by_key ON batches (key) WHERE key IS NOT NULL;
CREATE TABLE IF NOT EXISTS chunks (
  batch TEXT, number INTEGER, first_row INTEGER, rows INTEGER, start INTEGER, stop INTEGER, state TEXT NOT NULL,
  urgency INTEGER NOT NULL, token TEXT, worker TEXT, boot TEXT, until REAL, tries INTEGER NOT NULL DEFAULT 0,
  at_row INTEGER, deaths TEXT NOT NULL DEFAULT '{}', accept INTEGER, warn INTEGER, deny INTEGER, rejected INTEGER,
  at_risk INTEGER, unpriced INTEGER, summary BLOB, PRIMARY KEY (batch, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS announcements (
  batch TEXT PRIMARY KEY, boot TEXT NOT NULL DEFAULT '', due REAL NOT NULL DEFAULT 0, tries INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS chunks_to_do ON chunks (state, urgency, batch, number) WHERE state <> 'done';
"""
POSTGRES_1 = """
CREATE SCHEMA scrubber_batches;
CREATE TABLE scrubber_batches.batches (
  id text PRIMARY KEY, state text NOT NULL, written text NOT NULL, rows integer, unfinished integer, started text,
  ended text, why text, key text UNIQUE, key_until text
);
CREATE TABLE scrubber_batches.chunks (
  batch text, number integer, first_row integer NOT NULL, rows integer NOT NULL, start bigint NOT NULL,
  stop bigint NOT NULL, state text NOT NULL, urgency integer NOT NULL, token text, worker text, until timestamptz,
  tries integer NOT NULL DEFAULT 0, at_row integer, deaths jsonb NOT NULL DEFAULT '{}', accept integer,
  warn integer, deny integer, rejected integer, at_risk bigint, unpriced integer, summary bytea,
  PRIMARY KEY (batch, number)
);
CREATE TABLE scrubber_batches.announcements (
  batch text PRIMARY KEY, due timestamptz NOT NULL DEFAULT '-infinity', tries integer NOT NULL DEFAULT 0
);
CREATE TABLE scrubber_batches.uploads (batch text PRIMARY KEY, received timestamptz NOT NULL DEFAULT now());
CREATE INDEX chunks_to_do ON scrubber_batches.chunks (state, urgency, batch, number) WHERE state <> 'done';
"""


@dataclass
class Earlier:
    """A job store of schema version 1, and what the program of then does with it, in its own statements."""

    folder: Path
    address: str | None

    def open(self) -> Batches:
        """The same job store in this program."""
        kept = open_batches(self.folder, self.address)
        assert kept is not None
        return kept

    def run(self, *statements: tuple[str, tuple[Any, ...]]) -> list[Any]:
        """One transaction; what the last statement found."""
        if self.address is None:
            with closing(sqlite3.connect(self.folder / "batches.sqlite")) as connection, connection:
                for statement, values in statements:
                    found = connection.execute(statement, values)
                return found.fetchall()
        import psycopg

        with psycopg.connect(self.address) as server:
            for statement, values in statements:
                cursor = server.execute(_for_postgres(statement), values)
            return cursor.fetchall() if cursor.description else []

    def make(self) -> None:
        """The tables of then."""
        if self.address is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.folder / "batches.sqlite")) as connection:
                connection.executescript(SQLITE_1)
            return
        import psycopg

        forget_batches(self.address)
        with psycopg.connect(self.address) as server:
            server.execute(POSTGRES_1)

    def accept(self, batch_id: str, data: bytes) -> None:
        """What the program of then did with an upload."""
        batch = batch_of(data, batch_id)
        self.run(
            (
                "INSERT INTO batches (id, state, written, key, key_until) VALUES (?, ?, ?, ?, ?)",
                (batch_id, "received", to_json(batch), None, None),
            ),
            (
                "INSERT INTO chunks (batch, number, first_row, rows, start, stop, state, urgency) "
                "VALUES (?, -1, 0, 0, 0, 0, 'waiting', 0)",
                (batch_id,),
            ),
        )

    def cut(self, batch_id: str, data: bytes) -> None:
        """What it did with a batch of one chunk."""
        left = "left" if self.address is None else "unfinished"
        rows = data.count(b"\n")
        self.run(
            ("DELETE FROM chunks WHERE batch = ? AND number = -1", (batch_id,)),
            (
                "INSERT INTO chunks (batch, number, first_row, rows, start, stop, state, urgency) "
                "VALUES (?, 0, 1, ?, 0, ?, 'waiting', 0)",
                (batch_id, rows, len(data)),
            ),
            (
                f"UPDATE batches SET state = 'running', rows = ?, {left} = 1, started = ? WHERE id = ?",  # noqa: S608
                (rows, NOW.isoformat(), batch_id),
            ),
        )

    def finish(self, batch_id: str) -> None:
        """What it did with its results."""
        left = "left" if self.address is None else "unfinished"
        self.run(
            (
                "UPDATE chunks SET state = 'done', token = 'of-then', accept = 1, warn = 0, deny = 0, rejected = 0, "
                "at_risk = 0, unpriced = 0, summary = ? WHERE batch = ? AND number = 0",
                (b"{}", batch_id),
            ),
            (
                f"UPDATE batches SET {left} = 0, state = 'done', ended = ? WHERE id = ?",  # noqa: S608
                (NOW.isoformat(), batch_id),
            ),
        )

    def mark(self, version: int, usable_from: int) -> None:
        """As a newer program would leave it."""
        self.run(("UPDATE schema_version SET version = ?, usable_from = ?", (version, usable_from)))


def _for_postgres(statement: str) -> str:
    for table in ("batches", "chunks", "schema_version"):
        for before in ("INTO ", "UPDATE ", "FROM "):
            statement = statement.replace(f"{before}{table}", f"{before}scrubber_batches.{table}")
    return statement.replace("?", "%s")


@pytest.fixture(params=["sqlite", "postgres"])
def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Earlier]:
    address = request.getfixturevalue("postgres") if request.param == "postgres" else None
    made = Earlier(tmp_path / "state", address)
    made.make()
    yield made
    if address is not None:
        forget_batches(address)


def test_batches_of_the_version_before_are_read_and_finished(earlier: Earlier, shipped: Scrubber) -> None:
    """One had ended, one was running, one had just come: all three when the program was upgraded."""
    on = context(earlier.open(), shipped)
    for batch_id in ("b1", "b2", "b3"):
        earlier.accept(batch_id, ndjson(3))
    earlier.cut("b1", ndjson(3))
    earlier.finish("b1")
    earlier.cut("b2", ndjson(3))
    file_store = on.file_store
    assert on.job_store.progress("b1").tally == BatchTally(accept=1)  # this migrates
    for batch_id in ("b1", "b2", "b3"):
        file_store.receive(batch_id, [ndjson(3)])
    file_store.keep_result("b1", 0, "of-then", b'{"row":1}\n')
    assert result_bytes(on, "b1") == b'{"row":1}\n'
    work_off(on)
    for batch_id in ("b2", "b3"):
        ended = on.job_store.batch(batch_id)
        assert ended is not None
        assert ended.state == "done"
        assert [row["row"] for row in results(on, batch_id)] == [1, 2, 3]


def test_the_program_before_goes_on_with_a_migrated_ledger(earlier: Earlier, shipped: Scrubber) -> None:
    """Both work while a fleet is upgraded: each finishes what the other began."""
    on = context(earlier.open(), shipped)
    submit(on, ndjson(3), "new")
    earlier.accept("old", ndjson(3))
    on.file_store.receive("old", [ndjson(3)])
    earlier.cut("new", ndjson(3))
    earlier.cut("old", ndjson(3))
    work_off(on)
    assert [row["row"] for row in results(on, "new")] == [1, 2, 3]
    assert results(on, "old") == results(on, "new")
    submit(on, ndjson(3), "newer")
    earlier.cut("newer", ndjson(3))
    on.file_store.keep_result("newer", 0, "of-then", result_bytes(on, "new"))
    earlier.finish("newer")
    assert result_bytes(on, "newer") == result_bytes(on, "new")
    assert earlier.run(("SELECT count(*) FROM chunks WHERE state = 'done'", ())) == [(3,)]


def test_of_many_that_migrate_at_once_one_does_it(earlier: Earlier) -> None:
    earlier.accept("b1", b"x")
    stores = [earlier.open().store for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda store: len(store.migrate()), stores))
    assert sorted(done) == [0, 0, 0, 0, 0, NEWEST - 1]
    assert {store.version() for store in stores} == {Version(NEWEST, 1)}
    assert [batch.id for batch in earlier.open().job_store.batches(10)] == ["b1"]


def test_a_migration_that_fails_changes_nothing(earlier: Earlier) -> None:
    """A table of that name is in its way, and it comes late among the statements."""
    earlier.run(("CREATE TABLE standstills (other TEXT)" if earlier.address is None else _IN_THE_WAY, ()))
    before = earlier.run((_COLUMNS[earlier.address is None], ()))
    with pytest.raises(StoreUnavailable):
        earlier.open().store.migrate()
    assert earlier.run((_COLUMNS[earlier.address is None], ())) == before
    assert earlier.open().store.version() == UNMARKED


_IN_THE_WAY = "CREATE TABLE scrubber_batches.standstills (other text)"
_COLUMNS = {
    True: "SELECT name FROM pragma_table_info('batches')",
    False: "SELECT column_name FROM information_schema.columns WHERE table_schema = 'scrubber_batches' ORDER BY 1",
}


def test_a_ledger_that_only_a_newer_program_can_use_is_refused(earlier: Earlier) -> None:
    kept = earlier.open()
    kept.store.migrate()
    kept.job_store.accept(batch_of(b"x"), None, None, NOW)
    earlier.mark(NEWEST + 1, 1)
    assert [batch.id for batch in earlier.open().job_store.batches(10)] == ["b1"]  # it added something, and that is all
    earlier.mark(NEWEST + 1, NEWEST + 1)
    with pytest.raises(NewerStore, match=f"has schema version {NEWEST + 1}, written by a newer program"):
        earlier.open().job_store.batches(10)


def test_a_new_ledger_is_like_a_migrated_one(tmp_path: Path) -> None:
    earlier = Earlier(tmp_path / "earlier", None)
    earlier.make()
    new = open_batches(tmp_path / "new", None)
    assert new is not None
    for job_store in (earlier.open().job_store, new.job_store):
        assert job_store.batches(10) == []
    described = []
    for folder in ("earlier", "new"):
        with closing(sqlite3.connect(tmp_path / folder / "batches.sqlite")) as connection:
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master ORDER BY name")]
            described.append([(name, list(connection.execute(f"PRAGMA table_info('{name}')"))) for name in tables])
    assert described[0] == described[1]


# The command


def migrate(*arguments: str, **environ: str) -> Any:
    return CliRunner().invoke(main, ["migrate", *arguments], env=environ)


def test_migrate_lists_first_and_then_does_it(earlier: Earlier) -> None:
    environ = {"SCRUBBER_STATE": str(earlier.folder)}
    if earlier.address is not None:
        environ["SCRUBBER_DATABASE_URL"] = earlier.address
    planned = migrate("--dry-run", **environ)
    assert planned.exit_code == 1, planned.output
    assert "would migrate to version 2: turns of batches" in planned.output
    assert earlier.open().store.version() == UNMARKED
    done = migrate(**environ)
    assert done.exit_code == 0, done.output
    assert f"done: schema version {NEWEST}" in done.output
    assert earlier.open().store.version().number == NEWEST
    assert migrate("--dry-run", **environ).exit_code == 0
    assert earlier.address is None or earlier.address not in done.output


def test_migrate_makes_nothing_where_nothing_is_kept(tmp_path: Path) -> None:
    told = migrate(SCRUBBER_STATE=str(tmp_path / "none"), SCRUBBER_REFERENCE=str(tmp_path))
    assert told.exit_code == 0, told.output
    assert told.output.count("nothing is kept there yet") == 4
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["serve", "worker"])
@pytest.mark.parametrize("newer", ["state", "ledger", "reference"])
def test_no_start_on_a_store_that_is_newer(command: str, newer: str, tmp_path: Path) -> None:
    state, reference = tmp_path / "state", tmp_path / "reference"
    (reference / "loaded").mkdir(parents=True)
    kept = open_batches(state, None)
    assert kept is not None
    assert kept.job_store.batches(1) == []
    if newer == "ledger":
        Earlier(state, None).mark(9, 9)
    else:
        folder = state if newer == "state" else reference / "loaded"
        (folder / MARK).write_text(json.dumps({"version": 9, "usableFrom": 9}))
    environ = {
        **os.environ,
        **{
            "SCRUBBER_STATE": str(state),
            "SCRUBBER_REFERENCE": str(reference),
            "SCRUBBER_RULES": str(write_rules(tmp_path / "rules")),
            "SCRUBBER_BIND": f"127.0.0.1:{free_port()}",
        },
    }
    done = subprocess.run(
        [sys.executable, "-m", "scrubber", command], env=environ, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2, done.stderr
    assert "has schema version 9, written by a newer program; this one knows versions up to" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_a_lease_of_the_version_before_did_counts(earlier: Earlier, shipped: Scrubber) -> None:
    """Its worker took the chunk before the job store was migrated, and finishes it afterwards."""
    earlier.accept("b1", ndjson(3))
    earlier.cut("b1", ndjson(3))
    earlier.run(("UPDATE chunks SET state = 'leased', token = 'of-then', tries = 1 WHERE batch = ?", ("b1",)))
    on = context(earlier.open(), shipped)
    on.file_store.receive("b1", [ndjson(3)])
    batch = on.job_store.batch("b1")
    assert batch is not None
    [chunk] = earlier.run(("SELECT number, first_row, rows, start, stop FROM chunks", ()))
    lease = Lease(batch, Chunk(*chunk), "of-then", 1, {})
    assert on.job_store.renew(lease, None)
    earlier.finish("b1")
    ended = on.job_store.batch("b1")
    assert ended is not None
    assert ended.state == "done"
