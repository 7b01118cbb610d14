"""Whether the process lives, and whether it can scrub."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
from flask import Response
from flask_smorest import Blueprint

from scrubber import __version__
from scrubber.api.access import caller, check_keys
from scrubber.api.logs import not_ready, request_failed
from scrubber.api.problems import NOT_READY, Refused
from scrubber.api.request import Service, service
from scrubber.api.schemas import operations
from scrubber.api.schemas.operations import scrub_example
from scrubber.errors import KeysDown, StoreUnavailable
from scrubber.reference.freshness import past, stale_tables_text
from scrubber.scrub import Scrubber

health = Blueprint("health", __name__, description="For whoever runs the service.")


@health.get("/healthz")
@health.doc(**operations.HEALTHZ)
def healthz() -> Response:
    """Tell whether the process answers."""
    return _answer({"status": "ok"})


@health.get("/readyz")
@health.doc(**operations.READYZ)
def readyz() -> Response:
    """Tell whether claims can be scrubbed, and with what.

    A made-up claim goes the whole path: reference data, engine, money. It is not ready when a loaded table is past its
    last release by more than SCRUBBER_STALE_AFTER days. Where keys are demanded, it is answered without one, too, but
    then only whether it is ready.
    """
    here = service()
    if caller() is not None:
        return _answer(_readiness(here))
    try:
        _readiness(here)
    except Refused as refused:
        not_ready(refused.detail)
        raise Refused(NOT_READY, "The log says why, and so does this address to whoever has an API key.") from None
    return _answer({"status": "ready"})


def _readiness(here: Service) -> dict[str, object]:
    """What claims are scrubbed with. Raises Refused (503)."""
    scrubber = here.scrubber
    releases = scrubber.reference.releases()
    if not releases:
        raise Refused(NOT_READY, "No reference data is loaded.")
    _check_freshness(here, scrubber)
    _check_keys()
    _try(scrubber)
    return {
        "status": "ready",
        "program": __version__,
        "rulebook": scrubber.rulebook.digest,
        "rules": len(scrubber.rulebook.active),
        "reference": [
            {"table": release.table, "release": release.name, "sha256": release.sha256} for release in releases
        ],
        "batches": _batches(here),
    }


def _batches(here: Service) -> dict[str, object] | None:
    """Whether batches go on, and why not. Single claims are scrubbed all the same, so the service is ready."""
    if here.batches is None:
        return None
    try:
        why = here.batches.stalled_reason()
    except StoreUnavailable as error:
        why = str(error)
    return {"goOn": why is None, "why": why}


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


def _answer(told: dict[str, object]) -> Response:
    return Response(orjson.dumps(told), content_type="application/json")
