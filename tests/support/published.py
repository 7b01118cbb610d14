"""What tests of readers share: a file in memory, full-size files where they are at hand, and what a reader made."""

from __future__ import annotations

import csv
import io
import lzma
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO

import pytest

from scrubber.errors import Faults
from scrubber.reference.load.format import HEAD_BYTES, BadRow, Format

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


class Published(NamedTuple):
    """A Source whose content is in memory."""

    content: bytes
    name: str = "file"

    def binary(self) -> BinaryIO:
        return io.BytesIO(self.content)

    def text(self, encoding: str = "utf-8-sig") -> TextIO:
        return io.TextIOWrapper(self.binary(), encoding=encoding, newline="")


def published(*lines: str, name: str = "file", end: str = "\r\n") -> Published:
    """A file of these lines."""
    return Published("".join(line + end for line in lines).encode(), name)


def full_size(path: str) -> Published:
    """A file of ../shared/data, decompressed; skips the test where there is none."""
    found = DATA / path
    if not found.is_file():
        pytest.skip(f"{path} is not at hand: it is no part of the project")
    content = lzma.decompress(found.read_bytes()) if found.suffix == ".xz" else found.read_bytes()
    return Published(content, found.name.removesuffix(".xz"))


def reader_of(formats: Iterable[Format], source: Published) -> Format:
    """The one format that recognises the file."""
    (found,) = [each for each in formats if each.recognise(source.content[:HEAD_BYTES])]
    return found


def rows_of(formats: Iterable[Format], source: Published) -> list[Any]:
    """Rows and bad rows of a file, in its order."""
    return list(reader_of(formats, source).read(source))


def reads_or_refuses(formats: Iterable[Format], source: Published) -> None:
    """Whatever the file holds: rows and bad rows, or Faults."""
    for each in formats:
        each.recognise(source.content[:HEAD_BYTES])
        try:
            each.stated(source)
            rows = list(each.read(source))
        except Faults:
            continue
        for row in rows:
            assert not isinstance(row, BadRow) or (row.line >= 1 and row.message)


def typed_folder(folder: Path, tables: dict[str, Iterable[Any]]) -> Path:
    """Rows as tables typed by hand, which is a way to look them up that no place of loaded releases is needed for."""
    releases = ["table,name,since,until,source", *(f"{table},made,2025-01-01,2026-01-01,made" for table in tables)]
    (folder / "releases.csv").write_text("\n".join(releases) + "\n")
    for table, rows in tables.items():
        every = list(rows)
        with (folder / f"{table}.csv").open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(every[0]._fields)
            writer.writerows(_typed(row) for row in every)
    return folder


def _typed(row: NamedTuple) -> list[str]:
    words = {True: "yes", False: "no", None: ""}
    return [words[cell] if cell is None or isinstance(cell, bool) else str(cell) for cell in row]
