"""No room: whoever sends a batch is told, nothing is half accepted, and all goes on when there is room again."""

from __future__ import annotations

import gzip
import resource
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scrubber.batch.storage.files import FolderFileStore
from scrubber.batch.work import WAITED_FOR_SPACE, work
from scrubber.errors import StorageFull
from scrubber.scrub import Scrubber
from tests.support.batches import NOW, context, ndjson, results, submit, work_off
from tests.support.chaos import tree
from tests.support.service import Service, running, write_rules

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


@dataclass
class SmallDisk:
    """A disk of so many bytes, of which what lies below a folder is used; see FolderFileStore."""

    folder: Path
    size: int

    def __call__(self, _place: Path) -> Any:
        used = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
        return SimpleNamespace(f_blocks=self.size, f_bavail=max(0, self.size - used), f_frsize=1)


def test_a_gzip_that_fills_the_disk_gives_all_of_it_back(tmp_path: Path, shipped: Scrubber) -> None:
    file_store = FolderFileStore(tmp_path / "batches", SmallDisk(tmp_path, 8_000_000))
    on = replace(context(tmp_path, shipped), file_store=file_store)
    bomb = gzip.compress(bytes(20_000_000))
    submit(on, bomb, gzipped=True)
    lease = on.job_store.take("one")
    assert lease is not None
    assert not work(lease, on)
    assert [path.name for path in (tmp_path / "batches" / "b1").iterdir()] == ["upload"]
    submit(on, ndjson(3), "b2")
    work_off(on)
    assert len(results(on, "b2")) == 3
    on.job_store.release("one")  # as if the lease had run out
    work_off(replace(on, now=lambda: NOW + WAITED_FOR_SPACE))
    ended = on.job_store.batch("b1")
    assert ended is not None
    assert (ended.state, "no room" in str(ended.why)) == ("failed", True)


def test_uploads_leave_room_to_clear_the_disk(tmp_path: Path) -> None:
    """Results of what was accepted may use some of it."""
    file_store = FolderFileStore(tmp_path, SmallDisk(tmp_path, 100_000))
    pieces = [bytes(1_000)] * 10
    for number in range(9):
        file_store.receive(f"b{number}", pieces)
    with pytest.raises(StorageFull):
        file_store.receive("b9", pieces)
    used = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert used == 90_000
    file_store.keep_result("b0", 0, "token", bytes(8_000))
    with pytest.raises(StorageFull):
        file_store.keep_result("b0", 1, "token", b"x")


def test_what_a_dead_worker_unpacked_is_cleared(tmp_path: Path, shipped: Scrubber) -> None:
    on = context(tmp_path, shipped)
    submit(on, gzip.compress(ndjson(3)), gzipped=True)
    (tmp_path / "batches" / "b1" / "rows-dead.part").write_bytes(b"CANARY")
    work_off(on)
    assert len(results(on)) == 3
    assert not list((tmp_path / "batches" / "b1").glob("*.part"))


def test_a_ledger_that_cannot_grow_refuses_a_batch_as_a_whole(service: Service) -> None:
    assert send(service, 1) == 202
    before = kept(service)
    room(service, 8_000)
    assert send(service, 1) in (503, 507)
    room(service, resource.RLIM_INFINITY)
    assert kept(service) == before
    assert send(service, 1) == 202
