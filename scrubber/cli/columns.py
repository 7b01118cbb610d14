"""Beside the path: tables for people, columns as wide as what stands in them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence

GAP = "  "


def columns(
    header: Sequence[str], rows: Sequence[Sequence[object]], right: frozenset[str] = frozenset()
) -> Iterator[str]:
    """Lines of a table; the columns named in `right` are set to the right."""
    cells = [[str(name).upper() for name in header], *([_text(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        set_cells = [
            cell.rjust(width) if name in right else cell.ljust(width)
            for name, cell, width in zip(header, row, widths, strict=True)
        ]
        yield GAP.join(set_cells).rstrip()


def width() -> int | None:
    """Of the terminal, in characters; None where nobody looks."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def fitting(
    header: Sequence[str], rows: Sequence[Sequence[object]], right: frozenset[str], spare: Sequence[str]
) -> list[str]:
    """Lines of a table that fits the terminal: columns of `spare` are left out, the first ones first, until it does."""
    lines = list(columns(header, rows, right))
    room = width()
    if room is None or not spare or max(map(len, lines)) <= room:
        return lines
    place = header.index(spare[0])
    without = [[*row[:place], *row[place + 1 :]] for row in (header, *rows)]
    return fitting([str(name) for name in without[0]], without[1:], right, spare[1:])


def cut(line: str) -> str:
    """A line as far as a terminal is wide; whole where nobody looks at it."""
    room = width()
    return line if room is None or len(line) <= room else f"{line[: room - 1]}…"


def _text(cell: object) -> str:
    if isinstance(cell, int):
        return f"{cell:,}"
    return "" if cell is None else str(cell)
