"""Step 1a of a claim's path: the v3 Professional Claims body and `scrubContext`, declared once, in marshmallow.

Every name that is read stands here with its reader, in both shapes in use. Names of the v3 model that nothing here
needs stand as unread; every other name is unknown.
"""

from __future__ import annotations

from typing import Any, cast

from marshmallow import fields

from scrubber.intake import normalise as read
from scrubber.intake import several
from scrubber.intake.fields import Part, PartOrList, Parts, Scalar, Shape

Fields = dict[str, fields.Field[Any]]


def _shape(name: str, declared: Fields, unread: str = "") -> Shape:
    made = cast(type[Shape], Shape.from_dict(declared, name=name))
    made.unread = frozenset(unread.split())
    return made()


def _each(reader: read.Reader, names: str) -> Fields:
    return {name: Scalar(reader) for name in names.split()}


_ADDRESS = _shape(
    "Address",
    _each(read.text, "address1 line1 city") | _each(read.code, "state") | _each(read.zip_code, "postalCode zip"),
    "address2 line2 countryCode countrySubDivisionCode",
)

_PROVIDER = _shape(
    "Provider",
    _each(read.text, "providerType organizationName lastName firstName")
    | _each(read.dashed_digits, "npi employerId ssn")
    | _each(read.code, "taxonomyCode")
    | {"address": Part(_ADDRESS)},
    """middleName suffix contactInformation commercialNumber locationNumber stateLicenseNumber providerUpinNumber
    payerIdentificationNumber claimOfficeNumber naic secondaryIdentifier identificationCode
    secondaryIdentificationQualifierCode otherIdentifier phoneName phoneNumber phoneExtension""",
)

_PERSON = _shape(
    "Person",
    _each(read.text, "memberId lastName firstName organizationName")
    | _each(read.day, "dateOfBirth")
    | _each(read.code, "paymentResponsibilityLevelCode")
    | _each(read.sex, "gender")
    | _each(read.two_digits, "relationshipToSubscriberCode")
    | {"address": Part(_ADDRESS)},
    """middleName suffix ssn policyNumber groupNumber subscriberGroupName insuranceTypeCode
    contactInformation""",
)

_POINTERS = _shape("Pointers", _each(several.pointers, "diagnosisCodePointers"))

_SERVICE: Fields = (
    _each(read.code, "procedureIdentifier measurementUnit")
    | _each(read.procedure, "procedureCode")
    | _each(several.modifiers, "procedureModifiers")
    | _each(read.amount, "lineItemChargeAmount")
    | _each(read.number, "serviceUnitCount")
    | _each(read.two_digits, "placeOfServiceCode")
    | {"compositeDiagnosisCodePointers": PartOrList(_POINTERS, several.bare_pointers)}
)
SERVICE_NAMES = frozenset(_SERVICE)
_SERVICE_UNREAD = "description emergencyIndicator epsdtIndicator familyPlanningIndicator copayStatusCode"

_LINE = _shape(
    "Line",
    _each(read.days, "serviceDate")
    | _each(read.day, "serviceDateEnd")
    | _each(read.text, "providerControlNumber")
    | {
        "professionalService": Part(_shape("Service", _SERVICE, _SERVICE_UNREAD)),
        "renderingProvider": Part(_PROVIDER),
        "orderingProvider": Part(_PROVIDER),
        "referringProvider": Part(_PROVIDER),
        "serviceFacilityLocation": Part(_PROVIDER),
        "drugIdentification": Part(
            _shape(
                "Drug",
                _each(read.text, "nationalDrugCode"),
                """serviceIdQualifier nationalDrugUnitCount measurementUnitCode linkSequenceNumber
                pharmacyPrescriptionNumber""",
            )
        ),
    }
    | _SERVICE,
    _SERVICE_UNREAD
    + """ assignedNumber supervisingProvider purchasedServiceProvider purchasedServiceInformation
    durableMedicalEquipmentService durableMedicalEquipmentCertification
    durableMedicalEquipmentCertificateOfMedicalNecessity conditionIndicatorDurableMedicalEquipment
    serviceLineSupplementalInformation serviceLineDateInformation serviceLineReferenceInformation
    ambulanceTransportInformation ambulanceCertification ambulancePatientCount ambulancePickUpLocation
    ambulanceDropOffLocation hospiceEmployeeIndicator obstetricAnesthesiaAdditionalUnits testResults contractInformation
    salesTaxAmount postageTaxAmount fileInformation additionalNotes goalRehabOrDischargePlans
    thirdPartyOrganizationNotes linePricingRepricingInformation lineAdjudicationInformation formIdentification""",
)

_DIAGNOSIS = _shape("Diagnosis", _each(read.diagnosis, "diagnosisCode") | _each(read.code, "diagnosisTypeCode"))

