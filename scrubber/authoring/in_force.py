"""Which rules of a folder a service answered by last, so that a later start can be held against them.

`<state>/in-force/` has a file for each folder of rules: the digest of the rules in force and the folder; after a
rollback also the digest of what lies in the folder, in the place of which they are in force. A second file, `.history`,
has a line for each change. The rules themselves are in the archive.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from scrubber.authoring.check_cache import write_whole
from scrubber.authoring.diff import Earlier
from scrubber.errors import Faults, NoRulebook
from scrubber.rulebook.history import open_archived
from scrubber.rulebook.load import digest, read_folder

IN_FORCE = "in-force"
_SHORT = len("sha256:") + 12


def note_in_force(rules: Path, book_digest: str, state: Path | None, instead_of: str = "") -> None:
    """The rules with this digest, of the folder `rules`, are in force. Where that cannot be written it is not known.

    `instead_of` is the digest of what lies in the folder, where they are kept ones that were brought back.
    """
    if state is None:
        return
    noted = _noted(rules, state)
    with suppress(OSError):
        write_whole(_path(rules, state), f"{book_digest}\n{rules.absolute()}\n{instead_of}\n".encode())
        before = in_force_before(rules, state) or ((noted.digest,) if noted else ())  # of a version without history
        if before[-1:] != (book_digest,):
            told = "".join(f"{digest}\n" for digest in (*before, book_digest))
            write_whole(_history(rules, state), told.encode())


def in_force_before(rules: Path, state: Path) -> tuple[str, ...]:
    """The digests of the rules of this folder that were in force, in order; the last is, or was last."""
    try:
        return tuple(_history(rules, state).read_text(encoding="utf-8").split())
    except (OSError, UnicodeDecodeError):
        return ()


def rolled_back(rules: Path, state: Path | None) -> Path | None:
    """The kept rules that are in force in the place of what lies in the folder; None where the folder itself counts.

    A rollback holds for as long as the folder has the rules that were rolled back: others end it.
    Raises NoRulebook where the kept rules are no more: those in the folder were found wrong by somebody.
    """
    noted = _noted(rules, state) if state else None
    if state is None or noted is None or not noted.instead_of:
        return None
    try:
        if digest(rules) != noted.instead_of:
            return None
    except OSError:
        return None  # whoever reads the rules tells which file cannot be read
    try:
        return open_archived(state, noted.digest)
    except NoRulebook as error:
        told = f"the rules in {rules} were rolled back to {noted.digest[:_SHORT]}, and {error}"
        raise NoRulebook(f"{told}: put the rules that are to be in force into {rules}") from None


def last_in_force(rules: Path, state: Path | None, tell: Callable[[str], None]) -> Earlier | None:
    """The rules of this folder that were in force last; None where none are known or they are what lies there now.

    `tell` is given why they cannot be read: nothing can then be held against them.
    """
    found = _noted(rules, state) if state else None
    if state is None or found is None:
        return None
    noted = found.digest
    try:
        if noted == digest(rules):
            return None
        files = read_folder(open_archived(state, noted)).files
    except OSError:
        return None  # the check tells which file cannot be read
    except (NoRulebook, Faults) as error:
        tell(str(error))
        return None
    return Earlier({file.rule.id: file.rule for file in files}, f"the rules last in force ({noted[:_SHORT]})")


class _Noted(NamedTuple):
    digest: str
    instead_of: str


def _noted(rules: Path, state: Path) -> _Noted | None:
    try:
        lines = _path(rules, state).read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return _Noted(lines[0], lines[2] if len(lines) > 2 else "") if lines[0] else None


def _history(rules: Path, state: Path) -> Path:
    return _path(rules, state).with_suffix(".history")


def _path(rules: Path, state: Path) -> Path:
    return state / IN_FORCE / hashlib.sha256(str(rules.absolute()).encode()).hexdigest()[:32]
