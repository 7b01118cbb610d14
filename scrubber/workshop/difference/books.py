"""Beside the path: the semantic difference of two folders of rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from scrubber.errors import Fault, Faults
from scrubber.rulebook.book import Pack
from scrubber.rulebook.load import Contents, digest, read_folder
from scrubber.rulebook.rule import Rule
from scrubber.workshop.difference.rows import RowChange, row_changes
from scrubber.workshop.difference.rules import RuleChange, rule_changes


class PackChange(NamedTuple):
    """A pack that was added, removed, or says something else of itself: (key, before, after) of its pack.yaml."""

    name: str
    way: str
    changes: tuple[tuple[str, str, str], ...]

    @property
    def means_another(self) -> bool:
        """Whether more than its words changed."""
        return self.way != "changed" or any(key == "adoption" for key, _, _ in self.changes)


class BookDifference(NamedTuple):
    """In what two rulebooks differ. Digests differ by a comment; what is listed here changes an answer or its words."""

    before: str
    after: str
    packs: tuple[PackChange, ...]
    rules: tuple[RuleChange, ...]
    rows: tuple[RowChange, ...]

    @property
    def any(self) -> bool:
        """Whether there is a difference."""
        return bool(self.packs or self.rules or self.rows)


def book_difference(before: Path, after: Path, before_name: str, after_name: str) -> BookDifference:
    """The difference of two folders. Raises Faults, with the names in place of the folders, where one has faults."""
    old, new = _read(before, before_name), _read(after, after_name)
    return BookDifference(
        digest(before),
        digest(after),
        tuple(_pack_changes(old.packs, new.packs)),
        tuple(rule_changes(_rules(old), _rules(new))),
        tuple(row_changes(old.tables, new.tables)),
    )


def _read(folder: Path, name: str) -> Contents:
    contents = read_folder(folder)
    if contents.faults:
        told = [Fault(f"{name}/{fault.file}", fault.line, fault.message) for fault in contents.faults]
        raise Faults(told)
    return contents


def _rules(contents: Contents) -> Mapping[str, Rule]:
    return {file.rule.id: file.rule for file in contents.files}


def _pack_changes(before: Mapping[str, Pack], after: Mapping[str, Pack]) -> Iterator[PackChange]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            yield PackChange(name, "removed" if old else "added", ())
        elif changes := tuple(_told(old, new)):
            yield PackChange(name, "changed", changes)


def _told(before: Pack, after: Pack) -> Iterator[tuple[str, str, str]]:
    for key in ("title", "about", "adoption"):
        old, new = getattr(before, key), getattr(after, key)
        if old != new:
            yield key, old, new
