"""Step 1a of a claim's path: other names that senders use for elements of the model, as tables.

Names are grouped by the object that they stand in (the shapes of `intake/schema.py`). What a name of SYNONYMS means
is beyond doubt, so it is read and told. What a name of PROBABLY_MEANT means is likely and no more: it is told, never
read. Sources: the v3 bodies that practice systems send (Change Healthcare, Optum, Stedi), the older names of the
PokitDok API, CMS-1500 and X12 names of the same element.
"""

from __future__ import annotations

from collections.abc import Mapping

Names = Mapping[str, Mapping[str, str]]  # by shape: the other name, and the model's


def _each(model: str, others: str) -> dict[str, str]:
    return dict.fromkeys(others.split(), model)


_TAX_ID = _each("employerId", "taxId ein taxIdentificationNumber employerIdentificationNumber federalTaxId")

SYNONYMS: Names = {
    "Body": {
        **_each("tradingPartnerServiceId", "payerId payorId"),
        **{f"{role}Provider": role for role in ("billing", "rendering", "ordering", "referring", "supervising")},
    },
    "Submitter": _each("organizationName", "name"),
    "Receiver": _each("organizationName", "name"),
    "Person": {
        **_each("dateOfBirth", "birthDate dob"),
        **_each("gender", "sex genderCode"),
        **_each("memberId", "subscriberId memberNumber"),
        **_each("relationshipToSubscriberCode", "relationshipCode"),
    },
    "Provider": {
        **_TAX_ID,
        **_each("npi", "NPI nationalProviderIdentifier"),
        **_each("taxonomyCode", "taxonomy providerTaxonomyCode"),
    },
    "Address": {
        **_each("address1", "addressLine1 street street1"),
        **_each("postalCode", "zipCode postCode"),
        **_each("state", "stateCode"),
    },
    "ClaimInformation": {
        **_each("releaseInformationCode", "releaseOfInformationCode releaseOfInformation"),
        **_each("claimFilingCode", "claimFilingIndicatorCode claimFilingIndicator"),
        **_each("claimChargeAmount", "totalClaimChargeAmount totalChargeAmount"),
        **_each("claimFrequencyCode", "frequencyCode claimFrequencyTypeCode"),
        **_each("planParticipationCode", "assignmentOrPlanParticipationCode providerAcceptAssignmentCode"),
        **_each("signatureIndicator", "providerSignatureIndicator providerOrSupplierSignatureIndicator"),
        **_each(
            "benefitsAssignmentCertificationIndicator",
            "benefitsAssignmentCertification benefitsAssignmentIndicator assignmentOfBenefits",
        ),
        **_each("placeOfServiceCode", "placeOfService facilityTypeCode"),
        **_each(
            "healthCareCodeInformation",
            "diagnosisCodes healthCareDiagnosisCode healthCareDiagnosisCodes healthCareDiagnosisCodeInformation",
        ),
        **_each("serviceFacilityLocation", "serviceFacility"),
    },
    "Diagnosis": {
        **_each("diagnosisCode", "healthCareDiagnosisCode icdCode"),
        **_each("diagnosisTypeCode", "codeListQualifierCode diagnosisCodeQualifier qualifierCode"),
    },
    "Service": {
        **_each("procedureIdentifier", "procedureQualifier productOrServiceIdQualifier"),
        **_each("procedureCode", "cptCode hcpcsCode"),
        **_each("procedureModifiers", "procedureModifier modifiers modifier procedureModifierCodes modifierCodes"),
        **_each("lineItemChargeAmount", "lineItemCharge lineChargeAmount chargeAmount"),
        **_each("measurementUnit", "measurementUnitCode unitOfMeasure unitOfMeasurement"),
        **_each("serviceUnitCount", "unitCount"),
        **_each("placeOfServiceCode", "placeOfService"),
        **_each(
            "compositeDiagnosisCodePointers",
            """diagnosisCodePointers diagnosisCodePointer diagnosisPointers diagnosisPointer
            compositeDiagnosisCodePointer""",
        ),
    },
    "Line": {
        **_each("serviceDate", "dateOfService serviceDateFrom serviceDateBegin"),
        **_each("serviceDateEnd", "serviceDateTo"),
        **_each("renderingProvider", "rendering"),
        **_each("orderingProvider", "ordering"),
        **_each("referringProvider", "referring"),
    },
    "Pointers": _each("diagnosisCodePointers", "diagnosisCodePointer diagnosisPointers pointers"),
}

