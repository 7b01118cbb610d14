"""Splits an upload into chunks of rows: lines of NDJSON, or the elements of a JSON array.

Only what separates elements is read: strings, brackets, and commas of the array itself. Whether an element is
JSON at all is seen when its row is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import BinaryIO, NamedTuple

from scrubber.batch.model import (
    BYTES_A_CHUNK,
    CONTEXT_END,
    MOST_ROWS,
    OBJECTS_A_CHUNK,
    OBJECTS_A_CLAIM,
    PIECE,
    ROWS_A_CHUNK,
    Chunk,
)
from scrubber.claim import unpack
from scrubber.claim.x12.context import Contexts
from scrubber.claim.x12.row import rows_of_file
from scrubber.errors import BadContext, BadGzip, NotABatch, NotX12

MOST_DEPTH = 10_000  # ten times what is read; a gigabyte of brackets would be walked one by one

_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
# Everything up to the next byte that matters, whole strings among it.
_TOP = re.compile(rb'[^",\[\]{}]*+(?:' + _STRING + rb'[^",\[\]{}]*+)*+', re.DOTALL)
_DEEP = re.compile(rb'[^"\[\]{}]*+(?:' + _STRING + rb'[^"\[\]{}]*+)*+', re.DOTALL)
_REST_OF_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_SPACE = b" \t\r\n"
_MARK = b"\xef\xbb\xbf"


def lines_of_array(data: Iterable[bytes]) -> Iterator[bytes]:
    """The elements of an array, one a line, none kept whole. Raises NotABatch where it is none, or is cut off."""
    walk = _Walk()
    for piece in data:
        yield from walk.take(piece)
    walk.end()


def lines_of_x12(data: Iterable[bytes], contexts: Contexts | None = None) -> Iterator[bytes]:
    """The claims of an X12 file, one a line, with the contexts beside it. Raises NotABatch where none can be read."""
    try:
        for number, row in enumerate(rows_of_file(data, contexts), start=1):
            if number > MOST_ROWS:
                raise NotABatch(f"the batch has more than {MOST_ROWS:,} rows; send it in several")
            yield row + b"\n"
    except NotX12 as error:
        raise NotABatch(f"the upload is {error}") from None


def contexts_of(first: Iterable[bytes], again: Iterable[bytes]) -> Contexts:
    """The contexts in an upload of X12_WITH_CONTEXT, whose pieces are given twice. Raises NotABatch."""
    try:
        contexts = Contexts(_before_claims(first))
    except BadContext as error:
        raise NotABatch(str(error)) from None
    contexts.count(claims_behind_context(again))
    return contexts


def _before_claims(data: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of context of such an upload."""
    held = b""
    for piece in data:
        before, end, _ = (held + piece).partition(CONTEXT_END)
        if end:
            yield before
            return
        held = before[-len(CONTEXT_END) :]
        yield before[: len(before) - len(held)]
    yield held


def claims_behind_context(data: Iterable[bytes]) -> Iterator[bytes]:
    """The X12 file of such an upload."""
    held, found = b"", False
    for piece in data:
        if found:
            yield piece
            continue
        held += piece
        _, end, behind = held.partition(CONTEXT_END)
        if end:
            found, held = True, b""
            yield behind
        else:
            held = held[-len(CONTEXT_END) :]


