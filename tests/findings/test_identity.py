"""Ids of findings: one each, the same whatever the order of the lines, and nothing in them that is no code."""

from __future__ import annotations

import copy
import random
from datetime import date
from typing import Any

import pytest

from scrubber.claim import read_v3
from scrubber.claim.model import Claim
from scrubber.findings import Finding, ScrubResult
from scrubber.scrub import Scrubber
from tests.support.claims import office_claim, tbs_claim
from tests.support.random_claims import random_claim

DAY = date(2025, 3, 14)
Body = dict[str, Any]


def scrubbed(scrubber: Scrubber, body: Body) -> tuple[Claim, ScrubResult]:
    claim = read_v3(copy.deepcopy(body))
    return claim, scrubber.scrub(claim, DAY)


def lines_of(body: Body) -> list[Body]:
    lines: list[Body] = body["claimInformation"]["serviceLines"]
    return lines


def service(body: Body, number: int) -> Body:
    found: Body = lines_of(body)[number - 1]["professionalService"]
    return found


def ids(result: ScrubResult, rule: str) -> list[str]:
    return [finding.id for finding in result.findings if finding.rule.id == rule]


def in_order(body: Body, order: list[int]) -> Body:
    """The claim with its lines in another order, and what the context says of them with them."""
    made = copy.deepcopy(body)
    lines = lines_of(body)
    made["claimInformation"]["serviceLines"] = [lines[place] for place in order]
    now = {place + 1: number for number, place in enumerate(order, start=1)}
    for name in ("documentation", "abn"):
        for block in made["scrubContext"].get(name) or []:
            if isinstance(block, dict) and isinstance(block.get("lines"), list):
                block["lines"] = [now.get(number, number) for number in block["lines"]]
    return made


def about(body: Body, finding: Finding) -> tuple[object, ...]:
    """What a finding stands on, without the places of its lines."""
    said = [sorted(repr(lines_of(body)[n - 1]) for n in numbers) for numbers in (finding.lines, finding.related_lines)]
    return finding.rule.id, finding.rule.severity, *said


def test_a_pair_is_named_by_the_code_that_falls_and_the_one_that_stays(shipped: Scrubber) -> None:
    body = tbs_claim()
    lines_of(body).append(copy.deepcopy(lines_of(body)[0]))
    service(body, 2)["procedureCode"] = "77089"
    for order in ([0, 1], [1, 0]):
        _, result = scrubbed(shipped, in_order(body, order))
        assert ids(result, "cms-ncci-ptp-column-two") == ["cms-ncci-ptp-column-two:77089:77092"]


@pytest.mark.parametrize("order", [[0, 1, 2], [1, 0, 2], [2, 1, 0]])
def test_of_two_lines_that_bundle_a_third_the_same_one_speaks_in_any_order(shipped: Scrubber, order: list[int]) -> None:
    body = tbs_claim()
    body["scrubContext"]["documentation"] = []
    lines_of(body).extend(copy.deepcopy(lines_of(body)[0]) for _ in range(2))
    for number, code, modifiers in ((1, "77080", ["25"]), (2, "77080", []), (3, "77081", [])):
        service(body, number).update(procedureCode=code, procedureModifiers=modifiers)
    _, result = scrubbed(shipped, in_order(body, order))
    pairs = [finding.id for finding in result.findings if finding.id.startswith("cms-ncci-ptp")]
    assert pairs == ["cms-ncci-ptp-modifier-missing:77081:77080"]


def test_findings_of_one_name_are_numbered_by_what_their_lines_say(shipped: Scrubber) -> None:
    body = tbs_claim()
    body["scrubContext"]["documentation"] = [{"lines": [1, 2], "elements": {"tbsValue": None}}]
    lines_of(body).append(copy.deepcopy(lines_of(body)[0]))
    lines_of(body)[1]["serviceDate"] = "20250401"
    for order in ([0, 1], [1, 0]):
        changed = in_order(body, order)
        _, result = scrubbed(shipped, changed)
        dates = {
            finding.id: lines_of(changed)[finding.lines[0] - 1]["serviceDate"]
            for finding in result.findings
            if finding.rule.id == "documentation-tbs-number"
        }
        assert dates == {
            "documentation-tbs-number:77092": "20250312",
            "documentation-tbs-number:77092:2": "20250401",
        }


def test_a_diagnosis_and_an_element_name_their_findings(shipped: Scrubber) -> None:
    body = office_claim()
    for line in lines_of(body):
        line["serviceDate"] = "20251112"
    body["claimInformation"]["healthCareCodeInformation"][0]["diagnosisCode"] = "M81"
    service(body, 2)["serviceUnitCount"] = "0"
    _, result = scrubbed(shipped, body)
    assert ids(result, "icd10cm-header") == ["icd10cm-header:M81"]
    code = service(body, 2)["procedureCode"]
    assert ids(result, "x12-837p-units") == [f"x12-837p-units:units:{code}"]


@pytest.mark.parametrize("sent", ["SMITH", "19610412", "1EG4-TE5-MK73", "JANE", "B7Q", "9203", "é1234"])
def test_what_is_no_procedure_code_stands_in_no_id(shipped: Scrubber, sent: str) -> None:
    body = office_claim()
    service(body, 1)["procedureCode"] = sent
    service(body, 1)["serviceUnitCount"] = "0"
    claim, result = scrubbed(shipped, body)
    assert result.findings
    read = claim.lines[0].procedure or sent
    assert not [finding.id for finding in result.findings if read in finding.id or sent in finding.id]


@pytest.mark.parametrize("sent", ["Testerson", "19610412", "123456789", "M81.0 Terry"])
def test_what_is_no_diagnosis_stands_in_no_id(shipped: Scrubber, sent: str) -> None:
    body = office_claim()
    body["claimInformation"]["healthCareCodeInformation"][0]["diagnosisCode"] = sent
    for line in lines_of(body):
        line["serviceDate"] = "20251112"
    claim, result = scrubbed(shipped, body)
    read = claim.diagnoses[0].code or sent
    assert not [finding.id for finding in result.findings if read in finding.id]


@pytest.mark.parametrize("seed", range(120))
def test_another_order_of_lines_changes_no_id(seed: int, shipped: Scrubber) -> None:
    body = random_claim(seed)
    order = list(range(len(lines_of(body))))
    random.Random(seed).shuffle(order)
    changed = in_order(body, order)
    (_, before), (_, after) = scrubbed(shipped, body), scrubbed(shipped, changed)
    assert len({finding.id for finding in before.findings}) == len(before.findings)
    assert {each.id: about(body, each) for each in before.findings} == {
        each.id: about(changed, each) for each in after.findings
    }
