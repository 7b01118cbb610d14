"""Runs the application under gunicorn, and the workers for batches in a process beside it.

The application is made once, before the workers are forked, so that faults stop the start and memory is shared. On HUP
new rules are taken without a dropped request and without new workers: see `scrubber.server`.
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
from scrubber.server.connections import answers
from scrubber.server.connections.answers import Refusal
from scrubber.server.connections.worker import ConnectionWorker
from scrubber.server.main_process import FolderWatch, ReloadingMainProcess
from scrubber.server.reloader import Reloader

_FOLDER = str(Path(scrubber.__file__).resolve().parents[1])
SECONDS_TO_END = 30.0  # for chunks in progress
SECONDS_BETWEEN_STARTS = 2.0  # of a process that ends as soon as it is started


class BatchWorkers:
    """Runs `scrubber worker` with a number of processes (0: not at all), for as long as this process runs.

    It also ends when this process is killed. Used from one thread.
    """

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._child: subprocess.Popen[bytes] | None = None
        self._started = -SECONDS_BETWEEN_STARTS

    def ensure_running(self) -> None:
        """Start it, or start it again when it has died. Called about once a second."""
        if not self._processes or self._runs() or monotonic() < self._started + SECONDS_BETWEEN_STARTS:
            return
        self._started = monotonic()
        # -P: imports nothing from the current folder.
        command = ("-P", "-m", "scrubber", "worker", "--processes", str(self._processes), "--parent", str(os.getpid()))
        self._child = subprocess.Popen([sys.executable, *command], stdin=subprocess.DEVNULL, env=_same_program())  # noqa: S603

    def reload(self) -> None:
        """Have it read the rules anew."""
        self._signal(SIGHUP)

    def end(self) -> None:
        """End it and wait for that; after SECONDS_TO_END it is killed, by which nothing of a batch is lost."""
        self._signal(SIGTERM)
        if self._child is not None:
            try:
                self._child.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()

    def _runs(self) -> bool:
        """Whether it runs. gunicorn, which waits for children of this process too, may have seen its end first."""
        return self._child is not None and self._child.poll() is None

    def _signal(self, signal: int) -> None:
        if self._child is not None and self._runs():
            with suppress(ProcessLookupError):
                self._child.send_signal(signal)


def _same_program() -> dict[str, str]:
    """An environment in which Python imports the package that this process runs, wherever that is."""
    before = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([_FOLDER, before] if before else [_FOLDER])}


KEEPALIVE_SECONDS = 75  # for which an idle connection stays open


def serve(app: Flask, reloader: Reloader, watch: FolderWatch | None = None) -> None:
    """Serve until TERM or INT; then answer the requests in progress and end the process."""
    logs.take_over(logs.open_log(sys.stdout))
    answers.raise_file_limit()
    _GunicornApplication(app, reloader, watch).run()


class _GunicornApplication(BaseApplication):
    """The application and its settings, for gunicorn."""

    def __init__(self, app: Flask, reloader: Reloader, watch: FolderWatch | None) -> None:
        self._reloader = reloader
        self._watch = watch
        self._batch_workers = BatchWorkers(reloader.settings.batch_workers)
        super().__init__()
        self.callable = app

    def load_config(self) -> None:
        """Called by gunicorn at the start."""
        settings = self.settings
        certificate, key = settings.tls or (None, None)
        options = {
            "bind": settings.address,
            "workers": settings.workers,
            "threads": settings.threads,
            # Longer than proxies keep idle connections, so that none sends a request on one that is being closed.
            "keepalive": KEEPALIVE_SECONDS,
            "certfile": certificate and str(certificate),
            "keyfile": key and str(key),
            "worker_class": ConnectionWorker,
            "logger_class": _ServerLog,
            "preload_app": True,
            # The control socket would be a file in the home directory, which a container may not have.
            "control_socket_disable": True,
            "when_ready": lambda _: self._reloader.open(),
            "on_exit": lambda _: self._reloader.close(),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    @property
    def settings(self) -> Settings:
        """The settings of the deployment, which each worker reads."""
        return self._reloader.settings

    def run(self) -> None:
        """Run until a signal ends it."""
        _MainProcess(self, self._reloader, self._watch, self._batch_workers).run()

    def follow(self) -> None:
        """Called by each worker several times a second, in a thread of its own."""
        try:
            self._reloader.follower.prepare()
        except Exception as error:  # noqa: BLE001 -- the old rules stay in force, and the reload is refused
            logs.write_failure(logs.open_log(sys.stdout), error)


class _MainProcess(ReloadingMainProcess):
    """gunicorn's main process, which also runs the workers for batches."""

    def __init__(
        self, app: BaseApplication, reloader: Reloader, watch: FolderWatch | None, batch_workers: BatchWorkers
    ) -> None:
        self._batch_workers = batch_workers
        super().__init__(app, reloader, watch, batch_workers.reload)

    def manage_workers(self) -> None:
        """Called by gunicorn about once a second, and when a process ended."""
        super().manage_workers()
        self._batch_workers.ensure_running()

    def stop(self, graceful: bool = True) -> None:
        """Called by gunicorn at the end."""
        super().stop(graceful)
        self._batch_workers.end()


class _ServerLog(Logger):
    """gunicorn's logger; it writes the messages of the main process as lines of JSON.

    The main process sees no request. Messages of a worker may repeat one, so that of these only failures are written,
    reduced to the position in the code.
    """

    def setup(self, cfg: Any) -> None:
        """Called by gunicorn, at the start and on HUP."""
        self.cfg = cfg
        self._access_log_enabled = False
        self._main_process = os.getpid()
        self._log = logs.open_log(sys.stdout)

    def debug(self, msg: str, *args: object, **_: object) -> None:
        """Dropped."""

    def info(self, msg: str, *args: object, **_: object) -> None:
        """Written for the main process only."""
        self._write(self._log.info, msg, args)

    def warning(self, msg: str, *args: object, **_: object) -> None:
        """Written for the main process only."""
        self._write(self._log.warning, msg, args)

    def error(self, msg: str, *args: object, **_: object) -> None:
        """Written for the main process only."""
        self._write(self._log.error, msg, args)

    critical = error

    def exception(self, _msg: str, *_args: object, **_: object) -> None:
        """Write a failure outside the application."""
        logs.write_failure(self._log, sys.exception())

    def refused(self, refusal: Refusal, seconds: float, waited: float) -> None:
        """Log a request that the application never saw; seconds since it began to arrive, and those in a queue."""
        with suppress(OSError, ValueError):
            self._log.info(
                "request",
                request=refusal.ids.request,
                traceparent=refusal.ids.traceparent,
                status=refusal.status,
                ms=logs.milliseconds(seconds),
                waited=logs.milliseconds(waited),
            )

    def _write(self, write: Callable[..., Any], msg: str, args: tuple[object, ...]) -> None:
        if os.getpid() == self._main_process:
            write("server", text=msg % args if args else msg)
