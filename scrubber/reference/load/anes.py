"""Before any claim: reads CMS's anesthesia conversion factors by locality (ANES csv of an RVU release)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from scrubber.reference.fee_rows import Anesthesia
from scrubber.reference.load.format import Format, Source, Stated
from scrubber.reference.load.sheets import (
    Cells,
    amount,
    csv_rows,
    first_lines,
    has_line_with,
    locality,
    made,
    place_name,
    table,
)

COLUMNS = {
    "Contractor": re.compile(r"Contractor", re.IGNORECASE),
    "Locality": re.compile(r"Locality", re.IGNORECASE),
    "Locality Name": re.compile(r"Locality Name", re.IGNORECASE),
    "Anes CF": re.compile(r"National Anes CF of [0-9.]+", re.IGNORECASE),
}
NATIONAL_FACTOR = re.compile(r"National Anes CF of ([0-9]{1,3}\.[0-9]{1,4})", re.IGNORECASE)
NATIONAL = "national"
CITATION = "CMS anesthesia conversion factors"


def stated(source: Source) -> Stated:  # noqa: ARG001 (what every reader is asked)
    """Nothing: the file names neither a year nor a release."""
    return Stated()


def read(source: Source) -> Iterator[NamedTuple]:
    """An Anesthesia for the national factor, which stands in the header, and one a locality."""
    national = NATIONAL_FACTOR.search(first_lines(source))
    for row in made(table(csv_rows(source), COLUMNS), _row):
        if national and isinstance(row, Anesthesia):  # not above a header that is not as it was
            yield Anesthesia(NATIONAL, "National", Decimal(national[1]), None, None, CITATION)
            national = None
        yield row


def _row(cells: Cells) -> Anesthesia:
    name = place_name(cells, "Locality Name")
    return Anesthesia(locality(cells, "Contractor", "Locality"), name, amount(cells, "Anes CF"), None, None, CITATION)


def recognise(head: bytes) -> bool:
    """Whether a header of anesthesia factors is in it."""
    return has_line_with(head, b"CONTRACTOR", b"LOCALITY", b"NATIONAL ANES CF OF ")


FORMATS = (Format("anes", "anesthesia conversion factors (ANES csv)", recognise, stated, read),)
