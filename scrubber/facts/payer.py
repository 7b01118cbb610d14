"""Who pays: line of business, payer name and Medicare contractor of a claim, from what it says and dated tables."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from scrubber.claim import Claim, Provider
from scrubber.reference import Reference
from scrubber.rulebook.book import Rulebook
from scrubber.rulebook.tables import Payer

UNKNOWN = "unknown"
REMEMBERED = 4_096  # payers and places, by day, that a process remembers


def identify_payer(claim: Claim, day: date, rulebook: Rulebook, reference: Reference) -> Payer:
    """The payer on a day. A stated plan goes before the filing indicator; the payer id before its name."""
    place = place_of_service_address(claim)
    address = place.address if place else None
    return Payer(
        _payer_name(claim.payer_id, claim.payer_name, day, rulebook),
        _line_of_business(claim.filing_indicator, claim.context.plan, day, rulebook),
        claim.context.plan,
        contractor((address.zip or "")[:5], address.state, day, reference) if address else None,
    )


@lru_cache(REMEMBERED)
def _payer_name(payer_id: str | None, name: str | None, day: date, rulebook: Rulebook) -> str | None:
    return rulebook.payer_name(payer_id or "", day) or rulebook.payer_name(name or "", day)


@lru_cache(REMEMBERED)
def _line_of_business(filing_indicator: str | None, plan: str | None, day: date, rulebook: Rulebook) -> str:
    filed = rulebook.line_of_business(filing_indicator or "", day)
    return rulebook.plan_line_of_business(plan or "", day) or filed or UNKNOWN


@lru_cache(REMEMBERED)
def contractor(zip5: str, state: str | None, day: date, reference: Reference) -> str | None:
    """Part B contractor number where the service was furnished: by ZIP, else by a state that has only one."""
    found = reference.locality_of_zip(zip5, day)
    if found is not None:
        return found.contractor
    candidates = reference.contractors_of_state(state or "", day)
    return candidates[0] if len(candidates) == 1 else None


def place_of_service_address(claim: Claim) -> Provider | None:
    """The provider whose address says where the service was furnished: service facility, else billing provider."""
    for provider in (claim.facility, claim.billing):
        if provider is not None and provider.address is not None and (provider.address.zip or provider.address.state):
            return provider
    return None
