"""Reads the status of a code on the Medicare fee schedule, for facts of lines and notices."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from scrubber.reference import Reference
from scrubber.reference.tables import MPFS
from scrubber.remembered import remembered

REMEMBERED = 16_384  # codes, by day, whose status a process remembers
UNLISTED = "unlisted"  # no loaded row has the code on the day
# Bundled, or not valid for Medicare: a denial is the provider's, whatever modifier or notice there is. What is bundled
# may never be billed to the patient (RVU25D documentation, attachment A; Palmetto GBA 8EELLZ1747).
PROVIDER_BEARS = frozenset("BPIG")
NOT_COVERED = "N"
FEE_ROW = ("fee", "procedure")


class FeeStatus(NamedTuple):
    """The status letter of a code on a day, or UNLISTED; whether an earlier year's schedule gave it."""

    letter: str
    carried: bool


@remembered(REMEMBERED)
def fee_status(code: str, day: date, reference: Reference) -> FeeStatus:
    """What the schedule of the day says; `carried` where it has ended and nothing later is loaded."""
    row = reference.fee(code, "", day)
    return FeeStatus(row.status if row else UNLISTED, reference.table_status(MPFS.name, day).state != "in-force")
