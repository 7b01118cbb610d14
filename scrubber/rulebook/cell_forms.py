"""Checks the form of codes and names in rules and tables, and proposes the correction of a mistyped one.

The same forms hold for values in conditions of rules and for cells of the tables of a pack.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple

from scrubber import likeness
from scrubber.rulebook.yaml_file import iso_day


class CellForm(NamedTuple):
    """What one value of a type is called, the whole of it as a pattern, and an example with what is often mistyped."""

    what: str
    pattern: re.Pattern[str]
    like: str


_PROCEDURES = CellForm(
    "procedure code",
    # CPT and HCPCS Level II: no code has the letters O and I, which stand for a mistyped 0 and 1.
    re.compile(r"[0-9]{4}[0-9A-HJ-NP-Z]|[A-HJ-NP-Z][0-9]{4}"),
    'it looks like "77080" or "G0130", and O is no zero',
)
_DIAGNOSES = CellForm(
    "diagnosis code",
    re.compile(r"[A-Z][0-9][0-9A-HJ-NP-Z]{1,5}"),
    'capitals and digits without a dot, such as "M810", and O is no zero',
)
CELL_FORMS: Mapping[str, CellForm] = {  # by the words of vocabulary.LIST_TYPES; types without one hold any text
    "procedures": _PROCEDURES,
    "diagnoses": _DIAGNOSES,
    "modifiers": CellForm(
        "modifier",
        re.compile(r"(?!O[0-9]|[0-9]O)[0-9A-Z]{2}"),
        'two digits or capitals, such as "26", and O is no zero',
    ),
    "places": CellForm("place of service", re.compile(r"[0-9]{2}"), 'two digits, such as "11"'),
    "contractors": CellForm("Medicare contractor", re.compile(r"[0-9]{5}"), 'five digits, such as "10112"'),
    "taxonomies": CellForm(
        "taxonomy code", re.compile(r"[0-9A-Z]{9}X"), 'nine digits or capitals and an X, such as "332B00000X"'
    ),
    "x12-codes": CellForm("code of the transaction", re.compile(r"[0-9A-Z]{1,3}"), 'digits and capitals, such as "MB"'),
    "words": CellForm(
        "phrase as claims are compared with it",
        re.compile(r"[a-z0-9]+(?: [a-z0-9]+)*"),
        "small letters and digits, one blank between words, and no punctuation",
    ),
    "plans": CellForm(
        "name of a plan",
        re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*"),
        'small letters, digits and hyphens, such as "medicaid"',
    ),
    "diagnosis beginnings": _DIAGNOSES._replace(
        what="beginning of a diagnosis code", pattern=re.compile(r"[A-Z](?:[0-9][0-9A-HJ-NP-Z]{0,5})?")
    ),
}  # fmt: skip


def mistyped(type_: str, text: str, known: Mapping[str, Collection[str]]) -> str | None:
    """Why a text is no value of a type, and its probable correction; None where it is one.

    `known` has all values of the types whose values are all known (payers, elements).
    """
    if type_ in known:
        return None if text in known[type_] else not_known(type_, text, known[type_])
    if type_ == "days":
        return None if iso_day(text) else f"`{text}` is no day of the calendar such as 2026-01-31"
    form = CELL_FORMS.get(type_)
    if form is None or form.pattern.fullmatch(text):
        return None
    meant = next((other for other in _corrections(type_, text) if form.pattern.fullmatch(other)), None)
    return f"`{text}` is no {form.what}: {f'`{meant}` is probably meant; ' if meant else ''}{form.like}"


def not_known(type_: str, text: str, known: Collection[str]) -> str:
    """The message on a name that no table has and that is no element of a claim, with its probable correction."""
    near = likeness.meant(text, known, most=1)
    meant = f"`{near[0]}` is probably meant; else " if near else ""
    if type_ == "payers":
        return f"no row of aliases names the payer `{text}`: {meant}add one to a table of aliases, or correct the name"
    return f"`{text}` is no element of a claim: {meant}docs/writing-rules.md lists them all"


def _corrections(type_: str, text: str) -> Iterator[str]:
    """What a text may have been before somebody or a spreadsheet changed it, the likeliest first."""
    if type_ == "words":
        yield " ".join(re.findall(r"[a-z0-9]+", text.casefold()))
        return
    if type_ == "plans":
        yield "-".join(re.findall(r"[a-z0-9]+", text.casefold()))
        return
    plain = re.sub(r"[\s.\-]", "", text.upper())
    if text[1:] != text[1:].upper() and type_ in ("procedures", "diagnoses"):
        yield plain[:1] + re.sub(r"[\s.\-]", "", text[1:]).replace("l", "1").upper()  # a small l is a mistyped 1
    yield plain
    yield from _CORRECTORS.get(type_, _as_digits)(plain)


def _as_digits(text: str) -> Iterator[str]:
    yield text.translate(_DIGITS)


_DIGITS = str.maketrans("OIL", "011")


def _procedure(text: str) -> Iterator[str]:
    yield text[:1] + text[1:].translate(_DIGITS)
    yield text.translate(_DIGITS)
    yield text.zfill(5)  # a spreadsheet takes the zeros from the front of 00100


def _diagnosis(text: str) -> Iterator[str]:
    yield text[:1] + text[1:].translate(_DIGITS)


def _short(text: str) -> Iterator[str]:
    yield from _as_digits(text)
    yield text.translate(_DIGITS).zfill(2)


def _contractor(text: str) -> Iterator[str]:
    yield text.translate(_DIGITS).zfill(5)


_CORRECTORS: Mapping[str, Callable[[str], Iterator[str]]] = {
    "procedures": _procedure,
    "diagnoses": _diagnosis,
    "diagnosis beginnings": _diagnosis,
    "modifiers": _short,
    "places": _short,
    "contractors": _contractor,
}


_TEN_DIGITS = re.compile(r"[0-9]{10}")


def is_npi(text: str) -> bool:
    """Whether a text is a National Provider Identifier: ten digits, Luhn over 80840 and the number."""
    if not _TEN_DIGITS.fullmatch(text):
        return False
    total = 24
    for position, digit in enumerate(reversed(text)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
