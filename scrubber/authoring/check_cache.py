"""Caches which rules passed their checks, in the folder of Settings.state, so that unchanged rules start at once.

The cache holds digests only: of whole folders, and of single rules with their tests and everything that could change
their results. Content that differs by one byte is not in it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from scrubber.dated_rows import MOST_TABLE_BYTES
from scrubber.reference import Reference
from scrubber.rulebook.test_case import TEST_SUFFIX

READABLE = 0o644


def write_atomically(path: Path, content: bytes) -> None:
    """Replaces the file by `content`, atomically for readers, and creates the folders above it. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, unfinished = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(unfinished).chmod(READABLE)
        Path(unfinished).replace(path)
    except OSError:
        Path(unfinished).unlink(missing_ok=True)
        raise


FILE = "passed"  # below the folder of Settings.state
MOST_KEYS = 20_000
KEY_LENGTH = 32  # characters of a digest, 128 bits
UNREAD = "unread"  # instead of a digest where there is no file, or one that cannot be read or is too large to load
SUFFIXES = frozenset((".yaml", ".yml", ".csv", ".json", ".md"))
_PROGRAM = Path(__file__).resolve().parents[1]


class CheckCache:
    """Digests of what passed, in a file of `state`; without a state, or where it cannot be written, none is cached."""

    def __init__(self, state: Path | None) -> None:
        self._path = state and state / FILE
        self._keys = dict.fromkeys(self._read())

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def add(self, keys: Iterable[str]) -> None:
        """Caches that these passed. The oldest are dropped when there are too many."""
        if self._path is None:
            return
        # Another process may have added some meanwhile; a key that is lost to a race only costs another check.
        merged = dict.fromkeys([*self._read(), *self._keys, *keys])
        self._keys = dict.fromkeys(list(merged)[-MOST_KEYS:])
        with suppress(OSError):
            write_atomically(self._path, "".join(f"{key}\n" for key in self._keys).encode())

    def _read(self) -> list[str]:
        if self._path is None:
            return []
        try:
            lines = self._path.read_text(encoding="ascii").splitlines()
        except (OSError, UnicodeDecodeError):
            return []
        return [line for line in lines if len(line) == KEY_LENGTH]


@dataclass(frozen=True)
class Snapshot:
    """Digests of the files of a folder of rules, by name, and of everything else that decides the results of checks.

    `program` is of its code and the tables that ship with it, `releases` of the reference data in use. What passed on
    the shipped tables alone has passed whatever is in use, so it has a key without `releases`.
    """

    files: Mapping[str, str]
    program: str
    releases: str

    def folder_key(self, in_use: bool) -> str:
        """Key of the whole folder, changed by any change of any file. `in_use`: a case runs on the releases in use."""
        return _key([*self._context(in_use), *_file_lines(self.files)])

    def rule_key(self, file: str, in_use: bool) -> str:
        """Key of one rule, its tests, and what its tests rest on: tables, pack files, base claims."""
        own = (self.files.get(file, ""), self.files.get(tests_of(file), ""))
        return _key([*self._context(in_use), self._shared, file, *own])

    def _context(self, in_use: bool) -> list[str]:
        return [self.program, self.releases] if in_use else [self.program]

    @cached_property
    def _shared(self) -> str:
        return _key(_file_lines({name: found for name, found in self.files.items() if _is_shared(name)}))


def tests_of(file: str) -> str:
    """The file with the tests of the rule in `file`."""
    return file.removesuffix(".yaml") + TEST_SUFFIX


def take_snapshot(folder: Path, reference: Reference) -> Snapshot:
    """The folder as it is now, with the program and the releases in use."""
    releases = [f"{release.table} {release.name} {release.sha256}" for release in reference.releases()]
    return Snapshot(dict(_digests(folder)), _program(), _key(releases))


def checked_files(folder: Path) -> Iterator[Path]:
    """Every file of a folder of rules that a check could read."""
    return (path for path in sorted(folder.rglob("*")) if path.suffix in SUFFIXES)


def _digests(folder: Path) -> Iterator[tuple[str, str]]:
    for path in checked_files(folder):
        yield path.relative_to(folder).as_posix(), _digest(path)


def _digest(path: Path) -> str:
    """Digest of a file that could load. Reading a pipe or a device could block for ever: the check reports those."""
    with suppress(OSError):
        if path.is_file() and path.stat().st_size <= MOST_TABLE_BYTES:
            return hashlib.sha256(path.read_bytes()).hexdigest()
    return UNREAD


def _is_shared(name: str) -> bool:
    """Whether every rule's tests may rest on the file."""
    if "/families/" in name:
        return not name.endswith(TEST_SUFFIX)
    return name.endswith((".csv", "/pack.yaml", "/definitions.yaml")) or (
        name.startswith("claims/") and name.endswith(".json")
    )


@cache
def _program() -> str:
    """Digest of this program's code: checks by another version do not count."""
    files = sorted([*_PROGRAM.rglob("*.py"), *_PROGRAM.rglob("*.csv")])
    return _key(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)


def _file_lines(files: Mapping[str, str]) -> Iterator[str]:
    return (f"{name} {digest}" for name, digest in sorted(files.items()))


def _key(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:KEY_LENGTH]
