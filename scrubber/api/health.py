"""Whether the process lives, and whether it can scrub."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import NamedTuple

import orjson
from flask import Response
from flask_smorest import Blueprint
from marshmallow import missing

from scrubber import __version__
from scrubber.api.access import caller, check_keys
from scrubber.api.logs import not_ready, request_failed
from scrubber.api.problems import NOT_READY, Refused
from scrubber.api.request import Service, service
from scrubber.api.schemas.operations import answers, scrub_example
from scrubber.errors import KeysDown, StoreUnavailable
from scrubber.findings import UsedRelease
from scrubber.reference.freshness import past, stale_tables_text
from scrubber.response.claim import UsedReleaseResponse
from scrubber.response.schema import Flag, Number, Object, Objects, ResponseSchema, Text
from scrubber.response.writer import writer
from scrubber.scrub import Scrubber

health = Blueprint("health", __name__, description="For whoever runs the service.")


class Health(NamedTuple):
    """The process answers."""

    status: str = "ok"


class HealthResponse(ResponseSchema):
    """What /healthz says."""

    status = Text("ok")


class BatchReadiness(NamedTuple):
    """Whether batches go on, and why not."""

    go_on: bool
    why: str | None


class BatchReadinessResponse(ResponseSchema):
    """Whether batches go on."""

    go_on = Flag("Whether workers can go on. Single claims are scrubbed all the same.")
    why = Text("Why not, such as a full disk; they go on by themselves when there is room.", nullable=True)


class Readiness(NamedTuple):
    """What claims are scrubbed with; None for a caller that is told no more than that the service is ready.

    `batches` is None where none are taken.
    """

    program: str | None = None
    rulebook: str | None = None
    rules: int | None = None
    reference: Sequence[UsedRelease] | None = None
    batches: BatchReadiness | None = None


_KEYED = "Where keys are demanded, only for who has one."


class ReadinessResponse(ResponseSchema):
    """What /readyz says."""

    status = Text("ready", compute=lambda _: "ready")
    program = Text(f"Version of this program. {_KEYED}", optional=True)
    rulebook = Text(f"Digest of every rule and table beside the rules. {_KEYED}", optional=True)
    rules = Number(f"How many rules are active. {_KEYED}", optional=True)
    reference = Objects(UsedReleaseResponse, f"Every reference release that is loaded. {_KEYED}", optional=True)
    batches = Object(
        BatchReadinessResponse,
        f"Whether batches go on; null where none are taken. {_KEYED}",
        compute=lambda readiness: missing if readiness.program is None else readiness.batches,
        optional=True,
        nullable=True,
    )


_write_health, _write_readiness = writer(HealthResponse()), writer(ReadinessResponse())


@health.get("/healthz")
@health.doc(operationId="healthz", responses=answers("The process answers.", HealthResponse))
def healthz() -> Response:
    """Tell whether the process answers."""
    return _answer(_write_health(Health()))


@health.get("/readyz")
@health.doc(
    operationId="readyz",
    responses=answers("Claims can be scrubbed.", ReadinessResponse, HTTPStatus.SERVICE_UNAVAILABLE),
)
def readyz() -> Response:
    """Tell whether claims can be scrubbed, and with what.

    A made-up claim goes the whole path: reference data, engine, money. It is not ready when a loaded table is past its
    last release by more than SCRUBBER_STALE_AFTER days. Where keys are demanded, it is answered without one, too, but
    then only whether it is ready.
    """
    here = service()
    if caller() is not None:
        return _answer(_write_readiness(_readiness(here)))
    try:
        _readiness(here)
    except Refused as refused:
        not_ready(refused.detail)
        raise Refused(NOT_READY, "The log says why, and so does this address to whoever has an API key.") from None
    return _answer(_write_readiness(Readiness()))


def _readiness(here: Service) -> Readiness:
    """What claims are scrubbed with. Raises Refused (503)."""
    scrubber = here.scrubber
    releases = scrubber.reference.releases()
    if not releases:
        raise Refused(NOT_READY, "No reference data is loaded.")
    _check_freshness(here, scrubber)
    _check_keys()
    _try(scrubber)
    used = [UsedRelease(release.table, release.name, release.sha256) for release in releases]
    book = scrubber.rulebook
    return Readiness(__version__, book.digest, len(book.active), used, _batches(here))


def _batches(here: Service) -> BatchReadiness | None:
    """Whether batches go on, and why not. Single claims are scrubbed all the same, so the service is ready."""
    if here.batches is None:
        return None
    try:
        why = here.batches.stalled_reason()
    except StoreUnavailable as error:
        why = str(error)
    return BatchReadiness(why is None, why)


def _check_keys() -> None:
    try:
        check_keys()
    except KeysDown:
        raise Refused(NOT_READY, "API keys cannot be read.") from None


def _check_freshness(here: Service, scrubber: Scrubber) -> None:
    trouble = here.trouble()
    if trouble:
        raise Refused(NOT_READY, f"Reference data cannot be used as it is now. {trouble}")
    if here.ready_days is None:
        return
    ended = past(scrubber.reference, datetime.now(UTC).date(), here.ready_days)
    if ended:
        past_by = f"Tables are over {here.ready_days} days past their last release: {stale_tables_text(ended)}."
        other_days = "another number of days (SCRUBBER_STALE_AFTER; SCRUBBER_READY_DAYS for this answer alone)"
        raise Refused(NOT_READY, f"{past_by} Load the releases in force, or set {other_days}.")


def _try(scrubber: Scrubber) -> None:
    try:
        scrub_example(scrubber)
    except Exception as error:  # noqa: BLE001 -- whatever it is, no claim can be scrubbed
        reference = request_failed(error)
        raise Refused(NOT_READY, f"A made-up claim failed. The log has it as request {reference}.") from None


def _answer(content: dict[str, object]) -> Response:
    return Response(orjson.dumps(content), content_type="application/json")
