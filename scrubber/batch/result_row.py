"""Declares the rows of a batch's results: as NDJSON, and their findings as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from scrubber.errors import Problem
from scrubber.response.claim import AnswerResponse
from scrubber.response.problem import ProblemEntryResponse
from scrubber.response.schema import Number, Object, Objects, ResponseSchema, Text, Texts
from scrubber.response.writer import writer

REJECTED = "rejected"
DISPOSITIONS = ("accept", "warn", "deny", REJECTED)


class FailureCauseResponse(ResponseSchema):
    """What led to a failure; of a mapping, as `describe_failure` makes it."""

    error = Text("Kind of failure.", compute=itemgetter("error"))
    frames = Texts("Places in the code.", compute=itemgetter("frames"))


class Rejection(NamedTuple):
    """Why a row was not scrubbed: where it stops being JSON, why it is no claim, or the failure of this program."""

    title: str
    column: int | None = None
    byte: int | None = None
    errors: Sequence[Problem] | None = None
    error: str | None = None
    frames: Sequence[str] | None = None
    causes: Sequence[Mapping[str, Any]] | None = None


class RejectionResponse(ResponseSchema):
    """Why a row was not scrubbed."""

    instance_of = Rejection

    title = Text("Why the row was not scrubbed.")
    column = Number("Where it stops being JSON: column, from 1.", optional=True)
    byte = Number("The same place: byte, from 0.", optional=True)
    errors = Objects(ProblemEntryResponse, "Why it is not a claim, place by place.", optional=True)
    error = Text("Where the service failed: the kind of failure.", optional=True)
    frames = Texts("The same: places in the code, innermost last.", optional=True)
    causes = Objects(FailureCauseResponse, "The same: what led to it.", optional=True)


class RejectedRow(NamedTuple):
    """A row that was not scrubbed."""

    row: int
    rejected: Rejection
    claim_number: str | None = None


class BatchResultResponse(ResponseSchema):
    """The result of a row. `scrub_chunk` puts rows with an answer together of the bytes of the answer."""

    row = Number("The row of the batch, from 1: line of NDJSON, or entry of the array.")
    claim_number = Text(
        "Patient control number of the claim; null where the row was rejected or has none.", nullable=True
    )
    answer = Object(AnswerResponse, "As POST /v1/claims/scrub answers for the claim.", optional=True)
    rejected = Object(RejectionResponse, "In place of an answer, for a row that is no claim.", optional=True)


write_rejected_row = writer(BatchResultResponse(exclude=("answer",)))

_ABOUT_COLUMNS = {
    "row": "The row of the batch, from 1.",
    "claim_number": "Patient control number of the claim.",
    "disposition": f"What came of the claim: {', '.join(DISPOSITIONS)}.",
    "severity": "Severity of the finding; empty for a rejected row, as all of the finding but message and pointer.",
    "rule": "Id of the rule.",
    "lines": "Service lines, from 1, with blanks between them.",
    "category": "What it is about.",
    "stage": "When it would cost.",
    "at_risk": "Dollars that the finding may cost; empty: unknown, or nothing is at risk.",
    "liability": "Who bears it.",
    "message": "What is wrong, or why the row was rejected.",
    "fix": "What to do about it.",
    "pointer": "JSON pointer into the claim.",
    "group": "Claim adjustment group code.",
    "carc": "Claim adjustment reason code.",
    "id": "Id of the finding; empty in results of earlier versions.",
}
COLUMNS = tuple(_ABOUT_COLUMNS)
BatchFindingRecordResponse = ResponseSchema.from_dict(
    {name: Text(about, data_key=name) for name, about in _ABOUT_COLUMNS.items()}, name="BatchFindingRecordResponse"
)
