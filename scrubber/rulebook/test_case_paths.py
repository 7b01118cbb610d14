"""Resolves the paths of a rule's test cases (`line.2.modifiers`, `abn.signed`) to JSON pointers into a v3 body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple


class ValueForm(Enum):
    """How a text of a test case is converted for the body."""

    TEXT = "text"  # unchanged
    DAY = "day"  # 2025-03-12 becomes 20250312
    FLAG = "flag"  # yes and no become true and false
    CODES = "codes"  # one code becomes a list of one
    DIAGNOSES = "diagnoses"  # codes become diagnosis objects, the first of them principal
    BLOCKS = "blocks"  # one block becomes a list of one
    RAW = "raw"  # unchanged; the path is a JSON pointer


class Target(NamedTuple):
    """A position in the body: its JSON pointer, and the form of its value."""

    pointer: str
    form: ValueForm


_CI = "/claimInformation"
_CONTEXT = "/scrubContext"
_ELEMENTS = f"{_CONTEXT}/documentation/0/elements"
_SERVICE = "professionalService"

_PERSON = {
    "first-name": "firstName", "last-name": "lastName", "birth-date": "dateOfBirth", "sex": "gender",
    "member-id": "memberId", "responsibility": "paymentResponsibilityLevelCode",
    "relationship": "relationshipToSubscriberCode",
}  # fmt: skip
_PROVIDER = {
    "npi": "npi", "taxonomy": "taxonomyCode", "name": "organizationName", "first-name": "firstName",
    "last-name": "lastName", "tax-id": "employerId", "street": "address/address1", "city": "address/city",
    "state": "address/state", "zip": "address/postalCode",
}  # fmt: skip
_PARTIES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "subscriber": ("/subscriber", _PERSON),
    "patient": ("/dependent", _PERSON),
    "billing": ("/billing", _PROVIDER),
    "rendering": ("/rendering", _PROVIDER),
    "ordering": ("/ordering", _PROVIDER),
    "referring": ("/referring", _PROVIDER),
    "supervising": ("/supervising", _PROVIDER),
    "facility": (f"{_CI}/serviceFacilityLocation", _PROVIDER),
}
_CLAIM: Mapping[str, str] = {
    "claim.filing": f"{_CI}/claimFilingCode",
    "claim.frequency": f"{_CI}/claimFrequencyCode",
    "claim.total": f"{_CI}/claimChargeAmount",
    "claim.place": f"{_CI}/placeOfServiceCode",
    "claim.id": f"{_CI}/patientControlNumber",
    "claim.signature": f"{_CI}/signatureIndicator",
    "claim.assignment": f"{_CI}/planParticipationCode",
    "claim.benefits": f"{_CI}/benefitsAssignmentCertificationIndicator",
    "claim.release": f"{_CI}/releaseInformationCode",
    "claim.original-number": f"{_CI}/claimSupplementalInformation/claimControlNumber",
    "claim.payer-id": "/tradingPartnerServiceId",
    "claim.payer-name": "/tradingPartnerName",
    "submitter.name": "/submitter/organizationName",
    "submitter.contact": "/submitter/contactInformation",
    "receiver.name": "/receiver/organizationName",
    "eligibility": f"{_CONTEXT}/eligibility",
    "eligibility.plan": f"{_CONTEXT}/eligibility/plan",
    "pricing": f"{_CONTEXT}/pricing",
    "pricing.locality": f"{_CONTEXT}/pricing/locality",
    "pricing.participation": f"{_CONTEXT}/pricing/participation",
}
_STATED = {
    "": ("tbsValue", "tScore", "tbsCategory", "indication", "findings", "interpretation", "recommendation",
         "calculatedBy", "levels", "limitations", "signature", "sourceStudy", "tbsSoftware", "order"),
    "signature": ("name", "npi", "credential"),
    "sourceStudy": ("code", "levels", "device"),
    "tbsSoftware": ("name", "vendor", "version", "clearance"),
    "order": ("npi",),
}  # fmt: skip
_ABN = f"{_CONTEXT}/abn/0"


def _fixed_paths() -> dict[str, Target]:
    targets = {path: Target(pointer, ValueForm.TEXT) for path, pointer in _CLAIM.items()}
    for party, (pointer, names) in _PARTIES.items():
        targets[party] = Target(pointer, ValueForm.TEXT)
        for name, key in names.items():
            targets[f"{party}.{name}"] = Target(
                f"{pointer}/{key}", ValueForm.DAY if name == "birth-date" else ValueForm.TEXT
            )
    for block, members in _STATED.items():
        for name in members:
            path = f"{block}/{name}" if block else name
            targets["documentation." + path.replace("/", ".")] = Target(f"{_ELEMENTS}/{path}", ValueForm.TEXT)
    for path in ("reportDate", "signature/date", "sourceStudy/date", "order/date"):
        targets["documentation." + path.replace("/", ".")] = Target(f"{_ELEMENTS}/{path}", ValueForm.DAY)
    for name in ("separateReport", "modifierSupport"):
        targets[f"documentation.{name}"] = Target(f"{_ELEMENTS}/{name}", ValueForm.FLAG)
    for name in ("form", "option", "estimate", "reason", "witnesses"):
        targets[f"abn.{name}"] = Target(f"{_ABN}/{name}", ValueForm.TEXT)
    return targets | {
        "abn.issued": Target(f"{_ABN}/issued", ValueForm.DAY),
        "abn.signed": Target(f"{_ABN}/signed", ValueForm.DAY),
        "abn.refused": Target(f"{_ABN}/refused", ValueForm.FLAG),
        "abn.lines": Target(f"{_ABN}/lines", ValueForm.CODES),
        "documentation.lines": Target(f"{_CONTEXT}/documentation/0/lines", ValueForm.CODES),
        "abn": Target(f"{_CONTEXT}/abn", ValueForm.BLOCKS),
        "documentation": Target(f"{_CONTEXT}/documentation", ValueForm.BLOCKS),
        "history": Target(f"{_CONTEXT}/history", ValueForm.BLOCKS),
        "history-from": Target(f"{_CONTEXT}/historyFrom", ValueForm.DAY),
        "history-complete": Target(f"{_CONTEXT}/historyComplete", ValueForm.FLAG),
        "history-scope": Target(f"{_CONTEXT}/historyScope", ValueForm.TEXT),
        "eligibility.product": Target(f"{_CONTEXT}/eligibility/product", ValueForm.TEXT),
        "eligibility.hospice": Target(f"{_CONTEXT}/eligibility/hospice", ValueForm.BLOCKS),
        "eligibility.qmb": Target(f"{_CONTEXT}/eligibility/qmb", ValueForm.FLAG),
        "eligibility.checkedOn": Target(f"{_CONTEXT}/eligibility/checkedOn", ValueForm.DAY),
        "pricing.qualifyingApm": Target(f"{_CONTEXT}/pricing/qualifyingApm", ValueForm.FLAG),
        "received-on": Target(f"{_CONTEXT}/receivedOn", ValueForm.DAY),
        "diagnoses": Target(f"{_CI}/healthCareCodeInformation", ValueForm.DIAGNOSES),
    }


PATHS: Mapping[str, Target] = _fixed_paths()
LINE_FIELDS: Mapping[str, Target] = {
    "procedure": Target(f"{_SERVICE}/procedureCode", ValueForm.TEXT),
    "modifiers": Target(f"{_SERVICE}/procedureModifiers", ValueForm.CODES),
    "charge": Target(f"{_SERVICE}/lineItemChargeAmount", ValueForm.TEXT),
    "units": Target(f"{_SERVICE}/serviceUnitCount", ValueForm.TEXT),
    "unit-code": Target(f"{_SERVICE}/measurementUnit", ValueForm.TEXT),
    "qualifier": Target(f"{_SERVICE}/procedureIdentifier", ValueForm.TEXT),
    "place": Target(f"{_SERVICE}/placeOfServiceCode", ValueForm.TEXT),
    "pointers": Target(f"{_SERVICE}/compositeDiagnosisCodePointers/diagnosisCodePointers", ValueForm.CODES),
    "date": Target("serviceDate", ValueForm.DAY),
    "end-date": Target("serviceDateEnd", ValueForm.DAY),
    "rendering-npi": Target("renderingProvider/npi", ValueForm.TEXT),
    "taxonomy": Target("renderingProvider/taxonomyCode", ValueForm.TEXT),
    "ordering-npi": Target("orderingProvider/npi", ValueForm.TEXT),
    "ndc": Target("drugIdentification/nationalDrugCode", ValueForm.TEXT),
}
DIAGNOSIS_FIELDS = {"code": "diagnosisCode", "qualifier": "diagnosisTypeCode"}
POINTER = r"(/[^/]+)+"
LINE_PATH = rf"line\.[1-9][0-9]?(\.({'|'.join(LINE_FIELDS)}))?"
DOCUMENT_PATH = r"documentation(\.[A-Za-z_][A-Za-z0-9_-]*)+"  # elements that families declare
DIAGNOSIS_PATH = rf"diagnosis\.[1-9][0-9]?(\.({'|'.join(DIAGNOSIS_FIELDS)}))?"


def target(path: str) -> Target | None:
    """Where a path leads; None when it leads nowhere."""
    if path in PATHS:
        return PATHS[path]
    if re.fullmatch(POINTER, path):
        return Target(path, ValueForm.RAW)
    if re.fullmatch(DOCUMENT_PATH, path):
        return Target(f"{_ELEMENTS}/{path.partition('.')[2].replace('.', '/')}", ValueForm.TEXT)
    if re.fullmatch(LINE_PATH, path):
        return _line_target(path)
    if re.fullmatch(DIAGNOSIS_PATH, path):
        _, number, *name = path.split(".")
        field = f"/{DIAGNOSIS_FIELDS[name[0]]}" if name else ""
        return Target(f"{_CI}/healthCareCodeInformation/{int(number) - 1}{field}", ValueForm.TEXT)
    return None


def declared_name(path: str) -> str | None:
    """The name of the element of documentation that a path leads to, where only a family can declare it."""
    return path.partition(".")[2] if path not in PATHS and re.fullmatch(DOCUMENT_PATH, path) else None


def _line_target(path: str) -> Target:
    _, number, *name = path.split(".")
    line = f"{_CI}/serviceLines/{int(number) - 1}"
    if not name:
        return Target(line, ValueForm.RAW)
    field = LINE_FIELDS[name[0]]
    return Target(f"{line}/{field.pointer}", field.form)
