"""Around the path: what every ledger keeps as rows of its tables, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from scrubber.batch.job import CUT, DEFAULT_TENANT, Batch, Body, Chunk, Made, Options, ShortVersions, Summary, Versions
from scrubber.batch.ledger import Done, KeyUsed
from scrubber.reference.named import Named

PAGE = 200  # summaries read at a time
# A row of either database: its columns by name.
Row = Mapping[str, Any] | Any


def to_json(batch: Batch) -> str:
    """What never changes of a batch."""
    told = {
        "submitted": batch.submitted.isoformat(),
        "body": asdict(batch.body),
        "options": asdict(batch.options),
    }
    return orjson.dumps(told, default=str).decode()


def from_json(written: str, now: Row) -> Batch:
    """The batch of `to_json`; `now` has the other columns: id, state, rows, started, ended, why, tenant."""
    told = orjson.loads(written)
    return Batch(
        id=now["id"],
        state=now["state"],
        submitted=datetime.fromisoformat(told["submitted"]),
        body=Body(**told["body"]),
        options=_options(told["options"]),
        rows=now["rows"],
        started=_moment(now["started"]),
        ended=_moment(now["ended"]),
        why=now["why"],
        tenant=now["tenant"],
        pinned=pinned_from_json(now["pinned"]),
    )


def pinned_to_json(pinned: Versions | None) -> str | None:
    """What a batch was begun with."""
    if pinned is None:
        return None
    return orjson.dumps([pinned.program, pinned.rulebook, [[*release] for release in pinned.releases]]).decode()


def pinned_from_json(written: str | None) -> Versions | None:
    """What `pinned_to_json` wrote."""
    if written is None:
        return None
    program, rulebook, releases = orjson.loads(written)
    return Versions(program, rulebook, tuple(Named(*release) for release in releases))


def made_to_columns(made: Made | None) -> tuple[str | None, str | None]:
    """The columns result_sha256 and made_with of a chunk."""
    return (None, None) if made is None else (made.sha256, orjson.dumps([*made.versions]).decode())


def versions_in(rows: Iterable[Row]) -> list[ShortVersions]:
    """What chunks were made with, of rows with a column made_with."""
    return [ShortVersions(*orjson.loads(row["made_with"])) for row in rows]


def kept_key(batch: Batch, key: str) -> str:
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


def _options(told: dict[str, Any]) -> Options:
    most = told["most_rejected"]
    return Options(
        received_on=date.fromisoformat(told["received_on"]),
        enable=tuple(told["enable"]),
        disable=tuple(told["disable"]),
        most_rejected=None if most is None else Decimal(most),
        priority=told["priority"],
        webhook=told["webhook"],
        dated=told["dated"],
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
