"""Around the path: a batch as text for the ledger, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from scrubber.batch.job import Batch, Body, Options
from scrubber.batch.ledger import KeyUsed


def to_json(batch: Batch) -> str:
    """What never changes of a batch."""
    told = {
        "submitted": batch.submitted.isoformat(),
        "body": asdict(batch.body),
        "options": asdict(batch.options),
    }
    return orjson.dumps(told, default=str).decode()


def from_json(written: str, now: Mapping[str, Any] | Any) -> Batch:
    """The batch of `to_json`; `now` has what changes, by column: id, state, rows, started, ended, why."""
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
    )


def same(known: Batch, sent: Batch) -> Batch:
    """The batch that an idempotency key stands for. Raises KeyUsed when another one is sent under it."""
    options = sent.options
    if not options.dated:  # sent again after midnight, it is still the same
        options = replace(options, received_on=known.options.received_on)
    if (known.body, known.options) != (sent.body, options):
        raise KeyUsed
    return known


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
