"""Stores of loaded releases: a folder or PostgreSQL, and what is known of each release.

A change is made by one process at a time, and all of it or nothing is seen. What a change took away stays readable
until the next one, for those who are still reading it.
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
from scrubber.reference.tables import rows_lie_in

LAYOUT = 4  # of packed rows; another one cannot be read
FIRST_TOLD = 3  # the layout of catalogues that do not tell it


class LoadedFile(NamedTuple):
    """A file that was loaded: its name without its folder, and the SHA-256 of its bytes."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """One release as it was loaded: which days it is for, what from and when (UTC), and its rows by table.

    The days are those that its files state; `releases_of` tells which of them later releases leave it.
    `sha256` is of the file's bytes, or of the digests of several, in order. `complete`: see Release.
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
    def part(self) -> str:
        """Names what holds its rows."""
        return f"{self.kind}-{self.sha256}"


class Change(Protocol):
    """A change under way."""

    @property
    def loaded(self) -> tuple[Loaded, ...]:
        """What is loaded, before the change."""

    def new_part(self) -> Sink:
        """Where the rows of one new release go."""

    def commit(self, loaded: Iterable[Loaded], new: Loaded | None = None) -> None:
        """Make `loaded` what is loaded; `new`, one of them, has the rows put into the new part."""


class Place(Protocol):
    """Keeps loaded releases. `store` is what has a schema version."""

    @property
    def store(self) -> Store:
        """See Store."""

    def loaded(self) -> tuple[Loaded, ...]:
        """What is loaded. Raises ConfigError when that cannot be read."""

    def generation(self) -> object:
        """Differs after every change; cheap enough to ask for every claim."""

    def backend(self, without: Collection[str] = ()) -> Backend:
        """What is loaded, opened, except for the parts of these names.

        Raises DamagedPart for parts whose rows are no longer those that were loaded, ConfigError for what cannot be
        read.
        """

    def change(self) -> AbstractContextManager[Change]:
        """Begin a change; what is not committed in it is undone. Raises ConfigError while another one is under way."""


def releases_of(loaded: Iterable[Loaded]) -> tuple[Release, ...]:
    """The releases of each table, by table and then by first day, each until the next one begins at the latest."""
    return each_until_the_next(as_stated(loaded))


def as_stated(loaded: Iterable[Loaded]) -> Iterator[Release]:
    """The releases of each table, with the days that their files state."""
    for each in loaded:
        for table, rows in each.rows.items():
            yield Release(
                table, each.name, each.since, each.until, each.sha256, False, each.source, rows, each.loaded,
                each.complete,
            )  # fmt: skip


def each_until_the_next(releases: Iterable[Release]) -> tuple[Release, ...]:
    """Releases by table and then by first day, each until the next one of its table begins at the latest."""
    by_day = sorted(releases, key=lambda release: (release.table, release.since or date.min))
    return tuple(map(_cut, by_day, (*by_day[1:], None)))


def _cut(release: Release, after: Release | None) -> Release:
    """A release with the days that the one after it, of the same table, leaves it."""
    if after is None or after.table != release.table or after.since is None:
        return release
    return release._replace(until=min(release.until or after.since, after.since))


def check_layout(name: str, found: int) -> None:
    """Raises ConfigError for rows that an earlier program packed, NewerStore for those of a newer one."""
    if found > LAYOUT:
        raise NewerStore(
            f"reference data: {name} has layout {found}, written by a newer program; this one reads {LAYOUT}: start "
            "the newer program, or load it again with this one"
        )
    if found != LAYOUT:
        raise ConfigError(
            f"reference data: {name} has layout {found}, this program reads {LAYOUT}: drop it and load it again"
        )


def to_json(loaded: Sequence[Loaded]) -> bytes:
    """As text that people can read, too."""
    return orjson.dumps([_as_dict(each) for each in loaded], option=orjson.OPT_INDENT_2)


def _as_dict(loaded: Loaded) -> dict[str, Any]:
    content = asdict(loaded) | {"files": [file._asdict() for file in loaded.files]}
    if not loaded.complete:
        del content["complete"]  # so that programs of before this key can read the catalogue of all others
    return content


def from_json(text: bytes | str) -> tuple[Loaded, ...]:
    """What `to_json` wrote. Raises ValueError, KeyError or TypeError for other text."""
    return tuple(_from_dict(told) for told in orjson.loads(text))


def _from_dict(told: dict[str, Any]) -> Loaded:
    files = tuple(LoadedFile(**file) for file in told["files"])
    days = {name: told[name] and date.fromisoformat(told[name]) for name in ("since", "until")}
    return Loaded(
        **({"layout": FIRST_TOLD} | told | days | {"files": files, "loaded": datetime.fromisoformat(told["loaded"])})
    )


def parts_of(loaded: Iterable[Loaded]) -> Iterator[tuple[tuple[str, str], str]]:
    """By table (that of the rows) and SHA-256, the name of the part that holds the rows."""
    for each in loaded:
        for table in each.rows:
            yield (rows_lie_in(table), each.sha256), each.part
