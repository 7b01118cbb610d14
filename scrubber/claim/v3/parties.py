"""Reads loaded providers, persons, service lines and diagnoses, from either form of the v3 body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from scrubber.claim.model import MOST_LINES, Address, Diagnosis, Person, Provider, ServiceLine
from scrubber.claim.v3.extractor import Extractor, LoadedObject
from scrubber.claim.v3.schema import SERVICE_NAMES
from scrubber.claim.v3.values import IrregularValue

ROLES = ("billing", "rendering", "ordering", "referring", "supervising")
_TYPES = {f"{role.title()}Provider": role for role in ROLES}
_TYPES_IN_LOWER_CASE = {kind.lower(): role for kind, role in _TYPES.items()}


_PROVIDER = ("npi", "taxonomyCode", "organizationName", "lastName", "firstName", "employerId", "ssn")
_PERSON = ("memberId", "lastName", "firstName", "dateOfBirth", "gender", "organizationName")
_ADDRESS = ("address1", "city", "state", "postalCode")

_Elements = tuple[str | None, ...]


class _ProviderElements(NamedTuple):
    """Names of `vocabulary.ELEMENTS` for the scalars of one provider; None where no check looks."""

    own: _Elements  # as _PROVIDER
    address: _Elements  # as _ADDRESS


def _elements(
    npi: str | None = None,
    taxonomy: str | None = None,
    name: str | None = None,
    tax_id: str | None = None,
    address: _Elements = (None, None, None, None),
) -> _ProviderElements:
    return _ProviderElements((npi, taxonomy, name, name, None, tax_id, tax_id), address)


class _PersonElements(NamedTuple):
    own: _Elements  # as _PERSON
    relationship: str | None = None


_PROVIDERS = {
    "billing": _elements(
        "billing-npi", "billing-taxonomy", "billing-name", "billing-tax-id",
        ("billing-street", "billing-city", "billing-state", "billing-zip"),
    ),
    "rendering": _elements("rendering-npi", "rendering-taxonomy", "rendering-name"),
    "ordering": _elements("ordering-npi"),
    "referring": _elements("referring-npi"),
    "supervising": _elements("supervising-npi"),
    "facility": _elements("facility-npi", address=(None, None, None, "facility-zip")),
}  # fmt: skip
_NO_CHECKS = (None, None, None, None)
_DEPENDENT = _PersonElements(
    (None, "patient-last-name", "patient-first-name", "birth-date", "sex", None), "relationship"
)
_SUBSCRIBER = _PersonElements(
    ("member-id", "subscriber-last-name", "subscriber-first-name", None, None, "subscriber-last-name")
)
_PATIENT_SUBSCRIBER = _PersonElements((*_SUBSCRIBER.own[:3], "birth-date", "sex", None))


def providers(body: LoadedObject, extractor: Extractor) -> Mapping[str, Provider | None]:
    """The claim's providers by role. Where both forms have one, the one under its role counts."""
    listed = _listed(body.get("providers") or (), extractor)
    found: dict[str, Provider | None] = {}
    for role in ROLES:
        by_role = body.get(role)
        found[role] = provider(by_role, f"/{role}", role, extractor) if by_role else None
        if role in listed:
            found[role] = _of_both(found[role], role, *listed[role], extractor)
    return found


def _listed(entries: Sequence[LoadedObject], extractor: Extractor) -> dict[str, tuple[LoadedObject, str]]:
    listed: dict[str, tuple[LoadedObject, str]] = {}
    for index, entry in enumerate(entries):
        pointer = f"/providers/{index}"
        role = _role(entry, pointer, extractor)
        if role is None:
            extractor.unmapped.append(pointer)
        elif role in listed:
            extractor.record_change(pointer, "second provider of one role left out")
        else:
            listed[role] = entry, pointer
    return listed


def _role(entry: LoadedObject, pointer: str, extractor: Extractor) -> str | None:
    kind = extractor.take(entry, "providerType", pointer, None)
    role = _TYPES.get(kind)
    if role is None and kind is not None:
        role = _TYPES_IN_LOWER_CASE.get(kind.lower())
        if role is not None:
            extractor.record_change(f"{pointer}/providerType", "letters of the provider type")
    return role


def _of_both(
    by_role: Provider | None, role: str, entry: LoadedObject, pointer: str, extractor: Extractor
) -> Provider | None:
    if by_role is None:
        return provider(entry, pointer, role, extractor)
    other = provider(entry, by_role.pointer, role, Extractor())
    if other not in (by_role, None):
        extractor.record_change(pointer, "left out: the provider named by role says something else")
    return by_role


