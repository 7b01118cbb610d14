"""Where a finding points: from an element's name and the line to a JSON pointer into the sender's body."""

from __future__ import annotations

from scrubber.claim import Claim, ServiceLine
from scrubber.vocabulary import ELEMENTS

DIAGNOSES = "/claimInformation/healthCareCodeInformation"
ICD9 = frozenset(("BK", "BF"))


def pointer_to(element: str, claim: Claim, line: ServiceLine | None = None) -> str:
    """The pointer of an element of ELEMENTS, on a line where it belongs to one, where it stands or would stand."""
    if element == "line-place" and line is not None and line.place is None:
        element = "claim-place"  # the claim's holds for the line
    place = ELEMENTS[element]
    return _base(place.owner, claim, line) + place.path


def _base(owner: str, claim: Claim, line: ServiceLine | None) -> str:
    if owner == "claim":
        return ""
    if owner in ("line", "service"):
        if line is None:
            return "/claimInformation/serviceLines"
        return line.pointer if owner == "line" else line.service_pointer
    if owner in ("subscriber", "patient"):
        return claim.subscriber.pointer if owner == "subscriber" else claim.patient.pointer
    if owner == "diagnosis":
        return _of_icd9(claim)
    on_line = getattr(line, owner, None) if line is not None else None
    provider = on_line or getattr(claim, owner, None)
    if provider is not None:
        return str(provider.pointer)
    return "/claimInformation/serviceFacilityLocation" if owner == "facility" else "/" + owner


def _of_icd9(claim: Claim) -> str:
    """The pointer of the first diagnosis with a qualifier of ICD-9; without one, of the first diagnosis."""
    found = [diagnosis for diagnosis in claim.diagnoses if diagnosis.qualifier in ICD9] or claim.diagnoses
    return found[0].pointer if found else DIAGNOSES
