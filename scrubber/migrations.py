"""Keeps the schema versions of stores, and the migrations that bring each store to the next version.

A store records its version, and the lowest version whose programs can use it. A migration that only adds leaves the
second unchanged: while a fleet is upgraded, the older program can use a store that the newer one has migrated. A store
from before versions were recorded has version 1.
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


EMPTY = Version(0, 0)  # an empty store
UNMARKED = Version(1, 1)


class Migration(NamedTuple):
    """From the version before to `version`: statements of SQL, in one transaction with all the others.

    `usable_from` is the lowest version whose programs can use the store afterwards; `what` describes the
    change for an operator. Migrations are never edited once a program with them was published: add another one.
    """

    version: int
    usable_from: int
    what: str
    statements: tuple[LiteralString, ...]


class FolderMigration(NamedTuple):
    """The same for a folder: `change` brings it to `version`, and is idempotent."""

    version: int
    usable_from: int
    what: str
    change: Callable[[Path], None]


AnyMigration = Migration | FolderMigration
M = TypeVar("M", Migration, FolderMigration)


class Store(Protocol):
    """A store that `scrubber migrate` brings to the newest version. Two processes may do that concurrently."""

    @property
    def name(self) -> str:
        """What it is and where, for people; without a password."""

    def version(self) -> Version:
        """The present version; EMPTY for an empty store. Changes nothing. Raises StoreUnavailable, ConfigError."""

    def pending(self) -> Sequence[AnyMigration]:
        """The missing migrations. Changes nothing. Raises NewerStore, StoreUnavailable, ConfigError."""

    def migrate(self) -> Sequence[AnyMigration]:
        """Applies them, all or none. Returns those applied, none where another process was faster. Raises as above."""


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
            content = orjson.loads((self._folder / MARK).read_bytes())
            return Version(int(content["version"]), int(content["usableFrom"]))
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
        """See Store. A folder has no transaction: an interrupted migration is repeated from its beginning."""
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
        """Gives an empty folder the newest version, before its first use."""
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
