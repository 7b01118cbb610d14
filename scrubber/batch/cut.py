"""Around the path: an upload cut into chunks of rows: lines of NDJSON, or the elements of a JSON array as lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import BinaryIO, NamedTuple

from scrubber.batch.depot import PIECE
from scrubber.batch.job import (
    BYTES_A_CHUNK,
    MOST_ROWS,
    OBJECTS_A_CHUNK,
    OBJECTS_A_CLAIM,
    ROWS_A_CHUNK,
    Chunk,
)
from scrubber.errors import BadGzip, NotABatch
from scrubber.intake import unpack


class Cut(NamedTuple):
    """The chunks of an upload, and how many rows they have."""

    chunks: list[Chunk]
    rows: int


def pieces(upload: BinaryIO) -> Iterator[bytes]:
    """An open file, piece by piece."""
    while piece := upload.read(PIECE):
        yield piece


def unpacked(packed: Iterable[bytes], most_bytes: int) -> Iterator[bytes]:
    """What gzip of one or several members holds. Raises NotABatch for what is none, is cut off, or is too large."""
    try:
        yield from unpack.unpacked(packed, most_bytes)
    except BadGzip as error:
        raise NotABatch(f"the upload {error}") from None


class _Chunks:
    """Gathers rows into chunks. Rows are numbered as the sender counts them.

    A chunk is so many rows, or fewer that are large, or have many service lines: `{}` is one of three bytes, and its
    findings take twenty thousand, which are held in memory until the chunk is done.
    """

    def __init__(self, most_row_bytes: int, most_rows: int | None) -> None:
        self._most_row_bytes = most_row_bytes
        self._most_rows = most_rows
        self.made: list[Chunk] = []
        self._rows_hash = sha256()
        self.rows = 0
        self._first = self._count = self._start = self._stop = self._objects = 0

    def add(self, number: int, start: int, stop: int, objects: int, line: bytes) -> None:
        """A row at bytes `start` to `stop`, the line break among them, with so many objects of JSON.

        `line` has its bytes without the line break, unless it is too large.
        """
        self.rows += 1
        if self._most_rows is not None and self.rows > self._most_rows:
            raise NotABatch(f"the batch has more than {self._most_rows:,} rows; send it in several")
        if stop - start > self._most_row_bytes:
            self.close()
            self.made.append(Chunk(len(self.made), number, 1, start, start))
            return
        many = max(0, objects - OBJECTS_A_CLAIM)
        if stop - self._start > BYTES_A_CHUNK or self._objects + many > OBJECTS_A_CHUNK:
            self.close()
        if not self._count:
            self._first, self._start, self._objects = number, start, 0
        self._count += 1
        self._rows_hash.update(b"%d:%b\n" % (number, line))
        self._objects += many
        self._stop = stop
        if self._count == ROWS_A_CHUNK:
            self.close()

    def close(self) -> None:
        """End the chunk that is being gathered."""
        if self._count:
            digest = self._rows_hash.hexdigest()
            self.made.append(Chunk(len(self.made), self._first, self._count, self._start, self._stop, digest))
            self._count, self._rows_hash = 0, sha256()


def cut_lines(data: Iterable[bytes], most_row_bytes: int, most_rows: int | None = MOST_ROWS) -> Cut:
    """Chunks of NDJSON. A row's number is the number of its line, from 1; blank lines are no rows.

    Raises NotABatch for more than `most_rows` (None: any number).
    """
    chunks = _Chunks(most_row_bytes, most_rows)
    number, start, position, objects, blank = 1, 0, 0, 0, True
    held: list[bytes] = []  # of a line that goes over several pieces, as long as it may be a row
    for piece in data:
        begin = 0
        while (end := piece.find(b"\n", begin)) >= 0:
            blank = blank and not piece[begin:end].strip()
            if not blank:
                line = b"".join((*held, piece[begin:end]))
                chunks.add(number, start, position + end + 1, objects + piece.count(b"{", begin, end), line)
            number, start, objects, begin, blank = number + 1, position + end + 1, 0, end + 1, True
            held.clear()
        blank = blank and not piece[begin:].strip()
        objects += piece.count(b"{", begin)
        position += len(piece)
        if begin < len(piece) and position - start <= most_row_bytes:
            held.append(piece[begin:])
    if not blank:
        chunks.add(number, start, position, objects, b"".join(held))
    chunks.close()
    return Cut(chunks.made, chunks.rows)


def digest_of(rows: Iterable[tuple[int, bytes | None]]) -> str:
    """SHA-256 of rows and their numbers: `number:row` and a line break for each."""
    hashing = sha256()
    for number, line in rows:
        hashing.update(b"%d:%b\n" % (number, line or b""))
    return hashing.hexdigest()


def rows_of(chunk: Chunk, data: bytes) -> Iterator[tuple[int, bytes | None]]:
    """The rows of a chunk with their numbers; None for one that is too large to be read."""
    if chunk.start == chunk.stop:
        yield chunk.first_row, None
        return
    for number, line in enumerate(data.removesuffix(b"\n").split(b"\n"), chunk.first_row):
        if line.strip():
            yield number, line
