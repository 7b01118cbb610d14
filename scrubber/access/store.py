"""Defines the store of API keys that all processes of a deployment share, and a key as a row of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from scrubber.access.key import Key
from scrubber.migrations import Store


class KeyStore(Protocol):
    """Keys, in the order in which they were made. Safe for several processes and threads; nothing is cached.

    Every method raises KeysDown when the store cannot be read or written.
    """

    @property
    def store(self) -> Store:
        """The store for `scrubber migrate`."""

    def revision(self) -> int:
        """A number that increases with every change; 0 where there never was a key."""

    def every(self) -> list[Key]:
        """All keys, expired and revoked ones too."""

    def add(self, key: Key) -> None:
        """Store a new key, durably."""

    def rotate(self, key_id: str, successor: Callable[[Key], Key], until: datetime) -> Key | None:
        """Store the successor of a key, which itself expires at `until` or before. None where there is no such key.

        `successor` is given the key as it is; where it raises, nothing changes.
        """

    def revoke(self, key_id: str, now: datetime) -> Key | None:
        """Revoke a key from now on; one that was revoked before stays so. None where there is no such key."""


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
KeyRow = Mapping[str, Any] | Any


def to_row(key: Key) -> tuple[Any, ...]:
    """The values of COLUMNS."""
    moments = (moment.isoformat() if moment else None for moment in (key.created, key.expires, key.revoked))
    scopes = " ".join(key.scopes)
    return key.id, key.digest, key.tenant, scopes, key.name, *moments, key.replaces, key.rate, key.concurrent


def from_row(row: KeyRow) -> Key:
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
