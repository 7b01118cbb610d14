"""Before any claim: the first sheet of a workbook (xlsx) as tab-separated text. One with macros is refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO, cast

from scrubber.errors import Fault, Faults

WORKBOOK = "xl/workbook.xml"
MACROS = "vbaproject.bin"
CONTENT_TYPES = "[Content_Types].xml"
MOST_TYPES_BYTES = 1 << 20
MOST_TEXT_BYTES = 256 << 20  # of the texts that cells share, which are held in memory


def is_workbook(archive: zipfile.ZipFile) -> bool:
    """Whether a zip is a workbook."""
    return WORKBOOK in archive.namelist()


def tab_separated(name: str, packed: BinaryIO) -> BinaryIO:
    """The first sheet as UTF-8 text; blanks stand for the tabs and line ends within cells.

    Raises Faults for a workbook with macros, and for what is none.
    """
    return cast(BinaryIO, io.BufferedReader(_Lines(_rows(name, packed)), 1 << 16))


class _Lines(io.RawIOBase):
    """Bytes of lines that are made as they are read."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._left = b""

    def readable(self) -> bool:
        """Called by io."""
        return True

    def readinto(self, buffer: object) -> int:
        """Called by io."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        while not self._left:
            line = next(self._lines, None)
            if line is None:
                return 0
            self._left = line
        count = min(len(view), len(self._left))
        view[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


def _rows(name: str, packed: BinaryIO) -> Iterator[bytes]:
    from openpyxl import load_workbook  # takes a quarter of a second that other files do not need

    _check(name, packed)
    packed.seek(0)
    try:
        book = load_workbook(packed, read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        for cells in sheet.iter_rows(values_only=True):
            yield ("\t".join(map(_text, cells)) + "\n").encode()
        book.close()
    except (KeyError, ValueError, IndexError, SyntaxError, zipfile.BadZipFile):
        raise _refused(name, "is a workbook that cannot be read: save it again, or load the text file") from None


def _check(name: str, packed: BinaryIO) -> None:
    with zipfile.ZipFile(packed) as archive:
        names = {member.lower() for member in archive.namelist()}
        if any(member.endswith(MACROS) for member in names) or _says_macros(archive):
            raise _refused(name, "is a workbook with macros: save it without them, or load the text file")
        texts = [member for member in archive.infolist() if member.filename.lower() == "xl/sharedstrings.xml"]
        if any(member.file_size > MOST_TEXT_BYTES for member in texts):
            raise _refused(name, "is a workbook with more text than such a table holds: it is not read")


def _says_macros(archive: zipfile.ZipFile) -> bool:
    try:
        with archive.open(CONTENT_TYPES) as content:
            return b"macroenabled" in content.read(MOST_TYPES_BYTES).lower()
    except KeyError:
        return False


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return f"{cell:%Y%m%d}"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return " ".join(str(cell).split())


def _refused(name: str, reason: str) -> Faults:
    return Faults([Fault(name, 0, reason)])
