"""Reads from a remittance whether the payer denied each line of a claim: in full, in part, or not.

Reason codes 1, 2, 3 and 66 are the patient's share of what is covered; those of PRICING explain a price.
Neither is a denial. Everything else that takes money off a line denies it, by CO, PR, OA or PI.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from scrubber.backtest.remittances import RemitRow
from scrubber.claim.model import Claim

PATIENT_SHARE = frozenset(("1", "2", "3", "66"))
PRICING = frozenset(
    ("23", "44", "45", "59", "94", "104", "105", "131", "144", "187", "223", "225", "237", "241", "253")
)
DENYING_GROUPS = frozenset(("CO", "PR", "OA", "PI", ""))
DENIED, PARTLY, NOT_DENIED, UNCLEAR = STATUSES = ("denied", "partly denied", "not denied", "unclear")
CENT = Decimal("0.01")
NOTHING = Decimal("0.00")


class LineOutcome(NamedTuple):
    """The payer's decision on a line: dollars paid, dollars denied in all and by reason code; None = not stated."""

    status: str  # of STATUSES
    paid: Decimal
    denied: Decimal | None
    reasons: Mapping[str, Decimal | None]


class ClaimOutcome(NamedTuple):
    """Outcomes by line number. `unknown_lines` counts remittance lines that the claim does not have; `repeated` rows
    that occur twice.

    `unused` counts adjustments of the whole claim that deny only a part of it, and so no line for sure.
    """

    lines: Mapping[int, LineOutcome]
    unknown_lines: int
    repeated: int
    unused: int


def claim_outcome(claim: Claim, rows: Iterable[RemitRow]) -> ClaimOutcome:
    """The outcomes of a claim's lines from its rows. A line's control number takes precedence over its position."""
    given = list(rows)
    distinct = list(dict.fromkeys(given))
    by_line: dict[int, list[RemitRow]] = defaultdict(list)
    numbers = _line_numbers(claim)
    unknown_lines = {row.line for row in distinct if row.line and row.line not in numbers}
    for row in distinct:
        if row.line in numbers:
            by_line[numbers[row.line]].append(row)
    charges = {line.number: line.charge for line in claim.lines}
    lines = {number: line_outcome(charges[number], found) for number, found in sorted(by_line.items())}
    full_charge = [row for row in distinct if not row.line]
    if full_charge and not by_line and (denied := _claim_denial(claim, full_charge)):
        lines, full_charge = denied, []
    unused = sum(1 for row in full_charge if row.reason)
    return ClaimOutcome(lines, len(unknown_lines), len(given) - len(distinct), unused)


def _line_numbers(claim: Claim) -> dict[str, int]:
    positions = {str(line.number): line.number for line in claim.lines}
    return positions | {line.control_number: line.number for line in claim.lines if line.control_number}


def _claim_denial(claim: Claim, rows: list[RemitRow]) -> dict[int, LineOutcome]:
    """A claim denied as a whole: each line for its own charge. Nothing where the whole was not denied."""
    found = line_outcome(claim.total, rows)
    if found.status != DENIED:
        return {}
    return {
        line.number: LineOutcome(DENIED, NOTHING, line.charge, dict.fromkeys(found.reasons, line.charge))
        for line in claim.lines
    }


def line_outcome(charge: Decimal | None, rows: list[RemitRow]) -> LineOutcome:
    """The outcome of one line from its rows; `charge` is the claim's, for where the rows state none.

    Denied: nothing paid, nothing left to the patient as a share, and denials and write-offs together make up the charge
    to the cent. Partly denied: something was denied, and something paid or left as a share. Unclear: rows contradict
    each other, do not add up, state no payment, or take one back.
    """
    paid, billed = _one(row.paid for row in rows), _one(row.charge for row in rows)
    if paid is None or paid < 0 or (billed is None and any(row.charge for row in rows)):
        return LineOutcome(UNCLEAR, NOTHING, None, {})
    adjusted = [row for row in rows if row.reason]
    denials = [row for row in adjusted if _denies(row)]
    share = any(row.reason in PATIENT_SHARE for row in adjusted)
    reasons = {reason: _sum(row.amount for row in denials if row.reason == reason) for reason in _codes(denials)}
    denied = _sum(row.amount for row in denials)
    full_charge = billed if billed is not None else charge
    if not denials and not share and _unexplained(paid, full_charge, adjusted):
        return LineOutcome(UNCLEAR, NOTHING, None, {})
    if not denials:
        return LineOutcome(NOT_DENIED, paid, NOTHING, {})
    if paid or share:
        return LineOutcome(PARTLY, paid, denied, reasons)
    return _nothing_paid(full_charge, adjusted, denied, reasons)


def _unexplained(paid: Decimal, full_charge: Decimal | None, adjusted: list[RemitRow]) -> bool:
    """Whether nothing was paid and no reason explains it, as in an export without its denials."""
    taken = _sum(row.amount for row in adjusted)
    return not paid and full_charge is not None and taken is not None and full_charge - taken > CENT


def _nothing_paid(
    full_charge: Decimal | None, adjusted: list[RemitRow], denied: Decimal | None, reasons: dict[str, Decimal | None]
) -> LineOutcome:
    taken = _sum(row.amount for row in adjusted)
    if taken is None and all(not row.amount and _denies(row) for row in adjusted):
        only = full_charge if len(reasons) == 1 else None
        return LineOutcome(DENIED, NOTHING, full_charge, dict.fromkeys(reasons, only))
    if taken is None or denied is None or denied <= 0 or (full_charge is not None and abs(full_charge - taken) > CENT):
        return LineOutcome(UNCLEAR, NOTHING, None, {})
    return LineOutcome(DENIED, NOTHING, denied, reasons)


def _denies(row: RemitRow) -> bool:
    return row.group in DENYING_GROUPS and row.reason not in PRICING and row.reason not in PATIENT_SHARE


def _one(texts: Iterable[str]) -> Decimal | None:
    """The one amount that is stated; None when there is none, or more than one."""
    stated = {text for text in texts if text}
    return Decimal(stated.pop()) if len(stated) == 1 else None


def _codes(rows: Iterable[RemitRow]) -> list[str]:
    return sorted({row.reason for row in rows})


def _sum(texts: Iterable[str]) -> Decimal | None:
    total = NOTHING
    for text in texts:
        if not text:
            return None
        total += Decimal(text)
    return total
