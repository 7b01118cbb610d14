"""The ten examples of the article "How To Use CPT Code 77092", each a claim of its own, and the article's known errors.

Of each example two things are known: who is said to have used the code, and (of 2, 3, 7 and 8) that the same provider
is said to have analysed the data; 5 and 10 name people who may not interpret, against the article's own requirement.
Nothing is quoted. All else is assumed and made up: the patient, the day, the place (an office), the payer (Original
Medicare, covered by a row made for the test), a complete report, and that somebody else calculated the score where
nothing is said of it.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from scrubber.claim import read_v3
from scrubber.response.claim import document
from scrubber.scrub import Scrubber, open_scrubber
from tests.support.claims import VALID_ABN, tbs_claim
from tests.test_promises import copy_of_rules, line

RECEIVED = date(2025, 4, 1)
COVERED = "{code},,original-medicare,,,covered,warn,,,2022-01-01,,house-policy,made for this test,,,2026-11-22,no\n"


class Example(NamedTuple):
    """Who renders 77092, by taxonomy code; who is said to have calculated; what the claim comes to."""

    number: int
    who: str
    taxonomy: str
    calculated_by: str
    disposition: str
    rules: frozenset[str]
    allowed: str


ASKED = frozenset(("tbs-calculated-by-interpreter",))
DENIED = frozenset(("tbs-technologist-rendering",))
EXAMPLES = (
    Example(1, "radiologist", "2085R0202X", "other", "accept", frozenset(), "9.38"),
    Example(2, "endocrinologist", "207RE0101X", "self", "accept", ASKED, "9.38"),
    Example(3, "orthopedic surgeon", "207X00000X", "self", "accept", ASKED, "9.38"),
    Example(4, "rheumatologist", "207RR0500X", "other", "accept", frozenset(), "9.38"),
    Example(5, "radiology technician", "247200000X", "other", "deny", DENIED, "9.38"),
    Example(6, "nuclear medicine physician", "207U00000X", "other", "accept", frozenset(), "9.38"),
    Example(7, "osteopathic physician", "207Q00000X", "self", "accept", ASKED, "9.38"),
    Example(8, "musculoskeletal radiologist", "2085R0202X", "self", "accept", ASKED, "9.38"),
    Example(9, "nurse practitioner", "363LF0000X", "other", "accept", frozenset(), "7.97"),
    Example(10, "radiologic technologist", "2471B0102X", "other", "deny", DENIED, "9.38"),
)
NAMES = [f"{example.number}-{example.who.replace(' ', '-')}" for example in EXAMPLES]


@pytest.fixture(scope="module")
def covered(tmp_path_factory: pytest.TempPathFactory) -> Scrubber:
    """The shipped rules, with a row that says that the four codes are covered."""
    folder: Path = copy_of_rules(tmp_path_factory.mktemp("covered"))
    policies = folder / "payer-coverage" / "tables" / "policies.csv"
    kept = [row for row in policies.read_text().splitlines(keepends=True) if ",unknown," not in row]
    policies.write_text("".join(kept) + "".join(COVERED.format(code=code) for code in range(77089, 77093)))
    return open_scrubber(folder, None)


def claim_of(*lines: Any, **context: Any) -> Any:
    body = tbs_claim()
    information = body["claimInformation"]
    information["serviceLines"] = list(lines)
    information["claimChargeAmount"] = f"{60 * len(lines)}.00"
    body["scrubContext"]["documentation"][0]["lines"] = [number for number, _ in enumerate(lines, start=1)]
    body["scrubContext"] |= {"pricing": {"locality": "national"}} | context
    return body


def answer_to(body: Any, scrubber: Scrubber) -> Any:
    return document(scrubber.scrub(read_v3(body), RECEIVED))


def coding(answer: Any) -> frozenset[str]:
    """The rules that found something, but for what is said of the age of the tables."""
    return frozenset(found["rule"]["id"] for found in answer["findings"] if found["category"] != "freshness")


@pytest.mark.parametrize("example", EXAMPLES, ids=NAMES)
def test_each_example_comes_out_as_it_should(covered: Scrubber, example: Example) -> None:
    body = claim_of(line("77092"))
    body["rendering"]["taxonomyCode"] = example.taxonomy
    body["scrubContext"]["documentation"][0]["elements"]["calculatedBy"] = example.calculated_by
    answer = answer_to(body, covered)
    assert (answer["disposition"], coding(answer)) == (example.disposition, example.rules)
    assert answer["impact"]["allowed"] == example.allowed
    assert answer["impact"]["atRisk"] == (example.allowed if example.disposition == "deny" else "0.00")


def test_there_are_ten_of_them() -> None:
    assert [example.number for example in EXAMPLES] == list(range(1, 11))


@pytest.mark.parametrize("example", EXAMPLES, ids=NAMES)
def test_under_original_medicare_as_it_ships_coverage_is_unknown(shipped: Scrubber, example: Example) -> None:
    body = claim_of(line("77092"))
    body["rendering"]["taxonomyCode"] = example.taxonomy
    body["scrubContext"]["documentation"][0]["elements"]["calculatedBy"] = example.calculated_by
    answer = answer_to(body, shipped)
    assert answer["disposition"] == ("deny" if example.disposition == "deny" else "warn")
    assert coding(answer) == example.rules | {"payer-coverage-unknown"}


def test_who_calculated_and_interpreted_is_asked_and_not_moved_to_another_code(covered: Scrubber) -> None:
    body = claim_of(line("77092"))
    body["scrubContext"]["documentation"][0]["elements"]["calculatedBy"] = "self"
    (asked,) = [found for found in answer_to(body, covered)["findings"] if found["rule"]["id"] in ASKED]
    assert asked["severity"] == "info"
    assert "77089" in asked["fix"]
    assert "The claim follows what was done" in asked["fix"]


@pytest.mark.parametrize("part", ["77090", "77091", "77092"])
def test_the_whole_beside_any_part_loses_the_whole_and_no_more(covered: Scrubber, part: str) -> None:
    answer = answer_to(claim_of(line(part), line("77089")), covered)
    (denied,) = [found for found in answer["findings"] if found["severity"] == "deny"]
    assert (denied["rule"]["id"], denied["lines"]) == ("cms-ncci-ptp-column-two", [2])
    assert (denied["impact"]["atRisk"], denied["reason"]["carc"]) == ("38.82", "236")


def test_the_parts_among_themselves_are_not_excluded(covered: Scrubber) -> None:
    answer = answer_to(claim_of(line("77091"), line("77092")), covered)
    assert (answer["disposition"], coding(answer)) == ("accept", frozenset({"tbs-who-calculated"}))


@pytest.mark.parametrize("base", ["77081", "76977"])
def test_a_study_without_the_lumbar_spine_is_no_source(covered: Scrubber, base: str) -> None:
    body = claim_of(line("77092"))
    body["scrubContext"]["documentation"][0]["elements"]["sourceStudy"] = {"code": base, "date": "20250310"}
    assert coding(answer_to(body, covered)) == {"documentation-tbs-source-study-no-spine"}


def test_77085_is_a_source_as_77080_is(covered: Scrubber) -> None:
    body = claim_of(line("77092"))
    body["scrubContext"]["documentation"][0]["elements"]["sourceStudy"] = {"code": "77085", "date": "20250310"}
    assert coding(answer_to(body, covered)) == set()


def test_no_primary_study_has_to_stand_on_the_claim(covered: Scrubber) -> None:
    assert coding(answer_to(claim_of(line("77092")), covered)) == set()


@pytest.mark.parametrize(
    ("day", "locality", "allowed"),
    [
        ("20250312", "national", "9.38"),
        ("20250312", "10112-00", "8.90"),
        ("20260302", "national", "10.02"),
    ],
)
def test_the_amount_depends_on_day_and_place(covered: Scrubber, day: str, locality: str, allowed: str) -> None:
    body = claim_of(line("77092", day=day), pricing={"locality": locality})
    answer = document(covered.scrub(read_v3(body), date(2026, 11, 22)))
    assert answer["impact"]["allowed"] == allowed


@pytest.mark.parametrize("modifier", ["26", "TC"])
def test_the_code_has_no_parts_to_split_off(covered: Scrubber, modifier: str) -> None:
    answer = answer_to(claim_of(line("77092", modifiers=(modifier,))), covered)
    assert answer["disposition"] == "deny"
    assert "tbs-component-modifier" in coding(answer)


@pytest.mark.parametrize("element", ["interpretation", "separateReport", "signature", "tbsValue"])
def test_what_the_article_wants_in_the_report_is_held_against_it(covered: Scrubber, element: str) -> None:
    body = claim_of(line("77092"))
    body["scrubContext"]["documentation"][0]["elements"][element] = None
    answer = answer_to(body, covered)
    (denied,) = [found for found in answer["findings"] if found["severity"] == "deny"]
    assert (denied["stage"], denied["reason"], denied["impact"]["atRisk"]) == ("postPayment", None, "9.38")


@pytest.mark.parametrize("element", ["findings", "recommendation"])
def test_findings_and_recommendation_warn_when_there_are_none(covered: Scrubber, element: str) -> None:
    body = claim_of(line("77092"))
    body["scrubContext"]["documentation"][0]["elements"][element] = ""
    assert coding(answer_to(body, covered)) == {f"documentation-tbs-{element}"}


def test_a_write_off_is_not_total_where_a_notice_holds(shipped: Scrubber) -> None:
    notice = VALID_ABN | {"reason": "Medicare may not pay for this test for your condition"}
    answer = answer_to(claim_of(line("77092", modifiers=("GA",)), abn=[notice]), shipped)
    assert (answer["disposition"], coding(answer)) == ("accept", frozenset({"payer-coverage-unknown-patient"}))
