"""What an answer counts as checked, by stage, and every check by name where it is asked for."""

from __future__ import annotations

import copy
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from scrubber.claim import read_v3
from scrubber.errors import Faults
from scrubber.findings import ScrubResult, Switches
from scrubber.findings.checks import OUTCOMES
from scrubber.response.claim import with_included
from scrubber.rulebook.rule import STAGES
from scrubber.scrub import Scrubber, open_scrubber
from tests.support.claims import VALID_ABN, office_claim, tbs_claim
from tests.support.random_claims import random_claim
from tests.support.rule_folders import RULE, rule_folder, with_lines

DAY = date(2025, 3, 14)
Body = dict[str, Any]


def scrubbed(scrubber: Scrubber, body: Body, switches: Switches | None = None) -> ScrubResult:
    claim = read_v3(copy.deepcopy(body))
    result = scrubber.scrub(claim, DAY, switches) if switches else scrubber.scrub(claim, DAY)
    return scrubber.with_every_check(claim, result)


def service(body: Body, number: int) -> Body:
    found: Body = body["claimInformation"]["serviceLines"][number - 1]["professionalService"]
    return found


def visit_with_injection(modifiers: list[str]) -> Body:
    body = office_claim()
    lines = body["claimInformation"]["serviceLines"]
    del lines[2:]
    service(body, 1)["procedureCode"], service(body, 2)["procedureCode"] = "77080", "77081"
    service(body, 2)["procedureModifiers"] = modifiers
    return body


def outcomes(result: ScrubResult, rule: str) -> list[str]:
    return sorted(check.outcome for check in result.every_check or () if check.rule.id == rule)


def test_a_pair_that_a_modifier_separates_is_bypassed(shipped: Scrubber) -> None:
    bare, separated = (scrubbed(shipped, visit_with_injection(modifiers)) for modifiers in ([], ["59"]))
    rule = "cms-ncci-ptp-modifier-missing"
    assert "fired" in outcomes(bare, rule)
    assert "fired" not in outcomes(separated, rule)
    assert "bypassed" in outcomes(separated, rule)
    assert (bare.checks["adjudication"].bypassed, separated.checks["adjudication"].bypassed) == (0, 1)


def test_a_valid_notice_answers_for_ga(shipped: Scrubber) -> None:
    body = tbs_claim()
    service(body, 1)["procedureModifiers"] = ["GA"]
    body["scrubContext"]["abn"] = [VALID_ABN]
    assert scrubbed(shipped, body).checks["adjudication"].bypassed == 1
    body["scrubContext"]["abn"] = []
    assert scrubbed(shipped, body).checks["adjudication"].bypassed == 0


def test_a_stage_is_complete_when_nothing_of_it_was_left_unchecked(shipped: Scrubber) -> None:
    body = tbs_claim()
    body["claimInformation"]["serviceLines"][0]["serviceDate"] = "20251112"
    body["scrubContext"]["history"] = []
    assert all(counts.complete for counts in scrubbed(shipped, body).checks.values())
    del body["scrubContext"]["documentation"]
    result = scrubbed(shipped, body)
    assert not result.checks["postPayment"].complete
    assert result.checks["submission"].complete
    assert sum(counts.not_checked for counts in result.checks.values()) == len(result.not_checked)


def test_a_rule_that_is_left_out_counts_nowhere(shipped: Scrubber) -> None:
    rule = "cms-ncci-ptp-modifier-missing"
    result = scrubbed(shipped, visit_with_injection([]), Switches(disable=(rule,)))
    assert outcomes(result, rule) == []


@pytest.mark.parametrize("seed", range(40))
def test_what_is_listed_is_what_is_counted(seed: int, shipped: Scrubber) -> None:
    result = scrubbed(shipped, random_claim(seed))
    assert result.every_check is not None
    for stage in STAGES:
        listed = Counter(check.outcome for check in result.every_check if check.rule.stage == stage)
        counts = result.checks[stage]
        assert (listed["fired"], listed["bypassed"]) == (counts.fired, counts.bypassed)
        assert listed["notChecked"] == counts.not_checked
        assert counts.fired == sum(finding.rule.stage == stage for finding in result.findings)
    sides = {
        outcome: {
            (check.rule.id, line) for check in result.every_check if check.outcome == outcome for line in check.lines
        }
        for outcome in OUTCOMES
    }
    assert not sides["passed"] & sides["notChecked"]


def test_every_rule_that_an_office_claim_is_held_against_is_listed(shipped: Scrubber) -> None:
    result = scrubbed(shipped, office_claim())
    listed = {check.rule.id: check for check in result.every_check or ()}
    assert listed["x12-837p-npi-check-digit"].outcome == "passed"
    assert "documentation-tbs-number" not in listed, "no line of it is about a bone score"
    assert "medicare-abn-gz" not in listed, "no line has a modifier that speaks of a notice"


def test_a_visit_with_no_procedure_beside_it_passed_the_rules_of_visits(shipped: Scrubber) -> None:
    result = scrubbed(shipped, office_claim())
    visit = [check for check in result.every_check or () if check.rule.id == "cms-mpfs-visit-in-package"]
    assert [check.outcome for check in visit] == ["passed"]
    assert 1 in visit[0].lines


def test_included_parts_are_there_only_when_asked_for(shipped: Scrubber) -> None:
    body = tbs_claim()
    del body["scrubContext"]["documentation"]
    result = scrubbed(shipped, body)
    plain = orjson.loads(with_included(result, ()))
    assert "settledBy" not in plain
    assert list(plain["checks"]["postPayment"]) == ["fired", "bypassed", "notChecked", "complete"]
    told = orjson.loads(with_included(result, ("checks", "settledBy")))
    assert {check["outcome"] for check in told["checks"]["postPayment"]["list"]} == {"notChecked", "passed"}
    number = next(each for each in told["settledBy"] if each["input"] == "tbsValue")
    assert number["lines"] == [1]
    assert "documentation-tbs-number" in number["rules"]
    assert number["checks"] == sum("tbsValue" in item.missing for item in result.not_checked)


def test_an_author_says_what_answers_a_rule(tmp_path: Path) -> None:
    rule = with_lines(RULE, when="when: {fact: units, over: 0}", bypassed="bypassed: {fact: units, at-most: 0}")
    assert open_scrubber(rule_folder(tmp_path, rule), None).rulebook.active[0].bypassed is not None


def test_a_condition_that_cannot_be_typed_is_a_fault_of_its_line(tmp_path: Path) -> None:
    rule = with_lines(RULE, bypassed="bypassed: {fact: nothing-such, is: yes}")
    with pytest.raises(Faults) as refused:
        open_scrubber(rule_folder(tmp_path, rule), None)
    (fault,) = refused.value.faults
    assert "nothing-such" in fault.message
    assert rule.splitlines()[fault.line - 1].startswith("bypassed:")
