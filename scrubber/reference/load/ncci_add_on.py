"""Before any claim: reads the NCCI add-on code edits, tab-separated or xlsx. Their dates are a year and its day."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from typing import Literal, NamedTuple

from scrubber.errors import Fault, Faults
from scrubber.reference.edit_rows import AddOn
from scrubber.reference.load.cells import BadCell, matching
from scrubber.reference.load.format import BadRow, Format, Source, Stated
from scrubber.reference.load.quarters import quarter

KIND = "ncci-add-on"
SOURCE = "CMS NCCI add-on code edits"
COLUMNS = (
    "AOC_Edit_Type",
    "Add-On_Code",
    "AOC_DelDT",
    "Primary_Code",
    "Primary_Code_DelDT",
    "AOC_Edit_EffDT",
    "AOC_Edit_DelDT",
    "Special_Instruction_Notes",
)
HEADER_LINES = 6  # the header stands within them, behind a notice
_quarter_named = re.compile(r"AOC_?V?([0-9]{4})Q([1-4])", re.IGNORECASE).search
_CODE = re.compile(r"[0-9A-Z]{5}")
_DAY = re.compile(r"([0-9]{4})([0-9]{3})")


def _recognise(head: bytes) -> bool:
    return any(line.startswith(b"AOC_Edit_Type\t") for line in head.splitlines()[:HEADER_LINES])


def _stated(source: Source) -> Stated:
    named = _quarter_named(source.name)
    return quarter(int(named[1]), int(named[2])) if named else Stated()


def _read(source: Source) -> Iterator[NamedTuple]:
    with closing(source.text()) as text:
        header = False
        for number, line in enumerate(text, start=1):
            cells = [cell.strip() for cell in line.rstrip("\r\n").split("\t")]
            if header and any(cells):
                yield _edit(number, cells)
            elif cells[0] == COLUMNS[0]:
                _check_header(source, number, cells)
                header = True


def _check_header(source: Source, number: int, found: list[str]) -> None:
    for at, wanted in enumerate(COLUMNS):
        if at >= len(found) or found[at] != wanted:
            raise Faults([Fault(source.name, number, f"its column {at + 1} is not {wanted!r}: the layout has changed")])


def _edit(number: int, cells: list[str]) -> AddOn | BadRow:
    if len(cells) < len(COLUMNS) - 1:  # blank notes at the end may be cut off
        return BadRow(number, None, f"has {len(cells)} cells where the header has {len(COLUMNS)}")
    kind, code, code_deleted, primary, primary_deleted, since, deleted = cells[: len(COLUMNS) - 1]
    try:
        ends = (
            _day(code_deleted, "AOC_DelDT"),
            _day(primary_deleted, "Primary_Code_DelDT"),
            _day(deleted, "AOC_Edit_DelDT"),
        )
        return AddOn(
            matching(code, _CODE, "Add-On_Code", "a code of five digits and capitals"),
            matching(primary, _CODE, "Primary_Code", "a code of five digits and capitals, or CCCCC"),
            _kind(kind),
            _day(since, "AOC_Edit_EffDT"),
            min((day for day in ends if day), default=None),
            SOURCE,
        )
    except BadCell as fault:
        return BadRow(number, fault.column, fault.expected)


def _kind(cell: str) -> Literal["1", "2", "3"]:
    match cell:
        case "1":
            return "1"
        case "2":
            return "2"
        case "3":
            return "3"
    raise BadCell("AOC_Edit_Type", "expected 1, 2 or 3")


def _day(cell: str, column: str) -> date | None:
    """A day written 2026032, the 32nd of 2026; blank or zeros: None."""
    if not cell.strip("0"):
        return None
    parts = _DAY.fullmatch(cell)
    first = date(int(parts[1]), 1, 1) if parts and parts[1] != "0000" else None
    day = first and parts and first + timedelta(days=int(parts[2]) - 1)
    if first is None or not day or day.year != first.year:
        raise BadCell(column, "expected a year and its day, such as 2026032")
    return day


FORMATS = (Format(KIND, "the NCCI add-on code edits", _recognise, _stated, _read),)
