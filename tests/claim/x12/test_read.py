"""What an X12 claim says is read as the v3 body that says the same, and every text of it is found again in the file."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scrubber.claim.v3.values import IrregularValue
from scrubber.claim.x12 import ClaimLoops, read_loops
from scrubber.claim.x12.plans import READ, WRITTEN
from scrubber.claim.x12.positions import nearest, positions
from scrubber.claim.x12.read import BodyReader
from tests.support.x12 import BODY, envelope, ordinal

MAKE_837P = Path(__file__).resolve().parents[4] / "shared" / "scripts" / "make_837p.py"
SAMPLES = MAKE_837P.parents[1] / "data" / "x12" / "837p"


def claims(data: bytes) -> list[ClaimLoops]:
    return [item for item in read_loops([data]) if isinstance(item, ClaimLoops)]


def bodies(data: bytes) -> list[dict[str, Any]]:
    reader = BodyReader(WRITTEN)
    return [reader.body(claim)[0] for claim in claims(data)]


def test_a_claim_of_a_subscriber_with_another_payer_a_drug_and_a_decision() -> None:
    first, _ = bodies(envelope())
    information = first.pop("claimInformation")
    assert first == {
        "usageIndicator": "T",
        "controlNumber": "0001",
        "submitter": {
            "organizationName": "SAMPLE BILLING SERVICE",
            "submitterIdentification": "SUB001",
            "contactInformation": {"name": "ALEX SAMPLE", "phoneNumber": "3035550100"},
        },
        "receiver": {"organizationName": "SAMPLE CLEARINGHOUSE"},
        "billing": {
            "taxonomyCode": "207Q00000X",
            "organizationName": "SAMPLE CLINIC",
            "npi": "1000000004",
            "address": {"address1": "1 SAMPLE STREET", "city": "DENVER", "state": "CO", "postalCode": "802020001"},
            "employerId": "990000001",
            "contactInformation": {"name": "BLAIR SAMPLE", "phoneNumber": "3035550101"},
        },
        "payToAddress": {"address1": "2 SAMPLE STREET", "city": "DENVER", "state": "CO", "postalCode": "80202"},
        "subscriber": {
            "paymentResponsibilityLevelCode": "S",
            "groupNumber": "GRP0001",
            "lastName": "TESTER",
            "firstName": "CASEY",
            "memberId": "SYN00000001",
            "address": {"address1": "3 SAMPLE STREET", "city": "DENVER", "state": "CO", "postalCode": "80202"},
            "dateOfBirth": "19500101",
            "gender": "F",
        },
        "tradingPartnerName": "SAMPLE PAYER",
        "tradingPartnerServiceId": "SMPMB",
        "referring": {"lastName": "EXAMPLE", "firstName": "DANA", "npi": "1000000012"},
        "rendering": {
            "lastName": "MOCKLEY",
            "firstName": "ELLIS",
            "npi": "1000000020",
            "taxonomyCode": "207R00000X",
        },
    }
    lines = information.pop("serviceLines")
    others = information.pop("otherSubscriberInformation")
    assert information == {
        "claimFilingCode": "MB",
        "patientControlNumber": "CLAIM-1",
        "claimChargeAmount": "250.00",
        "placeOfServiceCode": "11",
        "claimFrequencyCode": "1",
        "signatureIndicator": "Y",
        "planParticipationCode": "A",
        "benefitsAssignmentCertificationIndicator": "Y",
        "releaseInformationCode": "Y",
        "claimDateInformation": {"symptomDate": "20260901"},
        "claimSupplementalInformation": {"priorAuthorizationNumber": "AUTH0001"},
        "claimNote": {"additionalInformation": "SYNTHETIC NOTE"},
        "healthCareCodeInformation": [
            {"diagnosisTypeCode": "ABK", "diagnosisCode": "M810"},
            {"diagnosisTypeCode": "ABF", "diagnosisCode": "E119"},
        ],
        "serviceFacilityLocation": {
            "organizationName": "SAMPLE FACILITY",
            "npi": "1000000038",
            "address": {"address1": "4 SAMPLE STREET", "city": "DENVER", "state": "CO", "postalCode": "802020001"},
        },
    }
    assert others == [
        {
            "paymentResponsibilityLevelCode": "P",
            "individualRelationshipCode": "18",
            "claimFilingIndicatorCode": "CI",
            "claimLevelAdjustments": [
                {
                    "adjustmentGroupCode": "PR",
                    "adjustmentDetails": [{"adjustmentReasonCode": "1", "adjustmentAmount": "20"}],
                }
            ],
            "payerPaidAmount": "80",
            "benefitsAssignmentCertificationIndicator": "Y",
            "releaseOfInformationCode": "Y",
            "otherSubscriberName": {
                "otherInsuredQualifier": "1",
                "otherInsuredLastName": "TESTER",
                "otherInsuredFirstName": "CASEY",
                "otherInsuredIdentifierTypeCode": "MI",
                "otherInsuredIdentifier": "SYN00000002",
                "otherInsuredAddress": {
                    "address1": "3 SAMPLE STREET",
                    "city": "DENVER",
                    "state": "CO",
                    "postalCode": "80202",
                },
            },
            "otherPayerName": {
                "otherPayerOrganizationName": "EXAMPLE HEALTH PLAN",
                "otherPayerIdentifierTypeCode": "PI",
                "otherPayerIdentifier": "EXHP1",
                "otherPayerAdjudicationOrPaymentDate": "20260910",
                "otherPayerClaimControlNumber": "PRIOR0001",
            },
        }
    ]
    assert lines == [
        {
            "assignedNumber": "1",
            "professionalService": {
                "procedureIdentifier": "HC",
                "procedureCode": "J0897",
                "lineItemChargeAmount": "200.00",
                "measurementUnit": "UN",
                "serviceUnitCount": "60",
                "compositeDiagnosisCodePointers": {"diagnosisCodePointers": ["1", "2"]},
            },
            "serviceDate": "20260902",
            "providerControlNumber": "LINE-1",
            "drugIdentification": {
                "serviceIdQualifier": "N4",
                "nationalDrugCode": "00000000001",
                "nationalDrugUnitCount": "60",
                "measurementUnitCode": "ML",
                "pharmacyPrescriptionNumber": "RX0001",
            },
            "renderingProvider": {
                "lastName": "MOCKLEY",
                "firstName": "ELLIS",
                "npi": "1000000020",
                "taxonomyCode": "207R00000X",
            },
            "lineAdjudicationInformation": [
                {
                    "otherPayerPrimaryIdentifier": "EXHP1",
                    "serviceLinePaidAmount": "80",
                    "serviceIdQualifier": "HC",
                    "procedureCode": "J0897",
                    "paidServiceUnitCount": "60",
                    "claimAdjustmentInformation": [
                        {
                            "adjustmentGroupCode": "CO",
                            "adjustmentDetails": [{"adjustmentReasonCode": "45", "adjustmentAmount": "100"}],
                        }
                    ],
                    "adjudicationOrPaymentDate": "20260910",
                }
            ],
        },
        {
            "assignedNumber": "2",
            "professionalService": {
                "procedureIdentifier": "HC",
                "procedureCode": "96372",
                "procedureModifiers": ["59"],
                "lineItemChargeAmount": "50.00",
                "measurementUnit": "UN",
                "serviceUnitCount": "1",
                "compositeDiagnosisCodePointers": {"diagnosisCodePointers": ["1"]},
            },
            "serviceDate": "20260902",
            "serviceDateEnd": "20260902",
        },
    ]


def test_a_dependent_is_the_patient_and_the_level_above_is_shared() -> None:
    first, second = bodies(envelope())
    assert second["dependent"] == {
        "relationshipToSubscriberCode": "19",
        "lastName": "TESTER",
        "firstName": "DANA",
        "address": {"address1": "3 SAMPLE STREET", "city": "DENVER", "state": "CO", "postalCode": "80202"},
        "dateOfBirth": "20100101",
        "gender": "M",
    }
    assert "dependent" not in first
    assert second["subscriber"] == first["subscriber"]
    assert second["claimInformation"]["claimFilingCode"] == "MB"


# Segments that go behind another one of the sample, and what they add to the claim's information or its first line.
MORE = [
    (
        "HI*ABK:M810*ABF:E119",
        "HI*BG:A1*BG:B2\nHI*BP:33533*BO:33534",
        "/conditionInformation",
        [{"conditionCodes": ["A1", "B2"]}],
    ),
    (
        "HI*ABK:M810*ABF:E119",
        "HI*BP:33533*BO:33534",
        "/anesthesiaRelatedSurgicalProcedure",
        ["33533", "33534"],
    ),
    ("DTP*431*D8*20260901", "DTP*314*RD8*20260801-20260831", "/claimDateInformation/disabilityBeginDate", "20260801"),
    ("DTP*431*D8*20260901", "DTP*314*RD8*20260801-20260831", "/claimDateInformation/disabilityEndDate", "20260831"),
    ("DTP*431*D8*20260901", "DTP*360*D8*20260801", "/claimDateInformation/disabilityBeginDate", "20260801"),
    ("DTP*431*D8*20260901", "DTP*361*D8*20260831", "/claimDateInformation/disabilityEndDate", "20260831"),
    (
        "DTP*431*D8*20260901",
        "PWK*OZ*EL***AC*ATT1",
        "/claimSupplementalInformation/reportInformation",
        {"attachmentReportTypeCode": "OZ", "attachmentTransmissionCode": "EL", "attachmentControlNumber": "ATT1"},
    ),
    (
        "DTP*431*D8*20260901",
        "PWK*OZ*AA\nPWK*B4*AA\nPWK*RB*AA",
        "/claimSupplementalInformation/reportInformations",
        [
            {"attachmentReportTypeCode": "B4", "attachmentTransmissionCode": "AA"},
            {"attachmentReportTypeCode": "RB", "attachmentTransmissionCode": "AA"},
        ],
    ),
    ("REF*G1*AUTH0001", "K3*ONE\nK3*TWO\nK3*THREE", "/fileInformationList", ["TWO", "THREE"]),
    ("REF*G1*AUTH0001", "K3*ONE", "/fileInformation", "ONE"),
    (
        "NTE*ADD*SYNTHETIC NOTE",
        "CR1*LB*150**A*DH*12****STRETCHER",
        "/ambulanceTransportInformation",
        {
            "patientWeightInPounds": "150",
            "ambulanceTransportReasonCode": "A",
            "transportDistanceInMiles": "12",
            "stretcherPurposeDescription": "STRETCHER",
        },
    ),
    (
        "NTE*ADD*SYNTHETIC NOTE",
        "CRC*07*Y*01*04\nCRC*07*N*09",
        "/ambulanceCertification",
        [
            {"certificationConditionIndicator": "Y", "conditionCodes": ["01", "04"]},
            {"certificationConditionIndicator": "N", "conditionCodes": ["09"]},
        ],
    ),
    ("NTE*ADD*SYNTHETIC NOTE", "CRC*75*Y*IH", "/homeboundIndicator", True),
    (
        "NTE*ADD*SYNTHETIC NOTE",
        "CRC*ZZ*Y*AV*ST",
        "/epsdtReferral",
        {"certificationConditionCodeAppliesIndicator": "Y", "conditionCodes": ["AV", "ST"]},
    ),
    ("AMT*D*80", "AMT*EAF*12.50", "/otherSubscriberInformation/0/remainingPatientLiability", "12.50"),
    (
        "OI***Y***Y",
        "MOA*.8*10*MA01*MA02",
        "/otherSubscriberInformation/0/medicareOutpatientAdjudication",
        {"reimbursementRate": ".8", "hcpcsPayableAmount": "10", "claimPaymentRemarkCode": ["MA01", "MA02"]},
    ),
    (
        "REF*6R*LINE-1",
        "REF*9F*RF1\nREF*9F*RF2",
        "/serviceLines/0/serviceLineReferenceInformation/referralNumber",
        ["RF1", "RF2"],
    ),
    (
        "REF*6R*LINE-1",
        "REF*G1*LPA1**2U:EXHP1",
        "/serviceLines/0/serviceLineReferenceInformation/priorAuthorization",
        [{"priorAuthorizationOrReferralNumber": "LPA1", "otherPayerPrimaryIdentifier": "EXHP1"}],
    ),
    ("REF*6R*LINE-1", "CRC*70*N*65", "/serviceLines/0/hospiceEmployeeIndicator", False),
    (
        "REF*6R*LINE-1",
        "PWK*CT*AD",
        "/serviceLines/0/durableMedicalEquipmentCertificateOfMedicalNecessity",
        {"attachmentTransmissionCode": "AD"},
    ),
    (
        "REF*6R*LINE-1",
        "MEA*TR*R1*8.2",
        "/serviceLines/0/testResults",
        [{"measurementReferenceIdentificationCode": "TR", "measurementQualifier": "R1", "testResults": "8.2"}],
    ),
    (
        "CAS*CO*45*100",
        "CAS*PR*1*5*1*2*7.50**3*4",
        "/serviceLines/0/lineAdjudicationInformation/0/claimAdjustmentInformation/1",
        {
            "adjustmentGroupCode": "PR",
            "adjustmentDetails": [
                {"adjustmentReasonCode": "1", "adjustmentAmount": "5", "adjustmentQuantity": "1"},
                {"adjustmentReasonCode": "2", "adjustmentAmount": "7.50"},
                {"adjustmentReasonCode": "3", "adjustmentAmount": "4"},
            ],
        },
    ),
    (
        "CAS*CO*45*100\nDTP*573*D8*20260910",
        "LQ*UT*01.02\nFRM*12*N\nFRM*4**ABC",
        "/serviceLines/0/formIdentification",
        [
            {
                "formTypeCode": "UT",
                "formIdentifier": "01.02",
                "supportingDocumentation": [
                    {"questionNumber": "12", "questionResponseCode": "N"},
                    {"questionNumber": "4", "questionResponse": "ABC"},
                ],
            }
        ],
    ),
    (
        "PRV*PE*PXC*207R00000X\nSVD",
        "PRV*PE*PXC*207R00000X\nREF*G2*A1\nREF*G2*A2**2U:EXHP1\nREF*0B*L1\nSVD",
        "/serviceLines/0/renderingProvider/secondaryIdentifier",
        [{"qualifier": "G2", "identifier": "A2", "otherIdentifier": "EXHP1"}],
    ),
]


@pytest.mark.parametrize(("behind", "segments", "pointer", "value"), MORE)
def test_each_segment_goes_to_its_place(behind: str, segments: str, pointer: str, value: object) -> None:
    added = segments if segments.endswith(behind.split("\n")[-1]) else f"{behind}\n{segments}"
    body = bodies(envelope(BODY.replace(behind, added, 1)))[0]
    found: Any = body["claimInformation"]
    for name in pointer.split("/")[1:]:
        found = found[int(name) if name.isdecimal() else name]
    assert found == value


def test_what_no_element_of_the_catalogue_is_is_told_by_its_place_and_without_its_value() -> None:
    data = envelope(BODY.replace("CLM*CLAIM-1*250.00***", "CLM*CLAIM-1*250.00*ZQX*ZQY*", 1))
    _, unmapped = BodyReader(WRITTEN).body(claims(data)[0])
    assert unmapped == [("2300 CLM03", ordinal("CLM*")), ("2300 CLM04", ordinal("CLM*"))]


def test_a_certificate_of_medical_necessity_and_to_whom_the_file_goes_are_mapped() -> None:
    """PWK*CT also says that any other certification is attached, with the transmission codes of attachments."""
    for code in ("AD", "AA"):
        data = envelope(BODY.replace("DTP*472", f"PWK*CT*{code}\nDTP*472", 1))
        body, unmapped = BodyReader(WRITTEN).body(claims(data)[0])
        line: Any = body["claimInformation"]["serviceLines"][0]
        sent = line["durableMedicalEquipmentCertificateOfMedicalNecessity"]
        assert (sent, unmapped) == ({"attachmentTransmissionCode": code}, [])


def test_the_first_of_two_loops_that_the_body_has_once_is_read() -> None:
    twice = "NM1*DN*1*EXAMPLE*DANA****XX*1000000012\nNM1*P3*1*SECOND*DANA****XX*1000000012"
    data = envelope(BODY.replace("NM1*DN*1*EXAMPLE*DANA****XX*1000000012", twice, 1))
    body, unmapped = BodyReader(WRITTEN).body(claims(data)[0])
    assert body["referring"]["lastName"] == "EXAMPLE"
    assert ("2310A NM1", ordinal("NM1*DN") + 1) in unmapped


def test_values_are_read_as_those_of_json_are() -> None:
    data = envelope(BODY.replace("*250.00*", "*25O.00*", 1).replace("DTP*472*D8*20260902", "DTP*472*D8*20260931", 1))
    body, _ = BodyReader(READ).body(claims(data)[0])
    assert body["claimInformation"]["claimChargeAmount"] == IrregularValue(None, None, "amount")
    assert body["claimInformation"]["serviceLines"][0]["serviceDate"] == IrregularValue(None, None, "date")


def texts(node: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, str):
        yield pointer, node
    elif isinstance(node, dict | list):
        for key, entry in node.items() if isinstance(node, dict) else enumerate(node):
            yield from texts(entry, f"{pointer}/{key}")


def at(data: bytes, segment: int, element: str, component: str) -> str:
    """What stands at a position of a file written with `*` and `~`."""
    elements = data.decode().split("~")[segment - 1].strip().split("*")
    number, _, part = element.removeprefix(elements[0]).partition("-")
    return elements[int(number)].split(component)[int(part) - 1] if part else elements[int(number)]


def test_every_text_is_found_again_in_the_file() -> None:
    data = envelope()
    for claim, body in zip(claims(data), bodies(data), strict=True):
        known = positions(claim)
        checked = 0
        for pointer, text in texts(body, ""):
            place = known.get(pointer)
            if place is not None:
                written = at(data, place.segment, place.element, ":")
                assert text in (written, *written.split("-"))
                checked += 1
        assert checked > 40


def test_what_is_missing_has_the_position_of_what_it_would_stand_in() -> None:
    known = positions(claims(envelope())[0])
    line = nearest("/claimInformation/serviceLines/1/professionalService/placeOfServiceCode", known)
    service = known["/claimInformation/serviceLines/1/professionalService"]
    assert line == service
    assert nearest("/nothing/of/this", {}) is None


@pytest.mark.skipif(not MAKE_837P.exists(), reason="the papers of the project are not here")
@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--interchanges", "2", "--groups", "2", "--line-break", "none", "--money", "cents"],
        ["--element", "|", "--component", "<", "--terminator", "\\n", "--mixed-case", "--max-lines", "50"],
    ],
)
def test_claims_written_twice_are_the_same_from_x12_and_from_json(options: list[str], tmp_path: Path) -> None:
    out = tmp_path / "claims"
    seed = str(random.randrange(10**6))  # named in the assertion, so that a failure can be repeated
    command = [sys.executable, str(MAKE_837P), "--claims", "300", "--seed", seed, "--out", str(out), *options]
    subprocess.run(command, check=True, capture_output=True)
    wanted = [json.loads(line) for line in out.with_suffix(".ndjson").read_bytes().splitlines()]
    assert bodies(out.with_suffix(".837").read_bytes()) == wanted, f"seed {seed}"


@pytest.mark.skipif(not SAMPLES.exists(), reason="the papers of the project are not here")
@pytest.mark.parametrize("file", sorted(SAMPLES.glob("*")) if SAMPLES.exists() else [], ids=lambda file: file.name)
def test_every_text_of_a_sample_file_is_found_again(file: Path) -> None:
    data = file.read_bytes()
    try:
        found = claims(data)
    except Exception:  # noqa: BLE001 -- files that are refused are the matter of test_segments
        pytest.skip("this file is refused")
    for claim in found:
        body, _ = BodyReader(WRITTEN).body(claim)
        assert positions(claim).keys() <= {"", *parents(body)}


def parents(node: Any, pointer: str = "") -> Iterator[str]:
    yield pointer
    if isinstance(node, dict | list):
        for key, entry in node.items() if isinstance(node, dict) else enumerate(node):
            yield from parents(entry, f"{pointer}/{key}")


def test_what_one_subscriber_level_says_of_the_billing_provider_is_not_said_of_the_next() -> None:
    claim = BODY[BODY.index("HL*2*1*22*1") : BODY.index("\nHL*3*2*23")]
    numbered = claim.replace("*SMPMB\n", "*SMPMB\nREF*G2*COMMERCIAL1\n", 1)
    assert numbered != claim
    head = BODY[: BODY.index("HL*2*1*22*1")]
    with_number, without = bodies(envelope(f"{head}{numbered}\n{claim.replace('HL*2*1', 'HL*3*1')}"))
    assert with_number["billing"].pop("commercialNumber") == "COMMERCIAL1"
    assert with_number == without


def test_a_value_that_is_kept_for_the_next_claims_is_read_there_as_in_the_first() -> None:
    claim = BODY[BODY.index("HL*2*1*22*1") : BODY.index("\nHL*3*2*23")].replace("*50.00*", "*5O.00*")
    head = BODY[: BODY.index("HL*2*1*22*1")]
    many = claims(envelope(head + "\n".join(claim.replace("HL*2*1", f"HL*{number}*1") for number in (2, 3, 4))))
    reader = BodyReader(READ)
    first, second, third = [(reader.body(each), reader.irregular) for each in many]
    assert [body for (body, _), _ in (second, third)] == [first[0][0]] * 2
    assert first[1]
    assert second[1]
    assert third[1]
