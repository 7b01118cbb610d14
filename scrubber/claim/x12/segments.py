"""Cuts the bytes of an X12 file into segments, by the delimiters that each interchange declares in its ISA.

Bytes come in pieces of any size and are worked on in chunks of one size, so that the same bytes give the same segments
however they arrive, and memory does not grow with the file. What is read beyond the letter of the standard:

- a UTF-8 byte order mark; UTF-16, with its mark or without; single segments in Windows-1252, which are told of;
- line breaks behind, or as, the terminator of a segment, blanks before a segment, padding (blanks, NUL, Ctrl-Z) before,
  between and behind interchanges; segment ids in lower case; a last IEA without its terminator.

ISA has 106 characters and is read by position: one that is longer or shorter is refused, for nothing says then which
characters delimit. The delimiters are four different ASCII characters that are neither letters, digits nor blanks.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from scrubber.claim.x12.guide import SEGMENTS
from scrubber.claim.x12.recognize import HEAD, refuse_content
from scrubber.errors import NotX12

CHUNK = 1 << 14  # bytes that are worked on at once; of larger ones the garbage collector has more to look through
LONGEST_SEGMENT = 100_000  # bytes; the longest that the guide allows, a K3 or NTE, has under 100

ISA_LENGTH = 106
_ISA_SPAN = ISA_LENGTH + 8  # bytes it may take where lines are broken at a fixed length
_ISA_ELEMENTS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)  # characters of ISA01 to ISA16
_BLANKS = "\t\n\r \0\x1a"
_PADDING = _BLANKS.encode()
_BREAKS = b"\r\n"
_PRINTABLE = bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))
_WIDE = {
    b"\xff\xfe": ("utf-16-le", 2),
    b"\xfe\xff": ("utf-16-be", 2),
    b"I\0": ("utf-16-le", 0),
    b"\0I": ("utf-16-be", 0),
}
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Delimiters(NamedTuple):
    """What ISA declares. `repetition` is empty where ISA11 is none: before 00501 it had another use."""

    element: str
    repetition: str
    component: str
    terminator: str


class Block(NamedTuple):
    """Segments of one interchange that follow each other; ISA stands first in a block, and nowhere else.

    `segments` are lists of elements with the segment id, in capitals, first. `first` is the ordinal in the file, from
    1, of segments[0]. `faults` are an index into `segments` and a word of `scrubber.claim.x12.faults`; an index behind
    the last is of a segment that could not be kept. `data` are the bytes read, `byte` their place in the file, and
    `wide` their encoding where it is UTF-16: for `byte_of`.
    """

    delimiters: Delimiters
    first: int
    segments: list[list[str]]
    faults: list[tuple[int, str]]
    data: bytes
    byte: int
    wide: str


def read_blocks(pieces: Iterable[bytes], chunk: int = CHUNK) -> Iterator[Block]:
    """The segments of a file in order. `chunk` bytes are worked on at once; the segments do not depend on it.

    Raises NotX12, after what stands before the fault: no ISA first, an ISA that cannot be read, too long a segment.
    """
    reader = _Reader()
    for data in _chunks(pieces, chunk):
        yield from reader.feed(data)
    yield from reader.end()


def byte_of(block: Block, index: int) -> int:
    """Where the segment with this index begins in the file, counted in bytes from 0."""
    terminator = block.delimiters.terminator.encode()
    at = 0
    seen = -1
    for text in block.data.split(terminator):
        padding = len(text) - len(text.lstrip(_PADDING))
        if padding < len(text):
            seen += 1
        if seen == index:
            at += padding
            break
        at += len(text) + 1
    return block.byte + _width(block.data[:at], block.wide)


def _chunks(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in chunks of one size; the last may be shorter."""
    waiting: list[bytes] = []
    length = 0
    for piece in pieces:
        waiting.append(piece)
        length += len(piece)
        if length < size:
            continue
        data = b"".join(waiting)
        whole = length - length % size
        for start in range(0, whole, size):
            yield data[start : start + size]
        waiting = [data[whole:]]
        length -= whole
    if length:
        yield b"".join(waiting)


