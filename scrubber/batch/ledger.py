"""Around the path: the ledger: which batches there are, which chunk is whose, what came out. The once-only effect.

Every change is one transaction. A chunk is leased, worked on, and finished under the token of its lease, so that of two
workers on one chunk exactly one counts, whatever became of the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from scrubber.batch.job import (
    DEFAULT_TENANT,
    Batch,
    Chunk,
    Lease,
    Made,
    Progress,
    ShortVersions,
    Summary,
    Tally,
    Versions,
)

LEASE_SECONDS = 30.0


class KeyUsed(Exception):
    """The idempotency key stands for a batch with another body or other options."""


class Done(NamedTuple):
    """A finished chunk: the token under which its result lies, and the SHA-256 of that.

    None: an earlier program made it.
    """

    chunk: Chunk
    token: str
    sha256: str | None


class Announcement(NamedTuple):
    """The end of a batch that is to be told to its webhook. `tries` counts from 1."""

    batch: Batch
    tries: int


class Ledger(Protocol):
    """Batches and chunks. Safe for several processes and threads; nothing is kept in memory.

    Every method raises LedgerDown when the ledger cannot be reached or written.
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
        self, lease: Lease, chunks: Sequence[Chunk], rows: int, now: datetime, pinned: Versions | None = None
    ) -> bool:
        """Enter the chunks of a batch and end the lease under which it was cut. A batch of no rows is done.

        `pinned` is what the batch is to be scrubbed with.
        """

    def finish(self, lease: Lease, tally: Tally, summary: Summary, now: datetime, made: Made | None = None) -> bool:
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

    def stand_still(self, worker: str, why: str) -> None:
        """A worker cannot go on, for a reason outside of any batch. Not said again, it is forgotten with its lease."""

    def go_on(self, worker: str) -> None:
        """It can go on."""

    def standing_still(self) -> str | None:
        """Why a worker cannot go on just now; None where all can."""

    def progress(self, batch_id: str) -> Progress:
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
        """The end of a batch with a webhook that is to be told now; each is owed from the moment in which it ended.

        It is not given out again before a lease would have run out: then whoever had it has died.
        """

    def announce_later(self, batch_id: str, seconds: float) -> None:
        """It could not be told: give it out again after so many seconds."""

    def announced(self, batch_id: str) -> None:
        """It was told, or is given up."""

    def ended_before(self, moment: datetime) -> list[str]:
        """Batches that ended before a moment."""
