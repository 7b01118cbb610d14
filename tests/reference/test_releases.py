"""Several releases side by side: which one answers, changes while others read, and what two say differently."""

from __future__ import annotations

import csv
import lzma
import sqlite3
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from scrubber.app import create_app
from scrubber.authoring.release_impact import claim_changes
from scrubber.claim import parse_json, read_v3
from scrubber.cli import main
from scrubber.config import Settings
from scrubber.findings import Versions
from scrubber.reference import LiveReference, open_reference
from scrubber.reference.freshness import answered, not_answered, past, reach
from scrubber.reference.load.format import StatedRelease
from scrubber.reference.lookup import Reference
from scrubber.reference.release_diff import cells_changed, difference
from scrubber.reference.releases import Release
from scrubber.reference.storage.sqlite import FolderStorage
from scrubber.reference.tables import ADD_ON, PTP, TABLES
from scrubber.response.claim import to_bytes
from scrubber.rulebook.load import load_rulebook
from scrubber.scrub import LiveScrubber, Scrubber, assemble
from tests.reference.load.test_hcpcs import as_csv
from tests.reference.load.test_loader import load_into
from tests.support.claims import tbs_claim
from tests.support.ncci_files import add_on_text, mue_text, ptp_file, ptp_line
from tests.support.responses import json_of
from tests.support.service import ROOT, write_rules
from tests.support.waiting import until

PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "ncci"
SPRING, SUMMER = date(2024, 5, 1), date(2024, 8, 1)
BEFORE, AFTER = date(2024, 3, 31), date(2024, 10, 1)
CODES = {"77092", "77089", "77080"}
# 2024Q3 deletes one pair, adds one, and lets a modifier separate the third.
Q2 = (
    ptp_line("77080", "77089", "20200101"),
    ptp_line("77080", "77092", "20200101"),
    ptp_line("77092", "77089", "20200101", indicator="0"),
)
Q3 = (
    ptp_line("77080", "77089", "20200101", "20240630"),
    ptp_line("77080", "77092", "20200101"),
    ptp_line("77089", "77080", "20240701"),
    ptp_line("77092", "77089", "20200101", indicator="1"),
)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    load_into(folder, "ncci-ptp", ptp_file(tmp_path, "v301r0", Q2))
    load_into(folder, "ncci-ptp", ptp_file(tmp_path, "v302r0", Q3))
    return folder


def released(reference: Reference, table: str = "ncci-ptp") -> list[Release]:
    return [release for release in reference.releases() if release.table == table]


# Which release answers


@pytest.mark.parametrize(
    ("day", "word", "release", "pairs"),
    [
        (BEFORE, "before-first-release", "2024Q2", 0),
        (date(2024, 4, 1), "in-force", "2024Q2", 3),
        (date(2024, 6, 30), "in-force", "2024Q2", 3),
        (date(2024, 7, 1), "in-force", "2024Q3", 4),
        (date(2024, 9, 30), "in-force", "2024Q3", 4),
        (AFTER, "past-last-release", "2024Q3", 4),
    ],
)
def test_the_release_of_the_day_answers(store: Path, day: date, word: str, release: str, pairs: int) -> None:
    reference = open_reference(str(store))
    standing = reference.table_status("ncci-ptp", day)
    assert (standing.state, standing.release and standing.release.name) == (word, release)
    assert len(reference.ptp_among(CODES, day, day)) == pairs


def test_over_the_end_of_a_release_each_window_stays_within_its_own(store: Path) -> None:
    found = open_reference(str(store)).ptp_among(CODES, date(2024, 6, 28), date(2024, 7, 2))
    assert [(edit.indicator, edit.since, edit.deleted) for edit in found["77092", "77089"]] == [
        ("0", date(2024, 4, 1), date(2024, 6, 30)),
        ("1", date(2024, 7, 1), None),
    ]
    assert [edit.deleted for edit in found["77080", "77089"]] == [date(2024, 6, 30)]
    assert [edit.since for edit in found["77089", "77080"]] == [date(2024, 7, 1)]


def test_a_span_that_begins_before_the_first_release_has_no_windows_there(store: Path) -> None:
    found = open_reference(str(store)).ptp_among(CODES, BEFORE, date(2024, 4, 2))
    assert {edit.since for windows in found.values() for edit in windows} == {date(2024, 4, 1)}
    assert len(found) == 3


