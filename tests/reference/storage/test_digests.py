"""Loaded rows that are changed or lost behind the back of the program: found, told, and never answered as loaded."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest
from click.testing import CliRunner, Result

from scrubber.cli import main
from scrubber.errors import DamagedReleases
from scrubber.reference import LiveReference, open_reference
from scrubber.reference.live import open_storage
from scrubber.reference.load.format import StatedRelease
from scrubber.reference.rows import Mue
from tests.reference.load.test_loader import load_into, pairs
from tests.support.claims import office_claim
from tests.support.ncci_files import mue_text, ptp_file
from tests.support.service import running, write_rules
from tests.support.waiting import until

DAY = date(2024, 8, 1)
UNITS = "ncci-mue 2024Q3"


@dataclass
class Kept:
    """A place with two kinds of releases, as `scrubber` knows it and as somebody with other tools does."""

    location: str
    folder: Path

    def load_units(self) -> str:
        """One release of units edits. Returns the name of what holds its rows."""
        path = self.folder / "units.csv"
        path.write_text(mue_text())
        return load_into(open_storage(self.location), "ncci-mue", path, chosen=StatedRelease("2024Q3")).release.segment

    def units(self) -> Mue | None:
        return open_reference(self.location).mue("A0001", DAY)

    def run(self, *command: str) -> Result:
        return CliRunner().invoke(main, ["reference", *command], env={"SCRUBBER_REFERENCE": self.location})

    @property
    def is_folder(self) -> bool:
        return not self.location.startswith("postgres")

    def part(self) -> Path:
        """The file with the units."""
        [found] = Path(self.location).rglob("ncci-mue-*.sqlite")
        return found

    def sql(self, statement: str, other: str) -> None:
        """With SQLite's own client; or `other`, where it is of the units, with that of PostgreSQL."""
        if self.is_folder:
            with closing(sqlite3.connect(self.part())) as connection, connection:
                connection.execute(statement)
            return
        import psycopg

        with psycopg.connect(self.location, autocommit=True) as server:
            server.execute(f"{other} WHERE part LIKE 'ncci-mue-%'".encode())


