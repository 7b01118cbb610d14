"""The cases that must come out right: whole claims through the shipped rules and the starter tables.

Amounts are national unless a case says otherwise.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from scrubber.claim import read_v3
from scrubber.response.claim import document
from scrubber.scrub import Scrubber, assemble, open_scrubber
from tests.conftest import ROOT
from tests.support.claims import PHYSICIAN_NPI, VALID_ABN, office_claim, tbs_claim

Body = dict[str, Any]
RECEIVED = date(2026, 11, 22)


def line(
    code: str, charge: str = "60.00", day: str = "20250312", modifiers: tuple[str, ...] = (), units: str = "1"
) -> Body:
    return {
        "serviceDate": day,
        "professionalService": {
            "procedureIdentifier": "HC",
            "procedureCode": code,
            "procedureModifiers": list(modifiers),
            "lineItemChargeAmount": charge,
            "measurementUnit": "UN",
            "serviceUnitCount": units,
            "compositeDiagnosisCodePointers": {"diagnosisCodePointers": ["1"]},
        },
    }


def claim_of(*lines: Body, documented: bool = True, **context: Any) -> Body:
    """An Original Medicare claim of these lines, priced nationally, every line's report documented."""
    body = tbs_claim()
    information = body["claimInformation"]
    information["serviceLines"] = list(lines)
    total = sum(float(item["professionalService"]["lineItemChargeAmount"]) for item in lines)
    information["claimChargeAmount"] = f"{total:.2f}"
    scrub_context = body["scrubContext"]
    scrub_context["receivedOn"] = "20261122"
    scrub_context["documentation"][0]["lines"] = [number for number, _ in enumerate(lines, start=1)]
    if not documented:
        del scrub_context["documentation"]
    scrub_context["pricing"] = {"locality": "national"}
    scrub_context |= context
    return body


Scrub = Callable[..., Body]


@pytest.fixture
def scrub(shipped: Scrubber) -> Scrub:
    def answer(body: Body, scrubber: Scrubber = shipped) -> Body:
        claim = read_v3(copy.deepcopy(body))
        answered: Body = orjson.loads(
            orjson.dumps(document(scrubber.scrub(claim, claim.context.received_on or RECEIVED)))
        )
        return answered

    return answer


@pytest.fixture(scope="session")
def with_covered_tbs(tmp_path_factory: pytest.TempPathFactory) -> Scrubber:
    """The shipped rules with one more policy row: a contractor-independent `covered` for 77092 and 77089."""
    folder = copy_of_rules(tmp_path_factory.mktemp("covered"))
    policies = folder / "payer-coverage" / "tables" / "policies.csv"
    header, *rows = policies.read_text(encoding="utf-8").splitlines()
    columns = next(row for row in [header, *rows] if not row.startswith("#")).split(",")
    for code in ("77089", "77090", "77091", "77092"):
        row = dict.fromkeys(columns, "") | {
            "code": code, "line_of_business": "original-medicare", "plan": "original-medicare", "status": "covered",
            "effect": "deny", "authority": "payer-policy", "title": "A made-up article", "retrieved": "2026-11-22",
            "binding": "yes",
        }  # fmt: skip
        rows.append(",".join(row[column] for column in columns))
    policies.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return open_scrubber(folder, None)


def copy_of_rules(target: Path) -> Path:
    import shutil

    shutil.copytree(ROOT / "rules", target / "rules")
    return target / "rules"


def covered(body: Body) -> Body:
    body["scrubContext"]["eligibility"] = {"plan": "original-medicare"}
    return body


def found(answer: Body, *, above: str = "info") -> set[tuple[str, str]]:
    """(rule id, severity) of findings above a severity."""
    ranks = ["info", "warn", "deny"]
    return {
        (finding["rule"]["id"], finding["severity"])
        for finding in answer["findings"]
        if ranks.index(finding["severity"]) > ranks.index(above)
    }


def of(answer: Body, rule: str) -> Body:
    hits: list[Body] = [finding for finding in answer["findings"] if finding["rule"]["id"] == rule]
    assert len(hits) == 1, [finding["rule"]["id"] for finding in answer["findings"]]
    return hits[0]


