"""Beside the path: whether a folder of rules may go into service: loaded, linted and tested, aside from what runs.

What passed before is on a record: a rule's cases run again when the rule, its tests, a table, a pack, a base claim
or the program changed, and those that run on the releases in use when those changed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from scrubber.errors import Fault, Faults
from scrubber.reference import Reference
from scrubber.rulebook.book import IN_USE, Rulebook
from scrubber.rulebook.lint import lint
from scrubber.rulebook.load import load_rulebook
from scrubber.scrub import Scrubber, assemble
from scrubber.workshop.passed import Passed, Snapshot, take_snapshot, tests_of
from scrubber.workshop.processes import at_once
from scrubber.workshop.testing import CaseResult, run_tests

FEW_RULES = 20  # whose cases are run sooner than processes are started for them


class Admitted(NamedTuple):
    """A rulebook without a fault, and how many cases were run for that; those on record were not."""

    rulebook: Rulebook
    cases: int


class _Checked(NamedTuple):
    rulebook: Rulebook
    cases: int
    in_use: bool = False  # whether some case runs on the releases in use


class _Tested(NamedTuple):
    rulebook: Rulebook | None  # None: it has faults, which lint tells
    results: list[CaseResult]
    faults: list[Fault]


def admit(folder: Path, reference: Reference, passed: Passed, cores: int) -> Admitted:
    """The rulebook in `folder`, checked on `reference` with up to `cores` processes.

    Raises Faults with everything that is wrong: each fault of lint, each case that does not come out.
    """
    if not folder.is_dir():
        raise Faults([Fault(".", 0, "no such folder of rules")])
    before = take_snapshot(folder, reference)
    on_record = any(before.whole(in_use) in passed for in_use in (False, True))
    checked = _Checked(load_rulebook(folder), 0) if on_record else _check(folder, reference, passed, before, cores)
    if take_snapshot(folder, reference) != before:
        raise Faults([Fault(".", 0, "changed while it was being checked: nothing is taken from it; try again")])
    if not on_record:
        passed.add([before.whole(checked.in_use)])
    return Admitted(checked.rulebook, checked.cases)


def told(folder: Path, faults: Faults) -> tuple[str, ...]:
    """A line for each fault, with the folder before its file."""
    return tuple(str(fault._replace(file=str(folder / fault.file))) for fault in faults.faults)


def _check(folder: Path, reference: Reference, passed: Passed, files: Snapshot, cores: int) -> _Checked:
    faults: list[Fault]
    tested: _Tested
    known = {file: in_use for file in files.files for in_use in (False, True) if files.of_rule(file, in_use) in passed}
    faults, tested = at_once([partial(lint, folder, known), partial(_test, folder, reference, known, cores)])
    failed = [result for result in tested.results if not result.passed]
    faulty = {fault.file for fault in faults} | {result.file for result in failed}
    _remember(tested, faulty, passed, files)
    told = {*faults, *tested.faults, *map(_as_fault, failed)}
    if told or tested.rulebook is None:
        raise Faults(told)
    in_use = any(known.values()) or any(result.releases == IN_USE for result in tested.results)
    return _Checked(tested.rulebook, len(tested.results), in_use)


def _test(folder: Path, reference: Reference, known: Collection[str], cores: int) -> _Tested:
    try:
        rulebook = load_rulebook(folder)
    except Faults:
        return _Tested(None, [], [])
    changed = [rule.id for rule in rulebook.rules.values() if rule.file not in known]
    parts = min(cores, len(changed) // FEW_RULES + 1)
    scrubber = assemble(rulebook, reference)
    ran = at_once([partial(_run_cases, scrubber, folder, changed[part::parts]) for part in range(parts)])
    results = [result for found, _ in ran for result in found]
    return _Tested(rulebook, results, [fault for _, faults in ran for fault in faults])


def _run_cases(scrubber: Scrubber, folder: Path, rules: Sequence[str]) -> tuple[list[CaseResult], list[Fault]]:
    try:
        return run_tests(scrubber, folder, rules), []
    except Faults as error:
        return [], list(error.faults)


def _remember(tested: _Tested, faulty: Collection[str], passed: Passed, files: Snapshot) -> None:
    """Rules that passed need not be looked at again while the author corrects the others."""
    if tested.rulebook is None:
        return
    in_use: dict[str, bool] = {}
    for result in tested.results:
        file = tested.rulebook.rules[result.rule].file
        in_use[file] = in_use.get(file, False) or result.releases == IN_USE
    passed.add([files.of_rule(file, uses) for file, uses in in_use.items() if not {file, tests_of(file)} & set(faulty)])


def _as_fault(result: CaseResult) -> Fault:
    return Fault(result.file, result.line, f"{result.rule}: {result.case}: {'; '.join(result.differences)}")
