"""Around the path, `scrubber serve`: the service until it is told to end."""

from __future__ import annotations

import os
import sys

import click

from scrubber.app import reloading_app
from scrubber.cli.opening import Unusable, settings, told_plainly
from scrubber.cli.stores import check_stores
from scrubber.config import unknown_settings
from scrubber.errors import Faults
from scrubber.web import server
from scrubber.web.logs import open_log
from scrubber.web.reload.watch import Watch

NOT_STARTED = (
    "The service was not started. `scrubber rules lint` and `scrubber rules test` find faults of rules, too; "
    "docs/deploying.md says what a start asks of rules."
)


@click.command()
@click.option("--watch", is_flag=True, help="Reload whenever a file of rules is saved, and say what came of it.")
def serve(watch: bool) -> None:
    """Serve the API until TERM or INT; HUP checks rules and CSV tables and takes them without a pause.

    Rules are checked at the start as they are by HUP: linted, tested, and their versions held against the rules that
    were last in force. What passed before is only loaded.

    \b
    scrubber serve
    scrubber serve --watch
    SCRUBBER_BIND=0.0.0.0:8080 SCRUBBER_WORKERS=4 scrubber serve

    Who listens on more than this machine needs API keys (`scrubber keys --help`), or does not start.

    \b
    SCRUBBER_BIND            HOST:PORT to listen on (127.0.0.1:8080)
    SCRUBBER_RULES           folder of rules (rules)
    SCRUBBER_REFERENCE       reference data (the starter tables)
    SCRUBBER_STATE           folder that batches and rulebooks which answered are kept in
                             (~/.local/state/claim-scrubber)
    SCRUBBER_WORKERS         processes (one per core)
    SCRUBBER_THREADS         threads of each (3); all but one may carry batches
    SCRUBBER_MAX_BODY_BYTES  largest claim (10000000)
    SCRUBBER_STALE_AFTER     days past its last release after which a loaded table warns on
                             claims, and the service is not ready (183; or never)
    SCRUBBER_READY_DAYS      the same for /readyz alone
    SCRUBBER_BATCH_WORKERS   processes that scrub batches (one per core; 0: none here)
    SCRUBBER_MAX_BATCH_BYTES largest batch, as sent and unpacked (10000000000)
    SCRUBBER_KEEP_DAYS       days that an ended batch is kept (7)
    SCRUBBER_DATABASE_URL    PostgreSQL that keeps batches (files in SCRUBBER_STATE)
    SCRUBBER_BROKER_URL      broker for Celery to carry batches (workers ask the database)
    SCRUBBER_LEASE_SECONDS   after which a chunk of a silent worker goes to another (30)
    SCRUBBER_WEBHOOK_HOSTS   hosts that may be told of the end of a batch (none)
    SCRUBBER_WEBHOOK_SECRET  what such messages are signed with
    SCRUBBER_OPEN            yes: nobody needs a key; no: everybody does (only on this machine,
                             and while there is no key, does nobody)
    SCRUBBER_TLS_CERTIFICATE, SCRUBBER_TLS_KEY
                             PEM files, to speak HTTPS (HTTP)
    SCRUBBER_HOSTS           names that are answered to (on loopback: its own; else any)
    SCRUBBER_ORIGINS         origins whose pages may ask from a browser (none)
    SCRUBBER_KEY_RATE        requests a second of a key that does not say (any number)
    SCRUBBER_KEY_CONCURRENT  requests at once of such a key (any number)
    """
    for name in unknown_settings(os.environ):
        click.echo(f"{name} is no setting and has no effect", err=True)
    chosen = settings()
    with told_plainly():
        check_stores(chosen, lambda why: open_log(sys.stdout).error("store away", reason=why))
        try:
            app, reloads = reloading_app(chosen, _say if watch else None)
        except Faults as error:
            raise Unusable(f"{len(error.faults)} fault(s)\n{error}\n{NOT_STARTED}") from None
    server.serve(app, reloads, Watch(chosen.rules) if watch else None)


def _say(line: str) -> None:
    click.echo(line, err=True)
