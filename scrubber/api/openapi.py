"""The API's own document, OpenAPI 3.1, and the blueprints that it describes."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from http import HTTPStatus
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
from apispec.ext.marshmallow import MarshmallowPlugin, resolver
from flask import Blueprint, Flask, Response, redirect, send_from_directory
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from scrubber import __version__
from scrubber.access.key import BATCH, RULES_READ, SCRUB
from scrubber.api import problems
from scrubber.api.access import SCOPE_OF_PARAMETER
from scrubber.api.batches import batches
from scrubber.api.claims import claims
from scrubber.api.codes import codes
from scrubber.api.health import health
from scrubber.api.request import service
from scrubber.api.rules import reference, rules
from scrubber.api.schemas.batches import IN_LINES
from scrubber.api.schemas.body import describe_scalar
from scrubber.api.schemas.evidence import COMPONENTS, describe_evidence, refer_to_evidence
from scrubber.api.schemas.operations import describe_access, describe_connections, describe_headers, scrub_example
from scrubber.response import claim
from scrubber.response.problem import ProblemResponse

# Every resource, and the scope that a key needs for it; None: no key is needed.
RESOURCES: tuple[tuple[Blueprint, str | None], ...] = (
    (claims, SCRUB),
    (batches, BATCH),
    (codes, RULES_READ),
    (rules, RULES_READ),
    (reference, RULES_READ),
    (health, None),
)
SCOPE_OF: Mapping[str, str | None] = {blueprint.name: scope for blueprint, scope in RESOURCES} | {
    "docs": None,
    "api-docs": None,
}

_ABOUT = """\
Scrubs professional claims (837P as v3 JSON) before they go to the payer: findings with the place,
the authority, what to do and the dollars at risk.

Errors are `application/problem+json`. No error repeats a value that was sent. A method that is not listed for an
address is answered with 405 and the header `Allow`.

Within `/v1` members, addresses and words may be added; docs/api-changes.md says what stays.
"""


class DocumentedApi(Api):
    """flask-smorest's Api, whose errors are problems."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Any HTTP error as a problem."""
        return problems.from_http(error)

    def _openapi_json(self) -> Response:
        """Called for /openapi.json. The example is the answer that these rules give, so that it cannot be outdated."""
        document, scrubber = self.document(), service().scrubber
        answer = claim.document(scrub_example(scrubber))
        describe_evidence(document, scrubber.rulebook)
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
            content = {problems.MEDIA_TYPE: {"schema": ProblemResponse}}
            response: dict[str, Any] = {"description": status.phrase, "content": content}
            self.spec.components.response(status.name, response, lazy=True)


def _component_name(schema: Any) -> str:
    """The name of a schema in the document: that of its class, without what classes are called here."""
    return resolver(schema).removesuffix("Response")


def install_openapi(app: Flask) -> Mapping[str, Any]:
    """Serve every resource, and /openapi.json about them. Returns that document, without the example answer."""
    app.config |= {
        "API_TITLE": "Claim scrubber",
        "API_VERSION": __version__,
        "OPENAPI_VERSION": "3.1.0",
        "OPENAPI_URL_PREFIX": "/",
        "OPENAPI_JSON_PATH": "openapi.json",
        "API_SPEC_OPTIONS": {"info": {"description": _ABOUT}},
    }
    plugin = MarshmallowPlugin(schema_name_resolver=_component_name)
    api = DocumentedApi(app, spec_kwargs={"marshmallow_plugin": plugin})
    for describe in describe_scalar, refer_to_evidence:
        api.ma_plugin.converter.add_attribute_function(describe)
    for name, component in COMPONENTS.items():
        api.spec.components.schema(name, component)
    for name, schema in IN_LINES.items():
        api.spec.components.schema(name, schema=schema)
    for blueprint, _ in RESOURCES:
        api.register_blueprint(blueprint)
    return api.document()


# Swagger UI draws its icons from data: addresses; nothing else may come from anywhere but here.
_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)
_STATIC = Path(__file__).parent / "static"
_SWAGGER_UI = Path(str(files("flask_swagger_ui"))) / "dist"
_ASSETS = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})

docs = Blueprint("docs", __name__)


def install_docs_page(app: Flask) -> None:
    """Serve /docs and its assets, and guard every answer for browsers."""
    app.register_blueprint(docs)
    app.after_request(_guard)


@docs.get("/")
def index() -> Response:
    """To the documentation."""
    return redirect("/docs")  # type: ignore[return-value]


@docs.get("/docs")
def page() -> Response:
    """The page: a frame that the scripts fill from /openapi.json."""
    return send_from_directory(_STATIC, "docs.html")


@docs.get("/docs/<name>")
def asset(name: str) -> Response:
    """What the page loads: our own script, and Swagger UI from its package."""
    return send_from_directory(_SWAGGER_UI if name in _ASSETS else _STATIC, name, max_age=3600)


def _guard(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