def test_the_same_releases_answer_since_the_last_one_began(store: Path) -> None:
    reference = open_reference(str(store))
    begins = {release.since for release in reference.releases() if release.since}
    days = sorted({day + timedelta(days=by) for day in begins for by in (-1, 0, 1, 40)} | {date(1999, 1, 1)})
    assert len({reference.unchanged_since(day) for day in days}) == len(begins) + 1
    for first in days:
        for last in days:
            since = reference.unchanged_since(first), reference.unchanged_since(last)
            for table in TABLES:
                assert reference.answering(table, *since) == reference.answering(table, first, last)


def test_a_loaded_table_replaces_the_starter_table_whole_and_others_stay(store: Path) -> None:
    reference = open_reference(str(store))
    assert {release.starter for release in released(reference)} == {False}
    assert reference.mue("77092", date(2024, 8, 1)) is not None
    assert not reference.ptp_among({"77085", "77080"}, SUMMER, SUMMER)


def test_a_loaded_release_goes_before_a_table_typed_by_hand(store: Path, tmp_path: Path) -> None:
    (store / "ncci-ptp.csv").write_text(
        "column1,column2,indicator,since,deleted,rationale,source\n77085,77080,0,2020-01-01,,made-up,made up\n"
    )
    (store / "releases.csv").write_text("table,name,since,until,source\nncci-ptp,own,,,made up\n")
    assert len(released(open_reference(str(store)))) == 2
    own = tmp_path / "own"
    own.mkdir()
    for name in ("ncci-ptp.csv", "releases.csv"):
        (own / name).write_bytes((store / name).read_bytes())
    assert [release.name for release in released(open_reference(str(own)))] == ["own"]