def unchecked(answer: Body) -> set[str]:
    return {item["rule"]["id"] for item in answer["notChecked"]}


def denials(answer: Body) -> list[Body]:
    return [finding for finding in answer["findings"] if finding["severity"] == "deny"]


# Bundling


@pytest.mark.parametrize("order", [("77089", "77092"), ("77092", "77089")])
@pytest.mark.parametrize("modifiers", [(), ("59",), ("XS", "LT"), ("25",)])
def test_the_whole_service_is_bundled_into_its_part(scrub: Scrub, order: tuple[str, str], modifiers: Any) -> None:
    answer = scrub(claim_of(*(line(code, modifiers=modifiers) for code in order)))
    finding = of(answer, "cms-ncci-ptp-column-two")
    falls = order.index("77089") + 1
    assert answer["disposition"] == "deny"
    assert finding["lines"] == [falls]
    assert finding["relatedLines"] == [3 - falls]
    assert finding["evidence"]["modifierIndicator"] == "0"
    assert finding["reason"]["carc"] == "236"
    assert finding["impact"]["atRisk"] == "38.82"
    assert finding["impact"]["liability"] == "provider"
    assert not [other for other in denials(answer) if 3 - falls in other["lines"]]


def test_an_abn_does_not_move_a_bundled_line_to_the_patient(scrub: Scrub) -> None:
    body = claim_of(
        line("77089", modifiers=("GA",)), line("77092"), abn=[VALID_ABN], eligibility={"plan": "original-medicare"}
    )
    answer = scrub(body)
    finding = of(answer, "cms-ncci-ptp-column-two")
    assert finding["impact"]["atRisk"] == "38.82"
    assert finding["impact"]["liability"] == "provider"
    assert finding["reason"]["carc"] == "236"
    coverage = next(f for f in answer["findings"] if f["category"] == "coverage" and f["lines"] == [1])
    assert (coverage["impact"]["atRisk"], coverage["impact"]["liability"]) == ("38.82", "provider")
    assert answer["impact"]["byLiability"] == {"provider": "48.20", "patient": "0.00"}


def test_the_bundled_line_in_alabama(scrub: Scrub) -> None:
    answer = scrub(claim_of(line("77089"), line("77092"), pricing={}))
    assert of(answer, "cms-ncci-ptp-column-two")["impact"]["atRisk"] == "34.29"


def test_density_and_score_on_one_day_are_no_bundle(scrub: Scrub) -> None:
    answer = scrub(claim_of(line("77080"), line("77092")))
    assert not [finding for finding in answer["findings"] if finding["category"] == "bundling"]


def test_axial_and_peripheral_density_need_a_modifier(scrub: Scrub) -> None:
    bare = scrub(claim_of(line("77080"), line("77081")))
    assert of(bare, "cms-ncci-ptp-modifier-missing")["lines"] == [2]
    assert bare["disposition"] == "deny"


@pytest.mark.parametrize("where", [0, 1])
def test_a_distinct_service_modifier_separates_them(scrub: Scrub, where: int) -> None:
    lines = [line("77080"), line("77081")]
    lines[where]["professionalService"]["procedureModifiers"] = ["XS"]
    answer = scrub(claim_of(*lines))
    assert not [finding for finding in answer["findings"] if finding["category"] == "bundling"]
    assert "cms-ncci-ptp-modifier-support" in unchecked(answer)


def test_before_july_2019_the_pair_ran_the_other_way_and_the_modifier_counted_on_column_two_only(
    scrub: Scrub,
) -> None:
    def pair(day: str, first: tuple[str, ...], second: tuple[str, ...]) -> Body:
        return scrub(claim_of(line("77080", day=day, modifiers=first), line("77081", day=day, modifiers=second)))

    assert not [f for f in pair("20200101", ("XS",), ())["findings"] if f["category"] == "bundling"]
    assert not [f for f in pair("20200101", (), ("XS",))["findings"] if f["category"] == "bundling"]
    old = [f for f in pair("20190630", (), ("XS",))["findings"] if f["category"] == "bundling"]
    assert [f["lines"] for f in old] == [[1]]
    assert not [f for f in pair("20190630", ("XS",), ())["findings"] if f["category"] == "bundling"]


