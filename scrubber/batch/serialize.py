"""Batches as rows of the job stores' tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from scrubber.batch.model import (
    CUT,
    DEFAULT_TENANT,
    Batch,
    BatchOptions,
    BatchProgress,
    BatchTally,
    Chunk,
    Done,
    KeyUsed,
    PinnedVersions,
    Provenance,
    ShortVersions,
    StoredUpload,
    Summary,
)
from scrubber.reference.pinned import PinnedRelease

PAGE = 200  # summaries read at a time
# A row of either database: its columns by name.
Row = Mapping[str, Any] | Any


def to_json(batch: Batch) -> str:
    """What never changes of a batch."""
    fields = {
        "submitted": batch.submitted.isoformat(),
        "body": asdict(batch.body),
        "options": asdict(batch.options),
    }
    return orjson.dumps(fields, default=str).decode()


def from_json(text: str, now: Row) -> Batch:
    """The batch of `to_json`; `now` has the other columns: id, state, rows, started, ended, why, tenant."""
    fields = orjson.loads(text)
    return Batch(
        id=now["id"],
        state=now["state"],
        submitted=datetime.fromisoformat(fields["submitted"]),
        body=StoredUpload(**fields["body"]),
        options=_read_options(fields["options"]),
        rows=now["rows"],
        started=_read_moment(now["started"]),
        ended=_read_moment(now["ended"]),
        why=now["why"],
        tenant=now["tenant"],
        pinned=pinned_from_json(now["pinned"]),
    )


def pinned_to_json(pinned: PinnedVersions | None) -> str | None:
    """What a batch was begun with."""
    if pinned is None:
        return None
    return orjson.dumps([pinned.program, pinned.rulebook, [[*release] for release in pinned.releases]]).decode()


def pinned_from_json(text: str | None) -> PinnedVersions | None:
    """What `pinned_to_json` wrote."""
    if text is None:
        return None
    program, rulebook, releases = orjson.loads(text)
    return PinnedVersions(program, rulebook, tuple(PinnedRelease(*release) for release in releases))


def provenance_to_columns(provenance: Provenance | None) -> tuple[str | None, str | None]:
    """The columns result_sha256 and made_with of a chunk."""
    return (None, None) if provenance is None else (provenance.sha256, orjson.dumps([*provenance.versions]).decode())


def tally_to_columns(tally: BatchTally) -> tuple[int, ...]:
    """The columns accept, warn, deny, rejected, at_risk (cents) and unpriced of a chunk."""
    return tally.accept, tally.warn, tally.deny, tally.rejected, int(tally.at_risk.scaleb(2)), tally.unpriced


def progress_of_columns(chunks: int, done: int, *sums: int) -> BatchProgress:
    """The progress of a batch, from the sums of the columns of `tally_to_columns` over its chunks."""
    accept, warn, deny, rejected, cents, unpriced = sums
    return BatchProgress(BatchTally(accept, warn, deny, rejected, Decimal(cents).scaleb(-2), unpriced), done, chunks)


def versions_in(rows: Iterable[Row]) -> list[ShortVersions]:
    """What chunks were made with, of rows with a column made_with."""
    return [ShortVersions(*orjson.loads(row["made_with"])) for row in rows]


def stored_key(batch: Batch, key: str) -> str:
    """An idempotency key as it is stored: the same key of two tenants belongs to two batches.

    Neither has a space. Keys of the default tenant are kept as they were before there were tenants.
    """
    return key if batch.tenant == DEFAULT_TENANT else f"{batch.tenant} {key}"


def same(known: Batch, sent: Batch) -> Batch:
    """The batch of an idempotency key. Raises KeyUsed when another one is sent under it."""
    options = sent.options
    if not options.dated:  # sent again after midnight, it is still the same
        options = replace(options, received_on=known.options.received_on)
    if (known.body, known.options) != (sent.body, options):
        raise KeyUsed
    return known


def chunk_in(row: Row) -> Chunk:
    """The chunk of a row of chunks."""
    return Chunk(row["number"], row["first_row"], row["rows"], row["start"], row["stop"], row["rows_sha256"])


def done_in_order(rows: Iterable[Row], with_gaps: bool) -> Iterator[Done]:
    """The finished ones of chunks that are given in order, up to the first that is not finished, or with gaps."""
    for row in rows:
        if row["state"] == "done":
            yield Done(chunk_in(row), row["token"], row["result_sha256"])
        elif not with_gaps:
            return


def page_by_page(page: Callable[[int], Sequence[Row]]) -> Iterator[Summary]:
    """The summaries of chunks, of which `page` gives the next up to PAGE that are finished after a number."""
    last = CUT
    while True:
        rows = page(last)
        yield from (orjson.loads(row["summary"]) for row in rows)
        if len(rows) < PAGE:
            return
        last = rows[-1]["number"]


def _read_options(fields: dict[str, Any]) -> BatchOptions:
    most = fields["most_rejected"]
    return BatchOptions(
        received_on=date.fromisoformat(fields["received_on"]),
        enable=tuple(fields["enable"]),
        disable=tuple(fields["disable"]),
        most_rejected=None if most is None else Decimal(most),
        priority=fields["priority"],
        webhook=fields["webhook"],
        dated=fields["dated"],
    )


def _read_moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
