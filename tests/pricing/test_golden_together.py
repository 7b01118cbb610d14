"""Claims of several lines worked out by hand: what services of one day lose beside each other (CMS RVU25D).

Each amount is relative value units x 32.3465, national, rounded half up; the sums stand beside it. Indicators and rules
are those of the documentation of the relative value file, under Multiple Procedure and Bilateral Surgery.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.pricing.golden import priced
from tests.support.priced import service_line

CHARGE = Decimal(5000)


def line(number: int, code: str, *modifiers: str, **changes: Any) -> Any:
    return service_line(number, code, *modifiers, **({"charge": CHARGE} | changes))


def allowed(*lines: Any, **of: Any) -> list[Decimal | None]:
    return [price.allowed for price in priced(*lines, **of).values()]


def dollars(*amounts: str) -> list[Decimal]:
    return [Decimal(amount) for amount in amounts]


# Operations: 29827 32.47 RVU = 1050.29; 64721 13.72 RVU = 443.79; 20610 1.96 RVU = 63.40.


def test_operations_of_a_day_are_ranked_whatever_their_order() -> None:
    # half of 443.79 = 221.895
    assert allowed(line(1, "64721"), line(2, "29827")) == dollars("221.90", "1050.29")
    assert allowed(line(1, "29827"), line(2, "64721", "51")) == dollars("1050.29", "221.90")
    found = priced(line(1, "64721"), line(2, "29827"))
    assert found[1].steps[-1] == "443.79 x 0.50 (multiple-procedure reduction, rank 2) = 221.90"
    assert found[1].basis == "MPFS 2025, national"
    assert found[2].steps == ("32.47 RVU x 32.3465 = 1050.29",)


def test_a_visit_and_another_day_and_another_surgeon_rank_apart() -> None:
    lines = line(1, "64721"), line(2, "29827", first_day=date(2025, 3, 13), last_day=date(2025, 3, 13))
    assert allowed(*lines) == dollars("443.79", "1050.29")
    assert allowed(line(1, "64721"), line(2, "99213", "25")) == dollars("443.79", "88.95")


def test_the_second_to_the_fifth_are_halved_and_the_sixth_is_by_report() -> None:
    # 63.40 + 4 x 31.70 = 190.20
    five = priced(line(1, "20610", units=Decimal(5)))[1]
    assert (five.allowed, five.unknown) == (Decimal("190.20"), None)
    six = priced(line(1, "20610", units=Decimal(6)))[1]
    assert (six.allowed, six.unknown) == (None, "by-report")


def test_a_charge_below_the_reduced_fee_is_what_is_paid() -> None:
    assert allowed(line(1, "64721", charge=Decimal(200)), line(2, "29827")) == dollars("200.00", "1050.29")
    # the charge is held against the reduced fee, never against the full one
    assert allowed(line(1, "64721", charge=Decimal(300)), line(2, "29827")) == dollars("221.90", "1050.29")


def test_both_sides_on_two_lines_are_one_operation_of_150_percent() -> None:
    # 1.96 x 32.3465 x 1.50 = 95.09871; the first line 63.40, the other what is left: 31.70
    assert allowed(line(1, "20610", "LT"), line(2, "20610", "RT")) == dollars("63.40", "31.70")
    # ranked second: half of 95.10 = 47.55
    lines = line(1, "20610", "LT"), line(2, "20610", "RT"), line(3, "64721")
    assert allowed(*lines) == dollars("31.70", "15.85", "443.79")


def test_the_charges_of_both_sides_are_held_together_against_their_fee() -> None:
    """As in the documentation's example: two sides at 100 each, a fee of 125: 187.50 is less than 200."""
    # 95.10 against 2 x 50.00: each line gives no more than its charge, together 95.10
    lines = line(1, "20610", "LT", charge=Decimal(50)), line(2, "20610", "RT", charge=Decimal(50))
    assert allowed(*lines) == dollars("50.00", "45.10")
    low = line(1, "20610", "LT", charge=Decimal(40)), line(2, "20610", "RT", charge=Decimal(40))
    assert allowed(*low) == dollars("40.00", "40.00")


