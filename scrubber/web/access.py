"""Around the path over HTTP: who asks: the key of a request, its tenant, its scopes and its limits.

What an address needs stands in two tables here; the check and the documentation read the same ones. An address that is
in neither needs `admin`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import cast

from flask import Flask, Response, current_app, g, request

from scrubber.access.key import Key
from scrubber.access.limits import Allowed, TooMany
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
_SCHEME = "bearer "
_CHALLENGE = 'Bearer realm="claim-scrubber"'


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `key` is None where none is demanded."""

    tenant: str
    key: Key | None


_ANYBODY = Caller(DEFAULT_TENANT, None)


def install(app: Flask, policy: Policy) -> None:
    """Let nobody ask `app` whom the policy does not let."""
    app.extensions[_KEY] = policy
    app.before_request(_admit)
    app.after_request(_leave_when_sent)
    app.teardown_request(_leave_unsent)


def caller() -> Caller | None:
    """Who makes the current request; None: somebody without a key, where no key is needed but others have one."""
    return cast(Caller | None, g.caller)


def tenant() -> str:
    """Whose batches the current request may see."""
    return cast(Caller, g.caller).tenant


def check_keys() -> None:
    """That keys can be read. Raises KeysDown."""
    _policy().demands_keys()


def _admit() -> None:
    """Before each request. Raises Refused (401, 403, 429) and KeysDown."""
    g.caller, g.entered = None, None
    if request.url_rule is None or request.method == "OPTIONS":
        return
    policy, scope = _policy(), SCOPE_OF.get(request.blueprint or "", ADMIN)
    if scope is None:
        g.caller = _known_caller(policy)
    elif policy.demands_keys():
        g.caller = asking = _caller(policy)
        _check_scopes(asking.key, scope)
        _count(policy, asking.key)
    else:
        check_site()
        g.caller = _ANYBODY


def _known_caller(policy: Policy) -> Caller | None:
    """Who asks where nobody needs a key: one that is not valid, or cannot be looked up, is as good as none."""
    try:
        return _caller(policy) if policy.demands_keys() else _ANYBODY
    except (Refused, KeysDown):
        return None


def _caller(policy: Policy) -> Caller:
    sent = request.headers.get("Authorization", "")
    if sent[: len(_SCHEME)].lower() != _SCHEME:
        raise _unknown("Send a key: `Authorization: Bearer KEY`. Whoever runs the service makes keys.")
    key = policy.known.find(sent[len(_SCHEME) :].strip()) if policy.known else None
    if key is None:
        raise _unknown("The key is not known here.", wrong=True)
    state = key.state(datetime.now(UTC))
    if state != "valid":
        raise _unknown(f"The key is {state}.", wrong=True)
    logs.note_key(key.id)
    return Caller(key.tenant, key)


def _policy() -> Policy:
    return cast(Policy, current_app.extensions[_KEY])


def _unknown(detail: str, wrong: bool = False) -> Refused:
    challenge = f'{_CHALLENGE}, error="invalid_token"' if wrong else _CHALLENGE
    return Refused(KEY_NEEDED, detail, headers={"WWW-Authenticate": challenge})


def _check_scopes(key: Key | None, scope: str) -> None:
    needed = [scope, *(SCOPE_OF_PARAMETER[name] for name in request.args if name in SCOPE_OF_PARAMETER)]
    missing = sorted({name for name in needed if key is None or not key.allows(name)})
    if missing:
        told = " and ".join(f"`{name}`" for name in missing)
        challenge = f'{_CHALLENGE}, error="insufficient_scope", scope="{" ".join(missing)}"'
        raise Refused(FORBIDDEN, f"The key lacks the scope {told}.", headers={"WWW-Authenticate": challenge})


def _count(policy: Policy, key: Key | None) -> None:
    if key is None:
        return
    rate = policy.each.rate if key.rate is None else key.rate
    concurrent = policy.each.concurrent if key.concurrent is None else key.concurrent
    if rate is None and concurrent is None:
        return
    try:
        policy.limits.enter(key.id, Allowed(rate, concurrent))
    except TooMany as bound:
        raise Refused(TOO_MANY, f"{bound.why} Ask again later.", after=ceil(bound.after)) from None
    g.entered = key.id


def _leave_when_sent(response: Response) -> Response:
    """A long answer is under way until its last byte is sent, or the client is gone."""
    entered, g.entered = g.get("entered"), None
    if entered is not None:
        limits = _policy().limits
        response.call_on_close(lambda: limits.leave(entered))
    return response


def _leave_unsent(_error: BaseException | None) -> None:
    """Where a hook failed there was no answer to wait for."""
    entered, g.entered = g.get("entered"), None
    if entered is not None:
        _policy().limits.leave(entered)
