"""Beside the path: CHANGES.md of a pack: dated entries, the newest first, that name what they speak of in backticks.

    # Changes

    ## 2026-12-01

    - `documentation-tbs-number` version 2: a score in words is no number.
    - `limits.csv`: plausible scores begin at 0.7 in 2027.

A heading may name the rulebook that it completes, so that later changes can be told from it: `## 2026-12-01
(sha256:1f0c93aa7b52)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from scrubber.errors import Fault
from scrubber.rulebook.rule import Rule
from scrubber.rulebook.yaml_file import iso_day

CHANGES = "CHANGES.md"
MOST_BYTES = 512 * 1024
TITLE = "# Changes"
_HEADING = re.compile(r"## (\S+)(?: \((sha256:[0-9a-f]{8,64})\))?")
_NAMED = re.compile(r"`([^`\s]+)`")
_VERSION = re.compile(r"`([^`\s]+)`,? \(?version ([0-9]+)")


class Entry(NamedTuple):
    """What was changed on a day. `digest` may be the beginning of one; `names` are in backticks, with their lines."""

    line: int
    day: date
    digest: str | None
    names: Mapping[str, int]


class Changes(NamedTuple):
    """A CHANGES.md: its entries as they stand, the versions of rules that it tells, and faults (line, what to do)."""

    entries: tuple[Entry, ...]
    versions: frozenset[tuple[str, int]]
    faults: tuple[tuple[int, str], ...]


def read_changes(text: str) -> Changes:
    """What a CHANGES.md says, and what is wrong with its layout."""
    lines = text.splitlines()
    faults = [] if lines[:1] == [TITLE] else [(1, f"the first line must be: {TITLE}")]
    entries: list[Entry] = []
    for number, line in enumerate(lines, start=1):
        if line.startswith("## "):
            found = _HEADING.fullmatch(line.rstrip())
            day = iso_day(found[1]) if found else None
            if found is None or day is None:
                faults.append((number, "a heading is a day: ## 2026-12-01, or ## 2026-12-01 (sha256:1f0c93aa7b52)"))
                day, found = entries[-1].day if entries else date.max, None
            entries.append(Entry(number, day, found[2] if found else None, {}))
        elif entries:
            names = entries[-1].names
            entries[-1] = entries[-1]._replace(names=dict.fromkeys(_NAMED.findall(line), number) | dict(names))
    faults += [
        (later.line, "the newest entry comes first") for entry, later in pairwise(entries) if later.day > entry.day
    ]
    versions = frozenset((name, int(version)) for name, version in _VERSION.findall(text.replace("\n", " ")))
    return Changes(tuple(entries), versions, tuple(faults))


def changes_faults(folder: Path, pack: str, rules: Iterable[Rule]) -> Iterator[Fault]:
    """What is wrong with the CHANGES.md of a pack, as far as it shows without knowing an earlier state."""
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
