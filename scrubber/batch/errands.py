"""Around the path: what is done for batches beside their chunks: ends are told, and what is past its time is removed.

Any number of processes may do it at once, with whatever engine: each errand is taken from the ledger.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from scrubber.batch import webhook
from scrubber.batch.ledger import Announcement
from scrubber.batch.work import Bench, remove_batch

UNTOUCHED = timedelta(hours=1)  # after which bytes that belong to no batch are no upload under way
SWEEP_SECONDS = 60.0

Tell = Callable[[str, dict[str, object]], None]


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What a deployment chose: how long an ended batch is kept; which hosts are told of its end, signed with what."""

    keep: timedelta
    webhook_hosts: tuple[str, ...] = ()
    webhook_secret: str | None = None


def announce_next(bench: Bench, chosen: Afterwards, tell: Tell) -> bool:
    """Tell the end of one batch, if there is any to tell. False: there is none."""
    announcement = bench.ledger.next_announcement()
    if announcement is None:
        return False
    batch = announcement.batch
    status = _announce(announcement, bench, chosen)
    if status is not None and 200 <= status < 300:
        bench.ledger.announced(batch.id)
    elif status == webhook.GONE or announcement.tries >= webhook.MOST_TRIES:
        bench.ledger.announced(batch.id)
        tell("webhook given up", {"batch": batch.id, "tries": announcement.tries, "status": status})
    else:
        bench.ledger.announce_later(batch.id, webhook.delay(announcement.tries))
    return True


def _announce(announcement: Announcement, bench: Bench, chosen: Afterwards) -> int | None:
    """Which hosts are allowed may have changed since the batch was sent."""
    batch = announcement.batch
    address, secret = batch.options.webhook, chosen.webhook_secret
    if address is None or secret is None or not webhook.allowed(address, chosen.webhook_hosts):
        return webhook.GONE
    content = webhook.body(batch, bench.ledger.progress(batch.id).tally)
    return webhook.post(address, batch.id, content, secret, bench.now())


def remove_old(bench: Bench, keep: timedelta) -> None:
    """Remove batches that ended longer ago than they are kept."""
    for batch_id in bench.ledger.ended_before(bench.now() - keep):
        remove_batch(batch_id, bench.ledger, bench.depot)


def sweep(bench: Bench) -> None:
    """Remove bytes that no batch has: of uploads that were never accepted, of batches that were removed in part."""
    for batch_id in bench.depot.untouched(bench.now() - UNTOUCHED):
        if bench.ledger.batch(batch_id) is None:
            bench.depot.remove(batch_id)


class Errands:
    """All of the above, in one process, again and again."""

    def __init__(self, chosen: Afterwards, tell: Tell) -> None:
        self._chosen = chosen
        self._tell = tell
        self._sweep_at: float | None = None

    def __call__(self, bench: Bench) -> bool:
        """Do what is to be done next. False: there is nothing just now."""
        if self._sweep_at is None or bench.seconds() >= self._sweep_at:
            self._sweep_at = bench.seconds() + SWEEP_SECONDS
            remove_old(bench, self._chosen.keep)
            sweep(bench)
        return announce_next(bench, self._chosen, self._tell)
