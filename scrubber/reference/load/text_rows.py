"""Reads lines and CSV records of published text files for the readers of formats, and converts cells to values."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date, timedelta
from operator import itemgetter
from typing import NamedTuple, Protocol

from scrubber.errors import Fault, Faults
from scrubber.reference.load.format import BadRow, SourceFile

LONGEST_LINE = 8 * 1024 * 1024  # characters; the coverage database keeps whole web pages in one cell
ENCODING = "latin-1"  # as CMS writes; the columns that are read hold ASCII only, which most encodings share
BYTE_ORDER_MARK = "\u00ef\u00bb\u00bf"  # that of UTF-8, read as latin-1
END_OF_FILE = "\x1a"  # some mainframe transfers end a file with it


class CsvReader(Iterator[list[str]], Protocol):
    """What `csv.reader` returns."""

    @property
    def line_num(self) -> int:
        """How many lines have been read."""


Convert = Callable[[Sequence[str]], "NamedTuple | None"]


def lines_of(source: SourceFile) -> Iterator[str]:
    """Every line with its end. Raises Faults when one is longer than LONGEST_LINE."""
    with closing(source.text(ENCODING)) as stream:
        number = 0
        while line := stream.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE:
                raise Faults(
                    [Fault(source.name, number, "has a line of over 8 million characters: it is no such file")]
                )
            yield line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line


def fixed_lines(source: SourceFile, convert: Convert) -> Iterator[NamedTuple]:
    """The rows that `convert` returns for each line of a fixed-width file; a BadRow where it raises BadCell.

    `convert` is given a list of one cell, the line.
    """
    for number, line in enumerate(lines_of(source), start=1):
        text = line.rstrip("\r\n")
        if text.strip(" " + END_OF_FILE):
            yield from _converted(number, [text], convert)


def records(
    source: SourceFile, header: Sequence[str], wanted: Sequence[str], convert: Convert, *, exact: bool = True
) -> Iterator[NamedTuple]:
    """The rows that `convert` returns for the `wanted` cells (two or more, stripped) of each record of a CSV file.

    Where it returns None, there is no row. The file's first record must be `header`; with `exact` false it must hold
    the wanted columns. A record with another number of cells, and one for which `convert` raises BadCell, is a BadRow.
    Raises Faults for another header.
    """
    csv.field_size_limit(LONGEST_LINE)  # of the whole process: there is no other way to widen it
    reader = csv.reader(lines_of(source), strict=True)
    found = _first(reader)
    _check_header(source, found, header if exact else wanted, exact)
    pick = itemgetter(*(found.index(name) for name in wanted))
    for number, cells in _numbered(reader):
        if isinstance(cells, str):
            yield BadRow(number, None, cells)
        elif len(cells) != len(found):
            yield BadRow(number, None, f"has {len(cells)} cells where the header has {len(found)}")
        else:
            yield from _converted(number, [cell.strip() for cell in pick(cells)], convert)


def first_record(head: bytes) -> list[str]:
    """The cells of the first line of a CSV file, stripped; none when it cannot be read as such."""
    line = head.split(b"\n", 1)[0].decode(ENCODING).removeprefix(BYTE_ORDER_MARK)
    return _first(csv.reader([line], strict=True))


def begins_with(head: bytes, names: Sequence[str]) -> bool:
    """Whether the first columns of a CSV file are these."""
    return first_record(head)[: len(names)] == list(names)


def _first(reader: Iterator[list[str]]) -> list[str]:
    try:
        return [cell.strip() for cell in next(reader, [])]
    except csv.Error:
        return []


def _numbered(reader: CsvReader) -> Iterator[tuple[int, list[str] | str]]:
    """Line number and cells of each record that is not blank; a message in place of cells that cannot be parsed."""
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield number, "has a quote that is not closed, or text after a closing quote"
            continue
        if cells and cells != [END_OF_FILE]:
            yield number, cells


def _converted(number: int, cells: Sequence[str], convert: Convert) -> Iterator[NamedTuple]:
    try:
        row = convert(cells)
    except BadCell as fault:
        yield BadRow(number, fault.column, fault.expected)
    else:
        if row is not None:
            yield row


def _check_header(source: SourceFile, found: Sequence[str], published: Sequence[str], exact: bool) -> None:
    missing = [name for name in published if name not in found]
    if missing:
        raise Faults([Fault(source.name, 1, f"its header lacks the column {missing[0]}: the layout has changed")])
    if not exact:
        return
    added = [name for name in found if name not in published]
    if added:
        raise Faults([Fault(source.name, 1, f"its header has an unknown column {added[0]!r}: the layout has changed")])
    if list(found) != list(published):
        raise Faults([Fault(source.name, 1, "its header has the columns in another order: the layout has changed")])


_NPI = re.compile(r"[12][0-9]{9}")


class BadCell(ValueError):
    """A cell that cannot be read: its column and what was expected, never its content."""

    def __init__(self, column: str, expected: str) -> None:
        self.column = column
        self.expected = expected
        super().__init__(f"{column}: {expected}")


def compact_day(cell: str, column: str) -> date | None:
    """A day written 20250131; blank: None."""
    return _day(cell, column, r"([0-9]{4})([0-9]{2})([0-9]{2})", "20250131")


def iso_day(cell: str, column: str) -> date | None:
    """A day written 2025-01-31, with or without a time behind it; blank: None."""
    return _day(cell, column, r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[ T][0-9:.]+)?", "2025-01-31")


def us_day(cell: str, column: str) -> date | None:
    """A day written 01/31/2025; blank: None."""
    turned = re.sub(r"^([0-9]{2})/([0-9]{2})/([0-9]{4})$", r"\3-\1-\2", cell)
    if cell and turned == cell:
        raise BadCell(column, "expected a day such as 01/31/2025")
    return iso_day(turned, column)


def day_after(last: date | None) -> date | None:
    """The first day no longer in force, for a published last day; a last day in the year 9999 means no end: None."""
    return None if last is None or last.year == date.max.year else last + timedelta(days=1)


def npi(cell: str, column: str = "NPI") -> str:
    """An NPI: ten digits, the first 1 or 2."""
    if not _NPI.fullmatch(cell):
        raise BadCell(column, "expected ten digits, the first of them 1 or 2")
    return cell


def matching(cell: str, pattern: re.Pattern[str], column: str, expected: str) -> str:
    """The cell, if all of it matches the pattern. Raises BadCell."""
    if not pattern.fullmatch(cell):
        raise BadCell(column, f"expected {expected}")
    return cell


def _day(cell: str, column: str, pattern: str, example: str) -> date | None:
    if not cell:
        return None
    parts = re.fullmatch(pattern, cell)
    if parts is None:
        raise BadCell(column, f"expected a day such as {example}")
    try:
        return date(int(parts[1]), int(parts[2]), int(parts[3]))
    except ValueError:
        raise BadCell(column, "is no day of the calendar") from None
