"""The archive of rulebooks: what answered is kept as it was, once, whole, and never in the way of scrubbing."""

from __future__ import annotations

import multiprocessing
import shutil
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from scrubber.cli import main
from scrubber.errors import Faults, NoRulebook
from scrubber.rulebook import load
from scrubber.rulebook.history import RULEBOOKS, archive, archive_or_warn, archived_rulebooks, open_archived
from scrubber.rulebook.load import digest, load_rulebook
from scrubber.rulebook.load_tables import load_tables
from tests.conftest import ROOT
from tests.support.rule_folders import RULE, put, rule_folder, with_lines
from tests.support.service import running, write_rules
from tests.support.waiting import PATIENCE


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return rule_folder(tmp_path / "rules")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def files_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_is_kept_is_what_the_digest_covers(rules: Path, state: Path) -> None:
    book = load_rulebook(rules)
    kept = archive(rules, book.digest, state)
    assert kept == state / RULEBOOKS / book.digest.removeprefix("sha256:")
    assert files_of(kept) == {
        "payers/pack.yaml", "payers/tables/filing-indicators.csv", "sample/pack.yaml", "sample/tables/lists.csv",
        "sample/family/sample-rule.yaml",
    }  # fmt: skip
    assert open_archived(state, book.digest) == kept
    again = load_rulebook(kept)
    assert (again.rules, again.packs, again.rows, again.digest) == (book.rules, book.packs, book.rows, book.digest)


def test_the_shipped_rules_load_from_the_archive(state: Path) -> None:
    book = load_rulebook(ROOT / "rules")
    again = load_rulebook(archive(ROOT / "rules", book.digest, state))
    assert (again.rules, again.digest) == (book.rules, book.digest)


def test_keeping_twice_changes_nothing(rules: Path, state: Path) -> None:
    kept = archive(rules, digest(rules), state)
    before = kept.stat()
    put(rules, "sample/family/sample-rule.test.yaml", "")  # no part of the digest
    assert archive(rules, digest(rules), state) == kept
    assert kept.stat() == before
    assert len(archived_rulebooks(state)) == 1


def test_several_rulebooks_are_listed_the_newest_first(rules: Path, state: Path) -> None:
    first = digest(rules)
    archive(rules, first, state)
    put(rules, "sample/family/sample-rule.yaml", with_lines(RULE, severity="severity: info"))
    second = digest(rules)
    archive(rules, second, state)
    assert [each.digest for each in archived_rulebooks(state)] == [second, first]
    assert [each.rules for each in archived_rulebooks(state)] == [1, 1]


def test_a_folder_edited_since_it_was_loaded_is_not_kept_under_its_digest(rules: Path, state: Path) -> None:
    loaded = load_rulebook(rules).digest
    put(rules, "sample/family/sample-rule.yaml", with_lines(RULE, severity="severity: info"))
    with pytest.raises(NoRulebook, match="no longer holds"):
        archive(rules, loaded, state)
    assert archived_rulebooks(state) == ()


