"""Batches over HTTP: submitted, followed, read back, cancelled. Workers scrub them, not this process."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from http import HTTPStatus

import orjson
from flask import Response, request
from flask_smorest import Blueprint

from scrubber.api import logs
from scrubber.api.access import tenant
from scrubber.api.codes import received_on
from scrubber.api.multipart import MULTIPART, is_multipart, upload_in_parts
from scrubber.api.problems import (
    BAD_BODY,
    BAD_PARAMETER,
    BATCH_SPACE,
    BATCHES,
    KEY_USED,
    NO_BATCHES,
    NO_CLAIMS,
    NOT_FOUND,
    TOO_LARGE,
    UNSUPPORTED,
    Refused,
)
from scrubber.api.request import (
    X12_TYPE,
    Service,
    acknowledgment_header,
    body_pieces,
    check_charset,
    is_gzipped,
    service,
)
from scrubber.api.schemas import batches as documented
from scrubber.batch import results
from scrubber.batch.maintenance import allowed
from scrubber.batch.model import ENDED, X12_WITH_CONTEXT, Batch, BatchOptions, KeyUsed
from scrubber.batch.model import FORMATS as FORMATS_SENT
from scrubber.batch.received import claims_with_answers
from scrubber.batch.result_row import DISPOSITIONS
from scrubber.batch.results import ResultFilter
from scrubber.batch.scrub_chunk import merged
from scrubber.batch.status import (
    BatchList,
    BatchStatus,
    BatchSummary,
    write_batch,
    write_batch_list,
    write_batch_read,
    write_batch_summary,
)
from scrubber.batch.storage import Batches
from scrubber.batch.upload import Declared, receive
from scrubber.batch.work import remove_batch
from scrubber.claim.x12.envelope import Ended
from scrubber.errors import BadUpload, WrongSwitch
from scrubber.findings import read_switches
from scrubber.response.acknowledgments import ACKNOWLEDGMENTS
from scrubber.response.acknowledgments.received import ReceivedClaim

MEDIA_TYPES = (
    "application/x-ndjson",
    "application/ndjson",
    "application/x-jsonlines",
    "application/jsonl",
    "application/json",
    "application/gzip",
    "application/x-gzip",
    "application/octet-stream",
    X12_TYPE,
    MULTIPART,
)
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_SHARE = re.compile(r"0(\.[0-9]{1,4})?|1(\.0{1,4})?")
_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?")
_WHOLE = re.compile(r"[0-9]{1,9}")
_PRIORITY = re.compile(r"-?[0-9]{1,3}")


def declared() -> Declared:
    """What the sender says that the upload is. Raises Refused (400, 415)."""
    gzipped = is_gzipped()
    if request.mimetype not in MEDIA_TYPES:
        types = ", ".join(MEDIA_TYPES)
        raise Refused(UNSUPPORTED, f"Send claims as JSON or X12 with one of these Content-Types: {types}.")
    if is_multipart():
        if gzipped or "format" in request.args:
            raise Refused(UNSUPPORTED, "Send a body in parts as it is: without Content-Encoding, and without `format`.")
        return Declared(X12_WITH_CONTEXT)
    check_charset()
    return Declared(one_of("format", FORMATS_SENT) or ("x12" if request.mimetype == X12_TYPE else None), gzipped)


def idempotency_key() -> str | None:
    """The key under which a batch is sent. Raises Refused (400)."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise Refused(BAD_PARAMETER, "`Idempotency-Key` has 1 to 200 printable ASCII characters and no space.")
    return key


def options_of(here: Service, today: date) -> BatchOptions:
    """What the sender chooses for one batch. Raises Refused (400)."""
    try:
        names = request.args
        switches = read_switches(names.getlist("enable"), names.getlist("disable"), here.scrubber.rulebook)
    except WrongSwitch as error:
        raise Refused(BAD_PARAMETER, f"{error}.") from None
    stated = received_on()
    most = _matching("mostRejected", _SHARE, "a share from 0 to 1, such as 0.05")
    return BatchOptions(
        stated or today,
        switches.enable,
        switches.disable,
        None if most is None else Decimal(most),
        int(_matching("priority", _PRIORITY, "a whole number from -999 to 999") or 0),
        _webhook(here),
        dated=stated is not None,
    )


