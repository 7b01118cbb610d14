"""Reads what reports state, each element as the type that its family declares: numbers, days, clock times, words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any

from scrubber.claim.model import Absence
from scrubber.claim.v3.values import IrregularValue, day, flag
from scrubber.facts.service_lines import millionths
from scrubber.rulebook.family import DocumentElement

MINUTES_OF_A_DAY = 1_440
_TIME = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})[T ]?(\d{2}):?(\d{2})(?::?\d{2})?", re.ASCII)
# Digits that belong to a word are no number: the levels L1-L4 of "1.285 (L1-L4)". A comma between digits is a point.
_NUMBER = re.compile(r"(?<![\w.,])[-+]?(?:[0-9]{1,9}(?:[.,][0-9]{1,9})?|[.,][0-9]{1,9})(?!\w|[.,][0-9])")
_MINUS = str.maketrans("\u2212\u2013", "--")


def number_in(given: str | Absence | None) -> Decimal | str:
    """The one number in a text, or the state of the element.

    Of several numbers nobody can tell which is meant: that is a state of its own, for the report may well be sound.
    """
    if given is None:
        return Absence.NOT_SUPPLIED.value
    if isinstance(given, Absence):
        return given.value
    found = _NUMBER.findall(given.translate(_MINUS))
    if len(found) > 1:
        return "several-numbers"
    return Decimal(found[0].replace(",", ".")) if found else "not-a-number"


def _number(given: str, _element: DocumentElement) -> int | None:
    found = number_in(given)
    return millionths(found) if isinstance(found, Decimal) else None


def _minutes(given: str, _element: DocumentElement) -> int | None:
    found = number_in(given)
    return int(found) if isinstance(found, Decimal) and found >= 0 and found == found.to_integral_value() else None


def _day(given: str, _element: DocumentElement) -> int | None:
    found = day(given)
    found = found.value if type(found) is IrregularValue else found
    return found.toordinal() if isinstance(found, date) else None


def time(given: str, _element: DocumentElement | None = None) -> int | None:
    """A day and clock time as CCYYMMDDHHMM, also with hyphens, T, blank, colon and seconds: minutes since day 0.

    24:00 is the end of the day. None for anything else.
    """
    match = _TIME.fullmatch(given.strip())
    if match is None:
        return None
    year, month, of_month, hour, minute = map(int, match.groups())
    try:
        ordinal = date(year, month, of_month).toordinal()
    except ValueError:
        return None
    if minute > 59 or hour > 24 or (hour == 24 and minute):
        return None
    return ordinal * MINUTES_OF_A_DAY + hour * 60 + minute


def _word(given: str, element: DocumentElement) -> str | None:
    written = {word.casefold(): word for word in element.words}
    return written.get(given.casefold())


def _yes_no(given: str, _element: DocumentElement) -> bool | None:
    found = flag(given)
    found = found.value if type(found) is IrregularValue else found
    return found if isinstance(found, bool) else None


_WORDS = re.compile(r"[a-z0-9]+")


def _phrase(given: str, _element: DocumentElement) -> str:
    """As lists of words have it: small letters and figures, one blank between words."""
    return " ".join(_WORDS.findall(given.casefold()))


def _words(given: str, _element: DocumentElement) -> tuple[str, ...]:
    """Each word of a text, and each two that follow one another."""
    words = _WORDS.findall(given.casefold())
    return tuple(dict.fromkeys((*words, *map(" ".join, pairwise(words)))))


def _procedure(given: str, _element: DocumentElement) -> str:
    """77080-TC is a part of 77080."""
    return given.strip().upper().partition("-")[0]


def _npi(given: str, _element: DocumentElement) -> str | None:
    digits = given.replace("-", "").replace(" ", "")
    return digits if digits.isdigit() else None


_PLACES = {"#": "[0-9]", "@": "[A-Z]", "*": "[0-9A-Z]"}


@lru_cache(64)
def _picked(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(_PLACES.get(sign, re.escape(sign)) for sign in pattern))


def _text(given: str, element: DocumentElement) -> str | None:
    """As it stands; of an element that picks a part of it, the first such part, in capitals."""
    if element.picks is None:
        return given
    found = _picked(element.picks).search(given.upper())
    return found[0] if found else None


def as_text(element: DocumentElement, value: Any) -> str:
    """A value among several, as lists of codes hold it."""
    if element.kind == "day":
        return date.fromordinal(value).isoformat()
    if element.kind == "time":
        days, minutes = divmod(value, MINUTES_OF_A_DAY)
        return f"{date.fromordinal(days).isoformat()} {minutes // 60:02}:{minutes % 60:02}"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


READERS: Mapping[str, Callable[[str, DocumentElement], Any]] = {
    "text": _text,
    "number": _number,
    "minutes": _minutes,
    "time": time,
    "day": _day,
    "word": _word,
    "yes-no": _yes_no,
    "phrase": _phrase,
    "words": _words,
    "procedure": _procedure,
    "npi": _npi,
}