def provider(
    loaded: LoadedObject | None, pointer: str, role: str, extractor: Extractor, line: int | None = None
) -> Provider | None:
    """The provider at `pointer`, or None when there is none or it is empty."""
    if not loaded or (loaded.get("npi") is None and not _has_content(loaded)):
        return None
    elements = _PROVIDERS[role]
    npi, taxonomy, organization, last_name, first_name, employer, ssn = extractor.take_each(
        loaded, _PROVIDER, pointer, elements.own, line
    )
    if employer is None and ssn is not None:
        extractor.record_moved(f"{pointer}/employerId", f"{pointer}/ssn")
    address = _address(loaded.get("address"), f"{pointer}/address", elements.address, extractor, line)
    return Provider(pointer, npi, taxonomy, organization, last_name, first_name, employer or ssn, address)


def _has_content(loaded: LoadedObject) -> bool:
    """Whether it has a value other than a type; real senders fill objects with empty texts."""
    for name, value in loaded.items():
        if _has_content(value) if type(value) is dict else value is not None and name != "providerType":
            return True
    return False


def _person(loaded: LoadedObject | None, pointer: str, elements: _PersonElements, extractor: Extractor) -> Person:
    """The person at `pointer`; everything is None when there is none."""
    if not loaded:
        return Person(pointer)
    member_id, last_name, first_name, birth_date, sex, organization = extractor.take_each(
        loaded, _PERSON, pointer, elements.own
    )
    address = _address(loaded.get("address"), f"{pointer}/address", _NO_CHECKS, extractor)
    relationship = extractor.take(loaded, "relationshipToSubscriberCode", pointer, elements.relationship)
    return Person(pointer, member_id, last_name, first_name, birth_date, sex, address, relationship, organization)


def subscriber_and_patient(body: LoadedObject, extractor: Extractor) -> tuple[Person, Person]:
    """The subscriber, and the patient: the dependent when one is sent, else the subscriber again."""
    dependent = body.get("dependent")
    if not dependent or not _has_content(dependent):
        alone = _person(body.get("subscriber"), "/subscriber", _PATIENT_SUBSCRIBER, extractor)
        return alone, alone
    subscriber = _person(body.get("subscriber"), "/subscriber", _SUBSCRIBER, extractor)
    return subscriber, _person(dependent, "/dependent", _DEPENDENT, extractor)


def _address(
    loaded: LoadedObject | None, pointer: str, elements: _Elements, extractor: Extractor, line: int | None = None
) -> Address | None:
    if not loaded:
        return None
    if "line1" not in loaded and "zip" not in loaded:
        return Address(*extractor.take_each(loaded, _ADDRESS, pointer, elements, line))
    street, city, state, zip_code = elements
    return Address(
        extractor.take_either(loaded, "address1", "line1", pointer, street, line),
        extractor.take(loaded, "city", pointer, city, line),
        extractor.take(loaded, "state", pointer, state, line),
        extractor.take_either(loaded, "postalCode", "zip", pointer, zip_code, line),
    )


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
_ROLES = {
    "renderingProvider": "rendering",
    "orderingProvider": "ordering",
    "referringProvider": "referring",
    "serviceFacilityLocation": "facility",
}
_NO_ROLES = (None, None, None, None)
_NOTHING: tuple[object, ...] = (None, ())


def diagnoses(claim: LoadedObject, extractor: Extractor) -> tuple[Diagnosis, ...]:
    """The diagnoses in the order sent."""
    sent = claim.get("healthCareCodeInformation") or ()
    return tuple([_diagnosis(loaded, position, extractor) for position, loaded in enumerate(sent, start=1)])


def _diagnosis(loaded: LoadedObject, position: int, extractor: Extractor) -> Diagnosis:
    pointer = f"{_DIAGNOSES}/{position - 1}"
    qualifier, code = extractor.take_each(loaded, _DIAGNOSIS, pointer, _DIAGNOSIS_ELEMENTS)
    return Diagnosis(position, pointer, qualifier, code)


def service_lines(claim: LoadedObject, extractor: Extractor) -> tuple[ServiceLine, ...]:
    """The service lines in the order sent, numbered from 1; the first of those that are more than a claim can hold."""
    sent = claim["serviceLines"][:MOST_LINES]
    return tuple([_line(loaded, number, extractor) for number, loaded in enumerate(sent, start=1)])