def _webhook(here: Service) -> str | None:
    address = request.args.get("webhook")
    if address is not None and not allowed(address, here.webhook_hosts):
        raise Refused(BAD_PARAMETER, "`webhook` is an address on one of the hosts in SCRUBBER_WEBHOOK_HOSTS.")
    return address


def _rule(here: Service, stores: Batches, batch: Batch) -> str | None:
    """The rule whose findings are wanted. One that is misspelt would look as if it had found nothing."""
    rule = request.args.get("rule")
    known = here.scrubber.rulebook.rules
    if rule is None or rule in known or rule in merged(stores.job_store.summaries(batch.id))["rules"]:
        return rule
    raise Refused(BAD_PARAMETER, "`rule` is neither in force nor among those of the batch's summary.")


def wanted_results(here: Service, stores: Batches, batch: Batch) -> ResultFilter:
    """Which results are to be read. Raises Refused (400)."""
    rule = _rule(here, stores, batch)
    least = _matching("minAtRisk", _AMOUNT, "an amount such as 100.00")
    most = _matching("limit", _WHOLE, "a whole number from 0")
    given = request.args.getlist("disposition")
    if not set(given) <= set(DISPOSITIONS):
        raise Refused(BAD_PARAMETER, f"`disposition` is one of: {', '.join(DISPOSITIONS)}.")
    return ResultFilter(
        after=int(_matching("after", _WHOLE, "the number of a row") or 0),
        most=None if most is None else int(most),
        dispositions=frozenset(given),
        rule=rule,
        least_at_risk=None if least is None else Decimal(least),
    )


def _matching(name: str, pattern: re.Pattern[str], what: str) -> str | None:
    text = request.args.get(name)
    if text is not None and not pattern.fullmatch(text):
        raise Refused(BAD_PARAMETER, f"`{name}` is {what}.")
    return text


def one_of(name: str, choices: tuple[str, ...]) -> str | None:
    """A parameter that has one of these values. Raises Refused (400)."""
    value = request.args.get(name)
    if value is not None and value not in choices:
        raise Refused(BAD_PARAMETER, f"`{name}` is one of: {', '.join(choices)}.")
    return value


batches = Blueprint("batches", __name__, url_prefix="/v1/batches", description="Scrub many claims in one go.")

