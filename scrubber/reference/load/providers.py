"""Reads lists of providers: the national registry (NPPES), and who may order and refer. Names of people are dropped.

The NPPES file has about 330 columns, and CMS adds to them now and then; the columns that are read are found by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

from scrubber.reference.load.format import Format, SourceFile, StatedRelease
from scrubber.reference.load.text_rows import BadCell, begins_with, matching, npi, records, us_day
from scrubber.reference.rows import EnumeratedProvider, OrderingProvider

NPPES_SOURCE = "CMS NPPES"
SLOTS = 15  # taxonomy codes of a provider
ENUMERATED, DEACTIVATED, REACTIVATED = "Provider Enumeration Date", "NPI Deactivation Date", "NPI Reactivation Date"
TAXONOMIES = tuple(f"Healthcare Provider Taxonomy Code_{slot}" for slot in range(1, SLOTS + 1))
PRIMARIES = tuple(f"Healthcare Provider Primary Taxonomy Switch_{slot}" for slot in range(1, SLOTS + 1))
WANTED = ("NPI", "Entity Type Code", ENUMERATED, DEACTIVATED, REACTIVATED, *TAXONOMIES, *PRIMARIES)
ENTITIES: dict[str, Literal["person", "organization"] | None] = {"": None, "1": "person", "2": "organization"}
_TAXONOMY = re.compile(r"[0-9A-Z]{10}")
_last_day_in_name = re.compile(r"(20[0-9]{2})([0-9]{2})([0-9]{2})(?:\D|$)").findall


def _nppes(cells: Sequence[str]) -> EnumeratedProvider:
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
        source=NPPES_SOURCE,
    )


def _taxonomies(codes: Sequence[str], primaries: Sequence[str]) -> list[str]:
    """The codes in use, the primary one first."""
    used = [
        (primary != "Y", matching(code, _TAXONOMY, column, "ten digits or capital letters"))
        for code, primary, column in zip(codes, primaries, TAXONOMIES, strict=True)
        if code
    ]
    return [code for _, code in sorted(used, key=lambda each: each[0])]


def _read_nppes(source: SourceFile) -> Iterator[NamedTuple]:
    return records(source, WANTED, WANTED, _nppes, exact=False)


def _recognise_nppes(head: bytes) -> bool:
    return begins_with(head, ("NPI", "Entity Type Code"))


def _stated_of_nppes(source: SourceFile) -> StatedRelease:
    """The last day by the name that the file is published under (npidata_pfile_20050523-20261108.csv)."""
    found = _last_day_in_name(PurePosixPath(source.name).name)
    try:
        day = date(*map(int, found[-1])) if found else None
    except ValueError:
        day = None
    return StatedRelease(day.isoformat(), day) if day else StatedRelease()


NPPES_FORMATS = (
    Format("nppes", "NPPES provider data (npidata_pfile csv)", _recognise_nppes, _stated_of_nppes, _read_nppes),
)


ORDER_SOURCE = "CMS Order and Referring"
HEADER = ("NPI", "LAST_NAME", "FIRST_NAME", "PARTB", "DME", "HHA", "PMD", "HOSPICE")
FLAGS = HEADER[3:]
_day_in_name = re.compile(r"(20[0-9]{2})-?([0-9]{2})-?([0-9]{2})(?![0-9])").search


def _order(cells: Sequence[str]) -> OrderingProvider:
    flags = [_flag(cell, column) for cell, column in zip(cells[1:], FLAGS, strict=True)]
    part_b, equipment, home_health, power_mobility, hospice = flags
    return OrderingProvider(
        npi(cells[0]), part_b, equipment, home_health, power_mobility, hospice, None, None, ORDER_SOURCE
    )


def _flag(cell: str, column: str) -> bool:
    if cell not in ("Y", "N"):
        raise BadCell(column, "expected Y or N")
    return cell == "Y"


def _read_order(source: SourceFile) -> Iterator[NamedTuple]:
    return records(source, HEADER, ("NPI", *FLAGS), _order)


def _recognise_order(head: bytes) -> bool:
    return begins_with(head, HEADER[:3])


def _stated_of_order(source: SourceFile) -> StatedRelease:
    """The day by the name that the file is published under (OrderReferring_20261116.csv)."""
    found = _day_in_name(PurePosixPath(source.name).name)
    try:
        day = date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        day = None
    return StatedRelease(day.isoformat(), day) if day else StatedRelease()


ORDER_FORMATS = (Format("order-referring", "Order and Referring csv", _recognise_order, _stated_of_order, _read_order),)
