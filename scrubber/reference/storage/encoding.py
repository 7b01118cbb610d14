"""Encodes the rows under a key of a reference table as bytes for the storages, and searches PTP edits without decoding.

Rows of most tables are JSON, one on each line, so that rows of one key are appended to each other. Dates are ISO text,
Decimals text; texts that many rows share (`source`, `rationale`) are numbers into a list that a segment stores once.

Of PTP edits there are millions. A window is one edit with the days that it is in force, and takes nine bytes. As a
whole number it has, from its highest bit on: column 2 (26 bits, base 36), first day and last day (15 bits each, days
after 1979-12-31, 0 = open), and 8 bits for its origin (rationale and source, a shared text) and indicator. Sorted
numbers are therefore windows by column 2 and first day. A code's bytes are the column 2 numbers of all its windows,
four bytes each, and then the other five bytes of each window. 2.5 million windows are 23 MB.

Some codes have six thousand partners, of which a page shows a hundred: windows are decoded only when they are read.
"""

from __future__ import annotations

import re
import sys
import types
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, Literal, NamedTuple, get_args, get_type_hints, overload

import orjson

from scrubber.reference.rows import NEVER, PtpEdit

SHARED_TEXTS = ("source", "rationale")

SharedTexts = Mapping[int, str]
FromJson = Callable[[Any], Any]


class TextNumbers:
    """Numbers shared texts in the order in which they are first used."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The number of a text, from 0 on."""
        return self.numbers.setdefault(text, len(self.numbers))


def pack_row(row: NamedTuple, texts: TextNumbers) -> bytes:
    """A row as one line of JSON."""
    cells: list[Any] = list(row)
    for position, kind in _columns(type(row)):
        if kind == "text":
            cells[position] = texts.number(cells[position])
        elif kind is Decimal and cells[position] is not None:
            cells[position] = str(cells[position])
    return orjson.dumps(cells, option=orjson.OPT_APPEND_NEWLINE)


def unpack_lines(row_type: type[NamedTuple], packed: bytes, texts: SharedTexts) -> tuple[Any, ...]:
    """The rows in lines of JSON, in their order."""
    return tuple(_unpack(row_type, orjson.loads(line), texts) for line in packed.splitlines())


def _unpack(row_type: type[NamedTuple], cells: list[Any], texts: SharedTexts) -> Any:
    for position, kind in _columns(row_type):
        if kind == "text":
            cells[position] = texts[cells[position]]
        elif cells[position] is not None:
            cells[position] = _FROM_JSON[kind](cells[position])
    return row_type._make(cells)


_FROM_JSON: Mapping[Any, FromJson] = {date: date.fromisoformat, Decimal: Decimal, tuple: tuple}


@cache
def _columns(row_type: type[NamedTuple]) -> tuple[tuple[int, Any], ...]:
    """Position and type of the columns whose values JSON has no type for; "text" for a shared text."""
    column_types = get_type_hints(row_type)
    kinds = ("text" if name in SHARED_TEXTS else _column_kind(column_types[name]) for name in row_type._fields)
    return tuple((position, kind) for position, kind in enumerate(kinds) if kind == "text" or kind in _FROM_JSON)


def _column_kind(column_type: Any) -> Any:
    if isinstance(column_type, types.UnionType):
        return next(kind for kind in get_args(column_type) if kind is not types.NoneType)
    return tuple if getattr(column_type, "__origin__", None) is tuple else column_type


_CODE_SHIFT, _SINCE_SHIFT, _DELETED_SHIFT = 38, 23, 8
_DAY_MASK, _ORIGIN_MASK, _REST_MASK = 0x7FFF, 0xFF, (1 << 38) - 1
_PARTNER_BYTES, _REST_BYTES = 4, 5
WINDOW_BYTES = _PARTNER_BYTES + _REST_BYTES
_DAY_ZERO = date(1979, 12, 31).toordinal()
_INDICATORS: tuple[Literal["0", "1", "9"], ...] = ("0", "1", "9")
_NEVER = _INDICATORS.index(NEVER)
_MAX_ORIGINS = (_ORIGIN_MASK + 1) // len(_INDICATORS)
FEW_CODES = 16
_BETWEEN = "\x1f"  # rationale and source, in the shared text of an origin
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_is_code = re.compile(r"[0-9A-Z]{5}").fullmatch


def pack_edit(edit: PtpEdit, texts: TextNumbers) -> int:
    """A window without its column 1, as a whole number.

    Raises ValueError for what the bits cannot hold: codes other than five digits and capitals, days outside 1980 to
    2069, more than 85 different pairs of rationale and source.
    """
    days = _day_number(edit.since) << _SINCE_SHIFT | _day_number(edit.deleted) << _DELETED_SHIFT
    origin = texts.number(edit.rationale + _BETWEEN + edit.source)
    if origin >= _MAX_ORIGINS:
        raise ValueError(f"no more than {_MAX_ORIGINS} different rationales and sources are expected")
    indicator = _INDICATORS.index(edit.indicator)
    return code_number(edit.column2) << _CODE_SHIFT | days | (origin * len(_INDICATORS) + indicator)


def pack_windows(windows: Iterable[int]) -> bytes:
    """The windows of one column 1 code as bytes: sorted, without repeats."""
    every = sorted(set(windows))
    partners = _little_endian(array("I", (window >> _CODE_SHIFT for window in every)))
    return partners.tobytes() + b"".join((window & _REST_MASK).to_bytes(_REST_BYTES, "little") for window in every)


