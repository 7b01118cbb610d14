"""Reloads the rules in gunicorn's main process, on HUP or when a watched folder of rules has changed.

By itself, gunicorn would fork new workers and end the old ones. Those would answer on open connections by the old rules
for some seconds more, and every reload would compile rules in the main process, which all later workers are forked
from.
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
from scrubber.server.reloader import Reloader

_FileStates = dict[Path, tuple[int, int]]


class FolderWatch:
    """Watches a folder of rules. A change counts once two checks find the same: saving is finished."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._reported = self._before = _file_states(folder)

    def changed(self) -> bool:
        """Whether the folder has changed; each change is reported once."""
        now = _file_states(self._folder)
        settled = now == self._before
        self._before = now
        if not settled or now == self._reported:
            return False
        self._reported = now
        return True


def _file_states(folder: Path) -> _FileStates:
    seen = {}
    for path in checked_files(folder):
        with suppress(OSError):  # removed since it was listed
            found = path.stat()
            seen[path] = found.st_mtime_ns, found.st_size
    return seen


POLL = 0.5  # seconds between checks of the watched files


class ReloadingMainProcess(Arbiter):
    """Runs reloads in forks, one at a time; all requests during a reload lead to one more.

    `on_reloaded` is called in this process when new rules are in force.
    """

    def __init__(
        self, app: Any, reloader: Reloader, watch: FolderWatch | None, on_reloaded: Callable[[], None]
    ) -> None:
        self._reloader = reloader
        self._on_reloaded = on_reloaded
        self._watch = watch
        self._process = 0
        self._requested = False
        super().__init__(app)

    def handle_hup(self) -> None:
        """Called by gunicorn's loop."""
        self._requested = True
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
        """Called by gunicorn at the end; a reload that is still running is killed, and changes nothing."""
        self._requested = False
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(self._process, 0)
            self._process = 0
        super().stop(graceful)

    def _start(self) -> None:
        if self._process or not self._requested:
            return
        self._requested = False
        self._reloader.begin()
        process = os.fork()
        if process:
            self._process = process
            with suppress(OSError):  # the fork has done so itself
                os.setpgid(process, process)
            return
        code = 1
        try:
            self._detach()
            self._reloader.run(list(self.WORKERS))
            code = 0
        finally:
            os._exit(code)

    def _detach(self) -> None:
        """In the fork: lets go of the parent's signals and sockets. A process group of its own is killed as a whole."""
        os.setpgid(0, 0)
        for number in (*self.SIGNALS, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for listener in self.LISTENERS:
            listener.close()

    def _has_ended(self) -> bool:
        try:
            process, status = os.waitpid(self._process, os.WNOHANG)
        except ChildProcessError:  # gunicorn has waited for it as for a worker
            process, status = self._process, 0
        if process:
            self._process = 0
            if self._reloader.ended(by_itself=status == 0):
                self._on_reloaded()
        return bool(process)