def test_a_folder_edited_while_it_is_loaded_does_not_load(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a rulebook could bear the digest of files that it was not made of."""
    read_tables = load_tables

    def edited_meanwhile(*arguments: Any) -> object:
        put(rules, "sample/family/sample-rule.yaml", with_lines(RULE, severity="severity: info"))
        return read_tables(*arguments)

    monkeypatch.setattr(load, "load_tables", edited_meanwhile)
    with pytest.raises(Faults, match="changed while it was read"):
        load_rulebook(rules)


@pytest.mark.parametrize("length", [8, 12, 64])
@pytest.mark.parametrize("prefix", ["", "sha256:"])
def test_the_beginning_of_a_digest_is_enough(rules: Path, state: Path, length: int, prefix: str) -> None:
    kept = archive(rules, digest(rules), state)
    assert open_archived(state, prefix + kept.name[:length]) == kept


@pytest.mark.parametrize("text", ["", "sha256:", "1234567", "../../etc", "ABCDEF01", "f" * 65])
def test_what_is_no_digest_is_told(state: Path, text: str) -> None:
    with pytest.raises(NoRulebook, match="first 8 hex digits"):
        open_archived(state, text)


def test_a_digest_that_is_not_kept_is_told(rules: Path, state: Path) -> None:
    with pytest.raises(NoRulebook, match="no rulebook sha256:0123456789 is kept"):
        open_archived(state, "sha256:0123456789")


def test_a_beginning_of_two_digests_is_told(rules: Path, state: Path) -> None:
    kept = archive(rules, digest(rules), state)
    shutil.copytree(kept, kept.with_name(kept.name[:60] + "0000"))
    with pytest.raises(NoRulebook, match="2 rulebooks"):
        open_archived(state, kept.name[:10])


@pytest.mark.parametrize("damage", ["changed", "missing", "added"])
def test_a_damaged_copy_is_told(rules: Path, state: Path, damage: str) -> None:
    kept = archive(rules, digest(rules), state)
    rule = kept / "sample/family/sample-rule.yaml"
    if damage == "changed":
        rule.write_text(rule.read_text().replace("warn", "deny"))
    elif damage == "missing":
        rule.unlink()
    else:
        put(kept, "sample/tables/limits.csv", "name,value,since,until,source\n")
    with pytest.raises(NoRulebook, match="is damaged"):
        open_archived(state, kept.name)


def test_what_a_killed_process_left_is_no_rulebook_and_is_removed(rules: Path, state: Path) -> None:
    left = state / RULEBOOKS / f".unfinished-{'0' * 64}"
    put(left, "sample/pack.yaml", "name: half")
    assert archived_rulebooks(state) == ()
    kept = archive(rules, digest(rules), state)
    assert {path.name for path in kept.parent.iterdir()} == {kept.name, "lock"}


def _keep_at_once(start: Barrier, rules: Path, loaded: str, states: list[Path]) -> None:
    for state in states:
        start.wait(timeout=PATIENCE)
        archive(rules, loaded, state)


def test_processes_that_keep_one_rulebook_at_once_keep_it_once(rules: Path, tmp_path: Path) -> None:
    states = [tmp_path / f"state-{number}" for number in range(20)]
    loaded = digest(rules)
    several = multiprocessing.get_context("fork")
    start = several.Barrier(4)
    processes = [several.Process(target=_keep_at_once, args=(start, rules, loaded, states)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=PATIENCE)
    assert [process.exitcode for process in processes] == [0] * 4
    assert all(len(archived_rulebooks(state)) == 1 and open_archived(state, loaded) for state in states)


def test_without_a_folder_for_it_nothing_is_kept_and_nothing_is_told(rules: Path) -> None:
    told: list[str] = []
    archive_or_warn(rules, digest(rules), None, told.append)
    assert told == []


def test_a_state_that_cannot_be_written_is_told_and_stops_nothing(rules: Path, state: Path) -> None:
    state.write_text("a file, where a folder is meant")
    told: list[str] = []
    archive_or_warn(rules, digest(rules), state, told.append)
    [why] = told
    assert "cannot be written" in why


def test_the_service_keeps_the_rulebook_that_it_starts_with(tmp_path: Path, state: Path) -> None:
    rules = write_rules(tmp_path / "rules", ("sample-one", "warn", "77092"))
    with running(tmp_path, SCRUBBER_RULES=str(rules), SCRUBBER_STATE=str(state)):
        [kept] = archived_rulebooks(state)
    assert kept.digest == digest(rules)


def test_the_service_serves_where_nothing_can_be_kept(tmp_path: Path, state: Path) -> None:
    state.write_text("a file, where a folder is meant")
    rules = write_rules(tmp_path / "rules", ("sample-one", "warn", "77092"))
    with running(tmp_path, SCRUBBER_RULES=str(rules), SCRUBBER_STATE=str(state)) as service:
        assert service.ask("GET", "/readyz").status == 200
        told = service.output.read_text()
    assert told.count("rulebook not kept") == 1


# The commands


def scrubber(*words: str, state: Path, rules: Path | None = None) -> Result:
    environ = {"SCRUBBER_STATE": str(state), "SCRUBBER_RULES": str(rules or ROOT / "rules")}
    return CliRunner().invoke(main, words, env=environ)


EXAMPLE = str(ROOT / "examples" / "tbs-bundled.json")


def test_an_answer_that_can_be_replayed_keeps_its_rulebook(state: Path) -> None:
    assert scrubber("scrub", EXAMPLE, state=state).exit_code == 0
    assert scrubber("scrub", "--view", "clearinghouse", EXAMPLE, state=state).exit_code == 0
    assert archived_rulebooks(state) == ()
    done = scrubber("scrub", "--json", EXAMPLE, state=state)
    assert (done.exit_code, done.stderr) == (0, "")
    assert [each.digest for each in archived_rulebooks(state)] == [digest(ROOT / "rules")]


def test_scrubbing_goes_on_where_nothing_can_be_kept(state: Path) -> None:
    state.write_text("a file, where a folder is meant")
    done = scrubber("scrub", "--json", EXAMPLE, EXAMPLE, state=state)
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == 2
    assert len(done.stderr.splitlines()) == 1
    assert "cannot be written" in done.stderr


def test_the_archive_is_listed(rules: Path, state: Path) -> None:
    assert "no rulebook is kept" in scrubber("rules", "archive", state=state, rules=rules).stdout
    kept = archive(rules, digest(rules), state)
    listed = scrubber("rules", "archive", state=state, rules=rules).stdout.splitlines()
    assert listed[0].split() == ["DIGEST", "KEPT", "SINCE", "RULES"]
    assert listed[1].startswith(f"sha256:{kept.name[:12]}  ")
    assert f'"digest": "sha256:{kept.name}"' in scrubber("rules", "archive", "--json", state=state).stdout
