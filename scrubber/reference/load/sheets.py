"""Reads rows of published sheets by the names of their columns, for the readers of formats.

CMS writes these sheets with Excel or COBOL: comma-separated, as a workbook, or of fixed width, with titles above the
header and footnotes below the rows. Every row is one line, so that a quote left open makes only its own line
unreadable.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Literal, NamedTuple, TypeVar, cast

from scrubber.reference.load.format import BadRow, SourceFile, StatedRelease
from scrubber.reference.load.text_rows import END_OF_FILE, BadCell, lines_of, matching

HEADER_WITHIN = 40  # rows
TAB = "\t"  # between the cells of a workbook

Cells = Mapping[str, str]
R = TypeVar("R", bound=NamedTuple)


class NumberedLine(NamedTuple):
    """A line that is not blank, without its line end; numbered from 1."""

    number: int
    text: str


class SheetRow(NamedTuple):
    """The stripped cells of a line, in order."""

    line: int
    cells: list[str]


class NamedCells(NamedTuple):
    """The stripped cells of a line, by the column's published name."""

    line: int
    cells: Cells


class CellFormat(NamedTuple):
    """The pattern that a cell must match, and what a message says was expected."""

    pattern: re.Pattern[str]
    expected: str


CODE = CellFormat(re.compile(r"[0-9A-Z]{5}"), "a code of five digits or capital letters")
COMPONENT = CellFormat(re.compile(r"26|TC|53|"), "26, TC, 53 or blank")
STATUS = CellFormat(re.compile(r"[A-Z]"), "a status of one capital letter")
CONTRACTOR = CellFormat(re.compile(r"[0-9]{5}"), "a contractor number of five digits")
LOCALITY = CellFormat(re.compile(r"[0-9]{2}"), "a locality number of two digits")
NAME = CellFormat(re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,400}"), "words")
AMOUNT = CellFormat(re.compile(r"[0-9]{1,9}(\.[0-9]{1,4})?"), "an amount such as 12.34")


def has_line_with(head: bytes, *words: bytes) -> bool:
    """Whether one line holds all the words, in upper or lower case; so a header is recognised among titles.

    A comma in the words also matches the tab between cells of a workbook.
    """
    return any(all(word in line for word in words) for line in head.upper().replace(TAB.encode(), b",").splitlines())


def lines(source: SourceFile) -> Iterator[NumberedLine]:
    """The lines of a file that are not blank. Raises Faults at a line too long to be one."""
    for number, line in enumerate(lines_of(source), start=1):
        text = line.rstrip("\r\n" + END_OF_FILE)
        if text.strip():
            yield NumberedLine(number, text)


def first_lines(source: SourceFile) -> str:
    """The first lines as one text, in which a file states its release."""
    return "\n".join(line.text for line in islice(lines(source), HEADER_WITHIN))


def calendar_year(source: SourceFile, pattern: re.Pattern[str]) -> StatedRelease:
    """The calendar year that the first group of `pattern` finds in the first lines, as a release of that year."""
    found = pattern.search(first_lines(source))
    if not found:
        return StatedRelease()
    year = int(found[1])
    return StatedRelease(str(year), date(year, 1, 1), date(year + 1, 1, 1))


def csv_rows(source: SourceFile) -> Iterator[SheetRow | BadRow]:
    """The rows of a comma-separated file, or of the sheet of a workbook, that have any cell filled."""
    for number, text in lines(source):
        try:
            texts = text.split(TAB) if TAB in text else next(csv.reader([text], strict=True))
            cells = [cell.strip() for cell in texts]
        except csv.Error:
            yield BadRow(number, None, "has a quote that is not closed, or text after a closing quote")
            continue
        if any(cells):
            yield SheetRow(number, cells)


def table(rows: Iterable[SheetRow | BadRow], needed: Mapping[str, re.Pattern[str]]) -> Iterator[NamedCells | BadRow]:
    """The rows below a header, with the needed cells by name; titles above it and footnotes below it are skipped.

    `needed` maps our name of each column to the pattern of its header cell in any year; other columns may come and go.
    The header is the first row that has two needed columns. When it lacks one or has it twice, or when there is no
    header or no row below it, that is the only BadRow.
    """
    numbered = iter(rows)
    found = _header(numbered, needed)
    if isinstance(found, BadRow):
        yield found
        return
    header, positions = found
    empty = True
    for row in numbered:
        if isinstance(row, SheetRow) and _is_footnote(row.cells):
            continue
        empty = False
        yield _with_names(row, header, positions)
    if empty:
        yield BadRow(header.line, None, "no row follows the header")


