"""Around the path over HTTP: gunicorn in this process, its own words kept out of answers and logs.

The application is made once, before the workers are forked, so that faults stop the start and memory is shared. On HUP
new rules come in without a dropped request and without new workers: see `scrubber.web.reload`.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from socket import SHUT_RD, SO_SNDTIMEO, SOL_SOCKET
from time import monotonic
from typing import Any

from flask import Flask
from gunicorn import util
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.http import errors
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

from scrubber.web import logs, parting, patience, problems
from scrubber.web.beside import BatchWorkers
from scrubber.web.reload.arbiter import ReloadingArbiter
from scrubber.web.reload.reloads import Reloads
from scrubber.web.reload.watch import Watch

FOLLOW = 0.1  # seconds in which an idle worker notices that there are new rules

_UNREADABLE = problems.Kind("bad-request", 400, "The request is not HTTP that is read")
_REFUSALS: dict[type[BaseException], problems.Kind] = {
    errors.LimitRequestLine: problems.Kind("address-too-long", 414, "The address is too long"),
    errors.LimitRequestHeaders: problems.Kind("headers-too-large", 431, "The headers are too large"),
    errors.ExpectationFailed: problems.Kind("expectation-failed", 417, "The Expect header is not one that is met"),
    errors.UnsupportedTransferCoding: problems.Kind("transfer-coding", 501, "The Transfer-Encoding is not read"),
}


def serve(app: Flask, reloads: Reloads, watch: Watch | None = None) -> None:
    """Serve until TERM or INT; then answer what is under way and end the process."""
    logs.take_over(logs.open_log(sys.stdout))
    # gunicorn takes up to a megabyte at once, and copies all that is left of it with each step that is read.
    SocketUnreader.max_body_chunk = patience.STEP
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
        settings = self._reloads.settings
        chosen = {
            "bind": settings.address,
            "workers": settings.workers,
            "threads": settings.threads,
            "worker_class": _Worker,
            "logger_class": _ServerLog,
            "preload_app": True,
            # It would be a file under the home directory, which a container may not have.
            "control_socket_disable": True,
            "when_ready": lambda _: self._reloads.open(),
            "on_exit": lambda _: self._reloads.close(),
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def run(self) -> None:
        """Until a signal ends it."""
        _Arbiter(self, self._reloads, self._watch, self._batch_workers).run()

    def follow(self) -> None:
        """Called by each worker several times a second."""
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


class _Worker(ThreadWorker):
    """Answers what gunicorn cannot read without repeating any of it, and is as patient as `patience` says.

    gunicorn waits for ever: as many half-sent requests as there are threads would stop the service.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._under_way: dict[TConn, patience.Wait] = {}

    def handle(self, conn: TConn) -> object:
        """Called by gunicorn in a thread of its own, for each request."""
        self._under_way[conn] = patience.Wait()
        try:
            conn.sock.setsockopt(SOL_SOCKET, SO_SNDTIMEO, struct.pack("ll", patience.SECONDS, 0))
            goes_on = super().handle(conn)
            if goes_on is False:
                parting.part(conn)
            return goes_on
        finally:
            del self._under_way[conn]

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        """Called by gunicorn when it has answered. It would wait in this thread for the rest of a refused upload."""
        return keepalive and parting.body_is_read(conn)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Called by gunicorn's loop, again and again."""
        super().wait_for_and_dispatch_events(min(timeout, FOLLOW))
        self.app.follow()

    def murder_pending(self) -> None:
        """Called by gunicorn about once a second. What has not arrived by now never will; a scrub goes on."""
        super().murder_pending()
        now = monotonic()
        for conn, wait in self._under_way.copy().items():
            if wait.latest < now:
                with suppress(OSError):
                    conn.sock.shutdown(SHUT_RD)

    def handle_error(self, _req: object, client: Any, _addr: object, exc: BaseException) -> None:
        """Called by gunicorn with what went wrong outside the application."""
        kind = _kind(exc)
        if kind is problems.FAILURE:
            self.log.exception("")
        self.log.refused(kind.status)
        answer = problems.body(kind, "It did not reach the service.")
        head = (
            f"HTTP/1.1 {kind.status} {kind.title}\r\nConnection: close\r\n"
            f"Content-Type: {problems.MEDIA_TYPE}\r\nContent-Length: {len(answer)}\r\n\r\n"
        )
        try:
            util.write_nonblock(client, head.encode() + answer)
        except OSError:
            self.log.debug("the client is gone")


def _kind(error: BaseException) -> problems.Kind:
    if not isinstance(error, errors.ParseException | OSError):
        return problems.FAILURE
    return next((kind for known, kind in _REFUSALS.items() if isinstance(error, known)), _UNREADABLE)


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

    def refused(self, status: int) -> None:
        """A request that gunicorn could not read."""
        self._log.info("request", status=status)

    def _tell(self, write: Callable[..., Any], msg: str, args: tuple[object, ...]) -> None:
        if os.getpid() == self._arbiter:
            write("server", text=msg % args if args else msg)
