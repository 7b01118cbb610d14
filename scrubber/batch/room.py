"""Around the path: what is left free on the disk of batches, so that a full one can still be cleared.

Whoever cancels or deletes a batch changes the ledger, which takes room itself. So uploads leave some free, and results
of what was accepted may use half of that.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from scrubber.errors import DepotFull

NO_ROOM = "there is no room for the batch"
LEFT_FREE = 200_000_000  # bytes, or
SHARE_LEFT_FREE = 0.05  # of a disk on which that is less
FOR_UPLOADS, FOR_RESULTS = 1.0, 0.5  # of what is left free is not touched

Disk = Callable[[Path], os.statvfs_result]


def while_there_is_room(pieces: Iterable[bytes], place: Path, untouched: float, disk: Disk) -> Iterator[bytes]:
    """The pieces, each when there is room for it. Raises DepotFull."""
    for piece in pieces:
        if not has_room(place, untouched, disk):
            raise DepotFull(NO_ROOM)
        yield piece


def has_room(place: Path, untouched: float, disk: Disk) -> bool:
    """Whether as much is free on the disk as is left untouched."""
    found = disk(place)
    left_free = min(LEFT_FREE, SHARE_LEFT_FREE * found.f_blocks * found.f_frsize)
    return found.f_bavail * found.f_frsize >= untouched * left_free
