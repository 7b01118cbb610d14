"""Opens the rulebooks that a back-test compares, and lists the rules that it tests."""

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
    """Which rulebooks to run: everything that another process needs to open them itself.

    `folder` holds the candidate. The rules `switched_on` count as active in it, whatever their status. `against` is the
    folder of the baseline; None: the candidate's folder without the rules switched on, and no baseline without those.
    """

    folder: Path
    switched_on: tuple[str, ...] = ()
    against: Path | None = None


class Rulebooks(NamedTuple):
    """The rulebooks of a back-test. `baseline` is None where only a candidate runs. `tested` are ids, sorted."""

    candidate: Rulebook
    baseline: Rulebook | None
    tested: tuple[str, ...]


def open_rulebooks(choice: Choice) -> Rulebooks:
    """The rulebooks of a choice. Raises Faults for a folder that does not load, and for an unknown rule."""
    loaded = load_rulebook(choice.folder)
    unknown = [name for name in choice.switched_on if name not in loaded.rules]
    if unknown:
        raise Faults(
            Fault(name, 0, f"there is no such rule{loaded.no_such_rule(name)}; scrubber rules list names them")
            for name in unknown
        )
    candidate = _switched_on(loaded, choice.switched_on) if choice.switched_on else loaded
    baseline = _baseline(loaded, choice)
    return Rulebooks(candidate, baseline, choice.switched_on or _changed(candidate, baseline))


def active_rules(rulebook: Rulebook | None) -> dict[str, Rule]:
    """The rules whose findings count, by id."""
    return {rule.id: rule for rule in rulebook.active} if rulebook else {}


def _baseline(loaded: Rulebook, choice: Choice) -> Rulebook | None:
    if choice.against is not None:
        return load_rulebook(choice.against)
    return _without(loaded, choice.switched_on) if choice.switched_on else None


def _switched_on(rulebook: Rulebook, ids: Collection[str]) -> Rulebook:
    active = {name: replace(rulebook.rules[name], status="active") for name in ids}
    return rulebook.with_others({**rulebook.rules, **active})


def _without(rulebook: Rulebook, ids: Collection[str]) -> Rulebook:
    left = {name: rule for name, rule in rulebook.rules.items() if name not in ids}
    return rulebook.with_others(left)


def _changed(candidate: Rulebook, baseline: Rulebook | None) -> tuple[str, ...]:
    """The active rules that the baseline does not have or has with another meaning; all without a baseline."""
    before = active_rules(baseline)
    return tuple(
        sorted(
            name
            for name, rule in active_rules(candidate).items()
            if name not in before or semantic_hash(rule) != semantic_hash(before[name])
        )
    )
