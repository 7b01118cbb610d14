"""Around the path: every store of the settings, each with its schema version, and whether this program can use them."""

from __future__ import annotations

from collections.abc import Callable

from scrubber.access.place import open_keys
from scrubber.batch.place import open_batches, state_store
from scrubber.cli.opening import Unusable
from scrubber.config import Settings
from scrubber.errors import ConfigError, LedgerDown, NewerStore
from scrubber.migrations import Store
from scrubber.reference.live import open_place


def every_store(chosen: Settings) -> tuple[Store, ...]:
    """The state, batches, API keys, and the reference data that was loaded.

    Raises ConfigError for one that cannot be named.
    """
    batches, keys = open_batches(chosen.state, chosen.database), open_keys(chosen.state, chosen.database)
    return (
        *((state_store(chosen.state),) if chosen.state is not None else ()),
        *((batches.store,) if batches is not None else ()),
        *((keys.store,) if keys is not None else ()),
        *((open_place(chosen.reference).store,) if chosen.reference is not None else ()),
    )


def check_stores(chosen: Settings, outage: Callable[[str], None]) -> None:
    """Called before a service or workers start. Raises Unusable where a store was written by a newer program.

    A store that cannot be reached just now is no reason not to start: `outage` is told, and it is looked at when it is
    used. What is to be migrated is migrated then, too.
    """
    for store in every_store(chosen):
        try:
            store.pending()
        except NewerStore as error:
            raise Unusable(f"not started: {error}") from None
        except (LedgerDown, ConfigError) as error:
            outage(str(error))
    _begin_state(chosen, outage)


def _begin_state(chosen: Settings, outage: Callable[[str], None]) -> None:
    if chosen.state is None:
        return
    store = state_store(chosen.state)
    try:
        store.begin()
        store.migrate()
    except (ConfigError, OSError) as error:
        outage(str(error) if isinstance(error, ConfigError) else f"{store.name} cannot be written: {error.strerror}")
