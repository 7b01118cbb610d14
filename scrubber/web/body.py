"""Step 0 of a claim's path: the bytes of an HTTP body, of the right kind and within bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flask import request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected

from scrubber.errors import BadGzip, UnpacksTooLarge
from scrubber.intake.unpack import unpacked
from scrubber.web import logs, patience, request_ids
from scrubber.web.problems import BAD_BODY, TOO_LARGE, UNSUPPORTED, Refused

_JSON = re.compile(r"application/(json|[a-z0-9][a-z0-9.+-]*\+json)")
_AS_IT_IS, _GZIP = "identity", ("gzip", "x-gzip")
_UTF_8 = ("utf-8", "utf8", "us-ascii")
# What the server raises when a body is cut off or its chunks or trailers are malformed.
_BROKEN = (OSError, ParseException, ClientDisconnected)


def read_json_bytes(most: int) -> bytes:
    """The body of the current request, at most `most` bytes as sent and as unpacked. Raises Refused (400, 413, 415)."""
    gzipped = says_gzip()
    _check_kind()
    if (request.content_length or 0) > most:
        raise _too_large(most)
    try:
        content: bytes = request.stream.read(most + 1)
    except _BROKEN:
        raise Refused(BAD_BODY, "Its chunks are malformed or the connection broke.") from None
    logs.note_received(len(content))
    if len(content) > most:
        raise _too_large(most)
    content = _unpacked(content, most) if gzipped else content
    request_ids.keep_out_of(content)
    return content


def _unpacked(content: bytes, most: int) -> bytes:
    try:
        return b"".join(unpacked((content,), most))
    except UnpacksTooLarge as error:
        raise Refused(TOO_LARGE, f"The body {error}; no more are read.") from None
    except BadGzip as error:
        raise Refused(BAD_BODY, f"The body {error}. Send it again whole, or without Content-Encoding.") from None


def body_pieces(most: int) -> Iterator[bytes]:
    """The body of the current request, piece by piece, as it comes, however long that takes as long as it comes.

    Raises Refused: 413 where it says that it has more than `most` bytes, 400 where it breaks off.
    """
    if (request.content_length or 0) > most:
        raise _too_large(most)
    received = 0
    while True:
        try:
            piece: bytes = request.stream.read(patience.STEP)
        except _BROKEN:
            raise Refused(BAD_BODY, "Its chunks are malformed or the connection broke.") from None
        if not piece:
            break
        patience.go_on()
        received += len(piece)
        yield piece
    logs.note_received(received)
    if request.content_length is not None and received < request.content_length:
        raise Refused(BAD_BODY, "It ended before its Content-Length.")


def says_gzip() -> bool:
    """Whether the body is said to be packed by gzip. Raises Refused (415) where it is packed otherwise, or twice."""
    encoding = request.headers.get("Content-Encoding", _AS_IT_IS).strip().lower()
    if encoding != _AS_IT_IS and encoding not in _GZIP:
        raise Refused(UNSUPPORTED, "Send the body as it is, or with Content-Encoding: gzip.")
    return encoding in _GZIP


def _check_kind() -> None:
    if not _JSON.fullmatch(request.mimetype):
        raise Refused(UNSUPPORTED, "Send Content-Type: application/json, or one that ends in +json.")
    check_charset()


def check_charset() -> None:
    """Raises Refused (415) where the body says that it is not UTF-8."""
    if request.mimetype_params.get("charset", "utf-8").lower() not in _UTF_8:
        raise Refused(UNSUPPORTED, "JSON is read as UTF-8; send no other charset.")


def _too_large(most: int) -> Refused:
    return Refused(TOO_LARGE, f"At most {most:,} bytes are read.")
