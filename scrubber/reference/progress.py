"""Beside the path of a claim: telling how far a reading of millions of rows is."""

from __future__ import annotations

from collections.abc import Callable

ROWS_A_STEP = 20_000  # between two calls

Progress = Callable[[int, float], None]  # rows so far, share of all that is read


def untold(_rows: int, _share: float) -> None:
    """For who does not want to know."""
