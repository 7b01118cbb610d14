"""The bytes of batches in a folder, one subfolder a batch, and what is left free on its disk.

Whoever cancels or deletes a batch changes the job store, which takes disk space itself. So uploads leave some free, and
results of what was accepted may use half of that.
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

from scrubber.errors import StorageFull, StoredDataGone, StoreUnavailable

NO_SPACE = "there is no room for the batch"
LEFT_FREE = 200_000_000  # bytes, or
SHARE_LEFT_FREE = 0.05  # of a disk on which that is less
FOR_UPLOADS, FOR_RESULTS = 1.0, 0.5  # of what is left free is not touched

Disk = Callable[[Path], os.statvfs_result]


def while_space_is_left(pieces: Iterable[bytes], folder: Path, untouched: float, disk: Disk) -> Iterator[bytes]:
    """The pieces, each once there is disk space for it. Raises StorageFull."""
    for piece in pieces:
        if not has_space(folder, untouched, disk):
            raise StorageFull(NO_SPACE)
        yield piece


def has_space(folder: Path, untouched: float, disk: Disk) -> bool:
    """Whether as much is free on the disk as is left untouched."""
    found = disk(folder)
    left_free = min(LEFT_FREE, SHARE_LEFT_FREE * found.f_blocks * found.f_frsize)
    return found.f_bavail * found.f_frsize >= untouched * left_free


UPLOAD, ROWS = "upload", "rows"
UNFINISHED = ".part"
REMOVED = ".removed"
FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


class FolderFileStore:
    """See FileStore."""

    def __init__(self, folder: Path, disk: Disk = os.statvfs) -> None:
        self._folder = folder
        self._disk = disk

    def receive(self, batch_id: str, pieces: Iterable[bytes]) -> int:
        """See FileStore."""
        folder = self._folder / batch_id
        try:
            with _as_store_errors():
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                folder.mkdir(mode=0o700)
                return _write(folder / UPLOAD, self._while_space_is_left(pieces, FOR_UPLOADS))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def upload(self, batch_id: str) -> BinaryIO:
        """See FileStore."""
        with _as_store_errors():
            return (self._folder / batch_id / UPLOAD).open("rb")

    def keep_rows(self, batch_id: str, token: str, pieces: Iterable[bytes]) -> None:
        """See FileStore. Both attempts would write the same bytes, so whichever is last to rename does no harm."""
        with _as_store_errors():
            folder = self._folder / batch_id
            for left in folder.glob(f"{ROWS}-*{UNFINISHED}"):  # by a worker that died, or is to lose its lease
                left.unlink(missing_ok=True)
            unfinished = folder / f"{ROWS}-{token}{UNFINISHED}"
            _write(unfinished, self._while_space_is_left(pieces, FOR_UPLOADS))
            unfinished.rename(folder / ROWS)

    def kept_rows(self, batch_id: str) -> BinaryIO:
        """See FileStore."""
        with _as_store_errors():
            return (self._folder / batch_id / ROWS).open("rb")

    def rows(self, batch_id: str, start: int, stop: int) -> bytes:
        """See FileStore."""
        with _as_store_errors():
            folder = self._folder / batch_id
            rows_file = folder / ROWS
            with (rows_file if rows_file.exists() else folder / UPLOAD).open("rb") as file:
                file.seek(start)
                return file.read(stop - start)

    def keep_result(self, batch_id: str, number: int, token: str, result: bytes) -> None:
        """See FileStore."""
        with _as_store_errors():
            _write(self._result(batch_id, number, token), self._while_space_is_left((result,), FOR_RESULTS))

    def result(self, batch_id: str, number: int, token: str) -> bytes:
        """See FileStore."""
        with _as_store_errors():
            return self._result(batch_id, number, token).read_bytes()

    def drop_result(self, batch_id: str, number: int, token: str) -> None:
        """See FileStore."""
        with _as_store_errors():
            self._result(batch_id, number, token).unlink(missing_ok=True)

    def full(self) -> bool:
        """See FileStore."""
        with _as_store_errors():
            return self._folder.is_dir() and not has_space(self._folder, FOR_RESULTS, self._disk)

    def remove(self, batch_id: str) -> None:
        """See FileStore."""
        with _as_store_errors():
            folder, gone = self._folder / batch_id, self._folder / f"{batch_id}{REMOVED}"
            with suppress(FileNotFoundError):
                folder.rename(gone)  # whoever still works on it writes nothing more there
            shutil.rmtree(gone, ignore_errors=True)

    def untouched(self, since: datetime) -> Iterator[str]:
        """See FileStore."""
        with _as_store_errors():
            for folder in sorted(self._folder.glob("*")):
                if _last_change(folder) < since.timestamp():
                    yield folder.name.removesuffix(REMOVED)

    def _while_space_is_left(self, pieces: Iterable[bytes], untouched: float) -> Iterator[bytes]:
        return while_space_is_left(pieces, self._folder, untouched, self._disk)

    def _result(self, batch_id: str, number: int, token: str) -> Path:
        return self._folder / batch_id / f"{number:07}-{token}"


def _write(file: Path, pieces: Iterable[bytes]) -> int:
    """A new file, whole on the disk when this returns, or not there when it raises: on a full disk that is room."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
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


def _last_change(folder: Path) -> float:
    """Of a folder and the files in it, in seconds since 1970."""
    moments = []
    for path in (folder, *folder.glob("*")):
        with suppress(FileNotFoundError):
            moments.append(path.stat().st_mtime)
    return max(moments, default=0.0)


@contextmanager
def _as_store_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        number = error.errno
    else:
        return
    if number in FULL:
        raise StorageFull(NO_SPACE)
    if number == errno.ENOENT:
        raise StoredDataGone("the files of batches cannot be used: what was kept is not there")
    raise StoreUnavailable(f"the files of batches cannot be used: {os.strerror(number) if number else 'no such file'}")
