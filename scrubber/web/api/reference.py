"""Beside the path: the reference data that the service looks things up in."""

from __future__ import annotations

import orjson
from flask import Response
from flask_smorest import Blueprint

from scrubber.answer.releases import every
from scrubber.web.documented import operations
from scrubber.web.service import service

reference = Blueprint("reference", __name__, url_prefix="/v1/reference", description="Read the reference data.")


@reference.get("")
@reference.doc(**operations.LIST_RELEASES)
def releases() -> Response:
    """List the releases.

    Several releases of a table lie side by side; the one in force on a date of service answers for it.
    """
    told = every(service().scrubber.reference.releases())
    return Response(orjson.dumps(told), content_type="application/json")
