"""What a remittance says of a line: denied, denied in part, not denied, or nothing that can be relied on."""

from __future__ import annotations

from decimal import Decimal

import pytest

from scrubber.backtest.denials import DENIED, NOT_DENIED, PARTLY, UNCLEAR, claim_outcome, line_outcome
from scrubber.backtest.remittances import RemitRow
from scrubber.claim import read_v3
from tests.support.claims import office_claim

CHARGE = Decimal("100.00")


def row(reason: str = "", amount: str = "", *, paid: str = "0.00", line: str = "1", charge: str = "") -> RemitRow:
    group, _, carc = reason.rpartition("-")
    return RemitRow("C1", line, charge, paid, group, carc, amount)


@pytest.mark.parametrize(
    ("rows", "word", "denied", "paid"),
    [
        ([row("CO-97", "100.00")], DENIED, "100.00", "0.00"),
        ([row("PR-96", "100.00")], DENIED, "100.00", "0.00"),
        ([row("OA-18", "100.00")], DENIED, "100.00", "0.00"),
        # The write-off to the fee schedule first, then the rest is denied.
        ([row("CO-45", "60.00"), row("CO-50", "40.00")], DENIED, "40.00", "0.00"),
        ([row("CO-97")], DENIED, "100.00", "0.00"),
        ([row("CO-97", "100.00", charge="100.00")], DENIED, "100.00", "0.00"),
        # Priced, and all of it left to the patient: that is no denial.
        ([row("CO-45", "60.00"), row("PR-1", "40.00")], NOT_DENIED, "0.00", "0.00"),
        ([row("CO-45", "100.00")], NOT_DENIED, "0.00", "0.00"),
        ([row("CO-45", "60.00", paid="40.00")], NOT_DENIED, "0.00", "40.00"),
        ([row(paid="100.00")], NOT_DENIED, "0.00", "100.00"),
        ([row("CO-151", "50.00", paid="50.00")], PARTLY, "50.00", "50.00"),
        ([row("CO-97", "60.00"), row("PR-2", "40.00")], PARTLY, "60.00", "0.00"),
        ([row("CO-97", "30.00")], UNCLEAR, None, "0.00"),
        # Nothing was paid and nobody says why, or not all of it.
        ([row()], UNCLEAR, None, "0.00"),
        ([row("CO-45", "60.00")], UNCLEAR, None, "0.00"),
        ([row("PR-1", "40.00")], NOT_DENIED, "0.00", "0.00"),
        ([row("CO-97", "100.00"), row("CO-45", paid="20.00")], UNCLEAR, None, "0.00"),
        ([row("CO-97", "100.00", paid="")], UNCLEAR, None, "0.00"),
        ([row("CO-97", "-100.00", paid="-80.00")], UNCLEAR, None, "0.00"),
        ([row("CO-97"), row("PR-1")], PARTLY, None, "0.00"),
        ([row("CO-97"), row("CO-45")], UNCLEAR, None, "0.00"),
        # A correction or reversal is neither.
        ([row("CR-97", "100.00")], NOT_DENIED, "0.00", "0.00"),
    ],
)
def test_outcome_of_a_line(rows: list[RemitRow], word: str, denied: str | None, paid: str) -> None:
    found = line_outcome(CHARGE, rows)
    assert (found.status, found.denied, found.paid) == (word, denied and Decimal(denied), Decimal(paid))


def test_reasons_of_a_denial_with_what_each_took() -> None:
    found = line_outcome(CHARGE, [row("CO-97", "60.00"), row("PR-97", "10.00"), row("CO-50", "30.00")])
    assert found.reasons == {"50": Decimal("30.00"), "97": Decimal("70.00")}


def test_the_charge_of_the_remittance_goes_before_the_claims() -> None:
    assert line_outcome(CHARGE, [row("CO-97", "90.00", charge="90.00")]).status == DENIED


def test_lines_by_control_number_then_by_position() -> None:
    body = office_claim()
    lines = body["claimInformation"]["serviceLines"]
    lines[0]["providerControlNumber"] = "2"
    claim = read_v3(body)
    assert claim.lines[0].control_number == "2"
    rows = [row("CO-97", "150.00", line="2"), row(line="3", paid="10.00"), row("CO-97", "1.00", line="77")]
    found = claim_outcome(claim, [*rows, rows[0]])
    assert {number: one.status for number, one in found.lines.items()} == {1: DENIED, 3: NOT_DENIED}
    assert (found.unknown_lines, found.repeated, found.unused) == (1, 1, 0)


def test_a_claim_that_is_denied_as_a_whole_denies_each_line() -> None:
    claim = read_v3(office_claim())
    found = claim_outcome(claim, [row("CO-29", "250.00", line="")])
    assert [one.status for one in found.lines.values()] == [DENIED] * 4
    assert sum(one.denied or 0 for one in found.lines.values()) == Decimal("250.00")
    assert found.lines[1].reasons == {"29": Decimal("150.00")}


def test_an_adjustment_of_part_of_the_claim_says_nothing_of_its_lines() -> None:
    claim = read_v3(office_claim())
    found = claim_outcome(claim, [row("CO-29", "100.00", line="")])
    assert (found.lines, found.unused) == ({}, 1)
