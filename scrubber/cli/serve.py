"""`scrubber serve` and `scrubber worker`: run the service, and processes that scrub batches, until a signal."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime, timedelta

import click

from scrubber.api import logs
from scrubber.api.logs import open_log
from scrubber.app import reloading_app
from scrubber.authoring.admission import admit, admit_rolled_back, fault_lines, warning_event
from scrubber.authoring.check_cache import CheckCache
from scrubber.authoring.in_force import last_in_force, record_in_force
from scrubber.batch.maintenance import LogEvent, MaintenanceOptions
from scrubber.batch.pinned import PinnedScrubbers
from scrubber.batch.storage import Batches, open_batches
from scrubber.batch.work import WorkContext
from scrubber.batch.worker_pool import Duty, OpenContext, Pool, chunks, maintenance_duty
from scrubber.cli.migrate import check_stores
from scrubber.cli.options import Unusable, current_settings, errors_as_messages
from scrubber.config import Settings, cores, unknown_settings
from scrubber.errors import Faults
from scrubber.reference import LiveReference
from scrubber.rulebook.history import archive_or_warn
from scrubber.rulebook.rulebook import Rulebook
from scrubber.scrub import LiveScrubber
from scrubber.server import gunicorn
from scrubber.server.main_process import FolderWatch

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
    settings = current_settings()
    with errors_as_messages():
        check_stores(settings, lambda why: open_log(sys.stdout).error("store away", reason=why))
        try:
            app, reloader = reloading_app(settings, _print_line if watch else None)
        except Faults as error:
            raise Unusable(f"{len(error.faults)} fault(s)\n{error}\n{NOT_STARTED}") from None
    gunicorn.serve(app, reloader, FolderWatch(settings.rules) if watch else None)


def _print_line(line: str) -> None:
    click.echo(line, err=True)


OUTAGES = frozenset(
    ("batches stand still", "worker ended", "worker failed", "broker away", "reload refused", "webhook given up")
)


@click.command()
@click.option("--processes", type=click.IntRange(1), help="How many (SCRUBBER_BATCH_WORKERS, else one per core).")
@click.option("--parent", type=int, hidden=True, help="End with this process, whatever becomes of it.")
def worker(processes: int | None, parent: int | None) -> None:
    """Scrub batches until TERM or INT; HUP checks rules and CSV tables, and takes them.

    `scrubber serve` starts these by itself. Start them with this command where the service runs with
    SCRUBBER_BATCH_WORKERS=0, or on other machines with the same SCRUBBER_DATABASE_URL. A worker that dies is replaced,
    and what it was at is done again; on TERM each finishes its chunk. With SCRUBBER_BROKER_URL Celery runs them.

    \b
    scrubber worker
    scrubber worker --processes 8

    The settings are those of `scrubber serve`.
    """
    for name in unknown_settings(os.environ):
        click.echo(f"{name} is no setting and has no effect", err=True)
    settings = current_settings()
    count = processes or settings.batch_workers or cores()
    log = logs.open_log(sys.stdout)
    with errors_as_messages():
        _open_batches(settings)
        check_stores(settings, lambda why: log.error("store away", reason=why))
        afterwards = MaintenanceOptions(
            timedelta(days=settings.keep_days), settings.webhook_hosts, settings.webhook_secret
        )
        log_event: LogEvent = lambda event, fields: (log.error if event in OUTAGES else log.info)(event, **fields)  # noqa: E731
        duties = [maintenance_duty(afterwards), *_chunk_duties(settings, count, log_event)]
        pool = Pool(duties, _RulesOfWorkers(settings, log), log_event)
    logs.take_over(log)
    log.info("workers", processes=count)
    pool.run(lambda: parent is None or os.getppid() == parent)


def _chunk_duties(settings: Settings, count: int, log_event: LogEvent) -> list[Duty]:
    if settings.broker is None:
        return [chunks] * count
    from scrubber.batch.celery import celery_duties

    return celery_duties(settings.broker, count, log_event)


class _RulesOfWorkers:
    """Reads rules and reference data for all workers: at the start, and again for each reload.

    Rules must pass the same checks as in the service; what the service has checked is recorded, and not checked again.
    """

    def __init__(self, settings: Settings, log: logs.Log) -> None:
        self._settings = settings
        self._log = log

    def __call__(self) -> OpenContext:
        """A function that opens the context of a worker. Raises ScrubberError; nothing has changed then."""
        settings, log = self._settings, self._log
        reference = LiveReference(
            settings.reference, report=lambda why: log.error("reference data not read", reason=why)
        )
        live = LiveScrubber(self._in_force(reference), reference, settings.stale_after)
        pinned = PinnedScrubbers(
            settings.reference,
            settings.state,
            settings.stale_after,
            lambda why: log.warning("batch goes on with what is in force", reason=why),
        )
        return lambda: _open_context(settings, live, pinned)

    def _in_force(self, reference: LiveReference) -> Rulebook:
        """The rules of a rollback, where there was one, or else those of the folder."""
        settings, log = self._settings, self._log
        back = admit_rolled_back(settings.rules, settings.state)
        if back:
            log.warning("rolled back", rulebook=back.rulebook.digest)
            return back.rulebook
        earlier = last_in_force(
            settings.rules, settings.state, lambda why: log.warning("versions not compared", reason=why)
        )
        admitted = admit(settings.rules, reference.current(), CheckCache(settings.state), cores(), earlier)
        for line in fault_lines(settings.rules, admitted.warnings):
            log.warning(warning_event(line), reason=line)
        digest = admitted.rulebook.digest
        archive_or_warn(
            settings.rules, digest, settings.state, lambda why: log.warning("rulebook not kept", reason=why)
        )
        record_in_force(settings.rules, digest, settings.state)
        return admitted.rulebook


def _open_context(settings: Settings, live: LiveScrubber, pinned: PinnedScrubbers) -> WorkContext:
    batches = _open_batches(settings)
    return WorkContext(
        job_store=batches.job_store,
        file_store=batches.file_store,
        scrubber=live.current,
        most_row_bytes=settings.max_body_bytes,
        most_upload_bytes=settings.max_batch_bytes,
        now=_now,
        seconds=time.monotonic,
        alive=_nothing,
        lease_seconds=settings.lease_seconds,
        notify=batches.notify,
        pinned=pinned,
    )


def _open_batches(settings: Settings) -> Batches:
    batches = open_batches(settings.state, settings.database, settings.lease_seconds, settings.broker)
    if batches is None:
        raise Unusable("there is no place for batches: set SCRUBBER_STATE or SCRUBBER_DATABASE_URL")
    return batches


def _now() -> datetime:
    return datetime.now(UTC)


def _nothing() -> None:
    """A placeholder: the pool gives each worker its own."""
