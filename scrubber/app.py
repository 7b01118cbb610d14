"""Puts the web application together, once a process: everything between HTTP and `scrub`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from flask import Flask

from scrubber.access.known_keys import AccessPolicy, open_policy
from scrubber.api import access, headers, logs, openapi, problems, request
from scrubber.api.limits import Transfers
from scrubber.authoring.admission import admit_in_subprocess, admit_rolled_back, fault_lines, warning_event
from scrubber.authoring.check_cache import CheckCache
from scrubber.authoring.in_force import last_in_force
from scrubber.batch.storage import open_batches
from scrubber.config import Settings, cores
from scrubber.reference import LiveReference
from scrubber.rulebook.history import archive_or_warn
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.rulebook import Rulebook
from scrubber.scrub import LiveScrubber, Scrubber
from scrubber.server.reloader import Follower, Reloader
from scrubber.server.shared_rulebook import SharedRulebook

ROLLED_BACK = "the folder holds the rules that were rolled back; other rules there, or a reload, end the rollback"


class Application(Flask):
    """Flask, except that what fails after a request is logged without its message and without the address."""

    def log_exception(self, exc_info: tuple[Any, ...]) -> None:
        """Called by Flask when a hook fails."""
        logs.request_failed(exc_info[1])


def create_app(settings: Settings, scrubber: Scrubber | None = None) -> Flask:
    """The application, with `scrubber` or else the one that the settings name, which follows its reference data.

    Its rules are loaded and not tested. Raises Faults when the rules or the reference data have faults.
    """
    if scrubber is not None:
        return _put_together(settings, _policy(settings), lambda: scrubber, lambda: None)
    live = LiveScrubber(load_rulebook(settings.rules), LiveReference(settings.reference, report=_log_reference_trouble))
    keep(settings, live.rulebook)
    return _put_together(settings, _policy(settings), live.current, lambda: live.reference.trouble)


def reloading_app(settings: Settings, watcher: Callable[[str], None] | None = None) -> tuple[Flask, Reloader]:
    """The application for a service of several processes, which follows its rules, too, and what reloads them.

    Its rules have passed what a reload asks for. `watcher` is told what comes of each reload. Raises what `create_app`
    does, Faults for rules that a reload would refuse, and ConfigError where there is no folder for temporary files, or
    where a key is demanded and nobody has one.
    """
    policy = _policy(settings)
    live, shelf = _open_checked(settings), SharedRulebook()
    follower = Follower(shelf, live)
    app = _put_together(settings, policy, follower.current, lambda: live.reference.trouble)
    return app, Reloader(settings, shelf, follower, partial(keep, settings), watcher)


def _policy(settings: Settings) -> AccessPolicy:
    """Who may ask. Where that is everybody, because the settings say so, the log says it at every start."""
    log = logs.open_log(sys.stdout)
    policy = open_policy(settings, datetime.now(UTC), lambda why: log.error("keys not read", reason=why))
    if settings.open:
        log.warning("open", reason=f"SCRUBBER_OPEN=yes: whoever reaches {settings.address} may ask, without a key")
    return policy


def _put_together(
    settings: Settings, policy: AccessPolicy, current: Callable[[], Scrubber], trouble: Callable[[], str | None]
) -> Flask:
    app = Application("scrubber", static_folder=None)
    # Werkzeug would answer doubled slashes with a redirect that repeats the address.
    app.url_map.merge_slashes = False
    request.install_service(app, _service(settings, current, trouble))
    logs.install(app, logs.open_log(sys.stdout))
    headers.install_request_ids(app)
    headers.install_caching(app)
    access.install_origins(app, settings)
    access.install_access(app, policy, openapi.SCOPE_OF)
    openapi.install_docs_page(app)
    problems.install(app)
    request.install_parameters(app, openapi.install_openapi(app))
    headers.install_compression(app)
    return app


def _service(settings: Settings, current: Callable[[], Scrubber], trouble: Callable[[], str | None]) -> request.Service:
    return request.Service(
        current,
        settings.max_body_bytes,
        settings.ready_days,
        trouble,
        open_batches(settings.state, settings.database, settings.lease_seconds, settings.broker),
        settings.max_batch_bytes,
        settings.webhook_hosts,
        Transfers(settings.transfers),
    )


def _open_checked(settings: Settings) -> LiveScrubber:
    """The scrubber that the settings name, once its rules have passed what a reload asks for."""
    log = logs.open_log(sys.stdout)
    begun = time.monotonic()
    reference = LiveReference(settings.reference, report=_log_reference_trouble)
    admitted = admit_rolled_back(settings.rules, settings.state)
    if admitted:
        log.warning("rolled back", rulebook=admitted.rulebook.digest, reason=ROLLED_BACK)
    else:
        admitted = admit_in_subprocess(
            settings.rules,
            reference.current(),
            CheckCache(settings.state),
            cores(),
            last_in_force(settings.rules, settings.state, lambda why: log.warning("versions not compared", reason=why)),
            lambda: log.info("checking rules"),
        )
    for line in fault_lines(settings.rules, admitted.warnings):
        log.warning(warning_event(line), reason=line)
    log.info("rules checked", cases=admitted.cases, seconds=round(time.monotonic() - begun, 3))
    keep(settings, admitted.rulebook)
    return LiveScrubber(admitted.rulebook, reference, settings.stale_after)


def _log_reference_trouble(why: str) -> None:
    logs.open_log(sys.stdout).error("reference data not read", reason=why)


def keep(settings: Settings, rulebook: Rulebook) -> None:
    """Archives the rulebook that is in force from now on. Where that fails, the log tells why, and all goes on."""
    log = logs.open_log(sys.stdout)
    archive_or_warn(
        settings.rules, rulebook.digest, settings.state, lambda why: log.warning("rulebook not kept", reason=why)
    )
