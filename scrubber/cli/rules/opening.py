"""Beside the path: what the commands of `scrubber rules` share: the rulebook of the settings, and counts in words."""

from __future__ import annotations

from scrubber.cli.opening import settings, told_plainly
from scrubber.rulebook.book import Rulebook
from scrubber.rulebook.load import load_rulebook


def rulebook() -> Rulebook:
    """The rulebook that the settings name. Ends the command with every fault that it has."""
    with told_plainly():
        return load_rulebook(settings().rules)


def counted(number: int, what: str) -> str:
    """`1 rule`, `2 rules`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
