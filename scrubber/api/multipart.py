"""Reads a body in parts (multipart/form-data): an X12 file, `claims`, and the contexts beside it, `context`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from scrubber.api.problems import BAD_BODY, UNSUPPORTED, Refused
from scrubber.batch.model import CONTEXT_END
from scrubber.claim.formats import is_x12
from scrubber.claim.x12.recognize import HEAD, refuse_content

MULTIPART = "multipart/form-data"
CLAIMS, CONTEXT = "claims", "context"
_PARTS = f"Send the parts `{CONTEXT}` (a context a line) and `{CLAIMS}` (an X12 file), each once, and no others."
_FIRST = f"Send the part `{CONTEXT}` before the part `{CLAIMS}`."


class InParts(NamedTuple):
    """The X12 file of a body, and the contexts beside it."""

    claims: bytes
    context: bytes


def is_multipart() -> bool:
    """Whether the body of the current request comes in parts."""
    return request.mimetype == MULTIPART


def read_parts(body: bytes) -> InParts:
    """Both parts of a body, in either order. Raises Refused (400, 415), and NotX12 where the claims are none."""
    parts = {CLAIMS: b"", CONTEXT: b""}
    for name, data in _pieces_by_part((body,)):
        parts[name] += data
    _check_x12(parts[CLAIMS])
    return InParts(parts[CLAIMS], parts[CONTEXT])


def upload_in_parts(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """A body in parts as the upload of a batch: the context, CONTEXT_END, and the claims; nothing of it is held.

    Raises Refused (400, 415), and NotX12 where the claims are none.
    """
    claims_begun = False
    for name, data in _pieces_by_part(pieces):
        if name == CLAIMS and not claims_begun:
            if not data:
                continue
            _check_x12(data)
            claims_begun = True
            yield CONTEXT_END
        elif name == CONTEXT and claims_begun:
            raise Refused(BAD_BODY, _FIRST)
        elif name == CONTEXT and CONTEXT_END[1:2] in data:
            raise Refused(BAD_BODY, "The context has a control character.")
        yield data


def _check_x12(start: bytes) -> None:
    if not is_x12(start):
        refuse_content(start[:HEAD].lstrip(), 0)


def _pieces_by_part(pieces: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """The content of the parts as it comes, each piece with the name of its part. Raises Refused (400, 415)."""
    boundary = request.mimetype_params.get("boundary", "")
    if not boundary.isascii() or not boundary:
        raise Refused(UNSUPPORTED, "Send multipart/form-data with the boundary between its parts.")
    decoder = MultipartDecoder(boundary.encode(), max_parts=2)
    seen: list[str] = []
    try:
        for piece in _and_none(pieces):
            decoder.receive_data(piece)
            yield from _events(decoder, seen)
    except (ValueError, RequestEntityTooLarge):
        raise Refused(BAD_BODY, f"It is no {MULTIPART} that can be read. {_PARTS}") from None
    if sorted(seen) != [CLAIMS, CONTEXT]:
        raise Refused(BAD_BODY, _PARTS)


def _and_none(pieces: Iterable[bytes]) -> Iterator[bytes | None]:
    """The pieces, and None for the end."""
    yield from pieces
    yield None


def _events(decoder: MultipartDecoder, seen: list[str]) -> Iterator[tuple[str, bytes]]:
    while True:
        event = decoder.next_event()
        if isinstance(event, Field | File):
            if event.name not in (CLAIMS, CONTEXT) or event.name in seen:
                raise Refused(BAD_BODY, _PARTS)
            seen.append(event.name)
        elif isinstance(event, Data):
            yield seen[-1], event.data
        elif isinstance(event, Epilogue | NeedData):
            return
