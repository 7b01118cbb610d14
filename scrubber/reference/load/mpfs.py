"""Reads CMS's physician fee schedule files (PPRRVU), comma-separated or of fixed width.

The title names year and month: RVU25A is January, B April, C July, D October. Its days are those of that quarter, since
the next release brings later changes. A correction (RVU24AR) has the title of the release that it corrects; the
operator names such a release, and one whose title has another month.

Both forms have the same columns and give the same rows: first the ConversionFactor of the file, then a FeeRow for each
line, without the descriptor. Since 2026 there is one factor for qualifying APM participants and one for all others, in
two files that differ in nothing else; only their names say which is which: `..._QPP` and `..._nonQPP`.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from scrubber.reference.fee_rows import ConversionFactor, FeeRow
from scrubber.reference.load.format import BadRow, Format, SourceFile, StatedRelease, quarter
from scrubber.reference.load.sheets import (
    CODE,
    STATUS,
    CellFormat,
    Cells,
    NamedCells,
    SheetRow,
    amount,
    characters,
    component,
    csv_rows,
    exact_columns,
    first_lines,
    fixed_width,
    has_line_with,
    lines,
    table,
    taken,
)
from scrubber.reference.load.text_rows import BadCell, us_day

QUARTERS = {"January": ("A", 1), "April": ("B", 2), "July": ("C", 3), "October": ("D", 4)}
TITLE = re.compile(r"(20[0-9]{2}) National Physician Fee Schedule Relative Value File (\w+) Release", re.IGNORECASE)
RELEASED = re.compile(r"RELEASED ([0-9]{2}/[0-9]{2}/[0-9]{4})", re.IGNORECASE)


class Title(NamedTuple):
    """Calendar year, release with its days, and the day it was published; None: not stated."""

    year: int | None
    stated: StatedRelease
    released: date | None

    @property
    def citation(self) -> str:
        """The source of every row of the file."""
        name = self.stated.name or "physician fee schedule relative value file"
        return f"CMS {name}, released {self.released}" if self.released else f"CMS {name}"


def read_title(source: SourceFile) -> Title:
    """The title of a file, as far as it has one."""
    text = first_lines(source)
    found = TITLE.search(text)
    if found is None:
        return Title(None, StatedRelease(), _released(text))
    year = int(found[1])
    return Title(year, _quarter(year, found[2].capitalize()), _released(text))


def _quarter(year: int, month: str) -> StatedRelease:
    if month not in QUARTERS:
        return StatedRelease()
    letter, number = QUARTERS[month]
    return quarter(year, number)._replace(name=f"RVU{year % 100:02}{letter}")


def _released(text: str) -> date | None:
    found = RELEASED.search(text)
    try:
        return us_day(found[1], "RELEASED") if found else None
    except BadCell:
        return None


KIND = "mpfs"
HEADER_ROWS = 5  # the words of a column's name are spread over these rows, one below the other
TWO_FACTORS_SINCE = 2026

FACTOR = "CONV FACTOR"
SUPERVISION = "PHYSICIAN SUPERVISION OF DIAGNOSTIC PROCEDURES"
UNUSED = "NOT USED FOR MEDICARE PAYMENT"
PAYABLE = frozenset("ART")
CSV_COLUMNS = exact_columns(
    "HCPCS", "MOD", "STATUS CODE", UNUSED, "WORK RVU", "NON-FAC PE RVU", "NON-FAC NA INDICATOR", "FACILITY PE RVU",
    "FACILITY NA INDICATOR", "MP RVU", "PCTC IND", "GLOB DAYS", "PRE OP", "INTRA OP", "POST OP", "MULT PROC",
    "BILAT SURG", "ASST SURG", "CO- SURG", "TEAM SURG", "ENDO BASE", FACTOR, SUPERVISION,
    "DIAGNOSTIC IMAGING FAMILY INDICATOR",
    "NON-FACILITY PE USED FOR OPPS PAYMENT AMOUNT", "FACILITY PE USED FOR OPPS PAYMENT AMOUNT",
    "MP USED FOR OPPS PAYMENT AMOUNT",
)  # fmt: skip
TEXT_COLUMNS = {
    "HCPCS": characters(1, 5),
    "MOD": characters(6, 7),
    "STATUS CODE": characters(58, 58),
    "WORK RVU": characters(60, 65),
    "NON-FAC PE RVU": characters(67, 72),
    "NON-FAC NA INDICATOR": characters(73, 74),
    "FACILITY PE RVU": characters(76, 81),
    "FACILITY NA INDICATOR": characters(82, 83),
    "MP RVU": characters(85, 89),
    "PCTC IND": characters(103, 103),
    "GLOB DAYS": characters(104, 106),
    "PRE OP": characters(107, 109),
    "INTRA OP": characters(110, 112),
    "POST OP": characters(113, 115),
    "MULT PROC": characters(116, 116),
    "BILAT SURG": characters(117, 117),
    "ASST SURG": characters(118, 118),
    "CO- SURG": characters(119, 119),
    "TEAM SURG": characters(120, 120),
    "ENDO BASE": characters(128, 132),
    FACTOR: characters(133, 140),
    SUPERVISION: characters(142, 143),
    "DIAGNOSTIC IMAGING FAMILY INDICATOR": characters(146, 147),
    "NON-FACILITY PE USED FOR OPPS PAYMENT AMOUNT": characters(152, 157),
    "FACILITY PE USED FOR OPPS PAYMENT AMOUNT": characters(159, 164),
    "MP USED FOR OPPS PAYMENT AMOUNT": characters(165, 200),
}
TEXT_WIDTHS = range(168, 201)  # blanks at the end may be cut off
TEXT_HEADER = "HDR"

INDICATOR = CellFormat(re.compile(r"[0-9]"), "an indicator of one digit")
GLOBAL = CellFormat(re.compile(r"[0-9]{3}|[A-Z]{3}"), "global days such as 090 or XXX")
SHARE = CellFormat(re.compile(r"[01]?(\.[0-9]{1,2})?"), "a share such as 0.10, or blank")
LEVEL = CellFormat(re.compile(r"[0-9][0-9A-Z]|"), "a supervision level such as 01, or blank")
FAMILY = CellFormat(re.compile(r"[0-9]{2}"), "an imaging family of two digits")
BASE = CellFormat(re.compile(r"[0-9A-Z]{5}|"), "the code of an endoscopic base, or blank")
NOT_DONE = CellFormat(re.compile(r"NA|"), "NA or blank")
PLUS = CellFormat(re.compile(r"\+|"), "+ or blank")


def read_csv(source: SourceFile) -> Iterator[NamedTuple]:
    """Rows of a comma-separated file, which has 31 columns to 2025 and 32 in 2026."""
    return _read(source, table(_stacked(csv_rows(source)), CSV_COLUMNS))


def read_text(source: SourceFile) -> Iterator[NamedTuple]:
    """Rows of a file of fixed width."""
    data = (line for line in lines(source) if not line.text.startswith(TEXT_HEADER))
    return _read(source, (_with_blank_flag(row) for row in fixed_width(data, TEXT_COLUMNS, TEXT_WIDTHS)))


def _with_blank_flag(row: NamedCells | BadRow) -> NamedCells | BadRow:
    """The row with a blank for the flag "not used for Medicare payment", a column that fixed-width files lack."""
    return NamedCells(row.line, {**row.cells, UNUSED: ""}) if isinstance(row, NamedCells) else row


def _stacked(rows: Iterable[SheetRow | BadRow]) -> Iterator[SheetRow | BadRow]:
    """The rows with the pieces of the header joined in its last row."""
    above: deque[list[str]] = deque(maxlen=HEADER_ROWS)
    seeking = True
    for row in rows:
        if seeking and isinstance(row, SheetRow):
            above.append(row.cells)
            if row.cells[:2] == ["HCPCS", "MOD"]:
                seeking = False
                row = SheetRow(row.line, _joined(above))
        yield row


def _joined(stack: Iterable[list[str]]) -> list[str]:
    return [" ".join(" ".join(pieces).split()) for pieces in zip(*stack, strict=False)]


def _read(source: SourceFile, rows: Iterator[NamedCells | BadRow]) -> Iterator[NamedTuple]:
    title = read_title(source)
    qualifying = _qualifying(re.split(r"[/\\!]", source.name)[-1], title.year)
    if isinstance(qualifying, BadRow):
        yield qualifying
        return
    factor: Decimal | None = None
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        try:
            own, fee = _factor_and_fee(row.cells, title, factor)
        except BadCell as fault:
            yield BadRow(row.line, fault.column, fault.expected)
            continue
        if factor is None:
            factor = own
            yield ConversionFactor(qualifying, factor, None, None, title.citation)
        yield fee


def _qualifying(name: str, year: int | None) -> bool | BadRow | None:
    """Whether the factor is that of qualifying APM participants, by the file's name; None: everyone's (before 2026)."""
    in_name = re.search(r"PPRRVU(?:20)?([0-9]{2})", name, re.IGNORECASE)
    year = year or (2000 + int(in_name[1]) if in_name else None)
    if year is not None and year < TWO_FACTORS_SINCE:
        return None
    label = re.search(r"(non[-_ ]?)?QPP", name, re.IGNORECASE)
    if label:
        return label[1] is None
    return BadRow(1, FACTOR, "the file's name must hold QPP or nonQPP, as published: nothing else tells whose it is")


def _factor_and_fee(cells: Cells, title: Title, above: Decimal | None) -> tuple[Decimal, FeeRow]:
    factor = amount(cells, FACTOR)
    if not factor:
        raise BadCell(FACTOR, "must not be zero")
    if above not in (None, factor):
        raise BadCell(FACTOR, "differs from that of the rows above it")
    return factor, _fee_row(cells, title)


def _fee_row(cells: Cells, title: Title) -> FeeRow:
    status = taken(cells, "STATUS CODE", STATUS)
    if taken(cells, UNUSED, PLUS) and status in PAYABLE:
        raise BadCell(UNUSED, f"+ contradicts the status, which Medicare pays by: {', '.join(sorted(PAYABLE))}")
    return FeeRow(
        code=taken(cells, "HCPCS", CODE),
        component=component(cells, "MOD"),
        status=status,
        work=amount(cells, "WORK RVU"),
        non_facility_pe=amount(cells, "NON-FAC PE RVU"),
        facility_pe=amount(cells, "FACILITY PE RVU"),
        mp=amount(cells, "MP RVU"),
        non_facility_na=bool(taken(cells, "NON-FAC NA INDICATOR", NOT_DONE)),
        facility_na=bool(taken(cells, "FACILITY NA INDICATOR", NOT_DONE)),
        pc_tc=taken(cells, "PCTC IND", INDICATOR),
        global_days=taken(cells, "GLOB DAYS", GLOBAL),
        multiple=taken(cells, "MULT PROC", INDICATOR),
        bilateral=taken(cells, "BILAT SURG", INDICATOR),
        assistant=taken(cells, "ASST SURG", INDICATOR),
        co_surgeon=taken(cells, "CO- SURG", INDICATOR),
        team=taken(cells, "TEAM SURG", INDICATOR),
        endoscopic_base=taken(cells, "ENDO BASE", BASE) or None,
        imaging_family=taken(cells, "DIAGNOSTIC IMAGING FAMILY INDICATOR", FAMILY),
        opps_non_facility_pe=amount(cells, "NON-FACILITY PE USED FOR OPPS PAYMENT AMOUNT"),
        opps_facility_pe=amount(cells, "FACILITY PE USED FOR OPPS PAYMENT AMOUNT"),
        opps_mp=amount(cells, "MP USED FOR OPPS PAYMENT AMOUNT"),
        preoperative=_share(cells, "PRE OP"),
        intraoperative=_share(cells, "INTRA OP"),
        postoperative=_share(cells, "POST OP"),
        supervision=taken(cells, SUPERVISION, LEVEL) or None,
        since=None,
        until=None,
        release=title.stated.name or "",
        source=title.citation,
    )


def _share(cells: Cells, column: str) -> Decimal | None:
    text = taken(cells, column, SHARE)
    return Decimal(text).quantize(Decimal("0.01")) if text else None


def _is_csv(head: bytes) -> bool:
    return has_line_with(head, b"HCPCS,MOD,DESCRIPTION,")


def _is_text(head: bytes) -> bool:
    rows = [line.rstrip(b"\r") for line in head.split(b"\n")]
    return rows[0].startswith(TEXT_HEADER.encode()) and any(
        len(row) in TEXT_WIDTHS and re.match(rb"[0-9A-Z]{5}", row) for row in rows
    )


def _stated(source: SourceFile) -> StatedRelease:
    return read_title(source).stated


FORMATS = (
    Format(KIND, "physician fee schedule, comma-separated (PPRRVU csv)", _is_csv, _stated, read_csv),
    Format(KIND, "physician fee schedule, fixed width (PPRRVU txt)", _is_text, _stated, read_text),
)
