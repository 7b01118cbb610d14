"""Each change of docs/how-to-change.md is made in a copy, works there, and touches as few files as told."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support.claims import tbs_claim
from tests.support.rule_folders import RULE, put, rule_folder, with_lines
from tests.support.x12 import BODY, envelope

PAGE = (ROOT / "docs" / "how-to-change.md").read_text(encoding="utf-8")
STEP = re.compile(
    r"^(?:A new file `([^`\n]+)`|In `([^`\n]+)`, (below|above) `([^`\n]+)`):\n\n```\w+\n(.*?)```$", re.M | re.S
)
SCRUBBER = (sys.executable, "-m", "scrubber")
WHERE = """
import sys, pathlib, scrubber
assert pathlib.Path(scrubber.__file__).is_relative_to(pathlib.Path.cwd()), scrubber.__file__
"""
ASK = """
import json, pathlib, sys
from scrubber.app import create_app
from scrubber.config import read_settings
client = create_app(read_settings({"SCRUBBER_RULES": "rules"})).test_client()
known = {name: client.get(f"/v1/modifiers/{name}").get_json() for name in ("26", "00")}
print(json.dumps({"known": known, "openapi": client.get("/openapi.json").get_json()}))
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The program as it stands, and a small folder of rules with a pack that its user may change."""
    shutil.copytree(ROOT / "scrubber", tmp_path / "scrubber", ignore=shutil.ignore_patterns("__pycache__"))
    rule_folder(tmp_path / "rules")
    return tmp_path


def make_change(copy: Path, heading: str) -> int:
    """Does what a recipe says. Returns how many files it touches."""
    (recipe,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    touched = set()
    for new, old, where, anchor, text in STEP.findall(recipe):
        touched.add(new or old)
        if new:
            assert not (copy / new).exists()
            put(copy, new, text)
        else:
            insert(copy / old, where, anchor, text)
    assert len(STEP.findall(recipe)) == recipe.count("\n```") / 2, "a step that is not understood"
    return len(touched)


def insert(path: Path, where: str, anchor: str, text: str) -> None:
    """Puts lines above or below the one line that begins with the anchor, whatever its indentation."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    anchored = anchor.strip()
    exact = anchor != anchored
    (at,) = [n for n, line in enumerate(lines) if (line if exact else line.strip()).startswith(anchor)]
    lines.insert(at + (where == "below"), text)
    path.write_text("".join(lines), encoding="utf-8")


