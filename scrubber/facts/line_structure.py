"""Facts of structure, line by line: what is missing or malformed in one service line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache

from scrubber.claim import Claim, ServiceLine
from scrubber.rulebook.book import Rulebook

MOST_MODIFIERS, MOST_POINTERS = 4, 4
REMEMBERED = 16_384  # combinations of codes that a process remembers

_PROCEDURE = re.compile(r"[0-9]{4}[0-9A-Z]|[A-Z][0-9]{4}")
_MODIFIER = re.compile(r"[0-9A-Z]{2}")
PLACE = re.compile(r"[0-9]{2}")
CENT = Decimal("0.01")

Found = Iterator[tuple[str, str]]


def line_flaws(line: ServiceLine, claim: Claim, received_on: date, rulebook: Rulebook) -> list[tuple[str, str]]:
    """Element and fault of all that is wrong with the line itself."""
    return [
        *_missing(line),
        *_code_flaws(line.procedure, line.qualifier, line.modifiers, line.place, line.unit_code, rulebook),
        *_numbers(line),
        *_dates(line, claim, received_on),
        *_pointers(line, claim),
    ]


def _missing(line: ServiceLine) -> Found:
    if not line.procedure:
        yield "procedure", "missing"
    if line.charge is None:
        yield "charge", "missing"
    if not line.unit_code:
        yield "unit-code", "missing"
    if line.units is None:
        yield "units", "missing"
    if line.first_day is None:
        yield "service-date", "missing"
    if not line.pointers:
        yield "diagnosis-pointers", "missing"
    if not line.qualifier:
        yield "procedure-qualifier", "missing"


@lru_cache(REMEMBERED)
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
    name = "x12-" + element
    return name not in rulebook.lists.names or rulebook.lists.may_contain(name, value)


def _numbers(line: ServiceLine) -> Found:
    if line.charge is not None and line.charge < 0:
        yield "charge", "negative"
    if line.charge is not None and line.charge % CENT:
        yield "charge", "fraction-of-cents"
    if line.units is not None and line.units <= 0:
        yield "units", "not-positive"
    elif line.units is not None and line.unit_code == "UN" and line.units % 1:
        yield "units", "fraction"


def _dates(line: ServiceLine, claim: Claim, received_on: date) -> Found:
    first, last, born = line.first_day, line.last_day, claim.patient.birth_date
    if first and first > received_on:
        yield "service-date", "future"
    elif last and last > received_on:
        yield "service-date-end", "future"
    if first and born and first < born:
        yield "service-date", "before-birth"
    if first and last and last < first:
        yield "service-date-end", "end-before-start"


def _pointers(line: ServiceLine, claim: Claim) -> Found:
    if len(line.pointers) > MOST_POINTERS:
        yield "diagnosis-pointers", "too-many"
    if claim.diagnoses and line.pointers and not 1 <= min(line.pointers) <= max(line.pointers) <= len(claim.diagnoses):
        yield "diagnosis-pointers", "out-of-range"
    if len(set(line.pointers)) < len(line.pointers):
        yield "diagnosis-pointers", "repeated"
