"""Beside the path: which rules of a folder a service answered by last, so that a later start can be held against them.

`<state>/in-force/` has a file for each folder of rules: the digest of its rules, and the folder. The rules themselves
are in the archive.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from scrubber.errors import Faults, NoRulebook
from scrubber.rulebook.archive import open_archived
from scrubber.rulebook.load import digest, read_folder
from scrubber.workshop.difference.versions import Earlier
from scrubber.workshop.state_file import write_whole

IN_FORCE = "in-force"
_SHORT = len("sha256:") + 12


def note_in_force(rules: Path, book_digest: str, state: Path | None) -> None:
    """The rules with this digest, of the folder `rules`, are in force. Where that cannot be written it is not known."""
    if state is None:
        return
    with suppress(OSError):
        write_whole(_path(rules, state), f"{book_digest}\n{rules.absolute()}\n".encode())


def last_in_force(rules: Path, state: Path | None, tell: Callable[[str], None]) -> Earlier | None:
    """The rules of this folder that were in force last; None where none are known or they are what lies there now.

    `tell` is given why they cannot be read: nothing can then be held against them.
    """
    try:
        noted = _path(rules, state).read_text(encoding="utf-8").split("\n")[0] if state else ""
    except (OSError, UnicodeDecodeError):
        noted = ""
    if state is None or not noted:
        return None
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


def _path(rules: Path, state: Path) -> Path:
    return state / IN_FORCE / hashlib.sha256(str(rules.absolute()).encode()).hexdigest()[:32]
