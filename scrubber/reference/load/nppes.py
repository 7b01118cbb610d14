"""Before any claim: reads the national registry of providers (NPPES): what an NPI is and practises, no name or place.

The file has about 330 columns and grows by some now and then; the ones that are kept are found by their names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

from scrubber.reference.load.cells import BadCell, matching, npi, us_day
from scrubber.reference.load.format import Format, Source, Stated
from scrubber.reference.load.lines import begins_with, records
from scrubber.reference.rows import EnumeratedProvider

SOURCE = "CMS NPPES"
SLOTS = 15  # taxonomy codes of a provider
ENUMERATED, DEACTIVATED, REACTIVATED = "Provider Enumeration Date", "NPI Deactivation Date", "NPI Reactivation Date"
TAXONOMIES = tuple(f"Healthcare Provider Taxonomy Code_{slot}" for slot in range(1, SLOTS + 1))
PRIMARIES = tuple(f"Healthcare Provider Primary Taxonomy Switch_{slot}" for slot in range(1, SLOTS + 1))
WANTED = ("NPI", "Entity Type Code", ENUMERATED, DEACTIVATED, REACTIVATED, *TAXONOMIES, *PRIMARIES)
ENTITIES: dict[str, Literal["person", "organization"] | None] = {"": None, "1": "person", "2": "organization"}
_TAXONOMY = re.compile(r"[0-9A-Z]{10}")
_last_day_in_name = re.compile(r"(20[0-9]{2})([0-9]{2})([0-9]{2})(?:\D|$)").findall


def _row(cells: Sequence[str]) -> EnumeratedProvider:
    number, entity, enumerated, deactivated, reactivated = cells[:5]
    if entity not in ENTITIES:
        raise BadCell("Entity Type Code", "expected 1, 2 or blank")
    ended, returned = us_day(deactivated, DEACTIVATED), us_day(reactivated, REACTIVATED)
    return EnumeratedProvider(
        npi=npi(number),
        entity=ENTITIES[entity],
        taxonomies=" ".join(_taxonomies(cells[5 : 5 + SLOTS], cells[5 + SLOTS :])),
        deactivated=ended,
        reactivated=returned,
        since=us_day(enumerated, ENUMERATED),
        until=None if ended and returned and returned >= ended else ended,
        source=SOURCE,
    )


def _taxonomies(codes: Sequence[str], primaries: Sequence[str]) -> list[str]:
    """The codes in use, the primary one first."""
    used = [
        (primary != "Y", matching(code, _TAXONOMY, column, "ten digits or capital letters"))
        for code, primary, column in zip(codes, primaries, TAXONOMIES, strict=True)
        if code
    ]
    return [code for _, code in sorted(used, key=lambda each: each[0])]


def _read(source: Source) -> Iterator[NamedTuple]:
    return records(source, WANTED, WANTED, _row, exact=False)


def _recognise(head: bytes) -> bool:
    return begins_with(head, ("NPI", "Entity Type Code"))


def _stated(source: Source) -> Stated:
    """Only the name that the file is published under (npidata_pfile_20050523-20261108.csv) tells its last day."""
    named = _last_day_in_name(PurePosixPath(source.name).name)
    try:
        day = date(*map(int, named[-1])) if named else None
    except ValueError:
        day = None
    return Stated(day.isoformat(), day) if day else Stated()


FORMATS = (Format("nppes", "NPPES provider data (npidata_pfile csv)", _recognise, _stated, _read),)
