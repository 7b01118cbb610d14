"""Batches as rows of the job stores' tables, and as JSON documents."""

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
    ENDED,
    Batch,
    BatchOptions,
    BatchProgress,
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
from scrubber.response.claim import amount

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


def versions_in(rows: Iterable[Row]) -> list[ShortVersions]:
    """What chunks were made with, of rows with a column made_with."""
    return [ShortVersions(*orjson.loads(row["made_with"])) for row in rows]


def stored_key(batch: Batch, key: str) -> str:
    """An idempotency key as it is kept: the same one of two tenants stands for two batches.

    Neither has a space. Keys of the default tenant are kept as they were before there were tenants.
    """
    return key if batch.tenant == DEFAULT_TENANT else f"{batch.tenant} {key}"


def same(known: Batch, sent: Batch) -> Batch:
    """The batch that an idempotency key stands for. Raises KeyUsed when another one is sent under it."""
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


Document = dict[str, Any]


def document(
    batch: Batch, progress: BatchProgress, versions: Sequence[ShortVersions], stalled: str | None, now: datetime
) -> Document:
    """All that is to be told of a batch. `rows` and `secondsLeft` are null until they can be known.

    `versions` are those of the rows that are done, `standing` why no batch goes on just now.
    """
    tally = progress.tally
    rate = _rate(batch, progress, now)
    left = None if batch.rows is None else batch.rows - tally.rows
    return {
        "id": batch.id,
        "state": batch.state,
        "why": batch.why if batch.state in ENDED else stalled,
        "submitted": _moment_text(batch.submitted),
        "started": _moment_text(batch.started),
        "ended": _moment_text(batch.ended),
        "bytes": batch.body.size,
        "sha256": batch.body.sha256,
        "rows": batch.rows,
        "rowsDone": tally.rows,
        "counts": {"accept": tally.accept, "warn": tally.warn, "deny": tally.deny, "rejected": tally.rejected},
        "atRisk": amount(tally.at_risk),
        "unpricedClaims": tally.unpriced,
        "rowsPerSecond": rate,
        "secondsLeft": round(left / rate) if batch.state == "running" and left is not None and rate else None,
        "begunWith": _versions(batch.pinned.in_short()) if batch.pinned else None,
        "versions": [_versions(each) for each in versions],
        "options": _options_document(batch),
    }


def releases(batch: Batch) -> list[Document]:
    """The releases of reference data that a batch was begun with; none before it was cut."""
    pinned = batch.pinned.releases if batch.pinned else ()
    return [{"table": each.table, "release": each.release, "sha256": each.sha256} for each in pinned]


def _versions(versions: ShortVersions) -> Document:
    return {"program": versions.program, "rulebook": versions.rulebook, "reference": versions.reference}


def summary(batch: Batch, totals: Summary) -> Document:
    """By rule, payer, code and provider: claims, findings and dollars at risk, the most dollars first."""
    groups = {
        group: [
            {"key": key, "claims": claims, "findings": findings, "atRisk": amount(Decimal(cents).scaleb(-2))}
            for key, (claims, findings, cents) in rows.items()
        ]
        for group, rows in totals.items()
    }
    return {"id": batch.id, "state": batch.state, **groups}


def _rate(batch: Batch, progress: BatchProgress, now: datetime) -> float | None:
    if batch.started is None or not progress.tally.rows:
        return None
    seconds = ((batch.ended or now) - batch.started).total_seconds()
    return round(progress.tally.rows / seconds, 1) if seconds > 0 else None


def _options_document(batch: Batch) -> Document:
    options = batch.options
    return {
        "receivedOn": options.received_on.isoformat().replace("-", ""),
        "enable": options.enable,
        "disable": options.disable,
        "mostRejected": None if options.most_rejected is None else str(options.most_rejected),
        "priority": options.priority,
        "webhook": options.webhook is not None,
    }


def _moment_text(value: datetime | None) -> str | None:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z") if value else None
