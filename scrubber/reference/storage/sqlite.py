"""Keeps loaded releases in a folder: SQLite files with digests, and a catalogue that is replaced as a whole.

A file has a table `texts` and one table a reference table, key and packed rows. It is opened read-only and immutable:
no locks, and its pages are mapped, so that all workers share them. Every thread of every process has connections of
its own.

A release is named in every answer by the SHA-256 of the file that it was loaded from. What answers is another file,
which the load made of it: only a digest of that one tells that the rows are still those that were loaded.

A change is seen by the renaming of its catalogue, after everything in it is on the disk. Writers exclude each other
by a lock that ends with the process; what a killed one left is removed by the next.
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

from scrubber.errors import ConfigError, DamagedPart
from scrubber.migrations import FolderMigration, FolderStore
from scrubber.reference.releases import Pair, Release, Windows
from scrubber.reference.rows import PtpEdit
from scrubber.reference.storage import LAYOUT, Loaded, check_layout, from_json, parts_of, releases_of, to_json
from scrubber.reference.storage.encoding import Texts, in_force_on, numbered, pairs_among
from scrubber.reference.storage.packer import Packed, unpack_rows
from scrubber.reference.tables import PTP, PTP_BY_COLUMN2, R, Table

PAGE_BYTES = 16_384  # so that the windows of most codes lie on one page
MAPPED_BYTES = 1 << 34  # more than any part has: all of a file is mapped
CACHE_PAGES = 16  # private to a connection, so next to none; the pages are mapped anyway
WRITING_CACHE_KB = 65_536


class _Connections(threading.local):
    """The connections of this thread by file, and the process that opened them: SQLite's must not cross a fork."""

    process: int = 0
    by_file: dict[Path, sqlite3.Connection]


class UnreadableFiles(Exception):
    """Files are gone, or are no SQLite files any more."""

    def __init__(self, paths: list[Path]) -> None:
        super().__init__(f"{len(paths)} file(s) cannot be read")
        self.paths = paths


