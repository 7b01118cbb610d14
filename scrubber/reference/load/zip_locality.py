"""Before any claim: reads CMS's files of the contractor and locality of each ZIP code (ZIP5, and ZIP9 beside it).

ZIP5 has a locality for every ZIP code, also for those that need four digits more to tell, which it marks; ZIP9 has
these, with all nine digits. Next to each other, both are rows of one table: the longer ZIP code decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from scrubber.reference.fee_rows import ZipLocality
from scrubber.reference.load.format import BadRow, Format, Source, Stated
from scrubber.reference.load.quarters import quarter
from scrubber.reference.load.sheets import (
    CONTRACTOR,
    HEADER_WITHIN,
    Cells,
    Named,
    Shape,
    characters,
    fixed_width,
    lines,
    locality,
    made,
    taken,
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

STATE = Shape(re.compile(r"[A-Z]{2}"), "a state of two capital letters")
ZIP = Shape(re.compile(r"[0-9]{5}"), "a ZIP code of five digits")
PLUS_FOUR = Shape(re.compile(r"[0-9]{4}"), "four digits")
NINE_DECIDE = "1"
FLAG = Shape(re.compile(r"[01]"), "0 or 1")
NEEDED = Shape(re.compile(r"1"), "1, as for every ZIP code of nine digits")
QUARTER = Shape(re.compile(r"20[0-9]{2}[1-4]"), "year and quarter such as 20254")


def stated(source: Source) -> Stated:
    """The quarter in the first row."""
    first = next(lines(source), None)
    stamp = first.text[ZIP5_COLUMNS["Year/Quarter"]] if first else ""
    if not QUARTER.pattern.fullmatch(stamp):
        return Stated()
    return quarter(int(stamp[:4]), int(stamp[4]))


def read_zip5(source: Source) -> Iterator[NamedTuple]:
    """A ZipLocality a row."""
    citation = _citation(source, "ZIP5")
    return made(_rows(source, ZIP5_COLUMNS), lambda cells: _zip5(cells, citation))


def read_zip9(source: Source) -> Iterator[NamedTuple]:
    """A ZipLocality for each run of rows whose ZIP codes follow one another and lie in one locality."""
    citation = _citation(source, "ZIP9")
    run: ZipLocality | None = None
    for row in made(_rows(source, ZIP9_COLUMNS), lambda cells: _zip9(cells, citation)):
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


def _rows(source: Source, columns: dict[str, slice]) -> Iterator[Named | BadRow]:
    """The rows; one of another quarter than the first is a BadRow, for the file has a release of its own."""
    first = None
    for row in fixed_width(lines(source), columns, range(WIDTH, WIDTH + 1)):
        stamp = row.cells["Year/Quarter"] if isinstance(row, Named) else None
        first = first or stamp
        if stamp != first and isinstance(row, Named):
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


def _citation(source: Source, name: str) -> str:
    release = stated(source).name
    return f"CMS {name} carrier-locality file {release}" if release else f"CMS {name} carrier-locality file"


def _begins_with(pattern: re.Pattern[bytes], head: bytes) -> bool:
    """Whether one of the first lines is such a record: the very first may be the broken one."""
    return any(pattern.fullmatch(line.rstrip(b"\r")) for line in head.split(b"\n", HEADER_WITHIN)[:HEADER_WITHIN])


def _is_zip5(head: bytes) -> bool:
    return _begins_with(ZIP5_LINE, head)


def _is_zip9(head: bytes) -> bool:
    return _begins_with(ZIP9_LINE, head)


FORMATS = (
    Format(KIND, "contractor and locality by ZIP code (ZIP5 carrier-locality)", _is_zip5, stated, read_zip5),
    Format(KIND, "contractor and locality by nine-digit ZIP code (ZIP9 carrier-locality)", _is_zip9, stated, read_zip9),
)
