"""One JSON line per request, and one per failure. Nothing that a client sent is ever in them.

Of an exception only its type and the places in the code are written: its message may hold a value from a claim.
"""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter_ns
from typing import TextIO, cast

import orjson
import structlog
from flask import Flask, Response, current_app, g, request
from structlog.typing import FilteringBoundLogger

from scrubber.api.headers import ids
from scrubber.errors import code_position, describe_failure
from scrubber.findings import ScrubResult
from scrubber.rulebook.rule import SEVERITIES

Log = FilteringBoundLogger

WAITED = "scrubber.waited"  # in the WSGI environ: seconds that the request waited for its thread
MOST_OUTAGES = 100  # that are remembered; damaged results of a batch are one
_KEY = "claim-scrubber-log"
_OUTAGES = "claim-scrubber-outages"
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


def milliseconds(seconds: float) -> float:
    """As the log has them."""
    return round(seconds * 1e3, 2)


def open_log(stream: TextIO) -> Log:
    """A log that writes one JSON object a line to `stream`, at once."""
    return cast(
        Log,
        structlog.wrap_logger(
            structlog.BytesLogger(stream.buffer),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
                structlog.processors.JSONRenderer(serializer=orjson.dumps),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            cache_logger_on_first_use=True,
        ),
    )


def install(app: Flask, log: Log) -> None:
    """Write a line to `log` after each request of `app`."""
    app.extensions[_KEY] = log
    app.extensions[_OUTAGES] = {}
    app.before_request(_begin)
    app.after_request(_end)


def log_received(count: int) -> None:
    """Remember for the request's line how many bytes its body had."""
    g.received = count


def log_key(key_id: str) -> None:
    """Remember for the request's line under which key it was asked: its id, which is no secret."""
    g.caller_key = {"key": key_id}


def log_result(result: ScrubResult) -> None:
    """Remember for the request's line how the claim came out."""
    severities = [finding.severity for finding in result.findings]
    g.outcome = {
        "disposition": result.disposition,
        **{severity: severities.count(severity) for severity in SEVERITIES},
        "not_checked": len(result.not_checked),
    }


def request_failed(error: BaseException) -> str:
    """Log a failure that nobody foresaw. Returns the id of the request, under which the log has it."""
    known = ids()
    _write("error", "failure", request=known.request, traceparent=known.traceparent, **describe_failure(error))
    return known.request


def not_ready(why: str) -> None:
    """Log why the service is not ready, where whoever asks may not be told."""
    _write("warning", "not ready", request=ids().request, reason=why)


def outage(of: str, reason: str, lasts: bool = True) -> None:
    """Log an error: what this service rests on is away, full or damaged. `reason` is in our own words.

    Once in each process where it `lasts`, however many requests it fails: again when `of` is `over` and then fails, or
    fails in another way.
    """
    outages = _outages()
    if outages.get(of) == reason:
        return
    if lasts:
        while len(outages) >= MOST_OUTAGES:
            outages.pop(next(iter(outages)), None)
        outages[of] = reason
    _write("error", "outage", request=ids().request, of=of, reason=reason)


def over(of: str) -> None:
    """A request has shown that an outage is over, if there was one."""
    if _outages().pop(of, None) is not None:
        _write("info", "outage over", request=ids().request, of=of)


def _outages() -> dict[str, str]:
    """The reason of each outage that lasts."""
    return cast(dict[str, str], current_app.extensions[_OUTAGES])


def take_over(log: Log) -> None:
    """Send what any library logs or leaves uncaught to `log`, reduced to who said it and where in the code."""
    logging.root.handlers = [_Reduced(log)]
    logging.root.setLevel(logging.WARNING)
    warnings.showwarning = _warned(log)
    sys.excepthook = lambda _kind, error, _trace: write_failure(log, error)
    threading.excepthook = lambda args: write_failure(log, args.exc_value)
    sys.unraisablehook = lambda args: write_failure(log, args.exc_value)


def write_failure(log: Log, error: BaseException | None) -> None:
    """A failure: types and places in the code, innermost last; no source, no values."""
    log.error("failure", **(describe_failure(error) if error else {}))


class _Reduced(logging.Handler):
    """Writes a library's record. Its text is kept where it stands in the code as it is said: no request is in it then.

    Of a text with places for values the places are kept, never the values.
    """

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """One line: which logger, which level, which line of code; for an exception its type and frames."""
        error = record.exc_info[1] if record.exc_info else None
        self._log.warning(
            "library",
            logger=record.name,
            severity=record.levelname.lower(),
            at=code_position(record.pathname, record.lineno),
            **_constant(record.msg),
            **(describe_failure(error) if error else {}),
        )


def _warned(log: Log) -> Callable[..., None]:
    def show(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: object, **__: object
    ) -> None:
        """Called by Python with each warning."""
        text = _constant(str(message))
        log.warning(
            "library", logger="py.warnings", severity=category.__name__, at=code_position(filename, lineno), **text
        )

    return show


def _constant(text: object) -> dict[str, str]:
    """The text, where some code that is being run has it as a constant; so no value can have got into it."""
    frame = sys._getframe()
    while isinstance(text, str) and frame.f_back is not None:
        frame = frame.f_back
        if text in frame.f_code.co_consts or any(value is text for value in frame.f_globals.values()):
            return {"text": text}
    return {}


def _write(level: str, event: str, **fields: object) -> None:
    """A log that cannot be written, its reader gone or its disk full, is no reason to refuse claims."""
    log = cast(Log, current_app.extensions[_KEY])
    with suppress(OSError, ValueError):
        getattr(log, level)(event, **fields)


def _begin() -> None:
    g.started = perf_counter_ns()
    g.received = 0
    g.outcome = {}
    g.caller_key = {}


def _end(response: Response) -> Response:
    rule, known = request.url_rule, ids()
    _write(
        "info",
        "request",
        request=known.request,
        traceparent=known.traceparent,
        method=request.method if request.method in _METHODS else "other",
        route=rule.rule if rule else None,
        status=response.status_code,
        ms=milliseconds((perf_counter_ns() - g.started) / 1e9),
        waited=milliseconds(request.environ.get(WAITED, 0.0)),
        received=g.received,
        sent=response.content_length,
        **g.caller_key,
        **g.outcome,
    )
    return response
