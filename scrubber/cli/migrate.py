"""Every store of the settings, each with its schema version, and whether this program can use them."""

from __future__ import annotations

from collections.abc import Callable

import click

from scrubber.access.open_store import open_keys
from scrubber.batch.storage import open_batches, state_store
from scrubber.cli.options import Unusable, settings, told_plainly
from scrubber.config import Settings
from scrubber.errors import ConfigError, NewerStore, StoreUnavailable
from scrubber.migrations import EMPTY, Store
from scrubber.reference.live import open_storage


def every_store(chosen: Settings) -> tuple[Store, ...]:
    """The state, batches, API keys, and the reference data that was loaded.

    Raises ConfigError for one that cannot be named.
    """
    batches, keys = open_batches(chosen.state, chosen.database), open_keys(chosen.state, chosen.database)
    return (
        *((state_store(chosen.state),) if chosen.state is not None else ()),
        *((batches.store,) if batches is not None else ()),
        *((keys.store,) if keys is not None else ()),
        *((open_storage(chosen.reference).store,) if chosen.reference is not None else ()),
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
        except (StoreUnavailable, ConfigError) as error:
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
    with told_plainly():
        stores = every_store(settings())
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
