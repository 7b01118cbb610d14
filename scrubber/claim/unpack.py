"""Decompresses gzip bodies, piece by piece and up to a limit of size."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from scrubber.errors import BadGzip, UnpacksTooLarge

MAGIC = b"\x1f\x8b"
PIECE = 1 << 20  # bytes decompressed in one step, whatever the ratio of compression
_GZIP = 16 + zlib.MAX_WBITS
_PADDING = b"\0"  # some programs write it before or after a gzip; gzip itself skips it


class Unpacker:
    """Decompresses gzip (RFC 1952) of one or several members as it arrives. No input gives no output."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._size = 0
        self._members = 0  # that have ended
        self._member = zlib.decompressobj(_GZIP)
        self._start = b""  # the first two bytes of the member that has begun; empty between two members

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """The content of this piece; the iterator must be exhausted. Raises BadGzip, UnpacksTooLarge."""
        data = packed
        while data := data if self._start else data.lstrip(_PADDING):
            self._start = (self._start + data[:2])[:2]
            try:
                out = self._member.decompress(data, PIECE)
            except zlib.error:
                raise BadGzip(self._what_it_is()) from None
            self._size += len(out)
            if self._size > self._most:
                raise UnpacksTooLarge(f"unpacks to more than {self._most:,} bytes")
            if out:
                yield out
            data = self._member.unconsumed_tail
            if self._member.eof:
                data = self._member.unused_data
                self._member, self._start, self._members = zlib.decompressobj(_GZIP), b"", self._members + 1

    def end(self) -> None:
        """Called after the last piece. Raises BadGzip where the gzip is incomplete."""
        if self._start:
            begun = MAGIC.startswith(self._start)
            raise BadGzip("ends in the middle of its gzip" if begun else self._what_it_is())

    def _what_it_is(self) -> str:
        if self._start == MAGIC:
            return "is gzip that is damaged"
        return "is gzip with something else behind it" if self._members else "is no gzip"


def unpacked(packed: Iterable[bytes], most_bytes: int) -> Iterator[bytes]:
    """The content of a gzip. Raises BadGzip where it is none, is damaged or cut off; UnpacksTooLarge."""
    unpacker = Unpacker(most_bytes)
    for piece in packed:
        yield from unpacker.feed(piece)
    unpacker.end()
