"""Stores loaded releases in a folder: a SQLite file for each segment, their digests, and the catalogue.

A file has a table `texts`, and for each reference table one of keys and encoded rows. It is opened read-only and
immutable: without locks, and with its pages mapped to memory, so that all workers share them. Every thread of every
process has connections of its own.

Responses name a release by the SHA-256 of the published file. The rows come from the SQLite file that the load wrote,
so a digest of that file is needed to tell that its rows are still those that were loaded.

A change takes effect when the catalogue is renamed, after everything it names has been written to disk. Writers exclude
each other by a lock that ends with the process; the next writer removes what a killed one left behind.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from scrubber.errors import ConfigError, DamagedReleases
from scrubber.migrations import FolderMigration, FolderStore
from scrubber.reference.releases import Pair, Release, Windows
from scrubber.reference.rows import PtpEdit
from scrubber.reference.storage import (
    LAYOUT,
    LoadedRelease,
    catalogue_from_json,
    catalogue_to_json,
    check_layout,
    releases_of,
    segment_names,
)
from scrubber.reference.storage.encoding import SharedTexts, codes_by_number, in_force_on, pairs_among
from scrubber.reference.storage.packer import PackedRows, unpack_rows
from scrubber.reference.tables import PTP, PTP_BY_COLUMN2, R, Table

PAGE_BYTES = 16_384  # so that the windows of most codes fit on one page
MAPPED_BYTES = 1 << 34  # more than any segment has, so that all of a file is mapped
CACHE_PAGES = 16  # small, since it is private to a connection, and the mapped pages are shared
WRITING_CACHE_KB = 65_536


class _ThreadConnections(threading.local):
    """This thread's connections by file, and the process that opened them: none may be used after a fork."""

    process: int = 0
    by_file: dict[Path, sqlite3.Connection]


class UnreadableFiles(Exception):
    """Files are missing, or are no longer SQLite files."""

    def __init__(self, paths: list[Path]) -> None:
        super().__init__(f"{len(paths)} file(s) cannot be read")
        self.paths = paths


class SqliteBackend:
    """A Backend over SQLite files, by table and SHA-256 of the release.

    Raises UnreadableFiles, with all of them, and ConfigError for a file whose rows have another program's layout.
    """

    def __init__(self, files: Mapping[tuple[str, str], Path], releases: Iterable[Release]) -> None:
        unreadable = [path for path in sorted(set(files.values())) if not _is_readable(path)]
        if unreadable:
            raise UnreadableFiles(unreadable)
        self._files = {of: path.resolve() for of, path in files.items()}
        self._releases = tuple(releases)
        self._connections = _ThreadConnections()
        self._texts: dict[Path, SharedTexts] = {path: self._read_texts(path) for path in set(self._files.values())}

    def rows(self, table: Table[R], sha256: str, key: str) -> tuple[R, ...]:
        """See Backend."""
        packed = self._packed(table, sha256, key)
        return unpack_rows(table, key, packed, self._texts[self._files[table.owner, sha256]]) if packed else ()

    def ptp_among(self, sha256: str, codes: frozenset[str]) -> Mapping[Pair, Windows]:
        """See Backend. One statement finds the codes of column 1; column 2 is searched in the bytes found."""
        path = self._files[PTP.name, sha256]
        by_number = codes_by_number(codes)
        marks = ",".join("?" * len(by_number))
        found = self._query(path, f'SELECT key, packed FROM "{PTP.name}" WHERE key IN ({marks})', *by_number.values())  # noqa: S608
        return pairs_among(found, by_number, self._texts[path])

    def ptp_of(self, sha256: str, code: str, day: date) -> Sequence[PtpEdit]:
        """See Backend. Two statements; edits are decoded when they are read."""
        as_column1, as_column2 = (self._packed(table, sha256, code) for table in (PTP, PTP_BY_COLUMN2))
        return in_force_on(day, code, as_column1, as_column2, self._texts[self._files[PTP.name, sha256]])

    def every(self, table: Table[R], sha256: str) -> Iterator[tuple[str, tuple[R, ...]]]:
        """See Backend."""
        path = self._files[table.owner, sha256]
        for key, packed in self._connection(path).execute(f'SELECT key, packed FROM "{table.name}" ORDER BY key'):  # noqa: S608
            yield key, unpack_rows(table, key, packed, self._texts[path])

    def releases(self) -> tuple[Release, ...]:
        """See Backend."""
        return self._releases

    def _read_texts(self, path: Path) -> SharedTexts:
        [(found,)] = self._query(path, "PRAGMA user_version")
        check_layout(str(path), found)
        return dict(self._query(path, "SELECT number, text FROM texts"))

    def _packed(self, table: Table[Any], sha256: str, key: str) -> bytes:
        path = self._files[table.owner, sha256]
        found = self._query(path, f'SELECT packed FROM "{table.name}" WHERE key = ?', key)  # noqa: S608 (names are ours)
        packed: bytes = found[0][0] if found else b""
        return packed

    def _query(self, path: Path, statement: str, *values: str) -> list[Any]:
        return self._connection(path).execute(statement, values).fetchall()

    def _connection(self, path: Path) -> sqlite3.Connection:
        mine = self._connections
        if mine.process != os.getpid():
            mine.by_file = {}
            mine.process = os.getpid()
        connection = mine.by_file.get(path)
        if connection is None:
            connection = mine.by_file[path] = _open(path)
        return connection


