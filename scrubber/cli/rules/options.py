"""Shared by the commands of `scrubber rules`: the rulebook of the settings, counts in words, a progress bar."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator
from typing import TypeVar

import click

from scrubber.cli.options import Unusable, current_settings, errors_as_messages
from scrubber.likeness import known_names, perhaps
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.rulebook import Rulebook


def rulebook() -> Rulebook:
    """The rulebook that the settings name. Ends the command with every fault that it has."""
    with errors_as_messages():
        return load_rulebook(current_settings().rules)


def no_rule(rule_id: str, known: Collection[str]) -> Unusable:
    """What ends a command that is given the id of no rule."""
    return Unusable(f"there is no rule {rule_id}{perhaps(rule_id, known)}; scrubber rules list names them")


def no_pack(name: str, known: Collection[str]) -> Unusable:
    """What ends a command that is given the name of no pack."""
    return Unusable(f"there is no pack {name}{known_names(name, known)}")


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