def test_add_on_codes_end_with_whatever_ends_first(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "AOC_V2024Q3-MCR.txt"
    path.write_text(
        add_on_text(
            "1\tA0001\t\tA0002\t\t2013091\t\t\r\n",
            "2\tA0001\t\tCCCCC\t\t2013091\t\tnotes\r\n",
            "3\tA0001\t2024366\tA0003\t2024219\t2024183\t0000000\t\r\n",
        ),
        newline="",
    )
    load_into(store, "ncci-add-on", path)
    reference = open_reference(str(store))
    assert [row.primary for row in reference.add_ons("A0001", date(2024, 8, 6))] == ["A0002", "CCCCC", "A0003"]
    assert [row.primary for row in reference.add_ons("A0001", date(2024, 8, 7))] == ["A0002", "CCCCC"]
    assert reference.add_ons("A0002", SUMMER) == ()
    assert reference.add_ons("A0001", BEFORE) == ()


# Changes while others read


def test_readers_go_on_and_change_at_once(store: Path, tmp_path: Path) -> None:
    live = LiveReference(str(store))
    old = live.current()
    assert live.current() is old
    assert old.mue("A0001", SUMMER) is None
    (tmp_path / "mue.csv").write_text(mue_text())
    load_into(store, "ncci-mue", tmp_path / "mue.csv", chosen=StatedRelease("2024Q3"))
    new = live.current()
    assert new is not old
    assert new.mue("A0001", SUMMER) is not None
    assert old.mue("A0001", SUMMER) is None


def test_threads_scrub_on_while_releases_come_and_go(store: Path, tmp_path: Path) -> None:
    """Every answer rests on one state of the store: equal versions, equal bytes."""
    live = LiveScrubber(load_rulebook(ROOT / "rules"), LiveReference(str(store)))
    claim = read_v3(parse_json(_claim("77080", "77089", "77092", day="20240801")))
    answers: dict[Versions, set[bytes]] = defaultdict(set)
    done = threading.Event()
    scrubbed: list[Versions] = []

    def some_more() -> None:
        """Waits for answers of each thread, so that one at least began after what was changed."""
        before = len(scrubbed)
        until(lambda: len(scrubbed) > before + 16 or any(each.done() for each in running))

    def scrub_on() -> int:
        count = 0
        while not done.is_set():
            result = live.current().scrub(claim, date(2024, 9, 1))
            answers[result.versions].add(to_bytes(result))
            scrubbed.append(result.versions)
            count += 1
        return count

    with ThreadPoolExecutor(8) as threads:
        running = [threads.submit(scrub_on) for _ in range(8)]
        try:
            for _ in range(4):
                with FolderStorage(store).change() as change:
                    change.commit([each for each in change.loaded if each.name != "2024Q3"])
                some_more()
                load_into(store, "ncci-ptp", ptp_file(tmp_path, "v302r0", Q3))
                some_more()
        finally:
            done.set()
        assert all(each.result() > 0 for each in running)  # raises what a thread raised
    used = {each.release for versions in answers for each in versions.reference if each.table == "ncci-ptp"}
    assert used == {"2024Q2", "2024Q3"}
    assert all(len(said) == 1 for said in answers.values())
    assert len(set.union(*answers.values())) == 2


def test_what_is_dropped_stays_readable_for_those_who_read_it(store: Path) -> None:
    live = LiveReference(str(store))
    old = live.current()
    with FolderStorage(store).change() as change:
        change.commit([each for each in change.loaded if each.name != "2024Q3"])
    assert len(released(live.current())) == 1
    with ThreadPoolExecutor(1) as other_thread:  # it has no connection to the file yet
        assert other_thread.submit(lambda: len(old.ptp_among(CODES, SUMMER, SUMMER))).result() == 4
    with FolderStorage(store).change():
        pass
    assert len(list(store.rglob("*.sqlite"))) == 1


def test_a_change_that_cannot_be_read_leaves_the_old_in_force(store: Path) -> None:
    live = LiveReference(str(store))
    old = live.current()
    catalogue = store / "loaded" / "catalogue.json"
    whole = catalogue.read_bytes()
    catalogue.write_bytes(whole[:100])
    assert live.current() is old
    assert "catalogue.json" in (live.trouble or "")
    catalogue.write_bytes(whole)
    assert live.current() is not old
    assert live.trouble is None


def test_a_part_of_another_layout_is_refused(store: Path) -> None:
    [*files] = store.rglob("*.sqlite")
    files[0].write_bytes(b"not a database, but long enough to look at" * 500)
    result = CliRunner().invoke(main, ["reference", "list"], env={"SCRUBBER_REFERENCE": str(store)})
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr


def test_rows_that_an_older_program_packed_are_refused_and_can_be_dropped(store: Path) -> None:
    for part in store.rglob("*.sqlite"):
        with closing(sqlite3.connect(part)) as connection:
            connection.execute("PRAGMA user_version = 3")
    run = partial(CliRunner().invoke, main, env={"SCRUBBER_REFERENCE": str(store)})
    told = run(["reference", "list"])
    assert (told.exit_code, "has layout 3, this program reads 4: drop it and load it again" in told.stderr) == (2, True)
    for release in ("2024Q2", "2024Q3"):
        assert run(["reference", "drop", "ncci-ptp", release]).exit_code == 0
    assert run(["reference", "list"]).exit_code == 0


# Over HTTP


def _client(folder: Path, store: Path, ready_days: int | None) -> FlaskClient:
    rules = write_rules(folder / "rules")
    return create_app(Settings("127.0.0.1", 0, rules, str(store), 1, 1, 10_000, ready_days)).test_client()


def test_the_service_sees_a_new_release(store: Path, tmp_path: Path) -> None:
    client = _client(tmp_path, store, None)
    (tmp_path / "mue.csv").write_text(mue_text())
    load_into(store, "ncci-mue", tmp_path / "mue.csv", chosen=StatedRelease("2024Q3"))
    told = json_of(client.get("/readyz"))
    [mue] = [each for each in told["reference"] if each["table"] == "ncci-mue"]
    assert mue["sha256"] == FolderStorage(store).loaded()[-1].sha256


def test_the_service_is_not_ready_when_a_loaded_table_is_stale_and_it_shall_tell(store: Path, tmp_path: Path) -> None:
    assert _client(tmp_path, store, None).get("/readyz").status_code == 200
    assert _client(tmp_path, store, 1_000_000).get("/readyz").status_code == 200
    refused = _client(tmp_path, store, 30).get("/readyz")
    assert refused.status_code == 503
    assert "ncci-ptp 2024Q3" in refused.get_data(as_text=True)
    assert "SCRUBBER_READY_DAYS" in json_of(refused)["detail"]


def test_the_service_is_not_ready_when_a_change_cannot_be_read(store: Path, tmp_path: Path) -> None:
    client = _client(tmp_path, store, None)
    (store / "loaded" / "catalogue.json").write_text("{")
    refused = client.get("/readyz")
    assert refused.status_code == 503
    assert "catalogue.json" in refused.get_data(as_text=True)


# Freshness


def test_days_past_the_last_release_are_counted(store: Path) -> None:
    reference = open_reference(str(store))
    found = {each.table: each for each in reach(reference, date(2024, 10, 10))}
    assert found["ncci-ptp"].days_past == 10
    assert (found["ncci-mue"].status.state, found["mpfs"].days_past) == ("carried-forward", None)
    assert [each.table for each in past(reference, date(2024, 10, 10), 9)] == ["ncci-ptp"]
    assert past(reference, date(2024, 10, 10), 10) == ()
    assert past(reference, SUMMER, 0) == ()


# Differences


def test_what_two_releases_say_differently(store: Path) -> None:
    reference = open_reference(str(store))
    before, after = released(reference)
    found = list(difference(reference.backend, PTP, before, after))
    assert [(change.change, change.key) for change in found] == [
        ("deleted", ("77080", "77089")),
        ("added", ("77089", "77080")),
        ("changed", ("77092", "77089")),
    ]
    assert list(cells_changed(found[2])) == [("indicator", "0", "1")]


def test_a_difference_tells_how_far_it_is(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scrubber.reference.release_diff.ROWS_PER_STEP", 1)
    reference = open_reference(str(store))
    told: list[tuple[int, float]] = []
    one, other = released(reference)
    list(difference(reference.backend, PTP, one, other, lambda rows, share: told.append((rows, share))))
    assert told == sorted(told)
    assert told[-1] == (7, 1.0)
    assert len(told) > 2


def test_a_table_that_only_one_release_has(store: Path, tmp_path: Path) -> None:
    (tmp_path / "AOC_V2024Q3.txt").write_text(add_on_text(), newline="")
    load_into(store, "ncci-add-on", tmp_path / "AOC_V2024Q3.txt")
    reference = open_reference(str(store))
    [release] = released(reference, "ncci-add-on")
    assert [each.change for each in difference(reference.backend, ADD_ON, None, release)] == ["added"]
    assert [each.change for each in difference(reference.backend, ADD_ON, release, None)] == ["deleted"]


def _published(name: str, codes: set[str]) -> Iterator[str]:
    with lzma.open(PUBLISHED / f"{name}.csv.xz", "rt", newline="") as file:
        header = next(file)
        rows = [*csv.DictReader([header, *(line for line in file if line[:5] in codes)])]
    begin: dict[tuple[str, str], str] = {}  # first days are missing in the file: a window begins after the one before
    for row in sorted(rows, key=lambda row: row["deletion_date"].strip("*") or "99991231"):
        pair, deleted = (row["column_1"], row["column_2"]), row["deletion_date"].strip("*") or "*"
        yield ptp_line(*pair, begin.get(pair, "20000101"), deleted, row["modifier_indicator"])
        if deleted != "*":
            begin[pair] = f"{date.fromisoformat(deleted) + timedelta(days=1):%Y%m%d}"


@pytest.mark.proof
@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published files are not beside the project")
def test_the_difference_of_two_published_quarters(tmp_path: Path) -> None:
    with lzma.open(PUBLISHED / "ncci_ptp_delta_v30.1_to_v30.2.csv.xz", "rt", newline="") as file:
        expected = {(row["column_1"], row["column_2"]): row["change"] for row in csv.DictReader(file)}
    codes = {column1 for column1, _ in expected}
    for version, name in (("v301r0", "v30.1_2024q2"), ("v302r0", "v30.2_2024q3")):
        lines = _published(f"ncci_ptp_practitioner_{name}", codes)
        load_into(tmp_path / "store", "ncci-ptp", ptp_file(tmp_path, version, lines))
    reference = open_reference(str(tmp_path / "store"))
    before, after = released(reference)
    found = {change.key: change.change for change in difference(reference.backend, PTP, before, after)}
    assert Counter(found.values()) == {"added": 926, "deleted": 293, "changed": 2}
    assert found == {pair: word.removeprefix("modifier_") for pair, word in expected.items()}


def _claim(*codes: str, day: str = "20250312") -> bytes:
    body = tbs_claim()
    [line] = body["claimInformation"]["serviceLines"][:1]
    lines = []
    for code in codes:
        copied = orjson.loads(orjson.dumps(line))
        copied["professionalService"]["procedureCode"] = code
        copied["serviceDate"] = day
        lines.append(copied)
    body["claimInformation"]["serviceLines"] = lines
    return orjson.dumps(body)


def test_what_a_difference_changes_on_claims(shipped: Scrubber, store: Path) -> None:
    scrubber = assemble(shipped.rulebook, open_reference(str(store)))
    q2, q3 = released(scrubber.reference)
    claims = [("bundled", _claim("77080", "77089")), ("alone", _claim("77092"))]
    read = [(name, read_v3(parse_json(body)), date(2025, 4, 1)) for name, body in claims]
    bundled, alone = claim_changes(scrubber, [q2], [q3], read)
    assert not alone.changed
    assert [(told.rule, told.lines) for told in bundled.gone] == [("cms-ncci-ptp-column-two", (2,))]
    assert [(told.rule, told.lines) for told in bundled.new] == [("cms-ncci-ptp-column-two", (1,))]
    assert [told.at_risk for told in (*bundled.gone, *bundled.new)] == [Decimal("34.29"), Decimal("33.83")]


# Which dates of service are answered, in words


@pytest.mark.parametrize(
    ("spans", "words", "gaps"),
    [
        (
            [("RVU25D", date(2025, 10, 1), date(2026, 1, 1))],
            "2025-10-01 to 2025-12-31 (RVU25D)",
            ["2025-01-01 to 2025-09-30 are answered by no loaded release"],
        ),
        ([("A", date(2025, 1, 1), date(2025, 4, 1)), ("B", date(2025, 4, 1), None)], "2025-01-01 on (A, B)", []),
        (
            [("A", date(2024, 1, 1), date(2024, 4, 1)), ("B", date(2025, 4, 1), date(2025, 7, 1))],
            "2024-01-01 to 2024-03-31 (A); 2025-04-01 to 2025-06-30 (B)",
            ["2024-04-01 to 2025-03-31 lie in no loaded release: A answers, as stale"],
        ),
    ],
)
def test_what_is_answered_is_told(spans: list[tuple[str, date, date | None]], words: str, gaps: list[str]) -> None:
    releases = [Release("mpfs", name, since, until, name, False, "made up") for name, since, until in spans]
    assert answered(releases) == words
    assert list(not_answered(releases)) == gaps


# On the command line


def run(store: Path | None, *args: str) -> Result:
    env = {"SCRUBBER_REFERENCE": str(store) if store else "", "SCRUBBER_RULES": str(ROOT / "rules")}
    return CliRunner().invoke(main, ["reference", *args], env=env)


def test_load_says_what_it_did(tmp_path: Path) -> None:
    store, file = tmp_path / "new", ptp_file(tmp_path, "v302r0", Q3)
    done = run(store, "load", "ncci-ptp", str(file))
    assert (done.exit_code, done.stdout) == (
        0,
        "ncci-ptp 2024Q3 (2024-07-01 to 2024-10-01) is loaded: 4 rows of ncci-ptp\n"
        "ncci-ptp answers for dates of service of 2024-07-01 to 2024-09-30 (2024Q3)\n"
        "2024-01-01 to 2024-06-30 are answered by no loaded release\n",
    )  # fmt: skip
    assert "is loaded already, nothing is changed" in run(store, "load", "ncci-ptp", str(file)).stdout
    file.write_text(file.read_text() + "broken\r\n", newline="")
    assert "replaced" in run(store, "load", "ncci-ptp", str(file), "--release", "2024Q3", "--skip-bad-rows").stdout


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["ncci-mue"], "is no file of ncci-mue: it looks like the NCCI PTP edits"),
        (["ncci-ptp", "--since", "2024-09-01", "--until", "2024-09-01"], "ends before it begins"),
    ],
)
def test_a_refusal_is_one_sentence(tmp_path: Path, args: list[str], told: str) -> None:
    done = run(tmp_path / "new", "load", args[0], str(ptp_file(tmp_path)), *args[1:])
    assert done.exit_code == 2
    assert told in done.stderr
    assert "Traceback" not in done.output


