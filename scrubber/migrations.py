"""Schema versions of what is kept between two runs, and the migrations from each version to the next.

A store says which version it has, and from which version on programs can use it as it is now. A migration that only
adds leaves the second as it was: while a fleet is upgraded, the program before goes on with a store that the new one
has migrated. A store that was made before stores said so has version 1.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import LiteralString, NamedTuple, Protocol, TypeVar

import orjson

from scrubber.errors import ConfigError, NewerStore

MARK = "schema.json"  # in a folder that is a store


class Version(NamedTuple):
    """Of a store: its schema version, and the lowest version whose programs can use it."""

    number: int
    usable_from: int


EMPTY = Version(0, 0)  # nothing is kept there yet
UNMARKED = Version(1, 1)


class Migration(NamedTuple):
    """From the version before to `version`: statements of SQL, in one transaction with all the others.

    `usable_from` is the lowest version whose programs can use the store afterwards; `what` says for an operator what
    changes. Migrations are never edited once a program with them was published: the next change is another one.
    """

    version: int
    usable_from: int
    what: str
    statements: tuple[LiteralString, ...]


class FolderMigration(NamedTuple):
    """The same for a folder: `change` brings it to `version`, and harms nothing where it is called twice."""

    version: int
    usable_from: int
    what: str
    change: Callable[[Path], None]


AnyMigration = Migration | FolderMigration
M = TypeVar("M", Migration, FolderMigration)


class Store(Protocol):
    """What `scrubber migrate` brings to the newest version. Two processes may do that at once."""

    @property
    def name(self) -> str:
        """What it is and where it lies, for people; without a password."""

    def version(self) -> Version:
        """As it is now; EMPTY where nothing is kept yet. Changes nothing. Raises StoreUnavailable, ConfigError."""

    def pending(self) -> Sequence[AnyMigration]:
        """What is to be done. Changes nothing. Raises NewerStore, StoreUnavailable, ConfigError."""

    def migrate(self) -> Sequence[AnyMigration]:
        """Do it, all or nothing. Returns what was done, nothing where another process was faster. Raises as above."""


def pending(store: str, found: Version, migrations: Sequence[M]) -> tuple[M, ...]:
    """The migrations that a store still needs, in order. Raises NewerStore for one that this program cannot use."""
    check_usable(store, found, migrations[-1].version)
    return tuple(each for each in migrations if each.version > found.number)


def check_usable(store: str, found: Version, known: int) -> None:
    """Raises NewerStore for a store that a program which knows versions up to `known` cannot use."""
    if found.number > known and found.usable_from > known:
        raise NewerStore(
            f"{store} has schema version {found.number}, written by a newer program; this one knows versions up to "
            f"{known}. Start the newer program, or go back to a copy of the store from before"
        )


def after(found: Version, done: Sequence[AnyMigration]) -> Version:
    """The version of a store once these are done."""
    return Version(
        max([found.number, *(each.version for each in done)]),
        max([found.usable_from, *(each.usable_from for each in done)]),
    )


class FolderStore:
    """A folder as a store, with its version in a file MARK."""

    def __init__(self, what: str, folder: Path, migrations: Sequence[FolderMigration]) -> None:
        self.name = f"{what} {folder}"
        self._folder = folder
        self._migrations = migrations

    def version(self) -> Version:
        """See Store."""
        try:
            told = orjson.loads((self._folder / MARK).read_bytes())
            return Version(int(told["version"]), int(told["usableFrom"]))
        except FileNotFoundError:
            return UNMARKED if self._folder.is_dir() and any(self._folder.iterdir()) else EMPTY
        except OSError as error:
            raise ConfigError(f"{self._folder / MARK} cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError):
            raise ConfigError(f"{self._folder / MARK} is not what this program wrote") from None

    def pending(self) -> tuple[FolderMigration, ...]:
        """See Store."""
        found = self.version()
        return () if found == EMPTY else pending(self.name, found, self._migrations)

    def migrate(self) -> tuple[FolderMigration, ...]:
        """See Store. A folder has no transaction: what was begun and broken off is done again as a whole."""
        found, missing = self.version(), self.pending()
        try:
            for each in missing:
                each.change(self._folder)
            if found != EMPTY and (missing or found == UNMARKED):
                self._mark(after(found, missing))
        except OSError as error:
            raise ConfigError(f"{self._folder} cannot be written: {error.strerror}") from None
        return missing

    def begin(self) -> None:
        """Give a folder that is about to be used for the first time the newest version."""
        if self.version() == EMPTY:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._mark(after(EMPTY, self._migrations))

    def _mark(self, version: Version) -> None:
        unfinished = self._folder / f".{MARK}-{os.getpid()}"
        try:
            unfinished.write_bytes(orjson.dumps({"version": version.number, "usableFrom": version.usable_from}))
            unfinished.replace(self._folder / MARK)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
