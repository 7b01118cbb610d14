"""The client of `scrubber batch`: HTTP requests, tables of batches, and files of results that can be continued.

To continue a file, its last rows are read again and compared, which shows whether it holds these results, by the same
filters.
"""

from __future__ import annotations

import csv
import http.client
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import SplitResult, quote, urlencode, urlsplit

import orjson

from scrubber.cli.options import Unusable
from scrubber.cli.terminal import columns, fitting

_NUMBERS = frozenset(("rows", "done", "accept", "warn", "deny", "rejected", "at risk", "claims", "findings", "rows/s"))
_COLUMNS = ("id", "state", "rows", "done", "accept", "warn", "deny", "rejected", "at risk", "rows/s", "submitted")
_SPARE = (
    "rows/s",
    "submitted",
    "accept",
    "warn",
    "rejected",
    "done",
)  # left out on a narrow terminal, in this order
_GROUPS = {"rules": "rule", "payers": "payer", "codes": "code", "providers": "provider"}


def batches_table(batches: list[Any]) -> Iterator[str]:
    """A line for each batch, and below them why any failed, or does not progress."""
    yield from fitting(_COLUMNS, [_row(batch) for batch in batches], _NUMBERS, _SPARE)
    for batch in batches:
        if batch["why"]:
            yield f"{batch['id']} {'failed' if batch['ended'] else 'stands still'}: {batch['why']}."


def _row(batch: Any) -> list[object]:
    counts = batch["counts"]
    return [
        batch["id"],
        batch["state"],
        batch["rows"],
        batch["rowsDone"],
        *(counts[name] for name in ("accept", "warn", "deny", "rejected")),
        dollars(batch["atRisk"]),
        batch["rowsPerSecond"] and round(batch["rowsPerSecond"]),
        batch["submitted"][:19].replace("T", " "),
    ]


def summary_tables(summary: Any, most: int) -> Iterator[str]:
    """Tables by rule, payer, code and provider, the most dollars first."""
    for group, name in _GROUPS.items():
        found = summary[group]
        rows = [
            [row["key"] or "(none)", row["claims"], row["findings"], dollars(row["atRisk"])] for row in found[:most]
        ]
        yield from columns((name, "claims", "findings", "at risk"), rows, _NUMBERS)
        if len(found) > most:
            yield f"... and {len(found) - most:,} more; --top shows them"
        yield ""


def dollars(amount: str | None) -> str:
    """An amount with commas; a dash for one that is not known."""
    if amount is None:
        return "-"
    complete, _, cents = amount.partition(".")
    return f"{int(complete):,}.{cents}"


TAIL = 1 << 16  # bytes that are searched at a time
ROWS_COMPARED = 50  # of CSV


class ResumePoint(NamedTuple):
    """Where to continue a file: the results after row `after` are in it from byte `start` on, as far as it goes.

    `heading` is the length of the line that begins an answer, which the file must not have twice.
    """

    after: int
    start: int
    heading: int


BEGINNING = ResumePoint(0, 0, 0)


def resume_point(path: Path, as_csv: bool) -> ResumePoint:
    """Where to continue a file, which need not exist yet. Raises Unusable for one that holds something else."""
    if not path.exists():
        return BEGINNING
    if not path.is_file():
        raise Unusable(f"{path} is no file that can be continued; without -o results are printed")
    with _usable(path), path.open("rb") as file:
        try:
            return _in_csv(file) if as_csv else _in_lines(file)
        except (ValueError, KeyError, TypeError, csv.Error):
            raise _holds_something_else(path) from None


def write(pieces: Iterator[bytes], path: Path, resume_at: ResumePoint) -> None:
    """Continue a file with pieces of an answer. Raises Unusable when the file and the answer differ."""
    with _usable(path):
        path.touch(mode=0o600)  # it contains claims, so no other user may read it
        with path.open("r+b") as file:
            file.seek(resume_at.start)
            held = file.read()
            skip = resume_at.heading
            for piece in pieces:
                rest, skip = piece[skip:], max(0, skip - len(piece))
                known = min(len(rest), len(held))
                if rest[:known] != held[:known]:
                    raise _holds_something_else(path)
                held = held[known:]
                file.write(rest[known:])
    if held:
        raise _holds_something_else(path)


