"""Batches in databases of all kinds: in odd encodings, away, wrong, or not ours to write."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scrubber.batch.place import open_batches
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
