"""Who pays: line of business, payer name and Medicare contractor of a claim, from what it says and dated tables."""

from __future__ import annotations

from datetime import date

from scrubber.claim import Claim, Person, Provider
from scrubber.reference import Reference
from scrubber.remembered import remembered
from scrubber.rulebook.book import Rulebook
from scrubber.rulebook.tables import Payer

UNKNOWN = "unknown"
HOME = "12"  # place of service: the patient's home, so that the patient's address says where
NO_ZIP = "00000"  # of no place: stands in look-ups, which are remembered, for a text that is no ZIP code
REMEMBERED = 4_096  # places, by day, that a process remembers


def identify_payer(claim: Claim, day: date, rulebook: Rulebook, reference: Reference) -> Payer:
    """The payer on a day. A stated plan goes before the filing indicator; the payer id before its name.

    A payer is what later steps remember look-ups by, so it holds names of the tables and nothing as it was sent: a
    plan that no row knows is none.
    """
    plan = claim.context.plan or ""
    planned = rulebook.plan_line_of_business(plan, day)
    place = where_furnished(claim)
    return Payer(
        rulebook.payer_name(claim.payer_id or "", day) or rulebook.payer_name(claim.payer_name or "", day),
        planned or rulebook.line_of_business(claim.filing_indicator or "", day) or UNKNOWN,
        plan if planned else None,
        contractor(zip_of(place) or NO_ZIP, place.address.state, day, reference) if place and place.address else None,
    )


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
