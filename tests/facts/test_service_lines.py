"""Facts that hold lines against each other: what a scalar that cannot be read, or an edit by line, keeps them from."""

from __future__ import annotations

from typing import Any

import pytest

from scrubber.claim import read_v3
from scrubber.findings import ScrubResult
from scrubber.scrub import Scrubber
from tests.facts.test_element import RECEIVED
from tests.support.claims import Body, office_claim

LINES = "serviceLines"


def twice(index: int, **changed: Any) -> Body:
    """The office claim with one of its lines again, at its end, and something else in the copy's service."""
    body = office_claim()
    lines = body["claimInformation"][LINES]
    again = {**lines[index], "professionalService": {**lines[index]["professionalService"], **changed}}
    lines.append(again)
    return body


def told(body: Body, shipped: Scrubber) -> ScrubResult:
    return shipped.scrub(read_v3(body), RECEIVED)


def fired(body: Body, rule: str, shipped: Scrubber) -> list[tuple[int, ...]]:
    return [finding.lines for finding in told(body, shipped).findings if finding.rule.id.startswith(rule)]


def test_a_line_that_stands_there_twice_is_told(shipped: Scrubber) -> None:
    assert fired(twice(1), "x12-837p-duplicate-line", shipped) == [(5,)]


@pytest.mark.parametrize(
    "unread", [{"lineItemChargeAmount": "x"}, {"serviceUnitCount": "x"}, {"procedureModifiers": [{}]}]
)
def test_what_cannot_be_read_is_no_repeat(unread: Body, shipped: Scrubber) -> None:
    body = twice(1, **unread)
    body["claimInformation"][LINES][1]["professionalService"] |= unread
    assert fired(body, "x12-837p-duplicate-line", shipped) == []


def test_an_edit_by_line_does_not_add_lines_up(shipped: Scrubber) -> None:
    body = twice(0, procedureCode="G0514", procedureModifiers=["25"])
    lines = body["claimInformation"][LINES]
    lines[0]["professionalService"] |= {"procedureCode": "G0514"}
    assert fired(body, "cms-ncci-mue", shipped) == []
    lines[0]["professionalService"]["serviceUnitCount"] = "2"
    assert fired(body, "cms-ncci-mue", shipped) == [(1,)]


def test_without_its_last_day_a_line_is_not_held_against_others(shipped: Scrubber) -> None:
    body = office_claim()
    body["claimInformation"][LINES][0]["serviceDateEnd"] = "soon"
    missing = [item for item in told(body, shipped).not_checked if "service-date-end" in item.missing]
    assert {item.rule.scope for item in missing} == {"pair", "code-day", "repeat", "visit"}
    assert {item.lines for item in missing} == {(1,)}
