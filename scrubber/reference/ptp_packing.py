"""Look-ups of facts and money: all PTP windows of a column 1 code in nine bytes each, searched as they lie.

While it is packed, a window is one whole number: from its highest bit on column 2 (26 bits, base 36), its first day and
its last day (15 bits each, days after 1979-12-31, 0 = open), and its note (8 bits: rationale and source, a shared text,
and indicator). So sorted numbers are windows by column 2 and first day. They are kept as the column 2 numbers of all
windows, four bytes each, and then the rest of each, five bytes. 2.5 million windows are 23 MB.
"""

from __future__ import annotations

import re
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Literal

from scrubber.reference.edit_rows import NEVER, PtpEdit
from scrubber.reference.packing import TextNumbers, Texts

_CODE_SHIFT, _SINCE_SHIFT, _DELETED_SHIFT = 38, 23, 8
_DAY_MASK, _NOTE_MASK, _REST_MASK = 0x7FFF, 0xFF, (1 << 38) - 1
_PARTNER_BYTES, _REST_BYTES = 4, 5
WINDOW_BYTES = _PARTNER_BYTES + _REST_BYTES
_DAY_ZERO = date(1979, 12, 31).toordinal()
_INDICATORS: tuple[Literal["0", "1", "9"], ...] = ("0", "1", "9")
_NEVER = _INDICATORS.index(NEVER)
_MOST_NOTES = (_NOTE_MASK + 1) // len(_INDICATORS)
FEW = 16  # codes
_BETWEEN = "\x1f"  # rationale and source of a note
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_is_code = re.compile(r"[0-9A-Z]{5}").fullmatch


def pack_edit(edit: PtpEdit, texts: TextNumbers) -> int:
    """A window without its column 1.

    Raises ValueError for what the layout has no room for: other codes than five digits and capitals, days outside
    1980 to 2069, more than 85 different rationales and sources.
    """
    days = _day_number(edit.since) << _SINCE_SHIFT | _day_number(edit.deleted) << _DELETED_SHIFT
    note = texts.number(edit.rationale + _BETWEEN + edit.source)
    if note >= _MOST_NOTES:
        raise ValueError(f"no more than {_MOST_NOTES} different rationales and sources are expected")
    indicator = _INDICATORS.index(edit.indicator)
    return code_number(edit.column2) << _CODE_SHIFT | days | (note * len(_INDICATORS) + indicator)


def pack_windows(windows: Iterable[int]) -> bytes:
    """The windows of one column 1 code: sorted, the same one once."""
    every = sorted(set(windows))
    partners = _little_endian(array("I", (window >> _CODE_SHIFT for window in every)))
    return partners.tobytes() + b"".join((window & _REST_MASK).to_bytes(_REST_BYTES, "little") for window in every)


def turn(column1: str, windows: Iterable[int], turned: dict[int, array[int]]) -> None:
    """Put the windows of a column 1 code under the number of their column 2, with column 1 in its place."""
    number = code_number(column1) << _CODE_SHIFT
    for window in windows:
        partner = window >> _CODE_SHIFT
        of_partner = turned.get(partner)
        if of_partner is None:
            of_partner = turned[partner] = array("Q")
        of_partner.append(number | window & _REST_MASK)


def meet(windows: Collection[int]) -> bool:
    """Whether two of the windows have the same column 2, and the same days or one in common."""
    if len({window >> _DELETED_SHIFT for window in windows}) < len(windows):
        return True
    partner = end = -1
    for window in sorted(windows):
        of, since = window >> _CODE_SHIFT, window >> _SINCE_SHIFT & _DAY_MASK
        if (window & _NOTE_MASK) % len(_INDICATORS) == _NEVER:
            continue
        if of == partner and since <= end:
            return True
        partner, end = of, (window >> _DELETED_SHIFT & _DAY_MASK) or _DAY_MASK
    return False


def numbered(codes: Iterable[str]) -> dict[int, str]:
    """The codes that can stand in an edit, by their numbers, in order."""
    return {code_number(code): code for code in sorted(codes) if _is_code(code)}


