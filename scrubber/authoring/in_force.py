"""Records which rules of a folder a service last had in force, so that a later start can be compared with them.

`<state>/in-force/` has a file for each folder of rules: the digest of the rules in force and the folder; after a
rollback also the digest of the folder's rules, which they replace. A second file, `.history`,
has a line for each change. The rules themselves are in the archive.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from scrubber.authoring.check_cache import write_atomically
from scrubber.authoring.diff import EarlierRules
from scrubber.errors import Faults, NoRulebook
from scrubber.rulebook.history import open_archived
from scrubber.rulebook.load import digest, read_folder

IN_FORCE = "in-force"
_SHORT = len("sha256:") + 12


def record_in_force(rules: Path, rulebook_digest: str, state: Path | None, instead_of: str = "") -> None:
    """Records that the rules with this digest, of the folder `rules`, are in force; without effect where that fails.

    `instead_of` is the digest of the folder's rules where archived ones replace them after a rollback.
    """
    if state is None:
        return
    record = _read_record(rules, state)
    with suppress(OSError):
        write_atomically(_path(rules, state), f"{rulebook_digest}\n{rules.absolute()}\n{instead_of}\n".encode())
        before = in_force_before(rules, state) or ((record.digest,) if record else ())  # of a version without history
        if before[-1:] != (rulebook_digest,):
            text = "".join(f"{digest}\n" for digest in (*before, rulebook_digest))
            write_atomically(_history(rules, state), text.encode())


def in_force_before(rules: Path, state: Path) -> tuple[str, ...]:
    """The digests of the rules of this folder that were in force, in order; the last is, or was last."""
    try:
        return tuple(_history(rules, state).read_text(encoding="utf-8").split())
    except (OSError, UnicodeDecodeError):
        return ()


def rolled_back(rules: Path, state: Path | None) -> Path | None:
    """The archived rules that are in force in place of the folder's; None where the folder's are in force.

    A rollback holds for as long as the folder has the rules that were rolled back: others end it.
    Raises NoRulebook where the archive no longer has them: it would be wrong to use those that were rolled back.
    """
    record = _read_record(rules, state) if state else None
    if state is None or record is None or not record.instead_of:
        return None
    try:
        if digest(rules) != record.instead_of:
            return None
    except OSError:
        return None  # reading the rules reports which file cannot be read
    try:
        return open_archived(state, record.digest)
    except NoRulebook as error:
        text = f"the rules in {rules} were rolled back to {record.digest[:_SHORT]}, and {error}"
        raise NoRulebook(f"{text}: put the rules that are to be in force into {rules}") from None


def last_in_force(rules: Path, state: Path | None, warn: Callable[[str], None]) -> EarlierRules | None:
    """The rules of this folder that were in force last; None where none are known or they are the folder's own.

    `warn` gets the reason where they cannot be read: there is then nothing to compare with.
    """
    found = _read_record(rules, state) if state else None
    if state is None or found is None:
        return None
    record = found.digest
    try:
        if record == digest(rules):
            return None
        files = read_folder(open_archived(state, record)).files
    except OSError:
        return None  # the check reports which file cannot be read
    except (NoRulebook, Faults) as error:
        warn(str(error))
        return None
    return EarlierRules({file.rule.id: file.rule for file in files}, f"the rules last in force ({record[:_SHORT]})")


class _InForceRecord(NamedTuple):
    digest: str
    instead_of: str


def _read_record(rules: Path, state: Path) -> _InForceRecord | None:
    try:
        lines = _path(rules, state).read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return _InForceRecord(lines[0], lines[2] if len(lines) > 2 else "") if lines[0] else None


def _history(rules: Path, state: Path) -> Path:
    return _path(rules, state).with_suffix(".history")


def _path(rules: Path, state: Path) -> Path:
    return state / IN_FORCE / hashlib.sha256(str(rules.absolute()).encode()).hexdigest()[:32]
