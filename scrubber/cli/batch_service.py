"""Around the path: the service that a `scrubber batch` command speaks to. What it refuses is told in its own words."""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from typing import Any, NamedTuple
from urllib.parse import SplitResult, quote, urlencode, urlsplit

import orjson

from scrubber.cli.opening import Unusable

SECONDS = 60.0  # to wait for more of an answer
TRIES = 5  # of what may be asked again
BUSY = 503
PASSING = (502, BUSY, 504)  # of a service, or a proxy before it
PIECE = 1 << 18

Query = Iterable[tuple[str, str]]
Body = Callable[[], Iterable[bytes]]


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    headers: Message
    content: bytes


class Away(Unusable):
    """The service cannot be reached, or cannot answer just now."""


class Broken(Exception):
    """The connection broke while an answer was read."""


class BatchService:
    """A service by its address: http://HOST:PORT, or https; asked with the API key of SCRUBBER_KEY, if there is one."""

    def __init__(self, url: str) -> None:
        """Raises Unusable for an address that is none."""
        key = os.environ.get("SCRUBBER_KEY")
        if key and not (key.isascii() and key.isprintable()):
            raise Unusable("SCRUBBER_KEY is no API key: it has characters that no key has")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or not _has_port(parts):
            raise Unusable(f"--url is {url!r}; give an address such as http://127.0.0.1:8080")
        self._url = url
        self._parts = parts

    def read(self, *names: str, query: Query = ()) -> Any:
        """The JSON at /v1/batches/…. Raises Unusable when there is none."""
        return orjson.loads(_fine(self._tried(lambda: self._ask("GET", _path(names, query)))).content)

    def do(self, method: str, *names: str) -> None:
        """POST or DELETE. Raises Unusable when it is refused."""
        _fine(self._tried(lambda: self._ask(method, _path(names, ()))))

    def submit(self, body: Body, size: int | None, headers: Mapping[str, str], query: Query, again: bool) -> Any:
        """Send a batch, of `size` bytes where that is known. `again`: `body` can be sent more than once.

        Raises Unusable when it is refused.
        """
        length = {} if size is None else {"Content-Length": str(size)}

        def send() -> Answer:
            return self._ask("POST", _path((), query), body(), {**headers, **length})

        return orjson.loads(_fine(self._tried(send) if again else send()).content)

    @contextmanager
    def stream(self, *names: str, query: Query = ()) -> Iterator[tuple[Message, Iterator[bytes]]]:
        """Headers and pieces of a long answer. Raises Unusable when it is refused, Broken when it breaks off."""
        for _ in range(TRIES):
            connection = self._connect()
            try:
                with self._told_plainly():
                    connection.request("GET", self._address(_path(names, query)), headers=self._headers)
                    response = connection.getresponse()
                if response.status == BUSY and (after := response.headers.get("Retry-After")):
                    time.sleep(float(after))
                    continue
                if response.status >= http.client.BAD_REQUEST:
                    _fine(_whole(response))
                yield response.headers, _pieces(response)
                return
            finally:
                connection.close()
        raise Unusable("the service is busy with other batches; try again later")

    def _ask(
        self, method: str, path: str, body: Iterable[bytes] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        connection = self._connect()
        try:
            with self._told_plainly():
                _send(connection, method, self._address(path), body, {**self._headers, **(headers or {})})
                try:
                    return _whole(connection.getresponse())
                except (ConnectionError, http.client.HTTPException):
                    if body is None:
                        raise
                    return Answer(BUSY, _SOON, orjson.dumps(_CLOSED))
        finally:
            connection.close()

    def _tried(self, ask: Callable[[], Answer]) -> Answer:
        """Asked again where the service is busy."""
        for _ in range(TRIES - 1):
            answer = ask()
            after = answer.headers.get("Retry-After")
            if answer.status != BUSY or after is None:
                return answer
            time.sleep(float(after))
        return ask()

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        return kind(self._parts.hostname or "", self._parts.port, timeout=SECONDS, blocksize=PIECE)

    def _address(self, path: str) -> str:
        return self._parts.path.rstrip("/") + path

    @contextmanager
    def _told_plainly(self) -> Iterator[None]:
        try:
            yield
        except ConnectionRefusedError:
            reason = "nobody listens there; start it with `scrubber serve`, or name another with --url or SCRUBBER_URL"
        except TimeoutError:
            reason = f"no answer within {SECONDS:.0f} seconds"
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
        else:
            return
        raise Away(f"the service at {self._url} cannot be reached: {reason}")


def _has_port(parts: SplitResult) -> bool:
    """Whether the port, if any, is one."""
    try:
        return parts.port != 0
    except ValueError:
        return False


def _send(
    connection: http.client.HTTPConnection,
    method: str,
    address: str,
    body: Iterable[bytes] | None,
    headers: Mapping[str, str] | None,
) -> None:
    """A service may refuse a long body before it has read it: what it said is still to be read then."""
    try:
        connection.request(method, address, body, dict(headers or {}))
    except (BrokenPipeError, ConnectionResetError):
        if body is None:
            raise


_SOON = Message()
_SOON["Retry-After"] = "2"
_CLOSED = {
    "title": "The service closed the connection while the batch was sent",
    "detail": "It may be busy with others, or the batch too large for it. Under the same --key it can be sent again.",
}


def _whole(response: http.client.HTTPResponse) -> Answer:
    return Answer(response.status, response.headers, response.read())


def _path(names: Iterable[str], query: Query) -> str:
    asked = urlencode(list(query))
    return "/".join(("/v1/batches", *(quote(name, safe="") for name in names))) + (f"?{asked}" if asked else "")


def _fine(answer: Answer) -> Answer:
    """Raises Unusable with what the service says of a refusal."""
    if answer.status < http.client.BAD_REQUEST:
        return answer
    try:
        told = orjson.loads(answer.content)
        reason = f"{told['title']}. {told['detail']}"
        if answer.status == http.client.UNAUTHORIZED:
            reason += " The key of this command is in SCRUBBER_KEY."
    except (ValueError, KeyError, TypeError):
        reason = f"HTTP {answer.status}; is this address a claim scrubber's?"
    raise Away(reason) if answer.status in PASSING else Unusable(reason)


def _pieces(response: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while piece := response.read1(PIECE):
            yield piece
    except (OSError, http.client.HTTPException) as error:
        raise Broken from error
