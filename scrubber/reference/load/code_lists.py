"""Reads published lists of codes: HCPCS Level II, claim adjustment codes, places of service.

HCPCS: descriptions are dropped. A code whose description fills several lines has several records, of which the first
counts. TERM DT is the last day on which a code may be used.

Claim adjustment codes: their texts are X12's; only the code, its type and its days are read.

Places of service: CMS publishes a web page; the columns `pos` and `pfs_rate` are those of public copies made of it. No
other column, such as the name of the place, is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

from scrubber.reference.fee_rows import PlaceOfService
from scrubber.reference.load.format import Format, SourceFile, StatedRelease, quarter
from scrubber.reference.load.sheets import (
    CellFormat,
    Cells,
    converted,
    csv_rows,
    exact_columns,
    has_line_with,
    table,
    taken,
)
from scrubber.reference.load.text_rows import (
    BadCell,
    begins_with,
    compact_day,
    day_after,
    fixed_lines,
    iso_day,
    matching,
    records,
)
from scrubber.reference.rows import AdjustmentCode, HcpcsCode, HcpcsModifier

HCPCS = "hcpcs"
HCPCS_SOURCE = "CMS HCPCS Level II"
HCPCS_HEADER = (
    "HCPC", "SEQNUM", "RECID", "LONG DESCRIPTION", "SHORT DESCRIPTION", "PRICE1", "PRICE2", "PRICE3", "PRICE4",
    "MULT_PI", "CIM1", "CIM2", "CIM3", "MCM1", "MCM2", "MCM3", "STATUTE", "LABCERT1", "LABCERT2", "LABCERT3",
    "LABCERT4", "LABCERT5", "LABCERT6", "LABCERT7", "LABCERT8", "XREF1", "XREF2", "XREF3", "XREF4", "XREF5", "COV",
    "ASC_GRP", "ASC_DT", "OPPS", "OPPS_PI", "OPPS_DT", "PROCNOTE", "BETOS", "TOS1", "TOS2", "TOS3", "TOS4", "TOS5",
    "ANEST_BU", "ADD DT", "ACT EFF DT", "TERM DT", "ACTION CD",
)  # fmt: skip
HCPCS_COLUMNS = ("HCPC", "RECID", "ADD DT", "TERM DT")
# Characters of the fixed-width record, from 0: code, record id, date added, date terminated.
FIXED_COLUMNS = (slice(0, 5), slice(10, 11), slice(268, 276), slice(284, 292))
NEEDED_WIDTH = 292
MONTHS = {"JAN": 1, "APR": 2, "JUL": 3, "OCT": 4}
PROCEDURE, MODIFIER, CONTINUED = "3", "7", ("4", "8")
_CODE = re.compile(r"[A-Z][0-9]{4}")
_MODIFIER = re.compile(r"[A-Z0-9]{2}")
_fixed_line = re.compile(rb"(?:[A-Z][0-9]{4}|   [A-Z0-9]{2})[0-9]{5}[3478].{100}").match
_published_name = re.compile(r"HCPC(20[0-9]{2})_(JAN|APR|JUL|OCT)", re.IGNORECASE).search


def _hcpcs(cells: Sequence[str]) -> HcpcsCode | HcpcsModifier | None:
    code, record, added, ended = cells
    if record in CONTINUED:
        return None
    since, until = compact_day(added, "ADD DT"), day_after(compact_day(ended, "TERM DT"))
    if since and until and until <= since:  # withdrawn before its first day
        return None
    return _typed(code, record, since, until)


def _typed(code: str, record: str, since: date | None, until: date | None) -> HcpcsCode | HcpcsModifier:
    if record == PROCEDURE:
        expected = "a procedure code of a letter and four digits"
        return HcpcsCode(matching(code, _CODE, "HCPC", expected), since, until, HCPCS_SOURCE)
    if record == MODIFIER:
        expected = "a modifier of two letters or digits"
        return HcpcsModifier(matching(code, _MODIFIER, "HCPC", expected), since, until, HCPCS_SOURCE)
    raise BadCell("RECID", "expected 3, 4, 7 or 8")


def _read_csv(source: SourceFile) -> Iterator[NamedTuple]:
    return records(source, HCPCS_HEADER, HCPCS_COLUMNS, _hcpcs)


def _read_fixed(source: SourceFile) -> Iterator[NamedTuple]:
    return fixed_lines(source, _hcpcs_of_line)


def _hcpcs_of_line(cells: Sequence[str]) -> HcpcsCode | HcpcsModifier | None:
    (line,) = cells
    if line[FIXED_COLUMNS[1]] in CONTINUED:
        return None
    if len(line) < NEEDED_WIDTH:
        raise BadCell("TERM DT", f"has {len(line)} characters where at least {NEEDED_WIDTH} are expected")
    return _hcpcs([line[position].strip() for position in FIXED_COLUMNS])


def _recognise_csv(head: bytes) -> bool:
    return begins_with(head, HCPCS_HEADER[:4])


def _recognise_fixed(head: bytes) -> bool:
    return _fixed_line(head) is not None


def _stated(source: SourceFile) -> StatedRelease:
    """The quarter by the file's published name (HCPC2026_OCT_ANWEB.csv); the content does not state it."""
    found = _published_name(PurePosixPath(source.name).name)
    return quarter(int(found[1]), MONTHS[found[2].upper()]) if found else StatedRelease()


