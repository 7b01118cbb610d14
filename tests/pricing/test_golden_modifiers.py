"""Claims worked out by hand for what modifiers do to one line: parts of a package, second surgeons, both sides.

29827 in 2025: 15.59 + 13.85 + 3.03 = 32.47 RVU; 32.47 x 32.3465 = 1050.290855. Of the package 10 % is before, 69 % the
operation, 21 % after (CMS RVU25D). The charge of each line is above any fee.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.pricing.golden import priced
from tests.support.priced import NURSE_PRACTITIONER, service_line

CHARGE = Decimal(5000)


@pytest.mark.parametrize(
    ("modifiers", "dollars", "step"),
    [
        # 1050.290855 x (0.10 + 0.69) = 829.72977...; x 0.21 = 220.56107...; x 0.10 = 105.0290855
        (("54",), "829.73", "32.47 RVU x 32.3465 x 0.79 (surgery without the care after it) = 829.73"),
        (("55",), "220.56", "32.47 RVU x 32.3465 x 0.21 (care after surgery) = 220.56"),
        (("56",), "105.03", "32.47 RVU x 32.3465 x 0.10 (care before surgery) = 105.03"),
        # x 0.69 = 724.70068...
        (("78",), "724.70", "32.47 RVU x 32.3465 x 0.69 (return to the operating room) = 724.70"),
        # x 0.625 = 656.43178...
        (("62",), "656.43", "32.47 RVU x 32.3465 x 0.625 (co-surgeon) = 656.43"),
        # x 0.16 = 168.04653...; x 0.85 = 142.83955...
        (("80",), "168.05", "32.47 RVU x 32.3465 x 0.16 (assistant at surgery) = 168.05"),
        (("81",), "168.05", "32.47 RVU x 32.3465 x 0.16 (assistant at surgery) = 168.05"),
        (("82",), "168.05", "32.47 RVU x 32.3465 x 0.16 (assistant at surgery) = 168.05"),
        (
            ("AS",),
            "142.84",
            "32.47 RVU x 32.3465 x 0.16 (assistant at surgery) x 0.85 (assistant who is no physician) = 142.84",
        ),
        # x 1.50 = 1575.43628...; of that 0.16 = 252.06980...
        (("50",), "1575.44", "32.47 RVU x 32.3465 x 1.50 (both sides) = 1575.44"),
        (
            ("50", "80"),
            "252.07",
            "32.47 RVU x 32.3465 x 1.50 (both sides) x 0.16 (assistant at surgery) = 252.07",
        ),
    ],
)
def test_a_share_of_the_fee(modifiers: tuple[str, ...], dollars: str, step: str) -> None:
    found = priced(service_line(1, "29827", *modifiers, charge=CHARGE))[1]
    assert (found.allowed, found.steps) == (Decimal(dollars), (step,))


def test_the_parts_of_a_package_come_to_the_whole() -> None:
    whole, surgery, after = (
        priced(service_line(1, "29827", *modifiers, charge=CHARGE))[1].allowed for modifiers in ((), ("54",), ("55",))
    )
    assert whole == Decimal("1050.29")
    assert surgery is not None
    assert after is not None
    assert surgery + after == whole


def test_a_nurse_practitioner_who_assists_is_reduced_once() -> None:
    found = priced(service_line(1, "29827", "AS", charge=CHARGE), taxonomy=NURSE_PRACTITIONER)[1]
    assert found.steps == ("32.47 RVU x 32.3465 x 0.16 (assistant at surgery) x 0.85 (nurse practitioner) = 142.84",)


@pytest.mark.parametrize(
    ("code", "modifiers", "changes", "word"),
    [
        ("64721", ("80",), {}, "modifier-not-priced"),  # indicator 1: no assistant may be paid
        ("45385", ("62",), {}, "modifier-not-priced"),  # indicator 0: no co-surgeons
        ("45385", ("54",), {}, "modifier-not-priced"),  # no days after it: nothing to split
        ("45385", ("55",), {}, "modifier-not-priced"),
        ("77092", ("54",), {}, "modifier-not-priced"),
        ("29827", ("54", "55"), {}, "modifier-not-priced"),
        ("29827", ("55",), {"units": Decimal(80)}, "modifier-not-priced"),  # days of care, which are no operations
        ("29827", ("66",), {}, "by-report"),
    ],
)
def test_what_no_share_decides_has_no_amount(
    code: str, modifiers: tuple[str, ...], changes: dict[str, Any], word: str
) -> None:
    found = priced(service_line(1, code, *modifiers, charge=CHARGE, **changes))[1]
    assert (found.allowed, found.unknown) == (None, word)


@pytest.mark.parametrize(
    ("modifier", "remark"),
    [
        ("22", "an estimate: more than the full fee is by review (modifier 22)"),
        ("52", "an estimate, at most: what is paid of a reduced service is by review (modifier 52)"),
        ("53", "an estimate, at most: what is paid of a discontinued service is by review (modifier 53)"),
        ("55", "less where the care after surgery was shared"),
        ("62", "the documentation decides whether co-surgeons are paid"),
        ("78", "the share of modifier 78 is not verified"),
    ],
)
def test_the_basis_says_what_is_an_estimate(modifier: str, remark: str) -> None:
    found = priced(service_line(1, "29827", modifier, charge=CHARGE))[1]
    assert found.basis == f"MPFS 2025, national, {remark}"


@pytest.mark.parametrize("modifier", ["22", "52", "53"])
def test_an_estimate_is_the_full_fee(modifier: str) -> None:
    assert priced(service_line(1, "29827", modifier, charge=CHARGE))[1].allowed == Decimal("1050.29")
