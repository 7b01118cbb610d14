"""Reads CMS's lists of the counties and the ZIP codes of each payment locality.

The list of counties is written by Excel: numbers have lost their leading zeros, and a state is named only in the first
of its rows.

ZIP5 has a locality for every five-digit ZIP code and marks those that lie in several localities; ZIP9 has these with
all nine digits. The rows of both go into one table, in which the longer ZIP code decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from scrubber.reference.fee_rows import LocalityCounty, ZipLocality
from scrubber.reference.load.format import BadRow, Format, SourceFile, StatedRelease, quarter
from scrubber.reference.load.sheets import (
    CONTRACTOR,
    HEADER_WITHIN,
    NAME,
    CellFormat,
    Cells,
    NamedCells,
    calendar_year,
    characters,
    converted,
    csv_rows,
    fixed_width,
    has_line_with,
    lines,
    locality,
    locality_name,
    table,
    taken,
)
from scrubber.reference.load.text_rows import BadCell

COLUMNS = {
    "Contractor": re.compile(r"Medicare Admini?strative Contractor", re.IGNORECASE),  # misspelled to this day
    "Locality Number": re.compile(r"Locality Number", re.IGNORECASE),
    "State": re.compile(r"State", re.IGNORECASE),
    "Fee Schedule Area": re.compile(r"Fee Schedule Area", re.IGNORECASE),
    "Counties": re.compile(r"Counties", re.IGNORECASE),
}
SHORT_CONTRACTOR = CellFormat(re.compile(r"[0-9]{4,5}"), "a contractor number of five digits, or four and a lost zero")
LOCALITY = CellFormat(re.compile(r"[0-9]{1,2}"), "a locality number of one or two digits")
TITLE = re.compile(r"COUNTIES INCLUDED IN (20[0-9]{2}) LOCALITIES", re.IGNORECASE)


def stated_of_counties(source: SourceFile) -> StatedRelease:
    """The calendar year in the title."""
    return calendar_year(source, TITLE)


def read_counties(source: SourceFile) -> Iterator[NamedTuple]:
    """A LocalityCounty for each row. A row that repeats the one above it is left out: the file of 2025 has one."""
    year = stated_of_counties(source).name
    citation = f"CMS counties of localities {year}" if year else "CMS counties of localities"
    state = ""

    def convert(cells: Cells) -> LocalityCounty:
        nonlocal state
        state = cells["State"] or state
        return _row(cells, state, citation)

    above = None
    for row in converted(table(csv_rows(source), COLUMNS), convert):
        if row != above:
            yield row
        above = row


def _row(cells: Cells, state: str, citation: str) -> LocalityCounty:
    if not state:
        raise BadCell("State", "must not be blank in the first row")
    contractor = taken(cells, "Contractor", SHORT_CONTRACTOR).zfill(5)
    number = taken(cells, "Locality Number", LOCALITY).zfill(2)
    return LocalityCounty(
        locality=f"{contractor}-{number}",
        state=state,
        area=locality_name(cells, "Fee Schedule Area"),
        counties=taken(cells, "Counties", NAME),
        since=None,
        until=None,
        source=citation,
    )


def recognise_counties(head: bytes) -> bool:
    """Whether a header of counties is in it."""
    return has_line_with(head, b"LOCALITY NUMBER", b"FEE SCHEDULE AREA", b"COUNTIES")


COUNTY_FORMATS = (
    Format(
        "locality-county", "counties of localities (LOCCO csv)", recognise_counties, stated_of_counties, read_counties
    ),
)


KIND = "zip-locality"
WIDTH = 80
ZIP5_COLUMNS = {
    "State": characters(1, 2),
    "Zip Code": characters(3, 7),
    "Carrier": characters(8, 12),
    "Pricing Locality": characters(13, 14),
    "Plus Four Flag": characters(21, 21),
    "Year/Quarter": characters(76, 80),
}
ZIP9_COLUMNS = {**ZIP5_COLUMNS, "Plus Four": characters(22, 25)}
ZIP5_LINE = re.compile(rb"[A-Z]{2}[0-9]{12}.{6}[01] .{53}[0-9]{4}[1-4]")
ZIP9_LINE = re.compile(rb"[A-Z]{2}[0-9]{12}.{6}1[0-9]{4}.{50}[0-9]{4}[1-4]")

STATE = CellFormat(re.compile(r"[A-Z]{2}"), "a state of two capital letters")
ZIP = CellFormat(re.compile(r"[0-9]{5}"), "a ZIP code of five digits")
PLUS_FOUR = CellFormat(re.compile(r"[0-9]{4}"), "four digits")
NINE_DECIDE = "1"
FLAG = CellFormat(re.compile(r"[01]"), "0 or 1")
NEEDED = CellFormat(re.compile(r"1"), "1, as for every ZIP code of nine digits")
QUARTER = CellFormat(re.compile(r"20[0-9]{2}[1-4]"), "year and quarter such as 20254")


def stated_of_zips(source: SourceFile) -> StatedRelease:
    """The quarter in the first row."""
    first = next(lines(source), None)
    stamp = first.text[ZIP5_COLUMNS["Year/Quarter"]] if first else ""
    if not QUARTER.pattern.fullmatch(stamp):
        return StatedRelease()
    return quarter(int(stamp[:4]), int(stamp[4]))


def read_zip5(source: SourceFile) -> Iterator[NamedTuple]:
    """A ZipLocality for each row."""
    citation = _citation(source, "ZIP5")
    return converted(_rows(source, ZIP5_COLUMNS), lambda cells: _zip5(cells, citation))


def read_zip9(source: SourceFile) -> Iterator[NamedTuple]:
    """A ZipLocality for each run of rows whose ZIP codes follow one another and lie in one locality."""
    citation = _citation(source, "ZIP9")
    run: ZipLocality | None = None
    for row in converted(_rows(source, ZIP9_COLUMNS), lambda cells: _zip9(cells, citation)):
        if not isinstance(row, ZipLocality):
            yield row
        elif run is not None and _follows(run, row):
            run = run._replace(zip_to=row.zip_to)
        else:
            if run is not None:
                yield run
            run = row
    if run is not None:
        yield run


def _rows(source: SourceFile, columns: dict[str, slice]) -> Iterator[NamedCells | BadRow]:
    """The rows; one of another quarter than the first is a BadRow, since a file holds the rows of one quarter."""
    first = None
    for row in fixed_width(lines(source), columns, range(WIDTH, WIDTH + 1)):
        stamp = row.cells["Year/Quarter"] if isinstance(row, NamedCells) else None
        first = first or stamp
        if stamp != first and isinstance(row, NamedCells):
            row = BadRow(row.line, "Year/Quarter", "differs from that of the first row")
        yield row


def _zip5(cells: Cells, citation: str) -> ZipLocality:
    several = taken(cells, "Plus Four Flag", FLAG) == NINE_DECIDE
    return _locality(cells, taken(cells, "Zip Code", ZIP), several, citation)


def _zip9(cells: Cells, citation: str) -> ZipLocality:
    taken(cells, "Plus Four Flag", NEEDED)
    return _locality(cells, taken(cells, "Zip Code", ZIP) + taken(cells, "Plus Four", PLUS_FOUR), False, citation)


def _locality(cells: Cells, zip_code: str, nine_digits_decide: bool, citation: str) -> ZipLocality:
    taken(cells, "Year/Quarter", QUARTER)
    return ZipLocality(
        zip_from=zip_code,
        zip_to=zip_code,
        contractor=taken(cells, "Carrier", CONTRACTOR),
        locality=locality(cells, "Carrier", "Pricing Locality"),
        state=taken(cells, "State", STATE),
        nine_digits_decide=nine_digits_decide,
        since=None,
        until=None,
        source=citation,
    )


def _follows(run: ZipLocality, row: ZipLocality) -> bool:
    next_in_line = int(row.zip_from) == int(run.zip_to) + 1 and row.zip_from[:5] == run.zip_to[:5]
    return next_in_line and (run.locality, run.state) == (row.locality, row.state)


def _citation(source: SourceFile, name: str) -> str:
    release = stated_of_zips(source).name
    return f"CMS {name} carrier-locality file {release}" if release else f"CMS {name} carrier-locality file"


def _begins_with(pattern: re.Pattern[bytes], head: bytes) -> bool:
    """Whether one of the first lines is such a record; several are tried because the first may be damaged."""
    return any(pattern.fullmatch(line.rstrip(b"\r")) for line in head.split(b"\n", HEADER_WITHIN)[:HEADER_WITHIN])


def _is_zip5(head: bytes) -> bool:
    return _begins_with(ZIP5_LINE, head)


def _is_zip9(head: bytes) -> bool:
    return _begins_with(ZIP9_LINE, head)


ZIP_FORMATS = (
    Format(KIND, "contractor and locality by ZIP code (ZIP5 carrier-locality)", _is_zip5, stated_of_zips, read_zip5),
    Format(
        KIND,
        "contractor and locality by nine-digit ZIP code (ZIP9 carrier-locality)",
        _is_zip9,
        stated_of_zips,
        read_zip9,
    ),
)
