"""`scrubber elements`: the catalogue, for people and for machines, and what no rule asks for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scrubber.authoring.element_use import rules_by_element
from scrubber.claim.elements import CATALOGUE
from scrubber.cli import main
from scrubber.scrub import Scrubber
from tests.support.rule_folders import RULE, put, rule_folder, with_lines


def elements(*arguments: str, rules: Path) -> Result:
    return CliRunner(env={"SCRUBBER_RULES": str(rules)}).invoke(main, ["elements", *arguments])


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    rule_folder(tmp_path)
    asking = with_lines(
        RULE,
        id="id: asking",
        title="title: Something is asked",
        scope="scope: claim",
        applies="applies: {}",
        when="when: {fact: prior-authorization, is: absent}",
        message="message: It is so.",
    )
    put(tmp_path, "sample/family/asking.yaml", asking)
    of_elements = with_lines(
        RULE,
        id="id: of-elements",
        title="title: Notes are held against their length",
        scope="scope: element",
        applies="applies: {element: {any: [claim-note, line-note]}}",
        when="when: {fact: fault, is: too-long}",
        message="message: It is so.",
    )
    put(tmp_path, "sample/family/of-elements.yaml", of_elements)
    return tmp_path


def test_all_elements_are_a_table_with_their_rules(rules: Path) -> None:
    done = elements(rules=rules)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == f"{len(CATALOGUE)} of {len(CATALOGUE)} elements"
    (row,) = [line for line in done.stdout.splitlines() if line.startswith("prior-authorization ")]
    assert "prior authorization number" in row
    assert row.split()[-2:] == ["1", "claimInformation/claimSupplementalInformation/priorAuthorizationNumber"]


def test_the_unused_are_those_that_no_running_rule_reads_or_names(rules: Path) -> None:
    listed = {json.loads(line)["name"] for line in elements("--unused", "--json", rules=rules).stdout.splitlines()}
    assert CATALOGUE.keys() - listed == {"prior-authorization", "claim-note", "line-note", "procedure", "units"}


def test_an_element_is_found_by_the_beginning_of_its_name(rules: Path) -> None:
    listed = [json.loads(line) for line in elements("--json", "clia", "line-note", rules=rules).stdout.splitlines()]
    assert [each["name"] for each in listed] == ["clia-number", "line-note"]
    assert listed[0]["x12"] == [{"loop": "2300", "element": "REF02", "qualifiers": ["X4"]}]
    assert listed[1]["rules"] == ["of-elements"]


def test_a_name_of_no_element_is_told_with_what_was_meant(rules: Path) -> None:
    done = elements("prior-authorisation", rules=rules)
    assert done.exit_code == 2
    assert "no element is called prior-authorisation; perhaps" in done.stderr
    assert "prior-authorization" in done.stderr


def test_the_shipped_rules_judge_by_the_elements_that_every_claim_has(shipped: Scrubber) -> None:
    used = rules_by_element(shipped.rulebook)
    assert {"total", "procedure", "billing-npi", "member-id"} <= used.keys()
    assert "immunization-batch" not in used
