"""Shared by the commands of `scrubber rules`: the rulebook of the settings, counts in words, a progress bar."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import click

from scrubber.cli.options import Unusable, current_settings, errors_as_messages
from scrubber.errors import Faults
from scrubber.likeness import known_names, perhaps
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.rule_index import INDEX, index_text
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


def renew_index(folder: Path) -> None:
    """Writes the index of the rules anew, where there is one and the rules load."""
    path = folder / INDEX
    if path.is_file():
        with suppress(Faults):
            book = load_rulebook(folder)
            path.write_text(index_text(book.packs, book.rules.values()), encoding="utf-8")


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