def test_support_stated_absent_warns(scrub: Scrub) -> None:
    body = claim_of(line("77080"), line("77081", modifiers=("XS",)))
    body["scrubContext"]["documentation"][0]["elements"]["modifierSupport"] = None
    answer = scrub(body)
    assert of(answer, "cms-ncci-ptp-modifier-support")["severity"] == "warn"


def test_a_payer_that_has_not_adopted_ncci_is_not_judged_by_it(scrub: Scrub) -> None:
    body = claim_of(line("77089"), line("77092"))
    body["claimInformation"]["claimFilingCode"] = "CI"
    answer = scrub(body)
    assert not [finding for finding in answer["findings"] if finding["category"] == "bundling"]
    assert "cms-ncci-ptp-column-two" in unchecked(answer)


# TBS


def test_a_technologist_cannot_render_the_interpretation(scrub: Scrub) -> None:
    body = claim_of(line("77092"))
    body["rendering"]["taxonomyCode"] = "2471B0102X"
    assert ("tbs-technologist-rendering", "deny") in found(scrub(body))


def test_without_a_taxonomy_the_renderer_is_not_checked(scrub: Scrub) -> None:
    body = claim_of(line("77092"))
    del body["rendering"]["taxonomyCode"]
    answer = scrub(body)
    assert not denials(answer)
    assert "tbs-technologist-rendering" in unchecked(answer)


def test_the_interpretation_has_no_professional_component(scrub: Scrub) -> None:
    answer = scrub(claim_of(line("77092", modifiers=("26",))))
    assert ("tbs-component-modifier", "deny") in found(answer)


def test_two_units_put_both_at_risk(scrub: Scrub) -> None:
    answer = scrub(claim_of(line("77092", units="2")))
    finding = next(f for f in denials(answer) if f["category"] == "units")
    assert finding["impact"]["atRisk"] == "18.76"
    assert answer["impact"]["atRisk"] == "18.76"


def test_two_lines_of_one_unit_are_two_units(scrub: Scrub) -> None:
    answer = scrub(claim_of(line("77092"), line("77092", charge="61.00")))
    finding = next(f for f in denials(answer) if f["category"] == "units")
    assert finding["lines"] == [1, 2]
    assert finding["impact"]["atRisk"] == "18.76"


def test_the_codes_began_in_2022(scrub: Scrub) -> None:
    assert ("tbs-code-before-2022", "deny") in found(scrub(claim_of(line("77092", day="20211231"))))
    assert ("tbs-code-before-2022", "deny") not in found(scrub(claim_of(line("77092", day="20220101"))))


def test_the_whole_service_is_not_billed_from_an_outpatient_hospital(scrub: Scrub) -> None:
    body = claim_of(line("77089"))
    body["claimInformation"]["placeOfServiceCode"] = "22"
    assert ("tbs-facility-place", "deny") in found(scrub(body))
    body["claimInformation"]["placeOfServiceCode"] = "11"
    assert ("tbs-facility-place", "deny") not in found(scrub(body))


# Documentation


@pytest.mark.parametrize("absent", [None, ""])
@pytest.mark.parametrize(
    ("element", "rule"),
    [
        ("tbsValue", "documentation-tbs-number"),
        ("indication", "documentation-tbs-indication"),
        ("signature", "documentation-tbs-signature"),
    ],
)
def test_what_the_report_lacks_is_denied_after_payment(scrub: Scrub, element: str, rule: str, absent: Any) -> None:
    body = claim_of(line("77092"))
    body["scrubContext"]["documentation"][0]["elements"][element] = absent
    answer = scrub(body)
    finding = of(answer, rule)
    assert (finding["severity"], finding["stage"], finding["reason"]) == ("deny", "postPayment", None)
    assert finding["impact"]["atRisk"] == "9.38"
    assert answer["impact"]["atRisk"] == "9.38"


