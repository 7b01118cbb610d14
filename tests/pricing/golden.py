"""Rows of the relative value file, typed by hand, for claims that are worked out by hand. Nobody in them exists."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from scrubber.pricing import LinePrice
from scrubber.reference import Reference
from scrubber.reference.fee_rows import FeeRow
from scrubber.reference.tables import MPFS
from scrubber.reference.typed_tables import MemoryBackend, read_contents
from tests.pricing.test_fee_schedule import fee_row
from tests.support.priced import claim, prices

YEAR_2025: dict[str, Any] = {"since": date(2025, 1, 1), "until": date(2026, 1, 1)}
MAJOR = {"global_days": "090", "preoperative": Decimal("0.10")}
SHOULDER = MAJOR | {"intraoperative": Decimal("0.69"), "postoperative": Decimal("0.21")}
NERVE = MAJOR | {"preoperative": Decimal("0.11"), "intraoperative": Decimal("0.76"), "postoperative": Decimal("0.13")}
TEST: dict[str, Any] = {"pc_tc": "1", "global_days": "XXX"}
IMAGING = TEST | {"multiple": "4", "imaging_family": "88"}


def row(code: str, work: str, pe: str, facility_pe: str, mp: str, **columns: Any) -> FeeRow:
    """A row as the relative value file RVU25D has it."""
    units = {
        "work": Decimal(work),
        "non_facility_pe": Decimal(pe),
        "facility_pe": Decimal(facility_pe),
        "mp": Decimal(mp),
    }
    return fee_row(code=code, **({"imaging_family": "99", "endoscopic_base": None} | units | YEAR_2025 | columns))


# CMS RVU25D (PPRRVU2025_Oct): code, work, practice expense outside and inside a facility, malpractice.
RVU25D = (
    row("29805", "6.03", "6.75", "6.75", "1.17", multiple="2", bilateral="1"),
    row(
        "29827", "15.59", "13.85", "13.85", "3.03", multiple="3", bilateral="1", assistant="2", co_surgeon="1",
        endoscopic_base="29805", **SHOULDER,
    ),
    row("64721", "4.97", "7.76", "7.53", "0.99", multiple="2", bilateral="1", assistant="1", co_surgeon="1", **NERVE),
    row("45378", "3.26", "6.44", "1.79", "0.43", multiple="2", global_days="000"),
    row("45380", "3.56", "8.79", "1.93", "0.47", multiple="3", global_days="000", endoscopic_base="45378"),
    row("45385", "4.57", "8.33", "2.38", "0.56", multiple="3", global_days="000", endoscopic_base="45378"),
    row("43235", "2.09", "6.18", "1.29", "0.27", multiple="2", global_days="000"),
    row("43239", "2.39", "8.36", "1.42", "0.29", multiple="3", global_days="000", endoscopic_base="43235"),
    row("70450", "0.85", "2.35", "2.35", "0.05", **IMAGING),
    row("70450", "0.85", "0.31", "0.31", "0.04", component="26", **IMAGING),
    row("70450", "0.00", "2.04", "2.04", "0.01", component="TC", **IMAGING),
    row("71260", "1.16", "3.85", "3.85", "0.07", **IMAGING),
    row("71260", "1.16", "0.43", "0.43", "0.05", component="26", **IMAGING),
    row("71260", "0.00", "3.42", "3.42", "0.02", component="TC", **IMAGING),
    # Made up: imaging whose outpatient rate lies below the fee schedule's own.
    row(
        "70000", "0.50", "4.00", "4.00", "0.05", opps_non_facility_pe=Decimal("2.00"), opps_mp=Decimal("0.03"),
        **IMAGING,
    ),
    row("70000", "0.50", "0.20", "0.20", "0.02", component="26", **IMAGING),
    row(
        "70000", "0.00", "3.80", "3.80", "0.03", component="TC", opps_non_facility_pe=Decimal("1.80"),
        opps_mp=Decimal("0.01"), **IMAGING,
    ),
    row("93306", "1.46", "4.28", "4.28", "0.07", multiple="6", **TEST),
    row("93306", "0.00", "3.76", "3.76", "0.03", component="TC", multiple="6", **TEST),
    row("93880", "0.80", "4.73", "4.73", "0.09", multiple="6", bilateral="2", **TEST),
    row("93880", "0.00", "4.47", "4.47", "0.03", component="TC", multiple="6", bilateral="2", **TEST),
    row("92083", "0.50", "1.37", "1.37", "0.02", multiple="7", bilateral="2", **TEST),
    row("92083", "0.00", "1.09", "1.09", "0.01", component="TC", multiple="7", bilateral="2", **TEST),
    row("92134", "0.32", "0.63", "0.63", "0.02", multiple="7", bilateral="2", **TEST),
    row("92134", "0.00", "0.43", "0.43", "0.01", component="TC", multiple="7", bilateral="2", **TEST),
    row("97110", "0.45", "0.43", "0.43", "0.01", multiple="5", pc_tc="7"),
    row("97530", "0.44", "0.62", "0.62", "0.01", multiple="5", pc_tc="7"),
)  # fmt: skip


@cache
def reference() -> Reference:
    """The starter tables, with the rows above."""
    starter = read_contents(None)
    return Reference(MemoryBackend({**starter.tables, MPFS: starter.tables[MPFS] + RVU25D}, starter.releases))


def priced(*lines: Any, **of: Any) -> dict[int, LinePrice]:
    """The prices of a claim of 2025-03-12 to Original Medicare, at national amounts."""
    return prices(claim(*lines, **of), reference=reference())
