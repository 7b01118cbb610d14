"""Reads loaded providers, persons, service lines and diagnoses, from either v3 shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from scrubber.claim.model import MOST_LINES, Address, Diagnosis, Person, Provider, ServiceLine
from scrubber.claim.v3 import constructors
from scrubber.claim.v3.schema import SERVICE_NAMES
from scrubber.claim.v3.values import Loaded, Notes, Odd

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


def providers(body: Loaded, notes: Notes) -> Mapping[str, Provider | None]:
    """The claim's providers by role. Where both shapes name one, the named shape holds."""
    listed = _listed(body.get("providers") or (), notes)
    found: dict[str, Provider | None] = {}
    for role in ROLES:
        named = body.get(role)
        found[role] = provider(named, f"/{role}", role, notes) if named else None
        if role in listed:
            found[role] = _of_both(found[role], role, *listed[role], notes)
    return found


def _listed(entries: Sequence[Loaded], notes: Notes) -> dict[str, tuple[Loaded, str]]:
    listed: dict[str, tuple[Loaded, str]] = {}
    for index, entry in enumerate(entries):
        pointer = f"/providers/{index}"
        role = _role(entry, pointer, notes)
        if role is None:
            notes.unmapped.append(pointer)
        elif role in listed:
            notes.change(pointer, "second provider of one role left out")
        else:
            listed[role] = entry, pointer
    return listed


def _role(entry: Loaded, pointer: str, notes: Notes) -> str | None:
    kind = notes.take(entry, "providerType", pointer, None)
    role = _TYPES.get(kind)
    if role is None and kind is not None:
        role = _TYPES_IN_LOWER_CASE.get(kind.lower())
        if role is not None:
            notes.change(f"{pointer}/providerType", "letters of the provider type")
    return role


def _of_both(named: Provider | None, role: str, entry: Loaded, pointer: str, notes: Notes) -> Provider | None:
    if named is None:
        return provider(entry, pointer, role, notes)
    other = provider(entry, named.pointer, role, Notes())
    if other not in (named, None):
        notes.change(pointer, "left out: the provider named by role says something else")
    return named


def provider(loaded: Loaded | None, pointer: str, role: str, notes: Notes, line: int | None = None) -> Provider | None:
    """The provider that stands at `pointer`, or None when nothing is said of one."""
    if not loaded or (loaded.get("npi") is None and not _says(loaded)):
        return None
    elements = _PROVIDERS[role]
    npi, taxonomy, organization, last_name, first_name, employer, ssn = notes.take_each(
        loaded, _PROVIDER, pointer, elements.own, line
    )
    if employer is None and ssn is not None:
        notes.stands_at(f"{pointer}/employerId", f"{pointer}/ssn")
    address = _address(loaded.get("address"), f"{pointer}/address", elements.address, notes, line)
    return constructors.provider(pointer, npi, taxonomy, organization, last_name, first_name, employer or ssn, address)


def _says(loaded: Loaded) -> bool:
    """Whether anything but a type stands in it; real senders fill objects with empty texts."""
    for name, value in loaded.items():
        if _says(value) if type(value) is dict else value is not None and name != "providerType":
            return True
    return False


def _person(loaded: Loaded | None, pointer: str, elements: _PersonElements, notes: Notes) -> Person:
    """The person that stands at `pointer`; everything is None when nothing does."""
    if not loaded:
        return Person(pointer)
    member_id, last_name, first_name, birth_date, sex, organization = notes.take_each(
        loaded, _PERSON, pointer, elements.own
    )
    address = _address(loaded.get("address"), f"{pointer}/address", _NO_CHECKS, notes)
    relationship = notes.take(loaded, "relationshipToSubscriberCode", pointer, elements.relationship)
    return constructors.person(
        pointer, member_id, last_name, first_name, birth_date, sex, address, relationship, organization
    )


def subscriber_and_patient(body: Loaded, notes: Notes) -> tuple[Person, Person]:
    """The subscriber, and the patient: the dependent when one is sent, else the subscriber again."""
    dependent = body.get("dependent")
    if not dependent or not _says(dependent):
        alone = _person(body.get("subscriber"), "/subscriber", _PATIENT_SUBSCRIBER, notes)
        return alone, alone
    subscriber = _person(body.get("subscriber"), "/subscriber", _SUBSCRIBER, notes)
    return subscriber, _person(dependent, "/dependent", _DEPENDENT, notes)


def _address(
    loaded: Loaded | None, pointer: str, elements: _Elements, notes: Notes, line: int | None = None
) -> Address | None:
    if not loaded:
        return None
    if "line1" not in loaded and "zip" not in loaded:
        return constructors.address(*notes.take_each(loaded, _ADDRESS, pointer, elements, line))
    street, city, state, zip_code = elements
    return Address(
        notes.take_either(loaded, "address1", "line1", pointer, street, line),
        notes.take(loaded, "city", pointer, city, line),
        notes.take(loaded, "state", pointer, state, line),
        notes.take_either(loaded, "postalCode", "zip", pointer, zip_code, line),
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


def diagnoses(claim: Loaded, notes: Notes) -> tuple[Diagnosis, ...]:
    """The diagnoses in the order sent."""
    sent = claim.get("healthCareCodeInformation") or ()
    return tuple([_diagnosis(loaded, position, notes) for position, loaded in enumerate(sent, start=1)])


def _diagnosis(loaded: Loaded, position: int, notes: Notes) -> Diagnosis:
    pointer = f"{_DIAGNOSES}/{position - 1}"
    qualifier, code = notes.take_each(loaded, _DIAGNOSIS, pointer, _DIAGNOSIS_ELEMENTS)
    return constructors.diagnosis(position, pointer, qualifier, code)


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
    return constructors.service_line(
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
    beside = sorted(name for name in SERVICE_NAMES.intersection(loaded) if loaded[name] is not None)
    if not beside:  # clients that generators make write null for each name that their object does not have
        return service or {}, place
    if service:
        return _with_names_beside(service, place, loaded, beside, pointer, notes), place
    notes.change(pointer, "professionalService read from the line itself")
    return loaded, pointer


def _with_names_beside(
    service: Loaded, place: str, loaded: Loaded, beside: Sequence[str], pointer: str, notes: Notes
) -> Loaded:
    """The service with those of its names that stand on the line beside it, where it has none of its own."""
    whole = dict(service)
    for name in beside:
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
    if _ROLES.keys().isdisjoint(loaded):
        return _NO_ROLES
    return [provider(loaded.get(name), f"{pointer}/{name}", role, notes, number) for name, role in _ROLES.items()]
