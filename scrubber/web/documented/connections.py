"""Beside the path: what the documentation says of requests that are refused before they reach their address."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

TOO_SLOW, OVERLOADED = HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.SERVICE_UNAVAILABLE
_ABOUT = {
    TOO_SLOW: "Request Timeout: the body did not arrive in time.",
    OVERLOADED: "Service Unavailable: also where more is asked of the service than it can answer in time.",
}


def describe_connections(document: dict[str, Any]) -> None:
    """Add to an OpenAPI document the refusals that any operation may meet, and any that reads a body."""
    responses = document["components"]["responses"]
    for problem, about in _ABOUT.items():
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        responses[problem.name] = {"description": about, "content": content}
    for path in document["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict) and "responses" in operation:
                for problem in (TOO_SLOW, OVERLOADED) if "requestBody" in operation else (OVERLOADED,):
                    told = {"$ref": f"#/components/responses/{problem.name}"}
                    operation["responses"].setdefault(str(int(problem)), told)
