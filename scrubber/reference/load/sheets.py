"""Reads rows of published sheets by the names of their columns, with titles above and notes below them.

CMS writes these with Excel or COBOL: comma-separated, as a workbook, or of fixed width. Every row stands on one line,
so a quote left open spoils its own line only.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Literal, NamedTuple, TypeVar, cast

from scrubber.reference.load.format import BadRow, Source, Stated
from scrubber.reference.load.text_rows import END_OF_FILE, BadCell, lines_of, matching

HEADER_WITHIN = 40  # rows
TAB = "\t"  # between the cells of a workbook

Cells = Mapping[str, str]
R = TypeVar("R", bound=NamedTuple)


class Line(NamedTuple):
    """A line that is not blank, without its line end; numbered from 1."""

    number: int
    text: str


class Row(NamedTuple):
    """The stripped cells of a line, in order."""

    line: int
    cells: list[str]


class Named(NamedTuple):
    """The stripped cells of a line, by the column's published name."""

    line: int
    cells: Cells


class Shape(NamedTuple):
    """What a cell must look like, and how that is said."""

    pattern: re.Pattern[str]
    expected: str


CODE = Shape(re.compile(r"[0-9A-Z]{5}"), "a code of five digits or capital letters")
COMPONENT = Shape(re.compile(r"26|TC|53|"), "26, TC, 53 or blank")
STATUS = Shape(re.compile(r"[A-Z]"), "a status of one capital letter")
CONTRACTOR = Shape(re.compile(r"[0-9]{5}"), "a contractor number of five digits")
LOCALITY = Shape(re.compile(r"[0-9]{2}"), "a locality number of two digits")
NAME = Shape(re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,400}"), "words")
AMOUNT = Shape(re.compile(r"[0-9]{1,9}(\.[0-9]{1,4})?"), "an amount such as 12.34")


def has_line_with(head: bytes, *words: bytes) -> bool:
    """Whether one line holds all the words, in any case: how a header is recognised among titles.

    Commas of the words stand for the tabs of a workbook, too.
    """
    return any(all(word in line for word in words) for line in head.upper().replace(TAB.encode(), b",").splitlines())


def lines(source: Source) -> Iterator[Line]:
    """The lines of a file that are not blank. Raises Faults at a line too long to be one."""
    for number, line in enumerate(lines_of(source), start=1):
        text = line.rstrip("\r\n" + END_OF_FILE)
        if text.strip():
            yield Line(number, text)


def first_lines(source: Source) -> str:
    """The first lines as one text, for what a file says of its release."""
    return "\n".join(line.text for line in islice(lines(source), HEADER_WITHIN))


def calendar_year(source: Source, pattern: re.Pattern[str]) -> Stated:
    """The calendar year that the first group of `pattern` finds in the first lines, as a release of that year."""
    found = pattern.search(first_lines(source))
    if not found:
        return Stated()
    year = int(found[1])
    return Stated(str(year), date(year, 1, 1), date(year + 1, 1, 1))


def csv_rows(source: Source) -> Iterator[Row | BadRow]:
    """The rows of a comma-separated file, or of the sheet of a workbook, that have any cell filled."""
    for number, text in lines(source):
        try:
            parted = text.split(TAB) if TAB in text else next(csv.reader([text], strict=True))
            cells = [cell.strip() for cell in parted]
        except csv.Error:
            yield BadRow(number, None, "has a quote that is not closed, or text after a closing quote")
            continue
        if any(cells):
            yield Row(number, cells)


def table(rows: Iterable[Row | BadRow], needed: Mapping[str, re.Pattern[str]]) -> Iterator[Named | BadRow]:
    """The rows below a header, with the needed cells by name; titles above it and notes below it are passed over.

    `needed` tells how the header names each column, whatever the year; columns that nobody needs may come and go.
    The header is the first row in which two needed columns stand. When it lacks one or has it twice, or when there is
    no header or no row below it, that is the only BadRow.
    """
    numbered = iter(rows)
    found = _header(numbered, needed)
    if isinstance(found, BadRow):
        yield found
        return
    header, places = found
    empty = True
    for row in numbered:
        if isinstance(row, Row) and _is_note(row.cells):
            continue
        empty = False
        yield _named(row, header, places)
    if empty:
        yield BadRow(header.line, None, "no row follows the header")


