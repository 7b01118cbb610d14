"""Beside the path: a bar on a terminal while a command works on many rules."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

import click

Item = TypeVar("Item")


def watched(items: Iterable[Item], what: str, count: int) -> Iterator[Item]:
    """The items, with a bar on stderr of how many of `count` have come; none where nobody watches."""
    if not sys.stderr.isatty():
        yield from items
        return
    with click.progressbar(items, length=count, label=what, file=sys.stderr) as bar:
        yield from bar
