"""Around the path over HTTP: answers are packed by gzip for clients that ask for it; what they hold stays as it is."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from flask import Flask, Response, request

WORTH_IT = 1_000  # bytes; a smaller answer goes into one packet as it is
LEVEL = 3  # of 9: one more costs more time than it saves bytes
_TEXTS = frozenset(
    {
        "application/json",
        "application/problem+json",
        "application/x-ndjson",
        "application/javascript",
        "text/javascript",
        "text/css",
        "text/csv",
        "text/html",
        "text/plain",
    }
)
_GZIP = 16 + zlib.MAX_WBITS


def install(app: Flask) -> None:
    """Pack the answers of `app`. To be installed last: Flask then does it before the size of an answer is logged."""
    app.after_request(_pack)


def _pack(response: Response) -> Response:
    if response.mimetype not in _TEXTS and response.status_code != 304:
        return response
    response.vary.add("Accept-Encoding")
    if response.status_code == 206 or not _wanted():
        return response
    _weaken(response)
    if response.status_code != 304 and _size(response) >= WORTH_IT:
        _replace(response)
    return response


def _wanted() -> bool:
    """Whether the client names gzip, or anything, and does not like the answer better as it is."""
    accepted = request.accept_encodings
    return accepted.quality("gzip") > 0 and accepted.quality("gzip") >= accepted.quality("identity")


def _size(response: Response) -> int:
    """What is made piece by piece is worth it: nobody knows how long it gets."""
    return int(response.headers.get("Content-Length", WORTH_IT))


def _weaken(response: Response) -> None:
    """One tag for an answer packed and as it is: they hold the same, and are not the same bytes (RFC 9110, 8.8.1)."""
    tag = response.get_etag()[0]
    if tag is not None:
        response.set_etag(tag, weak=True)


def _replace(response: Response) -> None:
    response.headers["Content-Encoding"] = "gzip"
    response.headers.pop("Accept-Ranges", None)  # a part of it as it is would not go with what is packed
    response.direct_passthrough = False
    if response.is_streamed:
        response.headers.pop("Content-Length", None)
        response.response = Packed(response.response)  # type: ignore[arg-type]
    else:
        response.set_data(b"".join(_packed((response.get_data(),))))


def _packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes are packed to the same bytes: no time and no name stand in the head of a gzip that zlib makes."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, _GZIP)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()


class Packed:
    """The pieces of an answer, packed as they come. Closed by the server, it closes what it was made of."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return _packed(self._pieces)

    def close(self) -> None:
        """Called by the server when all is sent, or the client is gone."""
        close = getattr(self._pieces, "close", None)
        if close is not None:
            close()
