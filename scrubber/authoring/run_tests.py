"""Runs the test cases of rules for their authors: builds each claim, scrubs it, compares the findings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from scrubber.authoring.apply_remedy import apply_remedy, remedy_of
from scrubber.authoring.case_claim import InvalidCase, claim_of, with_x12_faults
from scrubber.claim import read_v3
from scrubber.claim.model import Claim
from scrubber.dated_rows import cell_parsers
from scrubber.engine.plain import PlainEngine
from scrubber.errors import Fault, Faults, NotAClaim
from scrubber.findings import Finding, NotChecked
from scrubber.findings.judge import rule_tests
from scrubber.likeness import Suggestions, perhaps
from scrubber.reference import Reference, open_reference
from scrubber.reference.typed_tables import MemoryBackend, read_contents
from scrubber.remembered import remembered
from scrubber.rulebook.limits import limit_references
from scrubber.rulebook.rule_tables import ROW_KEYS, ROW_TYPES
from scrubber.rulebook.rulebook import AS_COMPLETE, AS_LOADED, IN_USE, Rulebook
from scrubber.rulebook.test_case import TEST_SUFFIX, AfterFix, Case, CaseRow, Expected, case_files, read_cases
from scrubber.rulebook.typed_table import StoredRow, TypedTable
from scrubber.rulebook.yaml_file import read_yaml
from scrubber.scrub import Receipt, Scrubber

DAY_OF_BASE_CLAIMS = date(2025, 3, 12)


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The result of one case. `differences` are lines to read, none when it passed; `file` is below the folder of
    rules.

    `releases` is one of TEST_RELEASES: which reference data it ran on.
    """

    rule: str
    case: str
    file: str
    line: int
    releases: str
    differences: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether everything is as the case expects."""
        return not self.differences


def run_tests(scrubber: Scrubber, folder: Path, ids: Collection[str] | None = None) -> list[CaseResult]:
    """Runs every case of the rules `ids` (None: of all) in a folder of rules that `scrubber` was opened on.

    A rule runs in its own cases as if active, whatever its status. Raises Faults for test files that cannot be read,
    and for an id that has no rule.
    """
    return run_cases(all_cases(folder, scrubber.rulebook, ids), scrubber, folder)


def run_cases(cases: Iterable[Case], scrubber: Scrubber, folder: Path) -> list[CaseResult]:
    """Runs these cases of a folder of rules that `scrubber` was opened on."""
    return [
        CaseResult(case.rule, case.name, case.file, case.line, case.releases, tuple(_report(case, scrubber, folder)))
        for case in cases
    ]


def all_cases(folder: Path, rulebook: Rulebook, ids: Collection[str] | None = None) -> list[Case]:
    """The cases of the rules `ids` (None: of all). Raises Faults with every fault of every test file."""
    cases, faults = readable_cases(folder, rulebook, ids)
    if faults:
        raise Faults(faults)
    return cases


def readable_cases(
    folder: Path, rulebook: Rulebook, ids: Collection[str] | None = None
) -> tuple[list[Case], list[Fault]]:
    """The cases of the rules `ids` (None: of all) in test files that can be read, and every fault of the others."""
    faults = [_no_rule(name, rulebook) for name in ids or () if name not in rulebook.rules]
    left_out = {Path(fault.file).stem for fault in rulebook.left_out}
    cases: list[Case] = []
    like = Suggestions(rulebook.rules)
    for path in case_files(folder):
        rule = path.name.removesuffix(TEST_SUFFIX)
        if rule in left_out if ids is None else rule not in ids:
            continue
        try:
            cases += read_cases(path, folder, rulebook.packs)
        except Faults as error:
            faults += error.faults
        if rule not in rulebook.rules and rule not in left_out:
            faults.append(
                Fault(
                    path.relative_to(folder).as_posix(),
                    0,
                    f"tests {rule}, and there is no such rule{like.perhaps(rule)}",
                )
            )
    return cases, faults


def _no_rule(name: str, rulebook: Rulebook) -> Fault:
    """The fault of an id that has no rule: it may be a draft that does not load."""
    for fault in rulebook.left_out:
        if Path(fault.file).stem == name:
            return fault
    return Fault(name, 0, f"there is no such rule{perhaps(name, rulebook.rules)}")


class PreparedCase(NamedTuple):
    """A case ready to run: the scrubber with its rule active and its rows in place, its claim, and the day it came."""

    scrubber: Scrubber
    claim: Claim
    received_on: date


def prepare_case(case: Case, scrubber: Scrubber, folder: Path) -> PreparedCase:
    """Everything the case runs on. Raises InvalidCase, and NotAClaim for changes that leave no claim."""
    _check_limits(case, scrubber.rulebook, folder)
    prepared = _scrubber_of_case(scrubber, case)
    claim = with_x12_faults(read_v3(claim_of(case, folder)), case)
    return PreparedCase(prepared, claim, _received_on(case, claim))


def _check_limits(case: Case, rulebook: Rulebook, folder: Path) -> None:
    """Limits that a rule names become part of it when the rules load: a row of the case would have no effect."""
    changed = {row.cells.get("name") for row in case.tables if row.kind == "limits"}
    if not changed:
        return
    file = rulebook.rules[case.rule].file
    limits = sorted(name for _, name in limit_references(read_yaml(folder / file, file)) if name in changed)
    if limits:
        raise InvalidCase(
            f"the rule names the limit {limits[0]}, so no case can change its row: choose dates of service on which "
            "the row that is meant is in force"
        )


def _scrubber_of_case(scrubber: Scrubber, case: Case) -> Scrubber:
    """The scrubber of the case: with its rule active, its table rows and its releases."""
    reference = _reference_of(case, scrubber.reference)
    rule = scrubber.rulebook.rules[case.rule]
    if rule.status == "active" and not case.tables:
        return replace(scrubber, reference=reference)
    changed = _changed(scrubber.rulebook, None if rule.status == "active" else rule.id, _RowsOfCase(case.tables))
    if rule.status == "active" and changed.lists is scrubber.rulebook.lists:
        return Scrubber(changed, reference, scrubber.engine)  # the same tests: rows are read by facts
    return Scrubber(changed, reference, PlainEngine(rule_tests(changed.running), changed.lists))


class _RowsOfCase:
    """The rows of a case, equal to those of any case that writes the same."""

    def __init__(self, rows: tuple[CaseRow, ...]) -> None:
        self.rows = rows
        self._written = repr(rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _RowsOfCase) and self._written == other._written

    def __hash__(self) -> int:
        return hash(self._written)


# Cases that follow each other often have the same rows: what a rulebook remembers of its rules is then worked out once.
@remembered(8)
def _changed(rulebook: Rulebook, to_activate: str | None, rows: _RowsOfCase) -> Rulebook:
    """The rulebook with the rows of a case, and with a rule that does not run running."""
    rules = None
    if to_activate is not None:
        rules = {**rulebook.rules, to_activate: replace(rulebook.rules[to_activate], status="active")}
    of_kinds = _with_rows(rulebook.rows, [row for row in rows.rows if row.own is None])
    return rulebook.with_others(rules, rows=of_kinds, typed_tables=_own_tables(rulebook.typed_tables, rows.rows))


def _reference_of(case: Case, in_use: Reference) -> Reference:
    """The reference data that the case names."""
    if case.releases == IN_USE:
        return in_use
    if case.releases in (AS_LOADED, AS_COMPLETE):
        return _loaded_reference(complete=case.releases == AS_COMPLETE)
    return _starter_reference(in_use)


def _starter_reference(in_use: Reference) -> Reference:
    """The tables that ship with the program; they are read only once, and not at all where nothing else is in use."""
    return in_use if _nothing_but_starter(in_use) else _shipped_reference()


def _nothing_but_starter(reference: Reference) -> bool:
    return all(release.starter for release in reference.releases())


@cache
def _shipped_reference() -> Reference:
    return open_reference(None)


@cache
def _loaded_reference(complete: bool) -> Reference:
    """The starter tables as if loaded from published files: past the last release they are out of date."""
    tables, releases = read_contents(None)
    return Reference(MemoryBackend(tables, [each._replace(starter=False, complete=complete) for each in releases]))


def _with_rows(rows: Mapping[str, tuple[Any, ...]], added: Iterable[CaseRow]) -> Mapping[str, tuple[Any, ...]]:
    """The tables with the case's rows; each replaces those with its key, and takes the columns it omits from them."""
    changed = dict(rows)
    for kind, cells, _ in added:
        key = [cells.get(column) for column in ROW_KEYS[kind]]
        old = changed.get(kind, ())
        same = [row for row in old if [getattr(row, column) for column in ROW_KEYS[kind]] == key]
        row = same[-1]._replace(**cells) if same else _new_row(kind, cells)
        changed[kind] = (*(row for row in old if row not in same), row)
    return changed


