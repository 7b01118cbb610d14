"""Around the path: what the views of one application work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from flask import Flask, current_app

from scrubber.batch.place import Batches
from scrubber.scrub import Scrubber
from scrubber.web.transfers import Transfers

_KEY = "claim-scrubber"


@dataclass(frozen=True, slots=True)
class Service:
    """The scrubber as it is now, and what a deployment chose.

    `max_body_bytes` is the largest body that is read. `ready_days`: the service is not ready when a loaded table ended
    more than so many days ago; None: it is all the same. `trouble` says why a change of the reference data is not in
    force, None while all is well. `batches` is where batches of at most `max_batch_bytes` are kept, None where none are
    taken; their end may be told to `webhook_hosts`, and `transfers` bounds how many are sent or read at once.
    """

    current: Callable[[], Scrubber]
    max_body_bytes: int
    ready_days: int | None
    trouble: Callable[[], str | None]
    batches: Batches | None = None
    max_batch_bytes: int = 0
    webhook_hosts: tuple[str, ...] = ()
    transfers: Transfers = field(default_factory=lambda: Transfers(1))

    @property
    def scrubber(self) -> Scrubber:
        """The scrubber of this moment; a request asks once, and keeps to it."""
        return self.current()


def install(app: Flask, service: Service) -> None:
    """Give the service to the views of `app`."""
    app.extensions[_KEY] = service


def service() -> Service:
    """The service of the application that answers the current request."""
    return cast(Service, current_app.extensions[_KEY])
