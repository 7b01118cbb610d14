"""Rules of before in a running service again: rollback and reload --to. Real gunicorn, real restarts."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from scrubber.authoring.in_force import in_force_before, record_in_force, rolled_back
from scrubber.errors import NoRulebook
from scrubber.rulebook.history import RULEBOOKS, archive
from scrubber.rulebook.load import digest
from tests.server.test_reload import FILE, SECOND_VERSION, TESTS, digests, logged, reload, serving
from tests.support.batches import ndjson
from tests.support.rule_folders import CASES, RULE, put, rule_folder, with_lines
from tests.support.service import ROOT, Service
from tests.support.waiting import PATIENCE, until


def rollback(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scrubber", "rules", "rollback", *options],
        cwd=ROOT,
        env=os.environ | {"SCRUBBER_STATE": str(folder / "state")},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def deny(rules: Path) -> str:
    """The rule denies from now on; the digest of the folder."""
    put(rules, FILE, with_lines(RULE, severity="severity: deny", version="version: 2"))
    put(rules, TESTS, CASES.replace("warn", "deny"))
    put(rules, "sample/CHANGES.md", SECOND_VERSION)
    return digest(rules)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return rule_folder(tmp_path / "rules")


def test_a_rollback_brings_back_what_was_in_force_and_outlives_a_restart(tmp_path: Path, rules: Path) -> None:
    first = digest(rules)
    with serving(tmp_path, rules) as service:
        assert "no rules are known that were in force before" in rollback(tmp_path).stderr
        second = deny(rules)
        assert reload(tmp_path).returncode == 0
        assert digests(service) == {second}
        done = rollback(tmp_path)
        assert done.returncode == 0, done.stderr
        assert digests(service) == {first}
        assert "~ rule sample-rule (version 2 -> 1)\n    severity: deny -> warn" in done.stdout
        assert f"still holds {second[:19]}" in done.stdout
        last = logged(service, "reload")[-1]
        told = {name: last[name] for name in ("old", "new", "instead_of", "asked_by", "changed")}
        assert told == {
            "old": second, "new": first, "instead_of": second, "asked_by": getpass.getuser(), "changed": 1,
        }  # fmt: skip
        again = rollback(tmp_path)
        assert (again.returncode != 0, digests(service)) == (True, {first})
    with serving(tmp_path, rules) as service:  # the folder still holds what was rolled back
        assert digests(service) == {first}
        assert [line["rulebook"] for line in logged(service, "rolled back")] == [first] * len(
            logged(service, "rolled back")
        )
        assert reload(tmp_path).returncode == 0  # whoever asks for the folder gets it
        assert digests(service) == {second}
        assert rolled_back(rules, tmp_path / "state") is None


def test_batches_go_on_with_the_rules_that_were_brought_back(tmp_path: Path, rules: Path) -> None:
    """In the running service and after a restart: their workers once failed for as long as a rollback held."""
    first = digest(rules)
    with serving(tmp_path, rules, SCRUBBER_BATCH_WORKERS="1") as service:
        deny(rules)
        assert reload(tmp_path).returncode == 0
        assert rollback(tmp_path).returncode == 0
        assert logged(service, "rolled back")  # by the workers
        assert done_with(service) == first
    with serving(tmp_path, rules, SCRUBBER_BATCH_WORKERS="1") as service:
        assert done_with(service) == first


def done_with(service: Service) -> object:
    """The rulebook that a batch of three claims was done with."""
    sent = service.ask("POST", "/v1/batches", ndjson(3), {"Content-Type": "application/x-ndjson"})
    assert sent.status == 202, sent.body
    batch = f"/v1/batches/{sent.json['id']}"
    until(lambda: service.ask("GET", batch).json["state"] == "done")
    row = service.ask("GET", f"{batch}/results").body.splitlines()[0]
    return orjson.loads(row)["answer"]["versions"]["rulebook"]


def test_what_was_never_in_force_is_refused(tmp_path: Path, rules: Path) -> None:
    other = rule_folder(tmp_path / "other", with_lines(RULE, fix="fix: Bill just one unit."))
    with serving(tmp_path, rules) as service:
        archive(other, digest(other), tmp_path / "state")
        for asked, said in (
            ("sha256:0123456789abcdef", "no rulebook sha256:0123456789abcdef is kept"),
            ("latest", "is no digest of a rulebook"),
            (digest(other), "was never in force in"),
        ):
            done = reload(tmp_path, "--to", asked)
            assert done.returncode != 0
            assert said in done.stderr, done.stderr
        done = reload(tmp_path, "--to", digest(rules)[:20])
        assert "in force already" in done.stdout
        assert digests(service) == {digest(rules)}
        assert list((tmp_path / "state/services").glob("*.request")) == []


def test_other_rules_in_the_folder_end_a_rollback(tmp_path: Path, rules: Path) -> None:
    state = tmp_path / "state"
    first = digest(rules)
    archive(rules, first, state)
    record_in_force(rules, first, state)
    second = deny(rules)
    record_in_force(rules, second, state)
    record_in_force(rules, first, state, instead_of=second)
    assert in_force_before(rules, state) == (first, second, first)
    kept = rolled_back(rules, state)
    assert kept is not None
    assert digest(kept) == first
    put(rules, "sample/tables/lists.csv", "list,code,through,since,until,source\ntbs,77092,,,,sample\n")
    assert rolled_back(rules, state) is None


def test_a_rollback_to_what_is_kept_no_more_starts_nothing(tmp_path: Path, rules: Path) -> None:
    """Somebody found the rules in the folder wrong: they do not come into force by a restart unnoticed."""
    state = tmp_path / "state"
    first, second = digest(rules), deny(rules)
    record_in_force(rules, first, state, instead_of=second)
    (state / RULEBOOKS).mkdir(parents=True)
    with pytest.raises(NoRulebook, match=r"were rolled back to .* put the rules that are to be in force into"):
        rolled_back(rules, state)
