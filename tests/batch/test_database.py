"""Batches in databases of all kinds: in odd encodings, away, wrong, or not ours to write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from scrubber.batch.storage import open_batches
from scrubber.batch.work import remove_batch
from scrubber.errors import StoreUnavailable
from scrubber.scrub import Scrubber
from tests.support.batches import context, forget_batches, ndjson, results, submit, work_off
from tests.support.service import Service, running, write_rules

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")


@pytest.fixture(params=["SQL_ASCII", "LATIN1"])
def in_encoding(request: pytest.FixtureRequest, postgres: str) -> Iterator[str]:
    made = f"CREATE DATABASE odd ENCODING '{request.param}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(made)
        yield psycopg.conninfo.make_conninfo(postgres, dbname="odd")
        connection.execute("DROP DATABASE odd WITH (FORCE)")


def test_the_encoding_of_the_database_does_not_matter(in_encoding: str, shipped: Scrubber) -> None:
    kept = open_batches(None, in_encoding)
    assert kept is not None
    on = context(kept, shipped)
    submit(on, ndjson(3))
    assert work_off(on) == 2
    assert [row["row"] for row in results(on)] == [1, 2, 3]


def test_the_log_of_the_database_forgets_what_was_deleted(postgres: str, shipped: Scrubber) -> None:
    """As docs/deploying.md tells whoever has to prove it; with the setting of the compose file."""
    forget_batches(postgres)
    kept = open_batches(None, postgres)
    assert kept is not None
    canary = b"LOGGED-CANARY"
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute("ALTER SYSTEM SET wal_recycle = off")
        server.execute("SELECT pg_reload_conf()")
        [[folder]] = server.execute("SHOW data_directory").fetchall()
        submit(context(kept, shipped), ndjson(20).replace(b"CLAIM", canary))
        work_off(context(kept, shipped))
        assert _holding(folder, canary)
        remove_batch("b1", kept.job_store, kept.file_store)
        for statement in ("CHECKPOINT", "SELECT pg_switch_wal()", "CHECKPOINT"):
            server.execute(statement)
        assert not _holding(folder, canary)
        server.execute("ALTER SYSTEM RESET wal_recycle")
        server.execute("SELECT pg_reload_conf()")


def _holding(folder: str, text: bytes) -> list[Path]:
    return [path for path in Path(folder).rglob("*") if path.is_file() and text in path.read_bytes()]


def test_two_machines_serve_the_same_batches(postgres: str, tmp_path: Path) -> None:
    forget_batches(postgres)
    rules = write_rules(tmp_path / "rules", ("sample-denied", "deny", "77092"))
    headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": "night"}
    with machine(tmp_path / "1", rules, postgres) as one, machine(tmp_path / "2", rules, postgres) as two:
        first = one.ask("POST", "/v1/batches", ndjson(3), headers)
        again = two.ask("POST", "/v1/batches", ndjson(3), headers)
        assert (first.status, again.status) == (202, 202)
        address = str(first.headers["Location"])
        assert again.headers["Location"] == address
        assert two.ask("POST", "/v1/batches", ndjson(4), headers).status == 409
        assert two.ask("GET", address).json["state"] == "received"
        assert two.ask("POST", f"{address}/cancel").status == 200
        assert one.ask("GET", address).json["state"] == "cancelled"
        assert one.ask("DELETE", address).status == 204
        assert two.ask("GET", address).status == 404


def machine(folder: Path, rules: Path, database: str) -> AbstractContextManager[Service]:
    folder.mkdir()
    environ = {"SCRUBBER_STATE": str(folder / "state"), "SCRUBBER_RULES": str(rules), "SCRUBBER_DATABASE_URL": database}
    return running(folder, **environ)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"password": "SECRET", "user": "nobody"}, "it refuses the user or the password"),
        ({"dbname": "nowhere"}, "there is no such database or user"),
        ({"host": "127.0.0.1", "port": "1"}, "nobody listens at its address"),
        ({"host": "nowhere.invalid"}, "the name of its host is not known"),
        ({"dbname": "reader", "user": "reader"}, "its user may not do there what is needed"),
        ({"options": "-c default_transaction_read_only=on"}, "it can only be read (is it a standby?)"),
        ({"dbname": "older"}, "its tables in scrubber_batches are those of another version of the program"),
    ],
)
def test_what_is_wrong_with_a_database_is_said_without_its_address(
    prepared: str, wrong: dict[str, str], reason: str
) -> None:
    kept = open_batches(None, psycopg.conninfo.make_conninfo(prepared, **wrong))
    assert kept is not None
    with pytest.raises(StoreUnavailable) as told:
        submit(context(kept, None), ndjson(1), "b2")
    assert str(told.value) == f"the database of batches cannot be used: {reason}"


@pytest.fixture(scope="module")
def prepared(postgres: str) -> Iterator[str]:
    """A server that asks one user for a password, and has a database that another may only read, and an older one."""
    with psycopg.connect(postgres, autocommit=True) as server:
        [[rules]] = server.execute("SHOW hba_file").fetchall()
        before = Path(rules).read_text()
        Path(rules).write_text(f"local all nobody scram-sha-256\n{before}")
        server.execute("SELECT pg_reload_conf()")
        for statement in ("CREATE ROLE nobody LOGIN PASSWORD 'other'", "CREATE ROLE reader LOGIN"):
            server.execute(statement)
        for name in ("reader", "older"):
            server.execute(f"CREATE DATABASE {name}")
        with psycopg.connect(psycopg.conninfo.make_conninfo(postgres, dbname="older")) as older:
            opened = open_batches(None, older.info.dsn)
            assert opened is not None
            submit(context(opened, None), b"x")
            older.execute("ALTER TABLE scrubber_batches.chunks RENAME urgency TO unknown")
        yield postgres
        Path(rules).write_text(before)
        for name in ("reader", "older"):
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        for name in ("reader", "nobody"):
            server.execute(f"DROP ROLE {name}")
