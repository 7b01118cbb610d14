"""Who asks: the key of a request, its tenant, its scopes and its limits.

What an address needs stands in the list of resources (`openapi.RESOURCES`), what a parameter needs besides stands here;
the check and the documentation read the same ones. An address that is in neither needs `admin`. What is found out is
kept in the WSGI environ: that costs less than Flask's own places, and a key may cost little of what a claim does
(benchmarks/access.py).

Against a page that has its own name lead to this machine (DNS rebinding), and against one that sends forms and requests
here from elsewhere, wherever no key keeps it out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from math import ceil
from typing import Any, NamedTuple, cast

from flask import Flask, Request, Response, current_app, request

from scrubber.access.key import ADMIN, PRIORITY, RULES_SWITCH, Key
from scrubber.access.known_keys import AccessPolicy
from scrubber.access.limits import RequestCounters, TooMany
from scrubber.api import logs
from scrubber.api.problems import CROSS_SITE, FORBIDDEN, KEY_NEEDED, TOO_MANY, WRONG_HOST, Refused
from scrubber.batch.model import DEFAULT_TENANT
from scrubber.config import Settings, is_loopback
from scrubber.errors import KeysDown

# Of each parameter of an address, the scope that it needs besides.
SCOPE_OF_PARAMETER = {"enable": RULES_SWITCH, "disable": RULES_SWITCH, "priority": PRIORITY}
_POLICY = "claim-scrubber-access"
_CALLER = "scrubber.caller"  # in the environ: who asks, and
_ENTERED = "scrubber.entered"  # where the request is counted
_SCHEME = "bearer "
_CHALLENGE = 'Bearer realm="claim-scrubber"'
Environ = dict[str, Any]


class Caller(NamedTuple):
    """Who asks. `key` is None where none is demanded."""

    tenant: str
    key: Key | None


_ANYBODY = Caller(DEFAULT_TENANT, None)


def install_access(app: Flask, policy: AccessPolicy, scope_of: Mapping[str, str | None]) -> None:
    """Let nobody ask `app` whom the policy does not let. `scope_of`: of each blueprint, the scope that it needs."""
    app.extensions[_POLICY] = policy

    @app.before_request
    def admit() -> None:
        # One look behind the proxy, which every other use of it would be as well.
        _admit(policy, scope_of, cast(Request, request._get_current_object()))  # type: ignore[attr-defined]

    # What is counted ends here and not in hooks, which would cost each request more than the counting itself.
    app.wsgi_app = _Counted(app.wsgi_app, policy.limits)  # type: ignore[method-assign]


def caller() -> Caller | None:
    """Who makes the current request; None: somebody without a key, where no key is needed but others have one."""
    return cast(Caller | None, request.environ.get(_CALLER))


def tenant() -> str:
    """Whose batches the current request may see."""
    return cast(Caller, request.environ[_CALLER]).tenant


def check_keys() -> None:
    """That keys can be read. Raises KeysDown."""
    cast(AccessPolicy, current_app.extensions[_POLICY]).demands_keys()


def _admit(policy: AccessPolicy, scope_of: Mapping[str, str | None], incoming: Request) -> None:
    """Before each request. Raises Refused (401, 403, 429) and KeysDown."""
    rule, environ = incoming.url_rule, incoming.environ
    if rule is None or incoming.method == "OPTIONS":
        return
    scope = scope_of.get(rule.endpoint.rpartition(".")[0], ADMIN)
    if scope is None:
        environ[_CALLER] = _known_caller(policy, environ)
    elif policy.demands_keys():
        environ[_CALLER] = Caller((key := _key(policy, environ)).tenant, key)
        _check_scopes(key, scope, incoming)
        _count(policy, key, environ)
    else:
        check_site()
        environ[_CALLER] = _ANYBODY


def _known_caller(policy: AccessPolicy, environ: Environ) -> Caller | None:
    """Who asks where nobody needs a key: one that is not valid, or cannot be looked up, is as good as none."""
    try:
        return Caller((key := _key(policy, environ)).tenant, key) if policy.demands_keys() else _ANYBODY
    except (Refused, KeysDown):
        return None


def _key(policy: AccessPolicy, environ: Environ) -> Key:
    sent: str = environ.get("HTTP_AUTHORIZATION", "")
    if sent[: len(_SCHEME)].lower() != _SCHEME:
        raise _unknown("Send a key: `Authorization: Bearer KEY`. Whoever runs the service makes keys.")
    key = policy.known.find(sent[len(_SCHEME) :].strip()) if policy.known else None
    if key is None:
        raise _unknown("The key is not known here.", wrong=True)
    state = key.state(datetime.now(UTC))
    if state != "valid":
        raise _unknown(f"The key is {state}.", wrong=True)
    logs.log_key(key.id)
    return key


def _unknown(detail: str, wrong: bool = False) -> Refused:
    challenge = f'{_CHALLENGE}, error="invalid_token"' if wrong else _CHALLENGE
    return Refused(KEY_NEEDED, detail, headers={"WWW-Authenticate": challenge})


def _check_scopes(key: Key, scope: str, incoming: Request) -> None:
    if key.allows(scope) and not incoming.query_string:
        return
    needed = [scope]
    if incoming.query_string:
        needed += [SCOPE_OF_PARAMETER[name] for name in incoming.args if name in SCOPE_OF_PARAMETER]
    missing = [name for name in needed if not key.allows(name)]
    if missing:
        missing = sorted(set(missing))
        lacking = " and ".join(f"`{name}`" for name in missing)
        challenge = f'{_CHALLENGE}, error="insufficient_scope", scope="{" ".join(missing)}"'
        raise Refused(FORBIDDEN, f"The key lacks the scope {lacking}.", headers={"WWW-Authenticate": challenge})


def _count(policy: AccessPolicy, key: Key, environ: Environ) -> None:
    rate = policy.each.rate if key.rate is None else key.rate
    concurrent = policy.each.concurrent if key.concurrent is None else key.concurrent
    if rate is None and concurrent is None:
        return
    try:
        environ[_ENTERED] = policy.limits.enter(key.id, rate, concurrent)
    except TooMany as bound:
        raise Refused(TOO_MANY, f"{bound.why} Ask again later.", after=ceil(bound.after)) from None


class _Counted:
    """The application; what `_count` has counted is under way until its answer is sent, or the client is gone."""

    def __init__(self, inner: Callable[..., Iterable[bytes]], limits: RequestCounters) -> None:
        self.inner = inner
        self._limits = limits

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        try:
            pieces = self.inner(environ, start_response)
        except BaseException:
            if _ENTERED in environ:
                self._limits.leave(environ[_ENTERED])
            raise
        return _Answer(pieces, self._limits, environ[_ENTERED]) if _ENTERED in environ else pieces


class _Answer:
    """The pieces of an answer, after which the count goes down."""

    def __init__(self, pieces: Iterable[bytes], limits: RequestCounters, entered: int) -> None:
        self._pieces = pieces
        self._limits = limits
        self._entered: int | None = entered

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)

    def close(self) -> None:
        """Called by the server, whether all was sent or not."""
        entered, self._entered = self._entered, None
        try:
            if hasattr(self._pieces, "close"):
                self._pieces.close()
        finally:
            if entered is not None:
                self._limits.leave(entered)


_ORIGINS = "claim-scrubber-origins"
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


def install_origins(app: Flask, settings: Settings) -> None:
    """Answer by the names, and to the pages, that the settings allow."""
    anywhere = not settings.hosts and not settings.on_loopback
    allowed = _Allowed(None if anywhere else frozenset(settings.hosts), frozenset(settings.origins))
    app.extensions[_ORIGINS] = allowed
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
    return cast(_Allowed, current_app.extensions[_ORIGINS])
