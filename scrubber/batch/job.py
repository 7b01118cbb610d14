"""Around the path: what a batch is: its options, its chunks, the lease on a chunk, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

from scrubber.reference.named import Named

FORMATS = ("ndjson", "json")
STATES = ("received", "running", "done", "cancelled", "failed")
ENDED = frozenset(("done", "cancelled", "failed"))
# Of batches that were sent before there were keys, and of everybody where no key is demanded.
DEFAULT_TENANT = "default"
CUT = -1  # number of the piece of work that cuts a batch into chunks
MOST_ROWS = 1_000_000
ROWS_A_CHUNK = 500
BYTES_A_CHUNK = 8_000_000
OBJECTS_A_CHUNK = 4_000  # of JSON, beyond those that any claim has: about so many service lines
OBJECTS_A_CLAIM = 40


@dataclass(frozen=True, slots=True)
class Options:
    """What the sender chose for one batch.

    `received_on` stands in for claims that do not say; it is settled at submission, so that a chunk done twice gives
    the same bytes. `dated` says whether the sender gave it; else it is the day of submission. `enable` and `disable`
    are ids of rules. The batch fails as soon as more than `most_rejected` (0 to 1) of all its rows are rejected; None:
    never. Higher `priority` goes first. `webhook` is told when the batch ends.
    """

    received_on: date
    enable: tuple[str, ...] = ()
    disable: tuple[str, ...] = ()
    most_rejected: Decimal | None = None
    priority: int = 0
    webhook: str | None = None
    dated: bool = True


@dataclass(frozen=True, slots=True)
class Body:
    """The upload as it lies on the disk: its format, whether it is gzipped, its bytes and their SHA-256."""

    format: str
    gzipped: bool
    size: int
    sha256: str


class Versions(NamedTuple):
    """What rows are scrubbed with: the program, the digest of the rulebook, and the releases of reference data."""

    program: str
    rulebook: str
    releases: tuple[Named, ...]

    def in_short(self) -> ShortVersions:
        """The same, with one digest for all releases."""
        listed = sorted(tuple(release) for release in self.releases)
        return ShortVersions(self.program, self.rulebook, "sha256:" + sha256(orjson.dumps(listed)).hexdigest())


class ShortVersions(NamedTuple):
    """Versions in short. `reference` is the SHA-256 of the sorted list of [table, release, sha256, complete]."""

    program: str
    rulebook: str
    reference: str


@dataclass(frozen=True, slots=True)
class Batch:
    """One submission. `rows` is None until it is cut; `why` says why it failed. Times are UTC.

    Only callers of its `tenant` are told of it.
    `pinned` is what it was begun with, and is finished with where that is possible: None until it is cut, and of
    batches that an earlier program cut.
    """

    id: str
    state: str
    submitted: datetime
    body: Body
    options: Options
    rows: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    why: str | None = None
    tenant: str = DEFAULT_TENANT
    pinned: Versions | None = None

    def why_rejected(self, rejected: int) -> str | None:
        """Why so many rejected rows end it; None where they do not. It has been cut."""
        most, rows = self.options.most_rejected, self.rows or 0
        if most is None or Decimal(rejected) <= most * rows:
            return None
        return f"{rejected} of {rows} rows were rejected, more than the share of {most} that was allowed"


class Chunk(NamedTuple):
    """So many rows that are scrubbed together: bytes `start` to `stop`, of which the first row is `first_row`.

    There may be blank lines among them, which are numbered and are no rows.

    A row that is too large to be read is a chunk of no bytes. `sha256` is of its rows, see `cut.digest_of`; None where
    it has no bytes, or an earlier program cut the batch.
    """

    number: int
    first_row: int
    rows: int
    start: int
    stop: int
    sha256: str | None = None


class Lease(NamedTuple):
    """The right to work on a chunk, or to cut a batch (number CUT), until it runs out or is taken away.

    `token` is told apart from every other lease: what comes in under an old one is refused. `tries` counts from 1.
    `deaths` says how many workers died while they were at a row; rows are marked from the second try on.
    """

    batch: Batch
    chunk: Chunk
    token: str
    tries: int
    deaths: Mapping[int, int]


class Tally(NamedTuple):
    """Rows by what came out. `at_risk` is the sum of what is known; `unpriced` counts claims that are not all known."""

    accept: int = 0
    warn: int = 0
    deny: int = 0
    rejected: int = 0
    at_risk: Decimal = Decimal("0.00")
    unpriced: int = 0

    @property
    def rows(self) -> int:
        """All rows."""
        return self.accept + self.warn + self.deny + self.rejected

    def plus(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(
            self.accept + other.accept,
            self.warn + other.warn,
            self.deny + other.deny,
            self.rejected + other.rejected,
            self.at_risk + other.at_risk,
            self.unpriced + other.unpriced,
        )


class Made(NamedTuple):
    """Of the results of a chunk: the SHA-256 of their bytes, in hexadecimal, and what they were made with."""

    sha256: str
    versions: ShortVersions


class Progress(NamedTuple):
    """How far a batch is: what came out of the chunks that are done, of how many in all."""

    tally: Tally
    chunks_done: int
    chunks: int


Summary = dict[str, dict[str, Any]]
