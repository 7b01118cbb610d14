"""Reads claims and answers from the files given to a command; `-` is standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import date
from pathlib import Path
from typing import BinaryIO, NamedTuple

from scrubber.batch.split import pieces
from scrubber.claim import read_claim
from scrubber.claim.model import Claim
from scrubber.claim.parse import parse_json
from scrubber.claim.unpack import MAGIC
from scrubber.claim.x12.context import Contexts
from scrubber.cli.options import Unusable, receipt
from scrubber.cli.terminal import ProgressLine
from scrubber.errors import BadContext, NotAClaim, NotJson, NotX12


def content_of(file: str) -> bytes:
    """The bytes of a file. Ends the command when it cannot be read."""
    return b"".join(file_pieces(file))


def file_pieces(file: str) -> Iterator[bytes]:
    """The bytes of a file, piece by piece. Ends the command where it cannot be read."""
    try:
        with nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as content:
            yield from pieces(content)
    except OSError as error:
        raise Unusable(f"{file}: cannot be read: {error.strerror}") from None


def contexts_beside(file: str, context: str) -> Contexts:
    """The contexts for the claims of an X12 file, which is read once for this. Ends the command where they are none."""
    try:
        contexts = Contexts(file_pieces(context))
    except BadContext as error:
        raise Unusable(f"{context}: {error}") from None
    contexts.count(file_pieces(file))
    return contexts


def file_name(file: str) -> str:
    """How a file is called in what is printed of it."""
    return "standard input" if file == "-" else file


def claim_in(file: str) -> Claim:
    """The claim in a file. Ends the command where it is no claim, with all that is wrong with it."""
    content = claim_bytes(file, content_of(file))
    with claim_errors_as_messages(file):
        return read_claim(content)


def claim_bytes(file: str, content: bytes) -> bytes:
    """The content of a file that holds one claim. Ends the command where it is packed."""
    if content.startswith(MAGIC):
        raise Unusable(f"{file}: is packed; unpack it first: gzip -dk FILE")
    return content


@contextmanager
def claim_errors_as_messages(file: str) -> Iterator[None]:
    """Ends the command where the code within finds no claim, with all that is wrong with it."""
    try:
        yield
    except NotJson as error:
        position = f"from line {error.line}, column {error.column} on"
        raise Unusable(f"{file}: is no JSON in UTF-8 {position}; correct it there") from None
    except NotX12 as error:
        raise Unusable(f"{file}: {error}") from None
    except NotAClaim as error:
        problems = (
            f"{file}: is no claim: {problem.pointer or 'the body'} {problem.message}" for problem in error.problems
        )
        raise Unusable("\n".join(problems)) from None


class ReadClaim(NamedTuple):
    """A claim by its file and number, with its day of receipt: its own, else today (UTC)."""

    name: str
    claim: Claim
    received_on: date


def claims_in(files: Sequence[str], most_bytes: int, progress: ProgressLine) -> Iterator[ReadClaim]:
    """Every claim of the files, which have one claim, or one on each line. `most_bytes`: the limit for a claim.

    Raises Unusable for what cannot be read or is no claim.
    """
    total = sum(map(_size, files)) or 1
    before = count = 0
    for file in files:
        with _opened(file) as content:
            for number, body in enumerate(_bodies(content, most_bytes, file), start=1):
                yield _read(f"{Path(file).name}:{number}", body)
                count += 1
                if (so_far := before + content.tell()) < total:
                    progress(count, so_far / total)
            before += content.tell()
    progress(count, 1.0)


def _size(file: str) -> int:
    try:
        return Path(file).stat().st_size
    except OSError as error:
        raise _unreadable(file, error) from None


def _opened(file: str) -> BinaryIO:
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise _unreadable(file, error) from None


def _unreadable(file: str, error: OSError) -> Unusable:
    return Unusable(f"{file} cannot be read: {error.strerror}")


def _bodies(content: BinaryIO, most_bytes: int, file: str) -> Iterator[bytes]:
    """The claims of a file. Where its first line is JSON by itself, every line is a claim; else the file is one."""
    first = content.readline(most_bytes + 1)
    if not _is_json(first):
        content_of_file = first + content.read(most_bytes + 1 - len(first))
        yield _of_a_size(content_of_file, most_bytes, file)
        return
    line = first
    while line:
        if line.strip():
            yield _of_a_size(line, most_bytes, file)
        line = content.readline(most_bytes + 1)


def _is_json(line: bytes) -> bool:
    try:
        parse_json(line)
    except (NotJson, NotAClaim):
        return False
    return True


def _of_a_size(body: bytes, most_bytes: int, file: str) -> bytes:
    if len(body) > most_bytes:
        raise Unusable(f"{file} has a claim of more than {most_bytes:,} bytes (SCRUBBER_MAX_BODY_BYTES)")
    return body


def _read(name: str, body: bytes) -> ReadClaim:
    try:
        claim = read_claim(body)
    except (NotJson, NotX12, NotAClaim):
        raise Unusable(f"{name} is no claim; `scrubber scrub` says why") from None
    return ReadClaim(name, claim, receipt(None).day(claim))
