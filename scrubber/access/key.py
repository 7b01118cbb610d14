"""Around the path: an API key: how one is made, what is kept of it, and how one that is sent is held against that.

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

from scrubber.access.scopes import ADMIN

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
