"""What an answer says that it rests on: enough to scrub the claim again, and nothing that no claim is held against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson

from scrubber.authoring.run_tests import run_tests
from scrubber.claim import read_v3
from scrubber.reference import Reference, open_reference
from scrubber.reference.load.format import StatedRelease
from scrubber.reference.load.loader import LoadRequest, load
from scrubber.reference.releases import Backend, Pair, Release, Windows
from scrubber.reference.rows import PtpEdit
from scrubber.reference.storage.sqlite import FolderStorage
from scrubber.reference.tables import PTP, UNUSED_FOR_CLAIMS, R, Table
from scrubber.rulebook.load import load_rulebook
from scrubber.scrub import assemble
from tests.support.claims import office_claim, tbs_claim
from tests.support.coverage_export import article, export

RULES = Path(__file__).resolve().parents[2] / "rules"
CODE = "71046"  # on the office claim


class Recording:
    """A backend that notes which tables it is asked for."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.asked: set[str] = set()

    def rows(self, table: Table[R], part: str, key: str) -> tuple[R, ...]:
        self.asked.add(table.owner)
        return self.backend.rows(table, part, key)

    def ptp_among(self, part: str, codes: frozenset[str]) -> Mapping[Pair, Windows]:
        self.asked.add(PTP.name)
        return self.backend.ptp_among(part, codes)

    def ptp_of(self, part: str, code: str, day: date) -> Sequence[PtpEdit]:
        self.asked.add(PTP.name)
        return self.backend.ptp_of(part, code, day)

    def every(self, table: Table[R], part: str) -> Iterator[tuple[str, tuple[R, ...]]]:
        self.asked.add(table.owner)
        return self.backend.every(table, part)

    def releases(self) -> tuple[Release, ...]:
        return self.backend.releases()


def store_with_articles(folder: Path) -> Path:
    file = export(folder / "current_article.zip", article("90001", CODE, covered={"J18.9": "N"}))
    store = folder / "store"
    store.mkdir()
    wanted = LoadRequest("mcd", [str(file)], StatedRelease("2023", date(2023, 1, 1)), datetime(2026, 1, 1, tzinfo=UTC))
    load(FolderStorage(store), wanted, lambda *_: None)
    return store


def test_every_table_that_claims_are_held_against_is_named(tmp_path: Path) -> None:
    recording = Recording(open_reference(str(store_with_articles(tmp_path))).backend)
    scrubber = assemble(load_rulebook(RULES), Reference(recording))
    run_tests(scrubber, RULES)
    body = office_claim()
    for line in body["claimInformation"]["serviceLines"]:
        line["serviceDate"] = "20251112"  # a list of diagnoses is asked about its own days only
    result = scrubber.scrub(read_v3(body), date(2025, 12, 1))
    assert {"ncci-ptp", "ncci-mue", "mpfs", "icd10cm", "article-diagnoses"} <= recording.asked
    assert not recording.asked & UNUSED_FOR_CLAIMS
    there = {release.table for release in recording.releases()}
    named = {each.table for each in result.versions.reference}
    assert named == there - UNUSED_FOR_CLAIMS
    assert recording.asked & there <= named


def test_every_release_on_the_days_of_a_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "ncci-mue.csv").write_text("code,units,indicator,since,until,source\nA0001,1,2,2025-01-01,,made up\n")
    (tmp_path / "releases.csv").write_text(
        "table,name,since,until,source\n"
        "ncci-mue,2025Q1,2025-01-01,2025-04-01,made up\n"
        "ncci-mue,2025Q2,2025-04-01,2025-07-01,made up\n"
        "ncci-mue,2025Q3,2025-07-01,2025-10-01,made up\n"
        "ncci-mue,2025Q4,2025-10-01,2026-01-01,made up\n"
    )
    scrubber = assemble(load_rulebook(RULES), open_reference(str(tmp_path)))
    body: dict[str, Any] = orjson.loads(orjson.dumps(tbs_claim()))
    body["claimInformation"]["serviceLines"][0] |= {"serviceDate": "20250330", "serviceDateEnd": "20250702"}
    used = scrubber.scrub(read_v3(body), date(2025, 7, 10)).versions.reference
    assert [each.release for each in used if each.table == "ncci-mue"] == ["2025Q1", "2025Q2", "2025Q3"]


def test_the_digest_of_a_table_typed_by_hand_is_of_its_days_too(tmp_path: Path) -> None:
    def digests(until: str) -> set[str]:
        (tmp_path / "ncci-mue.csv").write_text("code,units,indicator,since,until,source\nA0001,1,2,,,made up\n")
        rows = "ncci-mue,a,2025-01-01,2025-04-01,typed", f"ncci-mue,b,2025-04-01,{until},typed"
        (tmp_path / "releases.csv").write_text("\n".join(["table,name,since,until,source", *rows, ""]))
        return {each.sha256 for each in open_reference(str(tmp_path)).releases() if each.table == "ncci-mue"}

    one, other, again = digests("2025-07-01"), digests("2025-10-01"), digests("2025-07-01")
    assert len(one) == 1  # both releases of a table have the same rows
    assert one == again != other
