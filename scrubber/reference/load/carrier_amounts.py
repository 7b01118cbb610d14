"""Before any claim: reads the amounts that CMS publishes by locality (PFREV, PFAL and the like), to verify our own.

They are no reference data of ours: the program works the same amounts out from units, indices and factor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from scrubber.reference.load.format import BadRow, Source
from scrubber.reference.load.sheets import CODE, Cells, Named, Shape, amount, component, csv_rows, locality, made, taken

COLUMNS = (
    "Year", "Carrier", "Locality", "HCPCS", "Modifier", "Non-Facility Fee", "Facility Fee", "Filler", "PC/TC", "Status",
    "Multiple Surgery", "Therapy Non-Facility", "Therapy Facility", "OPPS Indicator", "OPPS Non-Facility",
    "OPPS Facility",
)  # fmt: skip
TRAILER = "TRL"
YEAR = Shape(re.compile(r"20[0-9]{2}"), "a year")


class CarrierAmount(NamedTuple):
    """What Medicare allows for a code or a part of it in a locality, in dollars and cents."""

    year: int
    locality: str
    code: str
    component: str
    non_facility: Decimal
    facility: Decimal


def read(source: Source) -> Iterator[CarrierAmount | BadRow]:
    """A CarrierAmount a row, and a BadRow for each row that cannot be read."""
    return made(_rows(source), _row)


def _rows(source: Source) -> Iterator[Named | BadRow]:
    for row in csv_rows(source):
        if isinstance(row, BadRow):
            yield row
        elif row.cells[0].startswith(TRAILER):
            continue
        elif len(row.cells) != len(COLUMNS):
            yield BadRow(row.line, None, f"has {len(row.cells)} cells where {len(COLUMNS)} were expected")
        else:
            yield Named(row.line, dict(zip(COLUMNS, row.cells, strict=True)))


def _row(cells: Cells) -> CarrierAmount:
    return CarrierAmount(
        year=int(taken(cells, "Year", YEAR)),
        locality=locality(cells, "Carrier", "Locality"),
        code=taken(cells, "HCPCS", CODE),
        component=component(cells, "Modifier"),
        non_facility=amount(cells, "Non-Facility Fee"),
        facility=amount(cells, "Facility Fee"),
    )
