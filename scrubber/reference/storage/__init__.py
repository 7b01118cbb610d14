"""Defines the storage of loaded releases, a folder or PostgreSQL, and the catalogue of what is loaded.

The rows of one loaded release are a segment, which never changes. A change of the storage is made by one process at a
time, and is atomic for readers. A segment that a change removed from the catalogue stays readable until the next
change, for readers that opened it before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

import orjson

from scrubber.errors import ConfigError, NewerStore
from scrubber.migrations import Store
from scrubber.reference.releases import Backend, Release
from scrubber.reference.storage.packer import Sink
from scrubber.reference.tables import stored_under

LAYOUT = 4  # version of the encoding of rows; segments of another one cannot be read
UNSTATED_LAYOUT = 3  # that of catalogues which do not state it


class LoadedFile(NamedTuple):
    """A file that was loaded: its name without its folder, and the SHA-256 of its bytes."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class LoadedRelease:
    """A catalogue entry: a release with the days it is for, the files and moment (UTC) of its load, its rows by table.

    The days are those that its files state; `releases_of` shortens them by later releases. `sha256` is that of the
    file's bytes, or of the sorted digests of several files. `complete`: see Release.
    """

    kind: str
    name: str
    since: date | None
    until: date | None
    sha256: str
    loaded: datetime
    source: str
    files: tuple[LoadedFile, ...]
    rows: Mapping[str, int]
    skipped: int
    layout: int = LAYOUT
    complete: bool = False

    @property
    def segment(self) -> str:
        """Name of the segment that holds its rows."""
        return f"{self.kind}-{self.sha256}"


class StorageChange(Protocol):
    """A change of the storage that has begun and is not committed."""

    @property
    def loaded(self) -> tuple[LoadedRelease, ...]:
        """The catalogue before the change."""

    def new_segment(self) -> Sink:
        """A writer for the rows of one new release."""

    def commit(self, loaded: Iterable[LoadedRelease], new: LoadedRelease | None = None) -> None:
        """Make `loaded` the catalogue; `new`, one of its entries, gets the rows written to the new segment."""


class ReleaseStorage(Protocol):
    """Holds loaded releases and their catalogue. `store` is what migrations and schema versions apply to."""

    @property
    def store(self) -> Store:
        """The store for `scrubber migrate`."""

    def loaded(self) -> tuple[LoadedRelease, ...]:
        """The catalogue. Raises ConfigError when it cannot be read."""

    def generation(self) -> object:
        """A value that differs after every change; cheap enough to read for every claim."""

    def backend(self, without: Collection[str] = ()) -> Backend:
        """What is loaded, opened for reading, without the segments of these names.

        Raises DamagedReleases for segments whose rows are no longer those that were loaded, ConfigError for what cannot
        be read.
        """

    def change(self) -> AbstractContextManager[StorageChange]:
        """Begin a change, which is undone unless it is committed. Raises ConfigError while another one is under way."""


def releases_of(loaded: Iterable[LoadedRelease]) -> tuple[Release, ...]:
    """The releases of each table, by table and then by first day; each ends when the next one begins, or before."""
    return until_next_release(stated_releases(loaded))


def stated_releases(loaded: Iterable[LoadedRelease]) -> Iterator[Release]:
    """The releases of each table, with the days that their files state."""
    for each in loaded:
        for table, rows in each.rows.items():
            yield Release(
                table, each.name, each.since, each.until, each.sha256, False, each.source, rows, each.loaded,
                each.complete,
            )  # fmt: skip


def until_next_release(releases: Iterable[Release]) -> tuple[Release, ...]:
    """Releases by table and then by first day; each ends when the next one of its table begins, or before."""
    by_day = sorted(releases, key=lambda release: (release.table, release.since or date.min))
    return tuple(map(_until_begin_of, by_day, (*by_day[1:], None)))


def _until_begin_of(release: Release, after: Release | None) -> Release:
    """A release that ends when the one `after` it, where that is of the same table, begins."""
    if after is None or after.table != release.table or after.since is None:
        return release
    return release._replace(until=min(release.until or after.since, after.since))


def check_layout(name: str, found: int) -> None:
    """Raises ConfigError for rows in the encoding of an earlier program, NewerStore for that of a newer one."""
    if found > LAYOUT:
        raise NewerStore(
            f"reference data: {name} has layout {found}, written by a newer program; this one reads {LAYOUT}: start "
            "the newer program, or load it again with this one"
        )
    if found != LAYOUT:
        raise ConfigError(
            f"reference data: {name} has layout {found}, this program reads {LAYOUT}: drop it and load it again"
        )


def catalogue_to_json(loaded: Sequence[LoadedRelease]) -> bytes:
    """The catalogue as indented JSON, which people can read as well."""
    return orjson.dumps([_as_dict(each) for each in loaded], option=orjson.OPT_INDENT_2)


def _as_dict(loaded: LoadedRelease) -> dict[str, Any]:
    content = asdict(loaded) | {"files": [file._asdict() for file in loaded.files]}
    if not loaded.complete:
        del content["complete"]  # so that programs from before this key can read catalogues without complete releases
    return content


def catalogue_from_json(text: bytes | str) -> tuple[LoadedRelease, ...]:
    """The catalogue that `catalogue_to_json` wrote. Raises ValueError, KeyError or TypeError for other text."""
    return tuple(_from_dict(content) for content in orjson.loads(text))


def _from_dict(content: dict[str, Any]) -> LoadedRelease:
    files = tuple(LoadedFile(**file) for file in content["files"])
    days = {name: content[name] and date.fromisoformat(content[name]) for name in ("since", "until")}
    return LoadedRelease(
        **(
            {"layout": UNSTATED_LAYOUT}
            | content
            | days
            | {"files": files, "loaded": datetime.fromisoformat(content["loaded"])}
        )
    )


def segment_names(loaded: Iterable[LoadedRelease]) -> Iterator[tuple[tuple[str, str], str]]:
    """The name of the segment by the table under which its rows are stored and the SHA-256 of the release."""
    for each in loaded:
        for table in each.rows:
            yield (stored_under(table), each.sha256), each.segment
