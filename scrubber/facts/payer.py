"""Finds out who pays: line of business, payer name and Medicare contractor, from the claim and dated tables."""

from __future__ import annotations

from datetime import date

from scrubber.claim.code_values import HOME
from scrubber.claim.model import Claim, Person, Provider, ServiceLine
from scrubber.reference import Reference
from scrubber.remembered import remembered
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import Rulebook

UNKNOWN = "unknown"
HOSPICE, TRIAL, TRIAL_DIAGNOSES = "hospice-modifiers", "clinical-trial-modifiers", "clinical-trial-diagnoses"
NO_ZIP = "00000"  # of no place: stands in look-ups, which are remembered, for a text that is no ZIP code
REMEMBERED = 4_096  # places, by day, that a process remembers


def identify_payer(claim: Claim, day: date, rulebook: Rulebook, reference: Reference) -> Payer:
    """The payer on a day. A stated plan goes before the filing indicator; the payer id before its name.

    A payer is what later steps remember look-ups by, so it holds names of the tables and nothing as it was sent: a
    plan that no row knows is none. What Original Medicare pays for a patient of a Medicare Advantage plan is its claim.
    """
    plan = claim.context.plan or ""
    if plan and plan_conflict(claim, day, rulebook) == "carved-out":
        plan = ""
    planned = rulebook.plan_line_of_business(plan, day)
    place = where_furnished(claim)
    return Payer(
        rulebook.payer_name(claim.payer_id or "", day) or rulebook.payer_name(claim.payer_name or "", day),
        planned or rulebook.line_of_business(claim.filing_indicator or "", day) or UNKNOWN,
        plan if planned else None,
        contractor(zip_of(place) or NO_ZIP, place.address.state, day, reference) if place and place.address else None,
    )


def plan_conflict(claim: Claim, day: date, rulebook: Rulebook) -> str | None:
    """How the stated plan lies to the filing indicator; None where one of the two names no line of business.

    They agree (none) or differ (other). Of a claim filed to Original Medicare for a patient of a Medicare Advantage
    plan, Original Medicare pays services of hospice patients and of clinical trials: all lines (carved-out), some
    (partly-advantage) or none of them (advantage).
    """
    filed = rulebook.line_of_business(claim.filing_indicator or "", day)
    stated = rulebook.plan_line_of_business(claim.context.plan or "", day)
    if filed is None or stated is None:
        return None
    if (filed, stated) != ("original-medicare", "medicare-advantage"):
        return "none" if filed == stated else "other"
    carved_out = [_is_carved_out(claim, line, day, rulebook) for line in claim.lines]
    return "carved-out" if all(carved_out) else "partly-advantage" if any(carved_out) else "advantage"


def _is_carved_out(claim: Claim, line: ServiceLine, day: date, rulebook: Rulebook) -> bool:
    """By modifiers of hospice, or by those of a clinical trial with its diagnosis; the trial's number is not read."""
    held, on = rulebook.lists.contains, day.toordinal()
    if any(held(HOSPICE, modifier, on) for modifier in line.modifiers):
        return True
    if not any(held(TRIAL, modifier, on) for modifier in line.modifiers):
        return False
    return any(held(TRIAL_DIAGNOSES, diagnosis.code or "", on) for diagnosis in claim.diagnoses)


@remembered(REMEMBERED)
def contractor(zip_code: str, state: str | None, day: date, reference: Reference) -> str | None:
    """Part B contractor number where the service was furnished: by ZIP of 5 or 9 digits, else by a state with one.

    Where nine digits would decide, and were not sent or stand in no table, the ZIP code does not tell it.
    """
    found = reference.locality_of_zip(zip_code, day)
    if found is not None and not found.nine_digits_decide:
        return found.contractor
    candidates = reference.contractors_of_state(state or "", day)
    return candidates[0] if len(candidates) == 1 else None


def where_furnished(claim: Claim) -> Provider | Person | None:
    """Whose address says where a service was furnished: the patient's at home, else facility, else billing provider."""
    parties: list[Provider | Person | None] = [claim.facility, claim.billing]
    if claim.place == HOME:
        parties = [claim.patient, claim.subscriber, *parties]
    for party in parties:
        if party is not None and party.address is not None and (party.address.zip or party.address.state):
            return party
    return None


def zip_of(party: Provider | Person | None) -> str | None:
    """ZIP code of somebody's address, five or nine digits; NO_ZIP for what is none; None where nothing stands."""
    sent = party.address.zip if party is not None and party.address is not None else None
    if not sent:
        return None
    return sent if len(sent) in (5, 9) and sent.isascii() and sent.isdigit() else NO_ZIP
