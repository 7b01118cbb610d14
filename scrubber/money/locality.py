"""Money: where Medicare prices a line: the stated locality, else that of the ZIP code where it was furnished."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from scrubber.facts.payer import HOME
from scrubber.reference import Reference
from scrubber.reference.catalogue import ZIP_DIGITS
from scrubber.remembered import remembered

NATIONAL = "national"
OFFICE = "11"
AREAS_KEPT = 4_096
BY_PATIENT, BY_FACILITY, BY_BILLING = "by the patient's ZIP", "by service facility ZIP", "by billing ZIP"
NOBODY_SAYS = "(not certain: nothing sent says where the service was furnished)"


class Area(NamedTuple):
    """A locality "CCCCC-LL", or None for the national amount; `source` says how it was found, blank when stated."""

    locality: str | None
    source: str = ""


class Zips(NamedTuple):
    """ZIP codes of those whose address may say where a line was furnished; None: not sent."""

    patient: str | None = None
    facility: str | None = None
    billing: str | None = None


def _furnished(place: str | None, zips: Zips) -> tuple[str | None, str]:
    """The ZIP code of where a line with that place of service was furnished, and how that is known.

    At home it is the patient's (WPS: the ZIP code of the place of service). Elsewhere it is the service facility's;
    without one it should be the billing provider's, which is certain for the office only.
    """
    if place == HOME and zips.patient is not None:
        return zips.patient, BY_PATIENT
    if zips.facility is not None:
        return zips.facility, BY_FACILITY
    return zips.billing, BY_BILLING if place in (None, OFFICE) else f"{BY_BILLING} {NOBODY_SAYS}"


@remembered(AREAS_KEPT)
def area(reference: Reference, stated: str | None, place: str | None, zips: Zips, day: date) -> Area:
    """Where a line of that day and place of service is priced. `stated` is "national", "CCCCC-LL" or None.

    A stated locality is taken as it is, also one without indices. A ZIP code that no table has gives the national
    amount, and the source says so; of one whose nine digits would decide it is the locality that is listed, with a
    remark.
    """
    if stated is not None:
        return Area(None if stated == NATIONAL else stated)
    zip_code, source = _furnished(place, zips)
    return Area(None) if zip_code is None else _by_zip(reference, zip_code, source, day)


def _by_zip(reference: Reference, zip_code: str, source: str, day: date) -> Area:
    found = reference.locality_of_zip(zip_code, day)
    if found is None:
        return Area(None, "(ZIP not in the loaded tables)")
    if reference.gpci(found.locality, day) is None:
        return Area(None, "(no cost indices loaded for the locality of the ZIP)")
    return Area(found.locality, f"{source} {_doubt(zip_code)}" if found.nine_digits_decide else source)


def _doubt(zip_code: str) -> str:
    """What is said of the locality that is listed for five digits, where these lie in several."""
    sent = len(zip_code) > ZIP_DIGITS
    return f"(not certain: its nine digits decide{', and are in no loaded table' if sent else ''})"
