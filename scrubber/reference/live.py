"""Reads the reference data of a location as it is now, for services: a change of it takes effect at the next claim."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from scrubber.errors import ConfigError, DamagedReleases
from scrubber.reference.lookup import Reference
from scrubber.reference.releases import Backend, Pair, Release, Windows
from scrubber.reference.rows import PtpEdit
from scrubber.reference.storage import ReleaseStorage
from scrubber.reference.storage.sqlite import FolderStorage
from scrubber.reference.tables import PTP, R, Table, stored_under
from scrubber.reference.typed_tables import MemoryBackend, TypedTables, read_contents


class LayeredBackend:
    """A Backend with the tables that `over` has a release of, and all other tables of `under`."""

    def __init__(self, over: Backend, under: Backend) -> None:
        self._under = under
        replaced = {release.table for release in over.releases()}
        # By SHA-256 as well: Medicaid's and Medicare's edits are stored under the same table, and one of the two may be
        # loaded while the other comes from CSV files.
        self._over = {(stored_under(release.table), release.sha256): over for release in over.releases()}
        others = [release for release in under.releases() if release.table not in replaced]
        every = (*over.releases(), *others)
        self._releases = tuple(sorted(every, key=lambda release: (release.table, release.since or date.min)))

    def rows(self, table: Table[R], sha256: str, key: str) -> tuple[R, ...]:
        """See Backend."""
        return self._of(table, sha256).rows(table, sha256, key)

    def ptp_among(self, sha256: str, codes: frozenset[str]) -> Mapping[Pair, Windows]:
        """See Backend."""
        return self._of(PTP, sha256).ptp_among(sha256, codes)

    def ptp_of(self, sha256: str, code: str, day: date) -> Sequence[PtpEdit]:
        """See Backend."""
        return self._of(PTP, sha256).ptp_of(sha256, code, day)

    def every(self, table: Table[R], sha256: str) -> Iterator[tuple[str, tuple[R, ...]]]:
        """See Backend."""
        return self._of(table, sha256).every(table, sha256)

    def releases(self) -> tuple[Release, ...]:
        """See Backend."""
        return self._releases

    def _of(self, table: Table[R], sha256: str) -> Backend:
        return self._over.get((table.owner, sha256), self._under)


POSTGRES = ("postgresql", "postgres")


class LiveReference:
    """Gives the `current` reference data once for each claim, which then uses it to its end.

    Tables in CSV files are read once: `typed`, or else those of `read_typed`. Raises ConfigError when the location does
    not exist, Faults when a CSV file in it is wrong. `report` is called once for each trouble, with a message for the
    operator.
    """

    def __init__(
        self, location: str | None, typed: TypedTables | None = None, report: Callable[[str], None] = lambda _why: None
    ) -> None:
        contents = read_typed(location) if typed is None else typed
        self.location = location
        self.typed_releases = contents.releases
        self._typed = MemoryBackend(*contents)
        self._storage = None if location is None else open_storage(location)
        self._lock = threading.Lock()
        self.report = report
        self._generation: object = None
        self._current = self._open_now()
        self.trouble: str | None = None

    def current(self) -> Reference:
        """The reference data now. Where a change cannot be read, the data from before it, and `trouble` says why.

        Releases whose rows are no longer those that were loaded are left out, and `trouble` names them. One thread
        opens a change; the others use the data from before it until it is open.
        """
        if self._changed() and self._lock.acquire(blocking=False):
            try:
                if self._changed():  # no other thread has opened it in the meantime
                    self._switch()
            finally:
                self._lock.release()
        return self._current

    def _changed(self) -> bool:
        return self._storage is not None and self._storage.generation() != self._generation

    def _switch(self) -> None:
        try:
            self._current = self._open_now()
            self.trouble = None
        except DamagedReleases as error:
            self._open_without(error)
        except ConfigError as error:
            self._set_trouble(f"What was there before it is used. {error}")

    def _set_trouble(self, why: str) -> None:
        if why != self.trouble:
            self.report(why)
        self.trouble = why

    def _open_without(self, found: DamagedReleases) -> None:
        """Open the data without damaged segments, also where these were in use before."""
        segments, why = found.segments, str(found)
        while True:
            try:
                self._current = self._open(segments)
            except DamagedReleases as more:  # unreadable segments are found first, and changed ones only after that
                segments, why = segments | more.segments, f"{why}. {more}"
                continue
            except ConfigError as error:
                self._set_trouble(f"What was there before it is used. {error}")
                return
            self._set_trouble(f"They answer for nothing until then. {why}")
            return

    def _open_now(self) -> Reference:
        """The data now. A change that happens meanwhile is opened at the next claim."""
        if self._storage is not None:
            self._generation = self._storage.generation()
        return self._open()

    def _open(self, without: Collection[str] = ()) -> Reference:
        if self._storage is None:
            return Reference(self._typed)
        loaded = self._storage.backend(without)
        return Reference(LayeredBackend(loaded, self._typed) if loaded.releases() else self._typed)


def read_typed(location: str | None) -> TypedTables:
    """The tables in CSV files: those of a folder, over the starter set. Raises as LiveReference does."""
    return read_contents(folder_of(location))


def folder_of(location: str | None) -> Path | None:
    """The folder in which CSV files may be; None: there is none. Raises ConfigError where a folder does not exist."""
    folder = None if location is None or is_postgres(location) else Path(location)
    if folder is not None and not folder.is_dir():
        raise ConfigError(f"reference data: {location} is neither a folder nor the address of a PostgreSQL database")
    return folder


def is_postgres(location: str) -> bool:
    """Whether a location is the address of a PostgreSQL database."""
    return urlsplit(location).scheme in POSTGRES


def open_storage(location: str) -> ReleaseStorage:
    """The storage of loaded releases: a folder, which need not exist yet, or a PostgreSQL database."""
    if not is_postgres(location):
        return FolderStorage(Path(location))
    try:
        from scrubber.reference.storage.postgres import PostgresStorage
    except ImportError:  # psycopg is an extra
        raise ConfigError(
            "reference data in PostgreSQL needs psycopg, which is not installed: pip install 'claim-scrubber[postgres]'"
        ) from None

    return PostgresStorage(location)
