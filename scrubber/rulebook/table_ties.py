"""Finds rows of an author's table that would answer for the same on the same day, where one row answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from scrubber.errors import Fault
from scrubber.rulebook.table_declaration import ALL, Column
from scrubber.rulebook.table_index import BAND, ONE_BY_ONE, RANGE, Low, TableIndex, form_of_code
from scrubber.rulebook.typed_table import TypedTable

MOST_COMPARED = 1_000_000  # pairs of rows of one table
MOST_FAULTS = 200  # of one table


class _TooManyPairs(Exception):
    """More pairs of rows would have to be held against each other than is done."""


def tied_rows(table: TypedTable) -> Iterator[Fault]:
    """A fault for each row that ties with one above it, which is named; none where all rows answer."""
    if table.answers == ALL:
        return
    found: dict[int, int] = {}
    try:
        for one, other in _ties(table):
            found[max(one, other)] = min(one, other)
    except _TooManyPairs:
        yield Fault(
            table.file,
            0,
            "has so many rows for the same keys that they cannot all be held against each other: give each value a row "
            "of its own in place of ranges, bands and lists, and take out what stands there twice",
        )
    for number, other in sorted(found.items())[:MOST_FAULTS]:
        row, earlier = table.stored[number], table.stored[other]
        yield Fault(table.file, row.line, f"answers for the same on the same day as line {earlier.line}")


def _ties(table: TypedTable) -> Iterator[tuple[int, int]]:
    keys = table.declaration.keys
    compared = 0
    for ways, numbers in TableIndex(table, keys).together():
        others = [key for key, way in zip(keys, ways, strict=True) if way == ONE_BY_ONE]
        span = next((key for key, way in zip(keys, ways, strict=True) if way in (RANGE, BAND)), None)
        for one, other in _pairs(table, numbers, span):
            compared += 1
            if compared > MOST_COMPARED:
                raise _TooManyPairs
            if _share_days(table, one, other) and all(_share_values(table, one, other, key) for key in others):
                yield one, other


def _pairs(table: TypedTable, numbers: Sequence[int], span: Column | None) -> Iterator[tuple[int, int]]:
    """Pairs of rows that are equally specific and whose range or band, else days, overlap."""
    if len(numbers) == 1:
        return
    by_rank: dict[tuple[int, ...], list[int]] = {}
    for number in numbers:
        by_rank.setdefault(table.rank(number), []).append(number)
    for alike in by_rank.values():
        yield from _overlapping(table, alike, span)


def _overlapping(table: TypedTable, numbers: Sequence[int], span: Column | None) -> Iterator[tuple[int, int]]:
    """Pairs of rows whose range or band overlaps; without one, whose days do."""
    begin, reaches = _by_span(table, span) if span else _by_days(table)
    active: list[int] = []
    for number in sorted(numbers, key=begin):
        active = [other for other in active if reaches(other, number)]
        yield from ((other, number) for other in active)
        active.append(number)


def _by_days(table: TypedTable) -> tuple[Callable[[int], Any], Callable[[int, int], bool]]:
    return table.first_day, lambda earlier, later: table.end(earlier) > table.first_day(later)


def _by_span(table: TypedTable, key: Column) -> tuple[Callable[[int], Any], Callable[[int, int], bool]]:
    def begin(number: int) -> Low:
        return Low(table.interval(number, key)[0])

    def reaches(earlier: int, later: int) -> bool:
        return _meets(table.interval(later, key)[0], table.interval(earlier, key)[1], key.open_end)

    return begin, reaches


def _share_days(table: TypedTable, one: int, other: int) -> bool:
    return table.first_day(one) < table.end(other) and table.first_day(other) < table.end(one)


def _share_values(table: TypedTable, one: int, other: int, key: Column) -> bool:
    """Whether some value fits the cells of both rows."""
    if key.band or (key.through and table.cell(one, key.through) is not None):
        (low, high), (other_low, other_high) = table.interval(one, key), table.interval(other, key)
        alike = key.band or form_of_code(low) == form_of_code(other_low)
        return alike and _meets(low, other_high, key.open_end) and _meets(other_low, high, key.open_end)
    cell, other_cell = table.cell(one, key.name), table.cell(other, key.name)
    return bool(cell == other_cell or {*cell} & {*other_cell})


def _meets(first: Any, last: Any, open_end: bool) -> bool:
    return first is None or last is None or bool(first < last if open_end else first <= last)
