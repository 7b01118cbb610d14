"""Lists the synonyms that senders use for names of the model, and finds the known name that an unknown one resembles.

Names are grouped by their object (the schemas of `claim/v3/schema.py`). The meaning of a name of SYNONYMS is certain:
it is read and reported. The meaning of a name of PROBABLE_SYNONYMS is only likely: it is reported, never read. Sources:
the v3 bodies that practice systems send (Change Healthcare, Optum, Stedi), the older names of the PokitDok API,
CMS-1500 and X12 names of the same element.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

MOST_EDITS = 2  # letters that were added, dropped, replaced or swapped with their neighbour
SHORT = 5  # letters; of a shorter name one edit is all that leaves it recognisable
LONG_WORD = 8  # letters; two errors leave such a word recognisable
LEAST_SHARED = 6  # letters that a name must have to be the beginning or the end of another

_split_words = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+").findall
_characters = re.compile(r"[A-Za-z0-9_-]").findall


def readable(name: str) -> str:
    """The letters, digits, underscores and dashes of a name: what is left without blanks, dots and look-alikes."""
    return "".join(_characters(name))


def last_word(name: str) -> str:
    """The last word of a name in small letters, without a number after it: `mods` of `procedureMods1`."""
    words = [word for word in _split_words(name) if not word.isdigit()]
    return words[-1].lower() if words else ""


def plain(name: str) -> str:
    """A name without what differs between ways to write names: capitals, underscores, dashes."""
    return name.casefold().replace("_", "").replace("-", "")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The name among `known` that `name` is most likely a misspelling of: the nearest, of several the first by letters.

    None where there is none. Names that differ in their number only (address2, address3) mean different things.
    """
    return _least((edits, candidate) for candidate in known if (edits := _edits(name, candidate)) is not None)


def longer_or_shorter(name: str, known: Iterable[str]) -> str | None:
    """The name among `known` that `name` begins or ends with, or that begins with it: the one nearest in length.

    Such a name may mean the same, or an attribute of it: procedureCodeList, procedureCodeDescription.
    """
    return _least((abs(len(name) - len(candidate)), candidate) for candidate in known if _shares(name, candidate))


def _least(found: Iterable[tuple[int, str]]) -> str | None:
    best = min(found, default=None)
    return best[1] if best else None


def _shares(name: str, known: str) -> bool:
    one, other = plain(name), plain(known)
    if _differ_in_number(one, other) or min(len(one), len(other)) < LEAST_SHARED:
        return False
    return one.startswith(other) or other.startswith(one) or (one.endswith(other) and _ends_in_words_of(name, known))


def _ends_in_words_of(name: str, known: str) -> bool:
    """Whether a name ends in another as whole words: lineModifiers in modifiers, not readdress in address."""
    words = _split_words(name)
    return any(plain("".join(words[index:])) == plain(known) for index in range(len(words)))


def _differ_in_number(one: str, other: str) -> bool:
    return one.rstrip("0123456789") == other.rstrip("0123456789") and one[-1:].isdigit() and other[-1:].isdigit()


def _edits(name: str, known: str) -> int | None:
    """How many edits lead from a name to a known one; None where it is no misspelling of that."""
    one, other = plain(name), plain(known)
    if one == other:
        return 0
    if _differ_in_number(one, other):
        return None
    most = MOST_EDITS if min(len(one), len(other)) >= SHORT else 1
    if len({*one} ^ {*other}) > 2 * most:  # an edit brings one letter and takes one away: no need to count
        return None
    edits = distance(one, other, most)
    return None if edits == MOST_EDITS and not _words_agree(name, known) else edits


def _words_agree(name: str, known: str) -> bool:
    """Whether no short word of a name became another word: procedureMods is not procedureCode."""
    words, others = _split_words(name), _split_words(known)
    if len(words) != len(others):
        return True
    return all(
        distance(plain(one), plain(other), 1 if len(other) < LONG_WORD else MOST_EDITS) is not None
        for one, other in zip(words, others, strict=True)
    )


