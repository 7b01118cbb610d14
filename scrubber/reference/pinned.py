"""Reference data of given releases and no others, to scrub a claim again as it was scrubbed before.

What was loaded since does not answer, and does not cut short what it came after. Starter tables that loaded ones have
taken the place of answer again, as long as the program ships them with the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from scrubber.reference.live import folder_of, open_place
from scrubber.reference.lookup import Reference
from scrubber.reference.releases import Backend, Pair, Release, Windows
from scrubber.reference.rows import PtpEdit
from scrubber.reference.storage import as_stated, each_until_the_next
from scrubber.reference.tables import PTP, R, Table, rows_lie_in
from scrubber.reference.typed_tables import STARTER, Contents, MemoryBackend, read_folder


class PinnedRelease(NamedTuple):
    """A release of a table as answers name it."""

    table: str
    release: str
    sha256: str
    complete: bool = False


class Held(NamedTuple):
    """A release, with the days that it states itself, and what holds its rows."""

    release: Release
    backend: Backend


def releases_at_hand(location: str | None) -> Mapping[PinnedRelease, Held]:
    """Every release at a place of reference data, and those of the starter set.

    Raises ConfigError when there is no such place, Faults when a CSV file in it is wrong.
    """
    held: dict[PinnedRelease, Held] = {}
    for each in _held(location):
        release = each.release
        held.setdefault(PinnedRelease(release.table, release.name, release.sha256, release.complete), each)
    return held


def reference_of(held: Iterable[Held]) -> Reference:
    """The tables of these releases, each on its days until the next one of them begins; other tables are empty."""
    return Reference(_Releases(tuple(held)))


def _held(location: str | None) -> Iterator[Held]:
    folder = folder_of(location)
    if location is not None:
        place = open_place(location)
        loaded = place.backend()
        readable = {(release.table, release.sha256) for release in loaded.releases()}
        for release in as_stated(place.loaded()):
            if (release.table, release.sha256) in readable:  # not loaded since the line above
                yield Held(release, loaded)
    if folder is not None:
        yield from _typed(read_folder(folder, starter=False))
    yield from _typed(read_folder(STARTER, starter=True))


def _typed(contents: Contents) -> Iterator[Held]:
    backend = MemoryBackend(*contents)
    for release in contents.releases:
        yield Held(release, backend)


class _Releases:
    """See Backend: the rows of each release from where it is held."""

    def __init__(self, held: tuple[Held, ...]) -> None:
        self._backends = {(rows_lie_in(each.release.table), each.release.sha256): each.backend for each in held}
        self._releases = each_until_the_next(each.release for each in held)

    def rows(self, table: Table[R], part: str, key: str) -> tuple[R, ...]:
        """See Backend."""
        return self._backends[table.owner, part].rows(table, part, key)

    def ptp_among(self, part: str, codes: frozenset[str]) -> Mapping[Pair, Windows]:
        """See Backend."""
        return self._backends[PTP.name, part].ptp_among(part, codes)

    def ptp_of(self, part: str, code: str, day: date) -> Sequence[PtpEdit]:
        """See Backend."""
        return self._backends[PTP.name, part].ptp_of(part, code, day)

    def every(self, table: Table[R], part: str) -> Iterator[tuple[str, tuple[R, ...]]]:
        """See Backend."""
        return self._backends[table.owner, part].every(table, part)

    def releases(self) -> tuple[Release, ...]:
        """See Backend."""
        return self._releases