@contextmanager
def _usable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from None


def _holds_something_else(path: Path) -> Unusable:
    return Unusable(f"{path} holds something else than these results; choose another file, or remove it")


def _in_lines(file: BinaryIO) -> ResumePoint:
    """Where to continue NDJSON: at its last complete line."""
    start = size = file.seek(0, 2)
    tail = b""
    while start and tail.count(b"\n") < 2:
        start = max(0, start - TAIL)
        file.seek(start)
        tail = file.read(size - start)
    begin = tail.find(b"\n") + 1 if start else 0
    end = tail.find(b"\n", begin)
    return BEGINNING if end < 0 else ResumePoint(orjson.loads(tail[begin:end])["row"] - 1, start + begin, 0)


def _in_csv(file: BinaryIO) -> ResumePoint:
    """Where to continue CSV: ROWS_COMPARED rows before its end, since a row has a line for each of its findings."""
    lines = _CountedLines(file)
    reader = csv.reader(lines)
    if not next(reader, None):
        return BEGINNING
    heading = begin = lines.bytes
    row, points = 0, deque([BEGINNING], maxlen=ROWS_COMPARED)
    for record in reader:
        if not lines.complete:
            break
        if int(record[0]) != row:
            row = int(record[0])
            points.append(ResumePoint(row - 1, begin, heading))
        begin = lines.bytes
    return points[0]


