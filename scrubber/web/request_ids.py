"""Beside the path: the ids by which a sender's log and ours are held side by side, answered and logged.

Kept as they were sent where they look like ids, and made anew where they do not: what is logged is neither a line of
its own nor a word of a claim. Claims hold numbers, too, so an id that stands in the claim itself is made anew as well.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from typing import NamedTuple

from flask import Flask, Response, g, request

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


def install(app: Flask) -> None:
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
