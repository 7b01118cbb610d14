"""Opens the store of API keys that the settings of a deployment name."""

from __future__ import annotations

from pathlib import Path

from scrubber.access.sqlite import SqliteKeys
from scrubber.access.store import KeyStore
from scrubber.errors import ConfigError


def open_keys(state: Path | None, database: str | None) -> KeyStore | None:
    """The keys in a database, or else in a file below the state folder; None where the deployment has neither.

    Raises ConfigError for a database where psycopg is not installed. Nothing is opened yet.
    """
    if database is not None:
        return _in_database(database)
    return None if state is None else SqliteKeys(state / "keys.sqlite")


def _in_database(address: str) -> KeyStore:
    try:
        from scrubber.access.postgres import open_postgres_keys
    except ImportError:
        raise ConfigError(
            "SCRUBBER_DATABASE_URL needs psycopg: pip install 'claim-scrubber[postgres]'; unset it to keep API keys in"
            " a file below SCRUBBER_STATE"
        ) from None
    return open_postgres_keys(address)
