"""Dollars of whole lines, worked out by hand from published figures: professions, therapy, places, second payers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache, partial
from typing import Any

import orjson
import pytest
from msgspec.structs import replace

from scrubber.batch.scrub_chunk import scrub_chunk
from scrubber.claim import read_v3
from scrubber.claim.model import Address, Person
from scrubber.facts.payer import identify_payer
from scrubber.findings import ScrubResult
from scrubber.pricing import LinePrice, add_impacts
from scrubber.reference import Reference
from scrubber.reference.fee_rows import FeeRow
from scrubber.reference.tables import CONVERSION_FACTORS, MPFS
from scrubber.reference.typed_tables import MemoryBackend, read_contents
from scrubber.rulebook.rule_tables import Payer
from scrubber.scrub import Receipt, Scrubber, scrub_bytes
from tests.pricing.test_fee_schedule import fee_row
from tests.support.priced import (
    COMMERCIAL,
    DAY,
    NURSE_PRACTITIONER,
    PHYSICIAN,
    at,
    claim,
    payer_fee,
    prices,
    rulebook,
    service_line,
)
from tests.test_promises import Body, claim_of, line

RECEIVED = date(2025, 3, 20)
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
    row("97110", "0.45", "0.43", "0.43", "0.01", multiple="5", pc_tc="7"),
    row("97530", "0.44", "0.62", "0.62", "0.01", multiple="5", pc_tc="7"),
    row("92015", "0.38", "0.17", "0.15", "0.02", status="N", multiple="9"),
    row("97010", "0.06", "0.13", "0.13", "0.01", status="B", multiple="9"),
    row("0001F", "0", "0", "0", "0", status="I", multiple="9"),
    row("2000F", "0", "0", "0", "0", status="M", multiple="9"),
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


def test_the_units_of_a_therapy_line_after_the_first_lose_half_their_practice_expense() -> None:
    # 0.45 + 0.43 + 0.01 = 0.89 RVU; 0.89 x 32.3465 = 28.788385
    # half of 0.43 = 0.215; 0.89 - 0.215 = 0.675 RVU; 0.675 x 32.3465 = 21.8338875
    # 28.79 + 2 x 21.83 = 72.45; three times 28.79 would be 86.37
    found = priced(service_line(1, "97110", "GP", units=Decimal(3)))[1]
    assert (found.unit_fee, found.allowed, found.basis) == (Decimal("28.79"), Decimal("72.45"), "MPFS 2025, national")
    assert found.steps == (
        "0.89 RVU x 32.3465 = 28.79",
        "(0.89 RVU - 0.50 (multiple-procedure reduction) x 0.43 practice expense) x 32.3465 = 21.83",
        "28.79 + 2 further units x 21.83 = 72.45",
    )


def test_therapy_in_alabama_loses_half_of_its_practice_expense_there() -> None:
    # 0.45 x 1.000 + 0.43 x 0.869 + 0.01 x 0.575 = 0.45 + 0.37367 + 0.00575 = 0.82942; x 32.3465 = 26.82883...
    # half of 0.37367 = 0.186835; 0.82942 - 0.186835 = 0.642585; x 32.3465 = 20.78537...
    found = priced(service_line(1, "97110", "GP", units=Decimal(2)), locality="10112-00")[1]
    assert found.allowed == Decimal("47.62")  # 26.83 + 20.79
    assert found.steps[1].startswith(
        "((0.45 x 1.000 + 0.43 x 0.869 + 0.01 x 0.575) RVU"
        " - 0.50 (multiple-procedure reduction) x 0.43 practice expense x 0.869)"
    )


def test_reduced_units_are_also_those_of_who_does_not_participate() -> None:
    # 28.788385 x 0.95 = 27.34896575; 21.8338875 x 0.95 = 20.742193125
    found = priced(service_line(1, "97110", "GP", units=Decimal(2)), participation="nonpar")[1]
    assert found.allowed == Decimal("48.09")  # 27.35 + 20.74


def test_one_unit_or_a_part_of_one_is_paid_in_full() -> None:
    assert priced(service_line(1, "97110", "GP"))[1].allowed == Decimal("28.79")
    half = priced(service_line(1, "97110", "GP", units=Decimal("0.5")))[1]
    assert half.allowed == Decimal("14.40")  # 14.395
    more = priced(service_line(1, "97110", "GP", units=Decimal("1.5")))[1]
    assert more.allowed == Decimal("39.71")  # 28.79 + 0.5 x 21.83 = 39.705


def test_the_charge_caps_a_therapy_line_as_a_whole() -> None:
    found = priced(service_line(1, "97110", "GP", units=Decimal(3), charge=Decimal("60.00")))[1]
    assert (found.allowed, found.steps[-1]) == (Decimal("60.00"), "charge 60.00 is lower")


def test_between_lines_of_a_day_one_unit_of_therapy_is_paid_in_full() -> None:
    # 0.44 + 0.62 + 0.01 = 1.07 RVU; 1.07 x 32.3465 = 34.610755; both units of 97110 are reduced: 2 x 21.83
    found = priced(service_line(1, "97110", "GP", units=Decimal(2)), service_line(2, "97530", "GP"))
    assert [found[1].allowed, found[2].allowed] == [Decimal("43.66"), Decimal("34.61")]
    assert [found[1].basis, found[2].basis] == ["MPFS 2025, national", "MPFS 2025, national"]
    later = service_line(2, "97530", "GP", first_day=date(2025, 3, 13), last_day=date(2025, 3, 13))
    assert priced(service_line(1, "97110", "GP"), later)[1].basis == "MPFS 2025, national"


def test_before_the_reduction_began_units_are_paid_alike() -> None:
    assert reference().multiple_reduction("5", "practice-expense", date(2013, 3, 31)) is None
    begun = reference().multiple_reduction("5", "practice-expense", date(2013, 4, 1))
    assert begun is not None
    assert begun.share == Decimal("0.50")


def test_units_of_an_operation_after_the_first_are_halved() -> None:
    # 1.96 x 32.3465 = 63.39914; 63.40 + 31.70
    found = priced(service_line(1, "20610", "RT", units=Decimal(2)))[1]
    assert (found.unit_fee, found.allowed) == (Decimal("63.40"), Decimal("95.10"))
    assert found.basis == "MPFS 2025, national"


def test_a_payer_that_pays_a_percentage_of_medicare_is_not_taken_to_reduce_units() -> None:
    # 28.79 x 1.20 = 34.548
    book = rulebook(payer_fee(None, percent_of_medicare=Decimal(120)))
    found = prices(claim(service_line(1, "97110", "GP", units=Decimal(2))), COMMERCIAL, book, reference())[1]
    assert found.allowed == Decimal("69.10")  # 2 x 34.55
    assert found.basis == "120 % of MPFS 2025, national, before multiple-procedure reduction"


def test_without_the_file_for_qualifying_apm_participants_their_price_is_not_known_and_says_so() -> None:
    march = date(2026, 3, 2)
    line = service_line(1, first_day=march, last_day=march)
    only = {False: of_factors("no"), True: of_factors("yes")}
    # 0.30 RVU x 33.4009 = 10.02027; 0.30 x 33.5675 = 10.07025
    assert prices(claim(line), reference=only[False])[1].allowed == Decimal("10.02")
    assert prices(claim(line, qualifying_apm=True), reference=only[True])[1].allowed == Decimal("10.07")
    missing = prices(claim(line, qualifying_apm=True), reference=only[False])
    assert (missing[1].allowed, missing[1].unknown) == (None, "no-qpp-file")
    assert prices(claim(line), reference=only[True])[1].unknown == "no-non-qpp-file"
    _, impact = add_impacts((), missing, {})
    assert impact.steps == (
        "line 1: no amount (no-qpp-file): the fee schedule file for qualifying APM participants (QPP) is not loaded"
        " for the date of service",
    )


def of_factors(qualifying: str) -> Reference:
    """The starter tables with one of the two factors of 2026, as one loaded file has it."""
    starter = read_contents(None)
    kept = tuple(
        each for each in starter.tables[CONVERSION_FACTORS] if each.qualifying_apm in (None, qualifying == "yes")
    )
    return Reference(MemoryBackend({**starter.tables, CONVERSION_FACTORS: kept}, starter.releases))


@pytest.mark.parametrize(
    ("code", "step"),
    [
        ("97010", "bundled into other services = 0.00"),  # status B; 0.20 RVU are printed, and not paid
        ("92015", "not covered by Medicare = 0.00"),  # status N; 0.57 RVU are printed, and not paid
        ("0001F", "not valid for Medicare = 0.00"),  # status I
        ("2000F", "for reporting only = 0.00"),  # status M
    ],
)
def test_what_medicare_does_not_pay_is_allowed_nothing_and_says_why(code: str, step: str) -> None:
    found = priced(service_line(1, code))[1]
    assert (found.allowed, found.unknown, found.basis) == (Decimal("0.00"), None, "MPFS 2025, national")
    assert found.steps == (step,)


def test_what_medicare_never_covers_says_nothing_of_a_payer_that_pays_a_percentage_of_its_fee() -> None:
    book = rulebook(payer_fee(None, percent_of_medicare=Decimal(120)))
    found = prices(claim(service_line(1, "92015")), COMMERCIAL, book, reference())[1]
    assert (found.allowed, found.unknown) == (None, "not-payable")


ALABAMA, MANHATTAN, ELSEWHERE = "352330001", "10001", "98101"


def somebody(zip_code: str | None) -> Person:
    return Person("/subscriber", address=Address("1 Sample Street", "Sampletown", None, zip_code))


def placed(place: str | None, **of: Any) -> LinePrice:
    """77089 of 2025 in that place, billed from Alabama."""
    return prices(replace(claim(service_line(1, "77089"), place=place), billing=at(ALABAMA), **of))[1]


def test_a_service_at_home_is_priced_where_the_patient_lives() -> None:
    # Manhattan: 0.20 x 1.065 + 0.97 x 1.166 + 0.03 x 1.656 = 0.213 + 1.13102 + 0.04968 = 1.3937; x 32.3465 = 45.0813...
    found = placed("12", patient=somebody(MANHATTAN))
    assert found.allowed == Decimal("45.08")
    assert found.basis == "MPFS 2025, locality 13202-01 (Manhattan) by the patient's ZIP"
    # Alabama: 0.20 x 1.000 + 0.97 x 0.869 + 0.03 x 0.575 = 0.2 + 0.84293 + 0.01725 = 1.06018; x 32.3465 = 34.2931...
    assert placed("11", patient=somebody(MANHATTAN)).allowed == Decimal("34.29")


def test_at_home_the_subscriber_speaks_for_a_patient_without_an_address_and_the_facility_for_neither() -> None:
    assert placed("12", subscriber=somebody(MANHATTAN)).allowed == Decimal("45.08")
    by_facility = placed("12", facility=at(MANHATTAN))
    assert by_facility.basis == "MPFS 2025, locality 13202-01 (Manhattan) by service facility ZIP"
    assert placed("12", patient=somebody(ELSEWHERE)).basis == "MPFS 2025, national (ZIP not in the loaded tables)"


def test_away_from_the_office_the_service_facility_says_where() -> None:
    found = placed("32", facility=at(MANHATTAN), patient=somebody(ALABAMA))
    assert (found.allowed, found.basis) == (
        Decimal("45.08"),
        "MPFS 2025, locality 13202-01 (Manhattan) by service facility ZIP",
    )


@pytest.mark.parametrize("place", ["12", "32", "22", "99"])
def test_away_from_the_office_a_billing_address_is_no_certain_place(place: str) -> None:
    found = placed(place)
    assert found.allowed == Decimal("34.29")
    assert found.basis is not None
    assert found.basis.startswith(
        "MPFS 2025, locality 10112-00 (Alabama) by billing ZIP"
        " (not certain: nothing sent says where the service was furnished)"
    )


def test_in_the_office_the_billing_address_is_the_place() -> None:
    assert placed("11").basis == "MPFS 2025, locality 10112-00 (Alabama) by billing ZIP"


def test_a_line_at_home_on_a_claim_from_the_office_is_priced_at_home() -> None:
    lines = service_line(1, "77089"), service_line(2, "77089", place="12")
    whole = replace(claim(*lines), billing=at(ALABAMA), patient=somebody(MANHATTAN))
    assert [each.allowed for each in prices(whole).values()] == [Decimal("34.29"), Decimal("45.08")]


def test_the_contractor_of_a_service_at_home_is_the_one_where_the_patient_lives(shipped: Scrubber) -> None:
    home = replace(claim(service_line(1), place="12"), billing=at(ALABAMA), patient=somebody(MANHATTAN))
    office = replace(home, place="11")
    found = [identify_payer(each, DAY, shipped.rulebook, shipped.reference).contractor for each in (home, office)]
    assert found == ["13202", "10112"]


def test_a_stated_locality_goes_before_the_home() -> None:
    line = claim(service_line(1, "77089"), place="12", locality="10112-00")
    assert prices(replace(line, patient=somebody(MANHATTAN)))[1].allowed == Decimal("34.29")


def test_medicare_advantage_has_no_amount_of_medicare_unless_a_payer_table_gives_one() -> None:
    advantage = Payer("Sample Advantage", "medicare-advantage", None, None)
    unknown = prices(claim(service_line(1)), advantage)[1]
    assert (unknown.allowed, unknown.unknown, unknown.basis) == (None, "no-schedule", None)
    # 0.29 RVU x 32.3465 = 9.38; 9.38 x 1.02 = 9.5676
    contract = payer_fee(None, line_of_business="medicare-advantage", percent_of_medicare=Decimal(102))
    found = prices(claim(service_line(1)), advantage, rulebook(contract))[1]
    assert (found.allowed, found.basis) == (Decimal("9.57"), "102 % of MPFS 2025, national")


def scrubbed(scrubber: Scrubber, *lines: Body, responsibility: str = "P", **context: Any) -> ScrubResult:
    """A claim to Original Medicare without documents, at national amounts."""
    body = claim_of(*lines, documented=False, pricing={"locality": "national"}, **context)
    body["subscriber"]["paymentResponsibilityLevelCode"] = responsibility
    body["ordering"] = {"npi": "1555666779", "firstName": "Robin", "lastName": "Requester"}
    return scrubber.scrub(read_v3(body), RECEIVED)


def test_a_service_that_a_row_excludes_is_allowed_nothing_with_gy_and_the_patient_owes_the_charge(
    shipped: Scrubber,
) -> None:
    impact = scrubbed(shipped, line("77092", charge="60.00"), line("V2020", modifiers=("GY",), charge="80.00")).impact
    assert impact.steps[1] == "line 2: excluded from Medicare by law, and GY says so = 0.00"
    # 77092 national in 2025 is 9.38; V2020 stands on no fee schedule, and GY says that Medicare pays nothing
    assert (impact.allowed, impact.unpriced_lines) == (Decimal("9.38"), ())
    without = scrubbed(shipped, line("77092", charge="60.00"), line("V2020", charge="80.00")).impact
    assert (without.allowed, without.unpriced_lines) == (Decimal("9.38"), (2,))


def test_a_supply_is_allowed_nothing_beside_a_paid_service_and_alone_nobody_knows(shipped: Scrubber) -> None:
    """Status P: bundled beside a practitioner's service, otherwise another schedule pays it, or none (RVU25D, P)."""
    alone = scrubbed(shipped, line("A4253", charge="60.00")).impact
    assert (alone.allowed, alone.unknown, alone.unpriced_lines) == (None, "not-on-fee-schedule", (1,))
    beside = scrubbed(shipped, line("77092", charge="60.00"), line("A4253", charge="60.00")).impact
    assert (beside.allowed, beside.unpriced_lines) == (Decimal("9.38"), ())


