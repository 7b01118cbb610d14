"""The rulebooks that are compared, and which of their rules the test is about."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from scrubber.errors import Fault, Faults
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.rule import Rule, semantic_hash
from scrubber.rulebook.rulebook import Rulebook


class Choice(NamedTuple):
    """Which rulebooks to run: all that another process needs to open them itself.

    `folder` holds the candidate. The rules `switched_on` count as active in it, whatever their status. `against` is the
    folder of the baseline; None: the candidate's folder without the rules switched on, and no baseline without those.
    """

    folder: Path
    switched_on: tuple[str, ...] = ()
    against: Path | None = None


class Books(NamedTuple):
    """What is compared. `baseline` is None when the candidate stands alone. `tested` are ids of rules, sorted."""

    candidate: Rulebook
    baseline: Rulebook | None
    tested: tuple[str, ...]


def open_books(choice: Choice) -> Books:
    """The rulebooks of a choice. Raises Faults for a folder that cannot be loaded, and for a rule that there is not."""
    written = load_rulebook(choice.folder)
    unknown = [name for name in choice.switched_on if name not in written.rules]
    if unknown:
        raise Faults([Fault(name, 0, "there is no such rule; scrubber rules list names them") for name in unknown])
    candidate = _switched_on(written, choice.switched_on) if choice.switched_on else written
    baseline = _baseline(written, choice)
    return Books(candidate, baseline, choice.switched_on or _changed(candidate, baseline))


def active_rules(book: Rulebook | None) -> dict[str, Rule]:
    """The rules whose findings count, by id."""
    return {rule.id: rule for rule in book.active} if book else {}


def _baseline(written: Rulebook, choice: Choice) -> Rulebook | None:
    if choice.against is not None:
        return load_rulebook(choice.against)
    return _without(written, choice.switched_on) if choice.switched_on else None


def _switched_on(book: Rulebook, ids: Collection[str]) -> Rulebook:
    active = {name: replace(book.rules[name], status="active") for name in ids}
    return Rulebook({**book.rules, **active}, book.packs, book.rows, book.digest)


def _without(book: Rulebook, ids: Collection[str]) -> Rulebook:
    left = {name: rule for name, rule in book.rules.items() if name not in ids}
    return Rulebook(left, book.packs, book.rows, book.digest)


def _changed(candidate: Rulebook, baseline: Rulebook | None) -> tuple[str, ...]:
    """The active rules that the baseline has not, or that mean something else there; all without a baseline."""
    before = active_rules(baseline)
    return tuple(
        sorted(
            name
            for name, rule in active_rules(candidate).items()
            if name not in before or semantic_hash(rule) != semantic_hash(before[name])
        )
    )
