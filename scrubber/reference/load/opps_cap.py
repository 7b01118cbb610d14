"""Before any claim: reads CMS's outpatient caps on imaging prices by locality (OPPSCAP csv of an RVU release)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from scrubber.reference.fee_rows import OppsCap
from scrubber.reference.load.format import Format, Source, Stated
from scrubber.reference.load.sheets import (
    CODE,
    STATUS,
    Cells,
    amount,
    component,
    csv_rows,
    has_line_with,
    locality,
    made,
    named_exactly,
    table,
    taken,
)

# The facility price comes first, and the other column has been spelled in more than one way.
COLUMNS = {
    **named_exactly("HCPCS", "MOD", "PROCSTAT", "CARRIER", "LOCALITY", "FACILITY PRICE"),
    "NON-FACILITY PRICE": re.compile(r"NON-FACILI?TY PRICE", re.IGNORECASE),
}
CITATION = "CMS outpatient caps on imaging prices"


def stated(source: Source) -> Stated:  # noqa: ARG001 (what every reader is asked)
    """Nothing: the file names neither a year nor a release."""
    return Stated()


def read(source: Source) -> Iterator[NamedTuple]:
    """An OppsCap a code, component and locality; codes whose cap does not bind are not in the file."""
    return made(table(csv_rows(source), COLUMNS), _row)


def _row(cells: Cells) -> OppsCap:
    return OppsCap(
        code=taken(cells, "HCPCS", CODE),
        component=component(cells, "MOD"),
        status=taken(cells, "PROCSTAT", STATUS),
        locality=locality(cells, "CARRIER", "LOCALITY"),
        facility=amount(cells, "FACILITY PRICE"),
        non_facility=amount(cells, "NON-FACILITY PRICE"),
        since=None,
        until=None,
        source=CITATION,
    )


def recognise(head: bytes) -> bool:
    """Whether a header of caps is in it."""
    return has_line_with(head, b"HCPCS,MOD,PROCSTAT,CARRIER,LOCALITY,FACILITY PRICE")


FORMATS = (Format("opps-cap", "outpatient caps on imaging prices (OPPSCAP csv)", recognise, stated, read),)
