"""What came of a reload, as the service records it and as people are told.

A service has two files in the folder of Settings.state: one that it keeps locked, which says whose process it is, and
one that says how it stands. The lock ends with the process, however it ends, and tells the process by its number as
the asking one knows it: a file left behind, a number used again or a process in another container are not mistaken.
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
class Outcome:
    """What came of a reload: one of the words above. `old` and `new` are digests, None where nothing could be loaded.

    `cases` is how many test cases were run; `reasons` say why it was refused, a line each, and `warnings` what is wrong
    with drafts, which stop nothing. Kept rules that were brought back are in force in the place of `instead_of`, which
    lies in the folder; `asked_by` is the account that asked for that.
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


def in_a_line(outcome: Outcome) -> str:
    """What came of a reload, for people."""
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


def differences(outcome: Outcome) -> list[tuple[str, tuple[str, ...]]]:
    """Ids of rules by what happened to them."""
    return [("added", outcome.added), ("removed", outcome.removed), ("changed", outcome.changed)]


def short(digest: str) -> str:
    """A digest as people compare it."""
    return digest[: len("sha256:") + 12]


SERVICES = "services"
_LOCK, _STATUS, _REQUEST = ".lock", ".json", ".request"
# struct flock: type, whence, start, length, process; on the BSDs the last three come first.
_LINUX = sys.platform == "linux"
_FLOCK = struct.Struct("hhqqi" if _LINUX else "qqihh")
_ASKED = (fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0) if _LINUX else (0, 0, 0, fcntl.F_WRLCK, os.SEEK_SET)
_TYPE, _PROCESS = (0, 4) if _LINUX else (3, 2)


@dataclass(frozen=True)
class Status:
    """How a service stands. `address` is HOST:PORT, `rules` the folder, `digest` of the rules in force.

    `begun` and `ended` count reloads; `last` is what came of the last one that ended.
    """

    address: str
    rules: str
    digest: str
    begun: int = 0
    ended: int = 0
    last: Outcome | None = None


@dataclass(frozen=True)
class Running:
    """A service that runs now: its process, and the file with its status."""

    process: int
    file: Path

    def status(self) -> Status:
        """How it stands. Raises OSError when it has ended, ValueError, KeyError or TypeError for a foreign file."""
        told = orjson.loads(self.file.read_bytes())
        last = told.pop("last")
        return Status(**told, last=_outcome(last) if last else None)

    @property
    def request(self) -> Path:
        """Holds the digest that its next reload is to bring back, while somebody asks for that."""
        return self.file.with_suffix(_REQUEST)

    def ask_for(self, digest: str) -> None:
        """Its next reload is to put the kept rulebook with this digest in force. Raises OSError."""
        write_atomically(self.request, digest.encode())


class Request(NamedTuple):
    """A kept rulebook that is to come back, and the account that asks for it."""

    digest: str
    asked_by: str


class Record:
    """A service's own two files. To be made and removed by the process that answers signals."""

    def __init__(self, state: Path, status: Status) -> None:
        """Raises OSError when the state cannot be written."""
        folder = state / SERVICES
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._lock = folder / f"{name}{_LOCK}"
        self._running = Running(os.getpid(), folder / f"{name}{_STATUS}")
        self._write(status)
        unlocked = self._lock.with_suffix(".new")  # nobody is to find it before it is locked
        self._held = unlocked.open("w")
        fcntl.lockf(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unlocked.rename(self._lock)

    def begin(self) -> None:
        """A reload begins; nothing of the rules was read yet."""
        status = self._running.status()
        self._write(replace(status, begun=status.begun + 1))

    def end(self, outcome: Outcome) -> None:
        """The reload that began last has ended."""
        status = self._running.status()
        self._write(replace(status, ended=status.begun, last=outcome, digest=outcome.new or status.digest))

    def take_request(self) -> Request | None:
        """What this reload is to bring back, where somebody asked for that: each request counts for one reload."""
        path = self._running.request
        try:
            asked = Request(path.read_text(encoding="ascii"), _owner(path))
        except (OSError, UnicodeDecodeError):
            return None
        path.unlink(missing_ok=True)
        return asked

    def remove(self) -> None:
        """The service ends."""
        self._running.request.unlink(missing_ok=True)
        self._running.file.unlink(missing_ok=True)
        self._lock.unlink(missing_ok=True)

    def _write(self, status: Status) -> None:
        write_atomically(self._running.file, orjson.dumps(status, option=orjson.OPT_INDENT_2))


def running(state: Path) -> list[Running]:
    """The services that keep their state there and run now, as far as this process can see theirs."""
    return [Running(process, lock.with_suffix(_STATUS)) for lock, process in _locks(state / SERVICES) if process > 0]


def _sweep(folder: Path) -> None:
    """Remove what killed services left."""
    for lock, process in _locks(folder):
        if process == 0:
            lock.unlink(missing_ok=True)
            lock.with_suffix(_STATUS).unlink(missing_ok=True)
            lock.with_suffix(_REQUEST).unlink(missing_ok=True)


def _locks(folder: Path) -> Iterator[tuple[Path, int]]:
    """Each lock with its holder: 0 for none, less for one that this process cannot see."""
    for lock in sorted(folder.glob(f"*{_LOCK}")):
        try:
            with lock.open() as file:
                told = _FLOCK.unpack(fcntl.fcntl(file, fcntl.F_GETLK, _FLOCK.pack(*_ASKED)))
        except OSError:
            continue  # it has ended meanwhile, or is none of ours
        unlocked = told[_TYPE] == fcntl.F_UNLCK
        yield lock, 0 if unlocked else told[_PROCESS] or -1


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except KeyError:  # an account without a name, as in a container
        return str(path.stat().st_uid)


def _outcome(told: dict[str, Any]) -> Outcome:
    lists = {name: tuple(value) for name, value in told.items() if isinstance(value, list)}
    return Outcome(**{**told, **lists})