def test_all_that_is_absent_counts_once(scrub: Scrub) -> None:
    body = claim_of(line("77092"))
    body["scrubContext"]["documentation"][0]["elements"] |= {"tbsValue": None, "indication": None, "signature": None}
    answer = scrub(body)
    assert len(denials(answer)) >= 3
    assert answer["impact"]["atRisk"] == "9.38"


def test_a_word_is_no_number(scrub: Scrub) -> None:
    body = claim_of(line("77092"))
    body["scrubContext"]["documentation"][0]["elements"]["tbsValue"] = "low"
    assert of(scrub(body), "documentation-tbs-number")["severity"] == "deny"


def test_screening_alone_warns(scrub: Scrub, with_covered_tbs: Scrubber) -> None:
    body = covered(claim_of(line("77092")))
    body["claimInformation"]["healthCareCodeInformation"] = [{"diagnosisTypeCode": "ABK", "diagnosisCode": "Z13820"}]
    answer = scrub(body, with_covered_tbs)
    assert answer["disposition"] == "warn"
    assert {severity for _, severity in found(answer)} == {"warn"}


def test_nothing_said_of_the_report_is_nothing_denied(scrub: Scrub) -> None:
    answer = scrub(claim_of(line("77092"), documented=False))
    assert not denials(answer)
    assert {
        "documentation-tbs-number",
        "documentation-tbs-indication",
        "documentation-tbs-interpretation",
        "documentation-tbs-separate-report",
        "documentation-tbs-signature",
    } <= unchecked(answer)


# Coverage and ABN


def coverage_finding(answer: Body) -> Body:
    return of(answer, "payer-coverage-unknown")


def test_unknown_coverage_warns_and_the_provider_bears_it(scrub: Scrub) -> None:
    answer = scrub(claim_of(line("77092")))
    finding = coverage_finding(answer)
    assert answer["disposition"] == "warn"
    assert (finding["impact"]["atRisk"], finding["impact"]["liability"]) == ("9.38", "provider")


def test_a_valid_abn_moves_it_to_the_patient_at_the_charge(scrub: Scrub) -> None:
    answer = scrub(claim_of(line("77092", modifiers=("GA",)), abn=[VALID_ABN]))
    finding = coverage_finding(answer)
    assert (finding["impact"]["atRisk"], finding["impact"]["liability"]) == ("60.00", "patient")
    assert answer["impact"]["byLiability"] == {"provider": "0.00", "patient": "60.00"}
    assert answer["disposition"] == "warn"


def test_ga_with_no_word_of_the_abn_is_not_checked(scrub: Scrub) -> None:
    answer = scrub(claim_of(line("77092", modifiers=("GA",))))
    assert not denials(answer)
    assert "medicare-abn-ga-without-abn" in unchecked(answer)


@pytest.mark.parametrize("abn", [[], None])
def test_ga_with_the_abn_stated_absent_is_denied(scrub: Scrub, abn: Any) -> None:
    answer = scrub(claim_of(line("77092", modifiers=("GA",)), abn=abn))
    assert of(answer, "medicare-abn-ga-without-abn")["severity"] == "deny"


def test_ga_and_gz_contradict_each_other(scrub: Scrub) -> None:
    answer = scrub(claim_of(line("77092", modifiers=("GA", "GZ")), abn=[VALID_ABN]))
    assert ("medicare-abn-ga-and-gz", "deny") in found(answer)


def test_an_abn_signed_after_the_service_is_invalid(scrub: Scrub) -> None:
    late = VALID_ABN | {"signed": "20250313"}
    answer = scrub(claim_of(line("77092", modifiers=("GA",)), abn=[late]))
    assert answer["disposition"] == "warn"
    finding = next(f for f in answer["findings"] if f["category"] == "abn" and f["severity"] == "warn")
    assert "after" in finding["message"]
    assert coverage_finding(answer)["impact"]["liability"] == "provider"
    assert answer["impact"]["byLiability"] == {"provider": "9.38", "patient": "0.00"}


