"""Around the path, while rules are being written: notices that their files changed, once whoever saves has finished."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from scrubber.workshop.passed import checked_files

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