class _Walk:
    """Where in the array the reading is. `depth` is 0 before and after it, 1 between its elements."""

    def __init__(self) -> None:
        self._depth = 0
        self._begun = self._over = self._in_string = self._blank = False
        self._elements = 0
        self._held = b""

    def take(self, piece: bytes) -> Iterator[bytes]:
        """Bytes of lines that are settled by another piece."""
        data, self._held, at = self._held + piece, b"", 0
        if not self._begun:
            at = self._begin(data)
        while at < len(data):
            if self._over:
                self._after(data[at:])
                return
            stop = (_REST_OF_STRING if self._in_string else _TOP if self._depth == 1 else _DEEP).match(data, at)
            end = stop.end() if stop else at
            if end > at:
                yield self._line(data[at:end])
            at = end
            if at < len(data):
                yield from self._mark(data[at : at + 1], at + 1 == len(data))
                at += 1

    def _begin(self, data: bytes) -> int:
        """Past the bracket that opens the array."""
        start = data.lstrip(_SPACE).removeprefix(_MARK).lstrip(_SPACE)
        if _MARK.startswith(start):  # nothing yet, or a part of the mark; space is not kept: there may be gigabytes
            self._held = start
            return len(data)
        if start[:1] != b"[":
            raise NotABatch("the upload is no JSON array: it must begin with [")
        self._begun, self._depth, self._blank = True, 1, True
        return len(data) - len(start) + 1

    def _mark(self, byte: bytes, last: bool) -> Iterator[bytes]:
        """One byte that matters."""
        if self._in_string:
            if byte == b'"':
                self._in_string = False
            elif last:  # a backslash: what it escapes is in the next piece
                self._held = byte
                return
            yield byte
        elif self._depth == 1 and byte in b",]":
            yield from self._separate(byte)
        else:
            self._blank = False
            self._in_string = byte == b'"'
            self._depth += (byte in b"[{") - (byte in b"]}")
            if self._depth > MOST_DEPTH:
                raise NotABatch(f"element {self._elements + 1} of the array has more than {MOST_DEPTH:,} levels")
            if not self._depth:
                raise NotABatch(f"element {self._elements + 1} of the array closes what it did not open")
            yield byte

    def _separate(self, byte: bytes) -> Iterator[bytes]:
        """The end of an element; `]` right after the opening bracket is the end of an empty array."""
        empty = self._blank and byte == b"]" and not self._elements
        if self._blank and not empty:
            raise NotABatch(f"element {self._elements + 1} of the array is empty")
        if not empty:
            self._elements += 1
            if self._elements > MOST_ROWS:
                raise NotABatch(f"the batch has more than {MOST_ROWS:,} rows; send it in several")
            yield b"\n"
        self._blank = True
        self._over = byte == b"]"

    def _line(self, data: bytes) -> bytes:
        """Bytes of an element on one line. In a string, where no line break may be, none of the two makes JSON."""
        if self._blank and data.strip(_SPACE):
            self._blank = False
        return data.replace(b"\n", b"\r")

    def _after(self, rest: bytes) -> None:
        if rest.strip(_SPACE):
            raise NotABatch("the upload goes on after the end of its array")

    def end(self) -> None:
        """Raises NotABatch when the array has not ended."""
        if not self._over:
            raise NotABatch(f"the upload ends within its array, in element {self._elements + 1}")


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


class _ChunkSplitter:
    """Gathers rows into chunks. Rows are numbered as the sender counts them.

    A chunk is so many rows, or fewer that are large, or have many service lines: `{}` is one of three bytes, and its
    findings take twenty thousand, which are held in memory until the chunk is done.
    """

    def __init__(self, most_row_bytes: int, most_rows: int | None) -> None:
        self._most_row_bytes = most_row_bytes
        self._most_rows = most_rows
        self.chunks: list[Chunk] = []
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
            self.chunks.append(Chunk(len(self.chunks), number, 1, start, start))
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
            self.chunks.append(Chunk(len(self.chunks), self._first, self._count, self._start, self._stop, digest))
            self._count, self._rows_hash = 0, sha256()


def cut_lines(data: Iterable[bytes], most_row_bytes: int, most_rows: int | None = MOST_ROWS) -> Cut:
    """Chunks of NDJSON. A row's number is the number of its line, from 1; blank lines are no rows.

    Raises NotABatch for more than `most_rows` (None: any number).
    """
    chunks = _ChunkSplitter(most_row_bytes, most_rows)
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
    return Cut(chunks.chunks, chunks.rows)


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