def test_loading_needs_a_place(tmp_path: Path) -> None:
    done = run(None, "load", "ncci-ptp", str(ptp_file(tmp_path)))
    assert done.exit_code == 2
    assert "SCRUBBER_REFERENCE" in done.stderr


def test_releases_are_listed(store: Path, tmp_path: Path) -> None:
    lines = run(store, "list").stdout.splitlines()
    assert lines[0].split()[:5] == ["TABLE", "RELEASE", "SINCE", "UNTIL", "ROWS"]
    [q2, _] = [line for line in lines if line.startswith("ncci-ptp")]
    assert q2.split()[:5] == ["ncci-ptp", "2024Q2", "2024-04-01", "2024-07-01", "3"]
    told = orjson.loads(run(store, "list", "--json").stdout)
    assert told == _client(tmp_path, store, None).get("/v1/reference").json
    assert {each["release"] for each in told["releases"] if each["table"] == "ncci-ptp"} == {"2024Q2", "2024Q3"}
    assert all(len(each["sha256"]) == 64 for each in told["releases"])


def test_status_tells_what_is_stale(store: Path) -> None:
    told = run(store, "status", "--date", "2024-08-01", "--date", "20241010").stdout
    words = {tuple(line.split()[:2]): line for line in told.splitlines()}
    assert "in force" in words["2024-08-01", "ncci-ptp"]
    assert words["2024-10-10", "ncci-ptp"].split()[2:] == ["stale", "2024Q3", "2024-10-01", "10"]
    assert run(store, "status", "--strict").exit_code == 1
    assert run(store, "status", "--strict", "--date", "2024-08-01").exit_code == 0
    [ptp] = [each for each in orjson.loads(run(store, "status", "--json").stdout) if each["table"] == "ncci-ptp"]
    assert ptp["standing"] == "past-last-release"


