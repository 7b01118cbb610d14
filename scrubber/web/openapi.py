"""Beside the path: the API's own document, OpenAPI 3.1, and the blueprints that it describes."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from http import HTTPStatus
from typing import Any

import orjson
from flask import Flask, Response
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from scrubber import __version__
from scrubber.answer import json
from scrubber.web import problems
from scrubber.web.access import SCOPE_OF, SCOPE_OF_PARAMETER
from scrubber.web.api.batches import batches
from scrubber.web.api.claims import claims
from scrubber.web.api.codes import codes
from scrubber.web.api.health import health
from scrubber.web.api.reference import reference
from scrubber.web.api.rules import rules
from scrubber.web.documented.access import describe_access
from scrubber.web.documented.connections import describe_connections
from scrubber.web.documented.examples import scrub_example
from scrubber.web.documented.headers import describe_headers
from scrubber.web.documented.scalars import describe_scalar
from scrubber.web.documented.shapes import PROBLEM
from scrubber.web.service import service

_ABOUT = """\
Scrubs professional claims (837P as v3 JSON) before they go to the payer: findings with the place,
the authority, what to do and the dollars at risk.

Errors are `application/problem+json`. No error repeats a value that was sent.
"""


class DocumentedApi(Api):
    """flask-smorest's Api, whose errors are problems."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Any HTTP error as a problem."""
        return problems.from_http(error)

    def _openapi_json(self) -> Response:
        """Called for /openapi.json. The example is the answer that these rules give, so that it cannot be outdated."""
        document = self.document()
        answer = json.document(scrub_example(service().scrubber))
        document["components"]["examples"] = {"Answer": {"value": answer}}
        return Response(orjson.dumps(document), content_type="application/json")

    def document(self) -> dict[str, Any]:
        """The document without the example answer."""
        document: dict[str, Any] = deepcopy(self.spec.to_dict())
        describe_access(document, SCOPE_OF, SCOPE_OF_PARAMETER)
        describe_connections(document)
        describe_headers(document)
        return document

    def _register_responses(self) -> None:
        for status in HTTPStatus:
            content = {problems.MEDIA_TYPE: {"schema": PROBLEM}}
            response: dict[str, Any] = {"description": status.phrase, "content": content}
            self.spec.components.response(status.name, response, lazy=True)


def install(app: Flask) -> Mapping[str, Any]:
    """Serve every resource, and /openapi.json about them. Returns that document, without the example answer."""
    app.config |= {
        "API_TITLE": "Claim scrubber",
        "API_VERSION": __version__,
        "OPENAPI_VERSION": "3.1.0",
        "OPENAPI_URL_PREFIX": "/",
        "OPENAPI_JSON_PATH": "openapi.json",
        "API_SPEC_OPTIONS": {"info": {"description": _ABOUT}},
    }
    api = DocumentedApi(app)
    api.ma_plugin.converter.add_attribute_function(describe_scalar)
    for blueprint in (claims, batches, codes, rules, reference, health):
        api.register_blueprint(blueprint)
    return api.document()
