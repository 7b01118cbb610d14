"""Before any claim: reads CMS's geographic practice cost indices (GPCI csv of an RVU release)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from scrubber.reference.fee_rows import Gpci
from scrubber.reference.load.format import Format, Source, Stated
from scrubber.reference.load.sheets import (
    CONTRACTOR,
    Cells,
    amount,
    calendar_year,
    csv_rows,
    has_line_with,
    locality,
    made,
    place_name,
    table,
    taken,
)

# The year, the floor and the marks of footnotes in the header change. A file that has the work indices both with and
# without the floor is refused for having the column twice: which is in force is in neither.
COLUMNS = {
    "Contractor": re.compile(r"Medicare Admini?strative Contractor( \(MAC\))?\**", re.IGNORECASE),
    "Locality Number": re.compile(r"Locality Number\**", re.IGNORECASE),
    "Locality Name": re.compile(r"Locality Name\**", re.IGNORECASE),
    "PW GPCI": re.compile(r"20[0-9]{2} PW GPCI( \([^()]*\))?\**", re.IGNORECASE),
    "PE GPCI": re.compile(r"20[0-9]{2} PE GPCI( \([^()]*\))?\**", re.IGNORECASE),
    "MP GPCI": re.compile(r"20[0-9]{2} MP GPCI( \([^()]*\))?\**", re.IGNORECASE),
}
YEAR = re.compile(r"\b(20[0-9]{2}) PW GPCI", re.IGNORECASE)


def stated(source: Source) -> Stated:
    """The calendar year in the header. A later release of the year may have another floor: it states the same year."""
    return calendar_year(source, YEAR)


def read(source: Source) -> Iterator[NamedTuple]:
    """A Gpci a locality."""
    year = stated(source).name
    citation = f"CMS geographic practice cost indices {year}" if year else "CMS geographic practice cost indices"

    def make(cells: Cells) -> Gpci:
        return Gpci(
            locality=locality(cells, "Contractor", "Locality Number"),
            contractor=taken(cells, "Contractor", CONTRACTOR),
            name=place_name(cells, "Locality Name"),
            work=amount(cells, "PW GPCI"),
            pe=amount(cells, "PE GPCI"),
            mp=amount(cells, "MP GPCI"),
            since=None,
            until=None,
            source=citation,
        )

    return made(table(csv_rows(source), COLUMNS), make)


def recognise(head: bytes) -> bool:
    """Whether a header of cost indices is in it."""
    return has_line_with(head, b"LOCALITY NUMBER", b" PW GPCI", b" PE GPCI", b" MP GPCI")


FORMATS = (Format("gpci", "geographic practice cost indices (GPCI csv)", recognise, stated, read),)
