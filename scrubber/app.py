"""Around the path: the web application, everything between HTTP and `scrub`, put together once."""

from __future__ import annotations

import sys
from typing import Any

from flask import Flask

from scrubber.batch.place import open_batches
from scrubber.config import Settings
from scrubber.rulebook.archive import archive_or_tell
from scrubber.rulebook.book import Rulebook
from scrubber.scrub import LiveScrubber, Scrubber
from scrubber.web import body, docs, logs, openapi, problems, service
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
    app = Application("scrubber", static_folder=None)
    # Werkzeug would answer doubled slashes with a redirect that repeats the address.
    app.url_map.merge_slashes = False
    service.install(app, _service(settings, scrubber))
    # Hooks after a request run in reverse: the log comes last and counts draining, too.
    logs.install(app, logs.open_log(sys.stdout))
    docs.install(app)
    body.install(app)
    problems.install(app)
    openapi.install(app)
    return app


def _service(settings: Settings, scrubber: Scrubber | None) -> service.Service:
    if scrubber is not None:
        return service.Service(lambda: scrubber, settings.max_body_bytes, settings.ready_days, lambda: None)
    live = LiveScrubber(settings.rules, settings.reference)
    keep(settings, live.current().rulebook)
    return service.Service(
        live.current,
        settings.max_body_bytes,
        settings.ready_days,
        lambda: live.reference.trouble,
        open_batches(settings.state, settings.database),
        settings.max_batch_bytes,
        settings.webhook_hosts,
        Transfers(max(1, settings.threads - 1)),
    )


def keep(settings: Settings, rulebook: Rulebook) -> None:
    """Archives the rulebook that is in force from now on. Where that fails, the log tells why, and all goes on."""
    log = logs.open_log(sys.stdout)
    archive_or_tell(
        settings.rules, rulebook.digest, settings.state, lambda why: log.warning("rulebook not kept", reason=why)
    )
