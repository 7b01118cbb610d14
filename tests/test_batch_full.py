"""No room: whoever sends a batch is told, nothing is half accepted, and all goes on when there is room again."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest

from tests.batches import ndjson
from tests.chaos import tree
from tests.service import Service, running, write_rules

NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    rules = write_rules(folder / "rules", ("sample-denied", "deny", "77092"))
    environ = {
        "SCRUBBER_RULES": str(rules),
        "SCRUBBER_STATE": str(folder / "state"),
        "SCRUBBER_BATCH_WORKERS": "0",
    }
    with running(folder, **environ) as service:
        yield service


def room(service: Service, size: int) -> None:
    """From now on no file of the service grows past a size: to it that is a disk that is full."""
    for process in tree(service.process.pid):
        resource.prlimit(process, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def send(service: Service, rows: int) -> int:
    return service.ask("POST", "/v1/batches", ndjson(rows), NDJSON).status


def kept(service: Service) -> tuple[int, int]:
    """How many batches there are, and how many the bytes are of."""
    told = service.ask("GET", "/v1/batches").json["batches"]
    assert isinstance(told, list)
    return len(told), len(list((service.output.parent / "state" / "batches").glob("*")))


def test_a_disk_that_is_full_refuses_a_batch_as_a_whole(service: Service) -> None:
    assert send(service, 3) == 202
    before = kept(service)
    room(service, 1_000_000)
    answer = service.ask("POST", "/v1/batches", ndjson(2_000), NDJSON)
    assert answer.status == 507
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert kept(service) == before
    room(service, resource.RLIM_INFINITY)
    assert send(service, 2_000) == 202
    assert kept(service) == (before[0] + 1, before[1] + 1)


def test_a_ledger_that_cannot_grow_refuses_a_batch_as_a_whole(service: Service) -> None:
    assert send(service, 1) == 202
    before = kept(service)
    room(service, 8_000)
    assert send(service, 1) in (503, 507)
    room(service, resource.RLIM_INFINITY)
    assert kept(service) == before
    assert send(service, 1) == 202
