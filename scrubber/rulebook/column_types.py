"""Lists the types that the columns of an author's table may have, and reads their cells into values as facts hold them.

A table is declared in pack.yaml (`table_declaration`). A cell of the wrong form is refused with what is probably meant.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from scrubber.likeness import meant
from scrubber.rulebook.cell_forms import is_npi, mistyped, not_known
from scrubber.rulebook.field import DECIMAL_PLACES, Type
from scrubber.rulebook.operators import clock_time
from scrubber.rulebook.vocabulary import LINES_OF_BUSINESS
from scrubber.rulebook.yaml_file import iso_day

NONE = "none"  # a key cell that says: the fact has none
MOST_VALUES = 1_000  # in one cell that lists several
MOST_TEXT = 2_000  # characters of a cell
PAYERS = "payers"  # in the mapping of all known values


class ColumnType(NamedTuple):
    """What the cells of a column hold. `of_fact` is the type of a fact that is held against them.

    `form` names the form of its values among `cell_forms.CELL_FORMS`, where they have one. `in_ranges`: a second column
    may end a range that the first one begins. `in_lists`: a cell may hold several values, with blanks between them.
    `in_bands`: two columns may say from where to where a row holds.
    """

    about: str
    of_fact: Type
    form: str | None = None
    in_ranges: bool = False
    in_lists: bool = True
    in_bands: bool = False


COLUMN_TYPES: Mapping[str, ColumnType] = {
    "procedure": ColumnType("a procedure code, such as 77080", Type.TEXT, "procedures", in_ranges=True),
    "modifier": ColumnType("a modifier, such as 26", Type.TEXT, "modifiers"),
    "diagnosis": ColumnType("a diagnosis code without its dot, such as M810", Type.TEXT, "diagnoses", in_ranges=True),
    "diagnosis-prefix": ColumnType(
        "the beginning of diagnosis codes, without a dot: M80 holds for all that begin with it; the longest one that "
        "fits goes before the others",
        Type.TEXT,
        "diagnosis beginnings",
    ),
    "place": ColumnType("a place of service, such as 11", Type.TEXT, "places", in_ranges=True),
    "payer": ColumnType(
        "our name for a payer, as a table of aliases has it, or a line of business, for all payers of it that no row "
        "names",
        Type.TEXT,
    ),
    "line-of-business": ColumnType(f"one of: {', '.join(LINES_OF_BUSINESS[:-1])}", Type.WORD),
    "plan": ColumnType("a plan, as scrubContext.eligibility.plan says it", Type.TEXT, "plans"),
    "contractor": ColumnType("the five digits of a Medicare contractor, such as 10112", Type.TEXT, "contractors"),
    "state": ColumnType("two capitals of a state, such as AL", Type.TEXT),
    "taxonomy": ColumnType("a taxonomy code, such as 207R00000X", Type.TEXT, "taxonomies"),
    "taxonomy-prefix": ColumnType("the beginning of taxonomy codes, such as 207R", Type.TEXT),
    "npi": ColumnType("a National Provider Identifier: ten digits, of which the last one checks", Type.TEXT),
    "x12-code": ColumnType("a code of the transaction, such as a claim frequency: 7", Type.TEXT, "x12-codes"),
    "word": ColumnType("one of the `words` that the column declares", Type.WORD),
    "text": ColumnType("any text", Type.TEXT, in_lists=False),
    "number": ColumnType("a whole number", Type.NUMBER, in_lists=False, in_bands=True),
    "decimal": ColumnType("a number, up to six digits after the point", Type.DECIMAL, in_lists=False, in_bands=True),
    "amount": ColumnType("dollars, with or without cents: 2330.00", Type.AMOUNT, in_lists=False, in_bands=True),
    "minutes": ColumnType("whole minutes", Type.NUMBER, in_lists=False, in_bands=True),
    "day": ColumnType("a day, such as 2025-01-31", Type.DAY, in_lists=False, in_bands=True),
    "clock-time": ColumnType("a time of the day, such as 22:00", Type.CLOCK, in_lists=False, in_bands=True),
    "yes-no": ColumnType("yes or no", Type.FLAG, in_lists=False),
}  # fmt: skip
PREFIXES = frozenset(("diagnosis-prefix", "taxonomy-prefix"))

_WHOLE = re.compile(r"-?[0-9]{1,15}")
_MINUTES = re.compile(r"[0-9]{1,6}")
_DECIMAL = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,6}))?")
_AMOUNT = re.compile(r"(-?)([0-9]{1,13})(?:\.([0-9]{1,2}))?")
_STATE = re.compile(r"[A-Z]{2}")
_TAXONOMY_PREFIX = re.compile(r"[0-9]{2}[0-9A-Z]{0,8}")


def value_of(type_: str, cell: str, words: Collection[str], known: Mapping[str, Collection[str]]) -> Any:
    """The value of a cell that is not blank, as a fact holds it. Raises ValueError with what is wrong.

    `words` are all values that the column may have, where it declares them; `known` has the names of payers.
    """
    if words and cell not in words:
        raise ValueError(_no_word(cell, words))
    of_fact = COLUMN_TYPES[type_].of_fact
    if of_fact in _SCALARS:
        return _SCALARS[of_fact](type_, cell)
    message = _wrong_text(type_, cell, known)
    if message:
        raise ValueError(message)
    return cell


def text_of(type_: str, value: Any) -> str:
    """A typed value as its cell has it; `none` and nothing for a cell that says so."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return " ".join(text_of(type_, each) for each in value) or NONE
    match COLUMN_TYPES[type_].of_fact:
        case Type.FLAG:
            return "yes" if value else "no"
        case Type.DAY:
            return date.fromordinal(value).isoformat()
        case Type.CLOCK:
            return f"{value // 60:02}:{value % 60:02}"
        case Type.AMOUNT:
            return f"{Decimal(value).scaleb(-2):f}"
        case Type.DECIMAL:
            return f"{Decimal(value).scaleb(-DECIMAL_PLACES).normalize():f}"
        case _:
            return str(value)


