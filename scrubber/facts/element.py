"""Makes the facts of elements that are missing or malformed. A sound claim has none of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from scrubber.claim.code_values import ICD9_QUALIFIERS, PROCEDURE_CODE, WHOLE_UNITS
from scrubber.claim.elements import ELEMENTS, READABLE
from scrubber.claim.model import Claim, Provider, Resembling, ServiceLine
from scrubber.facts.fact import Fact, LookUps, pointer_to
from scrubber.facts.service_lines import payer_fields
from scrubber.remembered import remembered
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import CodeLists, Rulebook

MOST_MODIFIERS, MOST_POINTERS = 4, 4
CODES_REMEMBERED = 16_384  # combinations of codes that a process remembers

_PROCEDURE = re.compile(r"[0-9]{4}[0-9A-Z]|[A-Z][0-9]{4}")
_MODIFIER = re.compile(r"[0-9A-Z]{2}")
PLACE = re.compile(r"[0-9]{2}")
CENT = Decimal("0.01")
NOT_IN_LIST = "not-in-code-list"
X12 = "x12-"  # begins the name of a code list of the transaction; the name of its element follows

ELEMENT_LOOK_UPS: LookUps = {"need": (("needed_elements", ""),)}
ElementFaults = Sequence[tuple[str, str]]


class X12Codes:
    """The code lists of the transaction: `tests` by the element whose values each holds."""

    def __init__(self, lists: CodeLists) -> None:
        self.tests: Mapping[str, Callable[[str], bool]] = {
            name.removeprefix(X12): lists.test(name) for name in sorted(lists.names) if name.startswith(X12)
        }

    def allow(self, element: str, value: str) -> bool:
        """Whether the list for the element has the value; true when there is no such list."""
        contains = self.tests.get(element)
        return contains is None or contains(value)


@remembered(4)
def x12_codes(rulebook: Rulebook) -> X12Codes:
    """The code lists of the transaction in a rulebook, made once."""
    return X12Codes(rulebook.lists)


def line_flaws(line: ServiceLine, claim: Claim, received_on: date, codes: X12Codes) -> list[tuple[str, str]]:
    """Element and fault of all that is wrong with the line itself."""
    return [
        *_missing_in_line(line),
        *_line_code_flaws(line.procedure, line.qualifier, line.modifiers, line.place, line.unit_code, codes),
        *_numbers(line),
        *_dates(line, claim, received_on),
        *_pointers(line.pointers, len(claim.diagnoses)),
    ]


def _missing_in_line(line: ServiceLine) -> ElementFaults:
    given = {
        "procedure": line.procedure,
        "charge": line.charge is not None,
        "unit-code": line.unit_code,
        "units": line.units is not None,
        "service-date": line.first_day,
        "diagnosis-pointers": line.pointers,
        "procedure-qualifier": line.qualifier,
    }
    return () if all(given.values()) else [(element, "missing") for element, value in given.items() if not value]


@remembered(CODES_REMEMBERED)
def _line_code_flaws(
    procedure: str | None,
    qualifier: str | None,
    modifiers: tuple[str, ...],
    place: str | None,
    unit_code: str | None,
    codes: X12Codes,
) -> tuple[tuple[str, str], ...]:
    """What is wrong with the codes of a line, whatever its claim."""
    coded = procedure and qualifier in (None, PROCEDURE_CODE)
    checks = (
        (coded and not _PROCEDURE.fullmatch(procedure or ""), "procedure", "wrong-format"),
        (any(not _MODIFIER.fullmatch(modifier) for modifier in modifiers), "modifiers", "wrong-format"),
        (len(set(modifiers)) < len(modifiers), "modifiers", "repeated"),
        (len(modifiers) > MOST_MODIFIERS, "modifiers", "too-many"),
        (place and not PLACE.fullmatch(place), "line-place", "wrong-format"),
        (unit_code and not codes.allow("unit-code", unit_code), "unit-code", NOT_IN_LIST),
        (qualifier and not codes.allow("procedure-qualifier", qualifier), "procedure-qualifier", NOT_IN_LIST),
    )  # fmt: skip
    return tuple((element, fault) for wrong, element, fault in checks if wrong)


def _numbers(line: ServiceLine) -> ElementFaults:
    charge, units = line.charge, line.units
    flaws = []
    if charge is not None and charge < 0:
        flaws.append(("charge", "negative"))
    if charge is not None and charge % CENT:
        flaws.append(("charge", "fraction-of-cents"))
    if units is not None and units <= 0:
        flaws.append(("units", "not-positive"))
    elif units is not None and line.unit_code == WHOLE_UNITS and units % 1:
        flaws.append(("units", "fraction"))
    return tuple(flaws)


def _dates(line: ServiceLine, claim: Claim, received_on: date) -> ElementFaults:
    first, last, born = line.first_day, line.last_day, claim.patient.birth_date
    if first and last and born and born <= first <= last <= received_on:
        return ()
    flaws = []
    if first and first > received_on:
        flaws.append(("service-date", "future"))
    elif last and last > received_on:
        flaws.append(("service-date-end", "future"))
    if first and born and first < born:
        flaws.append(("service-date", "before-birth"))
    if first and last and last < first:
        flaws.append(("service-date-end", "end-before-start"))
    return tuple(flaws)


@remembered(CODES_REMEMBERED)
def _pointers(pointers: tuple[int, ...], diagnoses: int) -> ElementFaults:
    """What is wrong with a line's pointers on a claim of so many diagnoses."""
    flaws = []
    if len(pointers) > MOST_POINTERS:
        flaws.append(("diagnosis-pointers", "too-many"))
    if diagnoses and pointers and not 1 <= min(pointers) <= max(pointers) <= diagnoses:
        flaws.append(("diagnosis-pointers", "out-of-range"))
    if len(set(pointers)) < len(pointers):
        flaws.append(("diagnosis-pointers", "repeated"))
    return tuple(flaws)


