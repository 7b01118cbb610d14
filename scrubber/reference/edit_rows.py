"""Look-ups of facts: what one row of each table of edits says: NCCI pairs, add-on codes, most units.

`since` is the first day in force; `source` is a short citation. Field names are the columns of the CSV file.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal, NamedTuple

NEVER: Literal["9"] = "9"  # indicator of an edit that was never in force


class PtpEdit(NamedTuple):
    """One window of an NCCI procedure-to-procedure edit: column 2 is denied beside column 1.

    `deleted` is the last day in force, as CMS publishes it. Indicator 9: never in force.
    """

    column1: str
    column2: str
    indicator: Literal["0", "1", "9"]
    since: date | None
    deleted: date | None
    rationale: str
    source: str

    @property
    def until(self) -> date | None:
        """First day no longer in force."""
        return None if self.deleted is None else self.deleted + timedelta(days=1)


class AddOn(NamedTuple):
    """An add-on code and a code that it may be billed with; `primary` CCCCC: the contractor decides.

    `kind` 1: these primaries only; 2: the contractor's list; 3: these and more of the contractor's. `deleted` is the
    last day in force, as CMS publishes it.
    """

    code: str
    primary: str
    kind: Literal["1", "2", "3"]
    since: date | None
    deleted: date | None
    source: str

    @property
    def until(self) -> date | None:
        """First day no longer in force."""
        return None if self.deleted is None else self.deleted + timedelta(days=1)


class Mue(NamedTuple):
    """Most units of a code for one patient, provider and day; adjudicated by line (1) or by day (2, 3)."""

    code: str
    units: int
    indicator: Literal["1", "2", "3"]
    since: date | None
    until: date | None
    source: str