MOST_LISTED = 100
FORMATS: dict[str, tuple[str, Callable[[Batches, str, results.ResultFilter], Iterator[bytes]]]] = {
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
    here, stores = _here()
    upload = declared()
    options, key = options_of(here, _now().date()), idempotency_key()
    try:
        with here.transfers.one():
            batch, new = receive(stores, _pieces(here), upload, options, key, here.max_batch_bytes, _now, tenant())
    except BadUpload as error:
        raise Refused(_UPLOADS[error.kind], str(error)) from None
    except KeyUsed:
        raise Refused(KEY_USED, "The body or the options differ. Send another Idempotency-Key, or the same.") from None
    answer = _json(write_batch(_status(batch, stores)), HTTPStatus.ACCEPTED)
    answer.headers["Location"] = f"/v1/batches/{batch.id}"
    if not new:
        answer.headers["Idempotent-Replayed"] = "true"
    return answer


def _pieces(here: Service) -> Iterator[bytes]:
    """The upload, piece by piece."""
    pieces = body_pieces(here.max_batch_bytes)
    return upload_in_parts(pieces) if is_multipart() else pieces


@batches.get("")
@batches.doc(**documented.LIST)
def list_batches() -> Response:
    """List batches.

    Those of the caller's tenant, the newest first, at most a hundred.
    """
    _, stores = _here()
    now, stalled = _now(), stores.stalled_reason()
    found = [_status_at(now, batch, stores, stalled) for batch in stores.job_store.batches(MOST_LISTED, tenant())]
    return _json(write_batch_list(BatchList(found)))


@batches.get("/<batch_id>")
@batches.doc(**documented.READ)
def read_batch(batch_id: str) -> Response:
    """Follow a batch.

    State, counts, progress, rate, time left and dollars at risk so far.
    """
    _, stores = _here()
    return _json(write_batch_read(_status(_find(batch_id, stores), stores)))


@batches.get("/<batch_id>/results")
@batches.doc(**documented.RESULTS)
def read_results(batch_id: str) -> Response:
    """Read results.

    In the order of the rows, while the batch runs as far as they are there without a gap. Ask again with `after`, the
    last row that was read.
    """
    here, stores = _here()
    batch = _find(batch_id, stores)
    view = one_of("view", tuple(ACKNOWLEDGMENTS))
    if view is not None:
        return _acknowledged(view, batch, here, stores)
    wanted, name = wanted_results(here, stores, batch), one_of("format", tuple(FORMATS)) or "ndjson"
    media_type, read = FORMATS[name]
    pieces = here.transfers.during(read(stores, batch.id, wanted))
    return Response(pieces, content_type=media_type, headers={"Batch-State": batch.state})


def _acknowledged(view: str, batch: Batch, here: Service, stores: Batches) -> Response:
    """The whole file's acknowledgment. Raises Refused (400)."""
    if len(request.args) > 1:
        raise Refused(BAD_PARAMETER, "`view` is of the whole file: it cannot be asked for with other parameters.")
    if batch.body.format not in ("x12", X12_WITH_CONTEXT):
        raise Refused(BAD_PARAMETER, f"`view` can be {' or '.join(ACKNOWLEDGMENTS)} only for a batch sent as X12.")
    if batch.state != "done":
        raise Refused(BAD_PARAMETER, "`view` is of a batch that is done: ask again when its state is `done`.")
    header = acknowledgment_header(_now(), batch.options.received_on)
    items = claims_with_answers(stores, batch, here.max_batch_bytes)
    received = (item if isinstance(item, Ended) else ReceivedClaim(*item) for item in items)
    pieces = here.transfers.during(segment.encode() for segment in ACKNOWLEDGMENTS[view](received, header))
    return Response(pieces, content_type=X12_TYPE, headers={"Batch-State": batch.state})


@batches.get("/<batch_id>/summary")
@batches.doc(**documented.SUMMARY)
def read_summary(batch_id: str) -> Response:
    """Read a summary.

    Claims, findings and dollars by rule, payer, code and provider, of the rows that are done.
    """
    _, stores = _here()
    batch = _find(batch_id, stores)
    return _json(write_batch_summary(BatchSummary(batch, merged(stores.job_store.summaries(batch.id)))))


@batches.post("/<batch_id>/cancel")
@batches.doc(**documented.CANCEL)
def cancel(batch_id: str) -> Response:
    """Cancel a batch.

    What is done stays and can be read. A batch that has ended stays as it is.
    """
    _, stores = _here()
    batch = _find(batch_id, stores)
    stores.job_store.cancel(batch.id, _now())
    return _json(write_batch(_status(_find(batch.id, stores), stores)))


@batches.delete("/<batch_id>")
@batches.doc(**documented.DELETE)
def delete(batch_id: str) -> Response:
    """Delete a batch.

    Claims and results are removed; a batch that runs is cancelled first.
    """
    _, stores = _here()
    batch = _find(batch_id, stores)
    if batch.state not in ENDED:
        stores.job_store.cancel(batch.id, _now())
    remove_batch(batch.id, stores.job_store, stores.file_store)
    return Response(status=HTTPStatus.NO_CONTENT)


@batches.after_request
def log_end_of_outage(response: Response) -> Response:
    """What succeeds shows what it rests on to be there again."""
    if response.status_code < HTTPStatus.BAD_REQUEST and request.method != "OPTIONS":
        logs.over(BATCHES)
        if response.status_code == HTTPStatus.ACCEPTED:
            logs.over(BATCH_SPACE)
    return response


def _here() -> tuple[Service, Batches]:
    here = service()
    if here.batches is None:
        raise Refused(NO_BATCHES, "This service keeps nothing: set SCRUBBER_STATE or SCRUBBER_DATABASE_URL.")
    return here, here.batches


def _find(batch_id: str, stores: Batches) -> Batch:
    """The batch; one of another tenant looks as if it were not there. Raises Refused (404)."""
    batch = stores.job_store.batch(batch_id)
    if batch is None or batch.tenant != tenant():
        raise Refused(NOT_FOUND, "There is no such batch, or it was removed; GET /v1/batches lists them.")
    return batch


def _status(batch: Batch, stores: Batches) -> BatchStatus:
    return _status_at(_now(), batch, stores, stores.stalled_reason())


def _status_at(now: datetime, batch: Batch, stores: Batches, stalled: str | None) -> BatchStatus:
    job_store = stores.job_store
    return BatchStatus(batch, job_store.progress(batch.id), job_store.versions(batch.id), stalled, now)


def _json(content: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(orjson.dumps(content), status, content_type="application/json")


def _now() -> datetime:
    return datetime.now(UTC)