class _CountedLines:
    """The lines of a file, and how many bytes have been read; `complete`: the last line has its end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.bytes = 0
        self.complete = True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline()
        if not line:
            raise StopIteration
        self.bytes += len(line)
        self.complete = line.endswith(b"\n")
        return line.decode(errors="replace")


SECONDS = 60.0  # to wait for more of an answer
TRIES = 5  # of a request that may be repeated
BUSY = 503
TEMPORARY = (502, BUSY, 504)  # statuses of a service, or of a proxy before it
PIECE = 1 << 18

Query = Iterable[tuple[str, str]]
Body = Callable[[], Iterable[bytes]]


class ServiceResponse(NamedTuple):
    """A complete response."""

    status: int
    headers: Message
    content: bytes


class ServiceAway(Unusable):
    """The service cannot be reached, or cannot answer at the moment."""


class ConnectionBroken(Exception):
    """The connection was lost while an answer was read."""


class BatchService:
    """A service by its address: http://HOST:PORT, or https. Requests have the API key of SCRUBBER_KEY, if it is set."""

    def __init__(self, url: str) -> None:
        """Raises Unusable for an address or a key that cannot be one."""
        key = os.environ.get("SCRUBBER_KEY")
        if key and not (key.isascii() and key.isprintable()):
            raise Unusable("SCRUBBER_KEY is no API key: it has characters that no key has")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        split_url = urlsplit(url)
        if split_url.scheme not in ("http", "https") or not split_url.hostname or not _has_port(split_url):
            raise Unusable(f"--url is {url!r}; give an address such as http://127.0.0.1:8080")
        self._url = url
        self._split_url = split_url

    def read(self, *names: str, query: Query = ()) -> Any:
        """The JSON at /v1/batches/…. Raises Unusable when there is none."""
        return orjson.loads(_checked(self._tried(lambda: self._request("GET", _path(names, query)))).content)

    def do(self, method: str, *names: str) -> None:
        """POST or DELETE. Raises Unusable when it is refused."""
        _checked(self._tried(lambda: self._request(method, _path(names, ()))))

    def submit(self, body: Body, size: int | None, headers: Mapping[str, str], query: Query, again: bool) -> Any:
        """Send a batch, of `size` bytes where that is known. `again`: `body` can be sent more than once.

        Raises Unusable when it is refused.
        """
        length = {} if size is None else {"Content-Length": str(size)}

        def send() -> ServiceResponse:
            return self._request("POST", _path((), query), body(), {**headers, **length})

        return orjson.loads(_checked(self._tried(send) if again else send()).content)

    @contextmanager
    def stream(self, *names: str, query: Query = ()) -> Iterator[tuple[Message, Iterator[bytes]]]:
        """Headers and pieces of a long answer. Raises Unusable when refused, ConnectionBroken when it is cut off."""
        for _ in range(TRIES):
            connection = self._connect()
            try:
                with self._errors_as_messages():
                    connection.request("GET", self._address(_path(names, query)), headers=self._headers)
                    response = connection.getresponse()
                if response.status == BUSY and (after := response.headers.get("Retry-After")):
                    time.sleep(float(after))
                    continue
                if response.status >= http.client.BAD_REQUEST:
                    _checked(_read_response(response))
                yield response.headers, _pieces(response)
                return
            finally:
                connection.close()
        raise Unusable("the service is busy with other batches; try again later")

    def _request(
        self, method: str, path: str, body: Iterable[bytes] | None = None, headers: Mapping[str, str] | None = None
    ) -> ServiceResponse:
        connection = self._connect()
        try:
            with self._errors_as_messages():
                _send(connection, method, self._address(path), body, {**self._headers, **(headers or {})})
                try:
                    return _read_response(connection.getresponse())
                except (ConnectionError, http.client.HTTPException):
                    if body is None:
                        raise
                    return ServiceResponse(BUSY, _SOON, orjson.dumps(_CLOSED))
        finally:
            connection.close()

    def _tried(self, send_request: Callable[[], ServiceResponse]) -> ServiceResponse:
        """Send a request, again where the service is busy."""
        for _ in range(TRIES - 1):
            answer = send_request()
            after = answer.headers.get("Retry-After")
            if answer.status != BUSY or after is None:
                return answer
            time.sleep(float(after))
        return send_request()

    def _connect(self) -> http.client.HTTPConnection:
        connection_type = (
            http.client.HTTPSConnection if self._split_url.scheme == "https" else http.client.HTTPConnection
        )
        return connection_type(self._split_url.hostname or "", self._split_url.port, timeout=SECONDS, blocksize=PIECE)

    def _address(self, path: str) -> str:
        return self._split_url.path.rstrip("/") + path

    @contextmanager
    def _errors_as_messages(self) -> Iterator[None]:
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
        raise ServiceAway(f"the service at {self._url} cannot be reached: {reason}")


def _has_port(split_url: SplitResult) -> bool:
    """Whether the port, if there is one, is valid."""
    try:
        return split_url.port != 0
    except ValueError:
        return False


def _send(
    connection: http.client.HTTPConnection,
    method: str,
    address: str,
    body: Iterable[bytes] | None,
    headers: Mapping[str, str] | None,
) -> None:
    """Send a request. A service may refuse a long body before it has read it; its answer is then still to be read."""
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


def _read_response(response: http.client.HTTPResponse) -> ServiceResponse:
    return ServiceResponse(response.status, response.headers, response.read())


def _path(names: Iterable[str], query: Query) -> str:
    query_text = urlencode(list(query))
    return "/".join(("/v1/batches", *(quote(name, safe="") for name in names))) + (
        f"?{query_text}" if query_text else ""
    )


def _checked(answer: ServiceResponse) -> ServiceResponse:
    """The response, if it is no refusal. Raises Unusable with the service's reason for one."""
    if answer.status < http.client.BAD_REQUEST:
        return answer
    try:
        problem = orjson.loads(answer.content)
        reason = f"{problem['title']}. {problem['detail']}"
        if answer.status == http.client.UNAUTHORIZED:
            reason += " The key of this command is in SCRUBBER_KEY."
    except (ValueError, KeyError, TypeError):
        reason = f"HTTP {answer.status}; is this address a claim scrubber's?"
    raise ServiceAway(reason) if answer.status in TEMPORARY else Unusable(reason)


def _pieces(response: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while piece := response.read1(PIECE):
            yield piece
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionBroken from error
