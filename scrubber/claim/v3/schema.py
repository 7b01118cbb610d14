"""Declares the v3 Professional Claims body and `scrubContext` in marshmallow, for reading and for OpenAPI.

The schemas refuse only wrong containers. A scalar is never refused: its reader gives a value or an `Odd`.

Every name that is read is declared with its reader, in both forms in use. Names of the v3 model that no rule needs are
declared as unread; every other name is unknown.
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


class BodySchema(Schema):
    """An object of the body. `unread` are names of the model that no rule needs."""

    error_messages = {"type": _OBJECT}  # noqa: RUF012 -- marshmallow declares it so
    unread: frozenset[str] = frozenset()

    class Meta:
        """Unknown names are listed by the accept path, never refused."""

        unknown = EXCLUDE


class ScalarField(fields.Field[Any]):
    """One value, or a list of values, converted by its reader."""

    def __init__(self, read: Reader) -> None:
        super().__init__(allow_none=True)
        self.read = read

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        return self.read(value)


def _nothing(value: object) -> object:
    """Real senders write "" for a missing object or list."""
    return None if value == "" else value


class ObjectField(fields.Nested):
    """An object in an object. Unless required, null and "" mean that there is none."""

    def __init__(self, shape: BodySchema, *, required: bool = False) -> None:
        messages: _Messages = {"required": "is missing", "null": _OBJECT}
        super().__init__(
            shape,
            required=required,
            allow_none=not required,
            pre_load=None if required else _nothing,
            error_messages=messages,
        )


class ObjectOrListField(ObjectField):
    """An object that holds one list; where the list is sent instead of it, `read` converts that."""

    def __init__(self, shape: BodySchema, read: Reader) -> None:
        super().__init__(shape)
        self.read = read

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return super()._deserialize(value, *args, **kwargs) if type(value) is dict else self.read(value)


class ObjectListField(fields.List[Any]):
    """A list of objects, its length checked before anything in it is read.

    Unless required, null and "" mean that there is none; a required list has at least one entry.
    """

    def __init__(self, shape: BodySchema, *, required: bool = False) -> None:
        message = _LINES if required else _LIST
        messages: _Messages = {"invalid": message, "required": message, "null": message}
        super().__init__(
            ObjectField(shape, required=True),
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


DeclaredFields = dict[str, fields.Field[Any]]


def _schema(name: str, declared: DeclaredFields, unread: str = "") -> BodySchema:
    schema = cast(type[BodySchema], BodySchema.from_dict(declared, name=name))
    schema.unread = frozenset(unread.split())
    return schema()


def _each(reader: read.Reader, names: str) -> DeclaredFields:
    return {name: ScalarField(reader) for name in names.split()}


_ADDRESS = _schema(
    "Address",
    _each(read.text, "address1 line1 city") | _each(read.code, "state") | _each(read.zip_code, "postalCode zip"),
    "address2 line2 countryCode countrySubDivisionCode",
)

_PROVIDER = _schema(
    "Provider",
    _each(read.text, "providerType organizationName lastName firstName")
    | _each(read.dashed_digits, "npi employerId ssn")
    | _each(read.code, "taxonomyCode")
    | {"address": ObjectField(_ADDRESS)},
    """middleName suffix contactInformation commercialNumber locationNumber stateLicenseNumber providerUpinNumber
    payerIdentificationNumber claimOfficeNumber naic secondaryIdentifier identificationCode
    secondaryIdentificationQualifierCode otherIdentifier phoneName phoneNumber phoneExtension""",
)

_PERSON = _schema(
    "Person",
    _each(read.text, "memberId lastName firstName organizationName")
    | _each(read.day, "dateOfBirth")
    | _each(read.code, "paymentResponsibilityLevelCode")
    | _each(read.sex, "gender")
    | _each(read.two_digits, "relationshipToSubscriberCode")
    | {"address": ObjectField(_ADDRESS)},
    """middleName suffix ssn policyNumber groupNumber subscriberGroupName insuranceTypeCode
    contactInformation""",
)

_POINTERS = _schema("Pointers", _each(values.pointers, "diagnosisCodePointers"))

_SERVICE: DeclaredFields = (
    _each(read.code, "procedureIdentifier measurementUnit")
    | _each(read.procedure, "procedureCode")
    | _each(values.modifiers, "procedureModifiers")
    | _each(read.amount, "lineItemChargeAmount")
    | _each(read.number, "serviceUnitCount")
    | _each(read.two_digits, "placeOfServiceCode")
    | {"compositeDiagnosisCodePointers": ObjectOrListField(_POINTERS, values.bare_pointers)}
)
SERVICE_NAMES = frozenset(_SERVICE)
_SERVICE_UNREAD = "description emergencyIndicator epsdtIndicator familyPlanningIndicator copayStatusCode"

_LINE = _schema(
    "Line",
    _each(read.days, "serviceDate")
    | _each(read.day, "serviceDateEnd")
    | _each(read.text, "providerControlNumber")
    | {
        "professionalService": ObjectField(_schema("Service", _SERVICE, _SERVICE_UNREAD)),
        "renderingProvider": ObjectField(_PROVIDER),
        "orderingProvider": ObjectField(_PROVIDER),
        "referringProvider": ObjectField(_PROVIDER),
        "serviceFacilityLocation": ObjectField(_PROVIDER),
        "drugIdentification": ObjectField(
            _schema(
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

_DIAGNOSIS = _schema("Diagnosis", _each(read.diagnosis, "diagnosisCode") | _each(read.code, "diagnosisTypeCode"))

_CLAIM_INFORMATION = _schema(
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
        "claimSupplementalInformation": ObjectField(
            _schema(
                "Supplement",
                _each(read.text, "claimControlNumber"),
                """reportInformation reportInformations priorAuthorizationNumber referralNumber claimNumber cliaNumber
                mammographyCertificationNumber medicalRecordNumber investigationalDeviceExemptionNumber
                repricedClaimNumber adjustedRepricedClaimNumber demoProjectIdentifier carePlanOversightNumber
                serviceAuthorizationExceptionCode medicareCrossoverReferenceId""",
            )
        ),
        "serviceFacilityLocation": ObjectField(_PROVIDER),
        "healthCareCodeInformation": ObjectListField(_DIAGNOSIS),
        "serviceLines": ObjectListField(_LINE, required=True),
    },
    """propertyCasualtyClaimNumber deathDate patientWeight pregnancyIndicator patientSignatureSourceCode
    relatedCausesCode autoAccidentStateCode autoAccidentCountryCode specialProgramCode delayReasonCode
    patientAmountPaid claimDateInformation claimContractInformation fileInformation fileInformationList claimNote
    ambulanceTransportInformation ambulanceCertification ambulancePickUpLocation ambulanceDropOffLocation
    spinalManipulationServiceInformation patientConditionInformationVision homeboundIndicator epsdtReferral
    anesthesiaRelatedSurgicalProcedure conditionInformation claimPricingRepricingInformation
    otherSubscriberInformation""",
)

DOCUMENTATION_OBJECTS = {
    "signature": "name npi date credential",
    "sourceStudy": "code date levels device",
    "tbsSoftware": "name vendor version clearance",
    "order": "npi date",
}
_STATED = _schema(
    "Stated",
    _each(
        read.statement,
        """tbsValue tScore indication findings interpretation recommendation reportDate calculatedBy tbsCategory levels
        limitations""",
    )
    | _each(read.flag_statement, "separateReport modifierSupport")
    | {
        name: ObjectField(_schema(name, _each(read.statement, members)))
        for name, members in DOCUMENTATION_OBJECTS.items()
    },
)

_CONTEXT = _schema(
    "Context",
    {
        "documentation": ObjectListField(
            _schema(
                "Documentation",
                {"lines": ScalarField(values.line_numbers), "elements": ObjectField(_STATED)},
            )
        ),
        "abn": ObjectListField(
            _schema(
                "Abn",
                _each(values.line_numbers, "lines")
                | _each(read.day, "issued signed")
                | _each(read.statement, "form option estimate reason")
                | _each(read.flag, "refused")
                | _each(read.number, "witnesses"),
            )
        ),
        "history": ObjectListField(
            _schema(
                "EarlierService",
                _each(read.procedure, "code")
                | _each(read.day, "date")
                | _each(values.modifiers, "modifiers")
                | _each(read.dashed_digits, "renderingNpi"),
            )
        ),
        "eligibility": ObjectField(
            _schema(
                "Eligibility",
                _each(read.keyword, "plan") | _each(read.flag, "qmb") | _each(read.day, "checkedOn"),
            )
        ),
        "pricing": ObjectField(
            _schema(
                "Pricing",
                _each(read.locality, "locality")
                | _each(read.participation, "participation")
                | _each(read.flag, "qualifyingApm"),
            )
        ),
        "receivedOn": ScalarField(read.day),
    },
)

_CONTACT = _schema("Contact", _each(read.text, "phoneNumber email faxNumber"), "name phoneExtension validContact")

BODY = _schema(
    "Body",
    _each(
        read.text,
        "controlNumber tradingPartnerServiceId tradingPartnerId tradingPartnerName",
    )
    | {
        "submitter": ObjectField(
            _schema(
                "Submitter",
                _each(read.text, "organizationName lastName") | {"contactInformation": ObjectField(_CONTACT)},
                "firstName middleName submitterIdentification taxId",
            )
        ),
        "receiver": ObjectField(_schema("Receiver", _each(read.text, "organizationName"), "taxId")),
        "subscriber": ObjectField(_PERSON),
        "dependent": ObjectField(_PERSON),
        "providers": ObjectListField(_PROVIDER),
        "billing": ObjectField(_PROVIDER),
        "rendering": ObjectField(_PROVIDER),
        "ordering": ObjectField(_PROVIDER),
        "referring": ObjectField(_PROVIDER),
        "supervising": ObjectField(_PROVIDER),
        "claimInformation": ObjectField(_CLAIM_INFORMATION, required=True),
        "scrubContext": ObjectField(_CONTEXT),
    },
    "payerAddress payToAddress payToPlan usageIndicator",
)
