"""API keys for tests: made in a store, and sent with a request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from scrubber.access.key import ADMIN, Key, key_digest, new_text
from scrubber.access.open_store import open_keys
from scrubber.access.store import KeyStore


def store_in(state: Path, database: str | None = None) -> KeyStore:
    store = open_keys(state, database)
    assert store is not None
    return store


def add_key(store: KeyStore, *scopes: str, tenant: str = "clinic-a", **more: Any) -> str:
    """The text of a new key; `admin` where no scope is named. It is good for a day, unless `more` says otherwise."""
    key_id, text = new_text()
    now = datetime.now(UTC)
    kept: dict[str, Any] = {"name": "", "created": now, "expires": now + timedelta(days=1)}
    store.add(Key(key_id, key_digest(text), tenant, scopes or (ADMIN,), **(kept | more)))
    return text


def forget_keys(address: str) -> None:
    """Remove all keys of a database: with one, every service over it would demand them."""
    import psycopg

    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS scrubber_access CASCADE")


def bearer(text: str) -> dict[str, str]:
    """What is sent along."""
    return {"Authorization": f"Bearer {text}"}