def run(copy: Path, *command: str, **settings: str) -> str:
    """What a command of the copy prints; it must succeed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCRUBBER_")}
    environment = {**kept, "PYTHONPATH": str(copy), "SCRUBBER_RULES": str(copy / "rules"), **settings}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def findings(copy: Path, claim: dict[str, Any], **settings: str) -> dict[str, list[int]]:
    """Lines by rule of what the copy finds in a claim."""
    put(copy, "claim.json", json.dumps(claim))
    answer = json.loads(run(copy, *SCRUBBER, "scrub", "--json", "claim.json", **settings))
    return {finding["rule"]["id"]: finding["lines"] for finding in answer["findings"]}


def promised(change: str) -> int:
    (figure,) = re.findall(rf"^\| {re.escape(change)} \| (\d) \|$", PAGE, re.M)
    return int(figure)


def service(claim: dict[str, Any]) -> dict[str, Any]:
    line: dict[str, Any] = claim["claimInformation"]["serviceLines"][0]
    return line


def test_copy_is_what_runs(copy: Path) -> None:
    run(copy, sys.executable, "-c", WHERE)


def test_edit_is_two_files_and_passes_its_own_tests(copy: Path) -> None:
    assert make_change(copy, "An edit") == promised("an edit (a rule)") == 2
    run(copy, *SCRUBBER, "rules", "lint")
    run(copy, *SCRUBBER, "rules", "test", "sample-at-home")
    claim = tbs_claim()
    assert "sample-at-home" not in findings(copy, claim)
    service(claim)["professionalService"]["placeOfServiceCode"] = "12"
    assert findings(copy, claim)["sample-at-home"] == [1]


def test_element_is_one_file_and_is_read_from_both_formats_checked_and_asked(copy: Path) -> None:
    assert make_change(copy, "An element of the claim") == promised("an element of the claim") == 1
    rule = with_lines(
        RULE,
        id="id: sample-number",
        title="title: A sample number",
        scope="scope: claim",
        applies="applies: {}",
        when="when: {fact: sample-number, any: [S1, S2]}",
        message='message: "The sample number is {sample-number}."',
    )
    put(copy, "rules/sample/family/sample-number.yaml", rule)
    too_long = with_lines(
        RULE,
        id="id: sample-length",
        title="title: A sample number that is too long",
        scope="scope: element",
        applies="applies: {element: sample-number}",
        when="when: {fact: fault, is: too-long}",
        message='message: "{where}: the {label} is too long."',
    )
    put(copy, "rules/sample/family/sample-length.yaml", too_long)
    claim = tbs_claim()
    assert "sample-number" not in findings(copy, claim)
    supplement = claim["claimInformation"].setdefault("claimSupplementalInformation", {})
    supplement["sampleNumber"] = "s1 "
    assert "sample-number" not in findings(copy, claim), "a text is compared as it is"
    supplement["sampleNumber"] = "S1"
    assert findings(copy, claim)["sample-number"] == []
    supplement["sampleNumber"] = "S1" * 6
    assert findings(copy, claim).keys() >= {"sample-length"}
    file = envelope(BODY.replace("REF*G1*AUTH0001", "REF*G1*AUTH0001\nREF*XQ*S2", 1))
    (copy / "claims.837").write_bytes(file)
    rows = run(copy, *SCRUBBER, "scrub", "--json", "claims.837").splitlines()
    answer = json.loads(rows[0])["answer"]
    said = [finding["message"] for finding in answer["findings"] if finding["rule"]["id"] == "sample-number"]
    assert said == ["The sample number is S2."]
    listed = json.loads(run(copy, *SCRUBBER, "elements", "--json", "sample-number"))
    assert listed["rules"] == ["sample-length", "sample-number"]


def test_fact_of_a_new_kind_is_three_files_and_rules_fire_on_it(copy: Path) -> None:
    assert make_change(copy, "A fact of a new kind") == promised("a fact of a new kind") == 3
    rule = with_lines(
        RULE,
        id="id: long-line",
        title="title: A long line",
        scope="scope: span",
        when="when: {fact: days, over: 2}",
        message='message: "Line {line} runs over {days} days."',
    )
    put(copy, "rules/sample/family/long-line.yaml", rule)
    run(copy, *SCRUBBER, "rules", "schema")
    assert '"span"' in (copy / "rules" / "rule.schema.json").read_text(encoding="utf-8")
    claim = tbs_claim()
    first = service(claim)
    assert "long-line" not in findings(copy, claim)
    first["serviceDate"], first["serviceDateEnd"] = "20251112", "20251114"
    assert findings(copy, claim)["long-line"] == [1]
    told = run(copy, *SCRUBBER, "rules", "explain", "claim.json", "--rule", "long-line")
    assert "how many days it runs" in told or "runs over several days" in told


def test_table_is_three_files_and_a_field_that_asks_it_two(copy: Path) -> None:
    assert make_change(copy, "A reference table that facts may ask") == promised("a reference table that facts may ask")
    assert make_change(copy, "A field of a kind of fact that there is") == promised(
        "a field of a kind of fact that there is"
    )
    assert promised("a reference table that facts may ask") == 3
    rule = with_lines(
        RULE,
        id="id: watched",
        title="title: A watched code",
        when="when: {fact: watched, is: yes}",
        message='message: "Line {line} is watched."',
    )
    put(copy, "rules/sample/family/watched.yaml", rule)
    put(copy, "watched.csv", "watched_code,first_day\n77092,2024-01-01\n")
    store = {"SCRUBBER_REFERENCE": str(copy / "store")}
    load = ("reference", "load", "watched-codes", "watched.csv", "--release", "first", "--since", "2024-01-01")
    run(copy, *SCRUBBER, *load, **store)
    assert "watched-codes" in run(copy, *SCRUBBER, "reference", "list", **store)
    assert findings(copy, tbs_claim(), **store)["watched"] == [1]
    told = run(copy, *SCRUBBER, "rules", "explain", "claim.json", "--rule", "watched", **store)
    assert "77092 has a row from 2024-01-01 on [watched-codes first]" in " ".join(told.split())
    put(copy, "watched.csv", "watched_code,first_day\n77099,2024-01-01\n")
    run(copy, *SCRUBBER, *load[:5], "second", "--since", "2025-01-01", **store)
    assert "watched" not in findings(copy, tbs_claim(), **store)


def test_endpoint_is_three_files_answers_and_is_documented(copy: Path) -> None:
    assert make_change(copy, "An endpoint") == promised("an endpoint") == 3
    answered = json.loads(run(copy, sys.executable, "-c", ASK).splitlines()[-1])
    assert answered["known"] == {
        "26": {"modifier": "26", "inForce": True},
        "00": {"modifier": "00", "inForce": False},
    }
    operation = answered["openapi"]["paths"]["/v1/modifiers/{modifier}"]["get"]
    assert operation["operationId"] == "readModifier"
    assert operation["security"] == [{"apiKey": ["rules:read"]}]
