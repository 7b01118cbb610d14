"""Reads a file of claims or remittances, plain or gz, in chunks of rows, and hashes its bytes for the report."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from scrubber.errors import Fault, Faults

BUFFER = 1 << 18
_GZIP = b"\x1f\x8b"
_DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error)


class InputFile(NamedTuple):
    """A file that was read to its end: its name without the folder, its size in bytes on disk, its hash."""

    name: str
    size: int
    sha256: str


@dataclass
class OpenedFile:
    """A file while it is read. `stream` gives its content, unpacked."""

    name: str
    stream: BinaryIO
    _raw: _Hashing
    _size: int

    @property
    def share(self) -> float:
        """How much of it is read, from 0 to 1."""
        return min(self._raw.count / self._size, 1.0) if self._size else 1.0

    def finished(self) -> InputFile:
        """Size and hash of the file; called at the end of the stream."""
        while self._raw.read(BUFFER):
            pass  # the bytes after the end of a compressed stream belong to the file, too
        return InputFile(self.name, self._raw.count, self._raw.hash.hexdigest())


class _Hashing(io.RawIOBase):
    """Hashes and counts what is read through it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.hash = hashlib.sha256()
        self.count = 0

    def readable(self) -> bool:
        """Called by io."""
        return True

    def readinto(self, buffer: object) -> int:
        """Called by io."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self._file.read(len(view))
        view[: len(data)] = data
        self.hash.update(data)
        self.count += len(data)
        return len(data)


@contextmanager
def opened(path: Path) -> Iterator[OpenedFile]:
    """The file, opened. Raises Faults when it cannot be read, also while it is."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP
            file.seek(0)
            raw = _Hashing(file)
            content = gzip.GzipFile(fileobj=cast(BinaryIO, raw)) if packed else raw
            stream = cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, content), BUFFER))
            yield OpenedFile(path.name, stream, raw, path.stat().st_size)
    except _DAMAGED:
        raise Faults([Fault(path.name, 0, "is cut off or damaged")]) from None
    except OSError as error:
        why = error.strerror or "it is a stream; save it as a file first"
        raise Faults([Fault(path.name, 0, f"cannot be read: {why}")]) from None


MOST_ROWS = 250  # of a chunk
MOST_BYTES = 1 << 20  # of a chunk, but for its last row
LONGEST_ROW = 10_000_000  # bytes: what the service takes


class FileChunk(NamedTuple):
    """Rows of the file from the 1-based row `first` on: their bytes, None for one that is too long to be a claim.

    `numbers` has, for each row, the claim number under which its remittance is looked up, None for none. `share` is how
    much of the file is read.
    """

    first: int
    rows: tuple[bytes | None, ...]
    numbers: tuple[str | None, ...]
    share: float


def read_chunks(file: OpenedFile) -> Iterator[FileChunk]:
    """The whole file, in order, without numbers. Blank rows count as rows and are skipped."""
    rows: list[bytes | None] = []
    first, held = 1, 0
    for row in _rows(file.stream):
        rows.append(row)
        held += len(row or b"")
        if len(rows) >= MOST_ROWS or held >= MOST_BYTES:
            yield FileChunk(first, tuple(rows), (None,) * len(rows), file.share)
            first, held, rows = first + len(rows), 0, []
    if rows:
        yield FileChunk(first, tuple(rows), (None,) * len(rows), 1.0)


def _rows(stream: BinaryIO) -> Iterator[bytes | None]:
    while row := stream.readline(LONGEST_ROW):
        if row.endswith(b"\n") or len(row) < LONGEST_ROW:
            yield row.strip()
        else:
            while row and not row.endswith(b"\n"):
                row = stream.readline(LONGEST_ROW)
            yield None
