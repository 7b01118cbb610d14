"""Before any claim: reads a list of places of service with the rate that Medicare pays in each.

CMS publishes it as a web page; the columns `pos` and `pfs_rate` are those of the public copies made of it. Names of
places, and any other columns, are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from scrubber.reference.fee_rows import Place
from scrubber.reference.load.format import Format, Source, Stated
from scrubber.reference.load.sheets import Cells, Shape, csv_rows, made, named_exactly, table, taken

COLUMNS = named_exactly("pos", "pfs_rate")
PLACE = Shape(re.compile(r"[0-9]{2}"), "a place of service of two digits")
RATE = Shape(re.compile(r"(?:non-)?facility", re.IGNORECASE), "Facility or Non-Facility")
CITATION = "CMS place of service code set"


def stated(source: Source) -> Stated:  # noqa: ARG001 (what every reader is asked)
    """Nothing: the list names neither a date nor a release."""
    return Stated()


def read(source: Source) -> Iterator[NamedTuple]:
    """A Place a row."""
    return made(table(csv_rows(source), COLUMNS), _row)


def _row(cells: Cells) -> Place:
    rate = taken(cells, "pfs_rate", RATE).lower()
    setting: Literal["facility", "non-facility"] = "facility" if rate == "facility" else "non-facility"
    return Place(taken(cells, "pos", PLACE), setting, None, None, CITATION)


def recognise(head: bytes) -> bool:
    """Whether its first line is the header."""
    names = [name.strip(b' "\r') for name in head.split(b"\n", 1)[0].lower().split(b",")]
    return {b"pos", b"pfs_rate"} <= {name.removeprefix(b"\xef\xbb\xbf") for name in names}


FORMATS = (Format("place-of-service", "places of service and rates (csv: pos, pfs_rate)", recognise, stated, read),)
