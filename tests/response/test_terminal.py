"""The table for people says what a biller needs, within the width of the terminal."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from click import unstyle

from scrubber.findings import NotChecked, ScrubResult
from scrubber.response.terminal import dollars, render
from scrubber.rulebook.rule import Authority
from tests.support import results


def plain(result: ScrubResult, width: int = 100) -> str:
    return unstyle(render("claim.json", result, width))


def words(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("width", [80, 100, 160])
def test_all_that_matters_is_there_and_fits(width: int) -> None:
    table = plain(results.result(), width)
    assert max(map(len, table.splitlines())) <= width
    told = words(table)
    for part in (
        "claim.json DENY",
        "1 deny, 1 not checked; at risk $38.82 (provider $38.82)",
        "2 DENY $38.82 Line 2 (77089) is bundled",
        "Fix: Bill one of the two.",
        "By: PTP edits, 77092/77089 (cms-table, binding) https://example.org/ptp",
        "Id: sample-pair:77089:77092; expect CO-236 N19",
        "NOT CHECKED Line 1: not checked. Needs tbsValue. [sample-report]",
        "billed $120.00, allowed $48.20, at risk $38.82; MPFS 2025, national",
        "38.82 + 9.38 = 48.20",
    ):
        assert part in told


def test_texts_are_wrapped_under_their_own_column() -> None:
    long = results.finding(message="word " * 60)
    table = plain(results.result(findings=(long,)), 80)
    rows = [row for row in table.splitlines() if "word" in row]
    assert len(rows) > 3
    assert len({row.index("word") for row in rows}) == 1


def test_a_clean_claim_is_short() -> None:
    told = words(plain(results.clean()))
    assert "claim.json ACCEPT no findings; at risk $0.00" in told
    assert "allowed unknown, at risk $0.00; not known: no-schedule" in told
    assert "not priced: line 1-2" in told
    assert "FINDING" not in told


@pytest.mark.parametrize(
    ("lines", "text"),
    [((), "claim"), ((3,), "3"), ((1, 2, 3), "1-3"), ((1, 3), "1,3"), ((1, 30, 45, 50), "1,+3")],
)
def test_line_numbers_stay_in_their_column(lines: tuple[int, ...], text: str) -> None:
    table = plain(results.result(findings=(results.finding(lines=lines),)))
    assert re.search(rf"^  {re.escape(text)} +DENY", table, re.M)


def test_an_amount_that_cannot_be_known_is_no_zero() -> None:
    assert dollars(None) == "unknown"
    assert dollars(Decimal("1234567.5")) == "$1,234,567.50"
    unknown = results.finding(impact=results.impact(at_risk=None))
    assert "DENY         unknown" in plain(results.result(findings=(unknown,)))


def test_a_terminal_is_not_given_control_characters() -> None:
    hostile = results.finding(message="Line 1 (\x1b[2J\r\x07) is unknown.")
    table = render("a\x1b]0;b.json", results.result(findings=(hostile,)), 100)
    assert "\x1b[2J" not in table
    assert "\x1b]0" not in table
    assert not set("\r\x07") & set(table)


def test_checks_that_lack_the_same_are_told_together() -> None:
    def lacking(rule_id: str, lines: tuple[int, ...]) -> NotChecked:
        return NotChecked(results.rule(rule_id), lines, ("tbsValue",), f"Line {lines[0]}: no report.")

    items = lacking("first", (1,)), lacking("second", (1,)), lacking("first", (2,))
    told = words(plain(results.result(not_checked=items)))
    assert "Line 1: no report. Needs tbsValue. [first, second] Line 2: no report." in told


def test_info_costs_nothing() -> None:
    info = results.finding(results.rule(severity="info"), impact=results.impact(at_risk=Decimal(0)))
    assert re.search(r"INFO +- Line 2", plain(results.result(findings=(info,))))


def test_an_address_stays_whole_however_narrow_the_terminal() -> None:
    address = "https://example.org/" + "edits/" * 20
    by = results.rule(authority=(Authority("cms-table", "PTP edits", None, address, None, True),))
    assert address in plain(results.result(findings=(results.finding(by),)), 60)


def test_what_is_at_risk_is_the_least_where_lines_have_no_amount() -> None:
    some = results.claim_impact(by_line={2: Decimal("38.82"), 3: None, 1: None}, unpriced_lines=(1, 3))
    told = words(plain(results.result(impact=some), 120))
    assert "at risk at least $38.82, not known of line 1, 3 (provider $38.82)" in told
    assert "allowed $48.20, at risk at least $38.82, not known of line 1, 3; MPFS 2025, national" in told
    assert "not priced: line 1, 3" in told
    none = results.claim_impact(at_risk=None, by_line={1: None}, unknown="no-schedule")
    assert "at risk unknown" in plain(results.result(impact=none))