def _is_readable(path: Path) -> bool:
    try:
        with closing(_open(path)) as connection:
            connection.execute("SELECT number, text FROM texts").fetchall()
    except sqlite3.Error:
        return False
    return True


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)
    connection.execute(f"PRAGMA cache_size = {CACHE_PAGES}")
    connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
    return connection


class SqliteSink:
    """Writes one segment to a new file. An incomplete file is deleted, so there is no need to roll back within it."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._tables: set[str] = set()
        for pragma in (
            f"page_size = {PAGE_BYTES}",  # first: it cannot be changed once something is written
            f"user_version = {LAYOUT}",
            "journal_mode = OFF",
            "synchronous = OFF",
            f"cache_size = -{WRITING_CACHE_KB}",
        ):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("BEGIN")
        self._connection.execute("CREATE TABLE texts (number INTEGER PRIMARY KEY, text TEXT NOT NULL)")

    def append(self, table: str, packed: PackedRows) -> None:
        """See packer.Sink."""
        if table not in self._tables:
            columns = "(key TEXT PRIMARY KEY, packed BLOB NOT NULL)"
            self._connection.execute(f'CREATE TABLE "{table}" {columns} WITHOUT ROWID')
            self._tables.add(table)
        self._connection.executemany(
            f'INSERT INTO "{table}" VALUES (?, ?) ON CONFLICT (key) DO UPDATE'  # noqa: S608 (names are ours)
            " SET packed = CAST(packed || excluded.packed AS BLOB)",
            packed,
        )

    def texts(self, texts: Iterable[tuple[int, str]]) -> None:
        """See packer.Sink."""
        self._connection.executemany("INSERT INTO texts VALUES (?, ?)", texts)

    def with_several_rows(self, table: str) -> Iterator[tuple[str, bytes]]:
        """See packer.Sink."""
        yield from self._connection.execute(
            f"SELECT key, packed FROM \"{table}\" WHERE instr(packed, x'0A') < length(packed)"  # noqa: S608
        )

    def replace(self, table: str, packed: PackedRows) -> None:
        """See packer.Sink."""
        self._connection.executemany(
            f'UPDATE "{table}" SET packed = ? WHERE key = ?',  # noqa: S608
            ((content, key) for key, content in packed),
        )

    def close(self) -> None:
        """Commit and close the file."""
        self._connection.execute("COMMIT")
        self._connection.close()

    def discard(self) -> None:
        """Close the file without a commit."""
        self._connection.close()


DIGESTS = "digests.json"
_BLOCK = 1 << 20
# Digests that this process has computed, by path and by what the system states of the file, which any change changes.
_known: dict[tuple[str, int, int, int, int], str] = {}


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal; computed once in a process for as long as the file does not change."""
    found = path.stat()
    key = str(path), found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
    if key not in _known:
        hashing = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                hashing.update(block)
        _known[key] = hashing.hexdigest()
    return _known[key]


