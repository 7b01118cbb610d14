"""The reference data of a store as it is now. A change is seen at the next claim."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from scrubber.errors import ConfigError, DamagedPart
from scrubber.reference.lookup import Reference
from scrubber.reference.releases import Backend, Pair, Release, Windows
from scrubber.reference.rows import PtpEdit
from scrubber.reference.storage import Place
from scrubber.reference.storage.sqlite import FolderPlace
from scrubber.reference.tables import PTP, R, Table, rows_lie_in
from scrubber.reference.typed_tables import Contents, MemoryBackend, read_contents


class LayeredBackend:
    """The tables that `over` has a release of, and the others of `under`."""

    def __init__(self, over: Backend, under: Backend) -> None:
        self._under = under
        replaced = {release.table for release in over.releases()}
        # By part as well: of Medicaid's edits and Medicare's, which lie alike, one may be loaded and the other typed.
        self._over = {(rows_lie_in(release.table), release.sha256): over for release in over.releases()}
        kept = [release for release in under.releases() if release.table not in replaced]
        every = (*over.releases(), *kept)
        self._releases = tuple(sorted(every, key=lambda release: (release.table, release.since or date.min)))

    def rows(self, table: Table[R], part: str, key: str) -> tuple[R, ...]:
        """See Backend."""
        return self._of(table, part).rows(table, part, key)

    def ptp_among(self, part: str, codes: frozenset[str]) -> Mapping[Pair, Windows]:
        """See Backend."""
        return self._of(PTP, part).ptp_among(part, codes)

    def ptp_of(self, part: str, code: str, day: date) -> Sequence[PtpEdit]:
        """See Backend."""
        return self._of(PTP, part).ptp_of(part, code, day)

    def every(self, table: Table[R], part: str) -> Iterator[tuple[str, tuple[R, ...]]]:
        """See Backend."""
        return self._of(table, part).every(table, part)

    def releases(self) -> tuple[Release, ...]:
        """See Backend."""
        return self._releases

    def _of(self, table: Table[R], part: str) -> Backend:
        return self._over.get((table.owner, part), self._under)


POSTGRES = ("postgresql", "postgres")


class LiveReference:
    """Asked for `current` once a claim: a claim under way is finished on what it began with.

    Tables typed by hand are read once: `typed`, or else what `read_typed` gives. Raises ConfigError when there is no
    such place, Faults when a CSV file in it is wrong. `tell` is told once of each trouble, in words for the operator.
    """

    def __init__(
        self, location: str | None, typed: Contents | None = None, tell: Callable[[str], None] = lambda _why: None
    ) -> None:
        contents = read_typed(location) if typed is None else typed
        self.location = location
        self.typed_releases = contents.releases
        self._typed = MemoryBackend(*contents)
        self._place = None if location is None else open_place(location)
        self._lock = threading.Lock()
        self.tell = tell
        self._generation: object = None
        self._current = self._open_now()
        self.trouble: str | None = None

    def current(self) -> Reference:
        """The reference data now. Where a change cannot be read, what was there before it, and `trouble` says why.

        Releases whose rows are no longer those that were loaded answer for nothing, and `trouble` names them.

        One thread opens what is new; the others go on with what was there until it is open.
        """
        if self._changed() and self._lock.acquire(blocking=False):
            try:
                if self._changed():  # nobody else was here in between
                    self._switch()
            finally:
                self._lock.release()
        return self._current

    def _changed(self) -> bool:
        return self._place is not None and self._place.generation() != self._generation

    def _switch(self) -> None:
        try:
            self._current = self._open_now()
            self.trouble = None
        except DamagedPart as error:
            self._open_without(error)
        except ConfigError as error:
            self._in_trouble(f"What was there before it is used. {error}")

    def _in_trouble(self, why: str) -> None:
        if why != self.trouble:
            self.tell(why)
        self.trouble = why

    def _open_without(self, found: DamagedPart) -> None:
        """Damaged rows answer for nothing, also where they answered before."""
        parts, why = found.parts, str(found)
        while True:
            try:
                self._current = self._open(parts)
            except DamagedPart as more:  # what cannot be read at all is found before what was changed
                parts, why = parts | more.parts, f"{why}. {more}"
                continue
            except ConfigError as error:
                self._in_trouble(f"What was there before it is used. {error}")
                return
            self._in_trouble(f"They answer for nothing until then. {why}")
            return

    def _open_now(self) -> Reference:
        """What is there now. A change in the middle of it is seen by the next look."""
        if self._place is not None:
            self._generation = self._place.generation()
        return self._open()

    def _open(self, without: Collection[str] = ()) -> Reference:
        if self._place is None:
            return Reference(self._typed)
        loaded = self._place.backend(without)
        return Reference(LayeredBackend(loaded, self._typed) if loaded.releases() else self._typed)


def read_typed(location: str | None) -> Contents:
    """The tables typed by hand: those of a folder, over the starter set. Raises ConfigError, or Faults, as above."""
    return read_contents(folder_of(location))


def folder_of(location: str | None) -> Path | None:
    """The folder in which tables typed by hand may lie. Raises ConfigError for a place that is none."""
    folder = None if location is None or is_postgres(location) else Path(location)
    if folder is not None and not folder.is_dir():
        raise ConfigError(f"reference data: {location} is neither a folder nor the address of a PostgreSQL database")
    return folder


def is_postgres(location: str) -> bool:
    """Whether a place is named by the address of a PostgreSQL database."""
    return urlsplit(location).scheme in POSTGRES


def open_place(location: str) -> Place:
    """The place that keeps loaded releases: a folder, which may not be there yet, or a PostgreSQL database."""
    if not is_postgres(location):
        return FolderPlace(Path(location))
    try:
        from scrubber.reference.storage.postgres import PostgresPlace
    except ImportError:  # psycopg is an extra
        raise ConfigError(
            "reference data in PostgreSQL needs psycopg, which is not installed: pip install 'claim-scrubber[postgres]'"
        ) from None

    return PostgresPlace(location)