def _width(data: bytes, wide: str) -> int:
    """How many bytes of the file these bytes, which may have been UTF-16, stand for."""
    return len(data.decode().encode(wide)) if wide else len(data)


class _Reader:
    """What is left of the chunks so far, and where in the file that is."""

    def __init__(self) -> None:
        self._rest = b""
        self._byte = 0  # of the file, where _rest begins
        self._ordinal = 1  # of the next segment
        self._begun = False
        self._wide = ""
        self._decoder: codecs.IncrementalDecoder | None = None
        self._between = True  # interchanges: the next segment should be ISA
        self._syntax: _Syntax | None = None  # of the interchange that was begun last
        self._failure: NotX12 | None = None  # to be raised behind the segments before it

    def feed(self, data: bytes) -> Iterator[Block]:
        """The segments that are whole with these bytes."""
        if not self._begun:
            self._rest += data
            if len(self._rest) < len(_BYTE_ORDER_MARK):
                return
            data = self._begin()
        self._rest += self._utf8(data, False)
        yield from self._blocks(False)

    def end(self) -> Iterator[Block]:
        """The segments that are left at the end of the file."""
        data = b"" if self._begun else self._begin()
        self._rest += self._utf8(data, True)
        yield from self._blocks(True)
        if self._syntax is None:
            raise NotX12("empty", "the file is empty", 0, 0)
        self._skip(_PADDING)
        if self._rest:
            yield self._last(self._rest, self._syntax)

    def _begin(self) -> bytes:
        """Notes the encoding; the bytes so far without their byte order mark."""
        data = self._rest
        self._begun, self._rest = True, b""
        self._wide, self._byte = _WIDE.get(data[:2], ("", 0))
        if self._wide:
            self._decoder = codecs.getincrementaldecoder(self._wide)("replace")
        elif data.startswith(_BYTE_ORDER_MARK):
            self._byte = len(_BYTE_ORDER_MARK)
        return data[self._byte :]

    def _utf8(self, data: bytes, last: bool) -> bytes:
        return data if self._decoder is None else self._decoder.decode(data, last).encode()

    def _blocks(self, last: bool) -> Iterator[Block]:
        while True:
            if self._between:
                self._skip(_PADDING)
                if not self._ready(last):
                    return
                self._between = False
                if self._syntax is None or _is_isa(self._rest):
                    yield self._open()
            block = self._block()
            if block is None:
                return
            if block.segments:
                yield block
            if self._failure is not None:
                raise self._failure

    def _ready(self, last: bool) -> bool:
        """Whether enough is there to see what stands between interchanges, or before the first."""
        enough = HEAD if self._syntax is None else _ISA_SPAN
        return len(self._rest) >= enough or (last and len(self._rest) > 0)

    def _skip(self, padding: bytes) -> None:
        rest = self._rest.lstrip(padding)
        self._byte += _width(self._rest[: len(self._rest) - len(rest)], self._wide)
        self._rest = rest

    def _open(self) -> Block:
        """ISA, by which the next segments are read. Raises NotX12."""
        if not _is_isa(self._rest):
            refuse_content(self._rest[:HEAD], self._byte)
        end = _isa_end(self._rest[:_ISA_SPAN])
        head = self._rest[: end - 1].translate(None, _BREAKS) + self._rest[end - 1 : end]
        self._syntax = _Syntax(read_isa(head, self._byte, self._ordinal))
        return self._cut(end, self._syntax)

    def _block(self) -> Block | None:
        """The segments up to the end of an interchange, or all that are whole; None where none is."""
        syntax = self._syntax
        if syntax is None:
            return None
        self._skip(_BREAKS)  # those behind the last segment
        end, self._between = syntax.end(self._rest)
        if not end and not self._between:
            if len(self._rest) > LONGEST_SEGMENT:
                raise _too_long(self._byte, self._ordinal)
            return None
        long = syntax.too_long(self._rest[:end])
        if long < 0:
            return self._cut(end, syntax)
        block = self._cut(long, syntax)
        self._failure = _too_long(self._byte, self._ordinal)
        return block

    def _cut(self, end: int, syntax: _Syntax) -> Block:
        """The segments of the next so many bytes, which are whole."""
        data = self._rest[:end]
        segments, faults = syntax.segments(data)
        block = Block(syntax.delimiters, self._ordinal, segments, faults, data, self._byte, self._wide)
        self._ordinal += len(segments)
        self._byte += _width(data, self._wide)
        self._rest = self._rest[end:]
        return block

    def _last(self, rest: bytes, syntax: _Syntax) -> Block:
        """What stands at the end without a terminator: IEA is read, anything else may be cut off and is not."""
        segments, faults = syntax.segments(rest)
        if segments[0][0] != "IEA":
            segments, faults = [], [(0, "cut-off")]
        return Block(syntax.delimiters, self._ordinal, segments, faults, rest, self._byte, self._wide)


