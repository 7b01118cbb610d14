"""Declares the errors that this program raises on purpose. No message ever holds a value from a claim.

ScrubberError
|-- ConfigError            a setting of the environment is missing or unusable
|   |-- DamagedReleases    rows of reference data are no longer those that were loaded
|   `-- NewerStore         a store was written by a newer program, which alone can use it; also a StoreUnavailable
|-- NotJson                bytes that are no JSON (HTTP 400), with the position of the first fault
|-- NotX12                 bytes that are no X12 file of professional claims, with the byte and the segment
|-- BadContext             what comes beside an X12 file is no context of its claims (HTTP 400); the message says why
|-- NotAClaim              a body that cannot be read as a claim (HTTP 422), with one problem for each value
|-- Faults                 files that fail their checks: rules, rule tests, tables; every fault at once
|-- NoRulebook             the rules of a digest or revision are missing or damaged
|   `-- DamagedRulebook    the files of an archived rulebook no longer have its digest
|-- NotReplayable          a text that is no answer of this program, or one without its versions
|-- WrongSwitch            a request switches a rule that does not exist or does not run
|-- WrongQuestion          an explanation is requested of a rule or a line that does not exist
|-- BadGzip                bytes that are sent as gzip and are none, or not whole; the message says which
|   `-- UnpacksTooLarge    they hold more than is read
|-- StoreUnavailable       batches cannot be stored or read at the moment (HTTP 503)
|   `-- StoredDataGone     data of a batch is no longer there
|-- DamagedResult          results of a batch are damaged: they are computed again (HTTP 503), or lost (HTTP 500)
|-- KeysDown               API keys cannot be read or written at the moment (HTTP 503)
|-- StorageFull            there is no disk space for a batch (HTTP 507)
|-- BadUpload              an upload is refused while it is received (HTTP 400, 413, 415)
|-- NotABatch              an upload cannot be split into rows; the batch fails, and says why
|-- BackTestStopped        a back-test could not be run to its end
|-- NoPrice                an amount cannot be known; stays within `scrubber.pricing`
`-- InvalidCase            a rule's test case changes what its claim does not have; stays within `scrubber.authoring`
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple


class ScrubberError(Exception):
    """Root of all errors that this program raises on purpose."""


class ConfigError(ScrubberError):
    """A setting of the environment is missing or unusable; the message names it."""


class DamagedReleases(ConfigError):
    """Rows of reference data are no longer those that were loaded; `segments` names the segments that hold them."""

    def __init__(self, message: str, segments: Iterable[str]) -> None:
        self.segments = frozenset(segments)
        super().__init__(message)


class NotJson(ScrubberError):
    """The bytes are no JSON. `byte` counts from 0, `line` and `column` from 1; nothing of the content is kept."""

    def __init__(self, byte: int, line: int, column: int) -> None:
        self.byte = byte
        self.line = line
        self.column = column
        super().__init__(f"not JSON: line {line}, column {column} (byte {byte})")


class NotX12(ScrubberError):
    """The bytes are no X12 file of professional claims, or none that can be read further.

    `word` says what is wrong, `reason` the same as a clause in our own words; `byte` counts from 0, `segment` from 1
    (0: before any). Nothing of the content is kept.
    """

    def __init__(self, word: str, reason: str, byte: int, segment: int) -> None:
        self.word = word
        self.reason = reason
        self.byte = byte
        self.segment = segment
        position = f"segment {segment}, byte {byte}" if segment else f"byte {byte}"
        super().__init__(f"not an X12 file of professional claims: {reason} ({position})")


class BadContext(ScrubberError):
    """What comes beside an X12 file is no context of its claims; the message says in which line, and no value of it."""


class Problem(NamedTuple):
    """One thing wrong with a body: a JSON pointer into it, and what is expected there."""

    pointer: str
    message: str


class NotAClaim(ScrubberError):
    """The containers of the body are not those of a claim. Carries problems, never values."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"not a claim: {len(self.problems)} problem(s)")


