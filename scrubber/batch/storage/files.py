"""The bytes of batches in a folder, one subfolder a batch, and what is left free on its disk.

Whoever cancels or deletes a batch changes the ledger, which takes room itself. So uploads leave some free, and results
of what was accepted may use half of that.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from scrubber.errors import DepotFull, Gone, LedgerDown

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


UPLOAD, ROWS = "upload", "rows"
UNFINISHED = ".part"
REMOVED = ".removed"
FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


class FolderDepot:
    """See Depot."""

    def __init__(self, folder: Path, disk: Disk = os.statvfs) -> None:
        self._folder = folder
        self._disk = disk

    def receive(self, batch_id: str, pieces: Iterable[bytes]) -> int:
        """See Depot."""
        place = self._folder / batch_id
        try:
            with _kept():
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                place.mkdir(mode=0o700)
                return _write(place / UPLOAD, self._room(pieces, FOR_UPLOADS))
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise

    def upload(self, batch_id: str) -> BinaryIO:
        """See Depot."""
        with _kept():
            return (self._folder / batch_id / UPLOAD).open("rb")

    def keep_rows(self, batch_id: str, token: str, pieces: Iterable[bytes]) -> None:
        """See Depot. Both attempts would write the same bytes, so whichever is last to rename does no harm."""
        with _kept():
            place = self._folder / batch_id
            for left in place.glob(f"{ROWS}-*{UNFINISHED}"):  # by a worker that died, or is to lose its lease
                left.unlink(missing_ok=True)
            part = place / f"{ROWS}-{token}{UNFINISHED}"
            _write(part, self._room(pieces, FOR_UPLOADS))
            part.rename(place / ROWS)

    def kept_rows(self, batch_id: str) -> BinaryIO:
        """See Depot."""
        with _kept():
            return (self._folder / batch_id / ROWS).open("rb")

    def rows(self, batch_id: str, start: int, stop: int) -> bytes:
        """See Depot."""
        with _kept():
            place = self._folder / batch_id
            kept = place / ROWS
            with (kept if kept.exists() else place / UPLOAD).open("rb") as file:
                file.seek(start)
                return file.read(stop - start)

    def keep_result(self, batch_id: str, number: int, token: str, result: bytes) -> None:
        """See Depot."""
        with _kept():
            _write(self._result(batch_id, number, token), self._room((result,), FOR_RESULTS))

    def result(self, batch_id: str, number: int, token: str) -> bytes:
        """See Depot."""
        with _kept():
            return self._result(batch_id, number, token).read_bytes()

    def drop_result(self, batch_id: str, number: int, token: str) -> None:
        """See Depot."""
        with _kept():
            self._result(batch_id, number, token).unlink(missing_ok=True)

    def full(self) -> bool:
        """See Depot."""
        with _kept():
            return self._folder.is_dir() and not has_room(self._folder, FOR_RESULTS, self._disk)

    def remove(self, batch_id: str) -> None:
        """See Depot."""
        with _kept():
            place, gone = self._folder / batch_id, self._folder / f"{batch_id}{REMOVED}"
            with suppress(FileNotFoundError):
                place.rename(gone)  # whoever still works on it writes nothing more there
            shutil.rmtree(gone, ignore_errors=True)

    def untouched(self, since: datetime) -> Iterator[str]:
        """See Depot."""
        with _kept():
            for place in sorted(self._folder.glob("*")):
                if _last_change(place) < since.timestamp():
                    yield place.name.removesuffix(REMOVED)

    def _room(self, pieces: Iterable[bytes], untouched: float) -> Iterator[bytes]:
        return while_there_is_room(pieces, self._folder, untouched, self._disk)

    def _result(self, batch_id: str, number: int, token: str) -> Path:
        return self._folder / batch_id / f"{number:07}-{token}"


def _write(file: Path, pieces: Iterable[bytes]) -> int:
    """A new file, whole on the disk when this returns, or not there when it raises: on a full disk that is room."""
    made = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(made, "wb") as out:
            size = sum(map(out.write, pieces))
            out.flush()
            os.fsync(out.fileno())
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return size


def _last_change(place: Path) -> float:
    """Of a folder and the files in it, in seconds since 1970."""
    moments = []
    for path in (place, *place.glob("*")):
        with suppress(FileNotFoundError):
            moments.append(path.stat().st_mtime)
    return max(moments, default=0.0)


@contextmanager
def _kept() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        number = error.errno
    else:
        return
    if number in FULL:
        raise DepotFull(NO_ROOM)
    if number == errno.ENOENT:
        raise Gone("the files of batches cannot be used: what was kept is not there")
    raise LedgerDown(f"the files of batches cannot be used: {os.strerror(number) if number else 'no such file'}")
