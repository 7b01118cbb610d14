"""Reads what CMS publishes by locality beside the fee schedule: cost indices, anesthesia factors, caps, amounts.

The amounts that contractors publish (CarrierAmount) are not loaded. `scrubber.pricing.verify` holds our own prices,
from units, indices and factor, against them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from scrubber.reference.fee_rows import Anesthesia, Gpci, OppsCap
from scrubber.reference.load.format import BadRow, Format, SourceFile, StatedRelease
from scrubber.reference.load.sheets import (
    CODE,
    CONTRACTOR,
    STATUS,
    CellFormat,
    Cells,
    NamedCells,
    amount,
    calendar_year,
    component,
    converted,
    csv_rows,
    exact_columns,
    first_lines,
    has_line_with,
    locality,
    locality_name,
    table,
    taken,
)

# The year, the floor and the footnote marks in the header change. A file that has the work indices both with and
# without the floor is refused because it has the column twice: nothing in it states which of them is in force.
GPCI_COLUMNS = {
    "Contractor": re.compile(r"Medicare Admini?strative Contractor( \(MAC\))?\**", re.IGNORECASE),
    "Locality Number": re.compile(r"Locality Number\**", re.IGNORECASE),
    "Locality Name": re.compile(r"Locality Name\**", re.IGNORECASE),
    "PW GPCI": re.compile(r"20[0-9]{2} PW GPCI( \([^()]*\))?\**", re.IGNORECASE),
    "PE GPCI": re.compile(r"20[0-9]{2} PE GPCI( \([^()]*\))?\**", re.IGNORECASE),
    "MP GPCI": re.compile(r"20[0-9]{2} MP GPCI( \([^()]*\))?\**", re.IGNORECASE),
}
GPCI_YEAR = re.compile(r"\b(20[0-9]{2}) PW GPCI", re.IGNORECASE)


def stated_of_gpci(source: SourceFile) -> StatedRelease:
    """The calendar year in the header. A later release of the year may have another floor: it states the same year."""
    return calendar_year(source, GPCI_YEAR)


def read_gpci(source: SourceFile) -> Iterator[NamedTuple]:
    """A Gpci for each locality."""
    year = stated_of_gpci(source).name
    citation = f"CMS geographic practice cost indices {year}" if year else "CMS geographic practice cost indices"

    def convert(cells: Cells) -> Gpci:
        return Gpci(
            locality=locality(cells, "Contractor", "Locality Number"),
            contractor=taken(cells, "Contractor", CONTRACTOR),
            name=locality_name(cells, "Locality Name"),
            work=amount(cells, "PW GPCI"),
            pe=amount(cells, "PE GPCI"),
            mp=amount(cells, "MP GPCI"),
            since=None,
            until=None,
            source=citation,
        )

    return converted(table(csv_rows(source), GPCI_COLUMNS), convert)


def recognise_gpci(head: bytes) -> bool:
    """Whether a header of cost indices is in it."""
    return has_line_with(head, b"LOCALITY NUMBER", b" PW GPCI", b" PE GPCI", b" MP GPCI")


GPCI_FORMATS = (
    Format("gpci", "geographic practice cost indices (GPCI csv)", recognise_gpci, stated_of_gpci, read_gpci),
)


ANES_COLUMNS = {
    "Contractor": re.compile(r"Contractor", re.IGNORECASE),
    "Locality": re.compile(r"Locality", re.IGNORECASE),
    "Locality Name": re.compile(r"Locality Name", re.IGNORECASE),
    "Anes CF": re.compile(r"National Anes CF of [0-9.]+", re.IGNORECASE),
}
NATIONAL_FACTOR = re.compile(r"National Anes CF of ([0-9]{1,3}\.[0-9]{1,4})", re.IGNORECASE)
NATIONAL = "national"
ANES_CITATION = "CMS anesthesia conversion factors"


def stated_of_anes(source: SourceFile) -> StatedRelease:  # noqa: ARG001 (the signature of every format)
    """Nothing: the file names neither a year nor a release."""
    return StatedRelease()


def read_anes(source: SourceFile) -> Iterator[NamedTuple]:
    """An Anesthesia for the national factor, which the header states, and one for each locality."""
    national = NATIONAL_FACTOR.search(first_lines(source))
    for row in converted(table(csv_rows(source), ANES_COLUMNS), _anes):
        if national and isinstance(row, Anesthesia):  # not where the header has changed, which gives a BadRow only
            yield Anesthesia(NATIONAL, "National", Decimal(national[1]), None, None, ANES_CITATION)
            national = None
        yield row


def _anes(cells: Cells) -> Anesthesia:
    name = locality_name(cells, "Locality Name")
    return Anesthesia(
        locality(cells, "Contractor", "Locality"), name, amount(cells, "Anes CF"), None, None, ANES_CITATION
    )


def recognise_anes(head: bytes) -> bool:
    """Whether a header of anesthesia factors is in it."""
    return has_line_with(head, b"CONTRACTOR", b"LOCALITY", b"NATIONAL ANES CF OF ")


ANES_FORMATS = (Format("anes", "anesthesia conversion factors (ANES csv)", recognise_anes, stated_of_anes, read_anes),)


# The facility price comes first; the name of the other column has been misspelled in some releases.
OPPS_CAP_COLUMNS = {
    **exact_columns("HCPCS", "MOD", "PROCSTAT", "CARRIER", "LOCALITY", "FACILITY PRICE"),
    "NON-FACILITY PRICE": re.compile(r"NON-FACILI?TY PRICE", re.IGNORECASE),
}
OPPS_CAP_CITATION = "CMS outpatient caps on imaging prices"


def stated_of_opps_cap(source: SourceFile) -> StatedRelease:  # noqa: ARG001 (the signature of every format)
    """Nothing: the file names neither a year nor a release."""
    return StatedRelease()


def read_opps_cap(source: SourceFile) -> Iterator[NamedTuple]:
    """An OppsCap for each code, component and locality; codes whose cap does not bind are not in the file."""
    return converted(table(csv_rows(source), OPPS_CAP_COLUMNS), _opps_cap)


def _opps_cap(cells: Cells) -> OppsCap:
    return OppsCap(
        code=taken(cells, "HCPCS", CODE),
        component=component(cells, "MOD"),
        status=taken(cells, "PROCSTAT", STATUS),
        locality=locality(cells, "CARRIER", "LOCALITY"),
        facility=amount(cells, "FACILITY PRICE"),
        non_facility=amount(cells, "NON-FACILITY PRICE"),
        since=None,
        until=None,
        source=OPPS_CAP_CITATION,
    )


def recognise_opps_cap(head: bytes) -> bool:
    """Whether a header of caps is in it."""
    return has_line_with(head, b"HCPCS,MOD,PROCSTAT,CARRIER,LOCALITY,FACILITY PRICE")


OPPS_CAP_FORMATS = (
    Format(
        "opps-cap",
        "outpatient caps on imaging prices (OPPSCAP csv)",
        recognise_opps_cap,
        stated_of_opps_cap,
        read_opps_cap,
    ),
)


CARRIER_COLUMNS = (
    "Year", "Carrier", "Locality", "HCPCS", "Modifier", "Non-Facility Fee", "Facility Fee", "Filler", "PC/TC", "Status",
    "Multiple Surgery", "Therapy Non-Facility", "Therapy Facility", "OPPS Indicator", "OPPS Non-Facility",
    "OPPS Facility",
)  # fmt: skip
TRAILER = "TRL"
CARRIER_YEAR = CellFormat(re.compile(r"20[0-9]{2}"), "a year")


class CarrierAmount(NamedTuple):
    """What Medicare allows for a code or a component of it in a locality, in dollars and cents."""

    year: int
    locality: str
    code: str
    component: str
    non_facility: Decimal
    facility: Decimal


def read_carrier_amounts(source: SourceFile) -> Iterator[CarrierAmount | BadRow]:
    """A CarrierAmount for each row, and a BadRow for each row that cannot be read."""
    return converted(_carrier_rows(source), _carrier_amount)


def _carrier_rows(source: SourceFile) -> Iterator[NamedCells | BadRow]:
    for row in csv_rows(source):
        if isinstance(row, BadRow):
            yield row
        elif row.cells[0].startswith(TRAILER):
            continue
        elif len(row.cells) != len(CARRIER_COLUMNS):
            yield BadRow(row.line, None, f"has {len(row.cells)} cells where {len(CARRIER_COLUMNS)} were expected")
        else:
            yield NamedCells(row.line, dict(zip(CARRIER_COLUMNS, row.cells, strict=True)))


def _carrier_amount(cells: Cells) -> CarrierAmount:
    return CarrierAmount(
        year=int(taken(cells, "Year", CARRIER_YEAR)),
        locality=locality(cells, "Carrier", "Locality"),
        code=taken(cells, "HCPCS", CODE),
        component=component(cells, "Modifier"),
        non_facility=amount(cells, "Non-Facility Fee"),
        facility=amount(cells, "Facility Fee"),
    )
