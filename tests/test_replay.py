"""Replay: an answer is made again from the rulebook and the releases that it names, whatever holds by now."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from scrubber.cli import main
from scrubber.reference import open_reference
from scrubber.reference.load.format import StatedRelease
from scrubber.reference.load.loader import LoadRequest, load
from scrubber.reference.pinned import PinnedRelease, available_releases, reference_with
from scrubber.reference.storage.sqlite import FolderStorage
from scrubber.rulebook.history import RULEBOOKS
from tests.conftest import ROOT
from tests.reference.load.test_loader import NOW
from tests.support.ncci_files import mue_text, ptp_line, ptp_text
from tests.support.rule_folders import SHIPPED, few_shipped_rules
from tests.support.service import JSON, running

EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.json"))
BUNDLED = ROOT / "examples" / "tbs-bundled.json"  # 2025-11-12
DAY = date(2025, 11, 12)


class Desk:
    """A folder with rules, reference data and state of its own, and the command line over them."""

    def __init__(self, folder: Path, *rules: str) -> None:
        """With all shipped rules, or with these and those that they are related to."""
        self.folder = folder
        self.rules = folder / "rules"
        self.store = folder / "store"
        self.state = folder / "state"
        self.store.mkdir()
        if rules:
            few_shipped_rules(self.rules, *rules)
        else:
            shutil.copytree(SHIPPED, self.rules)

    def run(self, *words: object, input: bytes | None = None, **settings: str) -> Result:
        environ = {
            **settings,
            "SCRUBBER_RULES": str(self.rules),
            "SCRUBBER_REFERENCE": str(self.store),
            "SCRUBBER_STATE": str(self.state),
        }
        return CliRunner().invoke(main, [*map(str, words)], env=environ, input=input)

    def scrub(self, claim: Path = BUNDLED, *words: str) -> Path:
        """The answer for a claim, in a file."""
        done = self.run("scrub", "--json", *words, claim)
        assert done.exit_code == 0, done.output
        return self.write("answer.json", done.stdout_bytes)

    def write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def edit(self, rule: str, old: str, new: str) -> None:
        [path] = self.rules.glob(f"*/*/{rule}.yaml")
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def load_ptp(self, stated: StatedRelease, *lines: str) -> None:
        file = self.write("some-edits", ptp_text(lines).encode())
        wanted = LoadRequest("ncci-ptp", [str(file)], stated, NOW)
        load(FolderStorage(self.store), wanted, lambda rows, share: None)

    def load_mue(self) -> None:
        file = self.write("some-units", mue_text("77092,1,3 Date of Service Edit: Clinical,Made Up\n").encode())
        wanted = LoadRequest("ncci-mue", [str(file)], StatedRelease("2025Q4"), NOW)
        load(FolderStorage(self.store), wanted, lambda rows, share: None)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, "cms-ncci-ptp-column-two", "payer-coverage-unknown", "reference-table-stale")


@pytest.fixture
def whole_desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


PAIR = ptp_line("77092", "77089", "20220101")
LATER = ptp_line("77092", "77089", "20220101", indicator="1")


def changed(answer: Path, change: Any) -> bytes:
    document = json.loads(answer.read_bytes())
    change(document)
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


# The same again


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_answer_is_made_again(whole_desk: Desk, name: str) -> None:
    claim = ROOT / "examples" / f"{name}.json"
    done = whole_desk.run("replay", whole_desk.scrub(claim), claim)
    assert (done.exit_code, done.output) == (0, "the same bytes\n")


def test_changed_rules_and_later_releases_do_not_matter(desk: Desk) -> None:
    desk.load_ptp(StatedRelease("2025Q4"), PAIR)
    answer = desk.scrub()
    desk.edit("cms-ncci-ptp-column-two", "severity: deny", "severity: warn")
    desk.load_ptp(StatedRelease("2026Q1"), LATER)
    desk.load_mue()  # a table that starter rows answered for

    done = desk.run("replay", answer, BUNDLED)
    assert (done.exit_code, done.output) == (0, "the same bytes\n")


def test_a_later_release_that_cut_the_named_one_short_does_not_matter(desk: Desk) -> None:
    """Without an end of its own, the first release answered for the day, until one came that begins before it."""
    desk.load_ptp(StatedRelease("first", date(2025, 7, 1)), PAIR)
    old = desk.scrub().read_bytes()
    desk.load_ptp(StatedRelease("second", date(2025, 11, 1)), LATER)
    assert desk.scrub().read_bytes() != old
    done = desk.run("replay", desk.write("old.json", old), BUNDLED)
    assert (done.exit_code, done.output) == (0, "the same bytes\n")


def test_starter_tables_answer_again_after_full_ones_were_loaded(desk: Desk) -> None:
    old = desk.scrub().read_bytes()
    desk.load_ptp(StatedRelease("2025Q4"), LATER)
    assert desk.scrub().read_bytes() != old
    assert desk.run("replay", desk.write("old.json", old), BUNDLED).output == "the same bytes\n"


def test_the_services_answer_is_made_again(desk: Desk) -> None:
    named = {"SCRUBBER_RULES": desk.rules, "SCRUBBER_REFERENCE": desk.store, "SCRUBBER_STATE": desk.state}
    with running(desk.folder, **{name: str(place) for name, place in named.items()}) as service:
        body = service.ask("POST", "/v1/claims/scrub", BUNDLED.read_bytes(), JSON).body
    desk.edit("cms-ncci-ptp-column-two", "severity: deny", "severity: warn")
    assert desk.run("replay", "-", BUNDLED, input=body).output == "the same bytes\n"


@pytest.mark.parametrize(
    "words",
    [
        ("--disable", "cms-ncci-ptp-column-two"),
        ("--include", "shadow"),
        ("--include", "checks", "--include", "settledBy"),
    ],
)
def test_switches_and_shadow_findings_are_made_again(desk: Desk, words: tuple[str, ...]) -> None:
    desk.edit("payer-coverage-unknown", "status: active", "status: shadow")
    assert desk.run("replay", desk.scrub(BUNDLED, *words), BUNDLED).output == "the same bytes\n"
    enabled = desk.scrub(BUNDLED, "--enable", "payer-coverage-unknown")
    assert desk.run("replay", enabled, BUNDLED).output == "the same bytes\n"


def test_tables_are_as_stale_as_the_answer_says(desk: Desk) -> None:
    desk.load_ptp(StatedRelease("2024Q3", date(2024, 7, 1), date(2024, 10, 1)), PAIR)
    answers = {}
    for days in ("30", "never"):
        done = desk.run("scrub", "--json", BUNDLED, SCRUBBER_STALE_AFTER=days)
        assert done.exit_code == 0, done.output
        answers[days] = desk.write(f"answer-{days}.json", done.stdout_bytes)
    assert b"reference-table-stale" in answers["30"].read_bytes()
    assert b"reference-table-stale" not in answers["never"].read_bytes()
    for answer in answers.values():
        assert desk.run("replay", answer, BUNDLED).output == "the same bytes\n"


def test_the_day_of_receipt_is_the_answers(desk: Desk) -> None:
    answer = desk.scrub(BUNDLED, "--received-on", "20251113")
    assert desk.run("replay", answer, BUNDLED).output == "the same bytes\n"


def test_the_rulebook_in_force_need_not_be_kept(desk: Desk) -> None:
    answer = desk.scrub()
    shutil.rmtree(desk.state)
    assert desk.run("replay", answer, BUNDLED).output == "the same bytes\n"


def test_an_answer_in_other_bytes_has_the_same_content(desk: Desk) -> None:
    document = json.loads(desk.scrub().read_bytes())
    turned = {key: document[key] for key in reversed(document)}
    done = desk.run("replay", desk.write("turned.json", json.dumps(turned, indent=2).encode()), BUNDLED)
    assert (done.exit_code, done.output) == (0, "the same content, in other bytes\n")


# Another answer


def test_another_claim_gives_another_answer(desk: Desk) -> None:
    done = desk.run("replay", desk.scrub(), ROOT / "examples" / "tbs-no-number.json")
    assert done.exit_code == 1
    told = done.output.splitlines()
    assert told[0] == "The answer differs:"
    assert "  findings cms-ncci-ptp-column-two, line 2, 1" in told
    assert "    allowed was: 48.20" in told
    assert max(map(len, told)) <= 100


def test_a_tampered_answer_is_told_to_the_place(desk: Desk) -> None:
    def cheaper(document: Any) -> None:
        document["findings"][0]["impact"]["atRisk"] = "0.00"

    done = desk.run("replay", "--json", desk.write("cheap.json", changed(desk.scrub(), cheaper)), BUNDLED)
    assert done.exit_code == 1
    assert json.loads(done.output) == {
        "outcome": "different",
        "missing": [],
        "differences": [
            {
                "place": ["findings", "cms-ncci-ptp-column-two, line 2, 1", "impact", "atRisk"],
                "before": "0.00",
                "after": "38.82",
            }
        ],
    }


# What is missing


def missing(desk: Desk, answer: Path) -> list[dict[str, str]]:
    done = desk.run("replay", "--json", answer, BUNDLED)
    assert done.exit_code == 2
    assert json.loads(done.output)["outcome"] == "missing"
    found: list[dict[str, str]] = json.loads(done.output)["missing"]
    return found


def test_a_rulebook_that_is_not_kept_is_told(desk: Desk) -> None:
    answer = desk.scrub()
    shutil.rmtree(desk.state)
    desk.edit("cms-ncci-ptp-column-two", "severity: deny", "severity: warn")
    [one] = missing(desk, answer)
    assert (one["version"], one["named"]) == ("rulebook", json.loads(answer.read_bytes())["versions"]["rulebook"])
    assert one["why"] == f"it is not in force, and not kept in {desk.state / RULEBOOKS}"


def test_a_damaged_rulebook_is_told(desk: Desk) -> None:
    answer = desk.scrub()
    [kept] = [path for path in (desk.state / RULEBOOKS).iterdir() if path.is_dir()]
    (kept / "tbs" / "pack.yaml").write_text("")
    desk.edit("cms-ncci-ptp-column-two", "severity: deny", "severity: warn")
    [one] = missing(desk, answer)
    assert "is damaged" in one["why"]


def test_a_release_that_was_dropped_is_told(desk: Desk) -> None:
    desk.load_ptp(StatedRelease("2025Q4"), PAIR)
    answer = desk.scrub()
    assert desk.run("reference", "drop", "ncci-ptp", "2025Q4").exit_code == 0
    [one] = missing(desk, answer)
    assert one["version"] == "ncci-ptp"
    assert one["named"].startswith("2025Q4 (sha256 ")
    assert one["why"] == "of this table there are here: 2024Q2, 2024Q3"


def test_a_release_that_was_loaded_again_with_other_bytes_is_told(desk: Desk) -> None:
    desk.load_ptp(StatedRelease("2025Q4"), PAIR)
    answer = desk.scrub()
    desk.load_ptp(StatedRelease("2025Q4"), LATER)
    [one] = missing(desk, answer)
    assert one["version"] == "ncci-ptp"
    assert one["why"].startswith("a release of that name is here with other bytes (sha256 ")


def test_everything_that_is_missing_is_told_at_once(desk: Desk) -> None:
    def old(document: Any) -> None:
        document["versions"] |= {"program": "0.0.9", "rulebook": f"sha256:{'0' * 64}"}
        document["versions"]["reference"][0]["sha256"] = "0" * 64

    answer = desk.write("old.json", changed(desk.scrub(), old))
    assert [each["version"] for each in missing(desk, answer)] == ["program", "rulebook", "ncci-ptp"]
    done = desk.run("replay", answer, BUNDLED)
    assert "  program 0.0.9: this is " in done.output


# What is no answer, and no claim


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is no JSON"),
        (b"no answer SECRET", "is no JSON"),
        (b"[]", "no JSON object"),
        (b"{}", "`versions` or `receivedOn`"),
        (b'{"versions": 1, "receivedOn": "20250101"}', "`versions` or `receivedOn`"),
        (b'{"versions": {"program": "1", "rulebook": 7, "reference": []}, "receivedOn": "20250101"}', "`versions`"),
        (b'{"versions": {"program": "1", "rulebook": "x", "reference": ["SECRET"]}, "receivedOn": "SECRET"}', "`vers"),
        (b'{"versions": {"program": "1", "rulebook": "x", "reference": []}, "receivedOn": 1, "switched": 2}', "`vers"),
        (b'{"a": 1}\n{"b": 2}\n', "holds 2 lines"),
    ],
)
def test_what_is_no_answer_is_told_without_its_content(desk: Desk, content: bytes, told: str) -> None:
    done = desk.run("replay", desk.write("answer.json", content), BUNDLED)
    assert done.exit_code == 2
    assert told in done.output
    assert "SECRET" not in done.output


@pytest.mark.parametrize("digest", ["sha256:../../../etc", "x", f"sha256:{'A' * 64}", f"md5:{'0' * 67}"])
def test_a_digest_that_is_none_leads_nowhere(desk: Desk, digest: str) -> None:
    def bad(document: Any) -> None:
        document["versions"]["rulebook"] = digest

    answer = desk.write("bad.json", changed(desk.scrub(), bad))
    assert [each["version"] for each in missing(desk, answer)] == ["rulebook"]


def test_the_clearinghouse_view_says_that_it_names_no_versions(desk: Desk) -> None:
    view = desk.run("scrub", "--view", "clearinghouse", BUNDLED)
    done = desk.run("replay", "-", BUNDLED, input=view.stdout_bytes)
    assert done.exit_code == 2
    assert "clearinghouse view" in done.output


def test_a_claim_that_is_none_is_told(desk: Desk) -> None:
    done = desk.run("replay", desk.scrub(), desk.write("claim.json", b'{"claimInformation": 7}'))
    assert done.exit_code == 2
    assert "is no claim" in done.output
    assert "cannot be read" in desk.run("replay", desk.folder / "nowhere.json", BUNDLED).output


# Reference data of named releases


def test_only_the_named_releases_answer(desk: Desk) -> None:
    desk.load_ptp(StatedRelease("2025Q3"), PAIR)
    desk.load_ptp(StatedRelease("2025Q4"), LATER)
    held = available_releases(str(desk.store))
    full = open_reference(str(desk.store))
    assert {PinnedRelease(each.table, each.name, each.sha256) for each in full.releases()} <= held.keys()
    [older] = [named for named in held if named.release == "2025Q3"]
    only = reference_with([held[older]])
    assert [release.name for release in only.releases()] == ["2025Q3"]
    [window] = only.ptp_among({"77092", "77089"}, date(2025, 8, 1), date(2025, 8, 1)).values()
    assert window[0].indicator == "0"
    assert only.table_status("ncci-ptp", DAY).state == "past-last-release"
    assert only.table_status("mpfs", DAY).release is None
    assert only.fee("77092", "", DAY) is None