def read_digests(folder: Path) -> dict[str, str]:
    """SHA-256 by name of the files in a folder; files that an earlier program wrote have none. Raises ConfigError."""
    try:
        content = orjson.loads((folder / DIGESTS).read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as failure:
        raise ConfigError(f"reference data: {folder / DIGESTS} cannot be read: {failure.strerror}") from None
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ConfigError(f"reference data: {folder / DIGESTS} is not what this program wrote")
    return content


def digests_to_json(digests: Mapping[str, str]) -> bytes:
    """The bytes that `read_digests` reads."""
    return orjson.dumps(digests, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)


def damaged_among(files: Iterable[Path], digests: Mapping[str, str]) -> list[Path]:
    """Those of the files whose content has changed since it was written. Raises OSError for an unreadable one."""
    return [path for path in files if path.name in digests and file_digest(path) != digests[path.name]]


def damaged(location: str, releases: Iterable[LoadedRelease]) -> DamagedReleases:
    """The error for releases whose rows cannot be read, or are no longer those that were loaded."""
    wrong = sorted(releases, key=lambda each: (each.kind, each.name))
    names = ", ".join(f"{each.kind} {each.name}" for each in wrong)
    return DamagedReleases(
        f"reference data: rows in {location} cannot be read, or are no longer those that were loaded: {names}. Drop "
        "each of these (scrubber reference drop KIND RELEASE) and load it again, or put a copy back",
        {each.segment for each in wrong},
    )


SUBFOLDER = "loaded"
CATALOGUE = "catalogue.json"
LOCK = "lock"
UNFINISHED = ".unfinished"
FILE_MODE = 0o644  # readable for the service, whichever user loaded the files
SECONDS_BETWEEN_CHECKS = 1.0  # whether the files that hold the rows have changed


class FolderStorage:
    """The ReleaseStorage in a folder of reference data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / SUBFOLDER
        self._catalogue = self._folder / CATALOGUE
        self.store = FolderStore("the reference data in", self._folder, MIGRATIONS)
        self._files: tuple[Path, ...] = ()  # those that held the rows of the catalogue when it was last opened
        self._checked_at = -SECONDS_BETWEEN_CHECKS
        self._file_states: tuple[object, ...] = ()

    def loaded(self) -> tuple[LoadedRelease, ...]:
        """See ReleaseStorage."""
        self.store.pending()  # raises where a newer program wrote it
        try:
            return catalogue_from_json(self._catalogue.read_bytes())
        except FileNotFoundError:
            return ()
        except OSError as failure:
            raise ConfigError(f"reference data: {self._catalogue} cannot be read: {failure.strerror}") from None
        except (ValueError, KeyError, TypeError):
            raise ConfigError(f"reference data: {self._catalogue} is not what this program wrote") from None

    def generation(self) -> object:
        """See ReleaseStorage. A new catalogue is a new file; files with rows are checked once a second at most."""
        now = time.monotonic()
        if now - self._checked_at >= SECONDS_BETWEEN_CHECKS:
            self._check_files(now)
        return _file_state(self._catalogue), self._file_states

    def backend(self, without: Collection[str] = ()) -> SqliteBackend:
        """See ReleaseStorage."""
        every = self.loaded()
        self._files = tuple(self._file(each.segment) for each in every)
        self._check_files(time.monotonic())
        loaded = [each for each in every if each.segment not in without]
        files = {of: self._file(segment) for of, segment in segment_names(loaded)}
        try:
            opened = SqliteBackend(files, releases_of(loaded))  # raises UnreadableFiles
            wrong = damaged_among(set(files.values()), read_digests(self._folder))
        except UnreadableFiles as failure:
            wrong = failure.paths
        except OSError as failure:
            raise ConfigError(f"reference data: {self._folder} cannot be read: {failure.strerror}") from None
        if wrong:
            raise damaged(str(self._folder), [each for each in loaded if self._file(each.segment) in wrong])
        return opened

    @contextmanager
    def change(self) -> Iterator[_FolderChange]:
        """See ReleaseStorage. Raises OSError when the folder cannot be written."""
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

    def _check_files(self, now: float) -> None:
        self._checked_at = now
        self._file_states = tuple(map(_file_state, self._files))

    def _file(self, segment: str) -> Path:
        return _file(self._folder, segment)


class _FolderChange:
    """A StorageChange of a folder."""

    def __init__(self, folder: Path, loaded: tuple[LoadedRelease, ...], store: FolderStore) -> None:
        self.loaded = loaded
        self._store = store
        self._folder = folder
        self._unfinished = folder / UNFINISHED
        self._sink: SqliteSink | None = None

    def sweep(self) -> None:
        """Remove files that the catalogue does not name: of releases dropped before, and of loads that were killed."""
        needed = {_file(self._folder, each.segment) for each in self.loaded}
        for path in self._folder.iterdir():
            if (path.suffix == ".sqlite" and path not in needed) or path.name.startswith(UNFINISHED):
                path.unlink()

    def new_segment(self) -> SqliteSink:
        """See StorageChange."""
        self._sink = SqliteSink(self._unfinished)
        return self._sink

    def commit(self, loaded: Iterable[LoadedRelease], new: LoadedRelease | None = None) -> None:
        """See StorageChange."""
        self._store.migrate()
        if new is not None and self._sink is not None:
            self._sink.close()
            self._sink = None
            _replace_durably(self._unfinished, _file(self._folder, new.segment))
        remaining = tuple(loaded)
        _put(self._folder, DIGESTS, self._digests(remaining, new))
        _put(self._folder, CATALOGUE, catalogue_to_json(remaining))

    def _digests(self, remaining: tuple[LoadedRelease, ...], new: LoadedRelease | None) -> bytes:
        """Digests of the segments in the new catalogue and the last one, which stay readable until the next change."""
        names = {_file(self._folder, each.segment).name for each in (*self.loaded, *remaining)}
        digests = {name: content for name, content in read_digests(self._folder).items() if name in names}
        if new is not None:
            path = _file(self._folder, new.segment)
            digests[path.name] = file_digest(path)
        return digests_to_json(digests)

    def discard(self) -> None:
        """Delete what is not committed."""
        if self._sink is not None:
            self._sink.discard()
        self._unfinished.unlink(missing_ok=True)


def _digest_segments(folder: Path) -> None:
    """Records the digests of the segments as they are now; what they were when they were loaded is not known."""
    digests = {path.name: file_digest(path) for path in folder.glob("*.sqlite")}
    _put(folder, DIGESTS, digests_to_json(digests | read_digests(folder)))


MIGRATIONS = (
    FolderMigration(1, 1, "releases, and a catalogue of them", lambda _folder: None),
    FolderMigration(2, 1, "digests of loaded rows, as they are now", _digest_segments),
)


def _put(folder: Path, name: str, content: bytes) -> None:
    unfinished = folder / f"{UNFINISHED}-{name}"
    unfinished.write_bytes(content)
    _replace_durably(unfinished, folder / name)


def _file(folder: Path, segment: str) -> Path:
    return folder / f"{segment}.sqlite"


def _file_state(path: Path) -> object:
    """A value that differs whenever the file was changed or replaced; None: there is no such file."""
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


def _replace_durably(unfinished: Path, target: Path) -> None:
    """Rename a file after its bytes have reached the disk, so that a crash leaves the old file, never half of one."""
    unfinished.chmod(FILE_MODE)
    _sync(unfinished)
    unfinished.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
