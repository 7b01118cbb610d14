"""Shared by the commands of `scrubber rules`: the rulebook of the settings, counts in words, a progress bar."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

import click

from scrubber.cli.options import current_settings, errors_as_messages
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.rulebook import Rulebook


def rulebook() -> Rulebook:
    """The rulebook that the settings name. Ends the command with every fault that it has."""
    with errors_as_messages():
        return load_rulebook(current_settings().rules)


def counted(number: int, what: str) -> str:
    """`1 rule`, `2 rules`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


Item = TypeVar("Item")


def watched(items: Iterable[Item], what: str, count: int) -> Iterator[Item]:
    """The items, with a progress bar on stderr where that is a terminal; `count`: the number of items."""
    if not sys.stderr.isatty():
        yield from items
        return
    with click.progressbar(items, length=count, label=what, file=sys.stderr) as bar:
        yield from bar
