"""Dollars of whole lines, worked out by hand from published figures: professions, therapy, places, second payers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from scrubber.money import LinePrice
from scrubber.reference import Reference
from scrubber.reference.catalogue import MPFS
from scrubber.reference.fee_rows import FeeRow
from scrubber.reference.files import read_contents
from scrubber.reference.memory import MemoryBackend
from tests.priced import NURSE_PRACTITIONER, PHYSICIAN, claim, prices, service_line
from tests.test_money_fee_schedule import fee_row

YEAR_2025: dict[str, Any] = {"since": date(2025, 1, 1), "until": date(2026, 1, 1)}


def row(code: str, work: str, pe: str, facility_pe: str, mp: str, **columns: Any) -> FeeRow:
    """A row as the relative value file RVU25D has it."""
    units = {
        "work": Decimal(work),
        "non_facility_pe": Decimal(pe),
        "facility_pe": Decimal(facility_pe),
        "mp": Decimal(mp),
    }
    return fee_row(code=code, **(units | YEAR_2025 | columns))


# CMS RVU25D (PPRRVU2025_Oct): code, work, practice expense outside and inside a facility, malpractice.
RVU25D = (
    row("90834", "2.45", "0.72", "0.31", "0.05"),
    row("97802", "0.53", "0.56", "0.43", "0.01"),
)


@cache
def reference() -> Reference:
    """The starter tables, with the rows above."""
    starter = read_contents(None)
    return Reference(MemoryBackend({**starter.tables, MPFS: starter.tables[MPFS] + RVU25D}, starter.releases))


def priced(*lines: Any, **of: Any) -> dict[int, LinePrice]:
    """The prices of a claim of 2025-03-12 to Original Medicare."""
    return prices(claim(*lines, **of), reference=reference())


def test_social_workers_family_therapists_and_counselors_are_paid_75_percent() -> None:
    # 2.45 + 0.72 + 0.05 = 3.22 RVU; 3.22 x 32.3465 = 104.155730; of that 75 percent = 78.1167975
    for taxonomy, name in (
        ("1041C0700X", "clinical social worker"),
        ("106H00000X", "marriage and family therapist"),
        ("101YM0800X", "mental health counselor"),
    ):
        found = priced(service_line(1, "90834"), taxonomy=taxonomy)[1]
        assert (found.allowed, found.basis) == (Decimal("78.12"), "MPFS 2025, national")
        assert found.steps == (f"3.22 RVU x 32.3465 x 0.75 ({name}) = 78.12",)
    assert priced(service_line(1, "90834"), taxonomy=PHYSICIAN)[1].allowed == Decimal("104.16")


def test_a_social_worker_who_does_not_participate_is_paid_95_percent_of_the_75() -> None:
    # 104.155730 x 0.75 x 0.95 = 74.2109...
    found = priced(service_line(1, "90834"), taxonomy="1041C0700X", participation="nonpar")[1]
    assert found.allowed == Decimal("74.21")


def test_a_dietitian_is_paid_85_percent_which_nobody_verified() -> None:
    # 0.53 + 0.56 + 0.01 = 1.10 RVU; 1.10 x 32.3465 = 35.58115; of that 85 percent = 30.2439775
    for taxonomy in ("133V00000X", "133N00000X"):
        found = priced(service_line(1, "97802"), taxonomy=taxonomy)[1]
        assert found.allowed == Decimal("30.24")
        assert found.basis == "MPFS 2025, national, the share of a dietitian is not verified"


@pytest.mark.parametrize(
    ("taxonomy", "remark"),
    [
        ("225100000X", "profession in no loaded table, priced in full"),
        ("1041S0200X", "profession in no loaded table, priced in full"),
        ("", "profession not sent, priced in full"),
    ],
)
def test_a_profession_that_no_row_knows_is_priced_in_full_and_says_so(taxonomy: str, remark: str) -> None:
    found = priced(service_line(1), taxonomy=taxonomy)[1]
    assert (found.allowed, found.basis) == (Decimal("9.38"), f"MPFS 2025, national, {remark}")


def test_a_profession_that_a_row_knows_needs_no_remark() -> None:
    for taxonomy, dollars in ((PHYSICIAN, "9.38"), (NURSE_PRACTITIONER, "7.97")):
        found = priced(service_line(1), taxonomy=taxonomy)[1]
        assert (found.allowed, found.basis) == (Decimal(dollars), "MPFS 2025, national")
