"""Reads NCCI edits for practitioners as CMS publishes them: PTP pairs, MUE units of service, add-on codes.

A PTP file has two title lines, a header whose cells are spread over one to four lines, and then on each line a pair
with the days it is in force. Deleted edits stay in the file; one that was deleted on its first day, or before it, was
never in force. The table for hospitals has the same layout and is recognised by its name only.

Confidential MUE values are not published, so a code that the MUE file lacks may have a limit all the same.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple, TextIO

from scrubber.errors import Fault, Faults
from scrubber.reference.load.format import BadRow, Format, SourceFile, StatedRelease, quarter
from scrubber.reference.load.text_rows import BadCell, compact_day, matching
from scrubber.reference.rows import NEVER, AddOn, Mue, PtpEdit

PTP = "ncci-ptp"
PTP_SOURCE = "CMS NCCI practitioner PTP"
TITLE = b"Column1/Column2 Edits"
FEWEST_FILES = 4  # of a table published in parts
FIRST_VERSION = 1994  # version 32 is of 2026
PTP_HEADER_LINES = 12  # far more than published files have; the first edit must come within them
PTP_COLUMNS = (
    "Column 1",
    "Column 2",
    "*=in existence prior to 1996",
    "Effective Date",
    "Deletion Date *=no data",
    "Modifier 0=not allowed 1=allowed 9=not applicable",
    "PTP Edit Rationale",
)
# Published rationale -> ours, as the starter tables have it.
RATIONALES = {
    "anesthesia service included in surgical procedure": "anesthesia-included",
    "cpt manual or cms manual coding instruction": "coding-instruction",
    "cpt separate procedure definition": "separate-procedure",
    "gender-specific procedures": "gender-specific",
    "hcpcs/cpt procedure code definition": "code-definition",
    "laboratory panel": "laboratory-panel",
    "misuse of column two code with column one code": "misuse-of-column-two",
    "more extensive procedure": "more-extensive-procedure",
    "mutually exclusive procedures": "mutually-exclusive",
    "sequential procedure": "sequential-procedure",
    "standard preparation/monitoring services for anesthesia": "anesthesia-preparation",
    "standards of medical/surgical practice": "standards-of-practice",
}
_version = re.compile(r"cci[a-z]{2,3}-v([0-9]{2})([0-3])", re.IGNORECASE).search
_quarter_in_ptp_name = re.compile(r"ncci-?([0-9]{4})-?q([1-4])", re.IGNORECASE).search
_of_hospitals = re.compile(r"ccioph|hospital|outpatient", re.IGNORECASE).search
_file_numbers = re.compile(r"-f([0-9]{1,2})(?=\.|!|$)", re.IGNORECASE).findall
_is_code = re.compile(r"[0-9A-Z]{5}").fullmatch
_is_day = re.compile(r"[0-9]{8}").fullmatch


def _recognise_ptp(head: bytes) -> bool:
    lines = head[:4096].splitlines()
    return any(line.startswith(TITLE) for line in lines) and any(line.startswith(b"Column 1\t") for line in lines)


def _stated_of_ptp(source: SourceFile) -> StatedRelease:
    with closing(source.text()) as text:
        title = "".join(text.readline(4096) for _ in range(2))
    if _of_hospitals(source.name) or _of_hospitals(title):
        raise Faults(
            [Fault(source.name, 0, "is the PTP table of hospitals; claims of practitioners need `ccipra` files")]
        )
    version = _version(source.name)
    if version:
        return quarter(FIRST_VERSION + int(version[1]), int(version[2]) + 1)
    in_name = _quarter_in_ptp_name(source.name)
    return quarter(int(in_name[1]), int(in_name[2])) if in_name else StatedRelease()


def check_all_files(names: Sequence[str]) -> None:
    """Raises Faults when the names say -f1, -f2 …: files of one table, and one of these files is missing.

    Nothing in a file states how many there are; CMS publishes four. A file whose name has no such number is complete.
    """
    numbers = {int(found[-1]): name for name in names if (found := _file_numbers(name))}
    wanted = range(1, max(FEWEST_FILES, *numbers) + 1) if numbers else ()
    missing = [f"f{number}" for number in wanted if number not in numbers]
    if missing:
        first = numbers[min(numbers)]
        raise Faults([Fault(first, 0, f"is one part of several, of which {', '.join(missing)} must be given with it")])


def _read_ptp(source: SourceFile) -> Iterator[NamedTuple]:
    with closing(source.text()) as text:
        number, line = _first_window(source, text)
        while line:
            cells = line.rstrip("\r\n").split("\t")
            if any(cells):
                yield _ptp_edit(number, cells)
            line = text.readline()
            number += 1


def _first_window(source: SourceFile, text: TextIO) -> tuple[int, str]:
    """Number and text of the first line with an edit; the text is empty where there is none.

    Raises Faults when the header before it has changed.
    """
    header: list[list[str]] = []
    for number in range(1, PTP_HEADER_LINES + 1):
        line = text.readline(4096)
        cells = line.rstrip("\r\n").split("\t")
        if not line or (len(cells) > 3 and _is_day(cells[3])):
            _check_ptp_header(source, header)
            return number, line
        header.append(cells)
    raise Faults([Fault(source.name, PTP_HEADER_LINES, "has no edit behind its header: the layout has changed")])


def _check_ptp_header(source: SourceFile, lines: list[list[str]]) -> None:
    first = next((number for number, cells in enumerate(lines) if cells[0] == PTP_COLUMNS[0]), None)
    if first is None:
        raise Faults([Fault(source.name, 1, f"has no column {PTP_COLUMNS[0]!r}: the layout has changed")])
    pieces = [[line[at] for line in lines[first:] if at < len(line)] for at in range(max(map(len, lines[first:])))]
    found = [" ".join(" ".join(column).split()) for column in pieces]
    while found and not found[-1]:
        found.pop()
    for at, wanted in enumerate(PTP_COLUMNS):
        if at >= len(found) or found[at] != wanted:
            raise Faults(
                [Fault(source.name, first + 1, f"its column {at + 1} is not {wanted!r}: the layout has changed")]
            )
    if len(found) > len(PTP_COLUMNS):
        raise Faults(
            [Fault(source.name, first + 1, f"has {len(found)} columns, not {len(PTP_COLUMNS)}: the layout has changed")]
        )


def _ptp_edit(number: int, cells: list[str]) -> PtpEdit | BadRow:
    if len(cells) < len(PTP_COLUMNS) or any(cells[len(PTP_COLUMNS) :]):
        return BadRow(number, None, f"has {len(cells)} cells where the header has {len(PTP_COLUMNS)}")
    column1, column2, _, since, deleted, indicator, rationale = cells[: len(PTP_COLUMNS)]
    try:
        first, last, word = _ptp_since(since), _ptp_deleted(deleted), _modifier_indicator(indicator)
        return PtpEdit(
            _ptp_code(column1, "Column 1"),
            _ptp_code(column2, "Column 2"),
            NEVER if last is not None and last <= first else word,
            first,
            last,
            _rationale(rationale),
            PTP_SOURCE,
        )
    except BadCell as fault:
        return BadRow(number, fault.column, fault.expected)


@lru_cache(65_536)
def _ptp_code(cell: str, column: str) -> str:
    code = cell.strip()
    if not _is_code(code):
        raise BadCell(column, "expected a code of five digits and capitals")
    return code


@lru_cache(64)
def _modifier_indicator(cell: str) -> Literal["0", "1", "9"]:
    match cell.strip():
        case "0":
            return "0"
        case "1":
            return "1"
        case "9":
            return "9"
    raise BadCell("Modifier", "expected 0, 1 or 9")


@lru_cache(8_192)
def _ptp_since(cell: str) -> date:
    day = compact_day(cell.strip(), "Effective Date")
    if day is None:
        raise BadCell("Effective Date", "must not be blank")
    return day


@lru_cache(8_192)
def _ptp_deleted(cell: str) -> date | None:
    text = cell.strip()
    if not text:
        raise BadCell("Deletion Date", "must not be blank: * is for no deletion")
    return None if text == "*" else compact_day(text, "Deletion Date")


@lru_cache(1_024)
def _rationale(cell: str) -> str:
    text = " ".join(cell.split())
    return RATIONALES.get(text.lower(), text)


PTP_FORMATS = (
    Format(PTP, "the NCCI PTP edits for practitioners", _recognise_ptp, _stated_of_ptp, _read_ptp, check_all_files),
)


MUE = "ncci-mue"
MUE_SOURCE = "CMS NCCI practitioner MUE"
HEADER = ("HCPCS/ CPT Code", "Practitioner Services MUE Values", "MUE Adjudication Indicator", "MUE Rationale")
HEAD_CHARACTERS = 16_384
HEADER_RECORDS = 4  # the header comes within them
MUE_TITLE = re.compile(rb"MUE Values", re.IGNORECASE)
_of_others = re.compile(r"(Outpatient Hospital|Facility Outpatient|DME Supplier)", re.IGNORECASE).search
_effective = re.compile(r"eff[_-]?([0-9]{2})-([0-9]{2})-([0-9]{4})", re.IGNORECASE).search
_MUE_CODE = re.compile(r"[0-9A-Z]{5}")
_UNITS = re.compile(r"[0-9]{1,6}")
Numbered = tuple[int, list[str]]


def _recognise_mue(head: bytes) -> bool:
    return b"HCPCS/" in head and MUE_TITLE.search(head) is not None and b"MUE Adjudication Indicator" in head


def _stated_of_mue(source: SourceFile) -> StatedRelease:
    for _, cells in _mue_records(source):
        found = _one_line(cells)
        if found and found[0] == HEADER[0]:
            _check_mue_header(source, found)
            break
    in_name = _effective(source.name)
    if not in_name:
        return StatedRelease()
    first = date(int(in_name[3]), int(in_name[1]), int(in_name[2]))
    return quarter(first.year, (first.month + 2) // 3)


def _read_mue(source: SourceFile) -> Iterator[NamedTuple]:
    records = _mue_records(source)
    for _, cells in (next(records, (0, [])) for _ in range(HEADER_RECORDS)):
        if cells and _one_line(cells)[0] == HEADER[0]:
            break
    else:
        raise Faults([Fault(source.name, 1, "has no header with the column HCPCS/CPT Code: the layout has changed")])
    for number, cells in records:
        if any(cells):
            yield _mue(number, [cell.strip() for cell in cells])


def _mue_records(source: SourceFile) -> Iterator[Numbered]:
    """Each record, with the number of the line that it begins on."""
    with closing(source.text()) as text:
        # The sheet of a workbook has tabs between its cells (archive.tab_separated).
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


def _check_mue_header(source: SourceFile, found: list[str]) -> None:
    other = _of_others(" ".join(found))
    if other:
        raise Faults([Fault(source.name, 0, f"is the MUE table of another setting ({other[1]}), not of practitioners")])
    for at, wanted in enumerate(HEADER):
        if at >= len(found) or found[at] != wanted:
            raise Faults([Fault(source.name, 0, f"its column {at + 1} is not {wanted!r}: the layout has changed")])


def _mue(number: int, cells: list[str]) -> Mue | BadRow:
    if len(cells) != len(HEADER):
        return BadRow(number, None, f"has {len(cells)} cells where the header has {len(HEADER)}")
    try:
        code = matching(cells[0], _MUE_CODE, "HCPCS/CPT Code", "a code of five digits and capitals")
        units = int(matching(cells[1], _UNITS, "MUE Values", "a whole number"))
        return Mue(code, units, _adjudication_indicator(cells[2]), None, None, MUE_SOURCE)
    except BadCell as fault:
        return BadRow(number, fault.column, fault.expected)


def _adjudication_indicator(cell: str) -> Literal["1", "2", "3"]:
    """`3 Date of Service Edit: Clinical` is 3."""
    match cell[:2].strip():
        case "1":
            return "1"
        case "2":
            return "2"
        case "3":
            return "3"
    raise BadCell("MUE Adjudication Indicator", "expected 1, 2 or 3 in front")


MUE_FORMATS = (Format(MUE, "the NCCI MUE table for practitioners", _recognise_mue, _stated_of_mue, _read_mue),)


ADD_ON = "ncci-add-on"
ADD_ON_SOURCE = "CMS NCCI add-on code edits"
ADD_ON_COLUMNS = (
    "AOC_Edit_Type",
    "Add-On_Code",
    "AOC_DelDT",
    "Primary_Code",
    "Primary_Code_DelDT",
    "AOC_Edit_EffDT",
    "AOC_Edit_DelDT",
    "Special_Instruction_Notes",
)
ADD_ON_HEADER_LINES = 6  # the header comes within them, after a notice
_quarter_in_add_on_name = re.compile(r"AOC_?V?([0-9]{4})Q([1-4])", re.IGNORECASE).search
_ADD_ON_CODE = re.compile(r"[0-9A-Z]{5}")
_DAY = re.compile(r"([0-9]{4})([0-9]{3})")


def _recognise_add_on(head: bytes) -> bool:
    return any(line.startswith(b"AOC_Edit_Type\t") for line in head.splitlines()[:ADD_ON_HEADER_LINES])


def _stated_of_add_on(source: SourceFile) -> StatedRelease:
    in_name = _quarter_in_add_on_name(source.name)
    return quarter(int(in_name[1]), int(in_name[2])) if in_name else StatedRelease()


def _read_add_on(source: SourceFile) -> Iterator[NamedTuple]:
    with closing(source.text()) as text:
        header = False
        for number, line in enumerate(text, start=1):
            cells = [cell.strip() for cell in line.rstrip("\r\n").split("\t")]
            if header and any(cells):
                yield _add_on(number, cells)
            elif cells[0] == ADD_ON_COLUMNS[0]:
                _check_add_on_header(source, number, cells)
                header = True


def _check_add_on_header(source: SourceFile, number: int, found: list[str]) -> None:
    for at, wanted in enumerate(ADD_ON_COLUMNS):
        if at >= len(found) or found[at] != wanted:
            raise Faults([Fault(source.name, number, f"its column {at + 1} is not {wanted!r}: the layout has changed")])


def _add_on(number: int, cells: list[str]) -> AddOn | BadRow:
    if len(cells) < len(ADD_ON_COLUMNS) - 1:  # blank notes at the end may be cut off
        return BadRow(number, None, f"has {len(cells)} cells where the header has {len(ADD_ON_COLUMNS)}")
    kind, code, code_deleted, primary, primary_deleted, since, deleted = cells[: len(ADD_ON_COLUMNS) - 1]
    try:
        ends = (
            _add_on_day(code_deleted, "AOC_DelDT"),
            _add_on_day(primary_deleted, "Primary_Code_DelDT"),
            _add_on_day(deleted, "AOC_Edit_DelDT"),
        )
        return AddOn(
            matching(code, _ADD_ON_CODE, "Add-On_Code", "a code of five digits and capitals"),
            matching(primary, _ADD_ON_CODE, "Primary_Code", "a code of five digits and capitals, or CCCCC"),
            _add_on_kind(kind),
            _add_on_day(since, "AOC_Edit_EffDT"),
            min((day for day in ends if day), default=None),
            ADD_ON_SOURCE,
        )
    except BadCell as fault:
        return BadRow(number, fault.column, fault.expected)


def _add_on_kind(cell: str) -> Literal["1", "2", "3"]:
    match cell:
        case "1":
            return "1"
        case "2":
            return "2"
        case "3":
            return "3"
    raise BadCell("AOC_Edit_Type", "expected 1, 2 or 3")


def _add_on_day(cell: str, column: str) -> date | None:
    """A day written 2026032, the 32nd of 2026; blank or zeros: None."""
    if not cell.strip("0"):
        return None
    parts = _DAY.fullmatch(cell)
    first = date(int(parts[1]), 1, 1) if parts and parts[1] != "0000" else None
    day = first and parts and first + timedelta(days=int(parts[2]) - 1)
    if first is None or not day or day.year != first.year:
        raise BadCell(column, "expected a year and its day, such as 2026032")
    return day


ADD_ON_FORMATS = (Format(ADD_ON, "the NCCI add-on code edits", _recognise_add_on, _stated_of_add_on, _read_add_on),)