def _header(rows: Iterator[Row | BadRow], needed: Mapping[str, re.Pattern[str]]) -> tuple[Row, dict[str, int]] | BadRow:
    for row in islice(rows, HEADER_WITHIN):
        if isinstance(row, BadRow):
            continue
        places = {name: _places(row.cells, pattern) for name, pattern in needed.items()}
        if sum(map(bool, places.values())) < 2:
            continue
        wrong = next((name for name, at in places.items() if len(at) != 1), None)
        if wrong is None:
            return row, {name: at[0] for name, at in places.items()}
        fault = "stands twice in the header" if places[wrong] else "is not in the header"
        return BadRow(row.line, wrong, f"{fault}: the layout has changed")
    return BadRow(1, None, f"no header with the columns {', '.join(needed)} in the first {HEADER_WITHIN} rows")


def _places(cells: list[str], pattern: re.Pattern[str]) -> list[int]:
    return [at for at, cell in enumerate(cells) if pattern.fullmatch(cell)]


def _is_note(cells: list[str]) -> bool:
    """A sentence in the first cell and nothing beside it."""
    return " " in cells[0] and not any(cells[1:])


def _named(row: Row | BadRow, header: Row, places: Mapping[str, int]) -> Named | BadRow:
    if isinstance(row, BadRow):
        return row
    if len(row.cells) != len(header.cells):
        return BadRow(row.line, None, f"has {len(row.cells)} cells where the header has {len(header.cells)}")
    return Named(row.line, {name: row.cells[at] for name, at in places.items()})


def fixed_width(rows: Iterable[Line], columns: Mapping[str, slice], widths: range) -> Iterator[Named | BadRow]:
    """The rows of a file whose columns stand at fixed places of each line."""
    for number, text in rows:
        if len(text) in widths:
            yield Named(number, {name: text[place].strip() for name, place in columns.items()})
        else:
            said = f"{widths[0]} to {widths[-1]}" if len(widths) > 1 else f"{widths[0]}"
            yield BadRow(number, None, f"has {len(text)} characters where {said} were expected")


def characters(first: int, last: int) -> slice:
    """The place of a column as record layouts state it: first and last character, from 1."""
    return slice(first - 1, last)


def made(rows: Iterable[Named | BadRow], make: Callable[[Cells], R]) -> Iterator[R | BadRow]:
    """What `make` makes of each row; a BadRow where it raises BadCell."""
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        try:
            yield make(row.cells)
        except BadCell as fault:
            yield BadRow(row.line, fault.column, fault.expected)


def taken(cells: Cells, column: str, shape: Shape) -> str:
    """A cell of the given shape. Raises BadCell."""
    return matching(cells[column], shape.pattern, column, shape.expected)


def amount(cells: Cells, column: str) -> Decimal:
    """A cell that holds a number without sign. Raises BadCell."""
    return Decimal(taken(cells, column, AMOUNT))


def component(cells: Cells, column: str) -> Literal["", "26", "TC", "53"]:
    """A cell that holds the modifier of a code's part. Raises BadCell."""
    return cast(Literal["", "26", "TC", "53"], taken(cells, column, COMPONENT))


def locality(cells: Cells, contractor: str, number: str) -> str:
    """A locality "CCCCC-LL" from its two cells. Raises BadCell."""
    return f"{taken(cells, contractor, CONTRACTOR)}-{taken(cells, number, LOCALITY)}"


def place_name(cells: Cells, column: str) -> str:
    """A name without the stars behind it, which are marks of footnotes. Raises BadCell."""
    return taken(cells, column, NAME).rstrip("* ")


def named_exactly(*names: str) -> dict[str, re.Pattern[str]]:
    """Columns for `table` whose header cells are their names, in any case."""
    return {name: re.compile(re.escape(name), re.IGNORECASE) for name in names}