@pytest.mark.parametrize(("modifiers", "abn"), [((), None), (("GA",), [VALID_ABN])])
def test_with_a_covered_row_the_claim_is_accepted(
    scrub: Scrub, with_covered_tbs: Scrubber, modifiers: tuple[str, ...], abn: Any
) -> None:
    context = {"abn": abn} if abn else {}
    answer = scrub(covered(claim_of(line("77092", modifiers=modifiers), **context)), with_covered_tbs)
    assert answer["disposition"] == "accept"
    assert answer["impact"]["atRisk"] == "0.00"


# Money


def test_amounts_by_date_provider_and_payer(scrub: Scrub) -> None:
    def allowed(body: Body) -> Any:
        return scrub(body)["impact"]["allowed"]

    assert allowed(claim_of(line("77092"))) == "9.38"
    assert allowed(claim_of(line("77092", day="20260302"))) == "10.02"
    apm = {"locality": "national", "qualifyingApm": True}
    assert allowed(claim_of(line("77092", day="20260302"), pricing=apm)) == "10.07"
    nonpar = {"locality": "national", "participation": "nonpar"}
    assert allowed(claim_of(line("77092"), pricing=nonpar)) == "8.91"
    practitioner = claim_of(line("77092"))
    practitioner["rendering"]["taxonomyCode"] = "363LF0000X"
    assert allowed(practitioner) == "7.97"


def test_another_payer_has_no_schedule(scrub: Scrub) -> None:
    body = claim_of(line("77092"))
    body["claimInformation"]["claimFilingCode"] = "CI"
    impact = scrub(body)["impact"]
    assert (impact["allowed"], impact["unknown"], impact["billed"]) == (None, "no-schedule", "60.00")


# The ten examples of a public article on 77092

PHYSICIANS = {
    "radiologist": ("2085R0202X", "other"),
    "endocrinologist": ("207RE0101X", "self"),
    "orthopedic surgeon": ("207X00000X", "self"),
    "rheumatologist": ("207RR0500X", "other"),
    "nuclear medicine physician": ("207U00000X", "other"),
    "osteopath": ("207Q00000X", "self"),
    "musculoskeletal radiologist": ("2085R0202X", "self"),
    "nurse practitioner": ("363LF0000X", "other"),
}


def example(taxonomy: str, calculated_by: str) -> Body:
    body = covered(claim_of(line("77092")))
    body["rendering"]["taxonomyCode"] = taxonomy
    body["scrubContext"]["documentation"][0]["elements"]["calculatedBy"] = calculated_by
    return body


@pytest.mark.parametrize("taxonomy", ["247100000X", "2471B0102X"])
def test_the_technician_and_the_technologist_deny(scrub: Scrub, with_covered_tbs: Scrubber, taxonomy: str) -> None:
    assert scrub(example(taxonomy, "other"), with_covered_tbs)["disposition"] == "deny"


@pytest.mark.parametrize("who", PHYSICIANS)
def test_the_others_get_no_more_than_a_question(scrub: Scrub, with_covered_tbs: Scrubber, who: str) -> None:
    taxonomy, calculated_by = PHYSICIANS[who]
    answer = scrub(example(taxonomy, calculated_by), with_covered_tbs)
    assert found(answer) == set()
    asked = [f for f in answer["findings"] if f["rule"]["id"] == "tbs-calculated-by-interpreter"]
    assert len(asked) == (calculated_by == "self")
    assert answer["impact"]["allowed"] == ("7.97" if who == "nurse practitioner" else "9.38")


def test_calculation_and_interpretation_by_one_provider_asks_who_calculated(
    scrub: Scrub, with_covered_tbs: Scrubber
) -> None:
    answer = scrub(covered(claim_of(line("77091"), line("77092"))), with_covered_tbs)
    assert of(answer, "tbs-who-calculated")["severity"] == "info"
    assert found(answer) == set()


# Whole claims