def test_a_code_of_both_sides_is_paid_once_for_them() -> None:
    """Bilateral indicator 2: 92083 1.89 RVU = 61.13, whatever the sides."""
    assert allowed(line(1, "92083", "RT"), line(2, "92083", "LT")) == dollars("61.13", "0.00")


def test_two_operations_of_which_one_is_said_to_be_distinct_are_ranked_and_no_pair() -> None:
    assert allowed(line(1, "20610", "LT"), line(2, "20610", "RT", "59")) == dollars("63.40", "31.70")


# Endoscopies in an ambulatory surgical center: 45385 7.51 RVU = 242.92; 45380 5.96 = 192.79; their base 45378 5.48 =
# 177.26; 43239 4.10 = 132.62; its base 43235 3.65 = 118.06.


def test_of_an_endoscopy_family_the_others_are_paid_what_they_exceed_the_base() -> None:
    # 192.79 - 177.26 = 15.53
    lines = line(1, "45380", "59"), line(2, "45385")
    assert allowed(*lines, place="24") == dollars("15.53", "242.92")
    found = priced(*lines, place="24")[1]
    assert found.steps[-1] == "192.79 - 177.26 (base of the endoscopy family) = 15.53"


def test_families_are_ranked_after_their_own_rule() -> None:
    # colon: 242.92 + 15.53 = 258.45 ranks before the stomach's 132.62, of which half is 66.31
    lines = line(1, "43239"), line(2, "45380", "59"), line(3, "45385")
    assert allowed(*lines, place="24") == dollars("66.31", "15.53", "242.92")


def test_the_base_beside_its_family_is_not_paid() -> None:
    assert allowed(line(1, "45378"), line(2, "45385"), place="24") == dollars("0.00", "242.92")
    assert allowed(line(1, "45378"), place="24") == dollars("177.26")


# Imaging: 71260 5.08 RVU (technical 3.44, professional 1.64) = 164.32; 70450 3.25 (2.05, 1.20).


def test_of_imaging_in_one_session_the_others_lose_half_the_technical_part_and_a_twentieth_of_the_professional() -> (
    None
):
    # 3.25 - 0.50 x 2.05 - 0.05 x 1.20 = 2.165 RVU = 70.0301725
    found = priced(line(1, "70450"), line(2, "71260"))
    assert [found[1].allowed, found[2].allowed] == dollars("70.03", "164.32")
    assert found[1].basis == "MPFS 2025, national"


def test_readings_alone_lose_a_twentieth() -> None:
    # 1.64 RVU = 53.04826; 1.20 - 0.05 x 1.20 = 1.14 RVU = 36.87501
    assert allowed(line(1, "70450", "26"), line(2, "71260", "26"), place="22") == dollars("36.88", "53.05")


def test_a_reading_beside_a_whole_study_touches_the_reading_only() -> None:
    # 71260-26 has the greater professional part: 70450 loses 0.06 RVU of its own and nothing technical
    # 3.25 - 0.05 x 1.20 = 3.19 RVU = 103.185335
    assert allowed(line(1, "70450"), line(2, "71260", "26")) == dollars("103.19", "53.05")


# Heart and vessels: 93880 5.62 RVU (technical 4.50) = 181.79; 93306 5.81 (3.79).
# Eyes: 92083 1.89 (1.10) = 61.13; 92134 0.97 (0.44).


def test_cardiovascular_tests_are_ranked_by_their_technical_part_and_not_by_their_fee() -> None:
    # 5.81 - 0.25 x 3.79 = 4.8625 RVU = 157.28485...
    assert allowed(line(1, "93306"), line(2, "93880")) == dollars("157.28", "181.79")


