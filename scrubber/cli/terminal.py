"""Prints tables that fit the terminal, and the progress of long commands."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Sequence

import click

GAP = "  "


def columns(
    header: Sequence[str], rows: Sequence[Sequence[object]], right: frozenset[str] = frozenset()
) -> Iterator[str]:
    """Lines of a table; the columns named in `right` are aligned to the right."""
    cells = [[str(name).upper() for name in header], *([_text(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        set_cells = [
            cell.rjust(width) if name in right else cell.ljust(width)
            for name, cell, width in zip(header, row, widths, strict=True)
        ]
        yield GAP.join(set_cells).rstrip()


def width() -> int | None:
    """The width of the terminal in characters; None where the output is not a terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def fitting(
    header: Sequence[str], rows: Sequence[Sequence[object]], right: frozenset[str], spare: Sequence[str]
) -> list[str]:
    """Lines of a table that fits the terminal: columns of `spare` are left out, in their order, until it does."""
    lines = list(columns(header, rows, right))
    available = width()
    if available is None or not spare or max(map(len, lines)) <= available:
        return lines
    position = header.index(spare[0])
    without = [[*row[:position], *row[position + 1 :]] for row in (header, *rows)]
    return fitting([str(name) for name in without[0]], without[1:], right, spare[1:])


def cut(line: str) -> str:
    """A line cut to the width of the terminal; the full line where the output is not a terminal."""
    available = width()
    return line if available is None or len(line) <= available else f"{line[: available - 1]}…"


def _text(cell: object) -> str:
    if isinstance(cell, int):
        return f"{cell:,}"
    return "" if cell is None else str(cell)


SECONDS_A_LINE = 60.0  # where the output is not a terminal
SECONDS_A_REDRAW = 0.1
BAR = 30  # characters
WIPE = "\r\x1b[K"


class ProgressLine:
    """Prints progress: a line that is redrawn on a terminal, else a line each minute. `what` names what is counted.

    `before` is the count, and the share of all, that was done before this run.
    """

    def __init__(self, what: str = "rows", before: tuple[int, float] = (0, 0.0)) -> None:
        self._what = what
        self._count_before, self._share_before = before
        self._begun = self._printed_at = time.monotonic()
        self._live = sys.stderr.isatty()

    def __call__(self, count: int, share: float) -> None:
        """Called with the count and the share of all that is done, as packer.LoadProgress."""
        now = time.monotonic()
        if now - self._printed_at < (SECONDS_A_REDRAW if self._live else SECONDS_A_LINE) and share < 1:
            return
        self._printed_at = now
        spent = now - self._begun
        mine = share - self._share_before
        left = spent / mine * (1 - share) if mine > 0 else 0.0
        rate = (count - self._count_before) / spent if spent > 0 else 0.0
        text = f"{count:,} {self._what}, {rate:,.0f}/s, {share:4.0%}, {_minutes(left)} left"
        if self._live:
            click.echo(f"\r[{'#' * int(BAR * share):<{BAR}}] {text:<46}", err=True, nl=share >= 1)
        elif share < 1:
            click.echo(text, err=True)

    def wipe(self) -> None:
        """Erase the line of progress, so that a line of output can be printed on the same terminal."""
        if self._live:
            click.echo(WIPE, err=True, nl=False)


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
