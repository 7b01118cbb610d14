"""Beside the path: keeps each rulebook that answered, under its digest, so that its answers can be made again.

`<state>/rulebooks/<64 hex digits>/` holds what the digest covers and nothing else. A rulebook is written aside, put on
the disk, and then renamed; whoever opens it works its digest out again. Writers exclude each other by a lock that ends
with the process; what a killed one left is removed by the next.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from scrubber.errors import Damaged, NoRulebook
from scrubber.rulebook.load import DIGEST_PREFIX, covered, digest, digest_of, rule_files

RULEBOOKS = "rulebooks"
LOCK = "lock"
UNFINISHED = ".unfinished"
SYNCED_AT_ONCE = 16  # files: one after the other takes ten times as long, as each waits for the disk alone
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PREFIX = re.compile(rf"(?:{DIGEST_PREFIX})?([0-9a-f]{{8,64}})")


class Archived(NamedTuple):
    """A rulebook in the archive; `since` is the moment (UTC) at which it was first kept."""

    digest: str
    since: datetime
    rules: int
    folder: Path


def archive(folder: Path, book_digest: str, state: Path) -> Path:
    """Keeps the rules in `folder` under the digest with which they were loaded; costs one look where they are kept.

    Raises NoRulebook when the folder holds other rules by now, OSError when the state cannot be written.
    """
    target = _folder(state, book_digest)
    if target.is_dir():
        return target
    files = tuple(covered(folder))
    if digest_of(files) != book_digest:
        raise NoRulebook(f"{folder} no longer holds the rulebook {book_digest}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target.parent):
        if not target.is_dir():
            _write(files, target)
    return target


def archive_or_tell(folder: Path, book_digest: str, state: Path | None, tell: Callable[[str], None]) -> None:
    """`archive`, for those who go on without: `tell` is given why a rulebook could not be kept. None keeps nothing."""
    if state is None:
        return
    try:
        archive(folder, book_digest, state)
    except NoRulebook as error:
        tell(str(error))
    except OSError as error:
        tell(f"{state / RULEBOOKS} cannot be written: {error.strerror}")


def archived(state: Path) -> tuple[Archived, ...]:
    """What is kept, the newest first."""
    folders = [path for path in (state / RULEBOOKS).glob("*") if _DIGEST.fullmatch(path.name)]
    return tuple(sorted(map(_archived, folders), key=lambda each: (each.since, each.digest), reverse=True))


def is_digest(text: str) -> bool:
    """Whether a text may be a digest or the beginning of one: at least 8 hex digits, `sha256:` before them or not."""
    return _PREFIX.fullmatch(text) is not None


def open_archived(state: Path, text: str) -> Path:
    """The folder of the rulebook whose digest is or begins with `text`.

    Raises NoRulebook when there is none or there are several, Damaged when it is not as it was kept.
    """
    found = _PREFIX.fullmatch(text)
    if found is None:
        raise NoRulebook(f"{text} is no digest of a rulebook: give at least its first 8 hex digits")
    kept = [each for each in (state / RULEBOOKS).glob(f"{found[1]}*") if _DIGEST.fullmatch(each.name)]
    if not kept:
        raise NoRulebook(f"no rulebook {text} is kept in {state / RULEBOOKS}")
    if len(kept) > 1:
        raise NoRulebook(f"{len(kept)} rulebooks are kept whose digests begin with {text}: give more of it")
    return _whole(kept[0])


def _whole(folder: Path) -> Path:
    damaged = f"the rulebook kept in {folder} is damaged: its files no longer have the digest that it is kept under"
    try:
        if digest(folder) != DIGEST_PREFIX + folder.name:
            raise Damaged(damaged)
    except OSError:
        raise Damaged(damaged) from None
    return folder


def _folder(state: Path, book_digest: str) -> Path:
    return state / RULEBOOKS / book_digest.removeprefix(DIGEST_PREFIX)


def _archived(folder: Path) -> Archived:
    since = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
    return Archived(DIGEST_PREFIX + folder.name, since, len(rule_files(folder)), folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock.fileno(), fcntl.LOCK_EX)
        for left in folder.glob(f"{UNFINISHED}*"):
            shutil.rmtree(left)
        yield


def _write(files: Iterable[tuple[str, bytes]], target: Path) -> None:
    """The bytes are on the disk before the name is: a crash leaves nothing that looks whole and is not."""
    unfinished = target.with_name(f"{UNFINISHED}-{target.name}")
    for name, content in files:
        path = unfinished / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with ThreadPoolExecutor(SYNCED_AT_ONCE) as threads:
        list(threads.map(_sync, (*unfinished.rglob("*"), unfinished)))
    unfinished.rename(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
