"""Beside the path: what the documentation says of keys: which scope each operation needs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from scrubber.access.scopes import ADMIN, SCOPES

SCHEME = "apiKey"
_ABOUT = (
    "A key that `scrubber keys create` made, as `Authorization: Bearer KEY`. A service that listens on its own machine "
    "alone asks for none as long as none was made. Scopes: "
)
_PROBLEMS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)


def describe_access(
    document: dict[str, Any], scope_of: dict[str, str | None], scope_of_parameter: dict[str, str]
) -> None:
    """Add to an OpenAPI document the scopes of its operations, by blueprint, and of their parameters, by name."""
    scopes = "; ".join(f"`{name}`: {about.removesuffix('.')}" for name, about in SCOPES.items())
    schemes = document["components"].setdefault("securitySchemes", {})
    schemes[SCHEME] = {"type": "http", "scheme": "bearer", "description": f"{_ABOUT}{scopes}."}
    for problem in _PROBLEMS:
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        document["components"]["responses"][problem.name] = {"description": problem.phrase, "content": content}
    for path in document["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict) and "responses" in operation:
                _describe(operation, scope_of.get(operation["tags"][0], ADMIN), scope_of_parameter)


def _describe(operation: dict[str, Any], scope: str | None, scope_of_parameter: dict[str, str]) -> None:
    if scope is None:
        operation["security"] = []
        return
    operation["security"] = [{SCHEME: [scope]}]
    for problem in _PROBLEMS:
        operation["responses"].setdefault(str(int(problem)), {"$ref": f"#/components/responses/{problem.name}"})
    for parameter in operation.get("parameters", ()):
        needed = scope_of_parameter.get(parameter.get("name"))
        if needed:
            parameter["description"] += f" Needs the scope `{needed}`."
