"""Around the path: a JSON array, read piece by piece, as one line for each of its elements.

Only what tells elements apart is looked at: strings, brackets, and commas of the array itself. Whether an element is
JSON at all is seen when its row is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from scrubber.batch.job import MOST_ROWS
from scrubber.errors import NotABatch

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
