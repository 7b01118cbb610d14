"""Keeps rulebooks under their digests, for replays and comparisons, and reads the entries of CHANGES.md.

`<state>/rulebooks/<64 hex digits>/` holds what the digest covers and nothing else. A rulebook is written under a
temporary name, synced to disk, and then renamed; opening it verifies its digest. Writers exclude each
other by a lock that ends with the process; the next removes what a killed one left.

    # Changes

    ## 2026-12-01

    - `documentation-tbs-number` version 2: a score in words is no number.
    - `limits.csv`: plausible scores begin at 0.7 in 2027.

A heading may name the rulebook that it completes, which separates it from later changes: `## 2026-12-01
(sha256:1f0c93aa7b52)`.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from scrubber.errors import DamagedRulebook, Fault, NoRulebook
from scrubber.rulebook.load import DIGEST_PREFIX, covered, digest, digest_of, rule_files
from scrubber.rulebook.rule import Rule
from scrubber.rulebook.yaml_file import iso_day

RULEBOOKS = "rulebooks"
LOCK = "lock"
UNFINISHED = ".unfinished"
SYNC_THREADS = 16  # files: one after the other takes ten times as long, as each waits for the disk alone
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PREFIX = re.compile(rf"(?:{DIGEST_PREFIX})?([0-9a-f]{{8,64}})")


class ArchivedRulebook(NamedTuple):
    """A rulebook in the archive; `since` is the moment (UTC) at which it was first kept."""

    digest: str
    since: datetime
    rules: int
    folder: Path


def archive(folder: Path, rulebook_digest: str, state: Path) -> Path:
    """Keeps the rules in `folder` under the digest with which they were loaded; costs one look where they are kept.

    Raises NoRulebook when the folder holds other rules by now, OSError when the state cannot be written.
    """
    target = _folder(state, rulebook_digest)
    if target.is_dir():
        return target
    files = tuple(covered(folder))
    if digest_of(files) != rulebook_digest:
        raise NoRulebook(f"{folder} no longer holds the rulebook {rulebook_digest}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target.parent):
        if not target.is_dir():
            _write(files, target)
    return target


def archive_or_warn(folder: Path, rulebook_digest: str, state: Path | None, warn: Callable[[str], None]) -> None:
    """`archive` for callers that continue without it: `warn` gets the reason of a failure. State None keeps nothing."""
    if state is None:
        return
    try:
        archive(folder, rulebook_digest, state)
    except NoRulebook as error:
        warn(str(error))
    except OSError as error:
        warn(f"{state / RULEBOOKS} cannot be written: {error.strerror}")


def archived_rulebooks(state: Path) -> tuple[ArchivedRulebook, ...]:
    """What is kept, the newest first."""
    folders = [path for path in (state / RULEBOOKS).glob("*") if _DIGEST.fullmatch(path.name)]
    return tuple(sorted(map(_archived, folders), key=lambda each: (each.since, each.digest), reverse=True))


def is_digest(text: str) -> bool:
    """Whether a text may be a digest or the beginning of one: at least 8 hex digits, `sha256:` before them or not."""
    return _PREFIX.fullmatch(text) is not None


def open_archived(state: Path, text: str) -> Path:
    """The folder of the rulebook whose digest is or begins with `text`.

    Raises NoRulebook when there is none or there are several, DamagedRulebook when it is not as it was kept.
    """
    found = _PREFIX.fullmatch(text)
    if found is None:
        raise NoRulebook(f"{text} is no digest of a rulebook: give at least its first 8 hex digits")
    kept = [each for each in (state / RULEBOOKS).glob(f"{found[1]}*") if _DIGEST.fullmatch(each.name)]
    if not kept:
        raise NoRulebook(f"no rulebook {text} is kept in {state / RULEBOOKS}")
    if len(kept) > 1:
        raise NoRulebook(f"{len(kept)} rulebooks are kept whose digests begin with {text}: give more of it")
    return _verified(kept[0])


def _verified(folder: Path) -> Path:
    damaged = f"the rulebook kept in {folder} is damaged: its files no longer have the digest that it is kept under"
    try:
        if digest(folder) != DIGEST_PREFIX + folder.name:
            raise DamagedRulebook(damaged)
    except OSError:
        raise DamagedRulebook(damaged) from None
    return folder


def _folder(state: Path, rulebook_digest: str) -> Path:
    return state / RULEBOOKS / rulebook_digest.removeprefix(DIGEST_PREFIX)


def _archived(folder: Path) -> ArchivedRulebook:
    since = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
    return ArchivedRulebook(DIGEST_PREFIX + folder.name, since, len(rule_files(folder)), folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock.fileno(), fcntl.LOCK_EX)
        for left in folder.glob(f"{UNFINISHED}*"):
            shutil.rmtree(left)
        yield


def _write(files: Iterable[tuple[str, bytes]], target: Path) -> None:
    """Syncs the bytes to disk before the rename: a crash leaves no incomplete folder under a final name."""
    unfinished = target.with_name(f"{UNFINISHED}-{target.name}")
    for name, content in files:
        path = unfinished / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with ThreadPoolExecutor(SYNC_THREADS) as threads:
        list(threads.map(_sync, (*unfinished.rglob("*"), unfinished)))
    unfinished.rename(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


CHANGES = "CHANGES.md"
MOST_BYTES = 512 * 1024
TITLE = "# Changes"
_HEADING = re.compile(r"## (\S+)(?: \((sha256:[0-9a-f]{8,64})\))?")
_BACKTICKED = re.compile(r"`([^`\s]+)`")
_VERSION = re.compile(r"`([^`\s]+)`,? \(?version ([0-9]+)")


class ChangesEntry(NamedTuple):
    """What was changed on a day. `digest` may be the beginning of one; `names` are in backticks, with their lines."""

    line: int
    day: date
    digest: str | None
    names: Mapping[str, int]


class Changes(NamedTuple):
    """A CHANGES.md: its entries in order, the versions of rules that it describes, and faults (line, what to do)."""

    entries: tuple[ChangesEntry, ...]
    versions: frozenset[tuple[str, int]]
    faults: tuple[tuple[int, str], ...]


def read_changes(text: str) -> Changes:
    """The entries of a CHANGES.md, and what is wrong with its layout."""
    lines = text.splitlines()
    faults = [] if lines[:1] == [TITLE] else [(1, f"the first line must be: {TITLE}")]
    entries: list[ChangesEntry] = []
    for number, line in enumerate(lines, start=1):
        if line.startswith("## "):
            found = _HEADING.fullmatch(line.rstrip())
            day = iso_day(found[1]) if found else None
            if found is None or day is None:
                faults.append((number, "a heading is a day: ## 2026-12-01, or ## 2026-12-01 (sha256:1f0c93aa7b52)"))
                day, found = entries[-1].day if entries else date.max, None
            entries.append(ChangesEntry(number, day, found[2] if found else None, {}))
        elif entries:
            names = entries[-1].names
            entries[-1] = entries[-1]._replace(names=dict.fromkeys(_BACKTICKED.findall(line), number) | dict(names))
    faults += [
        (later.line, "the newest entry comes first") for entry, later in pairwise(entries) if later.day > entry.day
    ]
    versions = frozenset((name, int(version)) for name, version in _VERSION.findall(text.replace("\n", " ")))
    return Changes(tuple(entries), versions, tuple(faults))


def changes_faults(folder: Path, pack: str, rules: Iterable[Rule]) -> Iterator[Fault]:
    """What is wrong with the CHANGES.md of a pack, as far as one state of the pack can show."""
    name = f"{pack}/{CHANGES}"
    path = folder / name
    if not path.is_file():
        yield Fault(name, 0, "is missing: it tells who relies on the pack what changed")
        return
    if path.stat().st_size > MOST_BYTES:
        yield Fault(name, 0, f"larger than {MOST_BYTES // 1024} KB: move old entries to a file of another name")
        return
    changes = read_changes(path.read_text(encoding="utf-8-sig", errors="replace"))
    yield from (Fault(name, line, message) for line, message in changes.faults)
    for rule in rules:
        if rule.pack == pack and rule.version > 1 and (rule.id, rule.version) not in changes.versions:
            yield Fault(name, 0, f"does not tell what changed: add a line with `{rule.id}` version {rule.version}")
