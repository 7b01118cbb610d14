"""Keeps the contexts that come beside an X12 file, by the sender's claim number, and gives each to its claim.

A context file has a line for each claim, a JSON object: the `patientControlNumber` that CLM01 has, and the
`scrubContext` as claims in JSON have it. A number that stands on several claims of the X12 file does not say which of
them is meant, so these claims are refused.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

import orjson

from scrubber.claim.x12.envelope import element
from scrubber.claim.x12.loops import ClaimLoops, read_loops
from scrubber.errors import BadContext, NotX12, Problem

LONGEST_LINE: Final = 1_000_000  # bytes; as large as a claim in a batch may be by default
MOST_TOLD: Final = 100  # contexts without a claim that are told one by one
_KEYS: Final = {"patientControlNumber", "scrubContext"}
_SEVERAL: Final = Problem(
    "",
    "has a claim number (CLM01) that stands on several claims of the file, so its context cannot be told from theirs",
)
_MARK: Final = b"\xef\xbb\xbf"


class Contexts:
    """The contexts beside one file. They are in a database of SQLite without a name: what does not fit into a few
    megabytes of memory is on the disk, in a temporary file that is gone with this object."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        """Read the lines. Raises BadContext for a line that is no context, and for two with the same number."""
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute(
            "CREATE TABLE contexts (number TEXT PRIMARY KEY, line INTEGER, claims INTEGER DEFAULT 0, context BLOB)"
        )
        for line, text in _lines(pieces):
            number, context = _read(line, text)
            try:
                self._database.execute("INSERT INTO contexts VALUES (?, ?, 0, ?)", (number, line, context))
            except sqlite3.IntegrityError:
                raise BadContext(f"line {line} of the context has a claim number that an earlier line has") from None

    def count(self, pieces: Iterable[bytes]) -> None:
        """Note which numbers stand on claims of the file, which is read for this alone, and how often."""
        with suppress(NotX12):  # it is told when the file is read for its claims
            for item in read_loops(pieces):
                if isinstance(item, ClaimLoops):
                    self._database.execute("UPDATE contexts SET claims = claims + 1 WHERE number = ?", (_number(item),))

    def give(self, claim: ClaimLoops) -> None:
        """Set the context of the claim, or why it is refused, where there is a context with its number."""
        query = "SELECT claims, context FROM contexts WHERE number = ?"
        for claims, context in self._database.execute(query, (_number(claim),)):
            if claims > 1:
                claim.refusal = _SEVERAL
            else:
                claim.context = orjson.loads(context)

    def without_claim(self) -> list[str]:
        """Sentences on the contexts whose numbers stand on no claim of the file: their lines, never their numbers."""
        found = self._database.execute("SELECT line FROM contexts WHERE claims = 0 ORDER BY line").fetchmany(MOST_TOLD)
        [[count]] = self._database.execute("SELECT count(*) FROM contexts WHERE claims = 0").fetchall()
        told = [f"line {line} of the context is for no claim of the file" for (line,) in found]
        more = [f"and {count - MOST_TOLD:,} more lines of it are for none"] if count > MOST_TOLD else []
        return told + more


def _number(claim: ClaimLoops) -> str:
    return element(claim.claim.segments[0], 1)


def _lines(pieces: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers from 1. Raises BadContext for one that is too long."""
    number, held = 0, b""
    for piece in pieces:
        *whole, held = (held + piece).split(b"\n")
        for line in whole:
            number += 1
            if line.strip():
                yield number, line
        if len(held) > LONGEST_LINE:
            raise BadContext(f"line {number + 1} of the context has more than {LONGEST_LINE:,} bytes")
    if held.strip():
        yield number + 1, held


def _read(line: int, text: bytes) -> tuple[str, bytes]:
    """The claim number of a line, and its context as JSON. Raises BadContext."""
    read: Any = None
    with suppress(orjson.JSONDecodeError):  # told below, apart from the parser's error, which holds the line
        read = orjson.loads(text.removeprefix(_MARK))
    if type(read) is dict and read.keys() == _KEYS:
        number, context = read["patientControlNumber"], read["scrubContext"]
        if type(number) is str and number.strip() and type(context) is dict:
            return number.strip(), orjson.dumps(context)
    wanted = 'a JSON object with "patientControlNumber", a text, and "scrubContext", an object, and nothing else'
    raise BadContext(f"line {line} of the context must be {wanted}")