def pairs_among(
    found: Iterable[tuple[str, bytes]], asked: Mapping[int, str], texts: Texts
) -> dict[tuple[str, str], tuple[PtpEdit, ...]]:
    """The windows with a column 2 among those asked, in the bytes found of each column 1, by both columns in order."""
    pairs: dict[tuple[str, str], tuple[PtpEdit, ...]] = {}
    numbers = frozenset(asked)
    for column1, packed in sorted(found):
        partners = _partners(packed)
        for number in sorted(_hits(partners, numbers)):
            begin = bisect_left(partners, number)
            end = bisect_right(partners, number, begin)
            pairs[column1, asked[number]] = tuple(
                _edit(column1, asked[number], packed, len(partners), at, texts) for at in range(begin, end)
            )
    return pairs


def _hits(partners: array[int], numbers: frozenset[int]) -> Iterable[int]:
    """Which of the numbers are partners: a few are sought one by one, for many one pass is shorter."""
    if len(numbers) > FEW:
        return numbers.intersection(partners)
    last = len(partners)
    return [number for number in numbers if (at := bisect_left(partners, number)) < last and partners[at] == number]


def unpack_edits(column1: str, packed: bytes, texts: Texts) -> tuple[PtpEdit, ...]:
    """Every window in the bytes of `column1`, by column 2 and first day."""
    partners = _partners(packed)
    count = len(partners)
    return tuple(_edit(column1, code_of(number), packed, count, at, texts) for at, number in enumerate(partners))


def in_force_at(packed: bytes, day: date) -> array[int]:
    """Which of the windows are in force on a day; those that never were are not."""
    number = min(max(day.toordinal() - _DAY_ZERO, 0), _DAY_MASK)
    count = len(packed) // WINDOW_BYTES
    found = array("I")
    for at, begin in enumerate(range(count * _PARTNER_BYTES, len(packed), _REST_BYTES)):
        rest = int.from_bytes(packed[begin : begin + _REST_BYTES], "little")
        deleted = rest >> _DELETED_SHIFT & _DAY_MASK
        begun_and_not_over = rest >> _SINCE_SHIFT <= number and (not deleted or number <= deleted)
        if begun_and_not_over and (rest & _NOTE_MASK) % len(_INDICATORS) != _NEVER:
            found.append(at)
    return found


def edit_at(packed: bytes, at: int, column1: str | None, column2: str | None, texts: Texts) -> PtpEdit:
    """One window in the bytes of a code, which is one of the columns; the other one, None, lies in the bytes."""
    count = len(packed) // WINDOW_BYTES
    begin = at * _PARTNER_BYTES
    partner = code_of(int.from_bytes(packed[begin : begin + _PARTNER_BYTES], "little"))
    return _edit(column1 or partner, column2 or partner, packed, count, at, texts)


def _partners(packed: bytes) -> array[int]:
    partners = array("I")
    partners.frombytes(packed[: len(packed) // WINDOW_BYTES * _PARTNER_BYTES])
    return _little_endian(partners)


def _little_endian(numbers: array[int]) -> array[int]:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _edit(column1: str, column2: str, packed: bytes, count: int, at: int, texts: Texts) -> PtpEdit:
    begin = count * _PARTNER_BYTES + at * _REST_BYTES
    rest = int.from_bytes(packed[begin : begin + _REST_BYTES], "little")
    note, indicator = divmod(rest & _NOTE_MASK, len(_INDICATORS))
    rationale, _, source = texts[note].partition(_BETWEEN)
    since, deleted = _day(rest >> _SINCE_SHIFT & _DAY_MASK), _day(rest >> _DELETED_SHIFT & _DAY_MASK)
    return PtpEdit(column1, column2, _INDICATORS[indicator], since, deleted, rationale, source)


@lru_cache(16_384)
def code_number(code: str) -> int:
    """A code as a number that sorts as the code does. Raises ValueError for what is no code."""
    if not _is_code(code):
        raise ValueError("a code of five digits and capitals is expected")
    return int(code, 36)


def code_of(number: int) -> str:
    """The code of a number."""
    characters = ""
    for _ in range(5):
        number, digit = divmod(number, 36)
        characters = _DIGITS[digit] + characters
    return characters


@lru_cache(16_384)
def _day_number(day: date | None) -> int:
    number = 0 if day is None else day.toordinal() - _DAY_ZERO
    if not 0 <= number <= _DAY_MASK or (day is not None and number == 0):
        raise ValueError("a day from 1980 to 2069 is expected")
    return number


@lru_cache(16_384)
def _day(number: int) -> date | None:
    return date.fromordinal(number + _DAY_ZERO) if number else None
