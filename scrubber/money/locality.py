"""Money: where Medicare prices a line: the stated locality, else by service facility ZIP, else by billing ZIP."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from scrubber.reference import Reference
from scrubber.reference.catalogue import ZIP_DIGITS
from scrubber.remembered import remembered

NATIONAL = "national"
AREAS_KEPT = 4_096


class Area(NamedTuple):
    """A locality "CCCCC-LL", or None for the national amount; `source` says how it was found, blank when stated."""

    locality: str | None
    source: str = ""


@remembered(AREAS_KEPT)
def area(reference: Reference, stated: str | None, facility: str | None, billing: str | None, day: date) -> Area:
    """Where a line of that day is priced. `stated` is "national", "CCCCC-LL" or None; the others are ZIP codes.

    A stated locality is taken as it is, also one without indices. A ZIP code that no table has gives the national
    amount, and the source says so; of one whose nine digits would decide it is the locality that is listed, with a
    remark.
    """
    if stated is not None:
        return Area(None if stated == NATIONAL else stated)
    if facility is not None:
        return _by_zip(reference, facility, "by service facility ZIP", day)
    if billing is not None:
        return _by_zip(reference, billing, "by billing ZIP", day)
    return Area(None)


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