def test_a_clean_office_claim_is_accepted(scrub: Scrub) -> None:
    answer = scrub(office_claim())
    assert answer["disposition"] == "accept"
    assert found(answer) == set()


def test_a_claim_with_ten_faults_shows_all_ten(scrub: Scrub) -> None:
    body = claim_of(
        line("77089", modifiers=("26",)),
        line("77092", units="2"),
        line("77080", charge="-5.00"),
        line("77081"),
    )
    body["billing"]["npi"] = "1234567890"
    body["claimInformation"]["claimChargeAmount"] = "1.00"
    body["claimInformation"]["claimFrequencyCode"] = "9"
    body["claimInformation"]["serviceLines"][3]["professionalService"]["compositeDiagnosisCodePointers"][
        "diagnosisCodePointers"
    ] = ["7"]
    body["scrubContext"]["documentation"][0]["elements"] |= {"tbsValue": None, "signature": None}
    body["subscriber"]["dateOfBirth"] = "20300101"
    rules = {finding["rule"]["id"] for finding in denials(scrub(body))}
    assert {
        "cms-ncci-ptp-column-two",
        "cms-ncci-ptp-modifier-missing",
        "tbs-component-modifier",
        "documentation-tbs-number",
        "documentation-tbs-signature",
        "x12-837p-npi-check-digit",
        "x12-837p-total",
        "x12-837p-code-list",
        "x12-837p-diagnosis-pointers",
    } <= rules
    assert len(denials(scrub(body))) >= 10


def test_the_order_of_keys_does_not_matter_and_of_lines_only_moves_numbers(scrub: Scrub) -> None:
    body = claim_of(line("77080"), line("77089"), line("77092"))

    def backwards(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: backwards(node[key]) for key in reversed(list(node))}
        return [backwards(item) for item in node] if isinstance(node, list) else node

    assert scrub(backwards(body)) == scrub(body)
    turned = copy.deepcopy(body)
    turned["claimInformation"]["serviceLines"].reverse()

    def by_code(answer: Body, codes: tuple[str, ...]) -> list[Any]:
        return sorted(
            (f["rule"]["id"], sorted(codes[n - 1] for n in f["lines"]), f["impact"]["atRisk"])
            for f in answer["findings"]
        )

    assert by_code(scrub(turned), ("77092", "77089", "77080")) == by_code(scrub(body), ("77080", "77089", "77092"))
    assert scrub(turned)["impact"]["atRisk"] == scrub(body)["impact"]["atRisk"]


def test_the_rendering_provider_decides_what_is_bundled(scrub: Scrub) -> None:
    lines = [line("77089"), line("77092")]
    lines[1]["renderingProvider"] = {"npi": "1555666779", "lastName": "Elsewhere", "taxonomyCode": "2085R0202X"}
    assert PHYSICIAN_NPI != "1555666779"
    answer = scrub(claim_of(*lines))
    assert not [finding for finding in answer["findings"] if finding["category"] == "bundling"]


def test_two_lines_overlap_on_every_day_of_a_range(scrub: Scrub) -> None:
    lines = [line("77089", day="20250310"), line("77092", day="20250312")]
    assert not [f for f in scrub(claim_of(*lines))["findings"] if f["category"] == "bundling"]
    lines[0]["serviceDateEnd"] = "20250312"
    assert of(scrub(claim_of(*lines)), "cms-ncci-ptp-column-two")["lines"] == [1]


def test_the_engine_of_another_process_gives_the_same_bytes(shipped: Scrubber) -> None:
    claim = read_v3(claim_of(line("77089"), line("77092")))
    again = assemble(shipped.rulebook, shipped.reference)
    first = document(shipped.scrub(claim, RECEIVED))
    assert orjson.dumps(document(again.scrub(claim, RECEIVED))) == orjson.dumps(first)


# What reviews found


