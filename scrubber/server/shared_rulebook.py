"""Shares rulebooks among the processes of a service: which one is in force, and which is to be prepared next.

Two files hold rulebooks, so that one can be written while the other is read. A generation is the number of a published
rulebook; even and odd ones are in different files. Generations increase; 0 is what the service began with, in no file.
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
_REPORT = struct.Struct("=qqq")  # process, generation, whether it is ready
_TURN = struct.Struct("=q")
_DIGEST_LENGTH = hashlib.sha256().digest_size


class RulesAndTables(NamedTuple):
    """What a reload replaces: the rules, and the reference tables in CSV files."""

    rulebook: Rulebook
    typed: TypedTables


class ReadyReport(NamedTuple):
    """A worker's report that it is ready for a generation, or cannot be."""

    process: int
    generation: int
    ready: bool


class SharedRulebook:
    """Made before the workers are forked, and used by them and their parent. One process at a time publishes."""

    def __init__(self) -> None:
        """Raises ConfigError where there is no folder for temporary files."""
        self._numbers = memoryview(mmap.mmap(-1, 3 * 8)).cast("q")
        try:
            self._files = tuple(tempfile.TemporaryFile(buffering=0) for _ in range(2))  # noqa: SIM115 -- for the whole time
        except OSError as error:
            raise ConfigError(f"TMPDIR: no temporary file can be made: {error.strerror}") from None
        self._reports, self._report_pipe = os.pipe()
        os.set_blocking(self._reports, False)
        os.set_blocking(self._report_pipe, False)

    @property
    def in_force(self) -> int:
        """The generation that every request is to be answered by."""
        return self._numbers[_IN_FORCE]

    @property
    def next(self) -> int:
        """The generation that workers are to prepare; the one in force when there is no other."""
        return self._numbers[_NEXT]

    def publish(self, book: RulesAndTables) -> int:
        """Write a rulebook for the workers to prepare. Returns its generation."""
        generation = self._numbers[_LAST] + 1
        generation += generation % 2 == self.in_force % 2  # never over the one in force
        self._numbers[_LAST] = generation
        content = pickle.dumps(_packed(book), pickle.HIGHEST_PROTOCOL)
        file = self._files[generation % 2]
        file.truncate(0)
        file.seek(0)
        file.write(b"".join((hashlib.sha256(content).digest(), _TURN.pack(generation), content)))
        self._numbers[_NEXT] = generation
        return generation

    def put_in_force(self, generation: int) -> None:
        """Have requests answered by this generation from now on."""
        self._numbers[_IN_FORCE] = generation

    def withdraw(self) -> None:
        """Cancel the preparation of the next generation."""
        self._numbers[_NEXT] = self.in_force

    def book(self, generation: int) -> RulesAndTables:
        """A published rulebook. Raises LookupError when another generation has replaced it in its file."""
        file = self._files[generation % 2].fileno()
        content = os.pread(file, os.fstat(file).st_size, 0)
        digest, packed = content[:_DIGEST_LENGTH], content[_DIGEST_LENGTH + _TURN.size :]
        of_turn = content[_DIGEST_LENGTH:].startswith(_TURN.pack(generation))
        if not of_turn or hashlib.sha256(packed).digest() != digest:
            raise LookupError("another rulebook lies there")
        return _unpacked(pickle.loads(packed))  # noqa: S301 -- of this service, in a file that has no name

    def report_ready(self, generation: int, ready: bool) -> None:
        """Report to the waiting reload that this process is ready for a generation, or cannot be."""
        with suppress(BlockingIOError):  # the pipe is full: thousands of reports, and no reload reads them
            os.write(self._report_pipe, _REPORT.pack(os.getpid(), generation, ready))

    def read_reports(self, seconds: float) -> list[ReadyReport]:
        """The reports, as soon as there are any; none after this number of seconds."""
        if not select.select([self._reports], [], [], seconds)[0]:
            return []
        reports = os.read(self._reports, _REPORT.size * 128)
        return [
            ReadyReport(process, generation, bool(ready)) for process, generation, ready in _REPORT.iter_unpack(reports)
        ]


def _packed(book: RulesAndTables) -> tuple[Any, ...]:
    """The content for pickle, with tables by name: a Table has functions, which pickle cannot write."""
    return book.rulebook, {table.name: rows for table, rows in book.typed.tables.items()}, book.typed.releases


def _unpacked(packed: tuple[Any, ...]) -> RulesAndTables:
    rulebook, tables, releases = packed
    return RulesAndTables(rulebook, TypedTables({TABLES[name]: rows for name, rows in tables.items()}, releases))
