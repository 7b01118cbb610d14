"""What a reader of one published format is, and what it reads from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import BinaryIO, NamedTuple, Protocol, TextIO

HEAD_BYTES = 64 * 1024  # what a format is recognised by


class Source(Protocol):
    """One file, or one member of a zip, already decompressed as it is read. May be opened more than once."""

    @property
    def name(self) -> str:
        """The file's name as it is told in faults; a member of a zip stands after `!`."""

    def binary(self) -> BinaryIO:
        """The content from its beginning. The caller closes it."""

    def text(self, encoding: str = "utf-8-sig") -> TextIO:
        """The content as text from its beginning, line ends untouched (newline=""). The caller closes it."""


class BadRow(NamedTuple):
    """A row that cannot be read: 1-based line of the file, column name if one is at fault, what was expected."""

    line: int
    column: str | None
    message: str


class Stated(NamedTuple):
    """What a file says of its release, as far as it says it: name (`2026Q3`, `RVU25D`), first day, first day after."""

    name: str | None = None
    since: date | None = None
    until: date | None = None


def complete(_names: Sequence[str]) -> None:
    """Of most kinds one file is all of it."""


class Format(NamedTuple):
    """One published layout of one kind of reference data.

    `recognise` is given the first HEAD_BYTES of the content. `stated` reads what the file says of its release.
    `read` yields rows of the types in `catalogue.TABLES` in the order of the file, and a BadRow for each row that
    cannot be read. It streams: memory does not grow with the file. `check_parts` is given the names of all files of a
    load and raises Faults when one is missing.
    """

    kind: str
    title: str
    recognise: Callable[[bytes], bool]
    stated: Callable[[Source], Stated]
    read: Callable[[Source], Iterator[NamedTuple]]
    check_parts: Callable[[Sequence[str]], None] = complete


_is_quarter = re.compile(r"([0-9]{4})Q([1-4])").fullmatch


def quarter_named(name: str) -> Stated:
    """The days of a release named like 2026Q3; nothing for other names."""
    found = _is_quarter(name)
    return quarter(int(found[1]), int(found[2])) if found else Stated()


def quarter(year: int, number: int) -> Stated:
    """A quarter's name, first day, and first day after it."""
    since = date(year, 3 * number - 2, 1)
    until = date(year + number // 4, (3 * number) % 12 + 1, 1)
    return Stated(f"{year}Q{number}", since, until)
