"""`scrubber migrate`: brings every store of the settings to this program's schema; services check stores at start."""

from __future__ import annotations

from collections.abc import Callable

import click

from scrubber.access.open_store import open_keys
from scrubber.batch.storage import open_batches, state_store
from scrubber.cli.options import Unusable, current_settings, errors_as_messages
from scrubber.config import Settings
from scrubber.errors import ConfigError, NewerStore, StoreUnavailable
from scrubber.migrations import EMPTY, Store
from scrubber.reference.live import open_storage


def every_store(settings: Settings) -> tuple[Store, ...]:
    """The stores of the state, batches, API keys and loaded reference data.

    Raises ConfigError for a setting that names no usable store.
    """
    batches, keys = open_batches(settings.state, settings.database), open_keys(settings.state, settings.database)
    return (
        *((state_store(settings.state),) if settings.state is not None else ()),
        *((batches.store,) if batches is not None else ()),
        *((keys.store,) if keys is not None else ()),
        *((open_storage(settings.reference).store,) if settings.reference is not None else ()),
    )


def check_stores(settings: Settings, outage: Callable[[str], None]) -> None:
    """Called before a service or workers start. Raises Unusable where a store was written by a newer program.

    A store that cannot be reached at the moment does not prevent a start: `outage` is called, and the store is checked
    when it is used, and migrated then where it needs to be.
    """
    for store in every_store(settings):
        try:
            store.pending()
        except NewerStore as error:
            raise Unusable(f"not started: {error}") from None
        except (StoreUnavailable, ConfigError) as error:
            outage(str(error))
    _begin_state(settings, outage)


def _begin_state(settings: Settings, outage: Callable[[str], None]) -> None:
    if settings.state is None:
        return
    store = state_store(settings.state)
    try:
        store.begin()
        store.migrate()
    except (ConfigError, OSError) as error:
        outage(str(error) if isinstance(error, ConfigError) else f"{store.name} cannot be written: {error.strerror}")


PENDING = 1


@click.command()
@click.option("--dry-run", is_flag=True, help="Only list what would be done. Exit code 1: there is something.")
@click.pass_context
def migrate(ctx: click.Context, dry_run: bool) -> None:
    """Bring stores that an earlier program wrote to the schema of this one.

    The stores are the folder SCRUBBER_STATE, the ledger of batches and the API keys in it or in SCRUBBER_DATABASE_URL,
    and the reference data in SCRUBBER_REFERENCE. `scrubber serve` and `scrubber worker` do the same when they first use
    a store. Run it ahead of them where their user of the database may not change tables, or to see what is to be done.

    Each store changes in one transaction: a run that is killed leaves it as it was, and the next does it again. Of two
    runs at once one does it. Migrations add, so that programs of the version before go on meanwhile; a store that they
    could not use any more says so, and they refuse to start.

    \b
    scrubber migrate --dry-run
    scrubber migrate
    SCRUBBER_DATABASE_URL=postgresql://owner@db/batches scrubber migrate

    Exit code 2: a store cannot be reached, or is newer than this program.
    """
    with errors_as_messages():
        stores = every_store(current_settings())
    found = [_one(store, dry_run) for store in stores]
    if None in found:
        raise Unusable("not every store could be brought up to date")
    if dry_run and any(found):
        ctx.exit(PENDING)


def _one(store: Store, dry_run: bool) -> int | None:
    """How many migrations there were; None where the store cannot be used."""
    try:
        before = store.version()
        click.echo(f"{store.name}: {_state(before.number)}")
        if before == EMPTY:
            return 0
        for each in store.pending():
            click.echo(f"  {'would migrate' if dry_run else 'migrating'} to version {each.version}: {each.what}")
        done = store.pending() if dry_run else store.migrate()
    except (StoreUnavailable, ConfigError) as error:
        click.echo(f"  {error}", err=True)
        return None
    if done and not dry_run:
        click.echo(f"  done: {_state(store.version().number)}")
    elif not done:
        click.echo("  nothing to do")
    return len(done)


def _state(version: int) -> str:
    return f"schema version {version}" if version else "nothing is kept there yet"
