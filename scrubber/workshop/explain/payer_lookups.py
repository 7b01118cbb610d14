"""Beside the path: look-ups behind who pays: line of business, payer name and Medicare contractor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from scrubber.facts.payer import NO_ZIP, where_furnished, zip_of
from scrubber.reference.catalogue import CONTRACTORS, ZIP_LOCALITY
from scrubber.tables import on
from scrubber.workshop.explain.explanation import Lookup
from scrubber.workshop.explain.ground import Ground, of_book, of_reference


def payer_lookups(ground: Ground) -> Iterator[Lookup]:
    """How the payer was told from the claim. Repeats no payer id or name that no table knows."""
    yield _line_of_business(ground)
    yield _name(ground)
    contractor = _contractor(ground)
    if contractor is not None:
        yield contractor


def _line_of_business(ground: Ground) -> Lookup:
    claim, day, book = ground.claim, ground.known.day, ground.book
    plan = on((row for row in book.rows.get("plans", ()) if row.plan == claim.context.plan), day)
    if plan is not None:
        says = f"the stated plan {plan.plan} is {plan.line_of_business}; it goes before the claim filing indicator"
        return of_book("plans", plan, says, book)
    rows = book.rows.get("filing-indicators", ())
    row = on((row for row in rows if row.filing_indicator == claim.filing_indicator), day)
    if row is None:
        return Lookup("filing-indicators", "no row knows the claim filing indicator: the line of business is unknown")
    return of_book("filing-indicators", row, f"filing indicator {row.filing_indicator} is {row.line_of_business}", book)


def _name(ground: Ground) -> Lookup:
    claim, day, book = ground.claim, ground.known.day, ground.book
    for sent, what in ((claim.payer_id, "payer id"), (claim.payer_name, "payer name")):
        row = on((row for row in book.rows.get("aliases", ()) if row.payer_id == sent), day)
        if row is not None:
            return of_book("aliases", row, f"the {what} {row.payer_id} is {row.payer}", book)
    return Lookup("aliases", "no row knows the payer id or name, so rows that name a payer do not answer")


def _contractor(ground: Ground) -> Lookup | None:
    """By the ZIP code where the service was furnished, else by a state that has one contractor."""
    place, day = where_furnished(ground.claim), ground.known.day
    if ground.known.payer.line_of_business != "original-medicare" or place is None or place.address is None:
        return None
    row = ground.reference.locality_of_zip(zip_of(place) or NO_ZIP, day)
    if row is not None and row.nine_digits_decide:
        return _by_state(place.address.state, day, ground, "nine digits of the ZIP code of the place of service decide")
    if row is not None:
        says = f"the ZIP code of the place of service lies in locality {row.locality}: contractor {row.contractor}"
        return of_reference(ZIP_LOCALITY, [row], says, day, ground.reference)
    return _by_state(place.address.state, day, ground, "no row has the ZIP code of the place of service")


def _by_state(state: str | None, day: date, ground: Ground, why: str) -> Lookup:
    numbers = ground.reference.contractors_of_state(state or "", day)
    found = {0: "and no row is about its state", 1: f"its state has one contractor, {''.join(numbers)}"}
    because = found.get(len(numbers), "its state has several contractors")
    says = f"{why}; {because}"
    return of_reference(CONTRACTORS, [], says, day, ground.reference)
