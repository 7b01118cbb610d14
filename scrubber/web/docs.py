"""Beside the path: the interactive documentation page. It loads nothing from outside."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from flask import Blueprint, Flask, Response, redirect, send_from_directory

# Swagger UI draws its icons from data: addresses; nothing else may come from anywhere but here.
_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)
_STATIC = Path(__file__).parent / "static"
_SWAGGER_UI = Path(str(files("flask_swagger_ui"))) / "dist"
_ASSETS = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})

docs = Blueprint("docs", __name__)


def install(app: Flask) -> None:
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
