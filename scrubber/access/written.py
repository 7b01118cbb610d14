"""Around the path: what every store of keys keeps as a row of its table, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from scrubber.access.key import Key

COLUMNS = (
    "id",
    "digest",
    "tenant",
    "scopes",
    "name",
    "created",
    "expires",
    "revoked",
    "replaces",
    "rate",
    "concurrent",
)
# A row of either database: its columns by name.
Row = Mapping[str, Any] | Any


def to_row(key: Key) -> tuple[Any, ...]:
    """The values of COLUMNS."""
    moments = (moment.isoformat() if moment else None for moment in (key.created, key.expires, key.revoked))
    scopes = " ".join(key.scopes)
    return key.id, key.digest, key.tenant, scopes, key.name, *moments, key.replaces, key.rate, key.concurrent


def from_row(row: Row) -> Key:
    """The key of a row."""
    return Key(
        id=row["id"],
        digest=bytes(row["digest"]),
        tenant=row["tenant"],
        scopes=tuple(row["scopes"].split()),
        name=row["name"],
        created=datetime.fromisoformat(row["created"]),
        expires=_moment(row["expires"]),
        revoked=_moment(row["revoked"]),
        replaces=row["replaces"],
        rate=row["rate"],
        concurrent=row["concurrent"],
    )


def sooner(expires: datetime | None, until: datetime) -> str:
    """When a key that is rotated expires: never later than it did before."""
    return (until if expires is None else min(expires, until)).isoformat()


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