@pytest.fixture(params=["folder", "postgres"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    if request.param == "folder":
        (tmp_path / "store").mkdir()
        yield _filled(Kept(str(tmp_path / "store"), tmp_path))
        return
    postgres = request.getfixturevalue("postgres")
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE DATABASE digests")
        yield _filled(Kept(urlsplit(postgres)._replace(path="/digests").geturl(), tmp_path))
        connection.execute("DROP DATABASE digests WITH (FORCE)")


@pytest.fixture
def folder(tmp_path: Path) -> Kept:
    """A folder alone, for what does not depend on the place."""
    (tmp_path / "store").mkdir()
    return _filled(Kept(str(tmp_path / "store"), tmp_path))


def _filled(kept: Kept) -> Kept:
    load_into(open_storage(kept.location), "ncci-ptp", ptp_file(kept.folder))
    kept.load_units()
    return kept


def delete_row(kept: Kept) -> None:
    kept.sql('DELETE FROM "ncci-mue"', "DELETE FROM scrubber_reference_rows")


def edit_row(kept: Kept) -> None:
    """Two units become nine."""
    kept.sql(
        "UPDATE \"ncci-mue\" SET packed = CAST(replace(packed, '2', '9') AS BLOB)",
        "UPDATE scrubber_reference_rows SET packed = decode(replace(encode(packed, 'hex'), '32', '39'), 'hex')",
    )


def add_row(kept: Kept) -> None:
    """The units of one code for another."""
    kept.sql(
        'INSERT INTO "ncci-mue" SELECT \'A0009\', packed FROM "ncci-mue"',
        "INSERT INTO scrubber_reference_rows SELECT part, table_name, 'A0009', packed FROM scrubber_reference_rows",
    )


def edit_text(kept: Kept) -> None:
    """Texts that rows share, such as where they are from."""
    kept.sql(
        "UPDATE texts SET text = text || ', reviewed'",
        "UPDATE scrubber_reference_texts SET text = text || ', reviewed'",
    )


CHANGES = [delete_row, edit_row, add_row, edit_text]


@pytest.mark.parametrize("change", CHANGES)
def test_changed_rows_are_refused_with_what_to_do_and_that_helps(kept: Kept, change: Callable[[Kept], None]) -> None:
    before = kept.units()
    assert before is not None
    assert kept.run("status").exit_code == 0
    change(kept)
    with pytest.raises(DamagedReleases, match=f"no longer those that were loaded: {UNITS}. Drop each"):
        open_reference(kept.location)
    for command in ("status", "list"):
        told = kept.run(command)
        assert (told.exit_code, UNITS in told.stderr, "ncci-ptp" in told.stderr) == (2, True, False)
        assert "scrubber reference drop KIND RELEASE" in told.stderr
    assert kept.run("drop", *UNITS.split()).exit_code == 0
    kept.load_units()
    assert kept.run("status").exit_code == 0
    assert kept.units() == before


@pytest.mark.parametrize("change", CHANGES)
def test_what_runs_notices_and_answers_from_nothing_that_was_changed(
    kept: Kept, change: Callable[[Kept], None]
) -> None:
    told: list[str] = []
    live = LiveReference(kept.location, report=told.append)
    assert live.current().mue("A0001", DAY) is not None
    change(kept)
    assert until(lambda: live.current() is not None and live.trouble)
    now = live.current()
    assert (now.mue("A0001", DAY), now.mue("A0009", DAY)) == (None, None)
    assert not [each for each in now.releases() if (each.table, each.starter) == ("ncci-mue", False)]
    assert len(pairs(now)) == 3  # what is whole goes on
    assert UNITS in (live.trouble or "")
    for _ in range(3):
        live.current()
    assert told == [live.trouble]
    with open_storage(kept.location).change() as dropping:
        dropping.commit([each for each in dropping.loaded if each.kind != "ncci-mue"])
    kept.load_units()
    assert until(lambda: live.current().mue("A0001", DAY))
    assert live.trouble is None


def gone(part: Path) -> None:
    part.unlink()


def empty(part: Path) -> None:
    """What a disk that was full leaves of a copy."""
    part.unlink()
    part.touch()


def another(part: Path) -> None:
    part.unlink()
    part.write_bytes(b"not a database, but long enough to look at" * 500)


@pytest.mark.parametrize("lose", [gone, empty, another])
def test_files_that_are_lost_are_told_and_a_copy_helps(folder: Kept, lose: Callable[[Path], None]) -> None:
    part = folder.part()
    copy = part.read_bytes()
    live = LiveReference(folder.location)
    lose(part)
    told = folder.run("status")
    assert (told.exit_code, UNITS in told.stderr) == (2, True)
    assert until(lambda: live.current() is not None and live.trouble)
    assert live.current().mue("A0001", DAY) is None
    assert len(pairs(live.current())) == 3
    part.write_bytes(copy)
    assert until(lambda: live.current().mue("A0001", DAY))
    assert live.trouble is None
    assert folder.run("status").exit_code == 0


def test_two_releases_that_are_wrong_in_two_ways_are_both_told(folder: Kept) -> None:
    live = LiveReference(folder.location)
    delete_row(folder)
    [edits] = Path(folder.location).rglob("ncci-ptp-*.sqlite")
    edits.unlink()
    assert until(lambda: live.current() is not None and live.trouble)
    assert UNITS in (live.trouble or "")
    assert "ncci-ptp 2024Q3" in (live.trouble or "")
    assert pairs(live.current()) == []


def test_a_service_goes_on_without_the_rows_and_says_so_and_does_not_start_with_them(
    folder: Kept, tmp_path: Path
) -> None:
    environ = {
        "SCRUBBER_REFERENCE": folder.location,
        "SCRUBBER_RULES": str(write_rules(tmp_path / "rules", ("sample-denied", "deny", "77092"))),
        "SCRUBBER_STATE": str(tmp_path / "state"),
        "SCRUBBER_STALE_AFTER": "never",
    }
    claim = orjson.dumps(office_claim())

    with running(tmp_path, **environ) as service:
        assert service.ask("GET", "/readyz").status == 200
        sha256 = folder.part().stem.removeprefix("ncci-mue-")
        assert sha256.encode() in service.scrub(claim).body
        edit_row(folder)
        assert until(lambda: service.ask("GET", "/readyz").status == 503)
        assert UNITS in str(service.ask("GET", "/readyz").json["detail"])
        answer = service.scrub(claim)
        assert (answer.status, sha256.encode() in answer.body) == (200, False)
        for _ in range(5):
            service.scrub(claim)
        lines = [orjson.loads(line) for line in service.output.read_text().splitlines()]
        told = [line for line in lines if line["event"] == "reference data not read"]
        assert [(line["level"], UNITS in line["reason"]) for line in told] == [("error", True)]
    refused = subprocess.run(
        [sys.executable, "-m", "scrubber", "serve"],
        env=os.environ | environ | {"SCRUBBER_BIND": f"127.0.0.1:{service.port}"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (refused.returncode, UNITS in refused.stderr) == (2, True)
