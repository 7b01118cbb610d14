"""Around the path over HTTP: who asks: the key of a request, its tenant, its scopes and its limits.

What an address needs stands in two tables here; the check and the documentation read the same ones. An address that is
in neither needs `admin`. What is found out is kept in the WSGI environ: that costs less than Flask's own places, and a
key may cost little of what a claim does (benchmarks/access.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from math import ceil
from typing import Any, NamedTuple, cast

from flask import Flask, Request, current_app, request

from scrubber.access.key import Key
from scrubber.access.limits import Limits, TooMany
from scrubber.access.policy import Policy
from scrubber.access.scopes import ADMIN, BATCH, PRIORITY, RULES_READ, RULES_SWITCH, SCRUB
from scrubber.batch.job import DEFAULT_TENANT
from scrubber.errors import KeysDown
from scrubber.web import logs
from scrubber.web.origins import check_site
from scrubber.web.problems import FORBIDDEN, KEY_NEEDED, TOO_MANY, Refused

# Of each blueprint, the scope that its addresses need; None: no key.
SCOPE_OF: dict[str, str | None] = {
    "claims": SCRUB,
    "batches": BATCH,
    "rules": RULES_READ,
    "codes": RULES_READ,
    "reference": RULES_READ,
    "health": None,
    "docs": None,
    "api-docs": None,
}
# Of each parameter of an address, the scope that it needs besides.
SCOPE_OF_PARAMETER = {"enable": RULES_SWITCH, "disable": RULES_SWITCH, "priority": PRIORITY}
_KEY = "claim-scrubber-access"
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


def install(app: Flask, policy: Policy) -> None:
    """Let nobody ask `app` whom the policy does not let."""
    app.extensions[_KEY] = policy

    @app.before_request
    def admit() -> None:
        # One look behind the proxy, which every other use of it would be as well.
        _admit(policy, cast(Request, request._get_current_object()))  # type: ignore[attr-defined]

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
    cast(Policy, current_app.extensions[_KEY]).demands_keys()


def _admit(policy: Policy, asked: Request) -> None:
    """Before each request. Raises Refused (401, 403, 429) and KeysDown."""
    rule, environ = asked.url_rule, asked.environ
    if rule is None or asked.method == "OPTIONS":
        return
    scope = SCOPE_OF.get(rule.endpoint.rpartition(".")[0], ADMIN)
    if scope is None:
        environ[_CALLER] = _known_caller(policy, environ)
    elif policy.demands_keys():
        environ[_CALLER] = Caller((key := _key(policy, environ)).tenant, key)
        _check_scopes(key, scope, asked)
        _count(policy, key, environ)
    else:
        check_site()
        environ[_CALLER] = _ANYBODY


def _known_caller(policy: Policy, environ: Environ) -> Caller | None:
    """Who asks where nobody needs a key: one that is not valid, or cannot be looked up, is as good as none."""
    try:
        return Caller((key := _key(policy, environ)).tenant, key) if policy.demands_keys() else _ANYBODY
    except (Refused, KeysDown):
        return None


def _key(policy: Policy, environ: Environ) -> Key:
    sent: str = environ.get("HTTP_AUTHORIZATION", "")
    if sent[: len(_SCHEME)].lower() != _SCHEME:
        raise _unknown("Send a key: `Authorization: Bearer KEY`. Whoever runs the service makes keys.")
    key = policy.known.find(sent[len(_SCHEME) :].strip()) if policy.known else None
    if key is None:
        raise _unknown("The key is not known here.", wrong=True)
    state = key.state(datetime.now(UTC))
    if state != "valid":
        raise _unknown(f"The key is {state}.", wrong=True)
    logs.note_key(key.id)
    return key


def _unknown(detail: str, wrong: bool = False) -> Refused:
    challenge = f'{_CHALLENGE}, error="invalid_token"' if wrong else _CHALLENGE
    return Refused(KEY_NEEDED, detail, headers={"WWW-Authenticate": challenge})


def _check_scopes(key: Key, scope: str, asked: Request) -> None:
    if key.allows(scope) and not asked.query_string:
        return
    needed = [scope]
    if asked.query_string:
        needed += [SCOPE_OF_PARAMETER[name] for name in asked.args if name in SCOPE_OF_PARAMETER]
    missing = [name for name in needed if not key.allows(name)]
    if missing:
        missing = sorted(set(missing))
        told = " and ".join(f"`{name}`" for name in missing)
        challenge = f'{_CHALLENGE}, error="insufficient_scope", scope="{" ".join(missing)}"'
        raise Refused(FORBIDDEN, f"The key lacks the scope {told}.", headers={"WWW-Authenticate": challenge})


def _count(policy: Policy, key: Key, environ: Environ) -> None:
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

    def __init__(self, inner: Callable[..., Iterable[bytes]], limits: Limits) -> None:
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

    def __init__(self, pieces: Iterable[bytes], limits: Limits, entered: int) -> None:
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