def _is_isa(data: bytes) -> bool:
    mark = data[3:4]
    return data[:3].upper() == b"ISA" and not mark.isalnum() and mark != b" "


def _isa_end(data: bytes) -> int:
    """How many bytes ISA and its terminator take: line breaks inside do not count."""
    kept = 0
    for at, byte in enumerate(data):
        kept += byte not in _BREAKS
        if kept == ISA_LENGTH - 1:
            return at + 2
    return len(data)


def _too_long(byte: int, ordinal: int) -> NotX12:
    message = f"a segment is longer than {LONGEST_SEGMENT:,} bytes; is its terminator missing?"
    return NotX12("segment-too-long", message, byte, ordinal)


class _Syntax:
    """Cuts bytes by the delimiters of one interchange."""

    def __init__(self, delimiters: Delimiters) -> None:
        self.delimiters = delimiters
        self._terminator = delimiters.terminator.encode()
        self._ends_of_id = (delimiters.element.encode(), self._terminator)
        self._data = _PRINTABLE + "".join(delimiters).encode()  # the rest are control characters

    def end(self, data: bytes) -> tuple[int, bool]:
        """How many bytes hold whole segments of this interchange, and whether it ends there: behind IEA, before ISA."""
        upper = data.upper()
        trailer, header = self._find(upper, b"IEA"), self._find(upper, b"ISA")
        if header >= 0 and (trailer < 0 or header < trailer):
            return header, True
        if trailer < 0:
            return data.rfind(self._terminator) + 1, False
        end = data.find(self._terminator, trailer) + 1
        return (end, True) if end else (trailer, False)

    def _find(self, upper: bytes, name: bytes) -> int:
        """Where the first segment with this id begins; -1 if there is none."""
        at = upper.find(name)
        while at >= 0:
            if upper[at + 3 : at + 4] in self._ends_of_id:
                before = upper.rfind(self._terminator, 0, at) + 1
                if not upper[before:at].strip(_PADDING):
                    return at
            at = upper.find(name, at + 3)
        return -1

    def too_long(self, data: bytes) -> int:
        """Where the first segment that is too long begins; -1 if there is none."""
        half = LONGEST_SEGMENT // 2  # a segment that is too long covers one such window wholly
        windows = range(0, len(data) - half, half)
        if all(data.find(self._terminator, start, start + half) >= 0 for start in windows):
            return -1
        start = 0
        for text in data.split(self._terminator):
            if len(text) > LONGEST_SEGMENT:
                return start
            start += len(text) + 1
        return -1

    def segments(self, data: bytes) -> tuple[list[list[str]], list[tuple[int, str]]]:
        """Lists of elements, and what is wrong with how they are written."""
        faults: list[tuple[int, str]] = []
        texts = self._clean(data)
        if texts is None:
            texts, faults = self._unclean(data)
        element = self.delimiters.element
        segments = [text.split(element) for text in texts]
        for elements in segments:
            if elements[0] not in SEGMENTS:
                return self._with_plain_ids(texts), faults
        return segments, faults

    def _with_plain_ids(self, texts: list[str]) -> list[list[str]]:
        """The same without padding around segments, and with ids in capitals."""
        segments: list[list[str]] = []
        for text in texts:
            bare = text.lstrip(_BLANKS)
            if bare:
                elements = bare.split(self.delimiters.element)
                elements[0] = elements[0].upper()
                segments.append(elements)
        return segments

    def _clean(self, data: bytes) -> list[str] | None:
        """The segments, if all are UTF-8 without control characters, and the same line break, or none, parts them."""
        if not data.endswith(self._terminator):
            return None
        breaks = data.translate(None, self._data)
        between = data.count(self._terminator) - 1
        if breaks and breaks not in (b"\n" * between, b"\r\n" * between):
            return None
        end = self.delimiters.terminator + (breaks[: len(breaks) // between].decode() if breaks else "")
        try:
            texts = data[:-1].decode().split(end)
        except UnicodeDecodeError:
            return None
        return texts if len(texts) == between + 1 else None

    def _unclean(self, data: bytes) -> tuple[list[str], list[tuple[int, str]]]:
        """The same, segment by segment, with what is wrong with each."""
        texts: list[str] = []
        faults: list[tuple[int, str]] = []
        for raw in data.split(self._terminator):
            stripped = raw.lstrip(_PADDING).rstrip(_BREAKS)
            if not stripped:
                continue
            try:
                text = stripped.decode()
            except UnicodeDecodeError:
                text = stripped.decode("cp1252", "replace")
                faults.append((len(texts), "encoding"))
            if "\r" in text or "\n" in text:
                text = text.replace("\r", "").replace("\n", "")
                faults.append((len(texts), "line-break"))
            if stripped.translate(None, self._data + _BREAKS):
                faults.append((len(texts), "control-character"))
            texts.append(text)
        return texts, faults


def read_isa(head: bytes, byte: int, ordinal: int) -> Delimiters:
    """The delimiters that ISA, which begins at this byte, declares. Raises NotX12."""
    if len(head) < ISA_LENGTH:
        raise NotX12("isa-cut-off", f"ISA ends after {len(head)} of its {ISA_LENGTH} characters", byte, ordinal)
    text = head.decode("latin-1")
    element = text[3]
    at = 4
    for number, length in enumerate(_ISA_ELEMENTS[:-1], start=1):
        if text[at + length] != element:
            has = text.find(element, at) - at
            what = f"has {has}" if has >= 0 else "has more"
            reason = f"ISA must have {ISA_LENGTH} characters: ISA{number:02} has {length} of them, here it {what}"
            raise NotX12("isa-length", reason, byte, ordinal)
        at += length + 1
    later = text[84:89] >= "00501"
    repetition = text[82] if later and not text[82].isalnum() and text[82] != " " else ""
    delimiters = Delimiters(element, repetition, text[at], text[at + 1])
    _check(delimiters, byte, ordinal)
    return delimiters


def _check(delimiters: Delimiters, byte: int, ordinal: int) -> None:
    """Raises NotX12 unless the delimiters can be told from data and from each other."""
    marks = [mark for mark in delimiters if mark]
    plain = all(mark.isascii() and not mark.isalnum() and mark not in " \0" for mark in marks)
    if not plain or any(mark in "\r\n" for mark in marks[:-1]):
        message = "the delimiters of ISA must be ASCII characters that are no letters, digits or blanks"
        raise NotX12("isa-delimiters", message + "; is ISA 106 characters long?", byte, ordinal)
    if delimiters.terminator in "\r\n" and delimiters.component == "~":
        raise NotX12("isa-delimiters", "ISA16, the component separator, is empty", byte, ordinal)
    if len(set(marks)) < len(marks):
        message = "the delimiters of ISA must differ from each other"
        raise NotX12("isa-delimiters", message + "; is ISA 106 characters long?", byte, ordinal)
