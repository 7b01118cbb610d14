"""What the views of one application work with, and the body and parameters of a request, within bounds.

A misspelt parameter would change nothing, unnoticed. What a route knows is what its documentation says of it, so that
the two cannot differ. No name or value that was sent is repeated: either may hold something of a claim.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any, NamedTuple, cast

from flask import Flask, current_app, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected

from scrubber import likeness
from scrubber.api import headers, limits, logs
from scrubber.api.limits import Transfers
from scrubber.api.multipart import InParts, read_parts
from scrubber.api.problems import BAD_BODY, BAD_PARAMETER, TOO_LARGE, UNSUPPORTED, Refused
from scrubber.batch.storage import Batches
from scrubber.claim.formats import is_x12
from scrubber.claim.unpack import unpacked
from scrubber.claim.x12.recognize import HEAD, refuse_content
from scrubber.errors import BadGzip, UnpacksTooLarge
from scrubber.response.acknowledgments import AcknowledgmentHeader
from scrubber.scrub import Scrubber

_KEY = "claim-scrubber"
_CONTROL_NUMBERS = 1_000_000_000  # of nine digits


@dataclass(frozen=True, slots=True)
class Service:
    """The scrubber as it is now, and what a deployment chose.

    `max_body_bytes` is the largest body that is read. `ready_days`: the service is not ready when a loaded table ended
    more than so many days ago; None: it is all the same. `trouble` says why a change of the reference data is not in
    force, None while all is well. `batches` is where batches of at most `max_batch_bytes` are kept, None where none are
    taken; their end may be told to `webhook_hosts`, and `transfers` bounds how many are sent or read at once.
    """

    current: Callable[[], Scrubber]
    max_body_bytes: int
    ready_days: int | None
    trouble: Callable[[], str | None]
    batches: Batches | None = None
    max_batch_bytes: int = 0
    webhook_hosts: tuple[str, ...] = ()
    transfers: Transfers = field(default_factory=lambda: Transfers(1))

    @property
    def scrubber(self) -> Scrubber:
        """The scrubber of this moment; a request asks once, and keeps to it."""
        return self.current()


def install_service(app: Flask, service: Service) -> None:
    """Give the service to the views of `app`."""
    app.extensions[_KEY] = service


def service() -> Service:
    """The service of the application that answers the current request."""
    return cast(Service, current_app.extensions[_KEY])


_LOOKED_AT = 8  # unknown names of one request: comparing takes time
_VARIABLE = re.compile(r"<(?:[^:<>]*:)?([^<>]*)>")


class ParameterNames(NamedTuple):
    """The names of the parameters of one route: those that may be given one time, and those that may be repeated."""

    single: frozenset[str] = frozenset()
    repeated: frozenset[str] = frozenset()


_NONE = ParameterNames()


def install_parameters(app: Flask, document: Mapping[str, Any]) -> None:
    """Have every route of `app` refuse what `document`, its OpenAPI document, does not list for it."""
    routes = {
        (path, method.upper()): _known(operation.get("parameters", ()))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if isinstance(operation, Mapping)
    }

    def check() -> None:
        # The query of an OPTIONS request is that of the request which the browser asks about.
        if request.args and request.url_rule is not None and request.method != "OPTIONS":
            method = "GET" if request.method == "HEAD" else request.method
            _check(routes.get((_VARIABLE.sub(r"{\1}", request.url_rule.rule), method), _NONE))

    app.before_request(check)


def _known(parameters: Iterable[Mapping[str, Any]]) -> ParameterNames:
    schemas = {parameter["name"]: parameter["schema"] for parameter in parameters if parameter.get("in") == "query"}
    repeated = frozenset(name for name, schema in schemas.items() if schema.get("type") == "array")
    return ParameterNames(frozenset(schemas) - repeated, repeated)


def _check(known: ParameterNames) -> None:
    """Raises Refused (400)."""
    names = sorted(known.single | known.repeated)
    unknown = request.args.keys() - set(names)
    if unknown:
        raise Refused(BAD_PARAMETER, " ".join(_unknown(sorted(unknown), names)))
    for name in known.single:
        if len(request.args.getlist(name)) > 1:
            raise Refused(BAD_PARAMETER, f"`{name}` is given more than once.")


def _unknown(unknown: Iterable[str], names: list[str]) -> Iterable[str]:
    if not names:
        yield "No parameters are known here."
        return
    yield f"Only these parameters are known here: {', '.join(names)}."
    meant = [name for name in names if name in _meant(unknown, names)]
    if meant:
        yield f"Probably meant: {', '.join(f'`{name}`' for name in meant)}."


def _meant(unknown: Iterable[str], names: list[str]) -> set[str]:
    """The known names that unknown ones resemble, whatever their case."""
    return {near for sent in islice(unknown, _LOOKED_AT) for near in likeness.meant(sent, names, most=1)}


X12_TYPE = "application/edi-x12"
_JSON = re.compile(r"application/(json|[a-z0-9][a-z0-9.+-]*\+json)")
_AS_IT_IS, _GZIP = "identity", ("gzip", "x-gzip")
_UTF_8 = ("utf-8", "utf8", "us-ascii")
# What the server raises when a body is cut off or its chunks or trailers are malformed.
_BROKEN = (OSError, ParseException, ClientDisconnected)


def acknowledgment_header(now: datetime, received_on: date) -> AcknowledgmentHeader:
    """What an acknowledgment says of itself. Its control number are the last nine digits of the clock's seconds."""
    return AcknowledgmentHeader(now, int(now.timestamp()) % _CONTROL_NUMBERS or 1, received_on)


