"""What a remittance says of each line of a claim: denied, denied in part, or not.

Reason codes 1, 2, 3 and 66 are the patient's share of what is covered; those of PRICING say how a price came about.
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
DENIED, PARTLY, NOT_DENIED, UNCLEAR = WORDS = ("denied", "partly denied", "not denied", "unclear")
CENT = Decimal("0.01")
NOTHING = Decimal("0.00")


class Outcome(NamedTuple):
    """What was paid of a line, in dollars, and what was denied: in all, and by reason code; None = not stated."""

    word: str  # of WORDS
    paid: Decimal
    denied: Decimal | None
    reasons: Mapping[str, Decimal | None]


class ClaimOutcome(NamedTuple):
    """Outcomes by line number. `strange` counts remittance lines that the claim has not; `repeated` rows said twice.

    `unused` counts adjustments of the whole claim that deny only a part of it, and so no line for sure.
    """

    lines: Mapping[int, Outcome]
    strange: int
    repeated: int
    unused: int


def claim_outcome(claim: Claim, rows: Iterable[RemitRow]) -> ClaimOutcome:
    """What the rows, all of this claim, say of its lines. A line's own control number goes before its position."""
    given = list(rows)
    once = list(dict.fromkeys(given))
    by_line: dict[int, list[RemitRow]] = defaultdict(list)
    places = _places(claim)
    strange = {row.line for row in once if row.line and row.line not in places}
    for row in once:
        if row.line in places:
            by_line[places[row.line]].append(row)
    charges = {line.number: line.charge for line in claim.lines}
    lines = {number: line_outcome(charges[number], found) for number, found in sorted(by_line.items())}
    whole = [row for row in once if not row.line]
    if whole and not by_line and (denied := _whole_claim(claim, whole)):
        lines, whole = denied, []
    unused = sum(1 for row in whole if row.reason)
    return ClaimOutcome(lines, len(strange), len(given) - len(once), unused)


def _places(claim: Claim) -> dict[str, int]:
    positions = {str(line.number): line.number for line in claim.lines}
    return positions | {line.control_number: line.number for line in claim.lines if line.control_number}


def _whole_claim(claim: Claim, rows: list[RemitRow]) -> dict[int, Outcome]:
    """A claim denied as a whole: each line for its own charge. Nothing where the whole was not denied."""
    found = line_outcome(claim.total, rows)
    if found.word != DENIED:
        return {}
    return {
        line.number: Outcome(DENIED, NOTHING, line.charge, dict.fromkeys(found.reasons, line.charge))
        for line in claim.lines
    }


def line_outcome(charge: Decimal | None, rows: list[RemitRow]) -> Outcome:
    """The outcome of one line from its rows; `charge` is the claim's, for where the rows state none.

    Denied: nothing paid, nothing left to the patient as a share, and denials and write-offs together make up the charge
    to the cent. Partly denied: something was denied, and something paid or left as a share. Unclear: rows contradict
    each other, do not add up, state no payment, or take one back.
    """
    paid, billed = _one(row.paid for row in rows), _one(row.charge for row in rows)
    if paid is None or paid < 0 or (billed is None and any(row.charge for row in rows)):
        return Outcome(UNCLEAR, NOTHING, None, {})
    adjusted = [row for row in rows if row.reason]
    denials = [row for row in adjusted if _denies(row)]
    share = any(row.reason in PATIENT_SHARE for row in adjusted)
    reasons = {reason: _sum(row.amount for row in denials if row.reason == reason) for reason in _codes(denials)}
    denied = _sum(row.amount for row in denials)
    whole = billed if billed is not None else charge
    if not denials and not share and _unexplained(paid, whole, adjusted):
        return Outcome(UNCLEAR, NOTHING, None, {})
    if not denials:
        return Outcome(NOT_DENIED, paid, NOTHING, {})
    if paid or share:
        return Outcome(PARTLY, paid, denied, reasons)
    return _nothing_paid(whole, adjusted, denied, reasons)


def _unexplained(paid: Decimal, whole: Decimal | None, adjusted: list[RemitRow]) -> bool:
    """Whether nothing was paid and no reasons say why: an export without its denials looks like this."""
    taken = _sum(row.amount for row in adjusted)
    return not paid and whole is not None and taken is not None and whole - taken > CENT


def _nothing_paid(
    whole: Decimal | None, adjusted: list[RemitRow], denied: Decimal | None, reasons: dict[str, Decimal | None]
) -> Outcome:
    taken = _sum(row.amount for row in adjusted)
    if taken is None and all(not row.amount and _denies(row) for row in adjusted):
        only = whole if len(reasons) == 1 else None
        return Outcome(DENIED, NOTHING, whole, dict.fromkeys(reasons, only))
    if taken is None or denied is None or denied <= 0 or (whole is not None and abs(whole - taken) > CENT):
        return Outcome(UNCLEAR, NOTHING, None, {})
    return Outcome(DENIED, NOTHING, denied, reasons)


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
