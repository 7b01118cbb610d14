"""Opens reference data of given releases and no others, to scrub a claim again as it was scrubbed before.

Releases loaded since then are not used, and do not end the releases before them. Starter tables that loaded ones have
replaced are used again, as long as the program ships them with the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from scrubber.reference.live import folder_of, open_storage
from scrubber.reference.lookup import Reference
from scrubber.reference.releases import Backend, Pair, Release, Windows
from scrubber.reference.rows import PtpEdit
from scrubber.reference.storage import stated_releases, until_next_release
from scrubber.reference.tables import PTP, R, Table, stored_under
from scrubber.reference.typed_tables import STARTER, MemoryBackend, TypedTables, read_folder


class PinnedRelease(NamedTuple):
    """A release of a table as responses name it."""

    table: str
    release: str
    sha256: str
    complete: bool = False


class HeldRelease(NamedTuple):
    """A release, with the days that it states itself, and the backend that has its rows."""

    release: Release
    backend: Backend


def available_releases(location: str | None) -> Mapping[PinnedRelease, HeldRelease]:
    """Every release at a location of reference data, and those of the starter set.

    Raises ConfigError when the location does not exist, Faults when a CSV file in it is wrong.
    """
    held: dict[PinnedRelease, HeldRelease] = {}
    for each in _held(location):
        release = each.release
        held.setdefault(PinnedRelease(release.table, release.name, release.sha256, release.complete), each)
    return held


def reference_with(held: Iterable[HeldRelease]) -> Reference:
    """The tables of these releases, each on its days until the next one of them begins; other tables are empty."""
    return Reference(_PinnedBackend(tuple(held)))


def _held(location: str | None) -> Iterator[HeldRelease]:
    folder = folder_of(location)
    if location is not None:
        storage = open_storage(location)
        loaded = storage.backend()
        readable = {(release.table, release.sha256) for release in loaded.releases()}
        for release in stated_releases(storage.loaded()):
            if (release.table, release.sha256) in readable:  # not one loaded after `backend` was opened
                yield HeldRelease(release, loaded)
    if folder is not None:
        yield from _typed(read_folder(folder, starter=False))
    yield from _typed(read_folder(STARTER, starter=True))


def _typed(contents: TypedTables) -> Iterator[HeldRelease]:
    backend = MemoryBackend(*contents)
    for release in contents.releases:
        yield HeldRelease(release, backend)


class _PinnedBackend:
    """A Backend that reads the rows of each release from that release's own backend."""

    def __init__(self, held: tuple[HeldRelease, ...]) -> None:
        self._backends = {(stored_under(each.release.table), each.release.sha256): each.backend for each in held}
        self._releases = until_next_release(each.release for each in held)

    def rows(self, table: Table[R], sha256: str, key: str) -> tuple[R, ...]:
        """See Backend."""
        return self._backends[table.owner, sha256].rows(table, sha256, key)

    def ptp_among(self, sha256: str, codes: frozenset[str]) -> Mapping[Pair, Windows]:
        """See Backend."""
        return self._backends[PTP.name, sha256].ptp_among(sha256, codes)

    def ptp_of(self, sha256: str, code: str, day: date) -> Sequence[PtpEdit]:
        """See Backend."""
        return self._backends[PTP.name, sha256].ptp_of(sha256, code, day)

    def every(self, table: Table[R], sha256: str) -> Iterator[tuple[str, tuple[R, ...]]]:
        """See Backend."""
        return self._backends[table.owner, sha256].every(table, sha256)

    def releases(self) -> tuple[Release, ...]:
        """See Backend."""
        return self._releases
