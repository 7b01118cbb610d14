"""Receives an upload piece by piece, makes it durable, and enters it in the job store: then it is a batch."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

from scrubber.batch.model import CUT, DEFAULT_TENANT, X12_WITH_CONTEXT, Batch, BatchOptions, StoredUpload
from scrubber.batch.split import unpacked
from scrubber.batch.storage import Batches
from scrubber.claim.formats import is_x12
from scrubber.claim.unpack import MAGIC, Unpacker
from scrubber.claim.x12 import ClaimLoops, read_loops
from scrubber.errors import BadGzip, BadUpload, NotABatch, NotX12, UnpacksTooLarge

LOOKED_AT = 1 << 16  # bytes at the start of an upload, from the first that is no space on
SPACE = b" \t\r\n\xef\xbb\xbf"
_UNPACKED_AT_MOST = 1 << 26
_X12_PART = re.compile(rb"(GS|ST)[^A-Za-z0-9\s]")
_OVER_LINES = re.compile(rb'\{[ \t\r]*\n\s*"')
_FOREIGN = {
    b"\xff\xfe": "This is UTF-16: send UTF-8.",
    b"\xfe\xff": "This is UTF-16: send UTF-8.",
    b"PK\x03\x04": "This is a zip file: send what is in it, as it is or as gzip.",
    b"\x28\xb5\x2f\xfd": "This is packed as zstd: send it as it is, or as gzip.",
    MAGIC: "This is packed by gzip twice: send it packed once.",
}


class Sniffed(NamedTuple):
    """The format of the rows, one of FORMATS, and whether they are gzipped."""

    format: str
    gzipped: bool


def sniff(start: bytes) -> Sniffed:
    """What an upload is that begins so: an array begins with a bracket. Raises BadUpload for what is never read."""
    gzipped = start.startswith(MAGIC)
    inner = _unpacked(start) if gzipped else start
    if is_x12(inner):
        _check_x12(inner)
        return Sniffed("x12", gzipped)
    if _X12_PART.match(inner):
        raise BadUpload("foreign", "This is a part of an X12 file: send the whole file, which begins with ISA.")
    if _OVER_LINES.match(inner):
        raise BadUpload(
            "foreign", "A claim goes over several lines: send each on one line, as `jq -c .` does, or an array."
        )
    for beginning, what_to_do in _FOREIGN.items():
        if inner.startswith(beginning):
            raise BadUpload("foreign", what_to_do)
    return Sniffed("json" if inner.startswith(b"[") else "ndjson", gzipped)


def _check_x12(start: bytes) -> None:
    """Raises BadUpload where the first bytes of an X12 file show that no claim of it can be read."""
    try:
        for item in read_loops([start]):
            if isinstance(item, ClaimLoops):
                return
    except NotX12 as error:
        raise BadUpload("foreign", f"The upload is {error}.") from None


def _unpacked(start: bytes) -> bytes:
    """The first bytes in a gzip that are no space; none where there are none so far, or it is damaged."""
    try:
        return next(filter(None, (piece.lstrip(SPACE) for piece in unpacked((start,), _UNPACKED_AT_MOST))), b"")
    except NotABatch:
        return b""  # told when it is cut: it may only end further on


KEY_HOURS = 24
_BLANK = b" \t\r\n\v\f"
_MARK = b"\xef\xbb\xbf"
_ENOUGH = 8  # bytes that tell an empty array, with a mark before it, from any other upload


class Declared(NamedTuple):
    """What the sender says of an upload: its format, None where it shows it; and that it is gzipped."""

    format: str | None = None
    gzipped: bool = False


class _Reading:
    """Counts, hashes and looks at the bytes that go by. What is packed is unpacked, only to see that it is whole."""

    def __init__(self, pieces: Iterable[bytes], most_bytes: int, declared: Declared) -> None:
        self._pieces = pieces
        self._most = most_bytes
        self._declared = declared
        self._hash = hashlib.sha256()
        self._size = 0
        self._start = b""
        self._sniffed = Sniffed("ndjson", gzipped=False)
        self._unpacker = Unpacker(most_bytes) if declared.gzipped else None
        self._first = b""  # of the claims: their first bytes that are no space

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._size += len(piece)
            if self._size > self._most:
                raise BadUpload("too-large", f"At most {self._most:,} bytes are taken in one batch.")
            self._hash.update(piece)
            if len(self._start) < LOOKED_AT and self._declared.format != X12_WITH_CONTEXT:
                self._look(piece)
            self._read(piece)
            yield piece
        if 0 < len(self._start) < LOOKED_AT:
            self._sniffed = sniff(self._start)
        self._end()

    def _look(self, piece: bytes) -> None:
        self._start = (self._start + piece).lstrip(SPACE)
        if len(self._start) >= LOOKED_AT:
            self._sniffed = sniff(self._start)

    def _read(self, piece: bytes) -> None:
        if self._size == len(piece) and piece.startswith(MAGIC[:1]):  # no JSON begins so: it may be cut off right here
            self._unpacker = Unpacker(self._most)
        if self._unpacker is None:
            self._keep_first((piece,))
            return
        with _as_bad_upload():
            self._keep_first(self._unpacker.feed(piece))

    def _keep_first(self, claims: Iterable[bytes]) -> None:
        for data in claims:
            if len(self._first) < _ENOUGH:
                self._first = (self._first + data.translate(None, _BLANK)).removeprefix(_MARK)[:_ENOUGH]

    def _end(self) -> None:
        if self._unpacker is not None:
            with _as_bad_upload():
                self._unpacker.end()
        elif self._sniffed.gzipped:
            raise BadUpload("damaged", "The upload has blanks before its gzip.")
        if not self._first:
            raise BadUpload("empty", "The upload is empty or all blanks. Send claims, one a line, or as a JSON array.")
        if self._first == b"[]" and (self._declared.format or self._sniffed.format) == "json":
            raise BadUpload("empty", "The array of the upload is empty. Send at least one claim.")

    def body(self) -> StoredUpload:
        """What was read."""
        return StoredUpload(
            self._declared.format or self._sniffed.format,
            self._unpacker is not None,
            self._size,
            self._hash.hexdigest(),
        )


@contextmanager
def _as_bad_upload() -> Iterator[None]:
    try:
        yield
    except UnpacksTooLarge as error:
        raise BadUpload("too-large", f"The upload {error}.") from None
    except BadGzip as error:
        raise BadUpload("damaged", f"The upload {error}. Pack the whole file anew, or send it as it is.") from None


def receive(
    batches: Batches,
    pieces: Iterable[bytes],
    declared: Declared,
    options: BatchOptions,
    key: str | None,
    most_bytes: int,
    clock: Callable[[], datetime],
    tenant: str = DEFAULT_TENANT,
) -> tuple[Batch, bool]:
    """The batch of an upload, and whether it is a new one; durable when this returns.

    Raises BadUpload, KeyUsed, StorageFull, StoreUnavailable; then nothing of the upload is kept.
    """
    batch_id = _new_id(clock())
    reading = _Reading(pieces, most_bytes, declared)
    batches.file_store.receive(batch_id, reading)
    now = clock()
    batch = Batch(batch_id, "received", now, reading.body(), options, tenant=tenant)
    accepted = None
    try:
        accepted = batches.job_store.accept(batch, key, now + timedelta(hours=KEY_HOURS) if key else None, now)
    finally:
        if accepted is None or accepted.id != batch_id:
            batches.file_store.remove(batch_id)
    if accepted.id == batch_id:
        batches.notify(batch_id, (CUT,))
    return accepted, accepted.id == batch_id


def _new_id(now: datetime) -> str:
    """Later ids sort after earlier ones; nobody can guess one."""
    return f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"
