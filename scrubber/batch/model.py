"""What a batch is, and what must keep it: a job store for batches and chunks, a file store for their bytes.

Nothing depends on a notification: it may be lost, come late, or come twice.

Every change is one transaction. A chunk is leased, worked on, and finished under the token of its lease, so that of two
workers on one chunk exactly one counts, whatever became of the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, BinaryIO, NamedTuple, Protocol

import orjson

from scrubber.reference.pinned import PinnedRelease

FORMATS = ("ndjson", "json", "x12")
# Of an upload in parts: lines of context, a line with CONTEXT_END, and the X12 file. No such line is JSON.
X12_WITH_CONTEXT = "x12-with-context"
CONTEXT_END = b"\n\x1d\n"
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
class BatchOptions:
    """What the sender chose for one batch.

    `received_on` is the default for claims without one; it is settled at submission, so that a chunk done twice gives
    the same bytes. `dated` says whether the sender gave it; else it is the day of submission. `enable` and `disable`
    are ids of rules. The batch fails as soon as more than `most_rejected` (0 to 1) of all its rows are rejected; None:
    never. Higher `priority` goes first. `webhook` is notified when the batch ends.
    """

    received_on: date
    enable: tuple[str, ...] = ()
    disable: tuple[str, ...] = ()
    most_rejected: Decimal | None = None
    priority: int = 0
    webhook: str | None = None
    dated: bool = True


@dataclass(frozen=True, slots=True)
class StoredUpload:
    """The upload as it lies on the disk: its format, whether it is gzipped, its bytes and their SHA-256."""

    format: str
    gzipped: bool
    size: int
    sha256: str


class PinnedVersions(NamedTuple):
    """What rows are scrubbed with: the program, the digest of the rulebook, and the releases of reference data."""

    program: str
    rulebook: str
    releases: tuple[PinnedRelease, ...]

    def in_short(self) -> ShortVersions:
        """The same, with one digest for all releases."""
        listed = sorted(tuple(release) for release in self.releases)
        return ShortVersions(self.program, self.rulebook, "sha256:" + sha256(orjson.dumps(listed)).hexdigest())


class ShortVersions(NamedTuple):
    """PinnedVersions in short. `reference` is the SHA-256 of the sorted list of [table, release, sha256, complete]."""

    program: str
    rulebook: str
    reference: str


@dataclass(frozen=True, slots=True)
class Batch:
    """One submission. `rows` is None until it is cut; `why` says why it failed. Times are UTC.

    Only callers of its `tenant` can see it.
    `pinned` is what it was begun with, and is finished with where that is possible: None until it is cut, and of
    batches that an earlier program cut.
    """

    id: str
    state: str
    submitted: datetime
    body: StoredUpload
    options: BatchOptions
    rows: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    why: str | None = None
    tenant: str = DEFAULT_TENANT
    pinned: PinnedVersions | None = None

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

    `token` identifies the lease: results under an old one are refused. `tries` counts from 1.
    `deaths` says how many workers died while they were at a row; rows are marked from the second try on.
    """

    batch: Batch
    chunk: Chunk
    token: str
    tries: int
    deaths: Mapping[int, int]


class BatchTally(NamedTuple):
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

    def plus(self, other: BatchTally) -> BatchTally:
        """Both together."""
        return BatchTally(
            self.accept + other.accept,
            self.warn + other.warn,
            self.deny + other.deny,
            self.rejected + other.rejected,
            self.at_risk + other.at_risk,
            self.unpriced + other.unpriced,
        )


class Provenance(NamedTuple):
    """Of the results of a chunk: the SHA-256 of their bytes, in hexadecimal, and what they were made with."""

    sha256: str
    versions: ShortVersions


class BatchProgress(NamedTuple):
    """How far a batch is: what came out of the chunks that are done, of how many in all."""

    tally: BatchTally
    chunks_done: int
    chunks: int


Summary = dict[str, dict[str, Any]]


Notify = Callable[[str, Sequence[int]], None]  # of a batch, these chunks wait; CUT among them: it waits to be cut


def notify_nobody(batch_id: str, numbers: Sequence[int]) -> None:
    """Where workers ask the job store by themselves."""


LEASE_SECONDS = 30.0


class KeyUsed(Exception):
    """The idempotency key belongs to a batch with another body or other options."""


class Done(NamedTuple):
    """A finished chunk: the token under which its result lies, and the SHA-256 of that.

    None: an earlier program made it.
    """

    chunk: Chunk
    token: str
    sha256: str | None


class Announcement(NamedTuple):
    """The end of a batch that is to be sent to its webhook. `tries` counts from 1."""

    batch: Batch
    tries: int