def add_by_column2(column1: str, windows: Iterable[int], by_column2: dict[int, array[int]]) -> None:
    """Add the windows of a column 1 code under the number of their column 2, with column 1 in the bits of column 2."""
    number = code_number(column1) << _CODE_SHIFT
    for window in windows:
        partner = window >> _CODE_SHIFT
        of_partner = by_column2.get(partner)
        if of_partner is None:
            of_partner = by_column2[partner] = array("Q")
        of_partner.append(number | window & _REST_MASK)


def windows_overlap(windows: Collection[int]) -> bool:
    """Whether two of the windows have the same column 2 and a day in common."""
    if len({window >> _DELETED_SHIFT for window in windows}) < len(windows):
        return True
    partner = end = -1
    for window in sorted(windows):
        of, since = window >> _CODE_SHIFT, window >> _SINCE_SHIFT & _DAY_MASK
        if (window & _ORIGIN_MASK) % len(_INDICATORS) == _NEVER:
            continue
        if of == partner and since <= end:
            return True
        partner, end = of, (window >> _DELETED_SHIFT & _DAY_MASK) or _DAY_MASK
    return False


def codes_by_number(codes: Iterable[str]) -> dict[int, str]:
    """The codes that an edit can have, by their numbers, in order."""
    return {code_number(code): code for code in sorted(codes) if _is_code(code)}


def pairs_among(
    found: Iterable[tuple[str, bytes]], codes: Mapping[int, str], texts: SharedTexts
) -> dict[tuple[str, str], tuple[PtpEdit, ...]]:
    """The windows whose column 2 is among `codes`, in the bytes `found` of each column 1, ordered by both columns."""
    pairs: dict[tuple[str, str], tuple[PtpEdit, ...]] = {}
    numbers = frozenset(codes)
    for column1, packed in sorted(found):
        partners = _partners(packed)
        for number in sorted(_hits(partners, numbers)):
            begin = bisect_left(partners, number)
            end = bisect_right(partners, number, begin)
            pairs[column1, codes[number]] = tuple(
                _edit(column1, codes[number], packed, len(partners), at, texts) for at in range(begin, end)
            )
    return pairs


def _hits(partners: array[int], numbers: frozenset[int]) -> Iterable[int]:
    """Which of the numbers are partners: few are searched one by one, for many one pass over the partners is faster."""
    if len(numbers) > FEW_CODES:
        return numbers.intersection(partners)
    last = len(partners)
    return [number for number in numbers if (at := bisect_left(partners, number)) < last and partners[at] == number]


def unpack_edits(column1: str, packed: bytes, texts: SharedTexts) -> tuple[PtpEdit, ...]:
    """Every window in the bytes of `column1`, by column 2 and first day."""
    partners = _partners(packed)
    count = len(partners)
    return tuple(_edit(column1, code_of(number), packed, count, at, texts) for at, number in enumerate(partners))


def in_force_at(packed: bytes, day: date) -> array[int]:
    """Positions of the windows that are in force on a day; those with indicator 9 never are."""
    number = min(max(day.toordinal() - _DAY_ZERO, 0), _DAY_MASK)
    count = len(packed) // WINDOW_BYTES
    found = array("I")
    for at, begin in enumerate(range(count * _PARTNER_BYTES, len(packed), _REST_BYTES)):
        rest = int.from_bytes(packed[begin : begin + _REST_BYTES], "little")
        deleted = rest >> _DELETED_SHIFT & _DAY_MASK
        begun_and_not_over = rest >> _SINCE_SHIFT <= number and (not deleted or number <= deleted)
        if begun_and_not_over and (rest & _ORIGIN_MASK) % len(_INDICATORS) != _NEVER:
            found.append(at)
    return found


def edit_at(packed: bytes, at: int, column1: str | None, column2: str | None, texts: SharedTexts) -> PtpEdit:
    """One window in the bytes of a code, which is one of the columns; the other column, None, is in the bytes."""
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


def _edit(column1: str, column2: str, packed: bytes, count: int, at: int, texts: SharedTexts) -> PtpEdit:
    begin = count * _PARTNER_BYTES + at * _REST_BYTES
    rest = int.from_bytes(packed[begin : begin + _REST_BYTES], "little")
    origin, indicator = divmod(rest & _ORIGIN_MASK, len(_INDICATORS))
    rationale, _, source = texts[origin].partition(_BETWEEN)
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


def in_force_on(day: date, code: str, of_column1: bytes, of_column2: bytes, texts: SharedTexts) -> Sequence[PtpEdit]:
    """The edits in force on a day, from the bytes stored under a code as column 1, then from those as column 2."""
    return _EditsInForce(code, of_column1, of_column2, texts, day)


class _EditsInForce(Sequence[PtpEdit]):
    """A sequence that finds at once which windows are in force, and decodes a window when it is read."""

    def __init__(self, code: str, of_column1: bytes, of_column2: bytes, texts: SharedTexts, day: date) -> None:
        self._code = code
        self._packed = of_column1, of_column2
        self._texts = texts
        self._first, self._second = in_force_at(of_column1, day), in_force_at(of_column2, day)

    def __len__(self) -> int:
        return len(self._first) + len(self._second)

    @overload
    def __getitem__(self, at: int) -> PtpEdit: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[PtpEdit]: ...

    def __getitem__(self, at: int | slice) -> PtpEdit | Sequence[PtpEdit]:
        if isinstance(at, slice):
            return tuple(self._edit(each) for each in range(len(self))[at])
        return self._edit(range(len(self))[at])

    def _edit(self, at: int) -> PtpEdit:
        as_column1, as_column2 = self._packed
        if at < len(self._first):
            return edit_at(as_column1, self._first[at], self._code, None, self._texts)
        return edit_at(as_column2, self._second[at - len(self._first)], None, self._code, self._texts)
