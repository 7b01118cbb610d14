"""How far a command is that reads millions of rows or claims, told on stderr."""

from __future__ import annotations

import sys
import time

import click

SECONDS_A_LINE = 60.0  # where nobody watches
SECONDS_A_REDRAW = 0.1
BAR = 30  # characters
WIPE = "\r\x1b[K"


class Shown:
    """A line that is drawn again on a terminal, else a line a minute. `what` is counted.

    `before` is the count, and the share of all, that was done before this run.
    """

    def __init__(self, what: str = "rows", before: tuple[int, float] = (0, 0.0)) -> None:
        self._what = what
        self._count_before, self._share_before = before
        self._begun = self._told = time.monotonic()
        self._live = sys.stderr.isatty()

    def __call__(self, count: int, share: float) -> None:
        """See reference.progress.Progress."""
        now = time.monotonic()
        if now - self._told < (SECONDS_A_REDRAW if self._live else SECONDS_A_LINE) and share < 1:
            return
        self._told = now
        spent = now - self._begun
        mine = share - self._share_before
        left = spent / mine * (1 - share) if mine > 0 else 0.0
        rate = (count - self._count_before) / spent if spent > 0 else 0.0
        told = f"{count:,} {self._what}, {rate:,.0f}/s, {share:4.0%}, {_minutes(left)} left"
        if self._live:
            click.echo(f"\r[{'#' * int(BAR * share):<{BAR}}] {told:<46}", err=True, nl=share >= 1)
        elif share < 1:
            click.echo(told, err=True)

    def wipe(self) -> None:
        """Make room for a line of what is found: both may be on one terminal."""
        if self._live:
            click.echo(WIPE, err=True, nl=False)


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
