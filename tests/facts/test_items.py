"""What relations of rules speak of is found with all that the claim says of it, and what nobody can read is unknown."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from scrubber.claim import read_v3
from scrubber.claim.model import Claim
from scrubber.facts.items import Item, items
from scrubber.rulebook.item_kinds import ITEM_KINDS, OF_MODIFIERS
from tests.support.claims import CLINIC_NPI, PHYSICIAN_NPI, office_claim

CI, LINES = "claimInformation", "/claimInformation/serviceLines"
FIRST, SECOND = "FIRST-SAMPLE", "SECOND-SAMPLE"


def decision(payer: Any, paid: Any, *adjustments: tuple[str, str, Any], **more: Any) -> dict[str, Any]:
    """A decision of another payer on a line, with adjustments as group, reason and amount."""
    return {
        "otherPayerPrimaryIdentifier": payer,
        "serviceLinePaidAmount": paid,
        "procedureCode": "99213",
        "adjudicationOrPaymentDate": "20260108",
        "claimAdjustmentInformation": [
            {
                "adjustmentGroupCode": group,
                "adjustmentDetails": [{"adjustmentReasonCode": reason, "adjustmentAmount": amount}],
            }
            for group, reason, amount in adjustments
        ],
        **more,
    }


def claim_with(line: Any = None, context: Any = None, **claim_information: Any) -> Claim:
    """The office claim with members added to its first line, its context and its claimInformation."""
    body = office_claim()
    body[CI] |= claim_information
    body[CI]["serviceLines"][0] |= line or {}
    return read_v3(body | {"scrubContext": context or {}})


def found(kind: str, claim: Claim, line: int | None = 1) -> tuple[Item, ...]:
    made = items(ITEM_KINDS[kind], claim, claim.lines[line - 1] if line else None)
    assert made is not None
    return made


def known(item: Item, *names: str) -> tuple[Any, ...]:
    """The values under these names, or in their place why there is none."""
    return tuple(
        "unreadable" if name in item.unreadable else item.values.get(name, item.values.get(f"{name}?"))
        for name in names
    )


def test_every_field_of_every_item_has_a_value_or_a_state_or_is_unreadable() -> None:
    claim = claim_with(
        {
            "lineAdjudicationInformation": [decision(FIRST, "80.00", ("CO", "45", "50.00"))],
            "testResults": [{"measurementQualifier": "R1"}],
            "serviceLineSupplementalInformation": [{"attachmentReportTypeCode": "OZ"}],
        },
        {"abn": [{"form": "CMS-R-131"}], "history": [{"code": "99213", "date": "20250102"}, {"code": "99213"}]},
        otherSubscriberInformation=[
            {"claimLevelAdjustments": [{"adjustmentDetails": [{"adjustmentReasonCode": "1"}]}]}
        ],
    )
    for kind in ITEM_KINDS.values():
        made = found(kind.name, claim)
        assert made, kind.name
        for item in made:
            names = {name.removesuffix("?") for name in item.values} | item.unreadable
            # What modifiers of an earlier service say is made when a rule asks, with the lists of the rulebook.
            later = set(OF_MODIFIERS) if kind.name == "history" and "modifiers" in item.values else set()
            assert names == kind.fields.keys() - later, kind.name
            states = {name.removesuffix("?"): state for name, state in item.values.items() if name.endswith("?")}
            assert all(state in kind.fields[name].states for name, state in states.items()), kind.name


def test_the_diagnoses_of_a_claim_with_the_pointers_of_the_line_that_lead_to_them() -> None:
    claim = claim_with()
    codes = [diagnosis.code for diagnosis in claim.diagnoses]
    made = found("diagnosis", claim)
    assert [known(each, "code", "position") for each in made] == [
        (code, position) for position, code in enumerate(codes, start=1)
    ]
    pointers = claim.lines[0].pointers
    assert [known(each, "pointer")[0] for each in made] == [
        pointers.index(position) + 1 if position in pointers else "absent" for position in range(1, len(codes) + 1)
    ]
    assert {known(each, "pointer") for each in found("diagnosis", claim, None)} == {("absent",)}


def test_the_diagnoses_that_a_line_points_to_come_in_the_order_of_its_pointers() -> None:
    body = office_claim()
    listed = body[CI]["healthCareCodeInformation"]
    listed[:] = [{"diagnosisTypeCode": "ABF", "diagnosisCode": code} for code in ("M810", "E559", "I10")]
    pointers = body[CI]["serviceLines"][0]["professionalService"]["compositeDiagnosisCodePointers"]
    pointers["diagnosisCodePointers"] = ["3", "1", "3", "9"]
    made = found("pointed-diagnosis", read_v3(body))
    assert [known(each, "code", "pointer", "position") for each in made] == [("I10", 1, 3), ("M810", 2, 1)]


def test_pointers_that_cannot_be_read_may_lead_to_any_diagnosis() -> None:
    body = office_claim()
    pointers = body[CI]["serviceLines"][0]["professionalService"]["compositeDiagnosisCodePointers"]
    pointers["diagnosisCodePointers"] = ["1", {}]
    one, other = found("pointed-diagnosis", read_v3(body))
    assert (known(one, "position"), one.unreadable) == ((1,), frozenset())
    assert other.unreadable == ITEM_KINDS["pointed-diagnosis"].fields.keys()


def test_a_diagnosis_whose_code_cannot_be_read_is_there() -> None:
    body = office_claim()
    body[CI]["healthCareCodeInformation"][0]["diagnosisCode"] = ["I10"]
    del body[CI]["healthCareCodeInformation"][1]["diagnosisCode"]
    unread, missing, *_ = found("diagnosis", read_v3(body))
    assert (known(unread, "code"), known(missing, "code")) == (("unreadable",), ("absent",))


def test_earlier_services() -> None:
    row = {
        "code": "99213", "date": "20250102", "modifiers": ["25"],
        "units": "1.5", "charge": "120.10", "allowed": "38.17",
        "renderingNpi": PHYSICIAN_NPI, "billingNpi": CLINIC_NPI, "taxonomyCode": "207R00000X", "diagnoses": ["M81.0"],
        "careFrom": "20250101", "careTo": "20250131",
    }  # fmt: skip
    (item,) = found("history", claim_with(context={"history": [row]}))
    day = date(2025, 1, 2).toordinal()
    assert item.values == {
        "procedure": "99213", "day": day, "modifiers": ("25",), "units": 1_500_000, "charge": 12_010, "allowed": 3_817,
        "rendering-provider": PHYSICIAN_NPI, "billing-provider": CLINIC_NPI, "specialty": "207R00000X",
        "diagnoses": ("M810",), "care-from": day - 1, "care-to": day + 29,
    }  # fmt: skip
    assert (item.lines, item.pointer, item.unreadable) == ((), "/scrubContext/history/0", frozenset())


def test_what_is_not_said_of_an_earlier_service_is_no_value() -> None:
    rows = [
        {"code": "99213", "date": "20250102"},
        {"code": "99213", "date": "20250102", "units": "", "allowed": ["1"], "modifiers": [{}]},
    ]
    bare, odd = found("history", claim_with(context={"history": rows}))
    assert known(bare, "units", "allowed", "modifiers") == ("not-supplied", "not-supplied", ())
    assert known(odd, "units", "allowed", "modifiers", "charge") == (
        "absent",
        "unreadable",
        "unreadable",
        "not-supplied",
    )


def test_a_row_without_a_day_may_be_any_service_of_its_code() -> None:
    (item,) = found("history", claim_with(context={"history": [{"code": "99213", "date": "soon"}]}))
    assert item.values == {"procedure": "99213"}
    assert item.unreadable == ITEM_KINDS["history"].fields.keys() - {"procedure"}


def test_what_the_context_does_not_supply_is_not_an_empty_list() -> None:
    for name, member in (("history", "history"), ("notice", "abn")):
        assert items(ITEM_KINDS[name], claim_with()) is None
        assert items(ITEM_KINDS[name], claim_with(context={member: []})) == ()


def test_decisions_of_other_payers_on_a_line() -> None:
    adjustments = (("CO", "45", "50.00"), ("PR", "2", "15.05"))
    sent = decision(FIRST, "80.00", *adjustments, remainingPatientLiability="15.05")
    made = found("adjudication", claim_with({"lineAdjudicationInformation": [sent]}))
    assert [known(each, "payer", "paid", "adjustments", "patient-liability", "procedure") for each in made] == [
        (FIRST, 8_000, 6_505, 1_505, "99213")
    ]
    assert known(made[0], "day") == (date(2026, 1, 8).toordinal(),)
    assert (made[0].lines, made[0].pointer) == ((1,), f"{LINES}/0/lineAdjudicationInformation/0")


def test_decisions_of_one_payer_on_a_line_are_added_up() -> None:
    sent = [
        decision(FIRST, "12.00", ("CO", "45", "20.00")),
        decision(SECOND, "1.00"),
        decision(FIRST, "8.00", ("CO", "45", "20.00"), ("PR", "1", "-3.00")),
    ]
    made = found("adjusting-payer", claim_with({"lineAdjudicationInformation": sent}))
    assert [known(each, "payer", "paid", "adjustments", "decisions") for each in made] == [
        (FIRST, 2_000, 3_700, 2),
        (SECOND, 100, 0, 1),
    ]


@pytest.mark.parametrize(
    ("sent", "paid", "adjustments"),
    [
        (decision(FIRST, "x", ("CO", "45", "1.00")), "unreadable", 2_100),
        (decision(FIRST, None), "absent", 2_000),
        (decision(FIRST, "1.00", ("CO", "45", "x")), 1_300, "unreadable"),
        (decision(FIRST, "1.00", claimAdjustmentInformation="x"), 1_300, "unreadable"),
    ],
)
def test_a_sum_of_which_a_part_is_not_known_is_not_known(sent: dict[str, Any], paid: Any, adjustments: Any) -> None:
    both = [decision(FIRST, "12.00", ("CO", "45", "20.00")), sent]
    (made,) = found("adjusting-payer", claim_with({"lineAdjudicationInformation": both}))
    assert known(made, "paid", "adjustments") == (paid, adjustments)


def test_a_decision_of_a_payer_that_cannot_be_read_may_belong_to_any() -> None:
    sent = [decision(FIRST, "12.00"), decision(["x"], "1.00")]
    (made,) = found("adjusting-payer", claim_with({"lineAdjudicationInformation": sent}))
    assert made.unreadable == ITEM_KINDS["adjusting-payer"].fields.keys()


@pytest.mark.parametrize("sent", ["none", [decision(FIRST, "1.00"), "none"]])
def test_a_list_that_cannot_be_read_may_hold_anything(sent: Any) -> None:
    *_, made = found("adjudication", claim_with({"lineAdjudicationInformation": sent}))
    assert made.unreadable == ITEM_KINDS["adjudication"].fields.keys()


def test_adjustments_of_the_line_and_of_the_claim_have_their_payer() -> None:
    other = {
        "otherPayerName": {"otherPayerIdentifier": FIRST},
        "payerPaidAmount": "80.00",
        "claimLevelAdjustments": [
            {
                "adjustmentGroupCode": "PR",
                "adjustmentDetails": [
                    {"adjustmentReasonCode": "1", "adjustmentAmount": "5.00"},
                    {"adjustmentReasonCode": "2", "adjustmentAmount": "0.50", "adjustmentQuantity": "2"},
                ],
            }
        ],
    }
    line = {"lineAdjudicationInformation": [decision(FIRST, "1.00"), decision(SECOND, "2.00", ("CO", "45", "9.00"))]}
    claim = claim_with(line, otherSubscriberInformation=[other])
    names = ("payer", "group", "reason", "amount", "quantity")
    assert [known(each, *names) for each in found("adjustment", claim)] == [(SECOND, "CO", "45", 900, "absent")]
    assert found("adjustment", claim, 2) == found("adjustment", claim, None) == ()
    assert [known(each, *names) for each in found("claim-adjustment", claim)] == [
        (FIRST, "PR", "1", 500, "absent"),
        (FIRST, "PR", "2", 50, 2_000_000),
    ]
    (payer,) = found("other-payer", claim)
    assert known(payer, "payer", "paid", "adjustments", "responsibility") == (FIRST, 8_000, 550, "absent")


def test_test_results_have_a_number() -> None:
    results = [
        {"measurementReferenceIdentificationCode": "TR", "measurementQualifier": "R1", "testResults": "10.8"},
        {"measurementReferenceIdentificationCode": "TR", "measurementQualifier": "R2", "testResults": "high"},
    ]
    claim = claim_with({"testResults": results})
    assert [known(each, "reference", "qualifier", "value") for each in found("test-result", claim)] == [
        ("TR", "R1", 10_800_000),
        ("TR", "R2", "unreadable"),
    ]
    assert found("test-result", claim, 2) == found("test-result", claim, None) == ()


def test_attachments_of_a_line_else_of_the_claim() -> None:
    claim = claim_with(
        {"serviceLineSupplementalInformation": [{"attachmentReportTypeCode": "OZ"}]},
        claimSupplementalInformation={
            "reportInformation": {"attachmentReportTypeCode": "B4"},
            "reportInformations": [{"attachmentReportTypeCode": "EB"}],
        },
    )
    assert [known(each, "type") for each in found("attachment", claim)] == [("OZ",)]
    assert [known(each, "type") for each in found("attachment", claim, 2)] == [("B4",), ("EB",)]
    assert [known(each, "type") for each in found("attachment", claim, None)] == [("B4",), ("EB",)]


def test_notices_are_those_of_the_line() -> None:
    notices = [
        {"lines": [1], "form": "CMS-R-131", "signed": "20260105", "option": 1, "estimate": "$60.50", "refused": False},
        {"lines": [2], "issued": None, "estimate": "60 or 80", "witnesses": "2", "signed": "soon"},
    ]
    claim = claim_with(context={"abn": notices})
    (first,), (second,) = found("notice", claim, 1), found("notice", claim, 2)
    names = ("form", "signed", "option", "estimate", "refused", "issued", "witnesses")
    signed = date(2026, 1, 5).toordinal()
    assert known(first, *names) == ("CMS-R-131", signed, "1", 6_050, False, "not-supplied", "not-supplied")
    assert known(second, *names) == (
        "not-supplied", "unreadable", "not-supplied", "unreadable", "not-supplied", "absent", 2_000_000,
    )  # fmt: skip
    assert (first.lines, first.pointer) == ((1,), "/scrubContext/abn/0")
    assert len(found("notice", claim, None)) == 2


def test_a_notice_whose_lines_cannot_be_read_may_be_about_every_line() -> None:
    (notice,) = found("notice", claim_with(context={"abn": [{"lines": ["x"], "form": "CMS-R-131"}]}), 2)
    assert notice.unreadable == ITEM_KINDS["notice"].fields.keys()


def test_no_item_prints_what_it_holds() -> None:
    claim = claim_with(context={"history": [{"code": "99213", "date": "20250102"}]})
    assert "99213" not in repr(found("history", claim))
