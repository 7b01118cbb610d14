"""Headers of answers: request ids, caching, and compression for clients that ask for it.

An answer that says nothing of itself is not stored: what is added and forgotten here is safe.

Kept as they were sent where they look like ids, and made anew where they do not: what is logged is neither a line of
its own nor a word of a claim. Claims hold numbers, too, so an id that stands in the claim itself is made anew as well.
"""

from __future__ import annotations

import re
import secrets
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from flask import Flask, Response, g, request

NOT_STORED = "no-store"
REVALIDATED = "no-cache"  # may be stored, and is asked for again with its ETag each time
_HEADER = "Cache-Control"


def install_caching(app: Flask) -> None:
    """Have every answer of `app` say whether it may be stored."""
    app.after_request(_forbid)


def _forbid(response: Response) -> Response:
    if response.status_code >= 400 or _HEADER not in response.headers:
        response.headers[_HEADER] = NOT_STORED
    return response


REQUEST_ID, TRACEPARENT = "X-Request-Id", "traceparent"
# An id as UUIDs, ULIDs, and what proxies and clouds make of them; a name has no digit, and few have 20 letters.
MOST_LENGTH = 128
REQUEST_ID_PATTERN = r"(?=[^0-9]*[0-9]|.{20})[0-9A-Za-z][0-9A-Za-z._~:=+/-]{0,127}"
_REQUEST_ID = re.compile(REQUEST_ID_PATTERN)
# https://www.w3.org/TR/trace-context/: version, trace, span, flags. Later versions may go on behind them.
TRACEPARENT_PATTERN = r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.{0,200})?"
_TRACEPARENT = re.compile(TRACEPARENT_PATTERN)
_SAMPLED = 1


class Ids(NamedTuple):
    """What one request is known by."""

    request: str
    traceparent: str


def install_request_ids(app: Flask) -> None:
    """Give each request of `app` its ids, and answer them."""
    app.before_request(_begin)
    app.after_request(_answer)


def ids_of(headers: Iterable[tuple[str, str]], content: bytes = b"") -> Ids:
    """The ids of a request that the application never sees, with these headers and as much of its body as arrived."""
    sent: dict[str, str] = {}
    for name, value in headers:
        known = name.lower()
        sent[known] = f"{sent[known]},{value}" if known in sent else value  # as WSGI does it: two of one name are none
    found = Ids(_request_id(sent.get(REQUEST_ID.lower())), _traceparent(sent.get(TRACEPARENT)))
    return _apart_from(content, found)


def ids() -> Ids:
    """The ids of the current request."""
    found: Ids = g.ids
    return found


def keep_out_of(content: bytes) -> None:
    """The body of the current request, as it is read: what stands in it is no id to log."""
    g.ids = _apart_from(content, ids())


def _apart_from(content: bytes, known: Ids) -> Ids:
    return known._replace(request=_new_id()) if known.request.encode() in content else known


def _begin() -> None:
    g.ids = Ids(_request_id(request.headers.get(REQUEST_ID)), _traceparent(request.headers.get(TRACEPARENT)))


def _answer(response: Response) -> Response:
    response.headers[REQUEST_ID], response.headers[TRACEPARENT] = ids()
    return response


def _request_id(sent: str | None) -> str:
    return sent if sent is not None and _REQUEST_ID.fullmatch(sent) else _new_id()


def _new_id() -> str:
    return secrets.token_hex(8)


def _traceparent(sent: str | None) -> str:
    """In version 00, whichever newer one was sent: of those, only what 00 has is known."""
    match = _TRACEPARENT.fullmatch(sent) if sent is not None else None
    if match is None or (match[1] == "00" and match[5]):
        return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"
    flags = match[4] if match[1] == "00" else f"{int(match[4], 16) & _SAMPLED:02x}"
    return f"00-{match[2]}-{match[3]}-{flags}"


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


def install_compression(app: Flask) -> None:
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