OLDEST = 120  # years
NPIS_REMEMBERED = 16_384  # NPIs and days that a process remembers
MOST_DIAGNOSES = 12
REPORTS = "reported-without-charge"
ORGANIZATIONS = "organization-as-subscriber"

_DIAGNOSIS = re.compile(r"[A-Z][0-9][0-9A-Z]{1,5}")
_TAXONOMY = re.compile(r"[0-9A-Z]{9}X")
_MBI = re.compile(r"[1-9][AC-HJKMNP-RT-Y0-9]{10}")  # eleven characters, the letters S, L, O, I, B and Z never
_PO_BOX = re.compile(r"\b(?:P\.?\s*O\.?|POST\s+OFFICE)\s*BOX(?![A-Z])", re.IGNORECASE)
_ZIP9 = re.compile(r"[0-9]{9}")
_ZIP5 = re.compile(r"[0-9]{5}")


class Flaw(NamedTuple):
    """An element and what is wrong with it; `pointer` overrides where the element would stand."""

    element: str
    fault: str
    line: int | None = None
    pointer: str | None = None
    need: str | None = None
    expected: str | None = None  # of what cannot be read: what was looked for


def element_facts(
    claim: Claim, payer: Payer, day: date, received_on: date, codes: X12Codes, rulebook: Rulebook
) -> Iterator[Fact]:
    """One fact for each element that is missing or malformed. `day` is the claim's first date of service."""
    unreadable: set[tuple[str, int | None, str | None]] = set()
    for item in claim.unreadable:
        unreadable |= {(item.element, item.line, item.pointer), (item.element, item.line, None)}
        flaw = Flaw(item.element, "unreadable", item.line, item.pointer, expected=item.expected)
        yield _fact(flaw, claim, payer, day)
    flaws = _flaws(claim, payer, day, received_on, codes, rulebook)
    for flaw in flaws:
        if (flaw.element, flaw.line, flaw.pointer) not in unreadable:  # else it only repeats that it could not be read
            yield _fact(flaw, claim, payer, day)
    if claim.flawed:
        yield from _flawed_facts(claim, flaws, payer, day, codes)
    if claim.resembling:
        yield from _resembling_facts(claim, payer, day)


def _flawed_facts(claim: Claim, flaws: Sequence[Flaw], payer: Payer, day: date, codes: X12Codes) -> Iterator[Fact]:
    """One fact for each element that the transaction does not allow so, save where other facts say that it is wrong."""
    known = {(flaw.element, flaw.line) for flaw in flaws}
    for found in claim.flawed:
        asked = found.fault == NOT_IN_LIST and found.element in codes.tests  # the rulebook's own list decides
        if not asked and (found.element, found.line) not in known:
            yield _fact(Flaw(found.element, found.fault, found.line, found.pointer), claim, payer, day)


