"""The JSON answer is what design section 5 promises, key by key."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import orjson
import pytest

from scrubber.findings.finding import ScrubResult
from scrubber.response import claim
from scrubber.response.rules import write_rule_file
from scrubber.response.values import amount
from scrubber.rulebook.family import STATES
from scrubber.rulebook.field import Field, Type
from scrubber.rulebook.rule import AllOf, AnyOf, Compare, Has, InList, Reason
from scrubber.rulebook.vocabulary import kind_with
from tests.support import results


def printed(result: ScrubResult) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(claim.to_bytes(result))
    return document


def test_the_whole_answer() -> None:
    answer = printed(results.result())
    assert list(answer) == [
        "disposition", "findings", "checks", "notChecked", "impact", "normalised", "unmapped", "versions",
        "receivedOn", "staleAfter",
    ]  # fmt: skip
    assert answer["disposition"] == "deny"
    assert (answer["receivedOn"], answer["staleAfter"]) == ("20250312", 183)
    assert answer["notChecked"] == [
        {
            "rule": {"id": "sample-report", "version": 1, "status": "active"},
            "lines": [1],
            "why": "not-supplied",
            "missing": ["tbsValue"],
            "message": "Line 1: not checked.",
        }
    ]
    assert answer["impact"] == {
        "billed": "120.00",
        "allowed": "48.20",
        "atRisk": "38.82",
        "byLiability": {"provider": "38.82", "patient": "0.00"},
        "unpricedLines": [],
        "basis": "MPFS 2025, national",
        "steps": ["38.82 + 9.38 = 48.20"],
    }
    assert answer["normalised"] == [{"pointer": "/claimInformation/claimChargeAmount", "change": "number read as text"}]
    assert answer["unmapped"] == ["/extra"]
    assert answer["versions"] == {
        "program": "0.1.0",
        "rulebook": "sha256:abc",
        "reference": [{"table": "ptp", "release": "2025q1", "sha256": "def"}],
    }


def test_a_finding_has_every_key_in_the_promised_order() -> None:
    (finding,) = printed(results.result())["findings"]
    assert list(finding.items()) == [
        ("id", "sample-pair:77089:77092"),
        ("rule", {"id": "sample-pair", "version": 1, "status": "active"}),
        ("severity", "deny"),
        ("stage", "adjudication"),
        ("category", "bundling"),
        ("lines", [2]),
        ("relatedLines", [1]),
        ("pointer", "/claimInformation/serviceLines/1/professionalService/procedureCode"),
        ("x12", {"loop": "2400", "element": "SV101-2"}),
        ("box", "24D"),
        ("message", "Line 2 (77089) is bundled into line 1 (77092)."),
        ("fix", "Bill one of the two."),
        ("reason", {"group": "CO", "carc": "236", "rarc": ["N19"]}),
        ("claimStatus", {"category": "A7", "code": "454"}),
        (
            "impact",
            {
                "billed": "60.00",
                "allowed": "38.82",
                "atRisk": "38.82",
                "liability": "provider",
                "basis": "MPFS 2025, national",
                "steps": ["1.20 RVU x 32.3465 = 38.82"],
            },
        ),
        (
            "authority",
            [
                {
                    "kind": "cms-table",
                    "title": "PTP edits",
                    "locator": "77092/77089",
                    "url": "https://example.org/ptp",
                    "retrieved": "2026-11-22",
                    "binding": True,
                },
                {"kind": "house-policy", "title": "Bone-density reports", "binding": False},
            ],
        ),
        ("evidence", {"column1": "77092", "modifiers": ["26", "59"], "carriedForward": True}),
    ]


def test_what_is_not_there_is_null() -> None:
    rule = results.rule(element="documentation", reason=None, claim_status=None)
    (finding,) = printed(results.result(findings=(results.finding(rule, impact=None),)))["findings"]
    assert [finding[key] for key in ("x12", "box", "reason", "claimStatus", "impact")] == [None] * 5


def test_an_amount_that_cannot_be_known_is_null_and_says_why() -> None:
    unknown = results.impact(allowed=None, at_risk=None, liability=None, unknown="no-schedule")
    (finding,) = printed(results.result(findings=(results.finding(impact=unknown),)))["findings"]
    assert finding["impact"]["allowed"] is None
    assert finding["impact"]["unknown"] == "no-schedule"
    assert printed(results.clean())["impact"]["unknown"] == "no-schedule"


@pytest.mark.parametrize(
    ("value", "text"),
    [("0", "0.00"), ("-0", "0.00"), ("1E+3", "1000.00"), ("9.380", "9.38"), ("-5", "-5.00")],
)
def test_money_has_two_decimals(value: str, text: str) -> None:
    assert amount(Decimal(value)) == text


def test_a_finding_may_rest_on_a_table_row_instead_of_its_rule() -> None:
    rule = results.rule()
    found = results.finding(rule, authority=(results.TABLE_ROW,))
    first, second = printed(results.result(findings=(found, results.finding(rule))))["findings"]
    assert [item["title"] for item in first["authority"]] == ["PTP edits"]
    assert len(second["authority"]) == 2


def test_equal_results_give_equal_bytes() -> None:
    assert claim.to_bytes(results.result()) == claim.to_bytes(results.result())


def test_two_rules_of_one_id_are_not_confused() -> None:
    old = results.finding(results.rule(version=1))
    new = results.finding(results.rule(version=2, element="charge"))
    first, second = printed(results.result(findings=(old, new)))["findings"]
    assert (first["rule"]["version"], first["box"]) == (1, "24D")
    assert (second["rule"]["version"], second["box"]) == (2, "24F")


def test_a_rule_as_its_file_says_it() -> None:
    when = AnyOf(
        (
            Compare("charge", "over", 6005),
            Compare("units", "at-most", 1_500_000),
            Compare("day", "under", 738156),
            Compare("setting", "is-not", "facility"),
            InList("procedure", "any", "bone-mass"),
            Has("modifiers", "none", ("26", "TC")),
        )
    )
    told = write_rule_file(results.rule(when=when))
    assert told["applies"] == {"all": [{"fact": "procedure", "any": ("77089", "77092")}]}
    assert told["when"] == {
        "any": [
            {"fact": "charge", "over": "60.05"},
            {"fact": "units", "at-most": "1.5"},
            {"fact": "day", "before": "2022-01-01"},
            {"fact": "setting", "is-not": "facility"},
            {"fact": "procedure", "any-in": "bone-mass"},
            {"fact": "modifiers", "none": ("26", "TC")},
        ]
    }
    assert told["effective"] == {"from": "2022-01-01", "to": None}
    assert told["pointsAt"]["box"] == "24D"


def test_states_and_flags_are_told_in_words() -> None:
    elements = (
        Field("tbsValue", Type.DECIMAL, "the score", (), STATES),
        Field("separateReport", Type.FLAG, "a report"),
    )
    rule = results.rule(
        scope="document",
        documents=kind_with("document", elements),
        when=AllOf((Compare("tbsValue?", "is", "absent"), Compare("separateReport", "is", False))),
    )
    assert write_rule_file(rule)["when"] == {
        "all": [{"fact": "tbsValue", "is": "absent"}, {"fact": "separateReport", "is": "no"}]
    }


def test_every_field_of_a_rule_is_told() -> None:
    rule = replace(results.rule(), false_alarms="Never.", related=("other",), not_checked="Not.")
    told = write_rule_file(rule)
    assert (told["falseAlarms"], told["related"], told["notChecked"]) == ("Never.", ("other",), "Not.")
    assert told["file"] == "sample/pairs/sample-pair.yaml"


@pytest.mark.parametrize(("group", "told"), [("CO", "PR"), ("PI", "PI"), ("OA", "OA")])
def test_only_a_contractual_obligation_turns_into_the_patients(group: str, told: str) -> None:
    by = results.rule(reason=Reason(group, "50", ()))
    found = results.finding(by, impact=results.impact(liability="patient"))
    assert found.reason is not None
    assert (found.reason.group, found.reason.carc) == (told, "50")


def test_lines_that_are_not_counted_in_what_is_at_risk_are_named() -> None:
    some = results.claim_impact(by_line={2: Decimal("38.82"), 3: None, 1: None})
    assert printed(results.result(impact=some))["impact"]["uncountedLines"] == [1, 3]
    known = results.claim_impact(by_line={2: Decimal("38.82")})
    assert "uncountedLines" not in printed(results.result(impact=known))["impact"]
