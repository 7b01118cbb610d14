"""Reads lists of codes: HCPCS Level II, claim adjustment codes, places of service.

Descriptions are dropped. A code whose description fills several lines has several records, of which the first counts.
TERM DT is the last day on which a code may be used.

X12 publishes the codes, and their texts are X12's: no column but the code, its type and its days is read.

CMS publishes it as a web page; the columns `pos` and `pfs_rate` are those of the public copies made of it. Names of
places, and any other columns, are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

from scrubber.reference.fee_rows import Place
from scrubber.reference.load.format import Format, Source, Stated, quarter
from scrubber.reference.load.sheets import Cells, Shape, csv_rows, has_line_with, made, named_exactly, table, taken
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
SOURCE = "CMS HCPCS Level II"
HEADER = (
    "HCPC", "SEQNUM", "RECID", "LONG DESCRIPTION", "SHORT DESCRIPTION", "PRICE1", "PRICE2", "PRICE3", "PRICE4",
    "MULT_PI", "CIM1", "CIM2", "CIM3", "MCM1", "MCM2", "MCM3", "STATUTE", "LABCERT1", "LABCERT2", "LABCERT3",
    "LABCERT4", "LABCERT5", "LABCERT6", "LABCERT7", "LABCERT8", "XREF1", "XREF2", "XREF3", "XREF4", "XREF5", "COV",
    "ASC_GRP", "ASC_DT", "OPPS", "OPPS_PI", "OPPS_DT", "PROCNOTE", "BETOS", "TOS1", "TOS2", "TOS3", "TOS4", "TOS5",
    "ANEST_BU", "ADD DT", "ACT EFF DT", "TERM DT", "ACTION CD",
)  # fmt: skip
WANTED = ("HCPC", "RECID", "ADD DT", "TERM DT")
# Characters of the fixed-width record, from 0: code, record id, date added, date terminated.
PLACES = (slice(0, 5), slice(10, 11), slice(268, 276), slice(284, 292))
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
        return HcpcsCode(matching(code, _CODE, "HCPC", expected), since, until, SOURCE)
    if record == MODIFIER:
        expected = "a modifier of two letters or digits"
        return HcpcsModifier(matching(code, _MODIFIER, "HCPC", expected), since, until, SOURCE)
    raise BadCell("RECID", "expected 3, 4, 7 or 8")


def _read_csv(source: Source) -> Iterator[NamedTuple]:
    return records(source, HEADER, WANTED, _hcpcs)


def _read_fixed(source: Source) -> Iterator[NamedTuple]:
    return fixed_lines(source, _cut)


def _cut(cells: Sequence[str]) -> HcpcsCode | HcpcsModifier | None:
    (line,) = cells
    if line[PLACES[1]] in CONTINUED:
        return None
    if len(line) < NEEDED_WIDTH:
        raise BadCell("TERM DT", f"has {len(line)} characters where at least {NEEDED_WIDTH} are expected")
    return _hcpcs([line[place].strip() for place in PLACES])


def _recognise_csv(head: bytes) -> bool:
    return begins_with(head, HEADER[:4])


def _recognise_fixed(head: bytes) -> bool:
    return _fixed_line(head) is not None


def _stated(source: Source) -> Stated:
    """Only the name that the file is published under (HCPC2026_OCT_ANWEB.csv) tells its quarter."""
    named = _published_name(PurePosixPath(source.name).name)
    return quarter(int(named[1]), MONTHS[named[2].upper()]) if named else Stated()


HCPCS_FORMATS = (
    Format(HCPCS, "HCPCS Level II csv (ANWEB)", _recognise_csv, _stated, _read_csv),
    Format(HCPCS, "HCPCS Level II fixed-width text (ANWEB)", _recognise_fixed, _stated, _read_fixed),
)


ADJUSTMENT_COLUMNS = named_exactly("code", "type", "start_date", "end_date")
KINDS: dict[str, Literal["group", "carc", "rarc"]] = {"GROUP": "group", "CARC": "carc", "RARC": "rarc"}
ADJUSTMENT_CODE = Shape(re.compile(r"[A-Z]{0,2}[0-9]{0,4}(?<=.)"), "an adjustment code such as 97, CO or N115")
ADJUSTMENT = Shape(re.compile("|".join(KINDS), re.IGNORECASE), "Group, CARC or RARC")
ADJUSTMENT_CITATION = "X12 claim adjustment codes"


def stated_of_adjustment_codes(source: Source) -> Stated:  # noqa: ARG001 (what every reader is asked)
    """Nothing: the list names neither a date nor a release."""
    return Stated()


def read_adjustment_codes(source: Source) -> Iterator[NamedTuple]:
    """An AdjustmentCode a row. X12 stops a code on its end date: that day it is no longer to be used."""
    return made(table(csv_rows(source), ADJUSTMENT_COLUMNS), _adjustment_code)


def _adjustment_code(cells: Cells) -> AdjustmentCode:
    return AdjustmentCode(
        code=taken(cells, "code", ADJUSTMENT_CODE),
        kind=KINDS[taken(cells, "type", ADJUSTMENT).upper()],
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


PLACE_COLUMNS = named_exactly("pos", "pfs_rate")
PLACE = Shape(re.compile(r"[0-9]{2}"), "a place of service of two digits")
RATE = Shape(re.compile(r"(?:non-)?facility", re.IGNORECASE), "Facility or Non-Facility")
PLACE_CITATION = "CMS place of service code set"


def stated_of_places(source: Source) -> Stated:  # noqa: ARG001 (what every reader is asked)
    """Nothing: the list names neither a date nor a release."""
    return Stated()


def read_places(source: Source) -> Iterator[NamedTuple]:
    """A Place a row."""
    return made(table(csv_rows(source), PLACE_COLUMNS), _place)


def _place(cells: Cells) -> Place:
    rate = taken(cells, "pfs_rate", RATE).lower()
    setting: Literal["facility", "non-facility"] = "facility" if rate == "facility" else "non-facility"
    return Place(taken(cells, "pos", PLACE), setting, None, None, PLACE_CITATION)


def recognise_places(head: bytes) -> bool:
    """Whether its first line is the header."""
    names = [name.strip(b' "\r') for name in head.split(b"\n", 1)[0].lower().split(b",")]
    return {b"pos", b"pfs_rate"} <= {name.removeprefix(b"\xef\xbb\xbf") for name in names}


PLACE_FORMATS = (
    Format(
        "place-of-service",
        "places of service and rates (csv: pos, pfs_rate)",
        recognise_places,
        stated_of_places,
        read_places,
    ),
)

# In the order of the command's help.
FORMATS = (
    *HCPCS_FORMATS,
    *PLACE_FORMATS,
    *ADJUSTMENT_FORMATS,
)
