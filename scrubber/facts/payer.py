"""Who pays: line of business, payer name and Medicare contractor of a claim, from what it says and dated tables."""

from __future__ import annotations

from datetime import date

from scrubber.claim import Claim, Provider
from scrubber.reference import Reference
from scrubber.rulebook.book import Rulebook
from scrubber.rulebook.tables import Payer

UNKNOWN = "unknown"


def identify_payer(claim: Claim, day: date, rulebook: Rulebook, reference: Reference) -> Payer:
    """The payer on a day. A stated plan goes before the filing indicator; the payer id before its name."""
    filed = rulebook.line_of_business(claim.filing_indicator or "", day)
    stated = rulebook.plan_line_of_business(claim.context.plan or "", day)
    name = rulebook.payer_name(claim.payer_id or "", day) or rulebook.payer_name(claim.payer_name or "", day)
    return Payer(name, stated or filed or UNKNOWN, claim.context.plan, contractor(claim, day, reference))


def contractor(claim: Claim, day: date, reference: Reference) -> str | None:
    """Part B contractor number where the service was furnished: by ZIP, else by a state that has only one."""
    place = place_of_service_address(claim)
    if place is None or place.address is None:
        return None
    found = reference.locality_of_zip((place.address.zip or "")[:5], day)
    if found is not None:
        return found.contractor
    candidates = reference.contractors_of_state(place.address.state or "", day)
    return candidates[0] if len(candidates) == 1 else None


def place_of_service_address(claim: Claim) -> Provider | None:
    """The provider whose address says where the service was furnished: service facility, else billing provider."""
    for provider in (claim.facility, claim.billing):
        if provider is not None and provider.address is not None and (provider.address.zip or provider.address.state):
            return provider
    return None
