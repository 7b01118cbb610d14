"""Limits the requests of a key, a second and at once, over all processes of a machine.

The counts are in memory that the processes share, in which each process has a column of its own. A process that dies
loses the lock on its column, and its counts are cleared.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import tempfile
import threading
from time import monotonic
from typing import NamedTuple

from scrubber.errors import ConfigError

ROWS = 4_096  # keys that are counted at the same time
ROWS_TRIED = 16  # rows that a key may occupy: open addressing, as in a hash table
BURST = 1.0  # seconds' worth of requests that may come together
RETRY_AFTER = 1.0  # seconds after which a client may try again when too many requests are in progress
_ROUNDING = 1e-6  # seconds by which sums of fractions of a second may be off
# A row consists of words of eight bytes: the id of its key, the moment at which all its requests so far would have been
# due at its rate, and the counts of the processes, two bytes each.
_WORD_BYTES = 8
_HEAD_WORDS = 2  # words
_COUNTS_PER_WORD = 4  # counts


class KeyLimits(NamedTuple):
    """Requests a second, and at once; None: any number."""

    rate: float | None
    concurrent: int | None


class TooMany(Exception):
    """A key exceeds a limit. `why` states the limit, `after` the seconds after which to try again."""

    def __init__(self, why: str, after: float) -> None:
        super().__init__(why)
        self.why = why
        self.after = after


class RequestCounters:
    """The counts of requests by key, for a number of processes; made before these are forked."""

    def __init__(self, processes: int) -> None:
        """Raises ConfigError where there is no folder for temporary files."""
        self._columns = processes * 2 + 2  # processes that are ending may still run while their successors have started
        self._width = _HEAD_WORDS - -self._columns // _COUNTS_PER_WORD  # words
        memory = memoryview(mmap.mmap(-1, ROWS * self._width * _WORD_BYTES))
        self._ids, self._dues, self._counts = memory.cast("Q"), memory.cast("d"), memory.cast("H")
        try:
            # Closed with this object. Byte 0 is locked for a change, byte 1 + N by the process that has column N.
            self._file = tempfile.TemporaryFile()  # noqa: SIM115
        except OSError as error:
            raise ConfigError(f"there is no folder for temporary files: {error.strerror}; set TMPDIR") from None
        self._number = self._file.fileno()
        self._lock = threading.Lock()
        self._process = 0
        self._column = 0

    def enter(self, key_id: str, rate: float | None, concurrent: int | None) -> int:
        """Count a request that begins, of a key with these limits; None: any number.

        `leave` must follow, with the row that is returned. Raises TooMany, after which it must not.
        """
        number, now = int(key_id, 16), monotonic()
        self._begin()
        try:
            row = self._row(number, now)
            due = max(now, self._dues[row + 1])
            if rate is not None:
                due = _in_time(due, now, rate)
            if concurrent is not None and self._under_way(row) >= concurrent:
                self._clear_dead_columns()
                if self._under_way(row) >= concurrent:
                    raise TooMany(f"At most {concurrent} requests at once.", RETRY_AFTER)
            self._dues[row + 1] = due
            self._counts[(row + _HEAD_WORDS) * _COUNTS_PER_WORD + self._column] += 1
        finally:
            self._end()
        return row

    def leave(self, row: int) -> None:
        """Count a request that has been answered."""
        self._begin()
        try:
            position = (row + _HEAD_WORDS) * _COUNTS_PER_WORD + self._column
            count = self._counts[position]
            if count:  # it is 0 where this process took over the column of one that died
                self._counts[position] = count - 1
        finally:
            self._end()

    def _row(self, number: int, now: float) -> int:
        """The position of a key's row: its own, or else one that no key needs any more."""
        free = None
        for step in range(ROWS_TRIED):
            row = (number + step) % ROWS * self._width
            if self._ids[row] == number:  # nearly always the first
                return row
            if free is None and self._dues[row + 1] <= now and not self._under_way(row):
                free = row
        if free is None:
            raise TooMany("Too many keys are in use.", RETRY_AFTER)
        self._ids[free], self._dues[free + 1] = number, 0.0
        return free

    def _under_way(self, row: int) -> int:
        first = (row + _HEAD_WORDS) * _COUNTS_PER_WORD
        return sum(self._counts[first : first + self._columns])

    def _begin(self) -> None:
        """Locks the counts against all other threads and processes until `_end`."""
        self._lock.acquire()
        try:
            fcntl.lockf(self._number, fcntl.LOCK_EX, 1, 0)
            if self._process != os.getpid():
                self._take_column()
        except BaseException:
            self._end()
            raise

    def _end(self) -> None:
        fcntl.lockf(self._number, fcntl.LOCK_UN, 1, 0)
        self._lock.release()

    def _take_column(self) -> None:
        for column in range(self._columns):
            if self._is_free(column):
                self._clear(column)
                self._column, self._process = column, os.getpid()
                return
        raise TooMany("Too many processes answer.", RETRY_AFTER)

    def _clear_dead_columns(self) -> None:
        for column in range(self._columns):
            if column != self._column and self._is_free(column):
                self._clear(column)
                fcntl.lockf(self._number, fcntl.LOCK_UN, 1, 1 + column)

    def _is_free(self, column: int) -> bool:
        """Whether no process has a column; if so, this process takes it."""
        try:
            fcntl.lockf(self._number, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 1 + column)
        except OSError:
            return False
        return True

    def _clear(self, column: int) -> None:
        for row in range(0, ROWS * self._width, self._width):
            self._counts[(row + _HEAD_WORDS) * _COUNTS_PER_WORD + column] = 0


def _in_time(due: float, now: float, rate: float) -> float:
    """The moment at which all requests, with this one, are due at the key's rate. Raises TooMany."""
    due += 1 / rate
    early = due - now - max(BURST, 1 / rate)
    if early > _ROUNDING:
        raise TooMany(f"At most {rate:g} requests a second.", early)
    return due
