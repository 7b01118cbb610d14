"""Beside the path, back-test: what its report says of itself: how it was made, and what its words mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scrubber.workshop.backtest.outcome import PATIENT_SHARE, PRICING


def _listed(codes: Iterable[str]) -> str:
    return ", ".join(sorted(codes, key=int))


DEFINITIONS: Mapping[str, str] = {
    "Finding": "A rule of status active that fired. The same finding under both rulebooks: the same rule, severity, "
    "lines and related lines. Another message or fix is no other finding.",
    "Gained, lost": "Findings that only the candidate has, and that only the baseline has.",
    "At risk": "What the lines of warn and deny findings may lose: what their payer's schedule allows, or the charge "
    "where the patient would bear it. In a row of a table a line counts once a claim; rows overlap where findings "
    "share lines. A line whose amount is not known counts as unknown, never as 0.",
    "Charged": "What the claims charge for those lines: known where a payer's prices are not. It is no loss by itself.",
    "Denied line": "Nothing was paid, nothing was left to the patient as a share, and the adjustments make up the "
    "charge to the cent, at least one of them a denial by group CO, PR, OA or PI. Where no amounts are stated, every "
    "reason must be a denial. An adjustment of the whole claim counts where it denies all of it, for every line.",
    "No denial": f"Reasons {_listed(PATIENT_SHARE)} leave the patient a share of what is covered; reasons "
    f"{_listed(PRICING)} say how a price came about, such as the write-off to the fee schedule (45).",
    "Partly denied line": "Something was denied, and something else paid or left to the patient as a share. It is told "
    "apart, and is not counted as denied.",
    "Unclear line": "Its rows contradict each other, do not add up to the charge, state no payment, or take one back. "
    "It counts for nothing else.",
    "Flagged line": "A warn or deny finding that puts dollars at risk stands on it, or on the whole claim.",
    "Flagged by the tested": "Lines that a tested rule flags, whatever the other rules say of them.",
    "Precision": "Denied lines of all flagged lines whose remittance is clear. No share is told of fewer than 5 lines. "
    "Rules of stage postPayment find what is taken back later: a remittance cannot show that they are right.",
    "Missed line": "Denied, and no finding of the candidate flags it. A line with several reasons stands under each, "
    "with what each took.",
    "Denied dollars": "What the remittances say was denied, at the billed charge.",
    "Paid dollars": "What was paid on flagged lines: the price of a false alarm if each had been held back.",
}


def method(*, compared: bool, one_reading: bool, remittances: bool) -> list[str]:
    """How a run was made, in sentences."""
    told = ["Every claim of the file was judged by its dates of service, with the reference releases listed here."]
    if compared and one_reading:
        told.append("Both rulebooks have the same tables, so both judged the same facts of each claim.")
    elif compared:
        told.append("The rulebooks differ in tables or in the pairs they name, so each claim was judged twice in full.")
    else:
        told.append("The candidate was judged alone: there is nothing that it was compared with.")
    told.append(
        "A claim that does not say when it was received counts as received on the day of the run, which decides only "
        "dates in the future and filing limits."
    )
    if remittances:
        told.append(
            "A claim and its remittance were brought together by the claim's number, lines by their control number, "
            "else by their position. Of several claims of one number the first in the file got the remittance."
        )
    told.append(
        "The figures do not depend on the number of processes. Claims are named by number, and by nothing else."
    )
    return told
