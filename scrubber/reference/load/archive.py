"""Opens published files in the forms they come in: plain, gz, xz, zip, a zip in a zip, or a workbook's first sheet.

An archive is unpacked as it is read, never to a path that it states. Members that are too large, that unpack to far
more bytes than such tables do, that are encrypted or whose path leads out of the archive are refused.
"""

from __future__ import annotations

import gzip
import io
import lzma
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO, TextIO, cast

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
    """The first sheet as UTF-8 text with tabs between cells; tabs and line ends within a cell become blanks.

    Raises Faults for a workbook with macros, and for what is no workbook.
    """
    return cast(BinaryIO, io.BufferedReader(_LineStream(_rows(name, packed)), 1 << 16))


class _LineStream(io.RawIOBase):
    """A byte stream over an iterator of lines, which yields the next line only when it is read."""

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
        if any(member.endswith(MACROS) for member in names) or _declares_macros(archive):
            raise _refused(name, "is a workbook with macros: save it without them, or load the text file")
        texts = [member for member in archive.infolist() if member.filename.lower() == "xl/sharedstrings.xml"]
        if any(member.file_size > MOST_TEXT_BYTES for member in texts):
            raise _refused(name, "is a workbook with more text than such a table holds: it is not read")


def _declares_macros(archive: zipfile.ZipFile) -> bool:
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


MOST_BYTES = 32 << 30  # of one file, unpacked: the provider registry is a third of that
MOST_PACKED_MEMBER = 2 << 30  # of a zip in a zip, which is unpacked to a temporary file
MOST_MEMBERS = 2_000
DENSEST = 200  # bytes unpacked from one packed byte; sorted tables reach 80
DENSE_FROM = 64 << 20  # bytes from which that counts
DEEPEST = 2  # zips in a zip
BUFFER = 1 << 18

_GZIP, _XZ, _ZIP = b"\x1f\x8b", b"\xfd7zXZ\x00", b"PK"
DAMAGED = (zipfile.BadZipFile, EOFError, lzma.LZMAError, gzip.BadGzipFile, zipfile.zlib.error, NotImplementedError)  # type: ignore[attr-defined]


@dataclass
class OpenedSource:
    """A format.SourceFile. `packed_bytes` and `packed_read` serve the progress display: packed size, and bytes read."""

    name: str
    packed_bytes: int
    opened: Callable[[], BinaryIO]
    packed_at: Callable[[BinaryIO], int] | None = None
    in_archive: bool = False
    is_workbook: bool = False
    _reading: _Bounded | None = field(default=None, init=False)

    def binary(self) -> BinaryIO:
        """The content from its beginning. Reading raises Faults when it unpacks to more than such a file can hold."""
        try:
            self._reading = _Bounded(self, self.opened())
        except DAMAGED:
            raise refused(self.name, "is cut off or damaged: fetch it again") from None
        return cast(BinaryIO, io.BufferedReader(self._reading, BUFFER))

    def text(self, encoding: str = "utf-8-sig") -> TextIO:
        """The content as text from its beginning, line ends untouched."""
        return io.TextIOWrapper(self.binary(), encoding, newline="")

    @property
    def packed_read(self) -> int:
        """How much of `packed_bytes` is read."""
        return self._reading.packed_read if self._reading else 0