class NotReplayable(ScrubberError):
    """A text is no answer of this program, or one without its versions. Holds nothing of the text."""


class WrongSwitch(ScrubberError):
    """A request switches a rule that does not exist or does not run. Names existing rules only."""


class WrongQuestion(ScrubberError):
    """An explanation is requested of a rule or a line that does not exist. Repeats nothing of the request."""


class BadGzip(ScrubberError):
    """Bytes that are sent as gzip are none, are damaged or cut off. The message completes "the body ..."."""


class UnpacksTooLarge(BadGzip):
    """They decompress to more bytes than are read."""


class StoreUnavailable(ScrubberError):
    """Batches cannot be stored or read at the moment."""


class KeysDown(ScrubberError):
    """API keys cannot be read or written at the moment; the message holds no key."""


class StoredDataGone(StoreUnavailable):
    """Data of a batch is no longer there."""


class DamagedResult(ScrubberError):
    """Results of a batch are damaged. `again`: they are being computed again from the upload."""

    def __init__(self, first_row: int, again: bool) -> None:
        self.again = again
        what = f"the results from row {first_row} on are gone, or not as they were made"
        then = "; they are made again from the upload" if again else ", and the batch was ended, so none are made again"
        super().__init__(what + then)


class NewerStore(ConfigError, StoreUnavailable):
    """A store was written by a newer program, which alone can use it; the message says which store."""


class StorageFull(ScrubberError):
    """There is no disk space for a batch."""


class BadUpload(ScrubberError):
    """An upload is refused while it is received. `kind` is empty, foreign, damaged or too-large."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(message)


class NotABatch(ScrubberError):
    """An upload cannot be split into rows; the message says where the first fault is, and holds nothing of it."""


class BackTestStopped(ScrubberError):
    """A back-test could not be run to its end; the message says why."""


class Fault(NamedTuple):
    """One fault in a file: path as given, 1-based line (0 = the whole file), what to do."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        position = f"{self.file}:{self.line}" if self.line else self.file
        return f"{position}: {self.message}"


class Faults(ScrubberError):
    """Files that fail their checks; `faults` has every one of them, in order of file and line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))


class NoRulebook(ScrubberError):
    """The rules of a digest or revision are missing or damaged; the message says which."""


class DamagedRulebook(NoRulebook):
    """The files of an archived rulebook no longer have its digest; the message says where it is."""


_HERE = Path(__file__).resolve().parents[1]
_MOST_CAUSES = 5


def describe_failure(error: BaseException) -> dict[str, Any]:
    """What may be logged of an unforeseen failure: types and positions in the code, innermost last.

    `error` is the type, `frames` are FILE:LINE, `causes` the same of what led to it, if anything did. Never the
    message, source or locals: they may hold a value from a claim.
    """
    described = _described(error)
    causes = [_described(cause) for cause in _causes(error)]
    return described | {"causes": causes} if causes else described


def code_position(file: str, line: int) -> str:
    """FILE:LINE, the path reduced to the module: the rest of it describes the machine."""
    path = Path(file)
    if path.is_relative_to(_HERE) and "site-packages" not in path.parts:
        return f"{path.relative_to(_HERE).as_posix()}:{line}"
    return f"{'/'.join(path.parts[-3:])}:{line}"


def _described(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    return {"error": name, "frames": list(_frames(error.__traceback__))}


def _causes(error: BaseException) -> Iterator[BaseException]:
    for _ in range(_MOST_CAUSES):
        cause = error.__cause__ or error.__context__
        if cause is None:
            return
        yield cause
        error = cause


def _frames(trace: TracebackType | None) -> Iterator[str]:
    while trace is not None:
        yield code_position(trace.tb_frame.f_code.co_filename, trace.tb_lineno)
        trace = trace.tb_next
