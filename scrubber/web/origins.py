"""Around the path over HTTP: by which names the service is asked, and from which pages of a browser.

Against a page that has its own name lead to this machine (DNS rebinding), and against one that sends forms and requests
here from elsewhere, wherever no key keeps it out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache, partial
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
_REMEMBERED = 64  # names that were asked by


@dataclass(frozen=True, slots=True)
class _Allowed:
    """`hosts`: names besides those of this machine, None for any. `origins`: whose pages may ask."""

    hosts: frozenset[str] | None
    origins: frozenset[str]


def install(app: Flask, settings: Settings) -> None:
    """Answer by the names, and to the pages, that the settings allow."""
    anywhere = not settings.hosts and not settings.on_loopback
    allowed = _Allowed(None if anywhere else frozenset(settings.hosts), frozenset(settings.origins))
    app.extensions[_KEY] = allowed
    if allowed.hosts is not None:
        app.before_request(partial(_check_host, allowed.hosts))
    if allowed.origins:
        app.after_request(partial(_allow_origin, allowed.origins))


def check_site() -> None:
    """That no page of another site makes the current request change anything. Raises Refused (403)."""
    if request.method in _READING:
        return
    environ = request.environ
    origin, site = environ.get("HTTP_ORIGIN"), environ.get("HTTP_SEC_FETCH_SITE")
    if origin is None and site is None:
        return  # no browser
    if origin is not None and origin.lower() in _allowed().origins:
        return
    if not (_is_from_here(origin) if site is None else site in _OURS):
        raise Refused(CROSS_SITE, "A page of another site sent it. SCRUBBER_ORIGINS lists the sites that may.")


def _is_from_here(origin: str | None) -> bool:
    """For browsers that do not send Sec-Fetch-Site."""
    return origin is None or origin.lower().partition("://")[2] == request.headers.get("Host", "").lower()


def _check_host(hosts: frozenset[str]) -> None:
    """Raises Refused (421). Whoever looks after the health of a process knows it by its address."""
    host = request.environ.get("HTTP_HOST")
    if host is None or _is_ours(host, hosts) or request.blueprint == "health":
        return
    raise Refused(WRONG_HOST, "The Host of the request is none that this service has; SCRUBBER_HOSTS lists them.")


@lru_cache(_REMEMBERED)
def _is_ours(host: str, hosts: frozenset[str]) -> bool:
    found = _HOST.fullmatch(host.lower())
    name = (found[1] or found[2]) if found else ""
    return name in hosts or is_loopback(name)


def _allow_origin(origins: frozenset[str], response: Response) -> Response:
    """What a browser asks for before it lets a page of another site read the answer."""
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
