"""The Medicare formula: CMS's own published amounts, the starter tables, rounding and the outpatient imaging cap."""

from __future__ import annotations

import csv
import lzma
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from scrubber.pricing.weights import Share, amount, weigh
from scrubber.reference.fee_rows import FeeRow, Gpci
from tests.support.priced import claim, price, service_line

MPFS = Path(__file__).parents[3] / "shared" / "data" / "mpfs"
FACTOR_2025 = Decimal("32.3465")
published = pytest.mark.skipif(not MPFS.is_dir(), reason="the published files are not beside the project")


def fee_row(**columns: Any) -> FeeRow:
    text: dict[str, Any] = dict.fromkeys(FeeRow._fields, "0")
    text |= {"component": "", "status": "A", "release": "sample", "source": "sample"}
    units = dict.fromkeys(
        ("work", "non_facility_pe", "facility_pe", "mp", "opps_non_facility_pe", "opps_facility_pe", "opps_mp"),
        Decimal(0),
    )
    dates = {"since": None, "until": None, "non_facility_na": False, "facility_na": False}
    return FeeRow(**(text | units | dates | columns))


def published_rows() -> dict[tuple[str, str], FeeRow]:
    with lzma.open(MPFS / "PPRRVU2025_Oct.nodesc.csv.xz", "rt") as file:
        lines = list(csv.reader(file))
    start = next(number for number, line in enumerate(lines) if line[0] == "HCPCS")
    return {
        (line[0], line[1]): fee_row(
            code=line[0],
            work=Decimal(line[5]),
            non_facility_pe=Decimal(line[6]),
            facility_pe=Decimal(line[8]),
            mp=Decimal(line[10]),
            opps_non_facility_pe=Decimal(line[28]),
            opps_facility_pe=Decimal(line[29]),
            opps_mp=Decimal(line[30]),
        )
        for line in lines[start + 1 :]
    }


def published_localities() -> dict[tuple[str, str], Gpci]:
    with (MPFS / "GPCI2025.csv").open(encoding="latin-1", newline="") as file:
        lines = [line for line in csv.reader(file) if line[0].isdigit()]
    return {(line[0], line[2]): _locality(line) for line in lines}


def _locality(line: list[str]) -> Gpci:
    work, pe, mp = map(Decimal, line[4:7])
    return Gpci(f"{line[0]}-{line[2]}", line[0], line[3], work, pe, mp, None, None, "sample")


def published_amounts() -> Iterator[list[str]]:
    for name in ("PFREV25C.txt", "PFAL25A.excerpt.txt"):
        with (MPFS / name).open(encoding="latin-1", newline="") as file:
            yield from (line for line in csv.reader(file) if line[0] == "2025")


@published
def test_the_formula_gives_every_amount_that_cms_published() -> None:
    rows, localities = published_rows(), published_localities()
    wrong, compared = [], 0
    for _, contractor, locality, code, modifier, *amounts, _status in [line[:8] for line in published_amounts()]:
        gpci = localities[contractor, locality]
        for facility, paid in zip((False, True), amounts, strict=True):
            row = rows[code, modifier.strip()]
            given = amount(weigh(row, facility, gpci).paid.rvu, FACTOR_2025, [])
            compared += 1
            if given != Decimal(paid):
                wrong.append((contractor, locality, code, modifier, facility, given, paid))
    assert (compared, wrong) == (272, [])


def test_half_a_cent_goes_up_and_is_rounded_once() -> None:
    assert amount(Decimal("0.5"), Decimal("0.01"), []) == Decimal("0.01")
    assert amount(Decimal("1.005"), Decimal(1), []) == Decimal("1.01")
    twice = [Share(Decimal("0.5"), "half"), Share(Decimal("0.5"), "half")]
    assert amount(Decimal("0.0499"), Decimal("1"), twice) == Decimal("0.01")  # 0.012475; cent by cent: 0.03, 0.02


def test_an_amount_keeps_its_two_decimals() -> None:
    assert str(amount(Decimal("1.20"), Decimal("1.5"), [])) == "1.80"


def test_imaging_is_paid_no_more_than_the_outpatient_rate() -> None:
    imaging = {"work": Decimal("0.20"), "non_facility_pe": Decimal("0.96"), "mp": Decimal("0.02")}
    capped = fee_row(**imaging, opps_non_facility_pe=Decimal("0.50"), opps_mp=Decimal("0.01"))
    not_capped = fee_row(**imaging, opps_non_facility_pe=Decimal("3.32"), opps_mp=Decimal("0.05"))
    assert weigh(capped, False, None).paid.rvu == Decimal("0.71")
    assert weigh(capped, False, None).paid.text == "0.71 RVU (outpatient imaging cap, below 1.18 RVU)"
    assert weigh(not_capped, False, None).paid.rvu == weigh(fee_row(**imaging), False, None).paid.rvu == Decimal("1.18")


# Code with part; dollars in 2025; dollars in 2026 for others and for qualifying APM participants.
FAMILY = """\
77089    38.82 39.75 39.95
77090     2.91  3.01  3.02
77091    26.52 26.72 26.85
77092     9.38 10.02 10.07
77080    38.17 39.41 39.61
77080-26  9.06  9.35  9.40
77080-TC 29.11 30.06 30.21
77081    31.05 31.73 31.89
77081-26  9.06  9.35  9.40
77081-TC 22.00 22.38 22.49
77085    52.40 54.44 54.72
77085-26 13.59 14.36 14.43
77085-TC 38.82 40.08 40.28
77086    33.32 34.74 34.91
77086-26  7.76  8.02  8.06
77086-TC 25.55 26.72 26.85
77078    97.04 98.87 99.36
76977     7.12  7.68  7.72
76977-26  2.59  2.67  2.69
76977-TC  4.53  5.01  5.04
G0130    36.88 39.75 39.95
G0130-26 10.67 11.02 11.08
G0130-TC 26.20 28.72 28.87
"""
MEMBERS = [tuple(line.split()) for line in FAMILY.splitlines()]


@pytest.mark.parametrize(("code", "in_2025", "in_2026", "in_2026_apm"), MEMBERS)
def test_the_starter_tables_price_the_bone_density_family(
    code: str, in_2025: str, in_2026: str, in_2026_apm: str
) -> None:
    procedure, _, part = code.partition("-")
    for day, apm, dollars in (
        (date(2025, 10, 1), False, in_2025),
        (date(2026, 3, 2), False, in_2026),
        (date(2026, 3, 2), True, in_2026_apm),
    ):
        line = service_line(1, procedure, *([part] if part else []), first_day=day, last_day=day)
        assert price(claim(line, qualifying_apm=apm)).allowed == Decimal(dollars)


def test_2024_has_two_conversion_factors() -> None:
    last, first = date(2024, 3, 8), date(2024, 3, 9)
    before = price(claim(service_line(1, first_day=last, last_day=last)))
    after = price(claim(service_line(1, first_day=first, last_day=first)))
    assert (before.steps, after.steps) == (("0.29 RVU x 32.7442 = 9.50",), ("0.29 RVU x 33.2875 = 9.65",))
