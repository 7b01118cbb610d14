"""The shape that follows the boxes of the CMS-1500 is read as the same claim; findings point into it as it was sent."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import asdict

from scrubber.claim import read_v3
from scrubber.claim.elements import CATALOGUE
from scrubber.claim.model import MOST_LINES, Normalised
from scrubber.claim.v3.cms1500 import in_v3_names
from scrubber.errors import NotAClaim
from scrubber.findings import ScrubResult
from scrubber.scrub import Scrubber
from tests.support.bodies import CANARY, mutated

ROOT = Path(__file__).parents[3]
TABLES = ROOT / "scrubber/claim/v3"
DAY = date(2025, 11, 20)
Body = dict[str, Any]


def example() -> Body:
    return json.loads((ROOT / "examples/shapes/cms-1500.json").read_text())  # type: ignore[no-any-return]


def _rows(name: str) -> list[dict[str, str]]:
    with (TABLES / name).open(newline="", encoding="utf-8") as rows:
        return [*csv.DictReader(rows)]


def _v3(body: Body) -> Body:
    return in_v3_names(body, guess=False).body  # type: ignore[no-any-return]


def _without_pointers(value: Any) -> Any:
    """A claim as plain data, without what says where it was in its body."""
    if hasattr(value, "__struct_fields__"):
        left_out = {"pointer", "service_pointer", "moved", "normalised"}
        return {name: _without_pointers(inner) for name, inner in asdict(value).items() if name not in left_out}
    if isinstance(value, tuple):
        return [_without_pointers(inner) for inner in value]
    return value


def _results(result: ScrubResult) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(finding.id, finding.rule.severity, finding.lines) for finding in result.findings]


def test_it_is_the_same_claim_as_its_v3_body(shipped: Scrubber) -> None:
    body = example()
    sent, v3 = read_v3(body), read_v3(_v3(body))
    assert _without_pointers(sent) == _without_pointers(v3)
    assert (sent.total, sent.patient_control_number, len(sent.lines)) == (v3.total, "EXAMPLE-8", 2)
    assert [(line.procedure, line.pointers, line.unit_code) for line in sent.lines] == [
        ("77080", (1,), "UN"), ("99213", (1,), "UN"),
    ]  # fmt: skip
    assert sent.normalised == (Normalised("", "claim in the shape of the CMS-1500 read as v3"),)
    assert (sent.unreadable, sent.unmapped, sent.resembling) == ((), (), ())
    result = shipped.scrub(sent, DAY)
    assert _results(result) == _results(shipped.scrub(v3, DAY))
    assert (result.disposition, result.findings) == ("accept", ())
    assert {each.rule.id for each in result.not_checked} == {"clinic-checks-duplicate-of-earlier"}  # without history


def test_every_place_in_v3_is_one_of_the_catalogue() -> None:
    known = {path for element in CATALOGUE.values() for path in element.paths}
    for row in _rows("cms1500.csv"):
        path = tuple("*" if name == "+" or name.isdigit() else name for name in row["v3"].split("/"))
        assert path in known or (*path, "*") in known, row


def test_every_word_is_a_code_that_its_element_may_have() -> None:
    codes = {path: element.codes for element in CATALOGUE.values() for path in element.paths if element.codes}
    words: dict[str, list[str]] = {}
    for row in _rows("cms1500_words.csv"):
        words.setdefault(row["list"], []).append(row["code"])
    checked = set()
    for row in _rows("cms1500.csv"):
        path = tuple("*" if name == "+" or name.isdigit() else name for name in row["v3"].split("/"))
        if path in codes and row["words"] in words:
            checked.add(row["words"])
            assert set(words[row["words"]]) - {""} <= set(codes[path]), row
    assert {"report-type", "transmission", "relationship", "responsibility"} <= checked


def test_accidents_notes_attachments_drugs_and_other_payers_are_read() -> None:
    body = example()
    body["encounter"] |= {
        "patientCondition": {"isEmploymentRelated": False, "isAutoAccidentRelated": True, "autoAccidentState": "CO"},
        "claimCodes": ["AV", "AW"],
        "epsdtReferralCodes": ["UNDER_TREATMENT"],
        "claimNote": {"goalsRehabilitationOrDischargePlans": "Synthetic note"},
        "attachments": [{"reportTypeCode": "PROGRESS_REPORT", "transmissionCode": "BY_FAX"}],
        "resubmission": {"code": "REPLACEMENT_OF_PRIOR_CLAIM", "originalReferenceNumber": "SAMPLE-1"},
    }
    body["serviceLines"][1] |= {
        "isEmergency": True,
        "drugIdentification": {
            "nationalDrugCode": "00000000000", "unitCount": "2.5", "unitOfMeasure": "MILLILITER",
            "associationNumber": {"pharmacyPrescriptionNumber": "SAMPLE-RX"},
        },
        "priorAuthorizations": [{"priorAuthorizationNumber": "SAMPLE-PA-2"}],
    }  # fmt: skip
    body["otherInsured"] = [
        {
            "name": {"person": {"lastName": "Testerson"}}, "memberId": "SAMPLE2", "responsibilityLevel": "SECONDARY",
            "relationshipToInsured": "SPOUSE", "claimFilingIndicator": "BLUE_CROSS_BLUE_SHIELD",
            "otherPayer": {"id": {"payerId": "SAMPLE-PAYER"}, "name": {"organization": "Sample Second"}},
            "authorization": {"insuredAuthorizesAssignment": "YES", "patientReleasesMedicalInfo": "INFORMED_CONSENT"},
        }
    ]  # fmt: skip
    read = read_v3(body)
    assert (read.frequency, read.original_claim_number) == ("7", "SAMPLE-1")
    assert read.unmapped == ()
    claim = _v3(body)["claimInformation"]
    assert claim["relatedCausesCode"] == ["AA"]
    assert claim["conditionInformation"] == [{"conditionCodes": ["AV", "AW"]}]
    assert claim["epsdtReferral"] == {"conditionCodes": ["S2"], "certificationConditionCodeAppliesIndicator": "Y"}
    assert claim["claimNote"] == {"goalRehabOrDischargePlans": "Synthetic note"}
    assert claim["claimSupplementalInformation"]["reportInformations"] == [
        {"attachmentReportTypeCode": "09", "attachmentTransmissionCode": "FX"}
    ]
    second = claim["serviceLines"][1]
    assert second["professionalService"]["emergencyIndicator"] == "Y"
    assert second["drugIdentification"] == {
        "nationalDrugCode": "00000000000", "serviceIdQualifier": "N4", "nationalDrugUnitCount": "2.5",
        "measurementUnitCode": "ML", "pharmacyPrescriptionNumber": "SAMPLE-RX",
    }  # fmt: skip
    assert second["serviceLineReferenceInformation"] == {
        "priorAuthorization": [{"priorAuthorizationOrReferralNumber": "SAMPLE-PA-2"}]
    }
    assert claim["otherSubscriberInformation"] == [
        {
            "otherSubscriberName": {
                "otherInsuredLastName": "Testerson", "otherInsuredQualifier": "1",
                "otherInsuredIdentifier": "SAMPLE2", "otherInsuredIdentifierTypeCode": "MI",
            },
            "paymentResponsibilityLevelCode": "S", "individualRelationshipCode": "01", "claimFilingIndicatorCode": "BL",
            "otherPayerName": {
                "otherPayerOrganizationName": "Sample Second", "otherPayerIdentifier": "SAMPLE-PAYER",
                "otherPayerIdentifierTypeCode": "PI",
            },
            "benefitsAssignmentCertificationIndicator": "Y", "releaseOfInformationCode": "I",
        }
    ]  # fmt: skip


def test_a_patient_who_is_not_the_insured_is_the_dependent() -> None:
    body = example()
    body["patient"] = {
        "name": {"person": {"lastName": "Testerson", "firstName": "Toby"}}, "dateOfBirth": "2015-08-21",
        "gender": "MALE", "relationshipToInsured": "CHILD", "address": body["insured"]["address"],
    }  # fmt: skip
    patient = read_v3(body).patient
    assert (patient.first_name, patient.birth_date, patient.sex, patient.relationship) == (
        "Toby", date(2015, 8, 21), "M", "19",
    )  # fmt: skip


def test_diagnoses_are_those_of_the_encounter_then_those_of_lines_and_lines_point_to_them() -> None:
    body = example()
    body["encounter"] |= {"primaryDiagnosisCode": "M81.0", "additionalDiagnosisCodes": ["Z7983"]}
    body["serviceLines"][0]["diagnosisCodes"] = ["Z13820", "m810"]
    body["serviceLines"][1]["diagnosisCodes"] = ["Z7983", "Z13820"]
    claim = read_v3(body)
    assert [(one.position, one.qualifier, one.code) for one in claim.diagnoses] == [
        (1, "ABK", "M810"), (2, "ABF", "Z7983"), (3, "ABF", "Z13820"),
    ]  # fmt: skip
    assert [line.pointers for line in claim.lines] == [(3, 1), (2, 3)]
    sent = [claim.pointer_as_sent(one.pointer) for one in claim.diagnoses]
    assert sent == [
        "/encounter/primaryDiagnosisCode", "/encounter/additionalDiagnosisCodes/0", "/serviceLines/0/diagnosisCodes/0",
    ]  # fmt: skip


def test_units_of_anesthesia_are_minutes() -> None:
    body = example()
    body["serviceLines"][0]["procedureCode"]["code"] = "00142"
    assert [line.unit_code for line in read_v3(body).lines] == ["MJ", "UN"]


@pytest.mark.parametrize(("word", "code"), [("MEDICARE", "MB"), ("MEDICAID", "MC"), ("OTHER", "ZZ"), ("other", "ZZ")])
def test_the_insurance_type_is_the_filing_indicator(word: str, code: str) -> None:
    body = example()
    body["insured"]["insuranceType"] = word
    assert read_v3(body).filing_indicator == code


def _drop(*path: str | int) -> Callable[[Body], None]:
    def drop(body: Body) -> None:
        node: Any = body
        for key in path[:-1]:
            node = node[key]
        del node[path[-1]]

    return drop


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        (_drop("billing", "billingProvider", "identifiers"), "/billing/billingProvider/identifiers/npi"),
        (_drop("billing", "taxId"), "/billing/taxId/ein"),
        (_drop("insured", "memberId"), "/insured/memberId"),
        (_drop("insured", "dateOfBirth"), "/insured/dateOfBirth"),
        (_drop("billing", "totalCharge"), "/billing/totalCharge"),
        (_drop("serviceLines", 1, "units"), "/serviceLines/1/units"),
        (_drop("serviceLines", 1, "diagnosisCodes"), "/serviceLines/1/diagnosisCodes"),
        (_drop("serviceLines", 0, "datesOfService"), "/serviceLines/0/datesOfService/start"),
        (_drop("authorization", "providerSignature"), "/authorization/providerSignature"),
    ],
)
def test_what_is_missing_is_found_where_it_would_stand(
    shipped: Scrubber, change: Callable[[Body], None], pointer: str
) -> None:
    body = example()
    assert not [one for one in shipped.scrub(read_v3(body), DAY).findings if one.rule.severity == "deny"]
    change(body)
    found = shipped.scrub(read_v3(body), DAY).findings
    assert pointer in {one.pointer for one in found if one.rule.severity == "deny"}


def test_a_word_that_is_in_no_list_is_no_code_of_its_element(shipped: Scrubber) -> None:
    body = example()
    body["authorization"]["providerSignature"] = CANARY
    found = [
        one for one in shipped.scrub(read_v3(body), DAY).findings if one.pointer == "/authorization/providerSignature"
    ]
    assert [one.rule.severity for one in found] == ["deny"]
    assert CANARY not in repr(found)


@pytest.mark.parametrize(
    ("path", "value", "pointer", "message"),
    [
        (("insured",), "text", "/insured", "must be an object"),
        (("billing", "billingProvider"), ["x"], "/billing/billingProvider", "must be an object"),
        (("encounter", "attachments"), {"a": 1}, "/encounter/attachments", "must be a list"),
        (("serviceLines",), {}, "/serviceLines", "must be a list"),
        (("serviceLines",), [], "/serviceLines", "must be a list of 1"),
        (("serviceLines", 1), 7, "/serviceLines/1", "must be an object"),
        (("serviceLines", 1, "procedureCode"), "99213", "/serviceLines/1/procedureCode", "must be an object"),
    ],
)
def test_a_wrong_container_is_refused_where_it_stands(
    path: tuple[Any, ...], value: object, pointer: str, message: str
) -> None:
    body = example()
    node: Any = body
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    with pytest.raises(NotAClaim) as refusal:
        read_v3(body)
    problems = [(problem.pointer, problem.message) for problem in refusal.value.problems]
    assert any(at == pointer and text.startswith(message) for at, text in problems), problems


def test_names_that_it_does_not_have_are_listed_and_misspelt_ones_never_deny(shipped: Scrubber) -> None:
    body = example()
    body["encounter"]["somethingElse"] = CANARY
    line = body["serviceLines"][1]
    line["procedurCode"] = line.pop("procedureCode")
    claim = read_v3(body)
    assert claim.unmapped == ("/encounter/somethingElse", "/serviceLines/1/procedurCode")
    assert [(one.pointer, one.known_name, one.line) for one in claim.resembling] == [
        ("/serviceLines/1/procedurCode", "procedureCode", 2)
    ]
    result = shipped.scrub(claim, DAY)
    assert not [one for one in result.findings if one.rule.severity == "deny"]
    assert [one.pointer for one in result.findings if "probably" in one.message]
    assert any(row.lines == (2,) for row in result.not_checked)


def test_more_lines_than_a_claim_holds_are_counted(shipped: Scrubber) -> None:
    body = example()
    body["serviceLines"] = body["serviceLines"][:1] * (MOST_LINES + 7)
    claim = read_v3(body)
    assert (claim.lines_sent, len(claim.lines)) == (MOST_LINES + 7, MOST_LINES)
    assert [one.pointer for one in shipped.scrub(claim, DAY).findings if one.rule.severity == "deny"] == [
        "/serviceLines"
    ]


def test_the_context_stands_beside_it() -> None:
    body = example() | {"scrubContext": {"receivedOn": "20251120"}, "idempotencyKey": "SAMPLE"}
    claim = read_v3(body)
    assert (claim.context.received_on, claim.unmapped) == (DAY, ())


def test_any_other_body_of_that_shape_is_a_claim_or_refused(shipped: Scrubber) -> None:
    """What is wrong with it stands in findings or in a refusal with pointers, and no value of it in either."""
    chance = random.Random(14)
    refused = 0
    for _ in range(300):
        body = mutated(chance, example())
        answer: ScrubResult | NotAClaim
        try:
            answer = shipped.scrub(read_v3(body), DAY)
        except NotAClaim as refusal:
            answer = refusal
            refused += 1
        said = str(answer.problems) if isinstance(answer, NotAClaim) else repr(answer.normalised)
        assert CANARY not in said
    assert 0 < refused < 300
