"""Look-ups of facts and money: what a place that keeps reference rows must be able to do. Everything else is above it.

The rows of a table lie in parts: one for each release that was loaded, and one for all releases of a table typed by
hand. A part is named by the SHA-256 of what it was read from, as its releases are. A backend never changes while it is
open, and may be asked from any thread and after a fork.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Protocol

from scrubber.reference.catalogue import R, Table
from scrubber.reference.edit_rows import PtpEdit
from scrubber.reference.releases import Release

Pair = tuple[str, str]
Windows = tuple[PtpEdit, ...]


class Backend(Protocol):
    """Rows by table, part and key, whatever their dates, and the releases that they came from."""

    def rows(self, table: Table[R], part: str, key: str) -> tuple[R, ...]:
        """Every row under `key`, in the order in which they were put in; PTP windows by column 2 and first day."""

    def ptp_among(self, part: str, codes: frozenset[str]) -> Mapping[Pair, Windows]:
        """Every PTP window with both codes among `codes`, by (column 1, column 2) and in that order."""

    def ptp_of(self, part: str, code: str, day: date) -> Sequence[PtpEdit]:
        """The PTP edits in force on a day with the code in column 1, by column 2; then in column 2, by column 1."""

    def every(self, table: Table[R], part: str) -> Iterator[tuple[str, tuple[R, ...]]]:
        """Every key with its rows, in the order of the keys."""

    def releases(self) -> tuple[Release, ...]:
        """All releases, by table and then by first day."""
