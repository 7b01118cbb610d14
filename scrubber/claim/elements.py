"""Catalogues the elements of a professional claim: path in the body, X12 loop and element, CMS-1500 box, label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Element:
    """An element of the claim: `owner` and `path` make its JSON pointer; X12 loop and element; CMS-1500 box; label."""

    owner: str  # claim | line | service | diagnosis | subscriber | patient | a provider: billing, rendering …
    path: str
    loop: str
    x12: str
    box: str | None
    label: str

    @property
    def is_are(self) -> str:
        """The verb that goes with the label."""
        return "are" if self.label in _PLURAL else "is"


_PLURAL = frozenset(
    ("diagnoses", "service lines", "modifiers", "units", "diagnosis pointers", "advance beneficiary notices",
     "earlier services")
)  # fmt: skip
_CI = "/claimInformation"
ELEMENTS: Mapping[str, Element] = {
    "payer-id": Element("claim", "/tradingPartnerServiceId", "2010BB", "NM109", None, "payer id"),
    "submitter-name": Element("claim", "/submitter/organizationName", "1000A", "NM103", None, "submitter name"),
    "submitter-contact": Element("claim", "/submitter/contactInformation", "1000A", "PER", None, "submitter contact"),
    "receiver-name": Element("claim", "/receiver/organizationName", "1000B", "NM103", None, "receiver name"),
    "filing-indicator": Element("claim", _CI + "/claimFilingCode", "2000B", "SBR09", "1", "claim filing indicator"),
    "payment-responsibility": Element(
        "subscriber", "/paymentResponsibilityLevelCode", "2000B", "SBR01", "11", "payment responsibility level"
    ),
    "patient-control-number": Element("claim", _CI + "/patientControlNumber", "2300", "CLM01", "26", "claim id"),
    "total": Element("claim", _CI + "/claimChargeAmount", "2300", "CLM02", "28", "claim charge"),
    "claim-place": Element("claim", _CI + "/placeOfServiceCode", "2300", "CLM05-1", "24B", "place of service"),
    "frequency": Element("claim", _CI + "/claimFrequencyCode", "2300", "CLM05-3", "22", "claim frequency code"),
    "signature-indicator": Element(
        "claim", _CI + "/signatureIndicator", "2300", "CLM06", "31", "provider signature indicator"
    ),
    "plan-participation": Element("claim", _CI + "/planParticipationCode", "2300", "CLM07", "27", "assignment code"),
    "benefits-assignment": Element(
        "claim", _CI + "/benefitsAssignmentCertificationIndicator", "2300", "CLM08", "13", "benefits assignment"
    ),
    "release-information": Element(
        "claim", _CI + "/releaseInformationCode", "2300", "CLM09", "12", "release of information code"
    ),
    "original-claim-number": Element(
        "claim", _CI + "/claimSupplementalInformation/claimControlNumber", "2300", "REF02", "22",
        "original claim number",
    ),
    "member-id": Element("subscriber", "/memberId", "2010BA", "NM109", "1a", "subscriber id"),
    "subscriber-last-name": Element("subscriber", "/lastName", "2010BA", "NM103", "4", "subscriber last name"),
    "subscriber-first-name": Element("subscriber", "/firstName", "2010BA", "NM104", "4", "subscriber first name"),
    "patient-last-name": Element("patient", "/lastName", "2010CA", "NM103", "2", "patient last name"),
    "patient-first-name": Element("patient", "/firstName", "2010CA", "NM104", "2", "patient first name"),
    "birth-date": Element("patient", "/dateOfBirth", "2010BA", "DMG02", "3", "patient date of birth"),
    "sex": Element("patient", "/gender", "2010BA", "DMG03", "3", "patient sex"),
    "relationship": Element(
        "patient", "/relationshipToSubscriberCode", "2000C", "PAT01", "6", "relationship to subscriber"
    ),
    "billing-npi": Element("billing", "/npi", "2010AA", "NM109", "33a", "billing provider NPI"),
    "billing-name": Element("billing", "/organizationName", "2010AA", "NM103", "33", "billing provider name"),
    "billing-tax-id": Element("billing", "/employerId", "2010AA", "REF02", "25", "billing provider tax id"),
    "billing-street": Element("billing", "/address/address1", "2010AA", "N301", "33", "billing provider street"),
    "billing-city": Element("billing", "/address/city", "2010AA", "N401", "33", "billing provider city"),
    "billing-state": Element("billing", "/address/state", "2010AA", "N402", "33", "billing provider state"),
    "billing-zip": Element("billing", "/address/postalCode", "2010AA", "N403", "33", "billing provider ZIP code"),
    "billing-taxonomy": Element("billing", "/taxonomyCode", "2000A", "PRV03", "33b", "billing provider taxonomy"),
    "rendering-npi": Element("rendering", "/npi", "2310B", "NM109", "24J", "rendering provider NPI"),
    "rendering-name": Element("rendering", "/lastName", "2310B", "NM103", "31", "rendering provider name"),
    "rendering-taxonomy": Element("rendering", "/taxonomyCode", "2310B", "PRV03", "24J", "rendering provider taxonomy"),
    "ordering-npi": Element("ordering", "/npi", "2420E", "NM109", "17b", "ordering provider NPI"),
    "referring-npi": Element("referring", "/npi", "2310A", "NM109", "17b", "referring provider NPI"),
    "supervising-npi": Element("supervising", "/npi", "2310D", "NM109", "17b", "supervising provider NPI"),
    "facility-npi": Element("facility", "/npi", "2310C", "NM109", "32a", "service facility NPI"),
    "facility-zip": Element("facility", "/address/postalCode", "2310C", "N403", "32", "service facility ZIP code"),
    "diagnoses": Element("claim", _CI + "/healthCareCodeInformation", "2300", "HI", "21", "diagnoses"),
    "diagnosis-code": Element("diagnosis", "/diagnosisCode", "2300", "HI01-2", "21", "diagnosis code"),
    "diagnosis-qualifier": Element("diagnosis", "/diagnosisTypeCode", "2300", "HI01-1", "21", "diagnosis qualifier"),
    "service-lines": Element("claim", _CI + "/serviceLines", "2400", "LX", "24", "service lines"),
    "service-date": Element("line", "/serviceDate", "2400", "DTP03", "24A", "date of service"),
    "service-date-end": Element("line", "/serviceDateEnd", "2400", "DTP03", "24A", "last date of service"),
    "procedure-qualifier": Element("service", "/procedureIdentifier", "2400", "SV101-1", None, "procedure qualifier"),
    "procedure": Element("service", "/procedureCode", "2400", "SV101-2", "24D", "procedure code"),
    "modifiers": Element("service", "/procedureModifiers", "2400", "SV101-3", "24D", "modifiers"),
    "charge": Element("service", "/lineItemChargeAmount", "2400", "SV102", "24F", "line charge"),
    "unit-code": Element("service", "/measurementUnit", "2400", "SV103", "24G", "unit of measurement"),
    "units": Element("service", "/serviceUnitCount", "2400", "SV104", "24G", "units"),
    "line-place": Element("service", "/placeOfServiceCode", "2400", "SV105", "24B", "line place of service"),
    "diagnosis-pointers": Element(
        "service", "/compositeDiagnosisCodePointers/diagnosisCodePointers", "2400", "SV107", "24E",
        "diagnosis pointers",
    ),
    "documentation": Element("claim", "/scrubContext/documentation", "", "", None, "documentation"),
    "abn": Element("claim", "/scrubContext/abn", "", "", None, "advance beneficiary notices"),
    "history": Element("claim", "/scrubContext/history", "", "", None, "earlier services"),
    "eligibility": Element("claim", "/scrubContext/eligibility", "", "", None, "eligibility"),
    "pricing": Element("claim", "/scrubContext/pricing", "", "", None, "pricing"),
    "received-on": Element("claim", "/scrubContext/receivedOn", "", "", None, "received-on date"),
    "body": Element("claim", "", "", "", None, "body of the claim"),
}  # fmt: skip

# What an element may hold, in words for the sender: by the last name of its pointer, else by what was expected.
READABLE: Mapping[str, str] = {
    "participation": "par or nonpar",
    "locality": "national, or five digits, a hyphen and two digits, such as 10112-00",
    "qualifyingApm": "true or false",
    "qmb": "true or false",
    "refused": "true or false",
    "separateReport": "true or false",
    "modifierSupport": "true or false",
    "plan": "a plan's name in small letters and hyphens, such as original-medicare",
    "lines": "positions of service lines, counted from 1",
    "text": "a text",
    "amount": "dollars as digits with a point",
    "number": "a number as digits",
    "date": "a date as CCYYMMDD",
    "pointer": "the position of a diagnosis, from 1",
    "code": "a code as text",
}
