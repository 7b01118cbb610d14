"""Around the path: a claim or an answer from a file that a command was given; `-` is standard input."""

from __future__ import annotations

import sys
from pathlib import Path

from scrubber.claim import Claim
from scrubber.cli.opening import Unusable
from scrubber.errors import NotAClaim, NotJson
from scrubber.intake.unpack import MAGIC
from scrubber.intake.v3 import read_claim


def content_of(file: str) -> bytes:
    """The bytes of a file. Ends the command when it cannot be read."""
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise Unusable(f"{file}: cannot be read: {error.strerror}") from None


def claim_in(file: str) -> Claim:
    """The claim in a file. Ends the command, with everything that keeps it from being read as one."""
    content = content_of(file)
    if content.startswith(MAGIC):
        raise Unusable(f"{file}: is packed; unpack it first: gzip -dk FILE")
    try:
        return read_claim(content)
    except NotJson as error:
        place = f"from line {error.line}, column {error.column} on"
        raise Unusable(f"{file}: is no JSON in UTF-8 {place}; correct it there") from None
    except NotAClaim as error:
        told = (f"{file}: is no claim: {problem.pointer or 'the body'} {problem.message}" for problem in error.problems)
        raise Unusable("\n".join(told)) from None