def test_a_release_is_dropped(store: Path) -> None:
    assert run(store, "drop", "ncci-ptp", "2024Q2").stdout.splitlines() == [
        "ncci-ptp 2024Q2 is dropped",
        "ncci-ptp answers for dates of service of 2024-07-01 to 2024-09-30 (2024Q3)",
    ]
    assert [each.name for each in FolderStorage(store).loaded()] == ["2024Q3"]
    refused = run(store, "drop", "ncci-ptp", "2024Q2")
    assert refused.exit_code == 2
    assert "there are: ncci-ptp 2024Q3" in refused.stderr
    assert "ncci-ptp has no loaded release now" in run(store, "drop", "ncci-ptp", "2024Q3").stdout


def test_two_releases_are_compared(store: Path, tmp_path: Path) -> None:
    lines = run(store, "diff", "ncci-ptp", "2024Q2", "2024Q3").stdout.splitlines()
    assert lines == [
        "- ncci-ptp 77080 77089",
        "+ ncci-ptp 77089 77080",
        "~ ncci-ptp 77092 77089: indicator 0 -> 1",
        "1 added, 1 deleted, 1 changed",
    ]
    told = [
        orjson.loads(line) for line in run(store, "diff", "ncci-ptp", "2024Q2", "2024Q3", "--json").stdout.splitlines()
    ]
    assert [each["change"] for each in told] == ["deleted", "added", "changed"]
    assert "is not one of 'ncci-ptp', 'ncci-mue'" in run(store, "diff", "ncci-pt", "2024Q2", "2025Q1").stderr
    assert "there are: 2024Q2, 2024Q3" in run(store, "diff", "ncci-ptp", "2024Q2", "2025Q1").stderr
    claims = tmp_path / "claims.ndjson"
    claims.write_bytes(_claim("77080", "77089") + b"\n" + _claim("77092") + b"\n")
    shown = run(store, "diff", "ncci-ptp", "2024Q2", "2024Q3", "--claims", str(claims)).stdout
    assert "- deny cms-ncci-ptp-column-two" in shown
    assert "1 of 2 claims change: 1 findings gone, 1 new" in shown
    [by_rule] = [line.split() for line in shown.splitlines() if line.startswith("cms-ncci-ptp-column-two")]
    assert by_rule[1:] == ["1", "1", "$34.29", "$33.83"]
    told = orjson.loads(
        run(store, "diff", "ncci-ptp", "2024Q2", "2024Q3", "--claims", str(claims), "--json").stdout.splitlines()[0]
    )
    assert told["gone"][0]["rule"] == "cms-ncci-ptp-column-two"
    assert told["disposition"] == {"before": "deny", "after": "deny"}


