"""Around the path: how many requests a second, and how many at once, a key may make, over all processes of a machine.

The counts lie in memory that the processes share; each process has a column of its own in them. A process that dies
loses the lock on its column, and what it counted is forgotten.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
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
_HEAD = struct.Struct("<Qd")  # the id of the key, and when all that it asked so far would have been due
_COUNT = struct.Struct("<H")


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
        self._width = _HEAD.size + _COUNT.size * self._columns
        self._counts = struct.Struct(f"<{self._columns}H")
        self._memory = mmap.mmap(-1, ROWS * self._width)
        try:
            # Closed with this object. Byte 0 is locked for a change, byte 1 + N by the process whose column N is.
            self._file = tempfile.TemporaryFile()  # noqa: SIM115
        except OSError as error:
            raise ConfigError(f"there is no folder for temporary files: {error.strerror}; set TMPDIR") from None
        self._number = self._file.fileno()
        self._lock = threading.Lock()
        self._process = 0
        self._column = 0

    def enter(self, key_id: str, allowed: Allowed) -> int:
        """A request begins. `leave` has to follow, with what is returned. Raises TooMany, and then it must not."""
        number, now = int(key_id, 16), monotonic()
        self._begin()
        try:
            row = self._row(number, now)
            due = self._in_time(row, now, allowed.rate)
            if allowed.concurrent is not None and self._under_way(row) >= allowed.concurrent:
                self._forget_the_dead()
                if self._under_way(row) >= allowed.concurrent:
                    raise TooMany(f"At most {allowed.concurrent} requests at once.", AGAIN)
            _HEAD.pack_into(self._memory, row, number, due)
            self._add(row, 1)
        finally:
            self._end()
        return row

    def leave(self, row: int) -> None:
        """A request has been answered."""
        self._begin()
        try:
            self._add(row, -1)
        finally:
            self._end()

    def _in_time(self, row: int, now: float, rate: float | None) -> float:
        """When all that was asked is due once this is asked too."""
        due = max(now, float(_HEAD.unpack_from(self._memory, row)[1]))
        if rate is None:
            return due
        due += 1 / rate
        early = due - now - max(BURST, 1 / rate)
        if early > _ROUNDING:
            raise TooMany(f"At most {rate:g} requests a second.", early)
        return due

    def _row(self, number: int, now: float) -> int:
        """Where the row of a key begins: its own, or else one in which nothing is left to remember."""
        free = None
        for step in range(TRIED):
            row = (number + step) % ROWS * self._width
            owner, due = _HEAD.unpack_from(self._memory, row)
            if owner == number:  # nearly always the first
                return row
            if free is None and due <= now and not self._under_way(row):
                free = row
        if free is None:
            raise TooMany("Too many keys are in use.", AGAIN)
        _HEAD.pack_into(self._memory, free, number, 0.0)
        return free

    def _under_way(self, row: int) -> int:
        return sum(self._counts.unpack_from(self._memory, row + _HEAD.size))

    def _add(self, row: int, more: int) -> None:
        place = row + _HEAD.size + _COUNT.size * self._column
        [count] = _COUNT.unpack_from(self._memory, place)
        _COUNT.pack_into(self._memory, place, max(0, count + more))

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
            _COUNT.pack_into(self._memory, row + _HEAD.size + _COUNT.size * column, 0)