class SqliteBackend:
    """Rows in SQLite files by table and part.

    Raises UnreadableFiles, with all of them, and ConfigError for one whose rows another program packed.
    """

    def __init__(self, files: Mapping[tuple[str, str], Path], releases: Iterable[Release]) -> None:
        unreadable = [path for path in sorted(set(files.values())) if not _is_readable(path)]
        if unreadable:
            raise UnreadableFiles(unreadable)
        self._files = {of: path.resolve() for of, path in files.items()}
        self._releases = tuple(releases)
        self._connections = _Connections()
        self._texts: dict[Path, Texts] = {path: self._open_part(path) for path in set(self._files.values())}

    def rows(self, table: Table[R], part: str, key: str) -> tuple[R, ...]:
        """See Backend."""
        packed = self._packed(table, part, key)
        return unpack_rows(table, key, packed, self._texts[self._files[table.owner, part]]) if packed else ()

    def ptp_among(self, part: str, codes: frozenset[str]) -> Mapping[Pair, Windows]:
        """See Backend. One statement; partners are searched in what it finds."""
        path = self._files[PTP.name, part]
        asked = numbered(codes)
        marks = ",".join("?" * len(asked))
        found = self._ask(path, f'SELECT key, packed FROM "{PTP.name}" WHERE key IN ({marks})', *asked.values())  # noqa: S608
        return pairs_among(found, asked, self._texts[path])

    def ptp_of(self, part: str, code: str, day: date) -> Sequence[PtpEdit]:
        """See Backend. Two statements; edits are unpacked when they are read."""
        as_column1, as_column2 = (self._packed(table, part, code) for table in (PTP, PTP_BY_COLUMN2))
        return in_force_on(day, code, as_column1, as_column2, self._texts[self._files[PTP.name, part]])

    def every(self, table: Table[R], part: str) -> Iterator[tuple[str, tuple[R, ...]]]:
        """See Backend."""
        path = self._files[table.owner, part]
        for key, packed in self._connection(path).execute(f'SELECT key, packed FROM "{table.name}" ORDER BY key'):  # noqa: S608
            yield key, unpack_rows(table, key, packed, self._texts[path])

    def releases(self) -> tuple[Release, ...]:
        """See Backend."""
        return self._releases

    def _open_part(self, path: Path) -> Texts:
        [(found,)] = self._ask(path, "PRAGMA user_version")
        check_layout(str(path), found)
        return dict(self._ask(path, "SELECT number, text FROM texts"))

    def _packed(self, table: Table[Any], part: str, key: str) -> bytes:
        path = self._files[table.owner, part]
        found = self._ask(path, f'SELECT packed FROM "{table.name}" WHERE key = ?', key)  # noqa: S608 (names are ours)
        packed: bytes = found[0][0] if found else b""
        return packed

    def _ask(self, path: Path, statement: str, *values: str) -> list[Any]:
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
    """Writes one part to a new file. A half-written file is thrown away, so nothing has to be undone in it."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._tables: set[str] = set()
        for pragma in (
            f"page_size = {PAGE_BYTES}",  # first: the file has its size once something is written
            f"user_version = {LAYOUT}",
            "journal_mode = OFF",
            "synchronous = OFF",
            f"cache_size = -{WRITING_CACHE_KB}",
        ):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("BEGIN")
        self._connection.execute("CREATE TABLE texts (number INTEGER PRIMARY KEY, text TEXT NOT NULL)")

    def append(self, table: str, packed: Packed) -> None:
        """See part.Sink."""
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
        """See part.Sink."""
        self._connection.executemany("INSERT INTO texts VALUES (?, ?)", texts)

    def of_several(self, table: str) -> Iterator[tuple[str, bytes]]:
        """See part.Sink."""
        yield from self._connection.execute(
            f"SELECT key, packed FROM \"{table}\" WHERE instr(packed, x'0A') < length(packed)"  # noqa: S608
        )

    def replace(self, table: str, packed: Packed) -> None:
        """See part.Sink."""
        self._connection.executemany(
            f'UPDATE "{table}" SET packed = ? WHERE key = ?',  # noqa: S608
            ((content, key) for key, content in packed),
        )

    def close(self) -> None:
        """Finish the file."""
        self._connection.execute("COMMIT")
        self._connection.close()

    def discard(self) -> None:
        """Leave the file as it is, half-written."""
        self._connection.close()


DIGESTS = "digests.json"
_PIECE = 1 << 20
# What this process has worked out, by path and what the system says of the file: every change changes that.
_known: dict[tuple[str, int, int, int, int], str] = {}


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal; worked out once in a process for as long as the file stays as it is."""
    found = path.stat()
    key = str(path), found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
    if key not in _known:
        hashing = hashlib.sha256()
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                hashing.update(piece)
        _known[key] = hashing.hexdigest()
    return _known[key]


def read_digests(folder: Path) -> dict[str, str]:
    """SHA-256 by the name of a file in the folder; none of files that an earlier program wrote. Raises ConfigError."""
    try:
        told = orjson.loads((folder / DIGESTS).read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as failure:
        raise ConfigError(f"reference data: {folder / DIGESTS} cannot be read: {failure.strerror}") from None
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise ConfigError(f"reference data: {folder / DIGESTS} is not what this program wrote")
    return told


def digests_to_json(digests: Mapping[str, str]) -> bytes:
    """What `read_digests` reads."""
    return orjson.dumps(digests, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)


def damaged_among(files: Iterable[Path], digests: Mapping[str, str]) -> list[Path]:
    """Those of the files that are not as they were written. Raises OSError for one that cannot be read."""
    return [path for path in files if path.name in digests and digest_of(path) != digests[path.name]]


def damaged(place: str, releases: Iterable[Loaded]) -> DamagedPart:
    """What to raise for releases whose rows cannot be read, or are no longer those that were loaded."""
    wrong = sorted(releases, key=lambda each: (each.kind, each.name))
    named = ", ".join(f"{each.kind} {each.name}" for each in wrong)
    return DamagedPart(
        f"reference data: rows in {place} cannot be read, or are no longer those that were loaded: {named}. Drop each "
        "of these (scrubber reference drop KIND RELEASE) and load it again, or put a copy back",
        {each.part for each in wrong},
    )


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
