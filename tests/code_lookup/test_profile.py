"""What is known of a code, and what it pays: without a claim, and the same as with one."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrubber.code_lookup import look_up_code, look_up_price
from scrubber.code_lookup.profile import CodeProfile
from scrubber.code_lookup.query import (
    CODE_PARAMETERS,
    PRICE_PARAMETERS,
    BadParameter,
    CodeQuestion,
    Parameter,
    PriceQuestion,
    code_question,
    price_question,
)
from scrubber.reference import open_reference
from scrubber.rulebook.rule_tables import Payer
from scrubber.scrub import Scrubber
from tests.support.priced import at, claim, prices, rulebook, service_line, starter

DAY = date(2025, 3, 12)
TODAY = date(2026, 11, 23)
REFERENCE = starter()


def asked(scrubber: Scrubber, code: str, **more: Any) -> CodeProfile:
    return look_up_code(CodeQuestion(code, **({"day": DAY} | more)), scrubber.rulebook, scrubber.reference)


# Questions


def test_a_question_is_read_from_texts() -> None:
    texts = {"date": "20250312", "zip": "35203-1234", "pos": "11", "page": "2", "pageSize": "10"}
    assert code_question("g0008", texts, TODAY) == CodeQuestion("G0008", DAY, "352031234", "11", page=2, page_size=10)
    texts = {"code": "77080", "modifiers": "26,59", "units": "1.5", "date": "2025-03-12", "charge": "12.30"}
    texts |= {"participation": "nonpar", "qualifyingApm": "true", "taxonomy": "207r00000x", "payer": "Some payer"}
    found = price_question(texts, TODAY)
    assert (found.modifiers, found.units, found.day) == (("26", "59"), Decimal("1.5"), DAY)
    assert (found.charge, found.participating, found.qualifying_apm) == (Decimal("12.30"), False, True)
    assert (found.taxonomy, found.payer, found.line_of_business) == ("207R00000X", "Some payer", None)


def test_a_question_needs_only_a_code() -> None:
    assert code_question("77080", {}, TODAY) == CodeQuestion("77080", TODAY)
    assert price_question({"code": "77080"}, TODAY) == PriceQuestion("77080", TODAY)
    with pytest.raises(BadParameter):
        price_question({}, TODAY)


BAD = {
    "code": ["", "7708", "770800", "7708O0", "77-80", "M81.0", "77O80", "٧٧٠٨٠"],
    "date": ["", "2025", "20250230", "2025-13-01", "2025-W01-1", "12/03/2025", "00000101", "٢٠٢٥٠٣١٢"],
    "zip": ["", "3520", "352031", "35203 1234", "ABCDE"],
    "pos": ["1", "111", "AA"],
    "payer": ["", "x" * 81, "a\nb"],
    "lineOfBusiness": ["Medicare", "Original-Medicare", ""],
    "page": ["0", "-1", "1.5", "x"],
    "pageSize": ["0", "1001", "9999"],
    "modifiers": ["2", "26,", "26,59,76,77,78", "2 6"],
    "units": ["0", "0.000", "-1", "1e3", "NaN", "1.0001"],
    "charge": ["-1", "1.234", "1e9", "Infinity", "$5"],
    "participation": ["yes", "PAR"],
    "qualifyingApm": ["1", "True"],
    "taxonomy": ["207R", "207R00000X1"],
}
PARAMETERS = {parameter.name: parameter for parameter in (*CODE_PARAMETERS, *PRICE_PARAMETERS)}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in BAD.items() for text in texts])
def test_a_bad_value_is_refused_by_name_and_never_repeated(name: str, text: str) -> None:
    with pytest.raises(BadParameter) as refused:
        PARAMETERS[name].read(text)
    assert refused.value.name == name
    assert len(text) < 4 or text not in str(refused.value)


def test_every_parameter_has_bad_values_here() -> None:
    assert BAD.keys() == PARAMETERS.keys()


@given(st.sampled_from(sorted(PARAMETERS)), st.text(max_size=12))
def test_any_text_is_read_or_refused(name: str, text: str) -> None:
    parameter: Parameter = PARAMETERS[name]
    try:
        parameter.read(text)
    except BadParameter:
        return
    assert re.fullmatch(parameter.pattern, text)


# Prices


@given(
    code=st.sampled_from(["77080", "77089", "77092", "99213", "36415", "20610", "00000"]),
    modifiers=st.lists(st.sampled_from(["26", "TC", "50", "59", "62", "FX", "80"]), max_size=2, unique=True),
    units=st.sampled_from(["1", "2", "0.5", "12"]),
    charge=st.sampled_from([None, "0.01", "40.00", "900.00"]),
    day=st.dates(date(2023, 6, 1), date(2027, 1, 1)),
    zip_code=st.sampled_from([None, "35203", "10019", "100190001", "99999"]),
    place=st.sampled_from([None, "11", "22", "99", "00"]),
    taxonomy=st.sampled_from([None, "363L00000X", "207R00000X", "0000000000"]),
    participating=st.booleans(),
    qualifying=st.booleans(),
    line_of_business=st.sampled_from([None, "original-medicare", "commercial"]),
)
def test_a_price_is_that_of_the_same_line_on_a_claim(
    code: str,
    modifiers: list[str],
    units: str,
    charge: str | None,
    day: date,
    zip_code: str | None,
    place: str | None,
    taxonomy: str | None,
    participating: bool,
    qualifying: bool,
    line_of_business: str | None,
) -> None:
    question = PriceQuestion(
        code, day, tuple(modifiers), Decimal(units), zip_code, place, None, line_of_business,
        Decimal(charge) if charge else None, participating, qualifying, taxonomy,
    )  # fmt: skip
    line = service_line(
        1, code, *modifiers, first_day=day, last_day=day, units=Decimal(units), charge=question.charge, place=place,
        facility=at(zip_code) if zip_code else None,
    )  # fmt: skip
    sent = claim(
        line, place=None, taxonomy=taxonomy or "", participation="par" if participating else "nonpar",
        qualifying_apm=qualifying,
    )  # fmt: skip
    payer = Payer(None, line_of_business or "original-medicare", None, None)
    found = look_up_price(question, rulebook(), REFERENCE).price
    assert found == prices(sent, payer)[1]
    assert (found.allowed is None) == (found.unknown is not None)


def test_a_component_modifier_prices_its_part(shipped: Scrubber) -> None:
    found = look_up_price(PriceQuestion("77080", DAY, ("26",)), shipped.rulebook, shipped.reference)
    assert found.price.allowed == Decimal("9.06")
    assert found.price.steps == ("0.28 RVU x 32.3465 = 9.06",)


def test_a_payer_without_a_fee_table_has_no_price(shipped: Scrubber) -> None:
    question = PriceQuestion("77080", DAY, line_of_business="commercial", payer="Aetna")
    found = look_up_price(question, shipped.rulebook, shipped.reference)
    assert (found.price.allowed, found.price.unknown) == (None, "no-schedule")
    assert found.payer.name == "Aetna"


def test_a_payer_of_whom_nothing_else_is_said_is_not_taken_for_medicare(shipped: Scrubber) -> None:
    found = look_up_price(PriceQuestion("77080", DAY, payer="Aetna"), shipped.rulebook, shipped.reference)
    assert (found.payer.line_of_business, found.price.unknown) == ("unknown", "no-schedule")


def test_the_basis_names_the_year_of_the_schedule_not_of_the_service(shipped: Scrubber, tmp_path: Path) -> None:
    """A loaded factor holds as long as its release, so it states no days of its own."""
    (tmp_path / "releases.csv").write_text(
        "table,name,since,until,source\nconversion-factors,RVU25D,2025-01-01,2026-01-01,made up\n"
    )
    (tmp_path / "conversion-factors.csv").write_text("qualifying_apm,factor,since,until,source\n,32.3465,,,made up\n")
    reference = open_reference(str(tmp_path))
    for day, basis in ((DAY, "MPFS 2025"), (date(2026, 3, 12), "MPFS 2025 carried forward")):
        found = look_up_price(PriceQuestion("77080", day), shipped.rulebook, reference)
        assert (found.price.basis or "").split(",")[0] == basis


# What is known


def test_everything_of_a_code_on_a_day(shipped: Scrubber) -> None:
    known = asked(shipped, "77080")
    assert known.status == "in-force"
    assert [row.component for row in known.fees] == ["", "26", "TC"]
    assert [row.release for row in known.fees] == ["RVU25D"] * 3
    assert known.mue is not None
    assert known.table_status["mpfs"].state == "in-force"
    assert known.table_status["ncci-ptp"].state == "carried-forward"
    assert known.table_status["ncci-add-on"].state == "in-force"


def test_prices_are_told_by_part_and_setting(shipped: Scrubber) -> None:
    both = asked(shipped, "77080").prices
    told = [(part.component, part.setting, part.fee.fee) for part in both]
    assert told[2:4] == [("26", "non-facility", Decimal("9.06")), ("26", "facility", Decimal("9.06"))]
    one = asked(shipped, "77080", place="22", zip="35203").prices
    assert {part.setting for part in one} == {"facility"}
    assert all("Alabama" in (part.fee.basis or "") for part in one)


def test_a_code_in_no_table_is_unknown_and_that_is_all(shipped: Scrubber) -> None:
    known = asked(shipped, "00000")
    assert known.status == "unknown"
    assert (known.fees, known.mue, known.ptp.total, known.coverage, known.rules) == ((), None, 0, (), ())
    assert {part.fee.unknown for part in known.prices} == {"unknown-code"}


def test_partners_say_which_column_the_code_is_in(shipped: Scrubber) -> None:
    partners = {partner.code: partner for partner in asked(shipped, "77089").ptp.partners}
    assert partners["36591"].column == 1
    assert partners["77092"].column == 2
    assert partners["77092"].edit.indicator == "0"
    turned = {partner.code: partner for partner in asked(shipped, "77092").ptp.partners}
    assert turned["77089"].column == 1


def test_before_and_after_an_edit_was_turned_around(shipped: Scrubber) -> None:
    before = {partner.code: partner.column for partner in asked(shipped, "77080", day=date(2019, 6, 30)).ptp.partners}
    after = {partner.code: partner.column for partner in asked(shipped, "77080", day=date(2019, 7, 1)).ptp.partners}
    assert (before.get("77081"), after.get("77081")) == (2, 1)


@pytest.mark.parametrize("size", [1, 3, 8, 100])
def test_pages_put_together_are_all_partners_once(shipped: Scrubber, size: int) -> None:
    every = asked(shipped, "77089", page_size=1000).ptp
    pages = [asked(shipped, "77089", page=page, page_size=size).ptp for page in range(1, every.total + 2)]
    assert [partner for page in pages for partner in page.partners] == list(every.partners)
    assert {page.total for page in pages} == {every.total}
    assert len(pages[0].partners) == min(size, every.total)


def test_rules_name_a_code_by_lists_and_by_itself(shipped: Scrubber) -> None:
    ids = {rule.id for rule in asked(shipped, "77092").rules}
    assert {"tbs-calculated-by-interpreter", "tbs-who-calculated", "documentation-tbs-number"} <= ids
    assert "documentation-tbs-number" not in {rule.id for rule in asked(shipped, "77090").rules}
    assert {rule.id for rule in asked(shipped, "99213").rules} == {
        "cms-mpfs-visit-in-package",
        "cms-mpfs-visit-in-package-doubtful",
        "drug-lines-ndc-on-service",
        "medicare-contractors-visit-in-global",
        "medicare-providers-visit-by-therapist",
        "medicare-visits-two-of-one-specialty",
        "service-records-visit-by-time",
    }
    assert "documentation-tbs-number" not in {rule.id for rule in asked(shipped, "85025").rules}
    early = {rule.id for rule in asked(shipped, "77092", day=date(2021, 12, 31)).rules}
    assert "documentation-tbs-number" not in early


def test_documentation_is_what_rules_about_reports_need(shipped: Scrubber) -> None:
    needed = asked(shipped, "77089").documentation
    assert "documentation-tbs-number" in needed["tbsValue"]
    assert {"interpretation", "signature", "indication"} <= needed.keys()
    assert asked(shipped, "77080").documentation == {}


def test_coverage_is_of_the_payer_asked_for(shipped: Scrubber) -> None:
    def told(**more: Any) -> list[tuple[str | None, str | None]]:
        rows = asked(shipped, "77089", day=date(2026, 6, 1), **more).coverage
        return [(row.policy.payer, row.policy.line_of_business) for row in rows]

    every = told()
    assert (None, "original-medicare") in every
    assert len(every) > 1
    assert every[0] == ("Aetna", None)  # says most
    assert told(payer="60054", line_of_business="commercial") == [("Aetna", None)]
    assert told(payer="nobody", line_of_business="original-medicare") == [(None, "original-medicare")]
    assert told(payer="nobody", line_of_business="commercial") == []


def test_coverage_tells_diagnoses_and_months(shipped: Scrubber) -> None:
    [row] = asked(shipped, "77080", line_of_business="original-medicare").coverage
    assert [each.code for each in row.diagnoses] == ["M8580", "Z13820"]
    assert row.frequency is not None
    assert row.frequency.months == 23


def test_no_starter_row_is_needed_for_an_add_on(shipped: Scrubber, tmp_path: Path) -> None:
    known = asked(shipped, "99213")
    assert (known.primaries, known.add_ons) == ((), ())
