"""Before any claim: reads CMS's list of the counties of each locality (LOCCO csv of an RVU release).

It is written by Excel: numbers have lost their leading zeros, and a state stands only in the first of its rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from scrubber.reference.fee_rows import LocalityCounty
from scrubber.reference.load.cells import BadCell
from scrubber.reference.load.format import Format, Source, Stated
from scrubber.reference.load.sheets import (
    NAME,
    Cells,
    Shape,
    calendar_year,
    csv_rows,
    has_line_with,
    made,
    place_name,
    table,
    taken,
)

COLUMNS = {
    "Contractor": re.compile(r"Medicare Admini?strative Contractor", re.IGNORECASE),  # misspelled to this day
    "Locality Number": re.compile(r"Locality Number", re.IGNORECASE),
    "State": re.compile(r"State", re.IGNORECASE),
    "Fee Schedule Area": re.compile(r"Fee Schedule Area", re.IGNORECASE),
    "Counties": re.compile(r"Counties", re.IGNORECASE),
}
CONTRACTOR = Shape(re.compile(r"[0-9]{4,5}"), "a contractor number of five digits, or four and a lost zero")
LOCALITY = Shape(re.compile(r"[0-9]{1,2}"), "a locality number of one or two digits")
TITLE = re.compile(r"COUNTIES INCLUDED IN (20[0-9]{2}) LOCALITIES", re.IGNORECASE)


def stated(source: Source) -> Stated:
    """The calendar year in the title."""
    return calendar_year(source, TITLE)


def read(source: Source) -> Iterator[NamedTuple]:
    """A LocalityCounty a row. A row that repeats the one above it is left out: 2025 has one."""
    year = stated(source).name
    citation = f"CMS counties of localities {year}" if year else "CMS counties of localities"
    state = ""

    def make(cells: Cells) -> LocalityCounty:
        nonlocal state
        state = cells["State"] or state
        return _row(cells, state, citation)

    above = None
    for row in made(table(csv_rows(source), COLUMNS), make):
        if row != above:
            yield row
        above = row


def _row(cells: Cells, state: str, citation: str) -> LocalityCounty:
    if not state:
        raise BadCell("State", "must not be blank in the first row")
    contractor = taken(cells, "Contractor", CONTRACTOR).zfill(5)
    number = taken(cells, "Locality Number", LOCALITY).zfill(2)
    return LocalityCounty(
        locality=f"{contractor}-{number}",
        state=state,
        area=place_name(cells, "Fee Schedule Area"),
        counties=taken(cells, "Counties", NAME),
        since=None,
        until=None,
        source=citation,
    )


def recognise(head: bytes) -> bool:
    """Whether a header of counties is in it."""
    return has_line_with(head, b"LOCALITY NUMBER", b"FEE SCHEDULE AREA", b"COUNTIES")


FORMATS = (Format("locality-county", "counties of localities (LOCCO csv)", recognise, stated, read),)
