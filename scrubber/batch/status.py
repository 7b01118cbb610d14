"""Declares and writes what callers see of a batch: its state and its summary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from scrubber.batch.model import ENDED, STATES, Batch, BatchProgress, ShortVersions, Summary
from scrubber.reference.pinned import PinnedRelease
from scrubber.response.schema import (
    CompactDay,
    Flag,
    FloatNumber,
    Money,
    Number,
    Object,
    Objects,
    OneOf,
    ResponseSchema,
    Text,
    Texts,
)
from scrubber.response.writer import writer


class BatchStatus(NamedTuple):
    """A batch at a moment. `versions` are those of its rows that are done, `stalled` says why no batch goes on."""

    batch: Batch
    progress: BatchProgress
    versions: Sequence[ShortVersions]
    stalled: str | None
    now: datetime

    @property
    def why(self) -> str | None:
        """Why it failed; before its end, why no batch goes on."""
        return self.batch.why if self.batch.state in ENDED else self.stalled

    @property
    def rate(self) -> float | None:
        """Rows per second since it was started; None until there are some."""
        batch, rows = self.batch, self.progress.tally.rows
        if batch.started is None or not rows:
            return None
        seconds = ((batch.ended or self.now) - batch.started).total_seconds()
        return round(rows / seconds, 1) if seconds > 0 else None

    @property
    def seconds_left(self) -> int | None:
        """Seconds that the other rows take at that rate; None where it does not run or that cannot be known."""
        batch, rate = self.batch, self.rate
        if batch.state != "running" or batch.rows is None or not rate:
            return None
        return round((batch.rows - self.progress.tally.rows) / rate)

    @property
    def begun_with(self) -> ShortVersions | None:
        """What it was begun with; None until it is cut."""
        return self.batch.pinned.in_short() if self.batch.pinned else None

    @property
    def releases(self) -> tuple[PinnedRelease, ...]:
        """The releases of reference data that it was begun with; none before it was cut."""
        return self.batch.pinned.releases if self.batch.pinned else ()


def _milliseconds(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(about: str, path: str, *, nullable: bool = False) -> Text:
    return Text(about, path=path, convert=_milliseconds, nullable=nullable)


class BatchCountsResponse(ResponseSchema):
    """Rows by what came out."""

    accept = Number("Rows that came out as accept.")
    warn = Number("Rows that came out as warn.")
    deny = Number("Rows that came out as deny.")
    rejected = Number("Rows that came out as rejected.")


class BatchOptionsResponse(ResponseSchema):
    """What the sender of a batch chose."""

    received_on = CompactDay("Day of receipt for claims that do not say: CCYYMMDD.")
    enable = Texts("Shadow rules that count as active.")
    disable = Texts("Rules that are left out.")
    most_rejected = Text(
        "Share of rejected rows past which the batch fails.",
        convert=str,
        nullable=True,
    )
    priority = Number("Higher goes first.")
    webhook = Flag("Whether an address is told of the end.", compute=lambda options: options.webhook is not None)


class BatchVersionsResponse(ResponseSchema):
    """What rows of a batch are scrubbed with."""

    program = Text("Version of the program.")
    rulebook = Text("Digest of the rulebook.")
    reference = Text("Digest of the list of releases of reference data.")


class BatchReleaseResponse(ResponseSchema):
    """A release of reference data that a batch was begun with."""

    table = Text("Table of reference data.")
    release = Text("Its release.")
    sha256 = Text("SHA-256 of the file that it was loaded from.")


class BatchResponse(ResponseSchema):
    """A batch."""

    id = Text("Id of the batch.", path="batch.id")
    state = OneOf(STATES, "received: durable, not yet cut into rows.", path="batch.state")
    why = Text("Why it failed; before its end, why no batch goes on just now, such as a full disk.", nullable=True)
    submitted = _moment("When it became durable, UTC.", path="batch.submitted")
    started = _moment("When its rows were known.", path="batch.started", nullable=True)
    ended = _moment("When it was done, cancelled or failed.", path="batch.ended", nullable=True)
    bytes = Number("Size of the upload.", path="batch.body.size")
    sha256 = Text("SHA-256 of the upload.", path="batch.body.sha256")
    rows = Number("Rows, once they are known.", path="batch.rows", nullable=True)
    rows_done = Number("Rows with a result.", path="progress.tally.rows")
    counts = Object(BatchCountsResponse, "What came out.", path="progress.tally")
    at_risk = Money("Dollars at risk so far, as far as they are known.", path="progress.tally.at_risk")
    unpriced_claims = Number(
        "Claims whose dollars at risk are not known, or not of every line.", path="progress.tally.unpriced"
    )
    rows_per_second = FloatNumber("Rate since it was started.", path="rate", nullable=True)
    seconds_left = Number("At that rate.", nullable=True)
    begun_with = Object(BatchVersionsResponse, "What it was begun with; null until it is cut.", nullable=True)
    versions = Objects(BatchVersionsResponse, "What the rows with a result were scrubbed with, in their order.")
    options = Object(BatchOptionsResponse, "What the sender chose.", path="batch.options")


class BatchReadResponse(BatchResponse):
    """A batch that is asked for by its id."""

    releases = Objects(BatchReleaseResponse, "Releases of reference data that it was begun with.")


class BatchList(NamedTuple):
    """Several batches."""

    batches: Sequence[BatchStatus]


class BatchListResponse(ResponseSchema):
    """Several batches."""

    batches = Objects(BatchResponse, "The newest first.")


class SummaryRow(NamedTuple):
    """Claims, findings and cents at risk of one rule, payer, code or provider."""

    key: str
    claims: int
    findings: int
    cents: int


class SummaryRowResponse(ResponseSchema):
    """Claims of one rule, payer, code or provider."""

    key = Text("The rule, payer, code or provider; empty: none was sent.")
    claims = Number("Claims.")
    findings = Number("Findings on them.")
    at_risk = Money("Dollars at risk, as far as they are known.", compute=lambda row: Decimal(row.cents).scaleb(-2))


class BatchSummary(NamedTuple):
    """A batch, and what its rows come to by group: rules, payers, codes and providers."""

    batch: Batch
    totals: Summary


def _rows(group: str, about: str) -> Objects:
    def of_group(summary: BatchSummary) -> Iterable[SummaryRow]:
        return [SummaryRow(key, *row) for key, row in summary.totals[group].items()]

    return Objects(SummaryRowResponse, about, compute=of_group)


class BatchSummaryResponse(ResponseSchema):
    """What the rows of a batch come to, the most dollars first."""

    id = Text("Id of the batch.", path="batch.id")
    state = OneOf(STATES, "As in the batch itself.", path="batch.state")
    rules = _rows("rules", "Claims with a finding of a rule.")
    payers = _rows("payers", "All claims, by payer id.")
    codes = _rows("codes", "Claims with a finding on a line of a code.")
    providers = _rows("providers", "All claims, by rendering, else billing NPI.")


write_batch = writer(BatchResponse())
write_batch_read = writer(BatchReadResponse())
write_batch_list = writer(BatchListResponse())
write_batch_summary = writer(BatchSummaryResponse())
