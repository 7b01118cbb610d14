"""Batches are finished with the rules and the reference data that they were begun with.

Rules are kept in the archive, and loaded releases for as long as nobody drops them. Where either is not here any more,
a batch goes on with what is in force, and its status names both.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from scrubber import __version__
from scrubber.batch.model import PinnedVersions
from scrubber.errors import ConfigError, Faults, NoRulebook
from scrubber.reference.pinned import PinnedRelease, available_releases, reference_with
from scrubber.rulebook.history import open_archived
from scrubber.rulebook.load import load_rulebook
from scrubber.scrub import Scrubber, assemble

MOST_CACHED = 2  # each has the rules of a whole rulebook in memory


def versions_of(scrubber: Scrubber) -> PinnedVersions:
    """What a scrubber scrubs with."""
    releases = (
        PinnedRelease(release.table, release.name, release.sha256, release.complete)
        for release in scrubber.reference.releases()
    )
    return PinnedVersions(__version__, scrubber.rulebook.digest, tuple(releases))


def same_judgement(one: PinnedVersions, other: PinnedVersions) -> bool:
    """Whether rules and releases are the same, whichever program has them."""
    return one.rulebook == other.rulebook and set(one.releases) == set(other.releases)


class PinnedScrubbers:
    """Scrubbers of versions that are in force no longer.

    `reference` is the reference store, `state` the folder with archived rulebooks. `missing` is told, once for each,
    why one cannot be had.
    """

    def __init__(
        self, reference: str | None, state: Path | None, stale_after: int | None, missing: Callable[[str], None]
    ) -> None:
        self._reference = reference
        self._state = state
        self._stale_after = stale_after
        self._missing = missing
        self._scrubbers: dict[PinnedVersions, Scrubber | None] = {}

    def __call__(self, versions: PinnedVersions) -> Scrubber | None:
        """The scrubber of some versions, their program aside; None where rules or a release are not here any more."""
        wanted = versions._replace(program="")
        if wanted not in self._scrubbers:
            while len(self._scrubbers) >= MOST_CACHED:
                del self._scrubbers[next(iter(self._scrubbers))]
            self._scrubbers[wanted] = self._assemble(wanted)
        return self._scrubbers[wanted]

    def _assemble(self, versions: PinnedVersions) -> Scrubber | None:
        if self._state is None:
            self._missing("no rulebook is kept: SCRUBBER_STATE is not set")
            return None
        try:
            rulebook = load_rulebook(open_archived(self._state, versions.rulebook))
            held = available_releases(self._reference)
            gone = [f"{release.table} {release.release}" for release in versions.releases if release not in held]
            if gone:
                raise NoRulebook(f"releases are not here any more: {', '.join(gone)}")
            return assemble(rulebook, reference_with(held[release] for release in versions.releases), self._stale_after)
        except (NoRulebook, Faults, ConfigError) as error:
            self._missing(str(error))
            return None