def test_claims_are_compared_one_by_one(store: Path, tmp_path: Path) -> None:
    """What comes first is told before what follows is read, so memory does not grow with the file."""
    claims = tmp_path / "claims.ndjson"
    claims.write_bytes(_claim("77080", "77089") + b"\n\n{}\n" + _claim("77092"))
    done = run(store, "diff", "ncci-ptp", "2024Q2", "2024Q3", "--claims", str(claims))
    assert done.exit_code == 2
    assert "claims.ndjson:1: deny" in done.stdout
    assert "claims.ndjson:2 is no claim" in done.stderr


def test_what_is_unknown_is_counted_and_not_told_as_nothing(store: Path, tmp_path: Path) -> None:
    claims = tmp_path / "claims.ndjson"
    assisted = orjson.loads(_claim("77080", "77089"))
    for line in assisted["claimInformation"]["serviceLines"]:
        line["professionalService"]["procedureModifiers"] = ["80"]  # no amount without what assistants are paid
    claims.write_bytes(orjson.dumps(assisted) + b"\n" + _claim("77080", "77089"))
    shown = run(store, "diff", "ncci-ptp", "2024Q2", "2024Q3", "--claims", str(claims)).stdout
    [by_rule] = [line for line in shown.splitlines() if line.startswith("cms-ncci-ptp-column-two")]
    assert "$34.29 and 1 unknown" in by_rule
    assert shown.splitlines()[-1].endswith("at risk $68.12 and 1 unknown -> $68.12 and 1 unknown")


