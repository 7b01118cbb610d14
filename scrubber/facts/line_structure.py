"""Facts of structure, line by line: what is missing or malformed in one service line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from scrubber.claim import Claim, ServiceLine
from scrubber.remembered import remembered
from scrubber.rulebook.book import Rulebook

MOST_MODIFIERS, MOST_POINTERS = 4, 4
REMEMBERED = 16_384  # combinations of codes that a process remembers

_PROCEDURE = re.compile(r"[0-9]{4}[0-9A-Z]|[A-Z][0-9]{4}")
_MODIFIER = re.compile(r"[0-9A-Z]{2}")
PLACE = re.compile(r"[0-9]{2}")
CENT = Decimal("0.01")
X12 = "x12-"  # begins the name of a code list of the transaction; the name of its element follows

Found = Sequence[tuple[str, str]]


def line_flaws(line: ServiceLine, claim: Claim, received_on: date, rulebook: Rulebook) -> list[tuple[str, str]]:
    """Element and fault of all that is wrong with the line itself."""
    return [
        *_missing(line),
        *_code_flaws(line.procedure, line.qualifier, line.modifiers, line.place, line.unit_code, rulebook),
        *_numbers(line),
        *_dates(line, claim, received_on),
        *_pointers(line.pointers, len(claim.diagnoses)),
    ]


def _missing(line: ServiceLine) -> Found:
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


@remembered(REMEMBERED)
def _code_flaws(
    procedure: str | None,
    qualifier: str | None,
    modifiers: tuple[str, ...],
    place: str | None,
    unit_code: str | None,
    rulebook: Rulebook,
) -> tuple[tuple[str, str], ...]:
    """What is wrong with the codes of a line, whatever its claim."""
    checks = (
        (procedure and qualifier in (None, "HC") and not _PROCEDURE.fullmatch(procedure), "procedure", "wrong-format"),
        (any(not _MODIFIER.fullmatch(modifier) for modifier in modifiers), "modifiers", "wrong-format"),
        (len(set(modifiers)) < len(modifiers), "modifiers", "repeated"),
        (len(modifiers) > MOST_MODIFIERS, "modifiers", "too-many"),
        (place and not PLACE.fullmatch(place), "line-place", "wrong-format"),
        (unit_code and not in_code_list("unit-code", unit_code, rulebook), "unit-code", "not-in-code-list"),
        (qualifier and not in_code_list("procedure-qualifier", qualifier, rulebook), "procedure-qualifier",
         "not-in-code-list"),
    )  # fmt: skip
    return tuple((element, fault) for wrong, element, fault in checks if wrong)


def in_code_list(element: str, value: str, rulebook: Rulebook) -> bool:
    """Whether the transaction's code list for the element has the value; true when there is no such list."""
    contains = coded_elements(rulebook).get(element)
    return contains is None or contains(value)


@remembered(4)
def coded_elements(rulebook: Rulebook) -> Mapping[str, Callable[[str], bool]]:
    """The elements whose values a code list of the transaction holds, each with the test for it."""
    lists = rulebook.lists
    return {name.removeprefix(X12): lists.test(name) for name in sorted(lists.names) if name.startswith(X12)}


def _numbers(line: ServiceLine) -> Found:
    charge, units = line.charge, line.units
    flaws = []
    if charge is not None and charge < 0:
        flaws.append(("charge", "negative"))
    if charge is not None and charge % CENT:
        flaws.append(("charge", "fraction-of-cents"))
    if units is not None and units <= 0:
        flaws.append(("units", "not-positive"))
    elif units is not None and line.unit_code == "UN" and units % 1:
        flaws.append(("units", "fraction"))
    return tuple(flaws)


def _dates(line: ServiceLine, claim: Claim, received_on: date) -> Found:
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


@remembered(REMEMBERED)
def _pointers(pointers: tuple[int, ...], diagnoses: int) -> Found:
    """What is wrong with a line's pointers on a claim of so many diagnoses."""
    flaws = []
    if len(pointers) > MOST_POINTERS:
        flaws.append(("diagnosis-pointers", "too-many"))
    if diagnoses and pointers and not 1 <= min(pointers) <= max(pointers) <= diagnoses:
        flaws.append(("diagnosis-pointers", "out-of-range"))
    if len(set(pointers)) < len(pointers):
        flaws.append(("diagnosis-pointers", "repeated"))
    return tuple(flaws)