def _line(loaded: LoadedObject, number: int, extractor: Extractor) -> ServiceLine:
    pointer = f"{_LINES}/{number - 1}"
    service, service_pointer = _service(loaded, pointer, extractor)
    first_day, last_day = _days(loaded, pointer, number, extractor)
    take, drug = extractor.take, loaded.get("drugIdentification")
    qualifier, procedure, modifiers, charge, unit_code, units, place_of_service = extractor.take_each(
        service, _SERVICE, service_pointer, _SERVICE_ELEMENTS, number
    )
    pointers = _pointers(service, service_pointer, number, extractor)
    rendering, ordering, referring, facility = _providers(loaded, pointer, number, extractor)
    return ServiceLine(
        number,
        pointer,
        service_pointer,
        qualifier,
        procedure,
        modifiers or (),
        charge,
        unit_code,
        units,
        first_day,
        last_day,
        place_of_service,
        pointers,
        rendering,
        ordering,
        referring,
        facility,
        take(drug, "nationalDrugCode", f"{pointer}/drugIdentification", None) if drug else None,
        take(loaded, "providerControlNumber", pointer, None),
    )


def _service(loaded: LoadedObject, pointer: str, extractor: Extractor) -> tuple[LoadedObject, str]:
    """What is billed, and its pointer: professionalService, or the line itself when that is flat."""
    service, service_pointer = loaded.get("professionalService"), f"{pointer}/professionalService"
    if SERVICE_NAMES.isdisjoint(loaded):
        return service or {}, service_pointer
    flat_names = sorted(name for name in SERVICE_NAMES.intersection(loaded) if loaded[name] is not None)
    if not flat_names:  # generated clients write null for each name that their object does not have
        return service or {}, service_pointer
    if service:
        return _merged_with_line(service, service_pointer, loaded, flat_names, pointer, extractor), service_pointer
    extractor.record_change(pointer, "professionalService read from the line itself")
    return loaded, pointer


def _merged_with_line(
    service: LoadedObject,
    service_pointer: str,
    loaded: LoadedObject,
    flat_names: Sequence[str],
    pointer: str,
    extractor: Extractor,
) -> LoadedObject:
    """The service with those of its names that are on the line itself, where it has no value of its own."""
    merged = dict(service)
    for name in flat_names:
        if merged.get(name) in _NOTHING:
            merged[name] = loaded[name]
            extractor.record_change(f"{pointer}/{name}", f"{name} read from beside professionalService")
            extractor.record_moved(f"{service_pointer}/{name}", f"{pointer}/{name}")
        else:
            extractor.unmapped.append(f"{pointer}/{name}")
            if merged[name] != loaded[name]:
                extractor.record_change(f"{pointer}/{name}", "left out: professionalService says something else")
    return merged


def _days(loaded: LoadedObject, pointer: str, number: int, extractor: Extractor) -> tuple[date | None, date | None]:
    """First and last day. An unreadable end does not count as one that is left out."""
    start = extractor.take(loaded, "serviceDate", pointer, "service-date", number)
    end = extractor.take(loaded, "serviceDateEnd", pointer, "service-date-end", number)
    first, last = start if type(start) is tuple else (start, start)
    if end is None:
        sent = loaded.get("serviceDateEnd")
        if type(start) is tuple:
            extractor.record_moved(f"{pointer}/serviceDateEnd", f"{pointer}/serviceDate")
        return first, None if type(sent) is IrregularValue and sent.expected else last
    if type(start) is tuple and last != end:
        extractor.record_change(f"{pointer}/serviceDate", "end of the range left out for serviceDateEnd")
    return first, end


def _pointers(service: LoadedObject, service_pointer: str, number: int, extractor: Extractor) -> tuple[int, ...]:
    composite, element = service.get(_COMPOSITE), "diagnosis-pointers"
    if type(composite) is dict:
        return extractor.take_several(composite, _POINTERS, f"{service_pointer}/{_COMPOSITE}", element, number)
    if composite is not None:
        extractor.record_moved(f"{service_pointer}/{_COMPOSITE}/{_POINTERS}", f"{service_pointer}/{_COMPOSITE}")
    return extractor.take_several(service, _COMPOSITE, service_pointer, element, number)


def _providers(loaded: LoadedObject, pointer: str, number: int, extractor: Extractor) -> Sequence[Provider | None]:
    """The line's own rendering, ordering and referring provider and facility."""
    if _ROLES.keys().isdisjoint(loaded):
        return _NO_ROLES
    return [provider(loaded.get(name), f"{pointer}/{name}", role, extractor, number) for name, role in _ROLES.items()]
