"""Beside the path: rules that mean something else under the version they had: an answer names its rules by version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from scrubber.errors import Fault
from scrubber.rulebook.rule import Rule
from scrubber.rulebook.yaml_file import read_yaml
from scrubber.workshop.difference.rules import MEANING, RuleChange, rule_changes


class Earlier(NamedTuple):
    """Rules by id as they were, and what a reader calls them: `HEAD`, `the rules in force (sha256:…)`."""

    rules: Mapping[str, Rule]
    name: str


def same_version_faults(earlier: Earlier, folder: Path, rules: Mapping[str, Rule]) -> list[Fault]:
    """A fault for each of `rules`, which lie in `folder`, that means another thing than earlier under one version.

    A rule that was a draft earlier never answered, so nobody relies on what it meant.
    """
    return [
        _fault(change.after, keys, earlier, folder)
        for change in rule_changes(earlier.rules, rules)
        if change.after is not None and (keys := tuple(_changed(change)))
    ]


def _changed(change: RuleChange) -> Iterator[str]:
    """The keys that mean something else under the same version."""
    before, after = change.before, change.after
    if before is not None and after is not None and before.status != "draft" and before.version == after.version:
        yield from (each.key for each in change.changes if each.weight == MEANING)


def _fault(rule: Rule, keys: tuple[str, ...], earlier: Earlier, folder: Path) -> Fault:
    line = read_yaml(folder / rule.file, rule.file).line(("version",))
    changed = ", ".join(f"`{key}`" for key in keys)
    return Fault(
        rule.file,
        line,
        f"version: is still {rule.version}, but the rule means another thing than in {earlier.name} ({changed}): raise "
        f"it, and add a line to {rule.pack}/CHANGES.md",
    )
