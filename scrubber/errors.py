"""What can go wrong, and the words for it. No message ever holds a value from a claim.

ScrubberError
|-- ConfigError            a setting of the environment is missing or unusable
|   |-- DamagedReleases    rows of reference data are no longer those that were loaded
|   `-- NewerStore         a store was written by a newer program, which alone can use it; also a StoreUnavailable
|-- NotJson                bytes that are no JSON (HTTP 400), with the place where they stop being it
|-- NotX12                 bytes that are no X12 file of professional claims, with the byte and the segment
|-- NotAClaim              a body that cannot be read as a claim (HTTP 422), with a problem per place
|-- Faults                 files that fail their checks: rules, rule tests, tables; every fault at once
|-- NoRulebook             rules that are asked for by digest or revision are not there, or not whole
|   `-- Damaged            a rulebook that was kept is not as it was
|-- NotReplayable          a text that is no answer of ours, or one that does not say what it was made with
|-- WrongSwitch            a rule that a request switches on or off is not there, or does not run
|-- WrongQuestion          an explanation is asked of a rule or a line that there is not
|-- BadGzip                bytes that are sent as gzip and are none, or not whole; the message says which
|   `-- UnpacksTooLarge    they hold more than is read
|-- StoreUnavailable             batches cannot be kept or read just now (HTTP 503)
|   `-- StoredDataGone               what was kept of a batch is not there any more
|-- DamagedResult          results of a batch are not as they were made: made again (HTTP 503), or lost (HTTP 500)
|-- KeysDown               API keys cannot be read or written just now (HTTP 503)
|-- StorageFull              there is no room for a batch (HTTP 507)
|-- BadUpload              an upload is refused while it is received (HTTP 400, 413, 415)
|-- NotABatch              an upload cannot be cut into rows; the batch fails, and says why
|-- BackTestStopped        a back-test could not be run to its end
|-- NoPrice                an amount cannot be known; stays within `scrubber.pricing`
`-- CaseNotMade            a rule's test case changes what is not there; stays within `scrubber.authoring`
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
        place = f"segment {segment}, byte {byte}" if segment else f"byte {byte}"
        super().__init__(f"not an X12 file of professional claims: {reason} ({place})")


class Problem(NamedTuple):
    """One thing wrong with a body: a JSON pointer into it, and what is expected there."""

    pointer: str
    message: str


class NotAClaim(ScrubberError):
    """The body has the wrong shape for a claim. Carries problems, never values."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"not a claim: {len(self.problems)} problem(s)")


class NotReplayable(ScrubberError):
    """A text is no answer of ours, or one that does not say what it was made with. Holds nothing of the text."""


class WrongSwitch(ScrubberError):
    """A request switches a rule that there is not, or one that does not run. Names only rules that there are."""


class WrongQuestion(ScrubberError):
    """An explanation is asked of a rule or a line that there is not. Repeats nothing of what was asked."""


class BadGzip(ScrubberError):
    """Bytes that are sent as gzip are none, are damaged or cut off. The message goes on after "the body ..."."""


class UnpacksTooLarge(BadGzip):
    """They hold more bytes than are read."""


class StoreUnavailable(ScrubberError):
    """Batches cannot be kept or read just now."""


class KeysDown(ScrubberError):
    """API keys cannot be read or written just now; the message holds no key."""


class StoredDataGone(StoreUnavailable):
    """What was kept of a batch is not there any more."""


class DamagedResult(ScrubberError):
    """Results of a batch are not as they were made. `again`: they are being made again from the upload."""

    def __init__(self, first_row: int, again: bool) -> None:
        self.again = again
        what = f"the results from row {first_row} on are gone, or not as they were made"
        then = "; they are made again from the upload" if again else ", and the batch was ended, so none are made again"
        super().__init__(what + then)


class NewerStore(ConfigError, StoreUnavailable):
    """A store was written by a newer program, which alone can use it; the message says which store."""


class StorageFull(ScrubberError):
    """There is no room for a batch."""


class BadUpload(ScrubberError):
    """An upload is refused while it is received. `kind` is empty, foreign, damaged or too-large."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(message)


class NotABatch(ScrubberError):
    """An upload cannot be cut into rows; the message says where it stops being one, and holds nothing of it."""


class BackTestStopped(ScrubberError):
    """A back-test could not be run to its end; the message says why."""


class Fault(NamedTuple):
    """One fault in a file: path as given, 1-based line (0 = the whole file), what to do."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.message}"


class Faults(ScrubberError):
    """Files that fail their checks; `faults` has every one of them, in order of file and line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))


class NoRulebook(ScrubberError):
    """Rules that are asked for by digest or revision are not there, or not as they were; the message says which."""


class Damaged(NoRulebook):
    """A rulebook that was kept is not as it was; the message says where it lies."""


_HERE = Path(__file__).resolve().parents[1]
_MOST_CAUSES = 5


def describe_failure(error: BaseException) -> dict[str, Any]:
    """What may be told of a failure that nobody foresaw: types and places in the code, innermost last.

    `error` is the type, `frames` are FILE:LINE, `causes` the same of what led to it, if anything did. Never the
    message, nor source or locals: they may hold a value from a claim.
    """
    told = _described(error)
    causes = [_described(cause) for cause in _causes(error)]
    return told | {"causes": causes} if causes else told


def code_place(file: str, line: int) -> str:
    """FILE:LINE with the part of the path that says which module it is; the rest is about the machine."""
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
        yield code_place(trace.tb_frame.f_code.co_filename, trace.tb_lineno)
        trace = trace.tb_next