@pytest.mark.parametrize(
    "changed",
    [{"option": "4"}, {"option": "none"}, {"option": "2 - do not bill"}, {"form": ""}, {"issued": "20250320"}],
)
def test_a_notice_with_any_fault_moves_nothing_to_the_patient(scrub: Scrub, changed: Body) -> None:
    answer = scrub(claim_of(line("77092", modifiers=("GA",)), abn=[VALID_ABN | changed]))
    assert answer["impact"]["byLiability"] == {"provider": "9.38", "patient": "0.00"}
    assert [finding for finding in answer["findings"] if finding["category"] == "abn"]


def test_a_notice_whose_lines_cannot_be_read_is_not_stated_absent(scrub: Scrub) -> None:
    answer = scrub(claim_of(line("77092", modifiers=("GA",)), abn=[VALID_ABN | {"lines": ["x"]}]))
    assert not denials(answer)
    assert "medicare-abn-ga-without-abn" in unchecked(answer)


def test_what_the_patient_bears_is_expected_as_patient_responsibility(scrub: Scrub) -> None:
    body = claim_of(line("77080", modifiers=("GA",)), abn=[VALID_ABN])
    body["claimInformation"]["healthCareCodeInformation"] = [{"diagnosisTypeCode": "ABK", "diagnosisCode": "M8580"}]
    finding = next(f for f in scrub(body)["findings"] if f["category"] == "coverage" and f["severity"] == "warn")
    assert (finding["impact"]["liability"], finding["reason"]["group"]) == ("patient", "PR")


def test_gy_leaves_to_the_patient_only_what_the_law_excludes(scrub: Scrub) -> None:
    answer = scrub(claim_of(line("77092", modifiers=("GY",))))
    assert answer["disposition"] == "warn"
    assert coverage_finding(answer)["impact"]["liability"] == "provider"
    assert answer["impact"]["byLiability"] == {"provider": "9.38", "patient": "0.00"}
    excluded = of(scrub(claim_of(line("99213"), line("92015", modifiers=("GY",)))), "medicare-abn-gy")
    assert (excluded["severity"], excluded["reason"]["group"], excluded["lines"]) == ("info", "PR", [2])


def test_a_denied_line_without_a_price_is_unknown_for_the_provider_too(scrub: Scrub) -> None:
    body = claim_of(line("77092", charge="-5.00"))
    body["claimInformation"]["claimFilingCode"] = "CI"
    impact = scrub(body)["impact"]
    assert impact["atRisk"] is None
    assert impact["byLiability"]["provider"] is None


def test_the_two_components_of_one_study_are_one_service(scrub: Scrub) -> None:
    answer = scrub(claim_of(line("77080", modifiers=("26",)), line("77080", modifiers=("TC",))))
    assert not denials(answer)


def test_minutes_are_for_anesthesia_and_count_as_units_elsewhere(scrub: Scrub) -> None:
    body = claim_of(line("77092", units="15"))
    body["claimInformation"]["serviceLines"][0]["professionalService"]["measurementUnit"] = "MJ"
    found = {finding["rule"]["id"] for finding in scrub(body)["findings"]}
    assert found >= {"x12-837p-minutes", "cms-ncci-mue-day-clinical"}


def test_the_other_component_counts_as_a_repeat_after_a_month(scrub: Scrub) -> None:
    def too_soon(day: str) -> bool:
        body = claim_of(line("77080", modifiers=("26",)), history=[{"code": "77080-TC", "date": day}])
        return bool([finding for finding in scrub(body)["findings"] if finding["category"] == "frequency"])

    assert not too_soon("20250310")
    assert too_soon("20240328")


@pytest.mark.parametrize("day", ["99991231", "99990101", "00010101"])
def test_the_ends_of_the_calendar_are_days_like_others(scrub: Scrub, day: str) -> None:
    body = claim_of(line("77080", day=day), history=[{"code": "77080", "date": "99990101"}])
    body["claimInformation"]["serviceLines"][0]["serviceDateEnd"] = "99991231"
    assert scrub(body)["disposition"] in ("accept", "warn", "deny")


