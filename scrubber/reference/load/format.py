"""Defines what a reader of a published format provides to the loader (Format), and what it reads from (SourceFile)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import BinaryIO, NamedTuple, Protocol, TextIO

HEAD_BYTES = 64 * 1024  # of the beginning of a file, by which its format is recognised


class SourceFile(Protocol):
    """One file, or one member of a zip, decompressed as it is read. It may be opened more than once."""

    @property
    def name(self) -> str:
        """The file's name as faults state it; the name of a member of a zip follows that of the zip after `!`."""

    def binary(self) -> BinaryIO:
        """The content from its beginning. The caller closes it."""

    def text(self, encoding: str = "utf-8-sig") -> TextIO:
        """The content as text from its beginning, line ends untouched (newline=""). The caller closes it."""


class BadRow(NamedTuple):
    """A row that cannot be read: 1-based line of the file, name of the column at fault or None, what was expected."""

    line: int
    column: str | None
    message: str


class StatedRelease(NamedTuple):
    """What a file states of its release: name (`2026Q3`, `RVU25D`), first day, first day after it; None: not stated."""

    name: str | None = None
    since: date | None = None
    until: date | None = None


def one_file_is_complete(_names: Sequence[str]) -> None:
    """The check of kinds whose release is a single file: nothing can be missing."""


class Format(NamedTuple):
    """One published layout of one kind of reference data.

    `recognise` is given the first HEAD_BYTES of the content. `stated` reads what the file says of its release. `read`
    yields rows of the types in `reference.tables.TABLES` in the order of the file, and a BadRow for each row that
    cannot be read. It streams: memory does not grow with the file. `check_files` is given the names of all files of a
    load and raises Faults when one is missing.
    """

    kind: str
    title: str
    recognise: Callable[[bytes], bool]
    stated: Callable[[SourceFile], StatedRelease]
    read: Callable[[SourceFile], Iterator[NamedTuple]]
    check_files: Callable[[Sequence[str]], None] = one_file_is_complete


_is_quarter = re.compile(r"([0-9]{4})Q([1-4])").fullmatch


def quarter_by_name(name: str) -> StatedRelease:
    """The days of a release named like 2026Q3; nothing for other names."""
    found = _is_quarter(name)
    return quarter(int(found[1]), int(found[2])) if found else StatedRelease()


def quarter(year: int, number: int) -> StatedRelease:
    """A quarter's name, first day, and first day after it."""
    since = date(year, 3 * number - 2, 1)
    until = date(year + number // 4, (3 * number) % 12 + 1, 1)
    return StatedRelease(f"{year}Q{number}", since, until)
