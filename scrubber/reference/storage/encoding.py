"""Encodes the rows of a key as bytes; nine bytes for each window of a PTP edit, searched as they lie.

Rows of most tables are JSON, one a line, so that rows of one key are put behind each other. Dates are ISO text,
Decimals text; texts that many rows share (`source`, `rationale`) are numbers, kept once a part. PTP edits, of which
there are millions, are packed by `ptp_packing`.

While it is packed, a window is one whole number: from its highest bit on column 2 (26 bits, base 36), its first day and
its last day (15 bits each, days after 1979-12-31, 0 = open), and its note (8 bits: rationale and source, a shared text,
and indicator). So sorted numbers are windows by column 2 and first day. They are kept as the column 2 numbers of all
windows, four bytes each, and then the rest of each, five bytes. 2.5 million windows are 23 MB.

Some codes have six thousand partners, of which a page shows a hundred.
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

Texts = Mapping[int, str]
Convert = Callable[[Any], Any]


class TextNumbers:
    """Numbers of shared texts, given as they come up."""

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


def unpack_lines(row_type: type[NamedTuple], packed: bytes, texts: Texts) -> tuple[Any, ...]:
    """The rows in lines of JSON, in their order."""
    return tuple(_unpack(row_type, orjson.loads(line), texts) for line in packed.splitlines())


def _unpack(row_type: type[NamedTuple], cells: list[Any], texts: Texts) -> Any:
    for position, kind in _columns(row_type):
        if kind == "text":
            cells[position] = texts[cells[position]]
        elif cells[position] is not None:
            cells[position] = _LOAD[kind](cells[position])
    return row_type._make(cells)


_LOAD: Mapping[Any, Convert] = {date: date.fromisoformat, Decimal: Decimal, tuple: tuple}


@cache
def _columns(row_type: type[NamedTuple]) -> tuple[tuple[int, Any], ...]:
    """Position and kind of the columns that JSON does not hold as they are."""
    hints = get_type_hints(row_type)
    kinds = ("text" if name in SHARED_TEXTS else _kind(hints[name]) for name in row_type._fields)
    return tuple((position, kind) for position, kind in enumerate(kinds) if kind == "text" or kind in _LOAD)


def _kind(column_type: Any) -> Any:
    if isinstance(column_type, types.UnionType):
        return next(kind for kind in get_args(column_type) if kind is not types.NoneType)
    return tuple if getattr(column_type, "__origin__", None) is tuple else column_type


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


def in_force_on(day: date, code: str, of_column1: bytes, of_column2: bytes, texts: Texts) -> Sequence[PtpEdit]:
    """The edits in force on a day, in the bytes that lie under a code as column 1, and then as column 2."""
    return _Partners(code, of_column1, of_column2, texts, day)


class _Partners(Sequence[PtpEdit]):
    """Which windows are in force is known at once; a window becomes an edit when it is asked for."""

    def __init__(self, code: str, of_column1: bytes, of_column2: bytes, texts: Texts, day: date) -> None:
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
