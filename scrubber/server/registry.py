"""Records which services of a machine run and how their reloads ended, for `scrubber rules reload`.

A service has two files in the folder of Settings.state: one that it keeps locked, and one with its status. The lock
ends with the process, however that ends, and the system gives the number of the process that holds it as the reading
process sees it. So a file left behind, a number used again or a process in another container is not mistaken for the
service.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from scrubber.authoring.check_cache import write_atomically

RELOADED, UNCHANGED, REFUSED = "reloaded", "unchanged", "refused"


@dataclass(frozen=True)
class ReloadOutcome:
    """How a reload ended: `outcome` is one of the words above. `old` and `new` are digests; None: nothing was loaded.

    `cases` counts the test cases that were run; `reasons` say why it was refused, a line each; `warnings` say what is
    wrong with drafts, and which cases fail on the releases in use: neither stops a reload. After a rollback,
    `instead_of` is the digest of the folder's rules, which are not in force, and `asked_by` the account that requested
    it.
    """

    outcome: str
    seconds: float
    old: str
    new: str | None = None
    rules: int = 0
    cases: int = 0
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    instead_of: str | None = None
    asked_by: str | None = None


def in_a_line(outcome: ReloadOutcome) -> str:
    """How a reload ended, as one line for people."""
    if outcome.outcome == REFUSED:
        more = len(outcome.reasons) - 1
        return f"{outcome.reasons[0]}{f' (and {more} more)' if more else ''}: the old rules stay"
    if outcome.outcome != RELOADED:
        return f"unchanged: {short(outcome.old)}, {outcome.rules} rules"
    counts = (f"{len(names)} {word}" for word, names in differences(outcome) if names)
    return (
        f"{short(outcome.old)} -> {short(outcome.new or '')}: {outcome.rules} rules, "
        f"{', '.join(counts) or 'none changed'}, {outcome.seconds:.2f} s"
    )


def differences(outcome: ReloadOutcome) -> list[tuple[str, tuple[str, ...]]]:
    """Ids of the rules that a reload added, removed and changed."""
    return [("added", outcome.added), ("removed", outcome.removed), ("changed", outcome.changed)]


def short(digest: str) -> str:
    """The beginning of a digest, which is enough for people to compare it."""
    return digest[: len("sha256:") + 12]


SERVICES = "services"
_LOCK, _STATUS, _REQUEST = ".lock", ".json", ".request"
# struct flock: type, whence, start, length, process; on the BSDs the last three come first.
_LINUX = sys.platform == "linux"
_FLOCK = struct.Struct("hhqqi" if _LINUX else "qqihh")
_LOCK_QUERY = (fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0) if _LINUX else (0, 0, 0, fcntl.F_WRLCK, os.SEEK_SET)
_TYPE, _PROCESS = (0, 4) if _LINUX else (3, 2)


@dataclass(frozen=True)
class ServiceStatus:
    """The status of a service. `address` is HOST:PORT, `rules` the folder, `digest` that of the rules in force.

    `begun` and `ended` count reloads; `last` is the outcome of the last one that ended.
    """

    address: str
    rules: str
    digest: str
    begun: int = 0
    ended: int = 0
    last: ReloadOutcome | None = None


@dataclass(frozen=True)
class RunningService:
    """A service that is running: its process, and the file with its status."""

    process: int
    file: Path

    def status(self) -> ServiceStatus:
        """Its status. Raises OSError when it has ended, ValueError, KeyError or TypeError for a foreign file."""
        fields = orjson.loads(self.file.read_bytes())
        last = fields.pop("last")
        return ServiceStatus(**fields, last=_outcome(last) if last else None)

    @property
    def request(self) -> Path:
        """The file with the digest that the next reload is to roll back to; it exists only while that is requested."""
        return self.file.with_suffix(_REQUEST)

    def request_rollback(self, digest: str) -> None:
        """Have its next reload put the archived rulebook with this digest in force. Raises OSError."""
        write_atomically(self.request, digest.encode())


class RollbackRequest(NamedTuple):
    """A request to put an archived rulebook in force again, and the account that made it."""

    digest: str
    asked_by: str


class ServiceRecord:
    """The two files of a service, made and removed by its main process."""

    def __init__(self, state: Path, status: ServiceStatus) -> None:
        """Raises OSError when the state cannot be written."""
        folder = state / SERVICES
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._lock = folder / f"{name}{_LOCK}"
        self._running = RunningService(os.getpid(), folder / f"{name}{_STATUS}")
        self._write(status)
        unlocked = self._lock.with_suffix(".new")  # it must not be found before it is locked
        self._held = unlocked.open("w")
        fcntl.lockf(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unlocked.rename(self._lock)

    def begin(self) -> None:
        """Record that a reload begins, before any rule is read."""
        status = self._running.status()
        self._write(replace(status, begun=status.begun + 1))

    def end(self, outcome: ReloadOutcome) -> None:
        """Record that the last reload has ended."""
        status = self._running.status()
        self._write(replace(status, ended=status.begun, last=outcome, digest=outcome.new or status.digest))

    def take_request(self) -> RollbackRequest | None:
        """The rollback that was requested, or None; a request is removed, so that it counts for one reload."""
        path = self._running.request
        try:
            request = RollbackRequest(path.read_text(encoding="ascii"), _owner(path))
        except (OSError, UnicodeDecodeError):
            return None
        path.unlink(missing_ok=True)
        return request

    def remove(self) -> None:
        """Remove the files, as the service ends."""
        self._running.request.unlink(missing_ok=True)
        self._running.file.unlink(missing_ok=True)
        self._lock.unlink(missing_ok=True)

    def _write(self, status: ServiceStatus) -> None:
        write_atomically(self._running.file, orjson.dumps(status, option=orjson.OPT_INDENT_2))


def running(state: Path) -> list[RunningService]:
    """The running services with this state folder, as far as this process can see their processes."""
    return [
        RunningService(process, lock.with_suffix(_STATUS)) for lock, process in _locks(state / SERVICES) if process > 0
    ]


def _sweep(folder: Path) -> None:
    """Remove the files of services that were killed."""
    for lock, process in _locks(folder):
        if process == 0:
            lock.unlink(missing_ok=True)
            lock.with_suffix(_STATUS).unlink(missing_ok=True)
            lock.with_suffix(_REQUEST).unlink(missing_ok=True)


def _locks(folder: Path) -> Iterator[tuple[Path, int]]:
    """Each lock with the process that holds it: 0 for none, -1 for one that this process cannot see."""
    for lock in sorted(folder.glob(f"*{_LOCK}")):
        try:
            with lock.open() as file:
                fields = _FLOCK.unpack(fcntl.fcntl(file, fcntl.F_GETLK, _FLOCK.pack(*_LOCK_QUERY)))
        except OSError:
            continue  # the service has ended meanwhile, or the file is not one of a service
        unlocked = fields[_TYPE] == fcntl.F_UNLCK
        yield lock, 0 if unlocked else fields[_PROCESS] or -1


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except KeyError:  # an account without a name, as in a container
        return str(path.stat().st_uid)


def _outcome(fields: dict[str, Any]) -> ReloadOutcome:
    lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
    return ReloadOutcome(**{**fields, **lists})
