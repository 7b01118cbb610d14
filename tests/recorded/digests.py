"""Digests of all that is recorded: written to a file that is committed, and compared with it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from tests.recorded.groups import Group, Items, Recording
from tests.recorded.program import Program

FILE = Path(__file__).with_name("digests.json")
DIGITS = 4  # of an item's digest, which only tells which item of a group differs; that one does, the group's own tells
MOST_NAMED = 10
Tell = Callable[[str], None]


class Digest(NamedTuple):
    """SHA-256 over the names and bytes of a group; the names of its items, and the first digits of each one's own."""

    sha256: str
    names: tuple[str, ...]
    items: tuple[str, ...]

    def written(self, by_item: bool) -> dict[str, str]:
        """As it stands in the file: the items' digits in one text, which is short, or left out."""
        return {"sha256": self.sha256} | ({"items": "".join(self.items)} if by_item else {})


def digest_of(items: Items) -> Digest:
    """The digest of a group's items."""
    whole, names, digits = hashlib.sha256(), [], []
    for name, content in items:
        own = hashlib.sha256(content).hexdigest()
        whole.update(f"{name}\n{own}\n".encode())
        names.append(name)
        digits.append(own[:DIGITS])
    return Digest(whole.hexdigest(), tuple(names), tuple(digits))


def read_digests() -> dict[str, dict[str, str]]:
    """The committed digests, by group."""
    told: dict[str, dict[str, str]] = json.loads(FILE.read_text())
    return told


def write_digests(tell: Tell, *chosen: str) -> list[str]:
    """Writes the file anew. Returns what is wrong: rules that no claim makes fire; then the file stays as it is.

    `chosen`: only groups whose names begin with one of these; the others stay.
    """
    found: dict[str, dict[str, str]] = read_digests() if chosen else {}
    with closing(Program()) as program:
        recording = Recording(program)
        for group in _watched(recording, tell, *chosen):
            if group.skipped:
                return [f"{group.name}: {group.skipped}, so its digests would be lost"]
            found[group.name] = digest_of(group.items()).written(by_item=not group.given)
        if not chosen and (faults := never_fired(recording)):
            return faults
    lines = (f"{json.dumps(name)}: {json.dumps(digest)}" for name, digest in found.items())
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    return []


def compare(tell: Tell, *chosen: str) -> list[str]:
    """A line for each group that is not as the file says, with the names of its items that differ.

    `chosen`: only groups whose names begin with one of these.
    """
    faults: list[str] = []
    left = {name: digest for name, digest in read_digests().items() if name.startswith(chosen or "")}
    with closing(Program()) as program:
        recording = Recording(program)
        for group in _watched(recording, tell, *chosen):
            if group.skipped:
                left = {name: digest for name, digest in left.items() if not _is_of(name, group.name)}
                continue
            faults += differences(group.name, left.pop(group.name, None), digest_of(group.items()))
        if not chosen:
            faults += never_fired(recording)
    return faults + [f"{name}: is not there any more" for name in left]


def differences(name: str, before: dict[str, str] | None, now: Digest) -> list[str]:
    """What to say of a group: nothing where it is as it was."""
    if before is None:
        return [f"{name}: was not recorded before"]
    if before["sha256"] == now.sha256:
        return []
    if "items" not in before:
        return [f"{name}: other claims go in than did"]
    items = before["items"]
    digits = [items[at : at + DIGITS] for at in range(0, len(items), DIGITS)]
    if len(digits) != len(now.items):
        return [f"{name}: {len(digits)} items before, {len(now.items)} now"]
    named = [each for each, was, own in zip(now.names, digits, now.items, strict=True) if was != own]
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return [f"{name}: {', '.join(named[:MOST_NAMED]) or 'names of items'}{more}"]


def write_bytes(folder: Path, tell: Tell, *chosen: str) -> list[str]:
    """Every recorded item as a file FOLDER/GROUP/ITEM."""
    with closing(Program()) as program:
        for group in _watched(Recording(program), tell, *chosen):
            below = folder / group.name
            below.mkdir(parents=True, exist_ok=True)
            for name, content in group.items():
                (below / name).write_bytes(content)
    return []


def never_fired(recording: Recording) -> list[str]:
    """A line for each shipped rule that fired on none of the claims."""
    return [f"{rule}: fires on none of the claims" for rule in recording.rule_ids if rule not in recording.fired]


def _watched(recording: Recording, tell: Tell, *chosen: str) -> Iterator[Group]:
    """The groups, with a line about each when it is done."""
    begun = time.monotonic()
    for group in recording.groups():
        if not group.name.startswith(chosen or ""):
            continue
        if group.skipped:
            tell(f"{group.name}: skipped, {group.skipped}")
        yield group
        tell(f"{time.monotonic() - begun:6.1f} s  {group.name}")


def _is_of(name: str, group: str) -> bool:
    return name.removeprefix("claims/").removeprefix("answers/").startswith(group.removeprefix("answers/"))
