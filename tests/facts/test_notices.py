"""What is read off a beneficiary notice, and what it moves: the form's footer, refusals, reasons, days."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from scrubber.claim import read_v3
from scrubber.facts.notices import Notice, NoticeCheck, read_form, read_notice
from scrubber.response.claim import document
from scrubber.scrub import Scrubber
from tests.support.claims import VALID_ABN, tbs_claim

SPECIFIC = VALID_ABN | {"reason": "Medicare may not pay for this test for your condition"}
REFUSED = {**SPECIFIC, "signed": None, "option": None, "refused": True, "witnesses": 2}


@pytest.mark.parametrize(
    ("sent", "name", "expires"),
    [
        ("Form CMS-R-131 (Exp. 01/31/2026)", "FORM CMS-R-131", date(2026, 1, 31)),
        ("Form CMS-R-131 (Exp.01/31/2026)   Form Approved OMB No. 0938-0566", "FORM CMS-R-131", date(2026, 1, 31)),
        ("Form Approved OMB No. 0938-0566 CMS-R-131 (Exp. 03/31/2029)", "CMS-R-131", date(2029, 3, 31)),
        ("cms-r-131 expires 2026-01-31", "CMS-R-131", date(2026, 1, 31)),
        ("CMS-R-131 (Exp. 03/2020)", "CMS-R-131", date(2020, 3, 31)),
        ("CMS-R-131 (03/11)", "CMS-R-131", None),
        ("CMS-R-131 (Exp. 13/31/2026)", "CMS-R-131", None),
        ("CMS-R-131 (Exp. 99/2026)", "CMS-R-131", None),
        ("CMS-R-131", "CMS-R-131", None),
        ("CMS-10055 (Exp. 01/31/2026)", "CMS-10055", date(2026, 1, 31)),
        ("", "", None),
    ],
)
def test_the_footer_is_read_apart_from_the_name(sent: str, name: str, expires: date | None) -> None:
    assert read_form(sent) == (name, expires)


@pytest.mark.parametrize(
    "sent", ["(" * 9_999, "EXP " * 2_499, "EXP 13/" + "1" * 9_990, "OMB " * 2_499, "( 1/1" * 1_999]
)
def test_a_long_text_in_the_field_is_no_form_and_costs_nothing(sent: str) -> None:
    name, expires = read_form(sent)
    assert len(name) <= len(sent)
    assert expires is None


def billed(scrubber: Scrubber, notice: dict[str, Any], assignment: str = "A", day: str = "20250312") -> Any:
    body = tbs_claim()
    information = body["claimInformation"]
    information["planParticipationCode"] = assignment
    information["serviceLines"] = information["serviceLines"][:1]
    line = information["serviceLines"][0]
    line["serviceDate"] = day
    line["professionalService"] |= {"procedureCode": "77092", "procedureModifiers": ["GA"]}
    information["claimChargeAmount"] = line["professionalService"]["lineItemChargeAmount"]
    body["scrubContext"]["documentation"][0]["lines"] = [1]
    body["scrubContext"] |= {"abn": [notice], "receivedOn": day}
    return document(scrubber.scrub(read_v3(body), date.fromisoformat(day)))


def above_info(answer: Any) -> set[str]:
    return {found["rule"]["id"] for found in answer["findings"] if found["severity"] != "info"}


@pytest.mark.parametrize(
    "notice",
    [SPECIFIC, SPECIFIC | {"form": "Form CMS-R-131 (Exp. 01/31/2026)"}, REFUSED, REFUSED | {"witnesses": "3"}],
)
def test_a_notice_that_holds_lets_the_claim_go(shipped: Scrubber, notice: dict[str, Any]) -> None:
    answer = billed(shipped, notice)
    assert answer["disposition"] == "accept"
    assert above_info(answer) == set()
    (days_known,) = [found for found in answer["findings"] if found["rule"]["id"] == "payer-coverage-unknown-patient"]
    assert "60.00" in days_known["message"]


@pytest.mark.parametrize(
    ("reason", "rule"),
    [
        ("Medicare might deny this.", "medicare-abn-generic-reason"),
        ("Could be denied by Medicare", ""),  # "by" is no listed word: what is not known counts as specific
        ("Medicare probably will not cover it", "medicare-abn-generic-reason"),
        ("We are not sure if Medicare will pay for this.", "medicare-abn-generic-reason"),
        ("Medicare might not cover this lab test", "medicare-abn-vague-reason"),
        ("Medicare might not cover this lab test this often", ""),
        ("Medicare does not pay for this test with your diagnosis", ""),
        ("Medicare does not pay for experimental treatment", ""),
    ],
)
def test_a_reason_made_of_words_that_name_no_cause(shipped: Scrubber, reason: str, rule: str) -> None:
    answer = billed(shipped, SPECIFIC | {"reason": reason})
    days_known = {found["rule"]["id"] for found in answer["findings"] if found["rule"]["id"].startswith("medicare-abn")}
    assert days_known == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("changed", "assignment", "rule"),
    [
        ({"witnesses": 1}, "A", "medicare-abn-refusal-not-witnessed"),
        ({}, "C", "medicare-abn-refusal-unassigned"),
        ({"reason": "Medicare may not pay"}, "A", "medicare-abn-generic-reason"),
        ({"option": "2"}, "A", "medicare-abn-option-2-billed"),
        ({"issued": "20250313"}, "A", "medicare-abn-signed-after-service"),
        ({"refused": False}, "A", "medicare-abn-not-signed"),
    ],
)
def test_a_refusal_that_does_not_count_stays_with_the_provider(
    shipped: Scrubber, changed: dict[str, Any], assignment: str, rule: str
) -> None:
    answer = billed(shipped, REFUSED | changed, assignment)
    assert {rule, "payer-coverage-unknown"} <= above_info(answer)
    assert answer["impact"]["byLiability"]["patient"] == "0.00"


@pytest.mark.parametrize("left_out", ["witnesses", "reason"])
def test_a_refusal_that_leaves_something_out_is_not_judged(shipped: Scrubber, left_out: str) -> None:
    answer = billed(shipped, {name: value for name, value in REFUSED.items() if name != left_out})
    assert above_info(answer) == {"payer-coverage-unknown"}
    assert "medicare-abn-ga-without-abn" in {row["rule"]["id"] for row in answer["notChecked"]}


def test_of_two_notices_the_one_that_holds_counts(shipped: Scrubber) -> None:
    body_with_both = [VALID_ABN | {"form": "another form"}, SPECIFIC]
    for notices in (body_with_both, body_with_both[::-1]):
        body = tbs_claim()
        body["scrubContext"]["abn"] = [notice | {"lines": [1, 2]} for notice in notices]
        for line in body["claimInformation"]["serviceLines"]:
            line["professionalService"]["procedureModifiers"] = ["GA"]
        answer = document(shipped.scrub(read_v3(body), date(2025, 3, 20)))
        assert not {rule for rule in above_info(answer) if rule.startswith("medicare-abn")}


def test_a_notice_prints_nothing_of_itself(shipped: Scrubber) -> None:
    body = tbs_claim()
    body["scrubContext"]["abn"] = [SPECIFIC | {"form": "CANARY", "reason": "CANARY"}]
    claim = read_v3(body)
    assert claim.context.abn is not None
    notice = read_notice(claim.context.abn[0], shipped.rulebook)
    assert isinstance(notice, Notice)
    assert "CANARY" not in repr(notice) + repr(NoticeCheck((), False, (), notice)) + repr([notice])
