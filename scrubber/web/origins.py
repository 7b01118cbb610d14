"""Around the path over HTTP: by which names the service is asked, and from which pages of a browser.

Against a page that has its own name lead to this machine (DNS rebinding), and against one that sends forms and requests
here from elsewhere, wherever no key keeps it out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import cast

from flask import Flask, Response, current_app, request

from scrubber.config import Settings, is_loopback
from scrubber.web.problems import CROSS_SITE, WRONG_HOST, Refused

_KEY = "claim-scrubber-origins"
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+?))\.?(?::[0-9]{1,5})?")
_READING = ("GET", "HEAD", "OPTIONS")
_OURS = ("same-origin", "none")  # of Sec-Fetch-Site; none: by whoever uses the browser, from no page
_HEADERS_IN = "Authorization, Content-Encoding, Content-Type, Idempotency-Key, If-None-Match, traceparent, X-Request-Id"
_HEADERS_OUT = (
    "Batch-State, ETag, Idempotent-Replayed, Location, Retry-After, traceparent, WWW-Authenticate, X-Request-Id"
)
_PREFLIGHT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class _Allowed:
    """`hosts`: names besides those of this machine, None for any. `origins`: whose pages may ask."""

    hosts: frozenset[str] | None
    origins: frozenset[str]


def install(app: Flask, settings: Settings) -> None:
    """Answer by the names, and to the pages, that the settings allow."""
    anywhere = not settings.hosts and not settings.on_loopback
    app.extensions[_KEY] = _Allowed(None if anywhere else frozenset(settings.hosts), frozenset(settings.origins))
    app.before_request(_check_host)
    app.after_request(_allow_origin)


def check_site() -> None:
    """That no page of another site makes the current request change anything. Raises Refused (403)."""
    if request.method in _READING:
        return
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if origin is not None and origin.lower() in _allowed().origins:
        return
    if not (_is_ours(origin) if site is None else site in _OURS):
        raise Refused(CROSS_SITE, "A page of another site sent it. SCRUBBER_ORIGINS lists the sites that may.")


def _is_ours(origin: str | None) -> bool:
    """For browsers that do not send Sec-Fetch-Site; what is no browser sends no Origin either."""
    return origin is None or origin.lower().partition("://")[2] == request.headers.get("Host", "").lower()


def _check_host() -> None:
    """Raises Refused (421). Whoever looks after the health of a process knows it by its address."""
    allowed, host = _allowed().hosts, request.headers.get("Host")
    if allowed is None or host is None or request.blueprint == "health":
        return
    found = _HOST.fullmatch(host.lower())
    name = (found[1] or found[2]) if found else ""
    if name not in allowed and not is_loopback(name):
        raise Refused(WRONG_HOST, "The Host of the request is none that this service has; SCRUBBER_HOSTS lists them.")


def _allow_origin(response: Response) -> Response:
    """What a browser asks for before it lets a page of another site read the answer."""
    origins = _allowed().origins
    if not origins:
        return response
    response.vary.add("Origin")
    origin = request.headers.get("Origin")
    if origin is None or origin.lower() not in origins:
        return response
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = _HEADERS_OUT
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
        response.headers["Access-Control-Allow-Headers"] = _HEADERS_IN
        response.headers["Access-Control-Max-Age"] = str(_PREFLIGHT_SECONDS)
    return response


def _allowed() -> _Allowed:
    return cast(_Allowed, current_app.extensions[_KEY])
