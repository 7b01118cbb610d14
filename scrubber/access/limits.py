"""How many requests a second, and how many at once, a key may make, over all processes of a machine.

The counts lie in memory that the processes share; each process has a column of its own in them. A process that dies
loses the lock on its column, and what it counted is forgotten.
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
TRIED = 16  # rows in which a key may stand
BURST = 1.0  # seconds' worth of requests that may come together
AGAIN = 1.0  # seconds after which it is worth asking again when too many are under way
_ROUNDING = 1e-6  # seconds by which sums of shares of a second are off
# A row is words of eight bytes: the id of its key, when all that it asked so far would have been due, and the counts
# of the processes, of two bytes each.
_WORD = 8
_HEAD = 2  # words
_IN_WORD = 4  # counts


class Allowed(NamedTuple):
    """Requests a second, and at once; None: any number."""

    rate: float | None
    concurrent: int | None


class TooMany(Exception):
    """A key asks more than it may. `why` says which bound was met, `after` in how many seconds to ask again."""

    def __init__(self, why: str, after: float) -> None:
        super().__init__(why)
        self.why = why
        self.after = after


class Limits:
    """Counts for so many processes, made before they are forked."""

    def __init__(self, processes: int) -> None:
        """Raises ConfigError where there is no folder for temporary files."""
        self._columns = processes * 2 + 2  # those that end may still be there while others have begun
        self._width = _HEAD - -self._columns // _IN_WORD  # words
        memory = memoryview(mmap.mmap(-1, ROWS * self._width * _WORD))
        self._ids, self._dues, self._counts = memory.cast("Q"), memory.cast("d"), memory.cast("H")
        try:
            # Closed with this object. Byte 0 is locked for a change, byte 1 + N by the process whose column N is.
            self._file = tempfile.TemporaryFile()  # noqa: SIM115
        except OSError as error:
            raise ConfigError(f"there is no folder for temporary files: {error.strerror}; set TMPDIR") from None
        self._number = self._file.fileno()
        self._lock = threading.Lock()
        self._process = 0
        self._column = 0

    def enter(self, key_id: str, rate: float | None, concurrent: int | None) -> int:
        """A request begins, of a key that may make so many a second and at once; None: any number.

        `leave` has to follow, with what is returned. Raises TooMany, and then it must not.
        """
        number, now = int(key_id, 16), monotonic()
        self._begin()
        try:
            row = self._row(number, now)
            due = max(now, self._dues[row + 1])
            if rate is not None:
                due = _in_time(due, now, rate)
            if concurrent is not None and self._under_way(row) >= concurrent:
                self._forget_the_dead()
                if self._under_way(row) >= concurrent:
                    raise TooMany(f"At most {concurrent} requests at once.", AGAIN)
            self._dues[row + 1] = due
            self._counts[(row + _HEAD) * _IN_WORD + self._column] += 1
        finally:
            self._end()
        return row

    def leave(self, row: int) -> None:
        """A request has been answered."""
        self._begin()
        try:
            place = (row + _HEAD) * _IN_WORD + self._column
            count = self._counts[place]
            if count:  # none is left where this process took over the column of one that died
                self._counts[place] = count - 1
        finally:
            self._end()

    def _row(self, number: int, now: float) -> int:
        """Where the row of a key begins: its own, or else one in which nothing is left to remember."""
        free = None
        for step in range(TRIED):
            row = (number + step) % ROWS * self._width
            if self._ids[row] == number:  # nearly always the first
                return row
            if free is None and self._dues[row + 1] <= now and not self._under_way(row):
                free = row
        if free is None:
            raise TooMany("Too many keys are in use.", AGAIN)
        self._ids[free], self._dues[free + 1] = number, 0.0
        return free

    def _under_way(self, row: int) -> int:
        first = (row + _HEAD) * _IN_WORD
        return sum(self._counts[first : first + self._columns])

    def _begin(self) -> None:
        """From now on alone, among all threads of all processes, until `_end`."""
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
        raise TooMany("Too many processes answer.", AGAIN)

    def _forget_the_dead(self) -> None:
        for column in range(self._columns):
            if column != self._column and self._is_free(column):
                self._clear(column)
                fcntl.lockf(self._number, fcntl.LOCK_UN, 1, 1 + column)

    def _is_free(self, column: int) -> bool:
        """Whether nobody has a column; then this process has it."""
        try:
            fcntl.lockf(self._number, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 1 + column)
        except OSError:
            return False
        return True

    def _clear(self, column: int) -> None:
        for row in range(0, ROWS * self._width, self._width):
            self._counts[(row + _HEAD) * _IN_WORD + column] = 0


def _in_time(due: float, now: float, rate: float) -> float:
    """When all that was asked is due once this is asked too. Raises TooMany."""
    due += 1 / rate
    early = due - now - max(BURST, 1 / rate)
    if early > _ROUNDING:
        raise TooMany(f"At most {rate:g} requests a second.", early)
    return due
