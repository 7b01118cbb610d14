"""What can go wrong, and the words it is told in. No message ever holds a value from a claim.

ScrubberError
|-- ConfigError            a setting of the environment is missing or unusable
|-- NotAClaim              a body that cannot be read as a claim (HTTP 422), with a problem per place
`-- Faults                 files that fail their checks: rules, rule tests, tables; every fault at once
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class ScrubberError(Exception):
    """Root of all errors that this program raises on purpose."""


class ConfigError(ScrubberError):
    """A setting of the environment is missing or unusable; the message names it."""


class NotJson(ScrubberError):
    """The bytes are no JSON. `byte` counts from 0, `line` and `column` from 1; nothing of the content is kept."""

    def __init__(self, byte: int, line: int, column: int) -> None:
        self.byte = byte
        self.line = line
        self.column = column
        super().__init__(f"not JSON: line {line}, column {column} (byte {byte})")


class Problem(NamedTuple):
    """One thing wrong with a body: a JSON pointer into it, and what is expected there."""

    pointer: str
    message: str


class NotAClaim(ScrubberError):
    """The body has the wrong shape for a claim. Carries problems, never values."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"not a claim: {len(self.problems)} problem(s)")


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