def _own_tables(tables: Mapping[str, TypedTable], added: Iterable[CaseRow]) -> Mapping[str, TypedTable]:
    """The declared tables with the case's rows, which replace those with the same keys."""
    rows: dict[str, list[StoredRow]] = {}
    for row in added:
        if row.own is not None:
            rows.setdefault(row.kind, []).append(row.own)
    return {**tables, **{name: tables[name].with_rows(of_case) for name, of_case in rows.items()}}


def _new_row(kind: str, cells: Mapping[str, Any]) -> Any:
    parsers = cell_parsers(ROW_TYPES[kind])
    blank = {}
    for column in parsers.keys() - cells.keys():
        try:
            blank[column] = parsers[column]("")
        except ValueError:
            raise InvalidCase(f"a new row of {kind} needs the column {column}") from None
    return ROW_TYPES[kind](**blank, **cells)


def _report(case: Case, scrubber: Scrubber, folder: Path) -> Iterator[str]:
    """The differences of a case, and whether the reference data may be their cause."""
    found = list(_differences(case, scrubber, folder))
    yield from found
    if not found or case.releases in (AS_LOADED, AS_COMPLETE):
        return
    starter_only = _nothing_but_starter(scrubber.reference)
    if case.releases == IN_USE and starter_only:
        yield "it runs on the releases in use, and SCRUBBER_REFERENCE names none beside the starter tables"
    if case.releases == IN_USE or starter_only:
        return
    if not any(_differences(replace(case, releases=IN_USE), scrubber, folder)):
        yield "on the releases in use it comes out as it says: where it is meant for those, add `releases: in-use`"


