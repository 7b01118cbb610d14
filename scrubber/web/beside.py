"""Around the path over HTTP: the workers for batches, in a process beside the server's own."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from signal import SIGHUP, SIGTERM
from time import monotonic

import scrubber

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