def distance(one: str, other: str, most: int) -> int | None:
    """Edits between two texts (Damerau's count, of neighbours swapped once); None where there are more than `most`."""
    if abs(len(one) - len(other)) > most:
        return None
    before: list[int] = []
    above = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        here = [row]
        for column, against in enumerate(other, start=1):
            edits = min(above[column] + 1, here[column - 1] + 1, above[column - 1] + (letter != against))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == against:
                edits = min(edits, before[column - 2] + 1)
            here.append(edits)
        if min(here) > most and min(above) > most:
            return None
        before, above = above, here
    return above[-1] if above[-1] <= most else None


Names = Mapping[str, Mapping[str, str]]  # by schema: the other name, and the model's


def _each(model: str, others: str) -> dict[str, str]:
    return dict.fromkeys(others.split(), model)


_TAX_ID = _each("employerId", "taxId ein taxIdentificationNumber federalTaxId")

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

_SERVICE_NAMES = """procedureIdentifier measurementUnit procedureCode procedureModifiers lineItemChargeAmount
    serviceUnitCount placeOfServiceCode compositeDiagnosisCodePointers"""

# The names that the parts of every claim are made of. Of the many others, a name that is only longer or shorter (as
# procedureDescription is of description) is most likely a name of its own.
TAKEN: Mapping[str, frozenset[str]] = {
    kind: frozenset(names.split())
    for kind, names in {
        "Body": """controlNumber tradingPartnerServiceId tradingPartnerId tradingPartnerName submitter receiver
            subscriber dependent providers billing rendering ordering referring supervising claimInformation
            scrubContext""",
        "Submitter": "organizationName lastName contactInformation",
        "Contact": "phoneNumber email faxNumber",
        "Receiver": "organizationName",
        "Person": """memberId lastName firstName organizationName dateOfBirth paymentResponsibilityLevelCode gender
            relationshipToSubscriberCode address""",
        "Provider": "providerType organizationName lastName firstName npi employerId ssn taxonomyCode address",
        "Address": "address1 line1 city state postalCode zip",
        "ClaimInformation": """claimFilingCode claimFrequencyCode planParticipationCode patientControlNumber
            claimChargeAmount placeOfServiceCode signatureIndicator benefitsAssignmentCertificationIndicator
            releaseInformationCode claimSupplementalInformation serviceFacilityLocation healthCareCodeInformation
            serviceLines""",
        "Supplement": "claimControlNumber",
        "Diagnosis": "diagnosisCode diagnosisTypeCode",
        "Service": _SERVICE_NAMES,
        "Pointers": "diagnosisCodePointers",
        "Line": f"""serviceDate serviceDateEnd providerControlNumber professionalService renderingProvider
            orderingProvider referringProvider serviceFacilityLocation drugIdentification {_SERVICE_NAMES}""",
        "Drug": "nationalDrugCode",
    }.items()
}

NUMBERED = {f"{name}{number}": number for name in ("procedureModifier", "modifier") for number in (1, 2, 3, 4)}
MODIFIERS = "procedureModifiers"  # the list of which the numbered names are entries

# Child objects whose names senders also write into the parent, and the other way round.
CHILD_OBJECTS = {
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

PROBABLE_SYNONYMS: Names = {
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
        **_SERVICE_PROBABLY,  # where the line itself has the names of its service
        **_each("serviceDate", "date dos fromDate startDate servicedDate"),
        **_each("serviceDateEnd", "toDate endDate throughDate"),
        **_each("nationalDrugCode", "ndc ndcCode"),
        **_each("professionalService", "service serviceInfo serviceInformation serviceDetail serviceDetails"),
    },
    "Service": _SERVICE_PROBABLY,
}

# Objects in which the last word of a name is enough to recognise it: `procMods` as `mods`, `lineUnits` as `units`.
IN_SERVICE = ("Line", "Service")
