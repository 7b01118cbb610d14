"""Finds the rows of an author's table by the values of its keys, without a look at each row."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, product
from typing import TYPE_CHECKING, Any

from scrubber.rulebook.satisfiable import in_range
from scrubber.rulebook.table_declaration import Column

if TYPE_CHECKING:
    from scrubber.rulebook.typed_table import TypedTable

HAS_NONE: tuple[()] = ()  # the cell `none`: the fact has none
EXACT, RANGE, BAND, ONE_BY_ONE = 1, 2, 3, 4  # how the rows of a key are found; 0: the cell is blank


def fits(cells: Mapping[str, Any], key: Column, value: Any) -> bool:
    """Whether a row (its cells by column) fits the value of a key, as `TypedTable.find` takes it."""
    values = asked_values(key, value)
    if key.band:
        first, last = (cells[each] if each else None for each in (key.first, key.last))
        return (first is None and last is None) or any(_within(each, first, last, key.open_end) for each in values)
    cell = cells[key.name]
    if cell is None:
        return True
    if cell == HAS_NONE:
        return not values
    through = cells[key.through] if key.through else None
    return any(_matches(cell, through, key, each) for each in values)


def _matches(cell: Any, through: Any, key: Column, value: Any) -> bool:
    if through is not None:
        return in_range(value, cell, through)
    cells = cell if isinstance(cell, tuple) else (cell,)
    return any(value.startswith(each) for each in cells) if key.prefix else value in cells


def _within(value: Any, first: Any, last: Any, open_end: bool) -> bool:
    return (first is None or first <= value) and (last is None or (value < last if open_end else value <= last))


def asked_values(key: Column, value: Any) -> tuple[Any, ...]:
    """The values that a key is asked by: those of a list each, none for None, and only those the key speaks of."""
    values = value if isinstance(value, tuple) else () if value is None else (value,)
    return tuple(each for each in values if each in key.among) if key.among else values


class TableIndex:
    """The rows of a table by the cells of the keys that are asked by: rows whose keys are found alike lie together."""

    def __init__(self, table: TypedTable, keys: Sequence[Column]) -> None:
        self._keys = keys
        buckets: dict[tuple[int, ...], dict[tuple[Any, ...], list[int]]] = {}
        for number in range(len(table.stored)):
            ways = self._ways(table, number)
            below = buckets.setdefault(ways, {})
            for place in self._places(table, number, ways):
                below.setdefault(place, []).append(number)
        self._exact = [(ways, below) for ways, below in buckets.items() if set(ways) <= {0, EXACT}]
        self._others = [
            (ways, {place: _Bucket(table, numbers, ways, keys) for place, numbers in below.items()})
            for ways, below in buckets.items()
            if not set(ways) <= {0, EXACT}
        ]

    def candidates(self, keys: Mapping[str, Any]) -> Iterator[int]:
        """The positions of the rows that fit, whatever their days; a row of several values may come twice."""
        asked = [asked_values(key, keys[key.name]) for key in self._keys]
        for ways, numbers in self._exact:
            for place in product(*map(_steps, ways, self._keys, asked)):
                yield from numbers.get(place, ())
        for ways, buckets in self._others:
            for place in product(*map(_steps, ways, self._keys, asked)):
                bucket = buckets.get(place)
                if bucket is not None:
                    yield from bucket.fitting(asked)

    def together(self) -> Iterator[tuple[tuple[int, ...], Sequence[int]]]:
        """How the keys of rows are found, and the positions of the rows that lie together, each time."""
        for ways, below in self._exact:
            yield from ((ways, numbers) for numbers in below.values())
        for ways, buckets in self._others:
            yield from ((ways, bucket.numbers) for bucket in buckets.values())

    def _ways(self, table: TypedTable, number: int) -> tuple[int, ...]:
        """How each key of a row is found: only the first list and the first range or band have an index."""
        ways, used = [], set()
        for key in self._keys:
            way = table.way_of(number, key)
            kind = "interval" if way in (RANGE, BAND) else "list" if way == EXACT and key.several else None
            if kind in used:
                way = ONE_BY_ONE
            if kind:
                used.add(kind)
            ways.append(way)
        return tuple(ways)

    def _places(self, table: TypedTable, number: int, ways: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
        return product(*(_cells_of(table, number, key, way) for key, way in zip(self._keys, ways, strict=True)))


def _cells_of(table: TypedTable, number: int, key: Column, way: int) -> Sequence[Any]:
    """Under what a row lies in the index, for one key."""
    if way == EXACT:
        cell = table.cell(number, key.name)
        return cell if isinstance(cell, tuple) and cell else (cell,)
    if way == RANGE:
        return (form_of_code(table.cell(number, key.name)),)
    return (None,)


def _steps(way: int, key: Column, asked: tuple[Any, ...]) -> Iterable[Any]:
    """Under what rows may lie that fit the values asked, for one key."""
    if way == EXACT:
        if not asked:
            return (HAS_NONE,)
        return [each[:length] for each in asked for length in range(1, len(each) + 1)] if key.prefix else asked
    if way == RANGE:
        return dict.fromkeys(map(form_of_code, asked))
    return (None,)


def form_of_code(code: str) -> tuple[int, str]:
    """What the codes of a range have in common: see `satisfiable.in_range`."""
    return len(code), code[-1:] if code[-1:].isalpha() else ""


class _Bucket:
    """Rows that lie together in an index; where they have a range or a band, in the order of its first values."""

    def __init__(self, table: TypedTable, numbers: list[int], ways: tuple[int, ...], keys: Sequence[Column]) -> None:
        self.numbers: Sequence[int] = numbers
        self._at: int | None = None
        self._others = [(at, key) for at, key in enumerate(keys) if ways[at] == ONE_BY_ONE]
        self._table = table
        for at, way in enumerate(ways):
            if way in (RANGE, BAND):
                self._at = at
                self._sort(table, keys[at])

    def fitting(self, asked: Sequence[tuple[Any, ...]]) -> Iterable[int]:
        """The positions of the rows that fit."""
        found = self.numbers if self._at is None else self._reaching(asked[self._at])
        return [number for number in found if self._fits_others(number, asked)] if self._others else found

    def _sort(self, table: TypedTable, key: Column) -> None:
        self._open_end = key.open_end
        ordered = sorted(self.numbers, key=lambda number: Low(table.interval(number, key)[0]))
        ends = [table.interval(number, key) for number in ordered]
        self.numbers = ordered
        self._lows = [Low(first) for first, _ in ends]
        self._highs = [High(last) for _, last in ends]
        self._highest = list(accumulate(self._highs, max))

    def _reaching(self, values: tuple[Any, ...]) -> Iterator[int]:
        for value in values:
            at = bisect_right(self._lows, Low(value))
            while at and self._reaches(self._highest[at - 1], value):  # else none before reaches as far as the value
                at -= 1
                if self._reaches(self._highs[at], value):
                    yield self.numbers[at]

    def _reaches(self, high: High, value: Any) -> bool:
        return high.value is None or (value < high.value if self._open_end else value <= high.value)

    def _fits_others(self, number: int, asked: Sequence[tuple[Any, ...]]) -> bool:
        cells = dict(zip(self._table.columns, self._table.stored[number].cells, strict=True))
        return all(fits(cells, key, asked[at]) for at, key in self._others)


class Low:
    """The first value of a range, in order; None is below all."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: Low) -> bool:
        if self.value is None or other.value is None:
            return self.value is None and other.value is not None
        return bool(self.value < other.value)


class High(Low):
    """The last value of a range, in order; None is above all."""

    def __lt__(self, other: Low) -> bool:
        if self.value is None or other.value is None:
            return self.value is not None and other.value is None
        return bool(self.value < other.value)
