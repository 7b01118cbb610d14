"""Proposes test cases that detect the mutants of a rule that its present cases miss.

It tries changes of base claims, as for a new rule. A proposed case expects what the rule does today; whether that is
right, a person must judge.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from scrubber.authoring.case_claim import InvalidCase
from scrubber.authoring.mutation import Mutant, notices, record
from scrubber.authoring.new_rule_tests import PathChange, TriedCase, candidates, case_name, changes_of, isolated
from scrubber.authoring.run_tests import observed_finding, prepare_case
from scrubber.errors import NotAClaim
from scrubber.findings import Finding
from scrubber.rulebook.rule import Rule
from scrubber.rulebook.rulebook import STARTER_RELEASES
from scrubber.rulebook.test_case import Case, Expected
from scrubber.scrub import Scrubber

MOST_TRIED = 800  # changes of base claims
CHANGED = "-changed-"  # between the id of a rule and the number of a change of it


class MissingCases(NamedTuple):
    """Cases to add to a test file, as text, and the changes that even they do not notice."""

    texts: tuple[str, ...]
    left: tuple[Mutant, ...]


def missing_cases(
    rule: Rule, survived: Sequence[Mutant], names: Collection[str], scrubber: Scrubber, folder: Path
) -> MissingCases:
    """Cases that notice changes that `survived`, the simplest first. `names` are those of the cases that there are.

    `scrubber` was opened on `folder`. Mutants that no tried change detects are returned as `left`.
    """
    changed = [replace(mutant.rule, id=f"{rule.id}{CHANGED}{number}") for number, mutant in enumerate(survived)]
    trying = isolated([rule, *changed], scrubber.rulebook, scrubber.reference)
    left, taken = dict(enumerate(survived)), set(names)
    texts: list[str] = []
    for count, (claim, changes) in enumerate(candidates(folder, list(changes_of(rule, trying.rulebook)))):
        if not left or count >= MOST_TRIED:
            break
        if not _differ(rule, claim, changes, left, trying, folder):
            continue
        case = _case(rule, claim, changes, taken, scrubber, folder)
        noticed = _noticed(case, left, rule, scrubber, folder) if case else []
        if case and noticed:
            texts.append(_text(case))
            taken.add(case.name)
            for number in noticed:
                del left[number]
    return MissingCases(tuple(texts), tuple(left.values()))


def _differ(
    rule: Rule, claim: str, changes: Sequence[PathChange], left: Collection[int], trying: Scrubber, folder: Path
) -> bool:
    """Whether the rule and one of the changed ones find other things on a claim."""
    case = _new_case(rule, claim, changes, "")
    try:
        ready = prepare_case(case, trying, folder)
    except (InvalidCase, NotAClaim):
        return False
    result = ready.scrubber.scrub(ready.claim, ready.received_on)
    found: dict[str, list[object]] = {}
    for finding in result.findings:
        found.setdefault(finding.rule.id, []).append(_compared(finding))
    unchecked: dict[str, list[object]] = {}
    for item in result.not_checked:
        unchecked.setdefault(item.rule.id, []).append((item.lines, item.missing))
    own = found.get(rule.id), unchecked.get(rule.id)
    ids = (f"{rule.id}{CHANGED}{number}" for number in left)
    return any((found.get(name), unchecked.get(name)) != own for name in ids)


def _compared(finding: Finding) -> tuple[object, ...]:
    impact = finding.impact
    risk = (impact.at_risk, impact.liability) if impact else ()
    return finding.lines, finding.related_lines, finding.severity, finding.message, risk


def _case(
    rule: Rule, claim: str, changes: Sequence[PathChange], taken: Collection[str], scrubber: Scrubber, folder: Path
) -> Case | None:
    """A case that expects everything the rule does on the claim; None where its name is taken."""
    unnamed = _new_case(rule, claim, changes, "")
    case = replace(unnamed, name=case_name(TriedCase(claim, unnamed.change, unnamed.lines, ())))
    if case.name in taken:
        return None
    ready = prepare_case(case, scrubber, folder)
    result = ready.scrubber.scrub(ready.claim, ready.received_on)
    found = tuple(observed_finding(finding) for finding in result.findings if finding.rule.id == rule.id)
    unchecked = tuple(
        Expected(item.lines, {"missing": list(item.missing)}) for item in result.not_checked if item.rule.id == rule.id
    )
    return replace(case, finds=found, not_checked=unchecked or None)


def _noticed(case: Case, left: Mapping[int, Mutant], rule: Rule, scrubber: Scrubber, folder: Path) -> list[int]:
    """Which of the changes the case notices."""
    recorded = record(case, prepare_case(case, scrubber, folder))
    return [number for number, mutant in left.items() if notices(recorded, mutant.rule, rule)]


def _new_case(rule: Rule, claim: str, changes: Sequence[PathChange], name: str) -> Case:
    change = {path: value for path, value in changes if path != "lines"}
    lines = tuple(value for path, value in changes if path == "lines")
    return Case(rule.id, "", 0, name, claim, change, (), lines, (), None, STARTER_RELEASES, (), None)


def _text(case: Case) -> str:
    """The case as a test file has it."""
    lines = [f"- name: {_json(case.name)}", f"  claim: {case.claim}"]
    if case.lines:
        lines.append(f"  lines: {_json(list(case.lines))}")
    if case.change:
        lines.append(f"  change: {_json(dict(case.change))}")
    lines.append("  finds: " + _listed(case.finds or ()))
    if case.not_checked:
        lines.append("  not-checked: " + _listed(case.not_checked))
    return "\n".join(lines) + "\n"


def _listed(items: Sequence[Expected]) -> str:
    return "[" + ", ".join(_expected(item) for item in items) + "]"


def _expected(item: Expected) -> str:
    where: dict[str, Any] = {"line": item.lines[0]} if len(item.lines) == 1 else {"lines": list(item.lines)}
    return _json(
        where | {name.replace("_", "-"): value for name, value in item.attributes.items() if name != "pointer"}
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
