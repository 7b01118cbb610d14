"""Synthetic v3 bodies for tests; nobody in them exists. Each call gives a fresh dict to change."""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]

CLINIC_NPI = "1234567893"
PHYSICIAN_NPI = "1987654328"
ORDERING_NPI = "1555666779"
VALID_ABN = {
    "lines": [1],
    "form": "CMS-R-131",
    "issued": "20250301",
    "signed": "20250301",
    "option": "1",
    "estimate": "60.00",
    "reason": "Medicare may not pay for this test",
}


def _address() -> Body:
    return {
        "address1": "100 Sample Street",
        "city": "Birmingham",
        "state": "AL",
        "postalCode": "352330001",
    }


def _subscriber() -> Body:
    return {
        "memberId": "1EG4TE5MK73",
        "paymentResponsibilityLevelCode": "P",
        "firstName": "Terry",
        "lastName": "Testerson",
        "gender": "F",
        "dateOfBirth": "19500214",
        "address": _address(),
    }


def _billing() -> Body:
    return {
        "npi": CLINIC_NPI,
        "employerId": "123456789",
        "organizationName": "Sampletown Clinic",
        "taxonomyCode": "207R00000X",
        "address": _address(),
    }


def _rendering() -> Body:
    return {
        "npi": PHYSICIAN_NPI,
        "firstName": "Pat",
        "lastName": "Placeholder",
        "taxonomyCode": "207R00000X",
    }


def _ordering() -> Body:
    return {"npi": "1987654328", "firstName": "Robin", "lastName": "Referral"}


def _envelope() -> Body:
    return {
        "controlNumber": "000000001",
        "tradingPartnerServiceId": "MEDICARE-SAMPLE",
        "tradingPartnerName": "Sample Medicare",
        "submitter": {
            "organizationName": "Sampletown Clinic",
            "contactInformation": {"name": "Sam Sample", "phoneNumber": "2055550100"},
        },
        "receiver": {"organizationName": "Sample Clearing"},
        "subscriber": _subscriber(),
    }


def _header(patient_control_number: str, total: str) -> Body:
    return {
        "claimFilingCode": "MB",
        "patientControlNumber": patient_control_number,
        "claimChargeAmount": total,
        "placeOfServiceCode": "11",
        "claimFrequencyCode": "1",
        "signatureIndicator": "Y",
        "planParticipationCode": "A",
        "benefitsAssignmentCertificationIndicator": "Y",
        "releaseInformationCode": "Y",
    }


def _line(day: str, procedure: str, charge: str, pointers: list[str]) -> Body:
    return {
        "serviceDate": day,
        "professionalService": {
            "procedureIdentifier": "HC",
            "procedureCode": procedure,
            "procedureModifiers": [],
            "lineItemChargeAmount": charge,
            "measurementUnit": "UN",
            "serviceUnitCount": "1",
            "compositeDiagnosisCodePointers": {"diagnosisCodePointers": pointers},
        },
    }


def office_claim() -> Body:
    """Four clean lines of an visit, 2025-03-12, Original Medicare; the `providers[]` shape."""
    return _envelope() | {
        "providers": [
            {"providerType": "BillingProvider"} | _billing(),
            {"providerType": "RenderingProvider"} | _rendering(),
        ],
        "ordering": _ordering(),
        "claimInformation": _header("OFFICE-0001", "250.00")
        | {
            "healthCareCodeInformation": [
                {"diagnosisTypeCode": "ABK", "diagnosisCode": "I10"},
                {"diagnosisTypeCode": "ABF", "diagnosisCode": "R0602"},
            ],
            "serviceLines": [
                _line("20250312", "99213", "150.00", ["1", "2"]),
                _line("20250312", "93000", "40.00", ["2"]),
                _line("20250312", "36415", "10.00", ["1"]),
                _line("20250312", "71046", "50.00", ["2"]),
            ],
        },
    }


def tbs_claim() -> Body:
    """One line 77092, 2025-03-12, Original Medicare, named providers; its report documented."""
    return _envelope() | {
        "billing": _billing(),
        "rendering": _rendering(),
        "ordering": _ordering(),
        "claimInformation": _header("TBS-0001", "60.00")
        | {
            "healthCareCodeInformation": [{"diagnosisTypeCode": "ABK", "diagnosisCode": "M810"}],
            "serviceLines": [_line("20250312", "77092", "60.00", ["1"])],
        },
        "scrubContext": {
            "documentation": [{"lines": [1], "elements": report_elements()}],
            "receivedOn": "20250320",
        },
    }


def report_elements() -> Body:
    """What a complete TBS report states, as `scrubContext.documentation[].elements`."""
    return {
        "tbsValue": "1.285",
        "tScore": "-2.1",
        "indication": "glucocorticoid therapy since 2024",
        "findings": "texture of L1 to L4 below that of young adults",
        "interpretation": "partially degraded texture, fracture risk raised",
        "recommendation": "repeat in two years",
        "separateReport": True,
        "reportDate": "20250312",
        "calculatedBy": "other",
        "signature": {
            "name": "Pat Placeholder",
            "npi": PHYSICIAN_NPI,
            "date": "20250312",
            "credential": "MD",
        },
        "sourceStudy": {"code": "77080", "date": "20250310", "levels": "L1-L4"},
        "tbsSoftware": {"name": "Sample TBS", "version": "4", "clearance": "K243218"},
        "order": {"npi": ORDERING_NPI, "date": "20250301"},
    }
