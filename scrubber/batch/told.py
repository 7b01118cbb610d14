"""Around the path: a batch, its progress and its summary as JSON documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from scrubber.answer.json import amount
from scrubber.batch.job import ENDED, Batch, Progress, ShortVersions, Summary

Document = dict[str, Any]


def document(
    batch: Batch, progress: Progress, versions: Sequence[ShortVersions], standing: str | None, now: datetime
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
        "why": batch.why if batch.state in ENDED else standing,
        "submitted": _moment(batch.submitted),
        "started": _moment(batch.started),
        "ended": _moment(batch.ended),
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
        "options": _options(batch),
    }


def releases(batch: Batch) -> list[Document]:
    """The releases of reference data that a batch was begun with; none before it was cut."""
    named = batch.pinned.releases if batch.pinned else ()
    return [{"table": each.table, "release": each.release, "sha256": each.sha256} for each in named]


def _versions(versions: ShortVersions) -> Document:
    return {"program": versions.program, "rulebook": versions.rulebook, "reference": versions.reference}


def summary(batch: Batch, told: Summary) -> Document:
    """By rule, payer, code and provider: claims, findings and dollars at risk, the most dollars first."""
    groups = {
        group: [
            {"key": key, "claims": claims, "findings": findings, "atRisk": amount(Decimal(cents).scaleb(-2))}
            for key, (claims, findings, cents) in rows.items()
        ]
        for group, rows in told.items()
    }
    return {"id": batch.id, "state": batch.state, **groups}


def _rate(batch: Batch, progress: Progress, now: datetime) -> float | None:
    if batch.started is None or not progress.tally.rows:
        return None
    seconds = ((batch.ended or now) - batch.started).total_seconds()
    return round(progress.tally.rows / seconds, 1) if seconds > 0 else None


def _options(batch: Batch) -> Document:
    options = batch.options
    return {
        "receivedOn": options.received_on.isoformat().replace("-", ""),
        "enable": options.enable,
        "disable": options.disable,
        "mostRejected": None if options.most_rejected is None else str(options.most_rejected),
        "priority": options.priority,
        "webhook": options.webhook is not None,
    }


def _moment(value: datetime | None) -> str | None:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z") if value else None
