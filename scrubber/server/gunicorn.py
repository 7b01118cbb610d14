"""The workers for batches, in a process beside the server's own.

The application is made once, before the workers are forked, so that faults stop the start and memory is shared. On HUP
new rules come in without a dropped request and without new workers: see `scrubber.server`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from signal import SIGHUP, SIGTERM
from time import monotonic
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

import scrubber
from scrubber.api import logs
from scrubber.config import Settings
from scrubber.server.arbiter import ReloadingArbiter, Watch
from scrubber.server.connections import answers
from scrubber.server.connections.answers import Refusal
from scrubber.server.connections.loop import ConnectionWorker
from scrubber.server.reloads import Reloads

_FOLDER = str(Path(scrubber.__file__).resolve().parents[1])
SECONDS_TO_END = 30.0  # for the chunks that are under way
SECONDS_BETWEEN_STARTS = 2.0  # of one that ends as soon as it is started


class BatchWorkers:
    """`scrubber worker` with so many processes (0: none), for as long as this process runs.

    It ends with this process also where that is killed. Used from one thread.
    """

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._child: subprocess.Popen[bytes] | None = None
        self._started = -SECONDS_BETWEEN_STARTS

    def look(self) -> None:
        """Starts it, and starts it again when it has died. To be called now and then."""
        if not self._processes or self._runs() or monotonic() < self._started + SECONDS_BETWEEN_STARTS:
            return
        self._started = monotonic()
        # -P: not what may lie in the current folder.
        command = ("-P", "-m", "scrubber", "worker", "--processes", str(self._processes), "--parent", str(os.getpid()))
        self._child = subprocess.Popen([sys.executable, *command], stdin=subprocess.DEVNULL, env=_same_program())  # noqa: S603

    def renew(self) -> None:
        """Have it read the rules anew."""
        self._tell(SIGHUP)

    def end(self) -> None:
        """Have it end, and wait until it has; one that takes too long is killed: nothing of a batch is lost by that."""
        self._tell(SIGTERM)
        if self._child is not None:
            try:
                self._child.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()

    def _runs(self) -> bool:
        """Whoever else waits for children of this process may have seen its end before: that counts, too."""
        return self._child is not None and self._child.poll() is None

    def _tell(self, signal: int) -> None:
        if self._child is not None and self._runs():
            with suppress(ProcessLookupError):
                self._child.send_signal(signal)


def _same_program() -> dict[str, str]:
    """An environment in which Python finds the package that this process runs, wherever that was found."""
    before = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([_FOLDER, before] if before else [_FOLDER])}


KEPT_SECONDS = 75  # for which a connection is kept open for another request


def serve(app: Flask, reloads: Reloads, watch: Watch | None = None) -> None:
    """Serve until TERM or INT; then answer what is under way and end the process."""
    logs.take_over(logs.open_log(sys.stdout))
    answers.raise_limit()
    _Service(app, reloads, watch).run()


class _Service(BaseApplication):
    """What gunicorn runs: its settings, and the application."""

    def __init__(self, app: Flask, reloads: Reloads, watch: Watch | None) -> None:
        self._reloads = reloads
        self._watch = watch
        self._batch_workers = BatchWorkers(reloads.settings.batch_workers)
        super().__init__()
        self.callable = app

    def load_config(self) -> None:
        """Called by gunicorn at the start."""
        settings = self.settings
        certificate, key = settings.tls or (None, None)
        chosen = {
            "bind": settings.address,
            "workers": settings.workers,
            "threads": settings.threads,
            # Longer than proxies keep theirs, so that none sends a request on one that is just being closed.
            "keepalive": KEPT_SECONDS,
            "certfile": certificate and str(certificate),
            "keyfile": key and str(key),
            "worker_class": ConnectionWorker,
            "logger_class": _ServerLog,
            "preload_app": True,
            # It would be a file under the home directory, which a container may not have.
            "control_socket_disable": True,
            "when_ready": lambda _: self._reloads.open(),
            "on_exit": lambda _: self._reloads.close(),
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    @property
    def settings(self) -> Settings:
        """What the deployment chose; asked for by each worker."""
        return self._reloads.settings

    def run(self) -> None:
        """Until a signal ends it."""
        _Arbiter(self, self._reloads, self._watch, self._batch_workers).run()

    def follow(self) -> None:
        """Called by each worker several times a second, in a thread of its own."""
        try:
            self._reloads.follower.prepare()
        except Exception as error:  # noqa: BLE001 -- the old rules stay, and the reload is told that they do
            logs.write_failure(logs.open_log(sys.stdout), error)


class _Arbiter(ReloadingArbiter):
    """gunicorn's parent process, with the workers for batches beside its own."""

    def __init__(
        self, app: BaseApplication, reloads: Reloads, watch: Watch | None, batch_workers: BatchWorkers
    ) -> None:
        self._batch_workers = batch_workers
        super().__init__(app, reloads, watch, batch_workers.renew)

    def manage_workers(self) -> None:
        """Called by gunicorn about once a second, and when a process ended."""
        super().manage_workers()
        self._batch_workers.look()

    def stop(self, graceful: bool = True) -> None:
        """Called by gunicorn at the end."""
        super().stop(graceful)
        self._batch_workers.end()


class _ServerLog(Logger):
    """gunicorn's logger, writing one JSON line for what the arbiter says.

    The arbiter sees no request, while the words of a worker may repeat one: of those only failures are written,
    reduced to their place in the code.
    """

    def setup(self, cfg: Any) -> None:
        """Called by gunicorn, at the start and on HUP."""
        self.cfg = cfg
        self._access_log_enabled = False
        self._arbiter = os.getpid()
        self._log = logs.open_log(sys.stdout)

    def debug(self, msg: str, *args: object, **_: object) -> None:
        """Dropped."""

    def info(self, msg: str, *args: object, **_: object) -> None:
        """Told by the arbiter only."""
        self._tell(self._log.info, msg, args)

    def warning(self, msg: str, *args: object, **_: object) -> None:
        """Told by the arbiter only."""
        self._tell(self._log.warning, msg, args)

    def error(self, msg: str, *args: object, **_: object) -> None:
        """Told by the arbiter only."""
        self._tell(self._log.error, msg, args)

    critical = error

    def exception(self, _msg: str, *_args: object, **_: object) -> None:
        """A failure outside the application."""
        logs.write_failure(self._log, sys.exception())

    def refused(self, refusal: Refusal, seconds: float, waited: float) -> None:
        """A request that the application never saw, so long after it began to arrive; how long it was in a queue."""
        with suppress(OSError, ValueError):
            self._log.info(
                "request",
                request=refusal.ids.request,
                traceparent=refusal.ids.traceparent,
                status=refusal.status,
                ms=logs.milliseconds(seconds),
                waited=logs.milliseconds(waited),
            )

    def _tell(self, write: Callable[..., Any], msg: str, args: tuple[object, ...]) -> None:
        if os.getpid() == self._arbiter:
            write("server", text=msg % args if args else msg)
