"""Checks that the CHANGES.md of each pack lists what has changed since a revision, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from scrubber.authoring.diff import RulebookDifference
from scrubber.errors import Fault
from scrubber.rulebook.history import CHANGES, Changes, ChangesEntry, read_changes

PACK_FILE = "pack.yaml"
_SHORT = len("sha256:") + 12


class _PackChanges(NamedTuple):
    """The changes of a pack, by the names that CHANGES.md uses.

    `must` be mentioned: changes of meaning, each with its way (added, removed, changed). `may`: every change. `every`:
    all names of the pack.
    """

    must: dict[str, str]
    may: set[str]
    every: set[str]


def changelog_faults(before: Path, after: Path, found: RulebookDifference) -> list[Fault]:
    """Faults of the CHANGES.md files in `after`, and versions that were not raised. `found` is of these folders."""
    faults = [Fault(each.rule.file, 0, each.fault) for each in found.rules if each.fault]
    for path in after.glob(f"*/{PACK_FILE}"):
        faults += _of_pack(path.parent.name, before, after, found)
    return sorted(faults)


def _of_pack(pack: str, before: Path, after: Path, found: RulebookDifference) -> Iterator[Fault]:
    name = f"{pack}/{CHANGES}"
    changes, earlier = _read(after / name), _read(before / name)
    is_new = any(each.name == pack and each.way == "added" for each in found.packs)
    changed = _pack_changes(pack, before, after, found)
    if changes is None or not changes.entries:
        if changed.must:
            yield Fault(name, 0, "tells nothing: add an entry such as ## 2026-12-01, with a line for each change")
    elif not is_new:
        yield from _compared(name, changes, earlier, changed, found.before)


def _compared(
    name: str, changes: Changes, before: Changes | None, changed: _PackChanges, digest: str
) -> Iterator[Fault]:
    added = _added(changes, before, digest)
    if added is None:
        if changed.must:
            yield Fault(name, 0, f"no heading names ({digest[:_SHORT]}): put it over the entry that was the last then")
        return
    newest = changes.entries[0]
    for each, way in changed.must.items():
        if each not in added and (before is None or each not in newest.names):
            yield Fault(name, newest.line, f"does not mention `{each}`, which was {way}: add a line for it")
    for each, line in added.items():
        if each in changed.every - changed.may:
            yield Fault(name, line, f"mentions `{each}`, in which nothing has changed")


def _added(changes: Changes, before: Changes | None, digest: str) -> dict[str, int] | None:
    """Names that are new under their day, with their lines; None where no heading tells new entries from old ones."""
    if before is not None:
        known = {(entry.day, each) for entry in before.entries for each in entry.names}
        return _names(changes.entries, known)
    for index, entry in enumerate(changes.entries):
        if entry.digest and digest.startswith(entry.digest):
            return _names(changes.entries[:index], set())
    return None


def _names(entries: Iterable[ChangesEntry], known: set[tuple[date, str]]) -> dict[str, int]:
    return {each: line for entry in entries for each, line in entry.names.items() if (entry.day, each) not in known}


def _pack_changes(pack: str, before: Path, after: Path, found: RulebookDifference) -> _PackChanges:
    must = {rule.rule.id: rule.way for rule in found.rules if rule.rule.pack == pack and rule.changes_meaning}
    may = {rule.rule.id for rule in found.rules}
    for row in found.rows:
        folder_name, _, file = row.located.file.rpartition("/")
        if folder_name == f"{pack}/tables":
            may.add(file)
            if not row.wording:
                must[file] = "changed"
    for each in found.packs:
        if each.name == pack:
            may.add(PACK_FILE)
            if each.changes_meaning:
                must[PACK_FILE] = each.way
    every = {
        path.name if path.name == PACK_FILE or path.suffix == ".csv" else path.stem
        for folder in (before, after)
        for path in (folder / pack).rglob("*")
    }
    return _PackChanges(must, may, every)


def _read(path: Path) -> Changes | None:
    return read_changes(path.read_text(encoding="utf-8-sig", errors="replace")) if path.is_file() else None