def test_tests_of_the_eyes_after_the_first_lose_a_fifth_of_the_technical_part() -> None:
    # 0.97 - 0.20 x 0.44 = 0.882 RVU = 28.52961...
    assert allowed(line(1, "92083"), line(2, "92134")) == dollars("61.13", "28.53")


def test_heart_and_eyes_do_not_reduce_each_other() -> None:
    # 5.81 RVU = 187.93316...
    assert allowed(line(1, "92083"), line(2, "93306")) == dollars("61.13", "187.93")


# Therapy: 97110 0.89 RVU (practice expense 0.43) = 28.79, reduced 0.675 = 21.83; 97530 1.07 (0.62) = 34.61.


def test_one_unit_of_therapy_of_the_day_is_paid_in_full_the_one_with_the_greatest_expense() -> None:
    # 97530 is first; both units of 97110 are reduced: 2 x 21.83 = 43.66
    assert allowed(line(1, "97110", "GP", units=Decimal(2)), line(2, "97530", "GP")) == dollars("43.66", "34.61")
    # 1.07 - 0.31 = 0.76 RVU = 24.58334; 34.61 + 24.58 = 59.19
    two = line(1, "97110", "GP"), line(2, "97530", "GP", units=Decimal(2))
    assert allowed(*two) == dollars("21.83", "59.19")


def test_therapy_of_another_day_is_first_again() -> None:
    later = line(2, "97530", "GP", first_day=date(2025, 3, 13), last_day=date(2025, 3, 13))
    assert allowed(line(1, "97110", "GP"), later) == dollars("28.79", "34.61")


@pytest.mark.parametrize("codes", [("70450", "71260"), ("93306", "93880"), ("29827", "64721"), ("97110", "97530")])
def test_the_order_of_the_lines_changes_nothing(codes: tuple[str, str]) -> None:
    forth = allowed(line(1, codes[0]), line(2, codes[1]))
    back = allowed(line(1, codes[1]), line(2, codes[0]))
    assert forth == back[::-1]


def test_imaging_is_reduced_before_the_outpatient_cap_is_held_against_it() -> None:
    """70000, made up: 4.55 RVU, technical 3.83, professional 0.72; capped it has 2.53."""
    # alone: 2.53 RVU = 81.836645
    assert allowed(line(1, "70000")) == dollars("81.84")
    # beside a reading with the greater professional part: the cap stays, 2.53 - 0.05 x 0.72 = 2.494 RVU = 80.672171
    assert allowed(line(1, "70000"), line(2, "71260", "26")) == dollars("80.67", "53.05")
    # beside the whole 71260, 70000 has the greater technical part (3.83), so that 71260 loses half of its 3.44:
    # 5.08 - 1.72 = 3.36 RVU = 108.68424
    assert allowed(line(1, "70000"), line(2, "71260")) == dollars("80.67", "108.68")
    # two units: the second loses half of 3.83 and a twentieth of 0.72: 4.55 - 1.915 = 2.635 is above the cap of 2.53,
    # which is paid less 0.036: 2.494 RVU = 80.67; 81.84 + 80.67 = 162.51
    assert allowed(line(1, "70000", units=Decimal(2))) == dollars("162.51")


def test_where_a_line_falls_the_others_are_allowed_what_they_are_without_it() -> None:
    lines = line(1, "64721"), line(2, "29827"), line(3, "99213", "25")
    found = priced(*lines)
    assert found[2].without_it == ((1, Decimal("443.79")),)
    assert found[1].without_it == ()  # 29827 is paid in full beside it, too
    assert found[3].without_it == ()


def test_of_both_sides_the_other_is_paid_as_one_where_a_side_falls() -> None:
    found = priced(line(1, "20610", "LT"), line(2, "20610", "RT"))
    assert found[1].without_it == ((2, Decimal("63.40")),)
    assert found[2].without_it == ()
