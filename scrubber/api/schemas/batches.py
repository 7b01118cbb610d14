"""What the documentation says of batches."""

from __future__ import annotations

from http import HTTPStatus

from marshmallow import fields

from scrubber.api.schemas import (
    PROBLEM_ENTRY,
    Field,
    flag,
    maybe,
    money,
    number,
    or_null,
    part,
    parts,
    shape,
    text,
    texts,
    word,
)
from scrubber.api.schemas.claim import ANSWER
from scrubber.api.schemas.operations import RECEIVED_ON, Operation, answers, query, repeated
from scrubber.batch.model import STATES
from scrubber.batch.results import COLUMNS, DISPOSITIONS
from scrubber.claim.v3.schema import BODY


def _number_or_null(about: str) -> Field:
    return fields.Float(required=True, allow_none=True, metadata={"description": about})


COUNTS = shape("BatchCounts", {name: number(f"Rows that came out as {name}.") for name in DISPOSITIONS})
OPTIONS = shape(
    "BatchOptions",
    {
        "receivedOn": text("Day of receipt for claims that do not say: CCYYMMDD."),
        "enable": texts("Shadow rules that count as active."),
        "disable": texts("Rules that are left out."),
        "mostRejected": or_null("Share of rejected rows past which the batch fails."),
        "priority": number("Higher goes first."),
        "webhook": flag("Whether an address is told of the end."),
    },
)
VERSIONS = shape(
    "BatchVersions",
    {
        "program": text("Version of the program."),
        "rulebook": text("Digest of the rulebook."),
        "reference": text("Digest of the list of releases of reference data."),
    },
)
PINNED_RELEASE = shape(
    "BatchRelease",
    {
        "table": text("Table of reference data."),
        "release": text("Its release."),
        "sha256": text("SHA-256 of the file that it was loaded from."),
    },
)
_BATCH_FIELDS: dict[str, Field] = {
    "id": text("Id of the batch."),
    "state": word(STATES, "received: durable, not yet cut into rows."),
    "why": or_null("Why it failed; before its end, why no batch goes on just now, such as a full disk."),
    "submitted": text("When it became durable, UTC."),
    "started": or_null("When its rows were known."),
    "ended": or_null("When it was done, cancelled or failed."),
    "bytes": number("Size of the upload."),
    "sha256": text("SHA-256 of the upload."),
    "rows": _number_or_null("Rows, once they are known."),
    "rowsDone": number("Rows with a result."),
    "counts": part(COUNTS, "What came out."),
    "atRisk": money("Dollars at risk so far, as far as they are known."),
    "unpricedClaims": number("Claims whose dollars at risk are not known, or not of every line."),
    "rowsPerSecond": _number_or_null("Rate since it was started."),
    "secondsLeft": _number_or_null("At that rate."),
    "begunWith": part(VERSIONS, "What it was begun with; null until it is cut.", nullable=True),
    "versions": parts(VERSIONS, "What the rows with a result were scrubbed with, in their order."),
    "options": part(OPTIONS, "What the sender chose."),
}
BATCH = shape("Batch", _BATCH_FIELDS)
BATCH_READ = shape(
    "BatchRead",
    {**_BATCH_FIELDS, "releases": parts(PINNED_RELEASE, "Releases of reference data that it was begun with.")},
)
BATCH_LIST = shape("BatchList", {"batches": parts(BATCH, "The newest first.")})
SUMMARY_ROW = shape(
    "SummaryRow",
    {
        "key": text("The rule, payer, code or provider; empty: none was sent."),
        "claims": number("Claims."),
        "findings": number("Findings on them."),
        "atRisk": money("Dollars at risk, as far as they are known."),
    },
)
BATCH_SUMMARY = shape(
    "BatchSummary",
    {
        "id": text("Id of the batch."),
        "state": word(STATES, "As in the batch itself."),
        "rules": parts(SUMMARY_ROW, "Claims with a finding of a rule."),
        "payers": parts(SUMMARY_ROW, "All claims, by payer id."),
        "codes": parts(SUMMARY_ROW, "Claims with a finding on a line of a code."),
        "providers": parts(SUMMARY_ROW, "All claims, by rendering, else billing NPI."),
    },
)
FAILURE_CAUSE = shape("FailureCause", {"error": text("Kind of failure."), "frames": texts("Places in the code.")})
REJECTION = shape(
    "Rejection",
    {
        "title": text("Why the row was not scrubbed."),
        "column": maybe(number("Where it stops being JSON: column, from 1.")),
        "byte": maybe(number("The same place: byte, from 0.")),
        "errors": maybe(parts(PROBLEM_ENTRY, "Why it is not a claim, place by place.")),
        "error": maybe(text("Where the service failed: the kind of failure.")),
        "frames": maybe(texts("The same: places in the code, innermost last.")),
        "causes": maybe(parts(FAILURE_CAUSE, "The same: what led to it.")),
    },
)
RESULT = shape(
    "BatchResult",
    {
        "row": number("The row of the batch, from 1: line of NDJSON, or entry of the array."),
        "claimNumber": or_null("Patient control number of the claim; null where the row was rejected or has none."),
        "answer": maybe(part(ANSWER, "As POST /v1/claims/scrub answers for the claim.")),
        "rejected": maybe(part(REJECTION, "In place of an answer, for a row that is no claim.")),
    },
)
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
FINDING_RECORD = shape("BatchFindingRecord", {name: text(_ABOUT_COLUMNS[name]) for name in COLUMNS})
# What stands in texts of many lines: apispec finds no schema there by itself.
IN_LINES = {"BatchResult": RESULT, "BatchFindingRecord": FINDING_RECORD}
_BYTES = {"schema": {"type": "string", "format": "binary"}}
SUBMIT: Operation = {
    "operationId": "submitBatch",
    "parameters": [
        {
            "in": "header",
            "name": "Idempotency-Key",
            "description": "For 24 hours the same key and body stand for the same batch.",
            "schema": {"type": "string", "maxLength": 200},
        },
        query("receivedOn", "Day of receipt for claims that do not say: CCYYMMDD or CCYY-MM-DD; else today, UTC.")
        | {"schema": RECEIVED_ON},
        repeated("enable", "Shadow rules whose findings count as if the rules were active."),
        repeated("disable", "Rules that are left out."),
        query("mostRejected", "Fail as soon as a larger share of all its rows is rejected: 0 to 1."),
        query("priority", "Higher goes first: -999 to 999, else 0."),
        query("webhook", "An address that is told of the end; its host is allowed by the service."),
        query(
            "format",
            "What the upload holds, where its first byte shall not decide: an array begins with a bracket.",
            ("ndjson", "json"),
        ),
    ],
    "requestBody": {
        "required": True,
        "description": "Claims one a line, or a JSON array of them; plain, or gzipped (Content-Encoding: gzip).",
        "content": {
            "application/json": {"schema": {"type": "array", "minItems": 1, "items": BODY}},
            "application/x-ndjson": _BYTES,
            "application/gzip": _BYTES,
        },
    },
    "responses": answers(
        "The batch is durable; `Location` is its address.",
        BATCH,
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.INSUFFICIENT_STORAGE,
        status=HTTPStatus.ACCEPTED,
    ),
}
LIST: Operation = {
    "operationId": "listBatches",
    "responses": answers("The batches.", BATCH_LIST, HTTPStatus.SERVICE_UNAVAILABLE),
}
_ONE = (HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)
READ: Operation = {"operationId": "readBatch", "responses": answers("The batch.", BATCH_READ, *_ONE)}
CANCEL: Operation = {"operationId": "cancelBatch", "responses": answers("The batch as it is now.", BATCH, *_ONE)}
SUMMARY: Operation = {
    "operationId": "readBatchSummary",
    "responses": answers("The summary of the rows that are done.", BATCH_SUMMARY, *_ONE),
}
DELETE: Operation = {
    "operationId": "deleteBatch",
    "responses": {"204": {"description": "Nothing of it is kept."}}
    | {str(int(status)): status.name for status in _ONE},
}


def _lines_of(media_type: str, name: str) -> Operation:
    """A text of many lines, each of which is described by a schema of its own."""
    entries = {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}
    return {"schema": {"type": "string", "contentMediaType": media_type, "contentSchema": entries}}


RESULTS: Operation = {
    "operationId": "readBatchResults",
    "parameters": [
        query("after", "Only rows after this one."),
        query("limit", "At most so many results."),
        repeated("disposition", "Only results that came out so: accept, warn, deny or rejected."),
        query("rule", "Only results with a finding of this rule."),
        query("minAtRisk", "Only claims with at least so many dollars at risk."),
        query("format", "Results as NDJSON, or their findings as CSV.", ("ndjson", "csv")),
    ],
    "responses": {
        "200": {
            "description": "Results in the order of the rows, one a line; or their findings as CSV, with a heading.",
            "content": {
                "application/x-ndjson": _lines_of("application/x-ndjson", "BatchResult"),
                "text/csv": _lines_of("text/csv", "BatchFindingRecord"),
            },
        }
    }
    | {str(int(status)): status.name for status in (HTTPStatus.BAD_REQUEST, *_ONE, HTTPStatus.INTERNAL_SERVER_ERROR)},
}
