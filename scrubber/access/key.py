"""What an API key is: how one is made, what it allows, what is kept of it, and how one that is sent is checked.

A key is `scrubber_ID_SECRET`. The secret is 256 random bits, so its plain SHA-256 cannot be turned back and nothing
slower is needed (docs/decisions.md). The ID is no secret: lists and logs show it.
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

# By name: what it allows, in the words of the documentation.
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
    """Whether a tenant may be called so: 1 to 63 small letters, digits, dots, hyphens and underscores."""
    return _TENANT.fullmatch(name) is not None


PREFIX = "scrubber_"
_ID = r"[0-9a-f]{12}"
_KEY = re.compile(rf"{PREFIX}({_ID})_[A-Za-z0-9_-]{{43}}")
_SHOWN = re.compile(rf"(?:{PREFIX})?({_ID})(?:_[A-Za-z0-9_-]{{43}})?")
_NO_DIGEST = bytes(32)


@dataclass(frozen=True, slots=True)
class Key:
    """What is kept of a key. Times are UTC.

    `digest` is the SHA-256 of the whole key. `expires` is None for a key that never does, `revoked` for one that was
    not. `replaces` is the id of the key that it was made for in a rotation. `rate` is requests a second, `concurrent`
    requests at once; None: what the service allows each key.
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
    def shown(self) -> str:
        """What may be shown of it: its beginning."""
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
        """Whether `text` is this key; takes as long whatever it is."""
        return hmac.compare_digest(self.digest, digest_of(text))


def new_text() -> tuple[str, str]:
    """The id and the whole text of a new key."""
    key_id = secrets.token_hex(6)
    return key_id, f"{PREFIX}{key_id}_{secrets.token_urlsafe(32)}"


def digest_of(text: str) -> bytes:
    """What is kept of the text of a key."""
    return hashlib.sha256(text.encode()).digest()


def id_in(text: str) -> str | None:
    """The id in the text of a key that was sent, None where it has not the form of a key."""
    found = _KEY.fullmatch(text)
    return found[1] if found else None


def id_named(text: str) -> str | None:
    """The id that somebody names on the command line: alone, as it is shown, or in the whole key."""
    found = _SHOWN.fullmatch(text)
    return found[1] if found else None


def hold_against_nothing(text: str) -> None:
    """Takes as long as holding a text against a key: what ids there are cannot be measured."""
    hmac.compare_digest(_NO_DIGEST, digest_of(text))
