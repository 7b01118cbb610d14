"""Batches in databases of all kinds: in odd encodings, away, wrong, or not ours to write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scrubber.batch.place import open_batches
from scrubber.errors import LedgerDown
from scrubber.scrub import Scrubber
from tests.batches import bench, ndjson, results, submit, work_off

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
    on = bench(kept, shipped)
    submit(on, ndjson(3))
    assert work_off(on) == 2
    assert [row["row"] for row in results(on)] == [1, 2, 3]


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
    with pytest.raises(LedgerDown) as told:
        submit(bench(kept, None), ndjson(1), "b2")
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
            submit(bench(open_batches(None, older.info.dsn), None), b"x")  # type: ignore[arg-type] -- it is there
            older.execute("ALTER TABLE scrubber_batches.chunks RENAME urgency TO unknown")
        yield postgres
        Path(rules).write_text(before)
        for name in ("reader", "older"):
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        for name in ("reader", "nobody"):
            server.execute(f"DROP ROLE {name}")
