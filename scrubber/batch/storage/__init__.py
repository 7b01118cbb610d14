"""The job store and the file store of a deployment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from scrubber.batch.model import LEASE_SECONDS, FileStore, JobStore, Notify, notify_nobody
from scrubber.batch.storage.files import NO_SPACE, FolderFileStore
from scrubber.batch.storage.sqlite import SqliteJobStore
from scrubber.errors import ConfigError
from scrubber.migrations import FolderMigration, FolderStore, Store

STATE_MIGRATIONS = (
    FolderMigration(1, 1, "files of batches, rulebooks that answered, rules in force", lambda _folder: None),
)


@dataclass(frozen=True, slots=True)
class Batches:
    """The stores of batches: their state, their bytes, and the notification of workers.

    `store` is what has a schema version, and migrations.
    """

    job_store: JobStore
    file_store: FileStore
    store: Store
    notify: Notify = notify_nobody

    def stalled_reason(self) -> str | None:
        """Why batches do not go on just now; None where they do. Raises StoreUnavailable."""
        return NO_SPACE if self.file_store.full() else self.job_store.stalled_reason()


def open_batches(
    state: Path | None, database: str | None, lease_seconds: float = LEASE_SECONDS, broker: str | None = None
) -> Batches | None:
    """The batches of a database, or else of a folder; None where the deployment keeps nothing.

    Raises ConfigError for a database or a broker where what it takes is not installed. Nothing is opened yet.
    """
    if database is not None:
        batches = _in_database(database, lease_seconds)
        return batches if broker is None else replace(batches, notify=_notifier(broker))
    if state is None:
        return None
    job_store = SqliteJobStore(state / "batches.sqlite", lease_seconds)
    return Batches(job_store, FolderFileStore(state / "batches"), job_store.store)


def state_store(state: Path) -> FolderStore:
    """The folder of Settings.state, with all that lies in it as files."""
    return FolderStore("the state in", state, STATE_MIGRATIONS)


def _notifier(broker: str) -> Notify:
    try:
        from scrubber.batch.celery import Broker
    except ImportError:
        raise ConfigError("SCRUBBER_BROKER_URL needs Celery: pip install 'claim-scrubber[celery]'") from None
    return Broker(broker).notify


def _in_database(address: str, lease_seconds: float) -> Batches:
    try:
        from scrubber.batch.storage.postgres import PostgresJobStore
        from scrubber.batch.storage.postgres_files import PostgresFileStore
        from scrubber.batch.storage.postgres_tables import open_database
    except ImportError:
        raise ConfigError(
            "SCRUBBER_DATABASE_URL needs psycopg: pip install 'claim-scrubber[postgres]'; unset it to keep batches in"
            " files below SCRUBBER_STATE"
        ) from None
    database = open_database(address)
    job_store = PostgresJobStore(database, lease_seconds)
    return Batches(job_store, PostgresFileStore(database), job_store.store)