def test_a_claim_over_many_lines_is_a_file_of_its_own(store: Path, tmp_path: Path) -> None:
    claim, missing = tmp_path / "claim.json", tmp_path / "missing.json"
    claim.write_bytes(orjson.dumps(orjson.loads(_claim("77080", "77089")), option=orjson.OPT_INDENT_2))
    shown = run(store, "diff", "ncci-ptp", "2024Q2", "2024Q3", "--claims", str(claim), "--claims", str(claim)).stdout
    assert "2 of 2 claims change" in shown
    assert "cannot be read" in run(store, "status", "--claims", str(missing)).stderr


def test_status_for_the_dates_of_service_seen(store: Path, tmp_path: Path) -> None:
    claims = tmp_path / "claims.ndjson"
    days = ("20240801", "20241010", "20241011", "20241011")
    claims.write_bytes(b"\n".join(_claim("77092", day=day) for day in days))
    lines = run(store, "status", "--claims", str(claims)).stdout.splitlines()
    [ptp] = [line.split() for line in lines if line.startswith("ncci-ptp")]
    assert ptp == ["ncci-ptp", "stale", "2024Q3", "2024-10-10", "2024-10-11", "3"]
    assert lines[-1] == "dates of service 2024-08-01 to 2024-10-11: every other table is in force"
    assert run(store, "status", "--strict", "--claims", str(claims)).exit_code == 1
    [ptp] = [
        each
        for each in orjson.loads(run(store, "status", "--claims", str(claims), "--json").stdout)
        if each["table"] == "ncci-ptp"
    ]
    assert (ptp["claims"], ptp["standing"]) == (3, "past-last-release")


def test_complete_is_for_whole_lists_of_codes(store: Path, tmp_path: Path) -> None:
    refused = run(store, "load", "ncci-ptp", str(ptp_file(tmp_path)), "--complete")
    assert refused.exit_code == 2
    assert "--complete is for icd10cm, hcpcs, place-of-service, mpfs" in refused.stderr
    diagnoses = tmp_path / "icd10cm_codes_2026.txt"
    diagnoses.write_bytes(b"E119    Made up\n")
    contradiction = run(store, "load", "icd10cm", str(diagnoses), "--complete", "--skip-bad-rows")
    assert contradiction.exit_code == 2
    assert "contradict each other" in contradiction.stderr
    modifiers = tmp_path / "HCPC2026_OCT_ANWEB.csv"
    modifiers.write_bytes(as_csv([("   G1", "7", "Words", "19980101", "")]).content)
    no_codes = run(store, "load", "hcpcs", str(modifiers), "--release", "2026Q4", "--complete")
    assert (no_codes.exit_code, "holds no rows of hcpcs, so it cannot be complete" in no_codes.stderr) == (2, True)
    loaded = run(store, "load", "icd10cm", str(diagnoses), "--release", "FY2026", "--complete")
    assert "complete: a code that it lacks is a finding" in loaded.stdout
    header, *rows = run(store, "list").stdout.splitlines()
    assert "COMPLETE" in header
    assert [" yes " in row for row in rows if row.startswith("icd10cm ")] == [True]