_CLAIM_INFORMATION = _shape(
    "ClaimInformation",
    _each(read.code, "claimFilingCode claimFrequencyCode planParticipationCode")
    | _each(read.text, "patientControlNumber")
    | _each(read.amount, "claimChargeAmount")
    | _each(read.two_digits, "placeOfServiceCode")
    | _each(
        read.yes_no_code,
        "signatureIndicator benefitsAssignmentCertificationIndicator releaseInformationCode",
    )
    | {
        "claimSupplementalInformation": Part(
            _shape(
                "Supplement",
                _each(read.text, "claimControlNumber"),
                """reportInformation reportInformations priorAuthorizationNumber referralNumber claimNumber cliaNumber
                mammographyCertificationNumber medicalRecordNumber investigationalDeviceExemptionNumber
                repricedClaimNumber adjustedRepricedClaimNumber demoProjectIdentifier carePlanOversightNumber
                serviceAuthorizationExceptionCode medicareCrossoverReferenceId""",
            )
        ),
        "serviceFacilityLocation": Part(_PROVIDER),
        "healthCareCodeInformation": Parts(_DIAGNOSIS),
        "serviceLines": Parts(_LINE, required=True),
    },
    """propertyCasualtyClaimNumber deathDate patientWeight pregnancyIndicator patientSignatureSourceCode
    relatedCausesCode autoAccidentStateCode autoAccidentCountryCode specialProgramCode delayReasonCode
    patientAmountPaid claimDateInformation claimContractInformation fileInformation fileInformationList claimNote
    ambulanceTransportInformation ambulanceCertification ambulancePickUpLocation ambulanceDropOffLocation
    spinalManipulationServiceInformation patientConditionInformationVision homeboundIndicator epsdtReferral
    anesthesiaRelatedSurgicalProcedure conditionInformation claimPricingRepricingInformation
    otherSubscriberInformation""",
)

STATED_PARTS = {
    "signature": "name npi date credential",
    "sourceStudy": "code date levels device",
    "tbsSoftware": "name vendor version clearance",
    "order": "npi date",
}
_STATED = _shape(
    "Stated",
    _each(
        read.statement,
        """tbsValue tScore indication findings interpretation recommendation reportDate calculatedBy tbsCategory levels
        limitations""",
    )
    | _each(read.flag_statement, "separateReport modifierSupport")
    | {name: Part(_shape(name, _each(read.statement, members))) for name, members in STATED_PARTS.items()},
)

_CONTEXT = _shape(
    "Context",
    {
        "documentation": Parts(
            _shape(
                "Documentation",
                {"lines": Scalar(several.line_numbers), "elements": Part(_STATED)},
            )
        ),
        "abn": Parts(
            _shape(
                "Abn",
                _each(several.line_numbers, "lines")
                | _each(read.day, "issued signed")
                | _each(read.statement, "form option estimate reason")
                | _each(read.flag, "refused")
                | _each(read.number, "witnesses"),
            )
        ),
        "history": Parts(
            _shape(
                "EarlierService",
                _each(read.procedure, "code")
                | _each(read.day, "date")
                | _each(several.modifiers, "modifiers")
                | _each(read.dashed_digits, "renderingNpi"),
            )
        ),
        "eligibility": Part(
            _shape(
                "Eligibility",
                _each(read.word, "plan") | _each(read.flag, "qmb") | _each(read.day, "checkedOn"),
            )
        ),
        "pricing": Part(
            _shape(
                "Pricing",
                _each(read.locality, "locality")
                | _each(read.participation, "participation")
                | _each(read.flag, "qualifyingApm"),
            )
        ),
        "receivedOn": Scalar(read.day),
    },
)

_CONTACT = _shape("Contact", _each(read.text, "phoneNumber email faxNumber"), "name phoneExtension validContact")

BODY = _shape(
    "Body",
    _each(
        read.text,
        "controlNumber tradingPartnerServiceId tradingPartnerId tradingPartnerName",
    )
    | {
        "submitter": Part(
            _shape(
                "Submitter",
                _each(read.text, "organizationName lastName") | {"contactInformation": Part(_CONTACT)},
                "firstName middleName submitterIdentification taxId",
            )
        ),
        "receiver": Part(_shape("Receiver", _each(read.text, "organizationName"), "taxId")),
        "subscriber": Part(_PERSON),
        "dependent": Part(_PERSON),
        "providers": Parts(_PROVIDER),
        "billing": Part(_PROVIDER),
        "rendering": Part(_PROVIDER),
        "ordering": Part(_PROVIDER),
        "referring": Part(_PROVIDER),
        "supervising": Part(_PROVIDER),
        "claimInformation": Part(_CLAIM_INFORMATION, required=True),
        "scrubContext": Part(_CONTEXT),
    },
    "payerAddress payToAddress payToPlan usageIndicator",
)
