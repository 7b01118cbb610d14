"""Before any claim: reads the medically unlikely edits for practitioners: csv behind a notice that fills several lines.

Confidential edits are not in the file, so a code that it lacks is not unlimited.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from typing import Literal, NamedTuple

from scrubber.errors import Fault, Faults
from scrubber.reference.edit_rows import Mue
from scrubber.reference.load.cells import BadCell, matching
from scrubber.reference.load.format import BadRow, Format, Source, Stated
from scrubber.reference.load.quarters import quarter

KIND = "ncci-mue"
SOURCE = "CMS NCCI practitioner MUE"
HEADER = ("HCPCS/ CPT Code", "Practitioner Services MUE Values", "MUE Adjudication Indicator", "MUE Rationale")
HEAD_CHARACTERS = 16_384
HEADER_RECORDS = 4  # the header stands within them
MUE_TITLE = re.compile(rb"MUE Values", re.IGNORECASE)
_of_others = re.compile(r"(Outpatient Hospital|Facility Outpatient|DME Supplier)", re.IGNORECASE).search
_effective = re.compile(r"eff[_-]?([0-9]{2})-([0-9]{2})-([0-9]{4})", re.IGNORECASE).search
_CODE = re.compile(r"[0-9A-Z]{5}")
_UNITS = re.compile(r"[0-9]{1,6}")
Numbered = tuple[int, list[str]]


def _recognise(head: bytes) -> bool:
    return b"HCPCS/" in head and MUE_TITLE.search(head) is not None and b"MUE Adjudication Indicator" in head


def _stated(source: Source) -> Stated:
    for _, cells in _records(source):
        found = _one_line(cells)
        if found and found[0] == HEADER[0]:
            _check_header(source, found)
            break
    named = _effective(source.name)
    if not named:
        return Stated()
    first = date(int(named[3]), int(named[1]), int(named[2]))
    return quarter(first.year, (first.month + 2) // 3)


def _read(source: Source) -> Iterator[NamedTuple]:
    records = _records(source)
    for _, cells in (next(records, (0, [])) for _ in range(HEADER_RECORDS)):
        if cells and _one_line(cells)[0] == HEADER[0]:
            break
    else:
        raise Faults([Fault(source.name, 1, "has no header with the column HCPCS/CPT Code: the layout has changed")])
    for number, cells in records:
        if any(cells):
            yield _edit(number, [cell.strip() for cell in cells])


def _records(source: Source) -> Iterator[Numbered]:
    """Each record, with the line that it begins on."""
    with closing(source.text()) as text:
        # The sheet of a workbook comes with tabs.
        tabs = f"\t{HEADER[2]}" in text.read(HEAD_CHARACTERS)
    with closing(source.text()) as text:
        reader = csv.reader(text, delimiter="\t" if tabs else ",")
        number = 1
        try:
            for cells in reader:
                yield number, cells
                number = reader.line_num + 1
        except csv.Error:
            raise Faults([Fault(source.name, number, "cannot be read as csv from here on")]) from None


def _one_line(cells: list[str]) -> list[str]:
    return [" ".join(cell.split()) for cell in cells]


def _check_header(source: Source, found: list[str]) -> None:
    other = _of_others(" ".join(found))
    if other:
        raise Faults([Fault(source.name, 0, f"is the MUE table of another setting ({other[1]}), not of practitioners")])
    for at, wanted in enumerate(HEADER):
        if at >= len(found) or found[at] != wanted:
            raise Faults([Fault(source.name, 0, f"its column {at + 1} is not {wanted!r}: the layout has changed")])


def _edit(number: int, cells: list[str]) -> Mue | BadRow:
    if len(cells) != len(HEADER):
        return BadRow(number, None, f"has {len(cells)} cells where the header has {len(HEADER)}")
    try:
        code = matching(cells[0], _CODE, "HCPCS/CPT Code", "a code of five digits and capitals")
        units = int(matching(cells[1], _UNITS, "MUE Values", "a whole number"))
        return Mue(code, units, _indicator(cells[2]), None, None, SOURCE)
    except BadCell as fault:
        return BadRow(number, fault.column, fault.expected)


def _indicator(cell: str) -> Literal["1", "2", "3"]:
    """`3 Date of Service Edit: Clinical` is 3."""
    match cell[:2].strip():
        case "1":
            return "1"
        case "2":
            return "2"
        case "3":
            return "3"
    raise BadCell("MUE Adjudication Indicator", "expected 1, 2 or 3 in front")


FORMATS = (Format(KIND, "the NCCI MUE table for practitioners", _recognise, _stated, _read),)
