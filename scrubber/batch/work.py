"""One piece of work on a batch, from its lease to its entry in the job store.

Whatever carries the work (our own workers, a distributed engine) calls `work`, any number of times: what counts, counts
once. A worker may be killed at any moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import BinaryIO

from scrubber.batch.model import (
    CUT,
    LEASE_SECONDS,
    X12_WITH_CONTEXT,
    Batch,
    BatchTally,
    FileStore,
    JobStore,
    Lease,
    Notify,
    PinnedVersions,
    Provenance,
    notify_nobody,
)
from scrubber.batch.pinned import same_judgement, versions_of
from scrubber.batch.scrub_chunk import FATAL, FATAL_DEATHS, ChunkOutcome, ScrubOne, reject, scrub_chunk
from scrubber.batch.split import (
    Cut,
    claims_behind_context,
    contexts_of,
    cut_lines,
    digest_of,
    lines_of_array,
    lines_of_x12,
    pieces,
    rows_of,
    unpacked,
)
from scrubber.batch.storage.files import NO_SPACE
from scrubber.claim import read_claim
from scrubber.claim.x12.context import Contexts
from scrubber.claim.x12.row import read_row
from scrubber.errors import NotABatch, StorageFull, StoredDataGone, StoreUnavailable, WrongSwitch
from scrubber.findings import read_switches
from scrubber.scrub import Receipt, Scrubber, scrub_bytes

MOST_TRIES = 30  # of one chunk, whatever its workers died of
RENEWED = 3  # times in the length of a lease
WAITED_FOR_SPACE = timedelta(minutes=10)  # to unpack an upload; nobody else shall wait for that longer
MOST_PAUSE = 10.0  # seconds between two signs of life, however long leases are

Seconds = Callable[[], float]


class LeaseLost(Exception):
    """Another worker has the chunk, or the batch has ended."""


@dataclass(frozen=True, slots=True)
class WorkContext:
    """What work needs. `now` is the time of day, `seconds` a clock that nobody sets.

    `alive` is called now and then while work goes on, so that a worker that hangs can be told from a busy one. `pinned`
    gives the scrubber of versions that `scrubber` has no longer, None where it cannot be had.
    """

    job_store: JobStore
    file_store: FileStore
    scrubber: Callable[[], Scrubber]
    most_row_bytes: int
    most_upload_bytes: int
    now: Callable[[], datetime]
    seconds: Seconds
    alive: Callable[[], None]
    lease_seconds: float = LEASE_SECONDS
    notify: Notify = notify_nobody
    pinned: Callable[[PinnedVersions], Scrubber | None] = lambda _versions: None


def work(lease: Lease, context: WorkContext) -> bool:
    """Do what the lease is for. False: it was lost, and nothing of this counts."""
    try:
        return _cut(lease, context) if lease.chunk.number == CUT else _scrub(lease, context)
    except LeaseLost:
        return False
    except StoredDataGone:
        if context.job_store.batch(lease.batch.id) is not None:  # it was not deleted meanwhile
            context.job_store.fail(lease.batch.id, "what was kept of the upload is gone; send it again", context.now())
        return False
    except StoreUnavailable:
        if context.job_store.batch(lease.batch.id) is not None:
            raise
        return False  # it was deleted meanwhile
    except NotABatch as error:
        context.job_store.fail(lease.batch.id, str(error), context.now())
        return False


def _cut(lease: Lease, context: WorkContext) -> bool:
    batch = lease.batch
    holding = _HeldLease(lease, context)
    if lease.tries > MOST_TRIES:
        raise NotABatch("the service ended several times while it cut the upload into rows")
    if batch.body.format == "ndjson" and not batch.body.gzipped:
        with context.file_store.upload(batch.id) as upload:
            cut = cut_lines(holding.while_reading(_as_sent(upload, batch)), context.most_row_bytes)
    else:
        cut = _unpack(lease, context, holding)
    if not cut.rows:
        raise NotABatch("the upload holds no claims")
    held = context.job_store.cut(lease, cut.chunks, cut.rows, context.now(), versions_of(context.scrubber()))
    if held:
        context.notify(batch.id, [chunk.number for chunk in cut.chunks])
    return held


def _unpack(lease: Lease, context: WorkContext, holding: _HeldLease) -> Cut:
    """Keeps the rows as lines, and cuts those."""
    batch = lease.batch
    with context.file_store.upload(batch.id) as upload:
        data = _as_sent(upload, batch)
        if batch.body.gzipped:
            data = unpacked(data, context.most_upload_bytes)
        data = holding.while_reading(data)  # unpacked: a packed piece may be a thousand times as long
        if batch.body.format == "json":
            data = lines_of_array(data)
        elif batch.body.format == X12_WITH_CONTEXT:
            data = lines_of_x12(claims_behind_context(data), _contexts(batch, context, holding))
        elif batch.body.format == "x12":
            data = lines_of_x12(data)
        try:
            context.file_store.keep_rows(batch.id, lease.token, data)
        except StorageFull:
            with suppress(StoreUnavailable):
                context.job_store.report_stalled(batch.id, NO_SPACE)
            if context.now() < batch.submitted + WAITED_FOR_SPACE:
                raise LeaseLost from None  # when it has run out, it is tried again; others come first until then
            raise NotABatch("there is no room to unpack the upload; send it in parts, or when there is room") from None
    with context.file_store.kept_rows(batch.id) as rows:
        return cut_lines(holding.while_reading(pieces(rows)), context.most_row_bytes)


def _contexts(batch: Batch, context: WorkContext, holding: _HeldLease) -> Contexts:
    """The contexts in an upload, which is read twice more for them: once for the claims that they are for."""
    with context.file_store.upload(batch.id) as first, context.file_store.upload(batch.id) as again:
        return contexts_of(holding.while_reading(_as_sent(first, batch)), holding.while_reading(pieces(again)))


def _as_sent(upload: BinaryIO, batch: Batch) -> Iterator[bytes]:
    """The pieces of an upload. Raises NotABatch after the last one where they are no longer what was received."""
    hashing = sha256()
    for piece in pieces(upload):
        hashing.update(piece)
        yield piece
    if hashing.hexdigest() != batch.body.sha256:
        raise NotABatch("what was kept of the upload is no longer what was sent; send it again")


def _scrub(lease: Lease, context: WorkContext) -> bool:
    batch, chunk = lease.batch, lease.chunk
    scrubber = _scrubber(batch, context)
    outcome = _outcome(lease, context, scrubber)
    context.file_store.keep_result(batch.id, chunk.number, lease.token, outcome.results)
    provenance = Provenance(sha256(outcome.results).hexdigest(), versions_of(scrubber).in_short())
    if not context.job_store.finish(lease, outcome.tally, outcome.summary, context.now(), provenance):
        context.file_store.drop_result(batch.id, chunk.number, lease.token)
        return False
    return True


def _scrubber(batch: Batch, context: WorkContext) -> Scrubber:
    """What the batch was begun with, where that can be had."""
    current = context.scrubber()
    if batch.pinned is None or same_judgement(versions_of(current), batch.pinned):
        return current
    return context.pinned(batch.pinned) or current


def _outcome(lease: Lease, context: WorkContext, scrubber: Scrubber) -> ChunkOutcome:
    rows = _rows(lease, context)
    if lease.tries > MOST_TRIES:
        return _given_up(rows)
    fatal = frozenset(number for number, deaths in lease.deaths.items() if deaths >= FATAL_DEATHS)
    scrub = _scrub_one(lease.batch, scrubber)
    return scrub_chunk(rows, scrub, _HeldLease(lease, context).before_row, fatal)


def _rows(lease: Lease, context: WorkContext) -> Iterator[tuple[int, bytes | None]]:
    """The rows of a chunk. Raises NotABatch where they are no longer those that were sent."""
    chunk = lease.chunk
    data = context.file_store.rows(lease.batch.id, chunk.start, chunk.stop)
    if chunk.sha256 is not None and digest_of(rows_of(chunk, data)) != chunk.sha256:
        raise NotABatch(
            f"what was kept of the rows from {chunk.first_row} on is no longer what was sent; send it again"
        )
    return rows_of(chunk, data)


def _given_up(rows: Iterator[tuple[int, bytes | None]]) -> ChunkOutcome:
    lines = [reject(number, FATAL) for number, _ in rows]
    return ChunkOutcome(b"".join(lines), BatchTally(rejected=len(lines)), {})


def _scrub_one(batch: Batch, scrubber: Scrubber) -> ScrubOne:
    options = batch.options
    try:
        switches = read_switches(options.enable, options.disable, scrubber.rulebook)
    except WrongSwitch:
        raise NotABatch("the rules changed: a rule that the batch enables or disables is not there any more") from None

    return partial(
        scrub_bytes,
        scrubber=scrubber,
        receipt=Receipt(options.received_on),
        switches=switches,
        read=read_row if batch.body.format in ("x12", X12_WITH_CONTEXT) else read_claim,
    )


class _HeldLease:
    """Holds a lease while work goes on; no work, no renewal: who hangs loses it."""

    def __init__(self, lease: Lease, context: WorkContext) -> None:
        self._lease = lease
        self._context = context
        self._pause = min(context.lease_seconds / RENEWED, MOST_PAUSE)
        self._next = context.seconds() + self._pause
        # A worker may have died of a row: from the second try on the job store knows which one is next.
        self._marks = lease.tries > 1

    def before_row(self, number: int) -> None:
        """Called before each row. Raises LeaseLost."""
        if self._marks or self._context.seconds() >= self._next:
            self._renew(number if self._marks else None)

    def while_reading(self, data: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces, with the lease held in between. Raises LeaseLost."""
        for piece in data:
            if self._context.seconds() >= self._next:
                self._renew(None)
            yield piece

    def _renew(self, at_row: int | None) -> None:
        if not self._context.job_store.renew(self._lease, at_row):
            raise LeaseLost
        self._context.alive()
        self._next = self._context.seconds() + self._pause


def remove_batch(batch_id: str, job_store: JobStore, file_store: FileStore) -> None:
    """Remove all that is kept of a batch: first what says that it is there, then its bytes."""
    job_store.delete(batch_id)
    file_store.remove(batch_id)
