"""A database that goes away and comes back, under a real service: what is answered, and what the log has of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from tests.support.batches import ndjson
from tests.support.claims import office_claim
from tests.support.service import Service, running, write_rules
from tests.support.waiting import until

NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def database(postgres: str) -> Iterator[str]:
    """A database of its own, by its address."""
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE DATABASE outages")
        yield urlsplit(postgres)._replace(path="/outages").geturl()
        connection.execute("DROP DATABASE outages WITH (FORCE)")


def let_in(postgres: str, yes: bool) -> None:
    """Whether the database can be connected to; those who are connected are put out."""
    import psycopg

    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE outages ALLOW_CONNECTIONS {str(yes).lower()}".encode())
        if not yes:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'outages'")


def logged(service: Service, event: str) -> list[Any]:
    every = [orjson.loads(line) for line in service.output.read_text().splitlines()]
    return [line for line in every if line["event"] == event and line.get("of") in (None, "batches")]


def test_an_outage_of_the_ledger_is_an_error_once_however_many_ask(
    postgres: str, database: str, tmp_path: Path
) -> None:
    environ = {
        "SCRUBBER_RULES": str(write_rules(tmp_path / "rules", ("sample-denied", "deny", "77092"))),
        "SCRUBBER_DATABASE_URL": database,
        "SCRUBBER_STATE": str(tmp_path / "state"),
    }
    with running(tmp_path, **environ) as service:
        sent = service.ask("POST", "/v1/batches", ndjson(2), NDJSON)
        assert sent.status == 202
        address = sent.headers["Location"]
        for outages in (1, 2):
            let_in(postgres, False)
            for _ in range(10):
                for path in ("/v1/batches", address, f"{address}/results"):
                    told = service.ask("GET", path)
                    assert (told.status, told.json["type"]) == (503, "urn:claim-scrubber:problem:no-batches")
                    assert "send it again later" in str(told.json["detail"])
                refused = service.ask("POST", "/v1/batches", ndjson(2).replace(b"CLAIM-", b"CANARY-"), NDJSON)
                assert (refused.status, b"CANARY" in refused.body) == (503, False)
            ready = service.ask("GET", "/readyz")
            assert ready.status == 200
            batches: Any = ready.json["batches"]
            assert (batches["goOn"], bool(batches["why"])) == (False, True)
            assert service.scrub(orjson.dumps(office_claim())).status == 200
            assert [line["level"] for line in logged(service, "outage")] == ["error"] * outages
            let_in(postgres, True)
            assert until(lambda: service.ask("GET", address).status == 200)
            assert [line["level"] for line in logged(service, "outage over")] == ["info"] * outages
        assert service.ask("GET", "/readyz").json["batches"] == {"goOn": True, "why": None}
        text = service.output.read_text()
    assert "CANARY" not in text
    assert urlsplit(database).netloc not in text