def probably(text: str, known: Collection[str]) -> str:
    """` `X` is probably meant;`, where a name is near; else nothing."""
    near = meant(text, known, most=1)
    return f" `{near[0]}` is probably meant;" if near else ""


def _no_word(cell: str, words: Collection[str]) -> str:
    return f"`{cell}` is none of the column's words:{probably(cell, words)} there are: {', '.join(words)}"


def _wrong_text(type_: str, cell: str, known: Mapping[str, Collection[str]]) -> str | None:
    """Why a text is no value of a type; None where it is one."""
    form = COLUMN_TYPES[type_].form
    if form:
        return mistyped(form, cell, {})
    if type_ == "payer":
        fine = cell in known[PAYERS] or cell in LINES_OF_BUSINESS[:-1]
        return None if fine else not_known(PAYERS, cell, {*known[PAYERS], *LINES_OF_BUSINESS[:-1]})
    if type_ == "npi":
        return None if is_npi(cell) else f"`{cell}` is no NPI: ten digits, of which the last one checks the others"
    if type_ == "state":
        return None if _STATE.fullmatch(cell) else f"`{cell}` is no state: two capitals, such as AL"
    if type_ == "taxonomy-prefix" and not _TAXONOMY_PREFIX.fullmatch(cell):
        return f"`{cell}` is no beginning of a taxonomy code: digits and capitals, such as 207R"
    return f"has over {MOST_TEXT:,} characters" if len(cell) > MOST_TEXT else None


def _number(type_: str, cell: str) -> int:
    if type_ == "minutes":
        if not _MINUTES.fullmatch(cell):
            raise ValueError(f"`{cell}` is no number of minutes: digits only, such as 15")
        return int(cell)
    if not _WHOLE.fullmatch(cell):
        raise ValueError(f"`{cell}` is no whole number such as 12: no comma, no point and no unit")
    return int(cell)


def _decimal(_: str, cell: str) -> int:
    found = _DECIMAL.fullmatch(cell)
    if not found:
        raise ValueError(f"`{cell}` is no number such as 12.5: digits with a point, at most six after it")
    return _scaled(found, DECIMAL_PLACES)


def _amount(_: str, cell: str) -> int:
    found = _AMOUNT.fullmatch(cell)
    if not found:
        raise ValueError(f"`{cell}` is no amount such as 1250.85: digits with a point, no comma and no $")
    return _scaled(found, 2)


def _scaled(found: re.Match[str], places: int) -> int:
    sign, whole, fraction = found.groups()
    value = int(whole + (fraction or "").ljust(places, "0"))
    return -value if sign else value


def _clock_time(_type: str, cell: str) -> int:
    minutes = clock_time(cell)
    if minutes is None:
        raise ValueError(f"`{cell}` is no time of a day, such as 22:00")
    return minutes


def _day(_: str, cell: str) -> int:
    day = iso_day(cell)
    if day is None:
        raise ValueError(f"`{cell}` is no day of the calendar such as 2026-01-31")
    return day.toordinal()


def _yes_or_no(_: str, cell: str) -> bool:
    if cell not in ("yes", "no"):
        raise ValueError(f"`{cell}` is neither yes nor no")
    return cell == "yes"


_SCALARS = {
    Type.NUMBER: _number,
    Type.DECIMAL: _decimal,
    Type.AMOUNT: _amount,
    Type.DAY: _day,
    Type.CLOCK: _clock_time,
    Type.FLAG: _yes_or_no,
}