def read_claim_bytes(most: int) -> bytes:
    """The body of the current request, at most `most` bytes as sent and as unpacked. Raises Refused (400, 413, 415)."""
    gzipped = is_gzipped()
    _check_media_type()
    content = _body(most)
    content = _unpacked(content, most) if gzipped else content
    headers.keep_out_of(content)
    if request.mimetype == X12_TYPE and not is_x12(content):
        refuse_content(content[:HEAD].lstrip(), 0)
    return content


def read_claim_in_parts(most: int) -> InParts:
    """The parts of a multipart body, at most `most` bytes in all. Raises Refused (400, 413, 415)."""
    if is_gzipped():
        raise Refused(UNSUPPORTED, "Send a body in parts as it is, without Content-Encoding.")
    content = _body(most)
    headers.keep_out_of(content)
    return read_parts(content)


def _body(most: int) -> bytes:
    if (request.content_length or 0) > most:
        raise _too_large(most)
    try:
        content: bytes = request.stream.read(most + 1)
    except _BROKEN:
        raise Refused(BAD_BODY, "Its chunks are malformed or the connection broke.") from None
    logs.log_received(len(content))
    if len(content) > most:
        raise _too_large(most)
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
            piece: bytes = request.stream.read(limits.STEP)
        except _BROKEN:
            raise Refused(BAD_BODY, "Its chunks are malformed or the connection broke.") from None
        if not piece:
            break
        limits.go_on()
        received += len(piece)
        yield piece
    logs.log_received(received)
    if request.content_length is not None and received < request.content_length:
        raise Refused(BAD_BODY, "It ended before its Content-Length.")


def is_gzipped() -> bool:
    """Whether the body is said to be packed by gzip. Raises Refused (415) where it is packed otherwise, or twice."""
    encoding = request.headers.get("Content-Encoding", _AS_IT_IS).strip().lower()
    if encoding != _AS_IT_IS and encoding not in _GZIP:
        raise Refused(UNSUPPORTED, "Send the body as it is, or with Content-Encoding: gzip.")
    return encoding in _GZIP


def _check_media_type() -> None:
    if request.mimetype == X12_TYPE:
        return
    if not _JSON.fullmatch(request.mimetype):
        raise Refused(
            UNSUPPORTED,
            f"Send Content-Type: application/json, one that ends in +json, {X12_TYPE} or multipart/form-data.",
        )
    check_charset()


def check_charset() -> None:
    """Raises Refused (415) where the body says that it is not UTF-8."""
    if request.mimetype_params.get("charset", "utf-8").lower() not in _UTF_8:
        raise Refused(UNSUPPORTED, "JSON is read as UTF-8; send no other charset.")


def _too_large(most: int) -> Refused:
    return Refused(TOO_LARGE, f"At most {most:,} bytes are read.")
