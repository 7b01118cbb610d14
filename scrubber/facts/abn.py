"""Facts of advance beneficiary notices: is there a notice for the line, and does what was said of it hold up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from scrubber.claim import ABSENT, NOT_SUPPLIED, Abn, Absence, Claim
from scrubber.facts.fact import Fact
from scrubber.facts.lines import LineView
from scrubber.rulebook.book import Rulebook

LIABILITY_MODIFIERS = frozenset(("GA", "GX", "GY", "GZ"))
FORMS = "abn-forms"
OPTION_FAULTS = {"2": "option-2", "3": "option-3"}


def abn_facts(claim: Claim, views: Sequence[LineView], rulebook: Rulebook) -> Iterator[Fact]:
    """One fact for each line with a liability modifier or a notice."""
    notices = claim.context.abn or ()
    for view in views:
        if not notices and not view.line.modifiers:
            continue  # the way of nearly every line
        covered = any(view.number in notice.lines for notice in notices)
        if not covered and LIABILITY_MODIFIERS.isdisjoint(view.line.modifiers):
            continue
        values: dict[str, Any] = dict(view.values)
        values |= abn_state(claim, view, rulebook)
        policy = rulebook.policy(view.line.procedure or "", view.payer, view.first) if view.first else None
        values["coverage"] = policy.status if policy else "no-row"
        yield Fact("abn", values, (view.number,))


def abn_state(claim: Claim, view: LineView, rulebook: Rulebook) -> dict[str, Any]:
    """`abn` (valid, invalid) or its state, and `abnFaults`, of the notice for a line.

    Of several notices for a line a valid one counts. A notice that leaves out its signature date or its option cannot
    be judged: not-supplied.
    """
    if claim.context.abn is None:
        return {"abn?": Absence.NOT_SUPPLIED.value, "abnFaults": ()}
    notices = [notice for notice in claim.context.abn if view.number in notice.lines]
    if not notices:
        return {"abn?": Absence.ABSENT.value, "abnFaults": ()}
    judged = [(abn_faults(notice, view, rulebook), _leaves_out(notice)) for notice in notices]
    faults, leaves_out = min(judged, key=lambda item: (len(item[0]), item[1]))
    if faults:
        return {"abn": "invalid", "abnFaults": faults}
    if leaves_out:
        return {"abn?": Absence.NOT_SUPPLIED.value, "abnFaults": ()}
    return {"abn": "valid", "abnFaults": ()}


def _leaves_out(notice: Abn) -> bool:
    return NOT_SUPPLIED in (notice.signed, notice.option)


def abn_faults(notice: Abn, view: LineView, rulebook: Rulebook) -> tuple[str, ...]:
    """What makes a notice invalid for a line; what was left out is no fault."""
    found = [_option_fault(notice.option) if isinstance(notice.option, str) else ""]
    if isinstance(notice.form, str) and view.first:
        listed = rulebook.lists.contains(FORMS, notice.form.strip().upper(), view.first.toordinal())
        found.append("" if listed else "wrong-form")
    if isinstance(notice.signed, date) and view.first and notice.signed > view.first:
        found.append("signed-after-service")
    blank = (
        (notice.option, "no-option"),
        (notice.signed, "not-signed"),
        (notice.reason, "no-reason"),
        (notice.estimate, "no-estimate"),
    )
    found += [fault for given, fault in blank if given is ABSENT]
    return tuple(fault for fault in found if fault)


def _option_fault(option: str) -> str:
    """Senders write 2, or Option 2."""
    return OPTION_FAULTS.get(option.casefold().removeprefix("option").strip(), "")


def patient_bears(claim: Claim, view: LineView, rulebook: Rulebook) -> bool:
    """Whether a denial for necessity would fall on the patient: Original Medicare, GA, and a valid notice."""
    if view.payer.line_of_business != "original-medicare" or "GA" not in view.line.modifiers:
        return False
    return abn_state(claim, view, rulebook).get("abn") == "valid"
