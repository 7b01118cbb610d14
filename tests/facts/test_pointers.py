"""Pointers of findings lead to something in the body that was sent, or to where what is missing would stand."""

from __future__ import annotations

import copy
import json
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scrubber.authoring.case_claim import InvalidCase, claim_of
from scrubber.authoring.run_tests import readable_cases
from scrubber.claim import read_v3
from scrubber.errors import NotAClaim
from scrubber.response.claim import document
from scrubber.scrub import Scrubber
from tests.support.bodies import mutated
from tests.support.claims import Body, office_claim, tbs_claim

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "rules"
CASES = ROOT.parent / "shared" / "cases"
DAY = date(2026, 11, 23)
CI = "/claimInformation"
LINE = f"{CI}/serviceLines/0"
# Rules about what is not there: they point to where it would stand.
ABOUT_WHAT_IS_MISSING = (
    "x12-837p-element-missing", "x12-837p-element-situational", "x12-837p-envelope-missing",
    "x12-837p-replacement-without-original", "x12-837p-accident-", "x12-837p-attachment-control-number",
    "x12-837p-compensation-without-employment", "x12-837p-other-payer-", "x12-837p-property-casualty-number",
    "cms-mpfs-procedure-in-global-days", "cms-mpfs-side-missing", "cms-preventive-services-screening-turned",
    "documentation-tbs-", "drug-lines-no-description", "medicaid-drugs-ndc-", "medicare-abn-",
    "medicare-anesthesia-giver-missing", "medicare-contractors-jz-missing", "medicare-coverage-esa-",
    "medicare-laboratory-clia-", "medicare-orders-", "medicare-providers-facility",
    "medicare-providers-mammography-certificate", "medicare-providers-visit-by-therapist",
    "medicare-secondary-payer-", "medicare-therapy-plan", "medicare-wiser-authorization",
)  # fmt: skip


def leads(body: Any, pointer: str) -> str:
    """there; absent: it could be added where the pointer leads; nowhere."""
    for step in pointer.split("/")[1:]:
        if isinstance(body, dict):
            if body.get(step) in (None, ""):
                return "absent"
            body = body[step]
        elif isinstance(body, list) and step.isdigit() and int(step) <= len(body):
            if int(step) == len(body):
                return "absent"
            body = body[int(step)]
        else:
            return "nowhere"
    return "there"


def astray(body: Body, shipped: Scrubber) -> list[tuple[str, str, str]]:
    """Rule or change, pointer and why, of what points to nothing that was sent."""
    try:
        answer = document(shipped.scrub(read_v3(copy.deepcopy(body)), DAY))
    except NotAClaim as refusal:
        found = [("refused", problem.pointer) for problem in refusal.problems]
        return [(what, pointer, "nowhere") for what, pointer in found if leads(body, pointer) == "nowhere"]
    pointed = [(finding["rule"]["id"], finding["pointer"]) for finding in answer["findings"]]
    pointed += [(each["change"], each["pointer"]) for each in answer["normalised"] if "(" not in each["pointer"]]
    told = [(what, pointer, leads(body, pointer)) for what, pointer in pointed]
    return [
        each
        for each in told
        if each[2] == "nowhere" or (each[2] == "absent" and not each[0].startswith(ABOUT_WHAT_IS_MISSING))
    ]


def otherwise(body: Body) -> list[Body]:
    """The same claim with names and containers that senders use."""
    flat, top, synonyms, misspelt = (copy.deepcopy(body) for _ in range(4))
    for line in flat["claimInformation"]["serviceLines"]:
        service = line.pop("professionalService", None)
        line |= service if isinstance(service, dict) else {}
    top["serviceLines"] = top["claimInformation"].pop("serviceLines")
    for line in synonyms["claimInformation"]["serviceLines"]:
        service = line.get("professionalService")
        if isinstance(service, dict):
            composite = service.pop("compositeDiagnosisCodePointers", None)
            pointers = composite.get("diagnosisCodePointers") if isinstance(composite, dict) else None
            modifiers = service.pop("procedureModifiers", None)
            service |= {"diagnosisCodePointers": pointers, "procedureModifier": modifiers}
            service |= {"placeOfService": service.pop("placeOfServiceCode", None)}
    for role in ("billing", "rendering"):
        if isinstance(synonyms.get(role), dict) and synonyms[role].get("address"):
            synonyms[role] |= synonyms[role].pop("address")
            synonyms[role]["taxId"] = synonyms[role].pop("employerId", None)
    misspelt["claimInformation"]["healthcareCodeInformation"] = misspelt["claimInformation"].pop(
        "healthCareCodeInformation", None
    )
    return [body, flat, top, synonyms, misspelt]


