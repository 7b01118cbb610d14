"""Finds the rules that the versions in a folder are compared with: of a revision, in git, or last in force."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from scrubber.authoring.diff import EarlierRules
from scrubber.authoring.in_force import last_in_force
from scrubber.authoring.revisions import HEAD, is_git_revision, opened_revision
from scrubber.errors import NoRulebook
from scrubber.rulebook.load import digest, read_folder


def earlier_rules(
    rules: Path, state: Path | None, warn: Callable[[str], None], against: str | None = None
) -> EarlierRules | None:
    """The rules of the revision `against`; without one, what git has last (HEAD), else those that were last in force.

    None where there are none, or none that differ; `warn` gets the reason where those cannot be read.
    Raises NoRulebook and Faults for a revision that cannot be opened.
    """
    if against is not None:
        return _at_revision(against, rules, state, warn)
    if is_git_revision(HEAD, rules):
        with suppress(NoRulebook):  # the folder is not in git, although a folder around it is
            return _at_revision(HEAD, rules, state, warn)
    return last_in_force(rules, state, warn)


def _at_revision(revision: str, rules: Path, state: Path | None, warn: Callable[[str], None]) -> EarlierRules | None:
    with opened_revision(revision, rules, state) as folder, suppress(OSError):
        if digest(folder) != digest(rules):
            contents = read_folder(folder)
            if contents.faults:  # what cannot be read means nothing: every rule with a table would seem changed
                warn(f"the rules of {revision} do not load with this program")
                return None
            return EarlierRules({file.rule.id: file.rule for file in contents.files}, revision)
    return None
