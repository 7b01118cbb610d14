"""Around the path, `scrubber worker`: the processes that scrub batches, until they are told to end."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime, timedelta

import click

from scrubber.batch.errands import Afterwards, Tell
from scrubber.batch.pinned import PinnedScrubbers
from scrubber.batch.place import Batches, open_batches
from scrubber.batch.pool import Duty, OpenBench, Pool, chunks, errands
from scrubber.batch.work import Bench
from scrubber.cli.opening import Unusable, settings, told_plainly
from scrubber.cli.stores import check_stores
from scrubber.config import Settings, cores, unknown_settings
from scrubber.reference import LiveReference
from scrubber.rulebook.archive import archive_or_tell
from scrubber.rulebook.book import Rulebook
from scrubber.scrub import LiveScrubber
from scrubber.web import logs
from scrubber.workshop.admission import admit, brought_back, in_lines
from scrubber.workshop.in_force import last_in_force, note_in_force
from scrubber.workshop.passed import Passed

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
    chosen = settings()
    count = processes or chosen.batch_workers or cores()
    log = logs.open_log(sys.stdout)
    with told_plainly():
        _open_batches(chosen)
        check_stores(chosen, lambda why: log.error("store away", reason=why))
        afterwards = Afterwards(timedelta(days=chosen.keep_days), chosen.webhook_hosts, chosen.webhook_secret)
        tell: Tell = lambda event, told: (log.error if event in OUTAGES else log.info)(event, **told)  # noqa: E731
        duties = [errands(afterwards), *_crew(chosen, count, tell)]
        pool = Pool(duties, _Rules(chosen, log), tell)
    logs.take_over(log)
    log.info("workers", processes=count)
    pool.run(lambda: parent is None or os.getppid() == parent)


def _crew(chosen: Settings, count: int, tell: Tell) -> list[Duty]:
    if chosen.broker is None:
        return [chunks] * count
    from scrubber.batch.celery import celery_crew

    return celery_crew(chosen.broker, count, tell)


class _Rules:
    """Reads rules and reference data once for all workers: at the start, and anew when asked again.

    Rules have to pass what a service asks for, each time; what the service checked is on record.
    """

    def __init__(self, chosen: Settings, log: logs.Log) -> None:
        self._chosen = chosen
        self._log = log

    def __call__(self) -> OpenBench:
        """What opens the bench of a worker. Raises ScrubberError, and then nothing has changed."""
        chosen, log = self._chosen, self._log
        reference = LiveReference(chosen.reference, tell=lambda why: log.error("reference data not read", reason=why))
        live = LiveScrubber(self._in_force(reference), reference, chosen.stale_after)
        pinned = PinnedScrubbers(
            chosen.reference,
            chosen.state,
            chosen.stale_after,
            lambda why: log.warning("batch goes on with what is in force", reason=why),
        )
        return lambda: _open_bench(chosen, live, pinned)

    def _in_force(self, reference: LiveReference) -> Rulebook:
        """The rules that were brought back in place of the folder's, or else the folder's."""
        chosen, log = self._chosen, self._log
        back = brought_back(chosen.rules, chosen.state)
        if back:
            log.warning("rolled back", rulebook=back.rulebook.digest)
            return back.rulebook
        earlier = last_in_force(
            chosen.rules, chosen.state, lambda why: log.warning("versions not compared", reason=why)
        )
        admitted = admit(chosen.rules, reference.current(), Passed(chosen.state), cores(), earlier)
        for line in in_lines(chosen.rules, admitted.warnings):
            log.warning("draft", reason=line)
        digest = admitted.rulebook.digest
        archive_or_tell(chosen.rules, digest, chosen.state, lambda why: log.warning("rulebook not kept", reason=why))
        note_in_force(chosen.rules, digest, chosen.state)
        return admitted.rulebook


def _open_bench(chosen: Settings, live: LiveScrubber, pinned: PinnedScrubbers) -> Bench:
    batches = _open_batches(chosen)
    return Bench(
        ledger=batches.ledger,
        depot=batches.depot,
        scrubber=live.current,
        most_row_bytes=chosen.max_body_bytes,
        most_upload_bytes=chosen.max_batch_bytes,
        now=_now,
        seconds=time.monotonic,
        alive=_nothing,
        lease_seconds=chosen.lease_seconds,
        hint=batches.hint,
        pinned=pinned,
    )


def _open_batches(chosen: Settings) -> Batches:
    batches = open_batches(chosen.state, chosen.database, chosen.lease_seconds, chosen.broker)
    if batches is None:
        raise Unusable("there is no place for batches: set SCRUBBER_STATE or SCRUBBER_DATABASE_URL")
    return batches


def _now() -> datetime:
    return datetime.now(UTC)


def _nothing() -> None:
    """Watched processes replace this."""
