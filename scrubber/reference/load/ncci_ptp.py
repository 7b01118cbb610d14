"""Before any claim: reads the NCCI procedure-to-procedure edits for practitioners, as text in four parts or as xlsx.

Two title lines, a header in pieces over one to four lines, then a window of a pair a line. Deleted edits stay in the
file; one that was deleted on its first day, or before it, was never in force. The table for hospitals has the same
layout, so that only its name tells it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date
from functools import lru_cache
from typing import Literal, NamedTuple, TextIO

from scrubber.errors import Fault, Faults
from scrubber.reference.edit_rows import NEVER, PtpEdit
from scrubber.reference.load.cells import BadCell, compact_day
from scrubber.reference.load.format import BadRow, Format, Source, Stated
from scrubber.reference.load.quarters import quarter

KIND = "ncci-ptp"
SOURCE = "CMS NCCI practitioner PTP"
TITLE = b"Column1/Column2 Edits"
FEWEST_PARTS = 4  # of a table published in parts
FIRST_VERSION = 1994  # version 32 is of 2026
HEADER_LINES = 12  # far more than there are; the first window stands within them
COLUMNS = (
    "Column 1",
    "Column 2",
    "*=in existence prior to 1996",
    "Effective Date",
    "Deletion Date *=no data",
    "Modifier 0=not allowed 1=allowed 9=not applicable",
    "PTP Edit Rationale",
)
# In our own words, as the starter rows have them.
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
_quarter_words = re.compile(r"ncci-?([0-9]{4})-?q([1-4])", re.IGNORECASE).search
_of_hospitals = re.compile(r"ccioph|hospital|outpatient", re.IGNORECASE).search
_part = re.compile(r"-f([0-9]{1,2})(?=\.|!|$)", re.IGNORECASE).findall
_is_code = re.compile(r"[0-9A-Z]{5}").fullmatch
_is_day = re.compile(r"[0-9]{8}").fullmatch


def _recognise(head: bytes) -> bool:
    lines = head[:4096].splitlines()
    return any(line.startswith(TITLE) for line in lines) and any(line.startswith(b"Column 1\t") for line in lines)


def _stated(source: Source) -> Stated:
    with closing(source.text()) as text:
        title = "".join(text.readline(4096) for _ in range(2))
    if _of_hospitals(source.name) or _of_hospitals(title):
        raise Faults(
            [Fault(source.name, 0, "is the PTP table of hospitals; claims of practitioners need `ccipra` files")]
        )
    version = _version(source.name)
    if version:
        return quarter(FIRST_VERSION + int(version[1]), int(version[2]) + 1)
    named = _quarter_words(source.name)
    return quarter(int(named[1]), int(named[2])) if named else Stated()


def check_parts(names: Sequence[str]) -> None:
    """Raises Faults when files are parts, by the -f1, -f2 … of their names, and not all of them are there.

    Nothing in a part tells how many there are; CMS publishes four. A file whose name has no part is complete.
    """
    numbers = {int(found[-1]): name for name in names if (found := _part(name))}
    wanted = range(1, max(FEWEST_PARTS, *numbers) + 1) if numbers else ()
    missing = [f"f{number}" for number in wanted if number not in numbers]
    if missing:
        first = numbers[min(numbers)]
        raise Faults([Fault(first, 0, f"is one part of several, of which {', '.join(missing)} must be given with it")])


def _read(source: Source) -> Iterator[NamedTuple]:
    with closing(source.text()) as text:
        number, line = _first_window(source, text)
        while line:
            cells = line.rstrip("\r\n").split("\t")
            if any(cells):
                yield _edit(number, cells)
            line = text.readline()
            number += 1


def _first_window(source: Source, text: TextIO) -> tuple[int, str]:
    """Number and text of the line of the first window, behind a header that is as it was; none: no text."""
    header: list[list[str]] = []
    for number in range(1, HEADER_LINES + 1):
        line = text.readline(4096)
        cells = line.rstrip("\r\n").split("\t")
        if not line or (len(cells) > 3 and _is_day(cells[3])):
            _check_header(source, header)
            return number, line
        header.append(cells)
    raise Faults([Fault(source.name, HEADER_LINES, "has no edit behind its header: the layout has changed")])


def _check_header(source: Source, lines: list[list[str]]) -> None:
    first = next((number for number, cells in enumerate(lines) if cells[0] == COLUMNS[0]), None)
    if first is None:
        raise Faults([Fault(source.name, 1, f"has no column {COLUMNS[0]!r}: the layout has changed")])
    pieces = [[line[at] for line in lines[first:] if at < len(line)] for at in range(max(map(len, lines[first:])))]
    found = [" ".join(" ".join(column).split()) for column in pieces]
    while found and not found[-1]:
        found.pop()
    for at, wanted in enumerate(COLUMNS):
        if at >= len(found) or found[at] != wanted:
            raise Faults(
                [Fault(source.name, first + 1, f"its column {at + 1} is not {wanted!r}: the layout has changed")]
            )
    if len(found) > len(COLUMNS):
        raise Faults(
            [Fault(source.name, first + 1, f"has {len(found)} columns, not {len(COLUMNS)}: the layout has changed")]
        )


def _edit(number: int, cells: list[str]) -> PtpEdit | BadRow:
    if len(cells) < len(COLUMNS) or any(cells[len(COLUMNS) :]):
        return BadRow(number, None, f"has {len(cells)} cells where the header has {len(COLUMNS)}")
    column1, column2, _, since, deleted, indicator, rationale = cells[: len(COLUMNS)]
    try:
        first, last, word = _since(since), _deleted(deleted), _indicator(indicator)
        return PtpEdit(
            _code(column1, "Column 1"),
            _code(column2, "Column 2"),
            NEVER if last is not None and last <= first else word,
            first,
            last,
            _rationale(rationale),
            SOURCE,
        )
    except BadCell as fault:
        return BadRow(number, fault.column, fault.expected)


@lru_cache(65_536)
def _code(cell: str, column: str) -> str:
    code = cell.strip()
    if not _is_code(code):
        raise BadCell(column, "expected a code of five digits and capitals")
    return code


@lru_cache(64)
def _indicator(cell: str) -> Literal["0", "1", "9"]:
    match cell.strip():
        case "0":
            return "0"
        case "1":
            return "1"
        case "9":
            return "9"
    raise BadCell("Modifier", "expected 0, 1 or 9")


@lru_cache(8_192)
def _since(cell: str) -> date:
    day = compact_day(cell.strip(), "Effective Date")
    if day is None:
        raise BadCell("Effective Date", "must not be blank")
    return day


@lru_cache(8_192)
def _deleted(cell: str) -> date | None:
    text = cell.strip()
    if not text:
        raise BadCell("Deletion Date", "must not be blank: * is for no deletion")
    return None if text == "*" else compact_day(text, "Deletion Date")


@lru_cache(1_024)
def _rationale(cell: str) -> str:
    text = " ".join(cell.split())
    return RATIONALES.get(text.lower(), text)


FORMATS = (Format(KIND, "the NCCI PTP edits for practitioners", _recognise, _stated, _read, check_parts),)