def too_many_lines(claim: Claim, payer: Payer, day: date) -> Fact:
    """The one fact of a claim of more lines than it can hold."""
    return _fact(Flaw("service-lines", "too-many"), claim, payer, day)


def _resembling_facts(claim: Claim, payer: Payer, day: date) -> Iterator[Fact]:
    """One fact for each name of the model that other names in the body were probably meant as, with all its lines."""
    by_meant: dict[str, list[Resembling]] = {}
    for name in claim.resembling:
        by_meant.setdefault(name.known_name, []).append(name)
    for meant in sorted(by_meant):
        names = by_meant[meant]
        lines = tuple(sorted({name.line for name in names if name.line is not None}))
        element = _element_of(meant, names[0].pointer)
        yield Fact(
            "element",
            payer_fields(payer) | {"day": day.toordinal(), "element": element, "fault": RESEMBLING},
            lines,
            pointer=names[0].pointer,
            element=element,
            message_words={
                "label": ELEMENTS[element].label,
                "meant": meant,
                "where": _where(lines),
                "count": str(len(names)),
            },
        )


def _where(lines: tuple[int, ...]) -> str:
    if not lines:
        return "Claim"
    named = ", ".join(map(str, lines[:MOST_SHOWN]))
    more = f" and {len(lines) - MOST_SHOWN} more" if len(lines) > MOST_SHOWN else ""
    return f"Line{'s' if len(lines) > 1 else ''} {named}{more}"


def _element_of(name: str, pointer: str) -> str:
    """The element that has this name in the object where `pointer` stands, or the nearest one below it."""
    parent = tuple("*" if part.isdecimal() else part for part in pointer.split("/")[1:-1])
    below = [found for found in _BY_LAST_NAME.get(name, ()) if found[0][: len(parent)] == parent]
    return min(below, key=lambda found: len(found[0]))[1] if below else BODY


def _elements_by_last_name() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """By the last name of a path in the body, the whole paths with their elements."""
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for element in ELEMENTS.values():
        for path in element.paths:
            names = path[:-1] if path[-1:] == ("*",) else path
            if names:
                found.setdefault(names[-1], []).append((names, element.name))
    return found


BODY = "body"
RESEMBLING = "probably-meant"
MOST_SHOWN = 12  # of the lines that a message names
_BY_LAST_NAME = _elements_by_last_name()


def _fact(flaw: Flaw, claim: Claim, payer: Payer, day: date) -> Fact:
    line = claim.lines[flaw.line - 1] if flaw.line else None
    own_day = line.first_day if line is not None and line.first_day else day
    values: dict[str, Any] = {"day": own_day.toordinal(), "element": flaw.element, "fault": flaw.fault}
    if flaw.need is not None:
        values["need"] = flaw.need
    return Fact(
        "element",
        payer_fields(payer) | values,
        (flaw.line,) if flaw.line else (),
        pointer=flaw.pointer or pointer_to(flaw.element, claim, line),
        element=flaw.element,
        message_words=_message_words(flaw),
    )


def _message_words(flaw: Flaw) -> dict[str, str]:
    """The words of a finding about an element. `sent-as` is its place in the body, which holds no value."""
    element = ELEMENTS[flaw.element]
    words = {
        "label": element.label,
        "where": f"Line {flaw.line}" if flaw.line else "Claim",
        "is-are": element.is_are,
    }
    if flaw.expected is None or flaw.pointer is None:
        return words
    names = [name for name in flaw.pointer.split("/") if name and not name.isdecimal()]
    readable = next((READABLE[name] for name in (*names[-1:], flaw.expected) if name in READABLE), "")
    return words | {"sent-as": ".".join(names), "readable": readable}


