"""Look-ups of facts and money: what a place that keeps reference rows must be able to do. Everything else is above it.

A backend never changes while it is open, and may be asked from any thread and after a fork.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from scrubber.reference.catalogue import R, Table
from scrubber.reference.rows import PtpEdit, Release

Pair = tuple[str, str]
Windows = tuple[PtpEdit, ...]


class Backend(Protocol):
    """Rows by table and key, whatever their dates, and the releases that they came from."""

    def rows(self, table: Table[R], key: str) -> tuple[R, ...]:
        """Every row of `table` under `key`, in the order in which they were put in."""

    def ptp_among(self, codes: frozenset[str]) -> Mapping[Pair, Windows]:
        """Every PTP window with both codes among `codes`, by (column 1, column 2) and in that order."""

    def releases(self) -> tuple[Release, ...]:
        """All releases, by table and then by first day."""
