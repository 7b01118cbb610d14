"""Before any claim: loaded releases in a folder, one SQLite file each, and a catalogue that is replaced as a whole.

A change is seen by the renaming of its catalogue, after everything in it is on the disk. Writers exclude each other
by a lock that ends with the process; what a killed one left is removed by the next.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from scrubber.errors import ConfigError
from scrubber.migrations import FolderMigration, FolderStore
from scrubber.reference.digests import DIGESTS, damaged, damaged_among, digest_of, digests_to_json, read_digests
from scrubber.reference.place import Loaded, from_json, parts_of, releases_of, to_json
from scrubber.reference.sqlite import SqliteBackend, SqliteSink, UnreadableFiles

SUBFOLDER = "loaded"
CATALOGUE = "catalogue.json"
LOCK = "lock"
UNFINISHED = ".unfinished"
READABLE = 0o644  # by the service, whoever loaded
SECONDS_A_LOOK = 1.0  # between two looks at the files that hold the rows


class FolderPlace:
    """The loaded releases below a folder of reference data. See Place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / SUBFOLDER
        self._catalogue = self._folder / CATALOGUE
        self.store = FolderStore("the reference data in", self._folder, MIGRATIONS)
        self._files: tuple[Path, ...] = ()  # those that hold the rows of what was loaded when it was opened last
        self._looked_at = -SECONDS_A_LOOK
        self._seen: tuple[object, ...] = ()

    def loaded(self) -> tuple[Loaded, ...]:
        """See Place."""
        self.store.pending()  # raises where a newer program wrote it
        try:
            return from_json(self._catalogue.read_bytes())
        except FileNotFoundError:
            return ()
        except OSError as failure:
            raise ConfigError(f"reference data: {self._catalogue} cannot be read: {failure.strerror}") from None
        except (ValueError, KeyError, TypeError):
            raise ConfigError(f"reference data: {self._catalogue} is not what this program wrote") from None

    def generation(self) -> object:
        """See Place. Every catalogue is a file of its own; files with rows are looked at once a second at most."""
        now = time.monotonic()
        if now - self._looked_at >= SECONDS_A_LOOK:
            self._look(now)
        return _stand(self._catalogue), self._seen

    def backend(self, without: Collection[str] = ()) -> SqliteBackend:
        """See Place."""
        every = self.loaded()
        self._files = tuple(self._file(each.part) for each in every)
        self._look(time.monotonic())
        loaded = [each for each in every if each.part not in without]
        files = {of: self._file(part) for of, part in parts_of(loaded)}
        try:
            opened = SqliteBackend(files, releases_of(loaded))  # raises for what no program of ours can read
            wrong = damaged_among(set(files.values()), read_digests(self._folder))
        except UnreadableFiles as failure:
            wrong = failure.paths
        except OSError as failure:
            raise ConfigError(f"reference data: {self._folder} cannot be read: {failure.strerror}") from None
        if wrong:
            raise damaged(str(self._folder), [each for each in loaded if self._file(each.part) in wrong])
        return opened

    @contextmanager
    def change(self) -> Iterator[_FolderChange]:
        """See Place. Raises OSError when the folder cannot be written."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / LOCK).open("w") as lock:
            _lock(lock.fileno(), self._folder)
            change = _FolderChange(self._folder, self.loaded(), self.store)
            change.sweep()
            try:
                yield change
            except sqlite3.Error as failure:  # a full disk, for one
                raise ConfigError(f"reference data: {self._folder} cannot be written: {failure}") from None
            finally:
                change.discard()

    def _look(self, now: float) -> None:
        self._looked_at = now
        self._seen = tuple(map(_stand, self._files))

    def _file(self, part: str) -> Path:
        return _file(self._folder, part)


class _FolderChange:
    """See Change."""

    def __init__(self, folder: Path, loaded: tuple[Loaded, ...], store: FolderStore) -> None:
        self.loaded = loaded
        self._store = store
        self._folder = folder
        self._unfinished = folder / UNFINISHED
        self._sink: SqliteSink | None = None

    def sweep(self) -> None:
        """Remove what no release needs: of releases dropped before, of loads that were killed."""
        needed = {_file(self._folder, each.part) for each in self.loaded}
        for path in self._folder.iterdir():
            if (path.suffix == ".sqlite" and path not in needed) or path.name.startswith(UNFINISHED):
                path.unlink()

    def new_part(self) -> SqliteSink:
        """See Change."""
        self._sink = SqliteSink(self._unfinished)
        return self._sink

    def commit(self, loaded: Iterable[Loaded], new: Loaded | None = None) -> None:
        """See Change."""
        self._store.migrate()
        if new is not None and self._sink is not None:
            self._sink.close()
            self._sink = None
            _settle(self._unfinished, _file(self._folder, new.part))
        kept = tuple(loaded)
        _put(self._folder, DIGESTS, self._digests(kept, new))
        _put(self._folder, CATALOGUE, to_json(kept))

    def _digests(self, kept: tuple[Loaded, ...], new: Loaded | None) -> bytes:
        """Of what is loaded, and of what was: it can be read until the next change."""
        names = {_file(self._folder, each.part).name for each in (*self.loaded, *kept)}
        digests = {name: told for name, told in read_digests(self._folder).items() if name in names}
        if new is not None:
            path = _file(self._folder, new.part)
            digests[path.name] = digest_of(path)
        return digests_to_json(digests)

    def discard(self) -> None:
        """Forget what is not committed."""
        if self._sink is not None:
            self._sink.discard()
        self._unfinished.unlink(missing_ok=True)


def _digest_every_part(folder: Path) -> None:
    """The parts as they are now: nobody knows what they were when they were loaded."""
    digests = {path.name: digest_of(path) for path in folder.glob("*.sqlite")}
    _put(folder, DIGESTS, digests_to_json(digests | read_digests(folder)))


MIGRATIONS = (
    FolderMigration(1, 1, "releases, and a catalogue of them", lambda _folder: None),
    FolderMigration(2, 1, "digests of loaded rows, as they are now", _digest_every_part),
)


def _put(folder: Path, name: str, content: bytes) -> None:
    unfinished = folder / f"{UNFINISHED}-{name}"
    unfinished.write_bytes(content)
    _settle(unfinished, folder / name)


def _file(folder: Path, part: str) -> Path:
    return folder / f"{part}.sqlite"


def _stand(path: Path) -> object:
    """Differs whenever the file was changed or replaced; None: it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise ConfigError(f"reference data: another change of {folder} is under way; try again after it") from None


def _settle(unfinished: Path, target: Path) -> None:
    """Put the bytes on the disk before the name, and then the name: a crash leaves the old file, never a torn one."""
    unfinished.chmod(READABLE)
    _sync(unfinished)
    unfinished.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