class JobStore(Protocol):
    """Batches and chunks. Safe for several processes and threads; nothing is kept in memory.

    Every method raises StoreUnavailable when the job store cannot be reached or written.
    """

    def accept(self, batch: Batch, key: str | None, key_until: datetime | None, now: datetime) -> Batch:
        """Enter a batch durably: once this returns, it survives a loss of power.

        Under a `key` that its tenant uses until after `now`: the batch that it stands for. Raises KeyUsed when that
        one's body or options differ.
        """

    def batch(self, batch_id: str) -> Batch | None:
        """The batch as it is now."""

    def batches(self, most: int, tenant: str = DEFAULT_TENANT) -> list[Batch]:
        """The newest batches of a tenant first."""

    def take(self, worker: str) -> Lease | None:
        """A lease on the chunk that is next. One whose lease ran out goes first; then what has the highest priority.

        Batches of one priority take turns, a chunk each: next is the batch whose turn was longest ago, or that has
        waited longest for its first. To cut a batch is no turn.
        """

    def renew(self, lease: Lease, at_row: int | None) -> bool:
        """Hold the lease for another while, noting the row that is next. False: it is lost; stop."""

    def cut(
        self, lease: Lease, chunks: Sequence[Chunk], rows: int, now: datetime, pinned: PinnedVersions | None = None
    ) -> bool:
        """Enter the chunks of a batch and end the lease under which it was cut. A batch of no rows is done.

        `pinned` is what the batch is to be scrubbed with.
        """

    def finish(
        self, lease: Lease, tally: BatchTally, summary: Summary, now: datetime, provenance: Provenance | None = None
    ) -> bool:
        """Enter a chunk's outcome. False: the lease was lost, and what was done under it does not count.

        The batch ends with its last chunk, or earlier with more rejected rows than its sender allows.
        """

    def fail(self, batch_id: str, why: str, now: datetime) -> None:
        """End a batch that cannot go on; `why` holds no value from a claim."""

    def cancel(self, batch_id: str, now: datetime) -> None:
        """End a batch. What is under way comes to nothing; what is done stays."""

    def release(self, worker: str) -> None:
        """Give back at once what a worker held that is known to be dead."""

    def give_back(self, worker: str) -> None:
        """Give back what a worker holds that lives and cannot go on, as if it had never been taken."""

    def do_again(self, batch_id: str, done: Done) -> bool:
        """Have a finished chunk scrubbed again, whose results were lost. A batch that was done runs again until then.

        False: it is not as `done` says, or the batch was cancelled or failed.
        """

    def versions(self, batch_id: str) -> list[ShortVersions]:
        """What the finished chunks were made with, in the order of the rows; each once."""

    def report_stalled(self, worker: str, why: str) -> None:
        """A worker cannot go on, for a reason outside of any batch. Not said again, it is forgotten with its lease."""

    def go_on(self, worker: str) -> None:
        """It can go on."""

    def stalled_reason(self) -> str | None:
        """Why a worker cannot go on just now; None where all can."""

    def progress(self, batch_id: str) -> BatchProgress:
        """How far a batch is."""

    def done(self, batch_id: str, from_row: int) -> Iterator[Done]:
        """Finished chunks in order, from the one with `from_row` on, up to the first that is not finished.

        After the end of a batch (cancelled, failed) gaps are passed over.
        """

    def summaries(self, batch_id: str) -> Iterator[Summary]:
        """The summaries of the finished chunks."""

    def waiting(self, most: int) -> list[tuple[str, int]]:
        """Chunks that wait for a worker, those with a lease that ran out among them: (batch, number)."""

    def delete(self, batch_id: str) -> None:
        """Forget a batch."""

    def next_announcement(self) -> Announcement | None:
        """The end of a batch with a webhook that is due now; each is due from the moment in which the batch ended.

        It is not given out again before a lease would have run out: then whoever had it has died.
        """

    def announce_later(self, batch_id: str, seconds: float) -> None:
        """It could not be delivered: return it again after so many seconds."""

    def announced(self, batch_id: str) -> None:
        """It was delivered, or is given up."""

    def ended_before(self, moment: datetime) -> list[str]:
        """Batches that ended before a moment."""


PIECE = 1 << 20  # bytes read or written at a time


class FileStore(Protocol):
    """Bytes by batch. Written once, read often, removed as a whole. Claims are in them: nobody else may read them.

    Every method raises StorageFull when there is no disk space, StoreUnavailable when the store cannot be reached.
    """

    def receive(self, batch_id: str, pieces: Iterable[bytes]) -> int:
        """Keep an upload, durably, or nothing of it when `pieces` raises. Returns its bytes."""

    def upload(self, batch_id: str) -> BinaryIO:
        """The upload as it came."""

    def keep_rows(self, batch_id: str, token: str, pieces: Iterable[bytes]) -> None:
        """Keep the rows of an upload that has to be unpacked first, one a line. Another token's attempt is another."""

    def kept_rows(self, batch_id: str) -> BinaryIO:
        """The rows that `keep_rows` kept."""

    def rows(self, batch_id: str, start: int, stop: int) -> bytes:
        """Bytes of the rows; of the upload itself where no rows were kept."""

    def keep_result(self, batch_id: str, number: int, token: str, result: bytes) -> None:
        """Keep what came out of a chunk under a lease."""

    def result(self, batch_id: str, number: int, token: str) -> bytes:
        """What came out of a chunk under a lease."""

    def drop_result(self, batch_id: str, number: int, token: str) -> None:
        """Remove what came out under a lease that was lost."""

    def full(self) -> bool:
        """Whether there is no disk space for results, as far as that can be seen without writing any."""

    def remove(self, batch_id: str) -> None:
        """Remove all of a batch; it may be gone in part or altogether."""

    def untouched(self, since: datetime) -> Iterator[str]:
        """Batches that there are bytes of, or the rest of them, to which none were added since then."""
