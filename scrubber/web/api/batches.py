"""Around the path of many claims over HTTP: taken, followed, read back, ended. Workers scrub them, not this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http import HTTPStatus

import orjson
from flask import Response, request
from flask_smorest import Blueprint

from scrubber.batch import results, told
from scrubber.batch.job import ENDED, Batch
from scrubber.batch.ledger import KeyUsed
from scrubber.batch.place import Batches
from scrubber.batch.receive import receive
from scrubber.batch.summary import merged
from scrubber.batch.work import remove_batch
from scrubber.errors import BadUpload
from scrubber.web import logs
from scrubber.web.access import tenant
from scrubber.web.api.batch_request import declared, idempotency_key, one_of, options_of, wanted_results
from scrubber.web.body import body_pieces
from scrubber.web.documented import batches as documented
from scrubber.web.problems import (
    BAD_BODY,
    BATCHES,
    KEY_USED,
    NO_BATCHES,
    NO_CLAIMS,
    NOT_FOUND,
    ROOM,
    TOO_LARGE,
    UNSUPPORTED,
    Refused,
)
from scrubber.web.service import Service, service

batches = Blueprint("batches", __name__, url_prefix="/v1/batches", description="Scrub many claims in one go.")

MOST_LISTED = 100
FORMATS: dict[str, tuple[str, Callable[[Batches, str, results.Wanted], Iterator[bytes]]]] = {
    "ndjson": ("application/x-ndjson", results.lines),
    "csv": ("text/csv; charset=utf-8", results.findings_csv),
}
_UPLOADS = {"empty": NO_CLAIMS, "foreign": UNSUPPORTED, "damaged": BAD_BODY, "too-large": TOO_LARGE}


@batches.post("")
@batches.doc(**documented.SUBMIT)
def submit() -> Response:
    """Send a batch.

    Claims one a line (NDJSON), or as a JSON array, plain or gzipped, from one to a million. It is answered when the
    batch is durable: from then on it survives whatever happens to a process.
    """
    here, kept = _here()
    upload = declared()
    options, key = options_of(here, _now().date()), idempotency_key()
    try:
        with here.transfers.one():
            batch, new = receive(
                kept, body_pieces(here.max_batch_bytes), upload, options, key, here.max_batch_bytes, _now, tenant()
            )
    except BadUpload as error:
        raise Refused(_UPLOADS[error.kind], str(error)) from None
    except KeyUsed:
        raise Refused(KEY_USED, "The body or the options differ. Send another Idempotency-Key, or the same.") from None
    answer = _told(batch, kept, HTTPStatus.ACCEPTED)
    answer.headers["Location"] = f"/v1/batches/{batch.id}"
    if not new:
        answer.headers["Idempotent-Replayed"] = "true"
    return answer


@batches.get("")
@batches.doc(**documented.LIST)
def every() -> Response:
    """List batches.

    Those of the caller's tenant, the newest first, at most a hundred.
    """
    _, kept = _here()
    now = _now()
    standing = kept.standing_still()
    found = [_document(batch, kept, standing, now) for batch in kept.ledger.batches(MOST_LISTED, tenant())]
    return _json({"batches": found})


@batches.get("/<batch_id>")
@batches.doc(**documented.READ)
def one(batch_id: str) -> Response:
    """Follow a batch.

    State, counts, progress, rate, time left and dollars at risk so far.
    """
    _, kept = _here()
    batch = _find(batch_id, kept)
    told_now = _document(batch, kept, kept.standing_still(), _now())
    return _json(told_now | {"releases": told.releases(batch)})


@batches.get("/<batch_id>/results")
@batches.doc(**documented.RESULTS)
def read_results(batch_id: str) -> Response:
    """Read results.

    In the order of the rows, while the batch runs as far as they are there without a gap. Ask again with `after`, the
    last row that was read.
    """
    here, kept = _here()
    batch = _find(batch_id, kept)
    wanted, name = wanted_results(here, kept, batch), one_of("format", tuple(FORMATS)) or "ndjson"
    media_type, read = FORMATS[name]
    pieces = here.transfers.during(read(kept, batch.id, wanted))
    return Response(pieces, content_type=media_type, headers={"Batch-State": batch.state})


@batches.get("/<batch_id>/summary")
@batches.doc(**documented.SUMMARY)
def read_summary(batch_id: str) -> Response:
    """Read a summary.

    Claims, findings and dollars by rule, payer, code and provider, of the rows that are done.
    """
    _, kept = _here()
    batch = _find(batch_id, kept)
    return _json(told.summary(batch, merged(kept.ledger.summaries(batch.id))))


@batches.post("/<batch_id>/cancel")
@batches.doc(**documented.CANCEL)
def cancel(batch_id: str) -> Response:
    """Cancel a batch.

    What is done stays and can be read. A batch that has ended stays as it is.
    """
    _, kept = _here()
    batch = _find(batch_id, kept)
    kept.ledger.cancel(batch.id, _now())
    return _told(_find(batch.id, kept), kept, HTTPStatus.OK)


@batches.delete("/<batch_id>")
@batches.doc(**documented.DELETE)
def delete(batch_id: str) -> Response:
    """Delete a batch.

    Claims and results are removed; a batch that runs is cancelled first.
    """
    _, kept = _here()
    batch = _find(batch_id, kept)
    if batch.state not in ENDED:
        kept.ledger.cancel(batch.id, _now())
    remove_batch(batch.id, kept.ledger, kept.depot)
    return Response(status=HTTPStatus.NO_CONTENT)


@batches.after_request
def note_end_of_outage(response: Response) -> Response:
    """What succeeds shows what it rests on to be there again."""
    if response.status_code < HTTPStatus.BAD_REQUEST and request.method != "OPTIONS":
        logs.over(BATCHES)
        if response.status_code == HTTPStatus.ACCEPTED:
            logs.over(ROOM)
    return response


def _here() -> tuple[Service, Batches]:
    here = service()
    if here.batches is None:
        raise Refused(NO_BATCHES, "This service keeps nothing: set SCRUBBER_STATE or SCRUBBER_DATABASE_URL.")
    return here, here.batches


def _find(batch_id: str, kept: Batches) -> Batch:
    """The batch; one of another tenant looks as if it were not there. Raises Refused (404)."""
    batch = kept.ledger.batch(batch_id)
    if batch is None or batch.tenant != tenant():
        raise Refused(NOT_FOUND, "There is no such batch, or it was removed; GET /v1/batches lists them.")
    return batch


def _told(batch: Batch, kept: Batches, status: HTTPStatus) -> Response:
    return _json(_document(batch, kept, kept.standing_still(), _now()), status)


def _document(batch: Batch, kept: Batches, standing: str | None, now: datetime) -> told.Document:
    ledger = kept.ledger
    return told.document(batch, ledger.progress(batch.id), ledger.versions(batch.id), standing, now)


def _json(content: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(orjson.dumps(content), status, content_type="application/json")


def _now() -> datetime:
    return datetime.now(UTC)