HCPCS_FORMATS = (
    Format(HCPCS, "HCPCS Level II csv (ANWEB)", _recognise_csv, _stated, _read_csv),
    Format(HCPCS, "HCPCS Level II fixed-width text (ANWEB)", _recognise_fixed, _stated, _read_fixed),
)


ADJUSTMENT_COLUMNS = exact_columns("code", "type", "start_date", "end_date")
ADJUSTMENT_KINDS: dict[str, Literal["group", "carc", "rarc"]] = {"GROUP": "group", "CARC": "carc", "RARC": "rarc"}
ADJUSTMENT_CODE = CellFormat(re.compile(r"[A-Z]{0,2}[0-9]{0,4}(?<=.)"), "an adjustment code such as 97, CO or N115")
ADJUSTMENT = CellFormat(re.compile("|".join(ADJUSTMENT_KINDS), re.IGNORECASE), "Group, CARC or RARC")
ADJUSTMENT_CITATION = "X12 claim adjustment codes"


def stated_of_adjustment_codes(source: SourceFile) -> StatedRelease:  # noqa: ARG001 (the signature of every format)
    """Nothing: the list names neither a date nor a release."""
    return StatedRelease()


def read_adjustment_codes(source: SourceFile) -> Iterator[NamedTuple]:
    """An AdjustmentCode for each row. X12's end date of a code is the first day on which it may not be used."""
    return converted(table(csv_rows(source), ADJUSTMENT_COLUMNS), _adjustment_code)


def _adjustment_code(cells: Cells) -> AdjustmentCode:
    return AdjustmentCode(
        code=taken(cells, "code", ADJUSTMENT_CODE),
        kind=ADJUSTMENT_KINDS[taken(cells, "type", ADJUSTMENT).upper()],
        since=iso_day(cells["start_date"], "start_date"),
        until=iso_day(cells["end_date"], "end_date"),
        source=ADJUSTMENT_CITATION,
    )


def recognise_adjustment_codes(head: bytes) -> bool:
    """Whether a header of adjustment codes is in it."""
    return has_line_with(head, b"CODE,", b"TYPE,", b"START_DATE", b"END_DATE")


ADJUSTMENT_FORMATS = (
    Format(
        "adjustment-codes",
        "claim adjustment codes and their days (csv)",
        recognise_adjustment_codes,
        stated_of_adjustment_codes,
        read_adjustment_codes,
    ),
)


PLACE_OF_SERVICE_COLUMNS = exact_columns("pos", "pfs_rate")
PLACE_OF_SERVICE = CellFormat(re.compile(r"[0-9]{2}"), "a place of service of two digits")
RATE = CellFormat(re.compile(r"(?:non-)?facility", re.IGNORECASE), "Facility or Non-Facility")
PLACE_OF_SERVICE_CITATION = "CMS place of service code set"


def stated_of_places_of_service(source: SourceFile) -> StatedRelease:  # noqa: ARG001 (the signature of every format)
    """Nothing: the list names neither a date nor a release."""
    return StatedRelease()


def read_places_of_service(source: SourceFile) -> Iterator[NamedTuple]:
    """A PlaceOfService for each row."""
    return converted(table(csv_rows(source), PLACE_OF_SERVICE_COLUMNS), _place_of_service)


def _place_of_service(cells: Cells) -> PlaceOfService:
    rate = taken(cells, "pfs_rate", RATE).lower()
    setting: Literal["facility", "non-facility"] = "facility" if rate == "facility" else "non-facility"
    return PlaceOfService(taken(cells, "pos", PLACE_OF_SERVICE), setting, None, None, PLACE_OF_SERVICE_CITATION)


def recognise_places_of_service(head: bytes) -> bool:
    """Whether its first line is the header."""
    names = [name.strip(b' "\r') for name in head.split(b"\n", 1)[0].lower().split(b",")]
    return {b"pos", b"pfs_rate"} <= {name.removeprefix(b"\xef\xbb\xbf") for name in names}


PLACE_OF_SERVICE_FORMATS = (
    Format(
        "place-of-service",
        "places of service and rates (csv: pos, pfs_rate)",
        recognise_places_of_service,
        stated_of_places_of_service,
        read_places_of_service,
    ),
)

# In the order of the command's help.
FORMATS = (
    *HCPCS_FORMATS,
    *PLACE_OF_SERVICE_FORMATS,
    *ADJUSTMENT_FORMATS,
)
