"""One piece of work on a batch, from its lease to its entry in the ledger.

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
    Batch,
    Depot,
    Hint,
    Lease,
    Ledger,
    Made,
    Options,
    Tally,
    Versions,
    nobody,
)
from scrubber.batch.pinned import same_judgement, versions_of
from scrubber.batch.scrub_chunk import FATAL, FATAL_DEATHS, Outcome, ScrubOne, reject, scrub_chunk
from scrubber.batch.split import Cut, cut_lines, digest_of, lines_of_array, pieces, rows_of, unpacked
from scrubber.batch.storage.files import NO_ROOM
from scrubber.errors import DepotFull, Gone, LedgerDown, NotABatch, WrongSwitch
from scrubber.findings import read_switches
from scrubber.scrub import Receipt, Scrubber, scrub_bytes

MOST_TRIES = 30  # of one chunk, whatever its workers died of
RENEWED = 3  # times in the length of a lease
WAITED_FOR_ROOM = timedelta(minutes=10)  # to unpack an upload; nobody else shall wait for that longer
MOST_PAUSE = 10.0  # seconds between two signs of life, however long leases are

Seconds = Callable[[], float]


class LeaseLost(Exception):
    """Another worker has the chunk, or the batch has ended."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What work needs. `now` is the time of day, `seconds` a clock that nobody sets.

    `alive` is called now and then while work goes on, so that a worker that hangs can be told from a busy one. `pinned`
    gives the scrubber of versions that `scrubber` has no longer, None where it cannot be had.
    """

    ledger: Ledger
    depot: Depot
    scrubber: Callable[[], Scrubber]
    most_row_bytes: int
    most_upload_bytes: int
    now: Callable[[], datetime]
    seconds: Seconds
    alive: Callable[[], None]
    lease_seconds: float = LEASE_SECONDS
    hint: Hint = nobody
    pinned: Callable[[Versions], Scrubber | None] = lambda _versions: None


def work(lease: Lease, bench: Bench) -> bool:
    """Do what the lease is for. False: it was lost, and nothing of this counts."""
    try:
        return _cut(lease, bench) if lease.chunk.number == CUT else _scrub(lease, bench)
    except LeaseLost:
        return False
    except Gone:
        if bench.ledger.batch(lease.batch.id) is not None:  # it was not deleted meanwhile
            bench.ledger.fail(lease.batch.id, "what was kept of the upload is gone; send it again", bench.now())
        return False
    except LedgerDown:
        if bench.ledger.batch(lease.batch.id) is not None:
            raise
        return False  # it was deleted meanwhile
    except NotABatch as error:
        bench.ledger.fail(lease.batch.id, str(error), bench.now())
        return False


def _cut(lease: Lease, bench: Bench) -> bool:
    batch = lease.batch
    holding = _Holding(lease, bench)
    if lease.tries > MOST_TRIES:
        raise NotABatch("the service ended several times while it cut the upload into rows")
    if batch.body.format == "ndjson" and not batch.body.gzipped:
        with bench.depot.upload(batch.id) as upload:
            cut = cut_lines(holding.while_reading(_as_sent(upload, batch)), bench.most_row_bytes)
    else:
        cut = _unpack(lease, bench, holding)
    if not cut.rows:
        raise NotABatch("the upload holds no claims")
    held = bench.ledger.cut(lease, cut.chunks, cut.rows, bench.now(), versions_of(bench.scrubber()))
    if held:
        bench.hint(batch.id, [chunk.number for chunk in cut.chunks])
    return held


def _unpack(lease: Lease, bench: Bench, holding: _Holding) -> Cut:
    """Keeps the rows as lines, and cuts those."""
    batch = lease.batch
    with bench.depot.upload(batch.id) as upload:
        data = _as_sent(upload, batch)
        if batch.body.gzipped:
            data = unpacked(data, bench.most_upload_bytes)
        data = holding.while_reading(data)  # unpacked: a packed piece may be a thousand times as long
        if batch.body.format == "json":
            data = lines_of_array(data)
        try:
            bench.depot.keep_rows(batch.id, lease.token, data)
        except DepotFull:
            with suppress(LedgerDown):
                bench.ledger.stand_still(batch.id, NO_ROOM)
            if bench.now() < batch.submitted + WAITED_FOR_ROOM:
                raise LeaseLost from None  # when it has run out, it is tried again; others come first until then
            raise NotABatch("there is no room to unpack the upload; send it in parts, or when there is room") from None
    with bench.depot.kept_rows(batch.id) as rows:
        return cut_lines(holding.while_reading(pieces(rows)), bench.most_row_bytes)


def _as_sent(upload: BinaryIO, batch: Batch) -> Iterator[bytes]:
    """The pieces of an upload. Raises NotABatch after the last one where they are no longer what was received."""
    hashing = sha256()
    for piece in pieces(upload):
        hashing.update(piece)
        yield piece
    if hashing.hexdigest() != batch.body.sha256:
        raise NotABatch("what was kept of the upload is no longer what was sent; send it again")


def _scrub(lease: Lease, bench: Bench) -> bool:
    batch, chunk = lease.batch, lease.chunk
    scrubber = _scrubber(batch, bench)
    outcome = _outcome(lease, bench, scrubber)
    bench.depot.keep_result(batch.id, chunk.number, lease.token, outcome.results)
    made = Made(sha256(outcome.results).hexdigest(), versions_of(scrubber).in_short())
    if not bench.ledger.finish(lease, outcome.tally, outcome.summary, bench.now(), made):
        bench.depot.drop_result(batch.id, chunk.number, lease.token)
        return False
    return True


def _scrubber(batch: Batch, bench: Bench) -> Scrubber:
    """What the batch was begun with, where that can be had."""
    current = bench.scrubber()
    if batch.pinned is None or same_judgement(versions_of(current), batch.pinned):
        return current
    return bench.pinned(batch.pinned) or current


def _outcome(lease: Lease, bench: Bench, scrubber: Scrubber) -> Outcome:
    rows = _rows(lease, bench)
    if lease.tries > MOST_TRIES:
        return _given_up(rows)
    fatal = frozenset(number for number, deaths in lease.deaths.items() if deaths >= FATAL_DEATHS)
    scrub = _scrub_one(lease.batch.options, scrubber)
    return scrub_chunk(rows, scrub, _Holding(lease, bench).before_row, fatal)


def _rows(lease: Lease, bench: Bench) -> Iterator[tuple[int, bytes | None]]:
    """The rows of a chunk. Raises NotABatch where they are no longer those that were sent."""
    chunk = lease.chunk
    data = bench.depot.rows(lease.batch.id, chunk.start, chunk.stop)
    if chunk.sha256 is not None and digest_of(rows_of(chunk, data)) != chunk.sha256:
        raise NotABatch(
            f"what was kept of the rows from {chunk.first_row} on is no longer what was sent; send it again"
        )
    return rows_of(chunk, data)


def _given_up(rows: Iterator[tuple[int, bytes | None]]) -> Outcome:
    lines = [reject(number, FATAL) for number, _ in rows]
    return Outcome(b"".join(lines), Tally(rejected=len(lines)), {})


def _scrub_one(options: Options, scrubber: Scrubber) -> ScrubOne:
    try:
        switches = read_switches(options.enable, options.disable, scrubber.rulebook)
    except WrongSwitch:
        raise NotABatch("the rules changed: a rule that the batch enables or disables is not there any more") from None

    return partial(scrub_bytes, scrubber=scrubber, receipt=Receipt(options.received_on), switches=switches)


class _Holding:
    """Holds a lease while work goes on; no work, no renewal: who hangs loses it."""

    def __init__(self, lease: Lease, bench: Bench) -> None:
        self._lease = lease
        self._bench = bench
        self._pause = min(bench.lease_seconds / RENEWED, MOST_PAUSE)
        self._next = bench.seconds() + self._pause
        # A worker may have died of a row: from the second try on the ledger knows which one is next.
        self._marks = lease.tries > 1

    def before_row(self, number: int) -> None:
        """Called before each row. Raises LeaseLost."""
        if self._marks or self._bench.seconds() >= self._next:
            self._renew(number if self._marks else None)

    def while_reading(self, data: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces, with the lease held in between. Raises LeaseLost."""
        for piece in data:
            if self._bench.seconds() >= self._next:
                self._renew(None)
            yield piece

    def _renew(self, at_row: int | None) -> None:
        if not self._bench.ledger.renew(self._lease, at_row):
            raise LeaseLost
        self._bench.alive()
        self._next = self._bench.seconds() + self._pause


def remove_batch(batch_id: str, ledger: Ledger, depot: Depot) -> None:
    """Remove all that is kept of a batch: first what says that it is there, then its bytes."""
    ledger.delete(batch_id)
    depot.remove(batch_id)
