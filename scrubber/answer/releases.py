"""Beside the path: releases of reference data as JSON, for whoever asks what an answer rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scrubber.answer.rules import effective
from scrubber.reference.releases import Release, TableStanding

Document = dict[str, Any]

NOT_LOADED = "not-loaded"


def every(releases: Iterable[Release]) -> Document:
    """All releases, in their order: by table and then by first day."""
    return {"releases": [_release(release) for release in releases]}


def standing(standings: Mapping[str, TableStanding], table: str) -> Document:
    """The release of a table that answers for a day, and how the day lies to it."""
    word, release = standings[table]
    if release is None:
        return {"table": table, "release": None, "sha256": None, "standing": NOT_LOADED}
    return {"table": table, "release": release.name, "sha256": release.sha256, "standing": word}


def _release(release: Release) -> Document:
    return {
        "table": release.table,
        "release": release.name,
        "effective": effective(release),
        "sha256": release.sha256,
        "rows": release.rows,
        "starter": release.starter,
        "complete": release.complete,
        "source": release.source,
        "loaded": release.loaded.isoformat(timespec="seconds") if release.loaded else None,
    }