class _Bounded(io.RawIOBase):
    """Reads unpacked content up to MOST_BYTES and up to DENSEST unpacked bytes for a packed one."""

    def __init__(self, source: OpenedSource, content: BinaryIO) -> None:
        self._source = source
        self._content = content
        self._count = 0

    def readable(self) -> bool:
        """Called by io."""
        return True

    def readinto(self, buffer: object) -> int:
        """Called by io."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        try:
            data = self._content.read(len(view))
        except DAMAGED:
            raise refused(self._source.name, "is cut off or damaged: fetch it again") from None
        view[: len(data)] = data
        self._count += len(data)
        if self._count > MOST_BYTES:
            raise refused(self._source.name, f"unpacks to more than {MOST_BYTES >> 30} GiB: it is no such file")
        if self._count > DENSE_FROM and self._count > DENSEST * max(self.packed_read, 1):
            raise refused(self._source.name, "unpacks to far more than such a file can hold: it is not read")
        return len(data)

    @property
    def packed_read(self) -> int:
        """How many packed bytes have been read so far."""
        at = self._source.packed_at
        return self._count if at is None else at(self._content)

    def close(self) -> None:
        """Called by io."""
        self._content.close()
        super().close()


def refused(name: str, reason: str) -> Faults:
    """One fault of a whole file."""
    return Faults([Fault(name, 0, reason)])


@contextmanager
def opened_sources(files: list[str]) -> Iterator[list[OpenedSource]]:
    """The content of each file; of an archive, of each of its members.

    Raises Faults for a file that cannot be read, or that is refused.
    """
    with ExitStack() as stack:
        yield [source for file in files for source in _sources(file, stack)]


def _sources(file: str, stack: ExitStack) -> Iterator[OpenedSource]:
    if "://" in file:
        raise refused(file, "is an address: fetch it, and give the file")
    path = Path(file)
    try:
        if path.is_dir():
            raise refused(file, "is a folder: give the files in it")
        with path.open("rb") as content:
            head = content.read(8)
        size = path.stat().st_size
    except OSError as failure:
        raise refused(file, f"cannot be read: {failure.strerror}") from None
    if head.startswith(_ZIP):
        yield from _in_archive(path.name, stack.enter_context(path.open("rb")), stack, DEEPEST)
    else:
        yield _packed(path, head, size)


def _packed(path: Path, head: bytes, size: int) -> OpenedSource:
    """A file that is plain, gz or xz. Progress of a packed one is the position in the packed file."""
    if head.startswith(_GZIP):
        return OpenedSource(path.name, size, lambda: _unpacking(path, gzip.GzipFile), _behind)
    if head.startswith(_XZ):
        return OpenedSource(path.name, size, lambda: _unpacking(path, lzma.LZMAFile), _behind)
    return OpenedSource(path.name, size, lambda: path.open("rb"))


class _Unpacked(io.BufferedReader):
    """The unpacked content of a file; closing it closes the packed file as well."""

    packed: BinaryIO

    def close(self) -> None:
        """Called by io."""
        super().close()
        self.packed.close()


def _unpacking(path: Path, unpack: Callable[..., object]) -> BinaryIO:
    packed = path.open("rb")
    content = unpack(fileobj=packed) if unpack is gzip.GzipFile else unpack(packed)
    reader = _Unpacked(cast(io.RawIOBase, content), BUFFER)
    reader.packed = packed
    return cast(BinaryIO, reader)


def _behind(content: BinaryIO) -> int:
    packed = cast(_Unpacked, content).packed
    return os.fstat(packed.fileno()).st_size if packed.closed else packed.tell()


def _in_archive(name: str, packed: BinaryIO, stack: ExitStack, deeper: int) -> Iterator[OpenedSource]:
    """The members of a zip and of the zips in it; for a workbook, which is a zip too, the rows of its first sheet."""
    try:
        archive = stack.enter_context(zipfile.ZipFile(packed))
    except (*DAMAGED, ValueError):
        raise refused(name, "is a zip that is cut off or damaged: fetch it again") from None
    members = [member for member in archive.infolist() if not member.is_dir()]
    if not members and deeper == DEEPEST:
        raise refused(name, "is empty")
    _check_members(name, members)
    if is_workbook(archive):
        yield _sheet(name, packed)
        return
    for member in members:
        yield from _member(f"{name}!{member.filename}", archive, member, stack, deeper)


def _sheet(name: str, packed: BinaryIO) -> OpenedSource:
    """The rows of a workbook. Progress is the position in the workbook's own file."""
    size = packed.seek(0, os.SEEK_END)
    return OpenedSource(name, size, lambda: tab_separated(name, packed), lambda _: packed.tell(), "!" in name, True)


def _member(
    name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo, stack: ExitStack, deeper: int
) -> Iterator[OpenedSource]:
    source = OpenedSource(name, member.file_size, lambda: cast(BinaryIO, archive.open(member)), in_archive=True)
    with source.binary() as content:
        head = content.read(len(_ZIP))
    if not head.startswith(_ZIP):
        yield source
    elif deeper == 0:
        raise refused(name, "is a zip in a zip in a zip: unpack it first")
    else:
        yield from _in_archive(name, _spooled(name, source, stack), stack, deeper - 1)


def _check_members(name: str, members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MOST_MEMBERS:
        raise refused(name, f"has over {MOST_MEMBERS} members: it is no such file")
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            raise refused(name, "has a member that points out of the archive: it is not read")
        if member.flag_bits & 0x1:
            raise refused(name, "is encrypted: unpack it first")
        if member.file_size > DENSE_FROM and member.file_size > DENSEST * max(member.compress_size, 1):
            raise refused(name, "unpacks to far more than such a file can hold: it is not read")
    if _unpacked_bytes(members) > MOST_BYTES:
        raise refused(name, f"unpacks to more than {MOST_BYTES >> 30} GiB: it is no such file")


def _unpacked_bytes(members: list[zipfile.ZipInfo]) -> int:
    return sum(member.file_size for member in members)


def _spooled(name: str, source: OpenedSource, stack: ExitStack) -> BinaryIO:
    """A zip that is a member of a zip, unpacked to a temporary file without a name."""
    if source.packed_bytes > MOST_PACKED_MEMBER:
        raise refused(name, "is too large a zip in a zip: unpack it first")
    spool = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (the stack closes it)
    with source.binary() as content:
        while block := content.read(BUFFER):
            spool.write(block)
    return cast(BinaryIO, spool)