@pytest.mark.parametrize(
    ("path", "value"),
    [(("serviceDateEnd",), "x"), (("renderingProvider",), {"npi": {}, "lastName": "Placeholder"})],
)
def test_a_pair_that_cannot_be_judged_is_not_checked(scrub: Scrub, path: tuple[str], value: Any) -> None:
    body = claim_of(line("77080"), line("77081"))
    body["claimInformation"]["serviceLines"][1][path[0]] = value
    answer = scrub(body)
    assert not [finding for finding in answer["findings"] if finding["category"] == "bundling"]
    assert "cms-ncci-ptp-modifier-missing" in unchecked(answer)


def test_modifiers_that_cannot_be_read_are_not_taken_for_none(scrub: Scrub) -> None:
    body = claim_of(line("77080"), line("77081"))
    body["claimInformation"]["serviceLines"][1]["professionalService"]["procedureModifiers"] = {"a": 1}
    answer = scrub(body)
    assert not [finding for finding in answer["findings"] if finding["category"] == "bundling"]
    assert "cms-ncci-ptp-modifier-missing" in unchecked(answer)


def test_a_charge_that_cannot_be_read_leaves_the_sum_unknown(scrub: Scrub) -> None:
    body = claim_of(line("77080"), line("77092"))
    body["claimInformation"]["serviceLines"][1]["professionalService"]["lineItemChargeAmount"] = "1e3"
    impact = scrub(body)["impact"]
    assert (impact["billed"], impact["unknown"]) == (None, "no-charge")


def test_a_finding_on_the_report_points_to_what_was_sent(scrub: Scrub) -> None:
    body = claim_of(line("77080"), line("77092"))
    elements = body["scrubContext"]["documentation"][0]["elements"]
    body["scrubContext"]["documentation"] = [{"lines": [1], "elements": {}}, {"lines": [2], "elements": elements}]
    elements["tbsValue"] = "low"
    assert of(scrub(body), "documentation-tbs-number")["pointer"] == "/scrubContext/documentation/1/elements/tbsValue"


def test_a_thousand_lines_of_a_thousand_notices_are_answered_in_short(scrub: Scrub) -> None:
    lines = [line("77080", day=f"2025{1 + n % 12:02}{1 + n % 28:02}", modifiers=("GA",)) for n in range(1000)]
    for number, item in enumerate(lines):
        item["serviceDateEnd"] = "99991231"
        item["professionalService"]["serviceUnitCount"] = str(1 + number)
    body = claim_of(*lines, abn=[VALID_ABN | {"lines": [], "estimate": str(n)} for n in range(1000)])
    answer = scrub(body)
    assert len(orjson.dumps(answer)) < 10_000_000


@pytest.mark.parametrize(
    ("modifiers", "diagnosis"), [(("GV",), "M810"), (("GW",), "M810"), (("Q0",), "Z006"), (("Q1",), "Z006")]
)
def test_original_medicare_pays_hospice_and_trials_of_a_patient_in_a_plan(
    scrub: Scrub, modifiers: tuple[str, ...], diagnosis: str
) -> None:
    body = claim_of(line("77080", modifiers=modifiers), eligibility={"plan": "medicare-advantage"})
    body["claimInformation"]["healthCareCodeInformation"] += [{"diagnosisTypeCode": "ABF", "diagnosisCode": diagnosis}]
    if diagnosis == "M810":
        del body["claimInformation"]["healthCareCodeInformation"][1]
    answer = scrub(body)
    assert answer["disposition"] == "accept"
    assert answer["impact"]["allowed"] == "38.17"  # as Original Medicare prices it


def test_anything_else_of_a_patient_in_a_plan_is_at_risk_as_a_whole_when_filed_as_part_b(scrub: Scrub) -> None:
    answer = scrub(claim_of(line("77080"), line("99213"), eligibility={"plan": "medicare-advantage"}))
    finding = of(answer, "payer-coverage-advantage-filed-as-part-b")
    assert (answer["disposition"], finding["lines"]) == ("warn", [])
    impact = finding["impact"]
    # What the plan would pay is in no table, so nobody knows what is at risk: never 0.00.
    assert (impact["billed"], impact["atRisk"], impact["unknown"]) == ("120.00", None, "no-schedule")
