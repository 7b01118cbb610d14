"""Look-ups of facts and money: what is known of a release of a table, and how a day lies to it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, NamedTuple


class Release(NamedTuple):
    """One published release of a table. `sha256` is of the bytes it was read from, and finds its rows; of tables typed
    by hand it is also of the days of their releases.

    `starter`: typed by hand, shipped with us. `rows` counts those of this table; `loaded` is the moment (UTC) at which
    a published file was loaded, None for tables typed by hand, whose rows tell their own days.

    `complete`: whoever loaded it said that it holds every code of its kind, so that absence from it means something on
    its own days. Never so because of its kind: an excerpt has the same layout.
    """

    table: str
    name: str
    since: date | None
    until: date | None
    sha256: str
    starter: bool
    source: str
    rows: int = 0
    loaded: datetime | None = None
    complete: bool = False


Silence = Literal["no-table", "table-does-not-reach"]  # why a table says nothing of a day


class TableStanding(NamedTuple):
    """How a day lies to the releases of a table, and the release that answers for it.

    The release is None when the table has none; before the first one, it is the first.
    """

    word: Literal["in-force", "carried-forward", "past-last-release", "before-first-release"]
    release: Release | None
