"""Defines API keys: how one is made, what it allows, what is stored of it, and how one that is sent is checked.

A key is `scrubber_ID_SECRET`. The secret is 256 random bits, so its plain SHA-256 cannot be reversed, and no slower
hash is needed (docs/decisions.md). The ID is not secret: lists and logs show it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime

SCRUB = "scrub"
BATCH = "batch"
PRIORITY = "batch:priority"
RULES_READ = "rules:read"
RULES_SWITCH = "rules:switch"
RULES_RELOAD = "rules:reload"
REFERENCE_LOAD = "reference:load"
ADMIN = "admin"

# By name: what the scope allows, as the documentation states it.
SCOPES: dict[str, str] = {
    SCRUB: "Scrub single claims, and have their findings explained.",
    BATCH: "Send batches, follow them, read their results, cancel and delete them.",
    PRIORITY: "Give a batch a priority.",
    RULES_READ: "Read rules, codes, prices and the releases of reference data.",
    RULES_SWITCH: "Switch single rules on or off for one claim or one batch.",
    RULES_RELOAD: "Have new rules taken. No address of this version does that.",
    REFERENCE_LOAD: "Load reference data. No address of this version does that.",
    ADMIN: "All of these.",
}
_TENANT = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def is_tenant(name: str) -> bool:
    """Whether this can be the name of a tenant: 1 to 63 small letters, digits, dots, hyphens and underscores."""
    return _TENANT.fullmatch(name) is not None


PREFIX = "scrubber_"
_ID = r"[0-9a-f]{12}"
_KEY = re.compile(rf"{PREFIX}({_ID})_[A-Za-z0-9_-]{{43}}")
_PUBLIC_OR_WHOLE = re.compile(rf"(?:{PREFIX})?({_ID})(?:_[A-Za-z0-9_-]{{43}})?")
_NO_DIGEST = bytes(32)


@dataclass(frozen=True, slots=True)
class Key:
    """What is stored of a key. Times are UTC.

    `digest` is the SHA-256 of the whole key. `expires` is None for a key that never does, `revoked` for one that was
    not. `replaces` is the id of the key that it succeeded in a rotation. `rate` is requests a second, `concurrent`
    requests at once; None: the limit that the service has for every key.
    """

    id: str
    digest: bytes = field(repr=False)
    tenant: str
    scopes: tuple[str, ...]
    name: str
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None
    replaces: str | None = None
    rate: float | None = None
    concurrent: int | None = None

    @property
    def public_id(self) -> str:
        """The beginning of the key, which is not secret."""
        return f"{PREFIX}{self.id}"

    def allows(self, scope: str) -> bool:
        """Whether it has a scope, or all of them."""
        return scope in self.scopes or ADMIN in self.scopes

    def state(self, now: datetime) -> str:
        """valid, expired or revoked."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "valid"

    def is_text(self, text: str) -> bool:
        """Whether `text` is this key; takes the same time for every text."""
        return hmac.compare_digest(self.digest, key_digest(text))


def new_text() -> tuple[str, str]:
    """The id and the whole text of a new key."""
    key_id = secrets.token_hex(6)
    return key_id, f"{PREFIX}{key_id}_{secrets.token_urlsafe(32)}"


def key_digest(text: str) -> bytes:
    """The digest of the text of a key, which is all that is stored of its secret."""
    return hashlib.sha256(text.encode()).digest()


def id_in(text: str) -> str | None:
    """The id in the text of a key that was sent; None where the text does not have the form of a key."""
    found = _KEY.fullmatch(text)
    return found[1] if found else None


def id_given(text: str) -> str | None:
    """The id in what was given on the command line: an id, its public form, or a whole key; None: none of these."""
    found = _PUBLIC_OR_WHOLE.fullmatch(text)
    return found[1] if found else None


def compare_with_no_key(text: str) -> None:
    """Takes as long as the comparison with a key, so that response times do not reveal which ids exist."""
    hmac.compare_digest(_NO_DIGEST, key_digest(text))
