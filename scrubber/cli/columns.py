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


def cut(line: str) -> str:
    """A line as far as a terminal is wide; whole where nobody looks at it."""
    if not sys.stdout.isatty():
        return line
    width = shutil.get_terminal_size().columns
    return line if len(line) <= width else f"{line[: width - 1]}…"


def _text(cell: object) -> str:
    if isinstance(cell, int):
        return f"{cell:,}"
    return "" if cell is None else str(cell)
