"""Around the path: what the first bytes of an upload show it to be."""

from __future__ import annotations

import re
from typing import NamedTuple

from scrubber.batch.cut import unpacked
from scrubber.errors import BadUpload, NotABatch
from scrubber.intake.unpack import MAGIC

LOOKED_AT = 1 << 16  # bytes at the start of an upload, from the first that is no space on
SPACE = b" \t\r\n\xef\xbb\xbf"
_UNPACKED_AT_MOST = 1 << 26
_X12 = re.compile(rb"(ISA|GS|ST)[^A-Za-z0-9\s]")
_OVER_LINES = re.compile(rb'\{[ \t\r]*\n\s*"')
_FOREIGN = {
    b"\xff\xfe": "This is UTF-16: send UTF-8.",
    b"\xfe\xff": "This is UTF-16: send UTF-8.",
    b"PK\x03\x04": "This is a zip file: send what is in it, as it is or as gzip.",
    b"\x28\xb5\x2f\xfd": "This is packed as zstd: send it as it is, or as gzip.",
    MAGIC: "This is packed by gzip twice: send it packed once.",
}


class Shown(NamedTuple):
    """The format of the rows, ndjson or json, and whether they are gzipped."""

    format: str
    gzipped: bool


def shown(start: bytes) -> Shown:
    """What an upload is that begins so: an array begins with a bracket. Raises BadUpload for what is never read."""
    gzipped = start.startswith(MAGIC)
    inner = _unpacked(start) if gzipped else start
    if _X12.match(inner):
        raise BadUpload("foreign", "X12 is not read yet: send claims as JSON, one a line, or as a JSON array.")
    if _OVER_LINES.match(inner):
        raise BadUpload(
            "foreign", "A claim goes over several lines: send each on one line, as `jq -c .` does, or an array."
        )
    for beginning, what_to_do in _FOREIGN.items():
        if inner.startswith(beginning):
            raise BadUpload("foreign", what_to_do)
    return Shown("json" if inner.startswith(b"[") else "ndjson", gzipped)


def _unpacked(start: bytes) -> bytes:
    """The first bytes in a gzip that are no space; none where there are none so far, or it is damaged."""
    try:
        return next(filter(None, (piece.lstrip(SPACE) for piece in unpacked((start,), _UNPACKED_AT_MOST))), b"")
    except NotABatch:
        return b""  # told when it is cut: it may only end further on