def test_gy_on_a_service_that_no_row_excludes_changes_no_price(shipped: Scrubber) -> None:
    impact = scrubbed(shipped, line("77092", modifiers=("GY",), charge="60.00")).impact
    assert (impact.allowed, impact.by_liability["patient"]) == (Decimal("9.38"), Decimal("0.00"))


def test_behind_another_payer_medicare_says_what_it_allows_and_not_what_is_at_risk(shipped: Scrubber) -> None:
    # 77092 and 77089 on one claim: 77089 (38.82) is bundled, which first costs 38.82
    both = line("77092", charge="60.00"), line("77089", charge="95.00")
    first = scrubbed(shipped, *both).impact
    assert (first.allowed, first.at_risk) == (Decimal("48.20"), Decimal("48.20"))
    for responsibility in ("S", "T"):
        later = scrubbed(shipped, *both, responsibility=responsibility).impact
        assert (later.allowed, later.at_risk, later.unknown) == (Decimal("48.20"), None, "secondary-payer")
        assert later.basis == "MPFS 2025, national, Medicare is secondary (42 CFR 411.33)"
        assert later.uncounted_lines == (1, 2)


@pytest.mark.parametrize(
    ("signed", "provider_loses"),
    [
        ("20240312", "0.00"),  # holds for a year: a denial would be the patient's
        ("20240310", "9.38"),  # past it, it may not hold: then the fee of 0.29 RVU x 32.3465 is the provider's loss
    ],
)
def test_a_notice_of_more_than_a_year_before_puts_the_fee_at_the_providers_risk(
    shipped: Scrubber, signed: str, provider_loses: str
) -> None:
    notice = {
        "lines": [1], "form": "CMS-R-131", "issued": signed, "signed": signed, "option": "1", "estimate": "60.00",
        "reason": "Medicare may not pay for this test for your condition",
    }  # fmt: skip
    result = scrubbed(shipped, line("77092", modifiers=("GA",), charge="60.00"), abn=[notice])
    assert result.impact.by_liability["provider"] == Decimal(provider_loses)
    assert "deny" not in {finding.rule.severity for finding in result.findings}


def test_a_batch_counts_a_claim_that_has_at_least_its_dollars_at_risk_as_not_all_known(shipped: Scrubber) -> None:
    # 77089 falls beside 77092 and 0554T has no amount: 38.82 and something more
    known = claim_of(line("77092"), line("77089"), documented=False)
    partly = claim_of(line("77092"), line("77089"), line("0554T", units="9"), documented=False)
    assert scrubbed(shipped, line("77092"), line("77089"), line("0554T", units="9")).impact.uncounted_lines == (3,)
    rows = [iter([(1, orjson.dumps(body))]) for body in (known, partly)]
    scrub = partial(scrub_bytes, scrubber=shipped, receipt=Receipt(RECEIVED))
    tallies = [scrub_chunk(row, scrub, lambda _: None).tally for row in rows]
    assert [tally.unpriced for tally in tallies] == [0, 1]
    assert tallies[0].at_risk == tallies[1].at_risk == Decimal("48.20")
