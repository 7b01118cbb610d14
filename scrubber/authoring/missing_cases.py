"""Cases that would notice the changes of a rule that none of its cases notices.

Changes of base claims are tried, as for a new rule. A case that is found says what the rule does there today: whether
that is what it should do, only a person can say.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from scrubber.authoring.case_claim import CaseNotMade
from scrubber.authoring.mutation import Mutant, notices, record
from scrubber.authoring.new_rule_tests import Change, Trial, alone, candidates, changes_of, name_of
from scrubber.authoring.run_tests import set_up, told_finding
from scrubber.errors import NotAClaim
from scrubber.findings import Finding
from scrubber.rulebook.rule import Rule
from scrubber.rulebook.rulebook import STARTER_RELEASES
from scrubber.rulebook.test_case import Case, Expected
from scrubber.scrub import Scrubber

MOST_TRIED = 800  # changes of base claims
CHANGED = "-changed-"  # between the id of a rule and the number of a change of it


class Missing(NamedTuple):
    """Cases to add to a test file, as text, and the changes that even they do not notice."""

    texts: tuple[str, ...]
    left: tuple[Mutant, ...]


def missing_cases(
    rule: Rule, survived: Sequence[Mutant], names: Collection[str], scrubber: Scrubber, folder: Path
) -> Missing:
    """Cases that notice changes that `survived`, the simplest first. `names` are those of the cases that there are.

    `scrubber` was opened on `folder`. No change that is known here may lead to a difference: such changes are left.
    """
    changed = [replace(mutant.rule, id=f"{rule.id}{CHANGED}{number}") for number, mutant in enumerate(survived)]
    trying = alone([rule, *changed], scrubber.rulebook, scrubber.reference)
    left, taken = dict(enumerate(survived)), set(names)
    texts: list[str] = []
    for count, (claim, chosen) in enumerate(candidates(folder, list(changes_of(rule, trying.rulebook)))):
        if not left or count >= MOST_TRIED:
            break
        if not _differ(rule, claim, chosen, left, trying, folder):
            continue
        case = _case(rule, claim, chosen, taken, scrubber, folder)
        noticed = _noticed(case, left, rule, scrubber, folder) if case else []
        if case and noticed:
            texts.append(_text(case))
            taken.add(case.name)
            for number in noticed:
                del left[number]
    return Missing(tuple(texts), tuple(left.values()))


def _differ(
    rule: Rule, claim: str, chosen: Sequence[Change], left: Collection[int], trying: Scrubber, folder: Path
) -> bool:
    """Whether the rule and one of the changed ones find other things on a claim."""
    case = _made(rule, claim, chosen, "")
    try:
        ready = set_up(case, trying, folder)
    except (CaseNotMade, NotAClaim):
        return False
    result = ready.scrubber.scrub(ready.claim, ready.received_on)
    found: dict[str, list[object]] = {}
    for finding in result.findings:
        found.setdefault(finding.rule.id, []).append(_seen(finding))
    unchecked: dict[str, list[object]] = {}
    for item in result.not_checked:
        unchecked.setdefault(item.rule.id, []).append((item.lines, item.missing))
    own = found.get(rule.id), unchecked.get(rule.id)
    ids = (f"{rule.id}{CHANGED}{number}" for number in left)
    return any((found.get(name), unchecked.get(name)) != own for name in ids)


def _seen(finding: Finding) -> tuple[object, ...]:
    impact = finding.impact
    risk = (impact.at_risk, impact.liability) if impact else ()
    return finding.lines, finding.related_lines, finding.rule.severity, finding.message, risk


def _case(
    rule: Rule, claim: str, chosen: Sequence[Change], taken: Collection[str], scrubber: Scrubber, folder: Path
) -> Case | None:
    """A case that says all that the rule does on the claim, beside the other rules; None where one is called so."""
    made = _made(rule, claim, chosen, "")
    case = replace(made, name=name_of(Trial(claim, made.change, made.lines, ())))
    if case.name in taken:
        return None
    ready = set_up(case, scrubber, folder)
    result = ready.scrubber.scrub(ready.claim, ready.received_on)
    found = tuple(told_finding(finding) for finding in result.findings if finding.rule.id == rule.id)
    unchecked = tuple(
        Expected(item.lines, {"missing": list(item.missing)}) for item in result.not_checked if item.rule.id == rule.id
    )
    return replace(case, finds=found, not_checked=unchecked or None)


def _noticed(case: Case, left: Mapping[int, Mutant], rule: Rule, scrubber: Scrubber, folder: Path) -> list[int]:
    """Which of the changes the case notices."""
    recorded = record(case, set_up(case, scrubber, folder))
    return [number for number, mutant in left.items() if notices(recorded, mutant.rule, rule)]


def _made(rule: Rule, claim: str, chosen: Sequence[Change], name: str) -> Case:
    change = {path: value for path, value in chosen if path != "lines"}
    lines = tuple(value for path, value in chosen if path == "lines")
    return Case(rule.id, "", 0, name, claim, change, (), lines, (), None, STARTER_RELEASES, (), None)


def _text(case: Case) -> str:
    """The case as a test file has it."""
    told = [f"- name: {_json(case.name)}", f"  claim: {case.claim}"]
    if case.lines:
        told.append(f"  lines: {_json(list(case.lines))}")
    if case.change:
        told.append(f"  change: {_json(dict(case.change))}")
    told.append("  finds: " + _listed(case.finds or ()))
    if case.not_checked:
        told.append("  not-checked: " + _listed(case.not_checked))
    return "\n".join(told) + "\n"


def _listed(items: Sequence[Expected]) -> str:
    return "[" + ", ".join(_expected(item) for item in items) + "]"


def _expected(item: Expected) -> str:
    where: dict[str, Any] = {"line": item.lines[0]} if len(item.lines) == 1 else {"lines": list(item.lines)}
    return _json(
        where | {name.replace("_", "-"): value for name, value in item.attributes.items() if name != "pointer"}
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
