"""Notices that their files changed, once whoever saves has finished.

gunicorn would fork new workers and send the old ones home: those answer on kept-alive connections for seconds more, by
the old rules, and every reload would compile in this process, which is the parent of all that come after.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from gunicorn.arbiter import Arbiter

from scrubber.authoring.check_cache import checked_files
from scrubber.server.reloads import Reloads

_Seen = dict[Path, tuple[int, int]]


class Watch:
    """Asked twice a second: a change counts when nothing more has changed since the time before."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told = self._before = _look(folder)

    def changed(self) -> bool:
        """Whether there is a change to act on; each is told once."""
        now = _look(self._folder)
        settled = now == self._before
        self._before = now
        if not settled or now == self._told:
            return False
        self._told = now
        return True


def _look(folder: Path) -> _Seen:
    seen = {}
    for path in checked_files(folder):
        with suppress(OSError):  # gone again
            found = path.stat()
            seen[path] = found.st_mtime_ns, found.st_size
    return seen


POLL = 0.5  # seconds between looks at the files that are watched


class ReloadingArbiter(Arbiter):
    """Runs `reloads` in forks, one at a time; all that is asked for meanwhile is one more.

    `then` is called here when new rules are in force.
    """

    def __init__(self, app: Any, reloads: Reloads, watch: Watch | None, then: Callable[[], None]) -> None:
        self._reloads = reloads
        self._then = then
        self._watch = watch
        self._process = 0
        self._asked = False
        super().__init__(app)

    def handle_hup(self) -> None:
        """Called by gunicorn's loop."""
        self._asked = True
        self._start()

    def wait_for_signals(self, timeout: float = 1.0) -> list[int]:
        """Called by gunicorn's loop; a change of the rules counts as a HUP."""
        if self._watch is None:
            return list(super().wait_for_signals(timeout))
        signals = list(super().wait_for_signals(min(timeout, POLL)))
        return [*signals, signal.SIGHUP] if self._watch.changed() else signals

    def reap_workers(self) -> None:
        """Called by gunicorn when a process ended."""
        if self._process and self._has_ended():
            self._start()
        super().reap_workers()

    def stop(self, graceful: bool = True) -> None:
        """Called by gunicorn at the end: a reload under way changes nothing any more."""
        self._asked = False
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(self._process, 0)
            self._process = 0
        super().stop(graceful)

    def _start(self) -> None:
        if self._process or not self._asked:
            return
        self._asked = False
        self._reloads.begin()
        process = os.fork()
        if process:
            self._process = process
            with suppress(OSError):  # it was quicker
                os.setpgid(process, process)
            return
        code = 1
        try:
            self._part()
            self._reloads.run(list(self.WORKERS))
            code = 0
        finally:
            os._exit(code)

    def _part(self) -> None:
        """In the fork: nothing of the parent's but what it knows. A group of its own ends with all that it forks."""
        os.setpgid(0, 0)
        for number in (*self.SIGNALS, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for listener in self.LISTENERS:
            listener.close()

    def _has_ended(self) -> bool:
        try:
            process, status = os.waitpid(self._process, os.WNOHANG)
        except ChildProcessError:  # gunicorn took it for a worker
            process, status = self._process, 0
        if process:
            self._process = 0
            if self._reloads.ended(by_itself=status == 0):
                self._then()
        return bool(process)