def _flaws(claim: Claim, payer: Payer, day: date, received_on: date, codes: X12Codes, rulebook: Rulebook) -> list[Flaw]:
    flaws = [
        *_missing(claim, day, rulebook),
        *_code_flaws(claim, codes),
        *_claim_flaws(claim, day, rulebook),
        *_people_flaws(claim, payer, received_on),
        *_billing_flaws(claim.billing),
        *_provider_flaws(claim, None),
        *_diagnosis_flaws(claim),
    ]
    for line in claim.lines:
        for element, fault in line_flaws(line, claim, received_on, codes):
            flaws.append(Flaw(element, fault, line.number, need="required" if fault == "missing" else None))
        if line.rendering or line.ordering or line.referring or line.facility:
            flaws += _provider_flaws(line, line.number)
    return flaws


def _missing(claim: Claim, day: date, rulebook: Rulebook) -> list[Flaw]:
    supplied = _supplied(claim) | _employer(claim, day, rulebook)
    if _needed(day, rulebook) <= {*filter(supplied.get, supplied)}:
        return []
    rows = rulebook.needed_elements(day)
    return [Flaw(row.element, "missing", need=row.need) for row in rows if not supplied.get(row.element)]


@remembered(NPIS_REMEMBERED)
def _needed(day: date, rulebook: Rulebook) -> frozenset[str]:
    return frozenset(row.element for row in rulebook.needed_elements(day))


def _employer(claim: Claim, day: date, rulebook: Rulebook) -> dict[str, object]:
    """The names of an organization as subscriber, where the insurance has such and somebody else is the patient."""
    name = claim.subscriber.organization
    if name is None or claim.subscriber is claim.patient or claim.filing_indicator is None:
        return {}
    if not rulebook.lists.contains(ORGANIZATIONS, claim.filing_indicator, day.toordinal()):
        return {}
    return {"subscriber-last-name": name, "subscriber-first-name": name}


def _supplied(claim: Claim) -> dict[str, object]:
    """By name of an element that claims need, something that is true where the claim has it."""
    subscriber, patient, billing = claim.subscriber, claim.patient, claim.billing
    address = billing.address
    alone = patient is subscriber
    return {
        **claim.texts,
        "payer-id": claim.payer_id or claim.payer_name,
        "filing-indicator": claim.filing_indicator,
        "patient-control-number": claim.patient_control_number,
        "total": claim.total is not None,
        "claim-place": claim.place or all(line.place for line in claim.lines),
        "frequency": claim.frequency,
        "member-id": subscriber.member_id,
        "subscriber-last-name": subscriber.last_name,
        "subscriber-first-name": subscriber.first_name,
        "patient-last-name": alone or patient.last_name,
        "patient-first-name": alone or patient.first_name,
        "birth-date": patient.birth_date,
        "sex": patient.sex,
        "relationship": alone or patient.relationship,
        "billing-npi": billing.npi,
        "billing-name": billing.organization or billing.last_name,
        "billing-tax-id": billing.tax_id,
        "billing-street": address and address.line1,
        "billing-city": address and address.city,
        "billing-state": address and address.state,
        "billing-zip": address and address.zip,
        "diagnoses": claim.diagnoses,
    }


def _code_flaws(claim: Claim, codes: X12Codes) -> list[Flaw]:
    values = {"sex": claim.patient.sex, "relationship": claim.patient.relationship, **claim.texts}
    return [
        Flaw(element, NOT_IN_LIST)
        for element, contains in codes.tests.items()
        if (value := values.get(element)) and not contains(value)
    ]


def _claim_flaws(claim: Claim, day: date, rulebook: Rulebook) -> Iterator[Flaw]:
    if claim.total is not None and claim.total <= 0 and not (claim.total == 0 and _only_reports(claim, day, rulebook)):
        yield Flaw("total", "negative" if claim.total < 0 else "not-positive")
    if claim.total is not None and claim.total % CENT:
        yield Flaw("total", "fraction-of-cents")
    if claim.place and not PLACE.fullmatch(claim.place):
        yield Flaw("claim-place", "wrong-format")


def _only_reports(claim: Claim, day: date, rulebook: Rulebook) -> bool:
    """Whether every line is a code that reports something and asks for no payment, at no charge."""
    return bool(claim.lines) and all(
        line.charge == 0
        and line.procedure is not None
        and rulebook.lists.contains(REPORTS, line.procedure, (line.first_day or day).toordinal())
        for line in claim.lines
    )


