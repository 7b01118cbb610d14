"""Claims of too many lines cost and answer no more than others, and findings of one rule are bounded."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

import pytest

from scrubber.claim import read_v3
from scrubber.claim.model import MOST_LINES
from scrubber.findings import Finding, disposition
from scrubber.findings.bounds import MOST_OF_A_RULE, limit_findings
from scrubber.response.claim import document, to_bytes
from scrubber.scrub import Scrubber, read_facts
from tests.support import results
from tests.support.claims import Body, office_claim, tbs_claim

DAY = date(2025, 4, 1)
TOO_MANY = "x12-837p-too-many"


def orderly(count: int) -> Body:
    body = office_claim()
    lines = body["claimInformation"]["serviceLines"]
    body["claimInformation"]["serviceLines"] = [copy.deepcopy(lines[number % 4]) for number in range(count)]
    return body


def in_disorder(count: int) -> Body:
    """Lines with many faults each, which are pairs and repeats of each other."""
    body = tbs_claim()
    first = body["claimInformation"]["serviceLines"][0]
    lines = [copy.deepcopy(first) for _ in range(count)]
    for number, line in enumerate(lines):
        line["professionalService"] |= {
            "procedureCode": ("77080", "77089", "77091", "77092")[number % 4],
            "serviceUnitCount": "0" if number % 3 else "-1.5",
            "procedureModifiers": ["zz1", "26", "TC", "26", "GA"],
            "placeOfServiceCode": "CO",
            "procedureModifer": "59",
            "compositeDiagnosisCodePointers": {"diagnosisCodePointers": ["9", "1", "1"]},
        }
    body["claimInformation"]["serviceLines"] = lines
    return body


@pytest.mark.parametrize("count", [51, 200, 1_000])
@pytest.mark.parametrize("make", [orderly, in_disorder])
def test_a_claim_of_too_many_lines_is_judged_by_their_number_alone(make: Any, count: int, shipped: Scrubber) -> None:
    claim = read_v3(make(count))
    result = shipped.scrub(claim, DAY)
    assert (result.disposition, [finding.rule.id for finding in result.findings]) == ("deny", [TOO_MANY])
    rows = [item.rule.id for item in result.not_checked]
    assert len(rows) == len(set(rows)), "one row a rule"
    assert {item.why for item in result.not_checked} == {"too-many-lines"}
    assert {"x12-837p-element-missing", "cms-ncci-ptp-column-two", "payer-coverage-unknown"} <= set(rows)
    assert TOO_MANY not in rows
    assert not any(stage.complete for stage in result.checks.values())
    impact = document(result)["impact"]
    assert (impact["billed"], impact["allowed"], impact["atRisk"], impact["unknown"]) == (
        f"{claim.total}", None, None, "too-many-lines",
    )  # fmt: skip


@pytest.mark.parametrize("make", [orderly, in_disorder])
def test_more_lines_than_a_claim_can_hold_cost_no_more(make: Any, shipped: Scrubber) -> None:
    """What takes time is bounded: lines that are read, facts that are made, and the bytes of the answer."""
    answers = set()
    for count in (51, 200, 1_000):
        claim = read_v3(make(count))
        assert len(claim.lines) == MOST_LINES
        assert len(claim.resembling) <= MOST_LINES
        assert len(read_facts(claim, shipped.rulebook, shipped.reference, DAY).facts) == 1
        answers.add(to_bytes(shipped.scrub(claim, DAY)))
    (answer,) = answers
    assert len(answer) < 30_000 + 250 * len(shipped.rulebook.running)  # it names each rule once, whatever the lines


def test_fifty_lines_are_judged(shipped: Scrubber) -> None:
    result = shipped.scrub(read_v3(orderly(50)), DAY)
    rules = {finding.rule.id for finding in result.findings}
    assert TOO_MANY not in rules
    assert "x12-837p-duplicate-line" in rules


def test_every_check_of_a_claim_of_too_many_lines_fired_or_was_not_made(shipped: Scrubber) -> None:
    claim = read_v3(orderly(51))
    result = shipped.with_every_check(claim, shipped.scrub(claim, DAY))
    outcomes = [check.outcome for check in result.every_check or ()]
    assert outcomes == ["fired"] + ["notChecked"] * len(result.not_checked)


def test_findings_of_one_rule_are_bounded_with_a_count(shipped: Scrubber) -> None:
    body = in_disorder(50)
    for line in body["claimInformation"]["serviceLines"]:
        del line["professionalService"]
    result = shipped.scrub(read_v3(body), DAY)
    by_rule: dict[str, list[Finding]] = {}
    for finding in result.findings:
        by_rule.setdefault(finding.rule.id, []).append(finding)
    assert max(map(len, by_rule.values())) == MOST_OF_A_RULE
    together = [finding for finding in result.findings if "more" in finding.evidence]
    assert together
    fired = sum(stage.fired for stage in result.checks.values())
    assert len(result.findings) + sum(int(str(finding.evidence["more"])) for finding in together) == fired
    for finding in together:
        assert finding.message.endswith(f"So it is with {finding.evidence['more']} more.")
        assert finding is by_rule[finding.rule.id][-1]


def _of(rule: Any, *lines: int) -> Finding:
    return results.finding(rule)._replace(lines=lines, related_lines=(lines[0] + 100,))


def test_the_last_finding_of_a_rule_has_the_lines_of_those_it_stands_for() -> None:
    many, few = results.rule("sample-many"), results.rule("sample-few")
    findings = [_of(many, number) for number in range(1, MOST_OF_A_RULE + 3)]
    findings.insert(2, _of(few, 7))
    shown = limit_findings(tuple(findings))
    assert len(shown) == MOST_OF_A_RULE + 1
    assert shown[2].rule.id == "sample-few"
    assert shown[-1].lines == (50, 51, 52)
    assert shown[-1].related_lines == (150, 151, 152)
    assert shown[-1].evidence["more"] == 2
    assert disposition(shown) == disposition(findings)


def test_as_many_findings_as_there_may_be_lines_stand_alone() -> None:
    findings = tuple(_of(results.rule("sample-many"), number) for number in range(1, MOST_OF_A_RULE + 1))
    assert limit_findings(findings) == findings
