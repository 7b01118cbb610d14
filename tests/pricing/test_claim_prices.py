"""What a line is allowed: where, when, by whom, how many, with which modifiers, and by which payer."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scrubber.claim.model import ServiceLine
from scrubber.pricing import UNKNOWN, LinePrice
from scrubber.pricing.adjustments import NO_CLAIM
from scrubber.pricing.amounts import UnitFee
from scrubber.pricing.fee_schedule import Area, PricedService, medicare_unit_fee
from scrubber.reference import Reference
from scrubber.reference.fee_rows import ConversionFactor, FeeRow
from scrubber.reference.releases import Release
from scrubber.reference.tables import CONVERSION_FACTORS, MPFS, PAYMENT_SHARES, TABLES, Table
from scrubber.reference.typed_tables import MemoryBackend, read_contents
from tests.pricing.test_fee_schedule import fee_row
from tests.support.priced import (
    COMMERCIAL,
    DAY,
    MEDICARE,
    NURSE_PRACTITIONER,
    at,
    claim,
    payer_fee,
    price,
    prices,
    rulebook,
    service_line,
    starter,
)

ALABAMA, MANHATTAN, ELSEWHERE = "352330001", "10001", "98101"
MARCH_2026 = date(2026, 3, 2)


def test_the_national_amount_and_its_arithmetic() -> None:
    assert price(claim(service_line(1))) == LinePrice(
        Decimal("600.00"),
        Decimal("9.38"),
        Decimal("9.38"),
        "MPFS 2025, national",
        ("0.29 RVU x 32.3465 = 9.38",),
        None,
    )


@pytest.mark.parametrize(
    ("code", "modifiers", "dollars"),
    [
        ("77092", (), "8.90"),
        ("77089", (), "34.29"),
        ("77090", (), "2.43"),
        ("77091", (), "22.95"),
        ("77080", (), "33.83"),
        ("77080", ("26",), "8.62"),
        ("77080", ("TC",), "25.20"),
        ("77081", (), "27.64"),
        ("77085", (), "46.52"),
        ("77086", (), "29.48"),
    ],
)
def test_alabama(code: str, modifiers: tuple[str, ...], dollars: str) -> None:
    found = price(replace(claim(service_line(1, code, *modifiers)), facility=at(ALABAMA)))
    assert found.allowed == Decimal(dollars)
    assert found.basis == "MPFS 2025, locality 10112-00 (Alabama) by service facility ZIP"


def test_the_arithmetic_of_a_locality_shows_each_index() -> None:
    stated = price(claim(service_line(1, "77089"), locality="10112-00"))
    assert stated.basis == "MPFS 2025, locality 10112-00 (Alabama)"
    assert stated.steps == ("(0.20 x 1.000 + 0.97 x 0.869 + 0.03 x 0.575) RVU x 32.3465 = 34.29",)


def test_manhattan_in_2026() -> None:
    line = service_line(1, first_day=MARCH_2026, last_day=MARCH_2026)
    assert price(replace(claim(line), facility=at(MANHATTAN))).allowed == Decimal("11.13")


def test_the_stated_locality_goes_before_the_facility_and_that_before_the_billing_address() -> None:
    def basis(line_zip: str | None, claim_zip: str | None, **context: Any) -> str | None:
        line = service_line(1, facility=at(line_zip) if line_zip else None)
        whole = replace(claim(line, **context), billing=at(ALABAMA), facility=at(claim_zip) if claim_zip else None)
        return price(whole).basis

    by_facility = "MPFS 2025, locality 13202-01 (Manhattan) by service facility ZIP"
    assert basis(MANHATTAN, MANHATTAN, locality="national") == "MPFS 2025, national"
    assert basis(MANHATTAN, ALABAMA) == by_facility
    assert basis(None, MANHATTAN) == by_facility
    assert basis(None, None) == "MPFS 2025, locality 10112-00 (Alabama) by billing ZIP"


def test_a_zip_that_no_table_has_gives_the_national_amount_and_says_so() -> None:
    found = price(replace(claim(service_line(1)), facility=at(ELSEWHERE), billing=at(ALABAMA)))
    assert (found.allowed, found.basis) == (Decimal("9.38"), "MPFS 2025, national (ZIP not in the loaded tables)")


@pytest.mark.parametrize(
    ("zip_code", "doubt"),
    [
        ("35958", "(not certain: its nine digits decide)"),
        ("359580001", "(not certain: its nine digits decide, and are in no loaded table)"),
    ],
)
def test_five_digits_of_several_localities_give_the_listed_one_and_say_so(zip_code: str, doubt: str) -> None:
    found = price(replace(claim(service_line(1, "77089")), facility=at(zip_code)))
    assert found.allowed == Decimal("34.29")
    assert found.basis == f"MPFS 2025, locality 10112-00 (Alabama) by service facility ZIP {doubt}"


def test_2026_pays_qualifying_apm_participants_by_their_own_factor() -> None:
    line = service_line(1, first_day=MARCH_2026, last_day=MARCH_2026)
    assert price(claim(line)).allowed == Decimal("10.02")
    participant = price(claim(line, qualifying_apm=True))
    assert (participant.allowed, participant.basis) == (Decimal("10.07"), "MPFS 2026 (qualifying APM), national")


def test_past_the_last_release_the_rates_are_carried_forward_and_the_basis_says_so() -> None:
    day = date(2027, 6, 1)
    assert price(claim(service_line(1, first_day=day, last_day=day))).basis == "MPFS 2026 carried forward, national"


def test_a_nurse_practitioner_is_paid_85_percent_on_the_same_product() -> None:
    found = price(claim(service_line(1), taxonomy=NURSE_PRACTITIONER))
    assert found.steps == ("0.29 RVU x 32.3465 x 0.85 (nurse practitioner) = 7.97",)


def test_a_non_participating_provider_is_paid_95_percent() -> None:
    assert price(claim(service_line(1), participation="par")).allowed == Decimal("9.38")
    assert price(claim(service_line(1), participation="nonpar")).allowed == Decimal("8.91")


@pytest.mark.parametrize(
    ("place", "dollars", "basis"),
    [
        ("11", "88.95", "MPFS 2025, national"),
        ("22", "63.72", "MPFS 2025, national, facility"),
        (None, "88.95", "MPFS 2025, national, place of service unknown"),
    ],
)
def test_the_place_of_service_decides_the_practice_expense(place: str | None, dollars: str, basis: str) -> None:
    found = price(claim(service_line(1, "99213"), place=place))
    assert (found.allowed, found.basis) == (Decimal(dollars), basis)


def test_a_place_where_the_code_is_not_done_is_priced_and_remarked() -> None:
    found = price(claim(service_line(1, "77089"), place="22"))
    assert found.allowed == Decimal("38.82")
    assert found.basis == "MPFS 2025, national, facility (rarely or never done there)"


def test_the_unit_fee_is_rounded_before_units_multiply_it() -> None:
    found = price(claim(service_line(1, units=Decimal("3.0"))))
    assert (found.unit_fee, found.allowed) == (Decimal("9.38"), Decimal("28.14"))  # 0.87 RVU at once: 28.14146
    assert found.steps[-1] == "3 units x 9.38 = 28.14"
    assert price(claim(service_line(1, units=Decimal("1.25")))).allowed == Decimal("11.73")  # 11.725


def test_the_lower_of_charge_and_fee_is_allowed() -> None:
    found = price(claim(service_line(1, charge=Decimal("5"))))
    assert (found.billed, found.allowed) == (Decimal("5.00"), Decimal("5.00"))
    assert found.steps == ("0.29 RVU x 32.3465 = 9.38", "charge 5.00 is lower")
    assert price(claim(service_line(1, charge=Decimal("9.38")))).steps == ("0.29 RVU x 32.3465 = 9.38",)


@pytest.mark.parametrize("charge", [None, Decimal("-1"), Decimal("1e30")])
def test_a_charge_that_is_none_does_not_cap_the_fee(charge: Decimal | None) -> None:
    found = price(claim(service_line(1, charge=charge)))
    assert (found.billed, found.allowed) == (None, Decimal("9.38"))


@pytest.mark.parametrize(
    "changes",
    [{"units": None}, {"units": Decimal(0)}, {"units": Decimal(-1)}, {"units": Decimal("1e30")}, {"unit_code": "MJ"}],
)
def test_units_that_are_no_count_leave_the_amount_unknown(changes: dict[str, Any]) -> None:
    found = price(claim(service_line(1, **changes)))
    assert (found.allowed, found.unit_fee, found.unknown) == (None, Decimal("9.38"), "no-units")


@pytest.mark.parametrize("modifier", ["26", "TC"])
def test_a_part_that_the_code_does_not_have_is_priced_as_the_whole_code(modifier: str) -> None:
    found = price(claim(service_line(1, "77092", modifier)))
    assert found.allowed == Decimal("9.38")
    assert found.basis == f"MPFS 2025, national, modifier {modifier} has no effect: the code has no such part"


def test_both_sides_of_what_has_none_are_told_to_change_nothing() -> None:
    found = price(claim(service_line(1, "77092", "50")))
    assert (found.allowed, found.basis) == (
        Decimal("9.38"),
        "MPFS 2025, national, modifier 50 has no effect on this code",
    )


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"procedure": None}, "no-code"),
        ({"first_day": None, "last_day": None}, "no-date"),
        ({"procedure": "99999"}, "unknown-code"),
        ({"first_day": date(2021, 5, 1), "last_day": date(2021, 5, 1)}, "before-first-release"),
        ({"procedure": "0554T"}, "contractor-priced"),
        ({"procedure": "36415"}, "not-on-fee-schedule"),
        ({"modifiers": ("QX",)}, "modifier-not-priced"),
        ({"modifiers": ("81",)}, "modifier-not-priced"),
        ({"procedure": "77080", "modifiers": ("26", "TC")}, "modifier-not-priced"),
        ({"procedure": "20610", "modifiers": ("50",), "units": Decimal(2)}, "modifier-not-priced"),
    ],
)
def test_an_amount_that_cannot_be_known_is_none_and_says_why(changes: dict[str, Any], word: str) -> None:
    found = price(claim(service_line(1, **changes)))
    assert (found.billed, found.allowed, found.unknown) == (Decimal("600.00"), None, word)


def test_a_stated_locality_without_indices_is_not_priced_as_another() -> None:
    assert price(claim(service_line(1), locality="99999-99")).unknown == "unknown-locality"


def test_a_code_paid_only_alone_says_so() -> None:
    basis = price(claim(service_line(1, "36591"))).basis
    assert basis is not None
    assert basis.endswith("paid only when nothing else is paid that day")


def test_a_payer_of_a_percentage_keeps_the_full_fee_of_two_reducible_services_with_a_remark() -> None:
    lines = service_line(1, "20610", "LT"), service_line(2, "20610", "RT"), service_line(3, "99213", "25")
    found = prices(claim(*lines), COMMERCIAL, rulebook(payer_fee(None, percent_of_medicare=Decimal(100))))
    assert found[1].allowed == found[2].allowed == price(claim(service_line(1, "20610"))).allowed
    remarked = [number for number, one in found.items() if "before multiple-procedure" in (one.basis or "")]
    assert remarked == [1, 2]


def test_services_of_two_days_are_not_reduced() -> None:
    lines = service_line(1, "20610"), service_line(2, "20610", first_day=date(2025, 3, 13))
    assert prices(claim(*lines))[1].basis == "MPFS 2025, national"


def test_other_payers_have_no_amount_unless_a_table_gives_one() -> None:
    found = price(claim(service_line(1)), COMMERCIAL)
    assert found == LinePrice(Decimal("600.00"), None, None, None, (), "no-schedule")


def test_a_payer_table_gives_an_amount_or_a_percentage_of_medicare() -> None:
    line = claim(service_line(1, units=Decimal(2)))
    by_amount = price(line, COMMERCIAL, rulebook(payer_fee("77092", amount=Decimal("12.5"))))
    assert (by_amount.allowed, by_amount.basis) == (Decimal("25.00"), "payer fee table: Sample Mutual contract")
    by_percent = price(line, COMMERCIAL, rulebook(payer_fee(None, percent_of_medicare=Decimal("120.0"))))
    assert (by_percent.allowed, by_percent.basis) == (Decimal("22.52"), "120 % of MPFS 2025, national")
    assert by_percent.steps == ("0.29 RVU x 32.3465 = 9.38", "9.38 x 120 % = 11.26", "2 units x 11.26 = 22.52")


def test_a_payers_amount_for_the_whole_code_says_nothing_of_its_parts() -> None:
    book = rulebook(payer_fee("77080", amount=Decimal(40)))
    assert price(claim(service_line(1, "77080", "26")), COMMERCIAL, book).unknown == "modifier-not-priced"
    assert price(claim(service_line(1, "77080", "XS")), COMMERCIAL, book).allowed == Decimal("40.00")


def test_original_medicare_is_priced_by_medicare_whatever_a_payer_table_says() -> None:
    book = rulebook(payer_fee("77092", amount=Decimal(40), line_of_business=None))
    assert price(claim(service_line(1)), MEDICARE, book).allowed == Decimal("9.38")


def test_a_percentage_of_a_medicare_fee_that_is_not_known_is_not_known() -> None:
    book = rulebook(payer_fee(None, percent_of_medicare=Decimal(120)))
    assert price(claim(service_line(1, "0554T")), COMMERCIAL, book).unknown == "contractor-priced"


# Modifiers on made-up rows: ten units, of which four are technical, at ten dollars each.

WHOLE = {"code": "70000", "pc_tc": "1", "work": Decimal(5), "non_facility_pe": Decimal(4), "mp": Decimal(1)}
TECHNICAL = WHOLE | {"component": "TC", "work": Decimal(0), "mp": Decimal(0)}


def made_up(*rows: FeeRow, factor: bool = True) -> Reference:
    tables: dict[Table[Any], Any] = dict.fromkeys(TABLES.values(), ()) | {MPFS: rows}
    tables[PAYMENT_SHARES] = read_contents(None).tables[PAYMENT_SHARES]
    if factor:
        tables[CONVERSION_FACTORS] = (ConversionFactor(None, Decimal(10), date(2025, 1, 1), None, "sample"),)
    releases = [Release(table.name, "sample", date(2017, 1, 1), None, "", False, "sample") for table in tables]
    return Reference(MemoryBackend(tables, releases))


def unit_fee(*modifiers: str, rows: tuple[FeeRow, ...], factor: bool = True) -> UnitFee:
    service = PricedService("70000", modifiers, DAY, "non-facility", Area(None), True, False, NO_CLAIM)
    return medicare_unit_fee(made_up(*rows, factor=factor), service)


@pytest.mark.parametrize(
    ("columns", "modifiers", "dollars"),
    [
        ({"bilateral": "1"}, ("50",), "150.00"),
        ({"bilateral": "0"}, ("50",), "100.00"),
        ({"bilateral": "2"}, ("50",), "100.00"),
        ({"bilateral": "3"}, ("50",), "200.00"),
        ({"bilateral": "9"}, ("50",), "100.00"),
        ({"assistant": "2"}, ("80",), "16.00"),
        ({}, ("FX",), "92.00"),
        ({}, ("FY",), "96.00"),
        ({}, ("FX", "FY"), "88.80"),
        ({}, ("CT",), "94.00"),
        ({"pc_tc": "2"}, ("FY",), "100.00"),
        ({"pc_tc": "3"}, ("FY",), "90.00"),
        ({}, ("TC",), "40.00"),
        ({}, ("TC", "FY"), "36.00"),
        ({"status": "B"}, (), "0.00"),
        ({"status": "P"}, (), "0.00"),
        ({"status": "N"}, (), "0.00"),
        ({"status": "I"}, (), "0.00"),
        ({"status": "M"}, (), "0.00"),
        ({"status": "T"}, (), "100.00"),
        ({"status": "R"}, (), "100.00"),
    ],
)
def test_modifiers_and_status_with_a_published_effect(
    columns: dict[str, Any], modifiers: tuple[str, ...], dollars: str
) -> None:
    rows = fee_row(**(WHOLE | columns)), fee_row(**TECHNICAL)
    assert unit_fee(*modifiers, rows=rows).fee == Decimal(dollars)


def test_the_cut_of_the_technical_part_shows_its_arithmetic() -> None:
    fee = unit_fee("FY", rows=(fee_row(**WHOLE), fee_row(**TECHNICAL)))
    assert fee.steps == ("(10.00 RVU - 0.10 (computed radiography) x 4.00 RVU) x 10 = 96.00",)


@pytest.mark.parametrize(
    ("columns", "modifiers", "word"),
    [
        ({"assistant": "1"}, ("80",), "modifier-not-priced"),
        ({"pc_tc": "0"}, ("FY",), "modifier-not-priced"),
        ({}, ("26",), "modifier-not-priced"),
        ({"status": "J"}, (), "anesthesia"),
        ({"status": "C"}, (), "contractor-priced"),
        ({"status": "R", "work": Decimal(0), "non_facility_pe": Decimal(0), "mp": Decimal(0)}, (), "contractor-priced"),
        ({"status": "G"}, (), "not-payable"),
        ({"status": "H"}, (), "not-payable"),
        ({"status": "E"}, (), "not-on-fee-schedule"),
        ({"status": "X"}, (), "not-on-fee-schedule"),
    ],
)
def test_what_no_publication_settles_has_no_amount(
    columns: dict[str, Any], modifiers: tuple[str, ...], word: str
) -> None:
    assert unit_fee(*modifiers, rows=(fee_row(**(WHOLE | columns)),)) == UnitFee(None, None, (), word)


def test_a_row_of_its_own_prices_a_discontinued_service() -> None:
    stopped = fee_row(**(WHOLE | {"component": "53", "work": Decimal(1)}))
    assert unit_fee("53", rows=(fee_row(**WHOLE), stopped)).fee == Decimal("60.00")


def test_no_conversion_factor_no_amount() -> None:
    assert unit_fee(rows=(fee_row(**WHOLE),), factor=False).unknown == "no-conversion-factor"


CODES = ["77092", "77080", "77089", "99213", "20610", "36415", "0554T", "36591", "99999", None]
MODIFIERS = ["26", "TC", "50", "52", "53", "80", "FY", "CT", "XS", "GA", "51"]
LINES: st.SearchStrategy[list[dict[str, Any]]] = st.lists(
    st.builds(
        dict,
        procedure=st.sampled_from(CODES),
        modifiers=st.lists(st.sampled_from(MODIFIERS), max_size=4).map(tuple),
        charge=st.none() | st.decimals("-1", "500", places=3),
        units=st.none() | st.decimals("-1", "9", places=2),
        first_day=st.none() | st.dates(date(2020, 1, 1), date(2028, 12, 31)),
        place=st.sampled_from(["11", "22", "99", "00", None]),
    ),
    min_size=1,
    max_size=4,
)


@given(LINES)
def test_every_line_has_an_amount_or_a_reason_and_no_more_than_its_charge(lines: list[dict[str, Any]]) -> None:
    made: list[ServiceLine] = [service_line(n, **line) for n, line in enumerate(lines, start=1)]
    for found in prices(claim(*made), reference=starter()).values():
        assert (found.allowed is None) == (found.unknown is not None)
        assert found.unknown is None or found.unknown in UNKNOWN
        if found.allowed is not None:
            assert found.allowed.as_tuple().exponent == -2
            assert found.billed is None or 0 <= found.allowed <= found.billed
