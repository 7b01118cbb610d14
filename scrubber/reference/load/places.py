"""Before any claim: where in its files a row stands that was found to contradict another."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple, TextIO

from scrubber.errors import Fault, Faults
from scrubber.reference.catalogue import table_of
from scrubber.reference.load.format import Format
from scrubber.reference.load.opening import OpenedSource
from scrubber.reference.once import Contradiction, name_of


class _Row(NamedTuple):
    """A row with its type: rows of two tables may have the same cells."""

    row_type: type
    cells: Any


class _Counted(io.TextIOWrapper):
    """Text that knows how many of its lines were read."""

    line = 0

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        """Called by readers, and for each step of an iteration."""
        text = super().readline(size)
        self.line += 1 if text else 0
        return text


class _Watched:
    """See format.Source: one whose reading is watched. `line` is the last one read of text, 0 of other content."""

    def __init__(self, source: OpenedSource) -> None:
        self.name = source.name
        self.binary = source.binary
        self._text: _Counted | None = None

    def text(self, encoding: str = "utf-8-sig") -> TextIO:
        """See format.Source."""
        self._text = _Counted(self.binary(), encoding, newline="")
        return self._text

    @property
    def line(self) -> int:
        return self._text.line if self._text else 0


def told_with_lines(files: Sequence[tuple[OpenedSource, Format]], found: Iterable[Contradiction]) -> Faults:
    """Contradictions with the file and line of both rows, for which the files are read again."""
    pairs = list(found)
    places = _places(files, {_Row(type(row), row) for pair in pairs for row in pair})
    return Faults([_fault(pair, places) for pair in pairs])


def _places(files: Sequence[tuple[OpenedSource, Format]], wanted: Collection[_Row]) -> dict[_Row, tuple[str, int]]:
    """File and line at which each row is first read."""
    places: dict[_Row, tuple[str, int]] = {}
    for source, each in files:
        watched = _Watched(source)
        for row in each.read(watched):
            key = _Row(type(row), row)
            if key in wanted:
                places.setdefault(key, (source.name, watched.line))
    return places


def _fault(pair: Contradiction, places: dict[_Row, tuple[str, int]]) -> Fault:
    table = table_of(type(pair.one))
    one, other = sorted((places[_Row(type(row), row)] for row in pair), key=list(places.values()).index)
    what = " ".join(str(cell) for cell in name_of(table, pair.one) if cell not in (None, ""))
    there = f"line {one[1]}" if one[0] == other[0] else f"{one[0]}:{one[1]}"
    return Fault(
        other[0], other[1], f"says of {table.name} {what} something else than {there}, for days that both have"
    )
