"""Around the path: the web application, everything between HTTP and `scrub`, put together once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Flask

from scrubber.batch.place import open_batches
from scrubber.config import Settings
from scrubber.rulebook.archive import archive_or_tell
from scrubber.rulebook.book import Rulebook
from scrubber.scrub import LiveScrubber, Scrubber
from scrubber.web import docs, logs, openapi, problems, service
from scrubber.web.reload.following import Follower
from scrubber.web.reload.reloads import Reloads
from scrubber.web.reload.shelf import Shelf
from scrubber.web.transfers import Transfers


class Application(Flask):
    """Flask, except that what fails after a request is logged without its message and without the address."""

    def log_exception(self, exc_info: tuple[Any, ...]) -> None:
        """Called by Flask when a hook fails."""
        logs.request_failed(exc_info[1])


def create_app(settings: Settings, scrubber: Scrubber | None = None) -> Flask:
    """The application, with `scrubber` or else the one that the settings name, which follows its reference data.

    Raises Faults when the rules or the reference data have faults.
    """
    if scrubber is not None:
        return _put_together(settings, lambda: scrubber, lambda: None)
    live = _open(settings)
    return _put_together(settings, live.current, lambda: live.reference.trouble)


def reloading_app(settings: Settings, watcher: Callable[[str], None] | None = None) -> tuple[Flask, Reloads]:
    """The application for a service of several processes, which follows its rules, too, and what reloads them.

    `watcher` is told what comes of each reload. Raises what `create_app` does, and ConfigError where there is no folder
    for temporary files.
    """
    live, shelf = _open(settings), Shelf()
    follower = Follower(shelf, live)
    app = _put_together(settings, follower.current, lambda: live.reference.trouble)
    return app, Reloads(settings, shelf, follower, partial(keep, settings), watcher)


def _put_together(settings: Settings, current: Callable[[], Scrubber], trouble: Callable[[], str | None]) -> Flask:
    app = Application("scrubber", static_folder=None)
    # Werkzeug would answer doubled slashes with a redirect that repeats the address.
    app.url_map.merge_slashes = False
    service.install(app, _service(settings, current, trouble))
    logs.install(app, logs.open_log(sys.stdout))
    docs.install(app)
    problems.install(app)
    openapi.install(app)
    return app


def _service(settings: Settings, current: Callable[[], Scrubber], trouble: Callable[[], str | None]) -> service.Service:
    return service.Service(
        current,
        settings.max_body_bytes,
        settings.ready_days,
        trouble,
        open_batches(settings.state, settings.database, settings.lease_seconds, settings.broker),
        settings.max_batch_bytes,
        settings.webhook_hosts,
        Transfers(max(1, settings.threads - 1)),
    )


def _open(settings: Settings) -> LiveScrubber:
    live = LiveScrubber(settings.rules, settings.reference)
    keep(settings, live.rulebook)
    return live


def keep(settings: Settings, rulebook: Rulebook) -> None:
    """Archives the rulebook that is in force from now on. Where that fails, the log tells why, and all goes on."""
    log = logs.open_log(sys.stdout)
    archive_or_tell(
        settings.rules, rulebook.digest, settings.state, lambda why: log.warning("rulebook not kept", reason=why)
    )
