"""The v3 Professional Claims body and `scrubContext`, declared once, in marshmallow.

They refuse only wrong containers. A scalar is never refused: its reader gives a value or an `Odd`.

Every name that is read stands here with its reader, in both shapes in use. Names of the v3 model that nothing here
needs stand as unread; every other name is unknown.
"""

from __future__ import annotations

from typing import Any, cast

from marshmallow import EXCLUDE, Schema, fields

from scrubber.claim.v3 import values
from scrubber.claim.v3 import values as read
from scrubber.claim.v3.values import Reader

MOST_ENTRIES = 1_000  # of a list of objects

_OBJECT = "must be an object"
_LIST = f"must be a list of at most {MOST_ENTRIES} objects"
_LINES = f"must be a list of 1 to {MOST_ENTRIES} service lines"

_Messages = dict[str, str | list[Any] | dict[Any, Any]]


class Shape(Schema):
    """An object of the body. `unread` are names that belong to the model but that nothing here needs."""

    error_messages = {"type": _OBJECT}  # noqa: RUF012 -- marshmallow declares it so
    unread: frozenset[str] = frozenset()

    class Meta:
        """Unknown names are listed by the accept path, never refused."""

        unknown = EXCLUDE


class Scalar(fields.Field[Any]):
    """One value, or a list of them, as its reader takes it."""

    def __init__(self, read: Reader) -> None:
        super().__init__(allow_none=True)
        self.read = read

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        return self.read(value)


def _nothing(value: object) -> object:
    """Real senders write "" for an object or a list that is not there."""
    return None if value == "" else value


class Part(fields.Nested):
    """An object in an object. Unless required, null and "" say that there is none."""

    def __init__(self, shape: Shape, *, required: bool = False) -> None:
        messages: _Messages = {"required": "is missing", "null": _OBJECT}
        super().__init__(
            shape,
            required=required,
            allow_none=not required,
            pre_load=None if required else _nothing,
            error_messages=messages,
        )


class PartOrList(Part):
    """An object that holds one list; where the list stands in its place, `read` takes it."""

    def __init__(self, shape: Shape, read: Reader) -> None:
        super().__init__(shape)
        self.read = read

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return super()._deserialize(value, *args, **kwargs) if type(value) is dict else self.read(value)


class Parts(fields.List[Any]):
    """A list of objects, its length checked before anything in it is read.

    Unless required, null and "" say that there is none; a required list has at least one entry.
    """

    def __init__(self, shape: Shape, *, required: bool = False) -> None:
        message = _LINES if required else _LIST
        messages: _Messages = {"invalid": message, "required": message, "null": message}
        super().__init__(
            Part(shape, required=True),
            required=required,
            allow_none=not required,
            pre_load=None if required else _nothing,
            error_messages=messages,
        )

    def fits(self, value: object) -> bool:
        """Whether it is a list of a length that is read."""
        return type(value) is list and self.required <= len(value) <= MOST_ENTRIES

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if not self.fits(value):
            raise self.make_error("invalid")
        return super()._deserialize(value, *args, **kwargs)


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

_POINTERS = _shape("Pointers", _each(values.pointers, "diagnosisCodePointers"))

_SERVICE: Fields = (
    _each(read.code, "procedureIdentifier measurementUnit")
    | _each(read.procedure, "procedureCode")
    | _each(values.modifiers, "procedureModifiers")
    | _each(read.amount, "lineItemChargeAmount")
    | _each(read.number, "serviceUnitCount")
    | _each(read.two_digits, "placeOfServiceCode")
    | {"compositeDiagnosisCodePointers": PartOrList(_POINTERS, values.bare_pointers)}
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
                {"lines": Scalar(values.line_numbers), "elements": Part(_STATED)},
            )
        ),
        "abn": Parts(
            _shape(
                "Abn",
                _each(values.line_numbers, "lines")
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
                | _each(values.modifiers, "modifiers")
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