def test_pointers_of_the_cases_of_all_rules_resolve(shipped: Scrubber) -> None:
    seen = 0
    cases, _ = readable_cases(RULES, shipped.rulebook)
    for case in cases:
        try:
            body = claim_of(case, RULES)
        except InvalidCase:
            continue
        for each in otherwise(body) if seen % 4 == 0 else [body]:
            assert astray(each, shipped) == [], case.name
        seen += 1
    assert seen > 1_000


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.proof)])
def test_pointers_of_any_body_resolve(count: int, shipped: Scrubber) -> None:
    chance = random.Random(count)
    for _ in range(count):
        body = mutated(chance, chance.choice((office_claim(), tbs_claim())))
        if isinstance(body, dict):
            assert astray(body, shipped) == []


@pytest.mark.skipif(not CASES.exists(), reason="the papers of the project are not here")
def test_pointers_of_real_cases_resolve(shipped: Scrubber) -> None:
    for file in sorted(CASES.glob("*.json")):
        if file.name != "expected.json":
            for body in otherwise(json.loads(file.read_bytes())):
                assert astray(body, shipped) == [], file.name


def pointer(body: Body, rule: str, shipped: Scrubber) -> str:
    answer = document(shipped.scrub(read_v3(body), DAY))
    (found,) = [finding["pointer"] for finding in answer["findings"] if finding["rule"]["id"] == rule]
    return str(found)


def test_a_qualifier_of_icd9_has_the_index_of_its_diagnosis(shipped: Scrubber) -> None:
    body = office_claim()
    body["claimInformation"]["healthCareCodeInformation"][1]["diagnosisTypeCode"] = "BF"
    assert pointer(body, "x12-837p-icd9", shipped) == f"{CI}/healthCareCodeInformation/1/diagnosisTypeCode"


def test_the_last_day_of_a_range_stands_in_the_range(shipped: Scrubber) -> None:
    body = office_claim()
    body["claimInformation"]["serviceLines"][0]["serviceDate"] = "20250312-20250310"
    assert pointer(body, "x12-837p-end-before-start", shipped) == f"{LINE}/serviceDate"


def test_a_billing_provider_that_is_not_listed_would_be_the_next(shipped: Scrubber) -> None:
    body = office_claim()
    del body["providers"][0]
    found = document(shipped.scrub(read_v3(body), DAY))["findings"]
    missing = {each["pointer"] for each in found if each["rule"]["id"] == "x12-837p-element-missing"}
    assert "/providers/1/npi" in missing


@pytest.mark.parametrize(
    ("path", "other", "value", "rule", "expected"),
    [
        (("providers", 0), "taxId", None, "x12-837p-element-missing", "/providers/0/employerId"),
        (("claimInformation",), "claimFilingIndicator", "QQ", "x12-837p-code-list", f"{CI}/claimFilingIndicator"),
        (("claimInformation",), "frequencyCode", "9", "x12-837p-code-list", f"{CI}/frequencyCode"),
    ],
)
def test_an_element_under_another_name_is_pointed_at_there(
    path: tuple[Any, ...], other: str, value: Any, rule: str, expected: str, shipped: Scrubber
) -> None:
    body: Any = office_claim()
    node = body
    for step in path:
        node = node[step]
    model = {"taxId": "employerId", "claimFilingIndicator": "claimFilingCode", "frequencyCode": "claimFrequencyCode"}
    del node[model[other]]
    node[other] = value
    assert pointer(body, rule, shipped) == expected


def test_what_another_payer_lacks_is_told_of_that_payer(shipped: Scrubber) -> None:
    body = office_claim()
    first = {"payerPaidAmount": "0.00", "otherPayerName": {"otherPayerAdjudicationOrPaymentDate": "20250320"}}
    second = {"otherPayerName": {"otherPayerAdjudicationOrPaymentDate": "20250321"}}
    body["claimInformation"]["otherSubscriberInformation"] = [first, second]
    found = {each["rule"]["id"]: each["pointer"] for each in document(shipped.scrub(read_v3(body), DAY))["findings"]}
    assert found["x12-837p-other-payer-paid"] == f"{CI}/otherSubscriberInformation/1/payerPaidAmount"