NUMBERED = {f"{name}{number}": number for name in ("procedureModifier", "modifier") for number in (1, 2, 3, 4)}
MODIFIERS = "procedureModifiers"  # the list whose entries the numbered names are

# Objects whose names senders also write beside them, in the object around, and the other way round.
PARTS = {
    "Body": ("claimInformation",),
    "Provider": ("address",),
    "Person": ("address",),
    "Submitter": ("contactInformation",),
    "ClaimInformation": ("claimSupplementalInformation",),
    "Line": ("professionalService", "drugIdentification"),
}

_SERVICE_PROBABLY = {
    **_each("procedureCode", "procedure cpt hcpcs code"),
    **_each("procedureModifiers", "mods mod modifierList"),
    **_each("lineItemChargeAmount", "charge charges amount price total"),
    **_each("serviceUnitCount", "units quantity unit count serviceUnits"),
    **_each("measurementUnit", "unitType unitCode"),
    **_each("placeOfServiceCode", "pos place"),
    **_each(
        "compositeDiagnosisCodePointers",
        "dxPointers dxPointer diagnoses diagnosis diagnosisCode diagnosisCodes icdCodes",
    ),
}

PROBABLY_MEANT: Names = {
    "Body": {
        **_each("dependent", "patient"),
        **_each("subscriber", "insured policyHolder"),
        **_each("tradingPartnerServiceId", "payer payor payerIdentifier"),
        **_each("claimInformation", "claim claimInfo"),
        **_each("serviceFacilityLocation", "facility"),
        **_each("serviceLines", "lines services charges procedures"),
    },
    "Person": {
        **_each("memberId", "id policyNumberId insuredId"),
        **_each("relationshipToSubscriberCode", "relationship"),
    },
    "Provider": {
        **_each("employerId", "tin taxNumber"),
        **_each("npi", "identifier providerId"),
        **_each("organizationName", "name"),
    },
    "Address": {**_each("address1", "address line street1Line"), **_each("state", "region")},
    "ClaimInformation": {
        **_each("healthCareCodeInformation", "diagnoses diagnosis icdCodes icd10Codes dxCodes"),
        **_each("claimChargeAmount", "totalCharge totalCharges total totalAmount chargeAmount amount"),
        **_each("placeOfServiceCode", "pos place"),
        **_each("claimFilingCode", "filingCode insuranceTypeCode"),
        **_each("patientControlNumber", "accountNumber patientAccountNumber claimId"),
        **_each("serviceLines", "lines services charges procedures"),
        **_each("serviceFacilityLocation", "facility"),
        **_each("claimControlNumber", "originalClaimNumber originalReferenceNumber payerClaimControlNumber"),
    },
    "Diagnosis": {
        **_each("diagnosisCode", "code icd icd10 icd10Code dx diagnosis value"),
        **_each("diagnosisTypeCode", "type codeType qualifier"),
    },
    "Line": {
        **_SERVICE_PROBABLY,  # where the line itself has what its service should have
        **_each("serviceDate", "date dos fromDate startDate servicedDate"),
        **_each("serviceDateEnd", "toDate endDate throughDate"),
        **_each("nationalDrugCode", "ndc ndcCode"),
        **_each("professionalService", "service serviceInfo serviceInformation serviceDetail serviceDetails"),
    },
    "Service": _SERVICE_PROBABLY,
}

# Objects in which the last word of a name says as much as the word alone: `procMods` as `mods`, `lineUnits` as `units`.
IN_SERVICE = ("Line", "Service")
