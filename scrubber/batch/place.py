"""Around the path: the ledger and the depot of a deployment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scrubber.batch.depot import Depot
from scrubber.batch.folder import FolderDepot
from scrubber.batch.ledger import LEASE_SECONDS, Ledger
from scrubber.batch.sqlite import SqliteLedger
from scrubber.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Batches:
    """Where batches are kept: what is known of them, and their bytes."""

    ledger: Ledger
    depot: Depot


def open_batches(state: Path | None, database: str | None, lease_seconds: float = LEASE_SECONDS) -> Batches | None:
    """The batches of a folder; None where the deployment keeps nothing.

    Raises ConfigError for a database: that is not built yet.
    """
    if database is not None:
        raise ConfigError("SCRUBBER_DATABASE_URL: batches in a database are not built yet")
    if state is None:
        return None
    return Batches(SqliteLedger(state / "batches.sqlite", lease_seconds), FolderDepot(state / "batches"))