def _differences(case: Case, scrubber: Scrubber, folder: Path) -> Iterator[str]:
    try:
        ready = prepare_case(case, scrubber, folder)
    except InvalidCase as error:
        yield str(error)
        return
    except NotAClaim as error:
        yield from (f"not a claim: {problem.pointer} {problem.message}" for problem in error.problems)
        return
    result = ready.scrubber.scrub(ready.claim, ready.received_on)
    yield from case_differences(case, result.findings, result.not_checked)
    yield from after_fix_differences(case, ready, result.findings, folder)


def after_fix_differences(case: Case, ready: PreparedCase, findings: Sequence[Finding], folder: Path) -> Iterator[str]:
    """The differences of what the rule finds once each fix that the case names was applied; `findings` before it."""
    for fix in case.after_fix:
        yield from _after_fix(fix, case, ready, findings, folder)


def _after_fix(
    fix: AfterFix, case: Case, ready: PreparedCase, findings: Iterable[Finding], folder: Path
) -> Iterator[str]:
    """The differences of what the rule finds once a fix was applied to the claim of the case."""
    where = f"after remedy {fix.remedy}: "
    try:
        remedy = remedy_of(fix, [finding for finding in findings if finding.rule.id == case.rule])
        body = claim_of(case, folder)
        apply_remedy(body, remedy, fix, ready.claim)
        fixed = with_x12_faults(read_v3(body), case)
    except (InvalidCase, NotAClaim) as error:
        yield f"{where}{error}"
        return
    result = ready.scrubber.scrub(fixed, ready.received_on)
    found = [observed_finding(finding) for finding in result.findings if finding.rule.id == case.rule]
    yield from (f"{where}{difference}" for difference in _compare("finding", fix.finds, found))


def case_differences(case: Case, findings: Iterable[Finding], unchecked: Iterable[NotChecked]) -> Iterator[str]:
    """The differences between a case and what its rule found, as lines to read; other rules do not count."""
    found = [observed_finding(finding) for finding in findings if finding.rule.id == case.rule]
    items = [_observed_unchecked(item) for item in unchecked if item.rule.id == case.rule]
    yield from _compare("finding", case.finds or (), found)
    if case.not_checked is not None:
        yield from _compare("not checked", case.not_checked, items)
    elif len(found) < len(case.finds or ()):  # what was not checked cannot be found
        yield from (f"found not checked: {_in_words(item)}" for item in items)


def _received_on(case: Case, claim: Claim) -> date:
    last_days = [line.last_day for line in claim.lines if line.last_day]
    return Receipt(max(last_days, default=DAY_OF_BASE_CLAIMS), case.received_on).day(claim)


def observed_finding(finding: Finding) -> Expected:
    """A finding as an expectation with every attribute that a case can have."""
    impact = finding.impact
    at_risk = impact.at_risk if impact else None
    return Expected(
        finding.lines,
        {
            "severity": finding.severity,
            "at_risk": None if at_risk is None else f"{at_risk:.2f}",
            "liability": impact.liability if impact else None,
            "related": list(finding.related_lines),
            "message": finding.message,
            "pointer": finding.pointer,
        },
    )


def _observed_unchecked(item: NotChecked) -> Expected:
    return Expected(item.lines, {"missing": list(item.missing), "message": item.message})


def _compare(what: str, expected: Sequence[Expected], found: list[Expected]) -> Iterator[str]:
    """What was expected and not found, and what was found and not expected; the most exactly described first."""
    left = list(found)
    for item in sorted(expected, key=lambda item: -len(item.attributes)):
        match = next((other for other in left if _fits(item, other)), None)
        if match is None:
            yield f"expected {what}: {_in_words(item)}"
        else:
            left.remove(match)
    for other in left:
        yield f"found {what}: {_in_words(other)}"


def _fits(expected: Expected, found: Expected) -> bool:
    return expected.lines == found.lines and all(
        wanted in found.attributes[name] if name == "message" else wanted == found.attributes[name]
        for name, wanted in expected.attributes.items()
    )


def _in_words(item: Expected) -> str:
    where = f"line {', '.join(map(str, item.lines))}" if item.lines else "the claim"
    attributes = (f"{name.replace('_', '-')} {_value_text(value)}" for name, value in item.attributes.items())
    return "; ".join((where, *attributes))


def _value_text(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(str, value)) + "]"
    return "null" if value is None else str(value)
