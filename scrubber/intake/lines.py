"""Step 1c of a claim's path: loaded service lines and diagnoses -> those of the Claim."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from scrubber.claim import MOST_LINES, Diagnosis, Provider, ServiceLine
from scrubber.intake import making
from scrubber.intake.normalise import Odd
from scrubber.intake.notes import Loaded, Notes
from scrubber.intake.parties import provider
from scrubber.intake.schema import SERVICE_NAMES

_DIAGNOSES = "/claimInformation/healthCareCodeInformation"
_LINES = "/claimInformation/serviceLines"
_COMPOSITE = "compositeDiagnosisCodePointers"
_POINTERS = "diagnosisCodePointers"


_DIAGNOSIS = ("diagnosisTypeCode", "diagnosisCode")
_DIAGNOSIS_ELEMENTS = ("diagnosis-qualifier", "diagnosis-code")
_SERVICE = (
    "procedureIdentifier", "procedureCode", "procedureModifiers", "lineItemChargeAmount", "measurementUnit",
    "serviceUnitCount", "placeOfServiceCode",
)  # fmt: skip
_SERVICE_ELEMENTS = ("procedure-qualifier", "procedure", "modifiers", "charge", "unit-code", "units", "line-place")
_PROVIDERS = {
    "renderingProvider": "rendering",
    "orderingProvider": "ordering",
    "referringProvider": "referring",
    "serviceFacilityLocation": "facility",
}
_NO_PROVIDERS = (None, None, None, None)
_NOTHING: tuple[object, ...] = (None, ())


def diagnoses(claim: Loaded, notes: Notes) -> tuple[Diagnosis, ...]:
    """The diagnoses in the order sent."""
    sent = claim.get("healthCareCodeInformation") or ()
    return tuple([_diagnosis(loaded, position, notes) for position, loaded in enumerate(sent, start=1)])


def _diagnosis(loaded: Loaded, position: int, notes: Notes) -> Diagnosis:
    pointer = f"{_DIAGNOSES}/{position - 1}"
    qualifier, code = notes.take_each(loaded, _DIAGNOSIS, pointer, _DIAGNOSIS_ELEMENTS)
    return making.diagnosis(position, pointer, qualifier, code)


def service_lines(claim: Loaded, notes: Notes) -> tuple[ServiceLine, ...]:
    """The service lines in the order sent, numbered from 1; the first of those that are more than a claim can hold."""
    sent = claim["serviceLines"][:MOST_LINES]
    return tuple([_line(loaded, number, notes) for number, loaded in enumerate(sent, start=1)])


def _line(loaded: Loaded, number: int, notes: Notes) -> ServiceLine:
    pointer = f"{_LINES}/{number - 1}"
    service, place = _service(loaded, pointer, notes)
    first_day, last_day = _days(loaded, pointer, number, notes)
    take, drug = notes.take, loaded.get("drugIdentification")
    qualifier, procedure, modifiers, charge, unit_code, units, line_place = notes.take_each(
        service, _SERVICE, place, _SERVICE_ELEMENTS, number
    )
    pointers = _pointers(service, place, number, notes)
    rendering, ordering, referring, facility = _providers(loaded, pointer, number, notes)
    return making.service_line(
        number,
        pointer,
        place,
        qualifier,
        procedure,
        modifiers or (),
        charge,
        unit_code,
        units,
        first_day,
        last_day,
        line_place,
        pointers,
        rendering,
        ordering,
        referring,
        facility,
        take(drug, "nationalDrugCode", f"{pointer}/drugIdentification", None) if drug else None,
        take(loaded, "providerControlNumber", pointer, None),
    )


def _service(loaded: Loaded, pointer: str, notes: Notes) -> tuple[Loaded, str]:
    """What is billed, and its pointer: professionalService, or the line itself when that is flat."""
    service, place = loaded.get("professionalService"), f"{pointer}/professionalService"
    if SERVICE_NAMES.isdisjoint(loaded):
        return service or {}, place
    if service:
        return _with_names_beside(service, place, loaded, pointer, notes), place
    notes.change(pointer, "professionalService read from the line itself")
    return loaded, pointer


def _with_names_beside(service: Loaded, place: str, loaded: Loaded, pointer: str, notes: Notes) -> Loaded:
    """The service with those of its names that stand on the line beside it, where it has none of its own."""
    whole = dict(service)
    for name in sorted(SERVICE_NAMES.intersection(loaded)):
        if whole.get(name) in _NOTHING:
            whole[name] = loaded[name]
            notes.change(f"{pointer}/{name}", f"{name} read from beside professionalService")
            notes.stands_at(f"{place}/{name}", f"{pointer}/{name}")
        else:
            notes.unmapped.append(f"{pointer}/{name}")
            if whole[name] != loaded[name]:
                notes.change(f"{pointer}/{name}", "left out: professionalService says something else")
    return whole


def _days(loaded: Loaded, pointer: str, number: int, notes: Notes) -> tuple[date | None, date | None]:
    """First and last day. An end that is unreadable is not taken for one that is left out."""
    start = notes.take(loaded, "serviceDate", pointer, "service-date", number)
    end = notes.take(loaded, "serviceDateEnd", pointer, "service-date-end", number)
    first, last = start if type(start) is tuple else (start, start)
    if end is None:
        sent = loaded.get("serviceDateEnd")
        if type(start) is tuple:
            notes.stands_at(f"{pointer}/serviceDateEnd", f"{pointer}/serviceDate")
        return first, None if type(sent) is Odd and sent.expected else last
    if type(start) is tuple and last != end:
        notes.change(f"{pointer}/serviceDate", "end of the range left out for serviceDateEnd")
    return first, end


def _pointers(service: Loaded, place: str, number: int, notes: Notes) -> tuple[int, ...]:
    composite, element = service.get(_COMPOSITE), "diagnosis-pointers"
    if type(composite) is dict:
        return notes.take_several(composite, _POINTERS, f"{place}/{_COMPOSITE}", element, number)
    if composite is not None:
        notes.stands_at(f"{place}/{_COMPOSITE}/{_POINTERS}", f"{place}/{_COMPOSITE}")
    return notes.take_several(service, _COMPOSITE, place, element, number)


def _providers(loaded: Loaded, pointer: str, number: int, notes: Notes) -> Sequence[Provider | None]:
    """The rendering, ordering and referring provider and the facility of the line's own."""
    if _PROVIDERS.keys().isdisjoint(loaded):
        return _NO_PROVIDERS
    return [provider(loaded.get(name), f"{pointer}/{name}", role, notes, number) for name, role in _PROVIDERS.items()]
