"""Describes the operations on batches for OpenAPI."""

from __future__ import annotations

from http import HTTPStatus

from scrubber.api.request import X12_TYPE
from scrubber.api.schemas.operations import RECEIVED_ON, X12_FILE, Operation, answers, query, repeated
from scrubber.batch.model import FORMATS
from scrubber.batch.result_row import BatchFindingRecordResponse, BatchResultResponse
from scrubber.batch.status import BatchListResponse, BatchReadResponse, BatchResponse, BatchSummaryResponse
from scrubber.claim.v3.schema import BODY
from scrubber.response.acknowledgments import ACKNOWLEDGMENTS

# What stands in texts of many lines: apispec finds no schema there by itself.
IN_LINES = {"BatchResult": BatchResultResponse, "BatchFindingRecord": BatchFindingRecordResponse}
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
            "What the upload holds, where its beginning shall not decide: an array begins with [, X12 with ISA.",
            FORMATS,
        ),
    ],
    "requestBody": {
        "required": True,
        "description": "Claims one a line, a JSON array of them, or an X12 file (837P); plain, or gzipped "
        "(Content-Encoding: gzip). As multipart/form-data the parts `context` and `claims` are taken, in this order: "
        "contexts of the claims, and their X12 file, as `POST /v1/claims/scrub` describes them.",
        # Without multipart/form-data, beside which generators of clients make code for lists that does not run.
        "content": {
            "application/json": {"schema": {"type": "array", "minItems": 1, "items": BODY}},
            "application/x-ndjson": _BYTES,
            "application/gzip": _BYTES,
            "application/edi-x12": _BYTES,
        },
    },
    "responses": answers(
        "The batch is durable; `Location` is its address.",
        BatchResponse,
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
    "responses": answers("The batches.", BatchListResponse, HTTPStatus.SERVICE_UNAVAILABLE),
}
_ONE = (HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)
READ: Operation = {"operationId": "readBatch", "responses": answers("The batch.", BatchReadResponse, *_ONE)}
CANCEL: Operation = {
    "operationId": "cancelBatch",
    "responses": answers("The batch as it is now.", BatchResponse, *_ONE),
}
SUMMARY: Operation = {
    "operationId": "readBatchSummary",
    "responses": answers("The summary of the rows that are done.", BatchSummaryResponse, *_ONE),
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
        query(
            "view",
            "Of a batch that was sent as X12 and is done, instead of results: the acknowledgment of the file as X12,"
            " of its sets (999) or of its claims (277ca). Without other parameters.",
            tuple(ACKNOWLEDGMENTS),
        ),
    ],
    "responses": {
        "200": {
            "description": "Results in the order of the rows, one a line; or their findings as CSV, with a heading.",
            "content": {
                "application/x-ndjson": _lines_of("application/x-ndjson", "BatchResult"),
                "text/csv": _lines_of("text/csv", "BatchFindingRecord"),
                X12_TYPE: X12_FILE,
            },
        }
    }
    | {str(int(status)): status.name for status in (HTTPStatus.BAD_REQUEST, *_ONE, HTTPStatus.INTERNAL_SERVER_ERROR)},
}