def _header(
    rows: Iterator[SheetRow | BadRow], needed: Mapping[str, re.Pattern[str]]
) -> tuple[SheetRow, dict[str, int]] | BadRow:
    for row in islice(rows, HEADER_WITHIN):
        if isinstance(row, BadRow):
            continue
        positions = {name: _columns_matching(row.cells, pattern) for name, pattern in needed.items()}
        if sum(map(bool, positions.values())) < 2:
            continue
        wrong = next((name for name, at in positions.items() if len(at) != 1), None)
        if wrong is None:
            return row, {name: at[0] for name, at in positions.items()}
        fault = "stands twice in the header" if positions[wrong] else "is not in the header"
        return BadRow(row.line, wrong, f"{fault}: the layout has changed")
    return BadRow(1, None, f"no header with the columns {', '.join(needed)} in the first {HEADER_WITHIN} rows")


def _columns_matching(cells: list[str], pattern: re.Pattern[str]) -> list[int]:
    return [at for at, cell in enumerate(cells) if pattern.fullmatch(cell)]


def _is_footnote(cells: list[str]) -> bool:
    """A sentence in the first cell and nothing beside it."""
    return " " in cells[0] and not any(cells[1:])


def _with_names(row: SheetRow | BadRow, header: SheetRow, positions: Mapping[str, int]) -> NamedCells | BadRow:
    if isinstance(row, BadRow):
        return row
    if len(row.cells) != len(header.cells):
        return BadRow(row.line, None, f"has {len(row.cells)} cells where the header has {len(header.cells)}")
    return NamedCells(row.line, {name: row.cells[at] for name, at in positions.items()})


def fixed_width(
    rows: Iterable[NumberedLine], columns: Mapping[str, slice], widths: range
) -> Iterator[NamedCells | BadRow]:
    """The rows of a file whose columns have fixed positions in each line."""
    for number, text in rows:
        if len(text) in widths:
            yield NamedCells(number, {name: text[position].strip() for name, position in columns.items()})
        else:
            expected = f"{widths[0]} to {widths[-1]}" if len(widths) > 1 else f"{widths[0]}"
            yield BadRow(number, None, f"has {len(text)} characters where {expected} were expected")


def characters(first: int, last: int) -> slice:
    """The slice of a column as record layouts state it: first and last character, counted from 1."""
    return slice(first - 1, last)


def converted(rows: Iterable[NamedCells | BadRow], convert: Callable[[Cells], R]) -> Iterator[R | BadRow]:
    """What `convert` returns for the cells of each row; a BadRow where it raises BadCell."""
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        try:
            yield convert(row.cells)
        except BadCell as fault:
            yield BadRow(row.line, fault.column, fault.expected)


def taken(cells: Cells, column: str, cell_format: CellFormat) -> str:
    """A cell of the given shape. Raises BadCell."""
    return matching(cells[column], cell_format.pattern, column, cell_format.expected)


def amount(cells: Cells, column: str) -> Decimal:
    """A cell that holds a number without sign. Raises BadCell."""
    return Decimal(taken(cells, column, AMOUNT))


def component(cells: Cells, column: str) -> Literal["", "26", "TC", "53"]:
    """A cell that holds the modifier of a component: professional, technical or discontinued. Raises BadCell."""
    return cast(Literal["", "26", "TC", "53"], taken(cells, column, COMPONENT))


def locality(cells: Cells, contractor: str, number: str) -> str:
    """A locality "CCCCC-LL" from its two cells. Raises BadCell."""
    return f"{taken(cells, contractor, CONTRACTOR)}-{taken(cells, number, LOCALITY)}"


def locality_name(cells: Cells, column: str) -> str:
    """The name of a locality without the asterisks after it, which mark footnotes. Raises BadCell."""
    return taken(cells, column, NAME).rstrip("* ")


def exact_columns(*names: str) -> dict[str, re.Pattern[str]]:
    """Columns for `table` whose header cells are their names, in any case."""
    return {name: re.compile(re.escape(name), re.IGNORECASE) for name in names}
