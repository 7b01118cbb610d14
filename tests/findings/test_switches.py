"""Shadow rules run and count for nothing; a request may let one count, or leave a rule out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from scrubber.app import create_app
from scrubber.cli import main
from scrubber.config import Settings
from tests.support.claims import tbs_claim
from tests.support.responses import json_of
from tests.support.rule_folders import RULE, put, rule_folder, with_lines

SHADOW = with_lines(
    RULE, id="id: sample-trial", status="status: shadow", severity="severity: deny", title="title: A rule on trial"
)
DRAFT = with_lines(RULE, id="id: sample-draft", status="status: draft", title="title: A draft")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rule_folder(tmp_path)
    put(tmp_path, "sample/family/sample-trial.yaml", SHADOW)
    put(tmp_path, "sample/family/sample-draft.yaml", DRAFT)
    return tmp_path


@pytest.fixture
def client(folder: Path) -> FlaskClient:
    return create_app(Settings("127.0.0.1", 0, folder, None, 1, 1, 10_000_000)).test_client()


def claim() -> bytes:
    body = tbs_claim()
    body["claimInformation"]["serviceLines"][0]["professionalService"]["serviceUnitCount"] = "2"
    return orjson.dumps(body)


def answer(client: FlaskClient, query: str = "") -> Any:
    told = client.post(f"/v1/claims/scrub{query}", data=claim(), content_type="application/json")
    assert told.status_code == 200, told.text
    return told.json


def ids(findings: list[Any]) -> list[str]:
    return [finding["rule"]["id"] for finding in findings]


def test_shadow_rules_have_no_effect_and_are_told_apart_when_asked_for(client: FlaskClient) -> None:
    plain = answer(client)
    asked = answer(client, "?include=shadow")
    assert plain["disposition"] == "warn"
    assert ids(plain["findings"]) == ["sample-rule"]
    assert "shadow" not in plain
    assert ids(asked["shadow"]) == ["sample-trial"]
    assert asked["shadow"][0]["rule"]["status"] == "shadow"
    assert asked["shadow"][0]["impact"]["billed"] is not None
    assert {key: asked[key] for key in plain} == plain


def test_an_enabled_shadow_rule_counts(client: FlaskClient) -> None:
    enabled = answer(client, "?enable=sample-trial&include=shadow")
    assert enabled["disposition"] == "deny"
    assert ids(enabled["findings"]) == ["sample-trial", "sample-rule"]
    assert enabled["shadow"] == []
    assert enabled["switched"] == {"enable": ["sample-trial"], "disable": []}


def test_a_disabled_rule_finds_nothing(client: FlaskClient) -> None:
    told = answer(client, "?disable=sample-rule&disable=sample-trial&include=shadow")
    assert (told["disposition"], told["findings"], told["shadow"]) == ("accept", [], [])
    assert told["impact"]["atRisk"] in (None, "0.00")
    assert told["switched"]["disable"] == ["sample-rule", "sample-trial"]


def test_drafts_never_run(client: FlaskClient) -> None:
    told = answer(client, "?include=shadow")
    assert "sample-draft" not in ids(told["findings"]) + ids(told["shadow"])


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?enable=CANARY", "a rule that there is not"),
        ("?disable=CANARY", "a rule that there is not"),
        ("?enable=sample-draft", "sample-draft is draft"),
        ("?enable=sample-trial&disable=sample-trial", "enabled and disabled at once"),
        ("?include=everything", "`include` is one of: shadow"),
        ("?include=shadow&view=clearinghouse", "only in our own view"),
    ],
)
def test_a_wrong_switch_is_refused(client: FlaskClient, query: str, words: str) -> None:
    told = client.post(f"/v1/claims/scrub{query}", data=claim(), content_type="application/json")
    assert told.status_code == 400
    assert words in json_of(told)["detail"]
    assert "CANARY" not in told.text


def test_the_command_switches_and_shows_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRUBBER_RULES", str(folder))
    (folder / "claim.json").write_bytes(claim())

    def scrub(*options: str) -> str:
        done = CliRunner().invoke(main, ["scrub", *options, str(folder / "claim.json")])
        assert done.exit_code == 0, done.output
        return done.stdout

    client = create_app(Settings("127.0.0.1", 0, folder, None, 1, 1, 10_000_000)).test_client()
    assert orjson.loads(scrub("--json", "--include", "shadow")) == answer(client, "?include=shadow")
    assert orjson.loads(scrub("--json", "--enable", "sample-trial")) == answer(client, "?enable=sample-trial")
    assert "WITHOUT EFFECT" in scrub("--include", "shadow")
    assert "sample-trial" not in scrub()
    wrong = CliRunner().invoke(main, ["scrub", "--enable", "sample-draft", str(folder / "claim.json")])
    assert (wrong.exit_code, "sample-draft is draft" in wrong.stderr) == (2, True)