def _people_flaws(claim: Claim, payer: Payer, received_on: date) -> Iterator[Flaw]:
    member_id, born = claim.subscriber.member_id, claim.patient.birth_date
    if member_id and payer.line_of_business == "original-medicare" and not _MBI.fullmatch(member_id.upper()):
        yield Flaw("member-id", "wrong-format")
    if born is not None and born > received_on:
        yield Flaw("birth-date", "future")
    elif born is not None and received_on.year - born.year > OLDEST:
        yield Flaw("birth-date", "out-of-range")


def _billing_flaws(billing: Provider) -> Iterator[Flaw]:
    yield from _npi_flaws("billing-npi", billing, None)
    if billing.taxonomy and not _TAXONOMY.fullmatch(billing.taxonomy):
        yield Flaw("billing-taxonomy", "wrong-format", pointer=billing.pointer + "/taxonomyCode")
    street = billing.address.line1 if billing.address else None
    if street and "BOX" in street.upper() and _PO_BOX.search(street):  # searching each street takes far longer
        yield Flaw("billing-street", "post-office-box")
    yield from _zip_flaws("billing-zip", billing, None)


def _provider_flaws(named_by: Claim | ServiceLine, line: int | None) -> list[Flaw]:
    """What is wrong with the providers that a claim names, or one of its lines."""
    flaws: list[Flaw] = []
    if named_by.rendering is not None:
        flaws += _npi_flaws("rendering-npi", named_by.rendering, line)
        flaws += _rendering_flaws(named_by.rendering, line)
    if named_by.ordering is not None:
        flaws += _npi_flaws("ordering-npi", named_by.ordering, line)
    if named_by.referring is not None:
        flaws += _npi_flaws("referring-npi", named_by.referring, line)
    if isinstance(named_by, Claim) and named_by.supervising is not None:
        flaws += _npi_flaws("supervising-npi", named_by.supervising, line)
    if named_by.facility is not None:
        flaws += _npi_flaws("facility-npi", named_by.facility, line)
        flaws += _zip_flaws("facility-zip", named_by.facility, line)
    return flaws


def _rendering_flaws(provider: Provider, line: int | None) -> Iterator[Flaw]:
    if provider.organization and not provider.last_name:
        yield Flaw("rendering-name", "organization", line, provider.pointer + "/organizationName")
    if provider.taxonomy and not _TAXONOMY.fullmatch(provider.taxonomy):
        yield Flaw("rendering-taxonomy", "wrong-format", line, provider.pointer + "/taxonomyCode")


def _zip_flaws(element: str, provider: Provider, line: int | None) -> Sequence[Flaw]:
    found = provider.address.zip if provider.address else None
    if not found or _ZIP9.fullmatch(found):
        return ()
    fault = "short-zip" if _ZIP5.fullmatch(found) else "wrong-format"
    return (Flaw(element, fault, line, provider.pointer + "/address/postalCode"),)


def _npi_flaws(element: str, provider: Provider, line: int | None) -> Sequence[Flaw]:
    fault = npi_fault(provider.npi) if provider.npi else None
    return (Flaw(element, fault, line, provider.pointer + "/npi"),) if fault else ()


def npi_fault(npi: str) -> str | None:
    """What is wrong with an NPI: ten digits, the first 1 or 2, Luhn over 80840 and the number. None: nothing."""
    if not (npi.isascii() and npi.isdigit() and len(npi) == 10):
        return "not-ten-digits"
    if npi[0] not in "12":
        return "wrong-format"
    return None if _checks(npi) else "check-digit"


@remembered(NPIS_REMEMBERED)
def _checks(npi: str) -> bool:
    digits = [int(digit) for digit in reversed(npi)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (24 + sum(digits[0::2]) + sum(doubled)) % 10 == 0


def _diagnosis_flaws(claim: Claim) -> Iterator[Flaw]:
    if len(claim.diagnoses) > MOST_DIAGNOSES:
        yield Flaw("diagnoses", "too-many")
    for diagnosis in claim.diagnoses:
        if diagnosis.code is None:
            yield Flaw("diagnosis-code", "missing", pointer=diagnosis.pointer + "/diagnosisCode", need="required")
        elif diagnosis.qualifier not in ICD9_QUALIFIERS and not _DIAGNOSIS.fullmatch(diagnosis.code):
            yield Flaw("diagnosis-code", "wrong-format", pointer=diagnosis.pointer + "/diagnosisCode")
