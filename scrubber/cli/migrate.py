"""Around the path, `scrubber migrate`: brings every store of the settings to the schema of this program."""

from __future__ import annotations

import click

from scrubber.cli.opening import Unusable, settings, told_plainly
from scrubber.cli.stores import every_store
from scrubber.errors import ConfigError, LedgerDown
from scrubber.migrations import EMPTY, Store

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
    except (LedgerDown, ConfigError) as error:
        click.echo(f"  {error}", err=True)
        return None
    if done and not dry_run:
        click.echo(f"  done: {_state(store.version().number)}")
    elif not done:
        click.echo("  nothing to do")
    return len(done)


def _state(version: int) -> str:
    return f"schema version {version}" if version else "nothing is kept there yet"
