"""Proposes test cases for a new rule: tries changes of base claims until two fire and each condition is covered.

A condition is covered by a case that stays silent and would fire without it: all the others hold there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from scrubber.authoring.case_claim import InvalidCase
from scrubber.authoring.run_tests import prepare_case
from scrubber.engine.plain import PlainEngine
from scrubber.errors import NotAClaim
from scrubber.findings import Finding
from scrubber.findings.judge import rule_tests
from scrubber.reference import Reference
from scrubber.rulebook.condition_words import in_one_line
from scrubber.rulebook.json_schema import CASE_SCHEMA_FILE, schema_line
from scrubber.rulebook.line_items import LINE_ITEMS
from scrubber.rulebook.relations import HISTORY, Group, LookUp, walk
from scrubber.rulebook.rule import AllOf, Compare, Condition, Has, InList, Rule, conditions_of, leaves
from scrubber.rulebook.rulebook import Pack, Rulebook
from scrubber.rulebook.test_case import FOLDER, Case
from scrubber.rulebook.test_case_paths import PATHS
from scrubber.rulebook.typed_table import TypedTable
from scrubber.scrub import Scrubber

OF_EACH = 2
MOST_TRIED = 4_000
MOST_MORE = 1_000  # changes tried for conditions that no case covers yet, once enough fire
WITHOUT = "-without-"
PROCEDURE, MODIFIERS = "procedure", "modifiers"
_LINE_PATHS = {
    "procedure": "line.1.procedure", "first": "line.1.procedure", "modifiers": "line.1.modifiers",
    "units": "line.1.units", "charge": "line.1.charge", "place": "line.1.place", "frequency": "claim.frequency",
    "filingIndicator": "claim.filing", "total": "claim.total",
}  # fmt: skip
_USUAL: tuple[tuple[str, Any], ...] = (
    ("line.1.units", "2"), ("line.1.units", "99"), ("line.1.modifiers", ["25"]), ("line.1.modifiers", ["59"]),
    ("line.1.modifiers", ["26"]), ("line.1.modifiers", ["GA"]), ("line.1.place", "21"), ("line.1.procedure", "99213"),
    ("line.1.procedure", "77080"), ("line.1.procedure", "77092"), ("line.1.charge", "0.01"), ("claim.total", "1.00"),
    ("claim.frequency", "7"), ("diagnoses", ["Z13820"]), ("diagnoses", ["Z9999X"]),
    ("abn", None), ("documentation.calculatedBy", "self"),
)  # fmt: skip


class TriedCase(NamedTuple):
    """A case that was tried: base claim, changes and added lines, and what the rule found.

    `covers` are the conditions (by number) without which it would find something here, where it finds nothing.
    """

    claim: str
    change: Mapping[str, Any]
    lines: tuple[Mapping[str, Any], ...]
    found: tuple[Finding, ...]
    covers: frozenset[int] = frozenset()


class Derived(NamedTuple):
    """Cases that came out: at most two that fire, and silent ones, one for each condition and at least two in all.

    Fewer where no change that is tried leads there. `uncovered` are conditions, in words, that no silent case covers.
    """

    fire: tuple[TriedCase, ...]
    silent: tuple[TriedCase, ...]
    uncovered: tuple[str, ...] = ()

    @property
    def enough(self) -> bool:
        """Whether there are as many as lint requires."""
        return min(len(self.fire), len(self.silent)) >= OF_EACH


PathChange = tuple[str, Any]  # a path and its value; path `lines`: a line to add


def derive(rule: Rule, rulebook: Rulebook, pack: Pack, reference: Reference, folder: Path) -> Derived:
    """Cases for a rule that is not in the rulebook yet: ones that fire, and the nearest ones that stay silent."""
    conditions = _conditions(rule)
    without = [_without(rule, number) for number in range(len(conditions))]
    scrubber = isolated([rule, *without], replace_pack(rulebook, rule, pack), reference)
    tried: list[TriedCase] = []
    changes = list(changes_of(rule, scrubber.rulebook))
    covered: set[int] = set()
    for claim, selected in candidates(folder, changes):
        trial = _try(rule, claim, selected, scrubber, folder)
        if trial is not None:
            tried.append(trial)
            covered |= trial.covers
        beyond = len(tried) - len(changes)
        if _firing(tried) >= OF_EACH and beyond > 0 and (len(covered) == len(conditions) or beyond > MOST_MORE):
            break
    fields = rule.kind.fields
    uncovered = tuple(
        in_one_line(condition, fields) for number, condition in enumerate(conditions) if number not in covered
    )
    return _select(tried, len(conditions), uncovered)


def replace_pack(rulebook: Rulebook, rule: Rule, pack: Pack) -> Rulebook:
    """The rulebook with the pack of a rule that is new."""
    return rulebook.with_others(packs={**rulebook.packs, rule.pack: pack})


def isolated(rules: Iterable[Rule], rulebook: Rulebook, reference: Reference) -> Scrubber:
    """These rules, as active ones, and no others, on the tables and packs of the rulebook."""
    active = {rule.id: replace(rule, status="active") for rule in rules}
    only = rulebook.with_others(active)
    return Scrubber(only, reference, PlainEngine(rule_tests(only.running), only.lists))


def _conditions(rule: Rule) -> tuple[Condition, ...]:
    """What must all hold for the rule to fire: the members of `applies`, and of `when` where it is an all-of."""
    applies = rule.applies.parts if isinstance(rule.applies, AllOf) else (rule.applies,)
    return (*applies, *(rule.when.parts if isinstance(rule.when, AllOf) else (rule.when,)))


def _without(rule: Rule, number: int) -> Rule:
    """The rule, under another id, without one of its conditions."""
    applies = rule.applies.parts if isinstance(rule.applies, AllOf) else (rule.applies,)
    left = [condition for index, condition in enumerate(_conditions(rule)) if index != number]
    count = len(applies) - (number < len(applies))
    name = f"{rule.id}{WITHOUT}{number}"
    return replace(rule, id=name, applies=AllOf(tuple(left[:count])), when=AllOf(tuple(left[count:])))


def _firing(tried: Sequence[TriedCase]) -> int:
    return sum(bool(trial.found) for trial in tried)


def candidates(folder: Path, changes: Sequence[PathChange]) -> Iterator[tuple[str, tuple[PathChange, ...]]]:
    """Simple ones first: base claims as they are, then with one change, then with two."""
    claims = sorted(path.stem for path in (folder / FOLDER).glob("*.json"))
    left = MOST_TRIED
    for count in range(3):
        for selected in combinations(changes, count):
            if len({path for path, _ in selected}) < count:
                continue
            for claim in claims:
                if left == 0:
                    return
                left -= 1
                yield claim, selected


def _try(rule: Rule, claim: str, selected: Sequence[PathChange], scrubber: Scrubber, folder: Path) -> TriedCase | None:
    """The result of changes of a base claim; None where they leave no valid claim."""
    change = {path: value for path, value in selected if path != "lines"}
    lines = tuple(value for path, value in selected if path == "lines")
    releases = scrubber.rulebook.packs[rule.pack].test_releases
    case = Case(rule.id, "", 0, "", claim, change, (), lines, (), None, releases, (), None)
    try:
        ready = prepare_case(case, scrubber, folder)
    except (InvalidCase, NotAClaim):
        return None
    found = ready.scrubber.scrub(ready.claim, ready.received_on).findings
    own = tuple(finding for finding in found if finding.rule.id == rule.id)
    others = {finding.rule.id.rpartition(WITHOUT)[2] for finding in found if finding.rule.id != rule.id}
    return TriedCase(claim, change, lines, own, frozenset() if own else frozenset(map(int, others)))


def _select(tried: Sequence[TriedCase], conditions: int, uncovered: tuple[str, ...]) -> Derived:
    """The simplest that fire; of the silent ones those nearest to them, one for each condition to begin with."""
    fire = [trial for trial in tried if trial.found][:OF_EACH]
    silent = [trial for trial in tried if not trial.found]
    silent.sort(key=lambda trial: min((_apart(trial, other) for other in fire), default=0))
    selected: list[TriedCase] = []
    for number in range(conditions):
        showing = [trial for trial in silent if number in trial.covers]
        if showing and not any(number in trial.covers for trial in selected):
            selected.append(min(showing, key=lambda trial: len(trial.covers)))
    for trial in silent:
        if len(selected) < OF_EACH and trial not in selected:
            selected.append(trial)
    return Derived(tuple(fire), tuple(selected), uncovered)


def _apart(one: TriedCase, other: TriedCase) -> int:
    """In how many values two cases differ."""
    paths = one.change.keys() | other.change.keys()
    differ = sum(1 for path in paths if one.change.get(path, ...) != other.change.get(path, ...))
    return differ + 3 * (one.claim != other.claim) + (one.lines != other.lines)


def changes_of(rule: Rule, rulebook: Rulebook) -> Iterator[PathChange]:
    """Changes that bear on what the rule reads, then usual ones."""
    seen: list[PathChange] = []
    for change in (*_of_leaves(rule, rulebook), *_of_questions(rule, rulebook), *_of_dates(rule), *_USUAL):
        if change not in seen:
            seen.append(change)
            yield change


def _of_dates(rule: Rule) -> Iterator[PathChange]:
    """The last day before the rule holds, and its first and last day."""
    for day in (rule.since, rule.until):
        if day:
            yield "line.1.date", (day - timedelta(days=1)).isoformat()
            yield "line.1.date", day.isoformat()


def _of_leaves(rule: Rule, rulebook: Rulebook) -> Iterator[PathChange]:
    for leaf in (*leaves(rule.when), *leaves(rule.applies)):
        name = leaf.fact.removesuffix("?")
        values = _values(leaf, rulebook)
        if name in _LINE_PATHS:
            path = _LINE_PATHS[name]
            yield from ((path, [value] if name == "modifiers" else value) for value in values)
        elif name in ("second", "code", "diagnoses"):
            yield from (_added(name, value) for value in values)
        elif f"documentation.{name}" in PATHS:
            yield from ((f"documentation.{name}", value) for value in (None, *values, "word", "1.2 1.3", "1.111"))
        elif name == "lineOfBusiness":
            rows = rulebook.rows.get("filing-indicators", ())
            yield from (("claim.filing", row.filing_indicator) for row in rows)
    if rule.kind.joins:
        yield from (("lines", {"procedure": code}) for code in ("77080", "77092", "99213"))


EARLIER_DAYS = ("2025-03-01", "2023-01-10")  # the base claims are of 2025-03-12
MOST_CODES = 3  # that are tried of a list or a table


def _of_questions(rule: Rule, rulebook: Rulebook) -> Iterator[PathChange]:
    """Lines and earlier services as relations ask for them, and codes that a table looked up has."""
    own = [code for leaf in leaves(rule.applies) if leaf.fact == PROCEDURE for code in _values(leaf, rulebook)]
    for part in walk(conditions_of(rule)):
        if isinstance(part, LookUp) and part.table in rulebook.typed_tables:
            yield from _of_table(rulebook.typed_tables[part.table])
        elif isinstance(part, Group):
            tests = [leaf for condition in part.where for leaf in leaves(condition)]
            named = [code for leaf in tests if leaf.fact == PROCEDURE for code in _values(leaf, rulebook)]
            wanted = [leaf for leaf in tests if leaf.fact == MODIFIERS and leaf.op in ("any", "all")]
            modifiers = [code for leaf in wanted for code in _values(leaf, rulebook)][:1]
            for code in [*named, *own, "99213"][:MOST_CODES]:
                yield from _of_item(part, code, modifiers)


def _of_item(group: Group, code: str, modifiers: list[str]) -> Iterator[PathChange]:
    if LINE_ITEMS.keys() & set(group.items):
        yield "lines", {"procedure": code} | ({"modifiers": modifiers} if modifiers else {})
    if HISTORY in group.items:
        yield "history", []
        for day in EARLIER_DAYS:
            yield "history", [{"code": code, "date": day} | ({"modifiers": modifiers} if modifiers else {})]


def _of_table(table: TypedTable) -> Iterator[PathChange]:
    for key in table.declaration.keys:
        if key.type == PROCEDURE:
            cells = [table.cell(number, key.name) for number in range(len(table.stored))]
            yield from (("line.1.procedure", cell) for cell in cells[:MOST_CODES] if isinstance(cell, str))


def _added(name: str, value: str) -> PathChange:
    return ("lines", {"procedure": value}) if name == "second" else ("diagnoses", [value])


def _values(leaf: Compare | Has | InList, rulebook: Rulebook) -> list[str]:
    """Texts with which the condition may come out one way or the other."""
    match leaf:
        case Has(_, _, values):
            return list(values)
        case InList(_, _, name):
            return [row.code for row in rulebook.rows.get("code-lists", ()) if row.list == name][:3]
        case Compare(_, _, bool(value)):
            return ["yes" if value else "no"]
        case Compare(_, _, str(value)):
            return [value]
    return ["0", "1", "2", "0.5"]


def cases_text(derived: Derived, rule: Rule) -> str:
    """The test file of the derived cases; they expect what the rule found, for a person to review."""
    cases = (_case(trial, rule) for trial in (*derived.fire, *derived.silent))
    return "".join((f"{schema_line(rule.file, CASE_SCHEMA_FILE)}\n", *cases))


def _case(trial: TriedCase, rule: Rule) -> str:
    lines = [f"- name: {json.dumps(case_name(trial), ensure_ascii=False)}", f"  claim: {trial.claim}"]
    if trial.lines:
        lines.append(f"  lines: {json.dumps(list(trial.lines), ensure_ascii=False)}")
    if trial.change:
        lines.append(f"  change: {json.dumps(dict(trial.change), ensure_ascii=False)}")
    found = ", ".join(_expected(finding, rule) for finding in trial.found)
    return "\n".join((*lines, f"  finds: [{found}]")) + "\n"


def _expected(finding: Finding, rule: Rule) -> str:
    where = f"line: {finding.lines[0]}" if len(finding.lines) == 1 else f"lines: {list(finding.lines)}"
    at_risk = finding.impact.at_risk if finding.impact else None
    dollars = "null" if at_risk is None else f'"{at_risk:.2f}"'
    return f"{{{where}, severity: {rule.severity}, at-risk: {dollars}}}"


def case_name(trial: TriedCase) -> str:
    """The name of a case, from what it changes."""
    added = [f"a line {line['procedure']}" for line in trial.lines]
    changed = [f"{path} {_value_text(value)}" for path, value in trial.change.items()]
    text = " and ".join((*added, *changed)) or "nothing changed"
    return f"{trial.claim} with {text}" if added or changed else f"{trial.claim} as it is"


def _value_text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value)) or "none"
    return "absent" if value is None else str(value)
