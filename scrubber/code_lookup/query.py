"""Reads the parameters of a look-up of a code or price, from a query string or a command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from scrubber.errors import ScrubberError
from scrubber.rulebook.vocabulary import LINES_OF_BUSINESS

MAX_PARTNERS = 1_000  # of a page
FALSE, TRUE = "false", "true"


class BadParameter(ScrubberError):
    """A parameter has a value that it cannot have; `expected` says which it may have."""

    def __init__(self, name: str, expected: str) -> None:
        self.name = name
        self.expected = expected
        super().__init__(f"`{name}` must be {expected}.")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a look-up. `field` is its attribute of the question; `pattern` must match its whole text.

    `convert` makes the value of the text, or raises ValueError. `choices` are all texts it can have, where it has few.
    """

    name: str
    field: str
    about: str
    expected: str
    pattern: str
    convert: Callable[[str], Any] = str
    choices: tuple[str, ...] = ()

    def read(self, text: str) -> Any:
        """The value. Raises BadParameter."""
        if re.fullmatch(self.pattern, text):
            try:
                return self.convert(text)
            except ValueError:
                pass
        raise BadParameter(self.name, self.expected)


@dataclass(frozen=True, slots=True)
class CodeQuestion:
    """The parameters of a code look-up. `day` is a date of service; without `place` both settings are priced.

    `payer` is a name as senders write it. Where neither it nor `line_of_business` is given, prices are Original
    Medicare's; without `line_of_business`, coverage is that of every one. A page has `page_size` PTP partners.
    """

    code: str
    day: date
    zip: str | None = None
    place: str | None = None
    payer: str | None = None
    line_of_business: str | None = None
    page: int = 1
    page_size: int = 100


@dataclass(frozen=True, slots=True)
class PriceQuestion:
    """The parameters of a price look-up, as on a line of a claim; `charge` in dollars, None = more than any fee."""

    code: str
    day: date
    modifiers: tuple[str, ...] = ()
    units: Decimal = Decimal(1)
    zip: str | None = None
    place: str | None = None
    payer: str | None = None
    line_of_business: str | None = None
    charge: Decimal | None = None
    participating: bool = True
    qualifying_apm: bool = False
    taxonomy: str | None = None


def code_question(code: str, texts: Mapping[str, str], today: date) -> CodeQuestion:
    """The question in texts by CODE_PARAMETERS. Raises BadParameter for the first that cannot be read."""
    return CodeQuestion(**{"code": CODE.read(code), "day": today} | _values(CODE_PARAMETERS, texts))


def price_question(texts: Mapping[str, str], today: date) -> PriceQuestion:
    """The question in texts by PRICE_PARAMETERS, of which only the code is needed. Raises BadParameter as above."""
    code = CODE.read(texts.get(CODE.name, ""))
    return PriceQuestion(**{"code": code, "day": today} | _values(PRICE_PARAMETERS, texts))


def _values(parameters: tuple[Parameter, ...], texts: Mapping[str, str]) -> dict[str, Any]:
    given = [parameter for parameter in parameters if parameter.name in texts]
    return {parameter.field: parameter.read(texts[parameter.name]) for parameter in given}


def _one_of(name: str, field: str, about: str, *choices: str, convert: Callable[[str], Any] = str) -> Parameter:
    return Parameter(name, field, about, f"one of: {', '.join(choices)}", "|".join(choices), convert, choices)


def _page_size(text: str) -> int:
    size = int(text)
    if size > MAX_PARTNERS:
        raise ValueError
    return size


def _units(text: str) -> Decimal:
    units = Decimal(text)
    if not units:
        raise ValueError
    return units


def _modifiers(text: str) -> tuple[str, ...]:
    return tuple(re.findall("[0-9A-Z]{2}", text.upper()))


CODE = Parameter(
    "code",
    "code",
    "CPT or HCPCS code.",
    "a procedure code: five digits, four digits and a letter, or a letter and four digits",
    "[0-9]{4}[0-9A-Za-z]|[A-Za-z][0-9]{4}",
    str.upper,
)
DATE = Parameter(
    "date",
    "day",
    "Date of service; default: today (UTC).",
    "a date: CCYYMMDD or CCYY-MM-DD",
    "[0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}",
    date.fromisoformat,
)
_ZIP = Parameter(
    "zip",
    "zip",
    "ZIP code where the service is furnished; without it amounts are national.",
    "a ZIP code of five or nine digits",
    "[0-9]{5}(-?[0-9]{4})?",
    lambda text: text.replace("-", ""),
)
_PLACE_OF_SERVICE = Parameter("pos", "place", "Place of service.", "a place of service: two digits", "[0-9]{2}")
_PAYER = Parameter(
    "payer", "payer", "Payer id or name as claims have it.", "a payer id or name of at most 80 characters", ".{1,80}"
)
_LINE_OF_BUSINESS = _one_of(
    "lineOfBusiness",
    "line_of_business",
    "What kind of payer it is; default: original-medicare, or unknown where a payer is named.",
    *LINES_OF_BUSINESS,
)
_PAGE = Parameter("page", "page", "Page of PTP partners, from 1.", "a whole number from 1", "[1-9][0-9]{0,5}", int)
_PAGE_SIZE = Parameter(
    "pageSize",
    "page_size",
    "PTP partners a page; default: 100.",
    f"a whole number from 1 to {MAX_PARTNERS}",
    "[1-9][0-9]{0,3}",
    _page_size,
)
_MODIFIERS = Parameter(
    "modifiers",
    "modifiers",
    "Modifiers of the line, in order, parted by commas.",
    "at most four modifiers of two characters, parted by commas",
    "([0-9A-Za-z]{2}(,[0-9A-Za-z]{2}){0,3})?",
    _modifiers,
)
_UNITS = Parameter(
    "units",
    "units",
    "Units of the line; default: 1.",
    "a number over 0, with at most three decimals",
    r"[0-9]{1,9}(\.[0-9]{1,3})?",
    _units,
)
_CHARGE = Parameter(
    "charge",
    "charge",
    "Charge of the line in dollars: no more than that is allowed.",
    "an amount in dollars, with at most two decimals",
    r"[0-9]{1,10}(\.[0-9]{1,2})?",
    Decimal,
)
_PARTICIPATION = _one_of(
    "participation",
    "participating",
    "Whether the provider takes part in Medicare; default: par.",
    "par",
    "nonpar",
    convert="par".__eq__,
)
_QUALIFYING_APM = _one_of(
    "qualifyingApm",
    "qualifying_apm",
    "Whether the provider qualifies in an advanced payment model; default: false.",
    FALSE,
    TRUE,
    convert=TRUE.__eq__,
)
_TAXONOMY = Parameter(
    "taxonomy",
    "taxonomy",
    "Taxonomy code of the rendering provider, whose class may be paid less.",
    "a taxonomy code of ten characters",
    "[0-9A-Za-z]{10}",
    str.upper,
)

_WHERE_AND_WHO = (DATE, _ZIP, _PLACE_OF_SERVICE, _PAYER, _LINE_OF_BUSINESS)
CODE_PARAMETERS = (*_WHERE_AND_WHO, _PAGE, _PAGE_SIZE)
PRICE_PARAMETERS = (
    CODE,
    _MODIFIERS,
    _UNITS,
    *_WHERE_AND_WHO,
    _CHARGE,
    _PARTICIPATION,
    _QUALIFYING_APM,
    _TAXONOMY,
)
