"""Memory that the processes of one service share: which rulebook is in force, and which may be next.

Two places hold rulebooks, so that one can be laid down while the other is read. A turn is the number of what was laid
down, and whether it is even tells the place. Turns rise; turn 0 is what the service began with, and lies nowhere.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import pickle
import select
import struct
import tempfile
from contextlib import suppress
from typing import Any, NamedTuple

from scrubber.errors import ConfigError
from scrubber.reference.tables import TABLES
from scrubber.reference.typed_tables import TypedTables
from scrubber.rulebook.rulebook import Rulebook

_IN_FORCE, _NEXT, _LAST = 0, 1, 2  # words of the shared memory
_SAID = struct.Struct("=qqq")  # process, turn, whether it is ready
_TURN = struct.Struct("=q")
_DIGEST_LENGTH = hashlib.sha256().digest_size


class Book(NamedTuple):
    """What a service answers by: the rules, and the reference tables typed by hand."""

    rulebook: Rulebook
    typed: TypedTables


class Said(NamedTuple):
    """What a worker said of a turn."""

    process: int
    turn: int
    ready: bool


class Shelf:
    """Made before the workers are forked; they and their parent use it as it is. One process at a time lays down."""

    def __init__(self) -> None:
        """Raises ConfigError where there is no folder for temporary files."""
        self._words = memoryview(mmap.mmap(-1, 3 * 8)).cast("q")
        try:
            self._places = tuple(tempfile.TemporaryFile(buffering=0) for _ in range(2))  # noqa: SIM115 -- for the whole time
        except OSError as error:
            raise ConfigError(f"TMPDIR: no temporary file can be made: {error.strerror}") from None
        self._heard, self._say = os.pipe()
        os.set_blocking(self._heard, False)
        os.set_blocking(self._say, False)

    @property
    def in_force(self) -> int:
        """The turn that every request is to be answered by."""
        return self._words[_IN_FORCE]

    @property
    def next(self) -> int:
        """The turn that workers are to get ready; the one in force when there is no other."""
        return self._words[_NEXT]

    def lay_down(self, book: Book) -> int:
        """Put a book where the workers find it and get it ready. Returns its turn."""
        turn = self._words[_LAST] + 1
        turn += turn % 2 == self.in_force % 2  # never over the one in force
        self._words[_LAST] = turn
        content = pickle.dumps(_packed(book), pickle.HIGHEST_PROTOCOL)
        place = self._places[turn % 2]
        place.truncate(0)
        place.seek(0)
        place.write(b"".join((hashlib.sha256(content).digest(), _TURN.pack(turn), content)))
        self._words[_NEXT] = turn
        return turn

    def put_in_force(self, turn: int) -> None:
        """From now on requests are answered by this turn."""
        self._words[_IN_FORCE] = turn

    def take_back(self) -> None:
        """Nothing is to get ready any more."""
        self._words[_NEXT] = self.in_force

    def book(self, turn: int) -> Book:
        """What was laid down. Raises LookupError when another one lies in its place by now."""
        place = self._places[turn % 2].fileno()
        content = os.pread(place, os.fstat(place).st_size, 0)
        digest, packed = content[:_DIGEST_LENGTH], content[_DIGEST_LENGTH + _TURN.size :]
        of_turn = content[_DIGEST_LENGTH:].startswith(_TURN.pack(turn))
        if not of_turn or hashlib.sha256(packed).digest() != digest:
            raise LookupError("another rulebook lies there")
        return _unpacked(pickle.loads(packed))  # noqa: S301 -- of this service, in a file that has no name

    def say(self, turn: int, ready: bool) -> None:
        """Tell whoever waits that this process is ready for a turn, or cannot be."""
        with suppress(BlockingIOError):  # thousands were said, and nobody waits
            os.write(self._say, _SAID.pack(os.getpid(), turn, ready))

    def hear(self, seconds: float) -> list[Said]:
        """What was said, as soon as something is; nothing when so much time has gone."""
        if not select.select([self._heard], [], [], seconds)[0]:
            return []
        said = os.read(self._heard, _SAID.size * 128)
        return [Said(process, turn, bool(ready)) for process, turn, ready in _SAID.iter_unpack(said)]


def _packed(book: Book) -> tuple[Any, ...]:
    """Tables are known by their names: what they are made of cannot be carried."""
    return book.rulebook, {table.name: rows for table, rows in book.typed.tables.items()}, book.typed.releases


def _unpacked(packed: tuple[Any, ...]) -> Book:
    rulebook, tables, releases = packed
    return Book(rulebook, TypedTables({TABLES[name]: rows for name, rows in tables.items()}, releases))
