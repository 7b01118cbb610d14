"""Checks a folder of rules, with its test cases, before a service answers by it; several processes share the work.

Rules that passed before are cached: a rule's cases run again when the rule, its tests, a table, a pack, a base claim or
the program changed, and those that run on the releases in use when those changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from scrubber.authoring.check_cache import CheckCache, Snapshot, take_snapshot, tests_of
from scrubber.authoring.diff import EarlierRules, same_version_faults
from scrubber.authoring.in_force import rolled_back
from scrubber.authoring.run_tests import CaseResult, readable_cases, run_cases
from scrubber.authoring.table_tests import failing_table_cases
from scrubber.errors import Fault, Faults
from scrubber.processes import map_forked, run_forked
from scrubber.reference import Reference
from scrubber.rulebook.lint import Inspection, draft_warnings, inspect
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.rulebook import IN_USE, Rulebook
from scrubber.rulebook.test_case import rule_of
from scrubber.scrub import Scrubber, assemble

OF_TABLES = "a case on the releases in use: "  # before what did not come out of it
FEW_RULES = 20  # their cases run faster than another process starts


class Admitted(NamedTuple):
    """A rulebook without a fault, and how many cases were run for that; cached ones were not.

    `warnings` are faults of drafts, and cases that fail on the releases in use: they stop nothing.
    """

    rulebook: Rulebook
    cases: int
    warnings: tuple[Fault, ...] = ()


class _Checked(NamedTuple):
    rulebook: Rulebook
    cases: int
    warnings: list[Fault]
    in_use: bool  # whether some case runs on the releases in use
    passed: bool = True  # else some case failed on the releases in use, and is to be told at the next check, too


class _Tested(NamedTuple):
    rulebook: Rulebook | None  # None: it has faults, which lint reports
    results: list[CaseResult]
    faults: list[Fault]


def admit(
    folder: Path, reference: Reference, cache: CheckCache, cores: int, earlier: EarlierRules | None = None
) -> Admitted:
    """The rulebook in `folder`, checked with up to `cores` processes; `reference` is the one in use.

    Raises Faults with everything that is wrong: each fault of lint, each case that fails, each rule whose
    meaning differs from `earlier` under the same version. Faults of drafts become warnings, and so do cases that fail
    on the releases in use: whoever loads tables shall not keep rules out of service by it.
    """
    if not folder.is_dir():
        raise Faults([Fault(".", 0, "no such folder of rules")])
    before = take_snapshot(folder, reference)
    if _is_cached(before, cache):
        rulebook = load_rulebook(folder)
        checked = _Checked(rulebook, 0, draft_warnings(rulebook.left_out, rulebook.left_out), in_use=False)
        faults = same_version_faults(earlier, folder, rulebook.rules) if earlier else []
        if faults:
            raise Faults(faults)
    else:
        checked = _check(folder, reference, cache, before, cores, earlier)
    if take_snapshot(folder, reference) != before:
        raise Faults([Fault(".", 0, "changed while it was being checked: nothing is taken from it; try again")])
    if checked.passed and not _is_cached(before, cache):
        cache.add([before.folder_key(checked.in_use)])
    return Admitted(checked.rulebook, checked.cases, tuple(checked.warnings))


def admit_rolled_back(rules: Path, state: Path | None) -> Admitted | None:
    """The archived rules that are in force in place of the folder's since a rollback; None without a rollback.

    They were checked when they were first in force, and are only loaded. Raises NoRulebook where the archive no longer
    has them, and Faults where this version of the program cannot read them.
    """
    folder = rolled_back(rules, state)
    return Admitted(load_rulebook(folder), 0) if folder else None


def admit_in_subprocess(
    folder: Path,
    reference: Reference,
    cache: CheckCache,
    cores: int,
    earlier: EarlierRules | None,
    begin: Callable[[], None],
) -> Admitted:
    """`admit` in a subprocess where something has to be checked, so that its memory is returned.

    `begin` is called before that: it may take seconds. Rules that are cached as passed are only loaded, in this
    process.
    """
    if folder.is_dir() and _is_cached(take_snapshot(folder, reference), cache):
        return admit(folder, reference, cache, cores, earlier)
    begin()
    found: Admitted | list[Fault]
    [found] = map_forked(lambda rules: _admitted_or_faults(rules, reference, cache, cores, earlier), [folder], 1)
    if isinstance(found, list):
        raise Faults(found)
    return found


def _admitted_or_faults(
    folder: Path, reference: Reference, cache: CheckCache, cores: int, earlier: EarlierRules | None
) -> Admitted | list[Fault]:
    try:
        return admit(folder, reference, cache, cores, earlier)
    except Faults as error:
        return list(error.faults)


def fault_lines(folder: Path, faults: Iterable[Fault]) -> tuple[str, ...]:
    """One line for each fault, its file prefixed with the folder."""
    return tuple(str(fault._replace(file=str(folder / fault.file))) for fault in faults)


def warning_event(line: str) -> str:
    """The event under which a service logs a warning: `case` or `draft`."""
    return "case" if OF_TABLES in line else "draft"


def _is_cached(files: Snapshot, cache: CheckCache) -> bool:
    return any(files.folder_key(in_use) in cache for in_use in (False, True))


def _check(
    folder: Path, reference: Reference, cache: CheckCache, files: Snapshot, cores: int, earlier: EarlierRules | None
) -> _Checked:
    found: Inspection
    tested: _Tested
    known = {file: in_use for file in files.files for in_use in (False, True) if files.rule_key(file, in_use) in cache}
    found, tested = run_forked([partial(inspect, folder, known), partial(_test, folder, reference, known, cores)])
    wrong = {*found.faults, *found.of_drafts, *tested.faults}
    failed = [result for result in tested.results if not result.passed]
    wrong |= {_as_fault(result) for result in failed}
    _cache_passed(tested, {fault.file for fault in wrong}, cache, files)
    drafts = {fault for fault in wrong if rule_of(fault.file) in found.drafts}
    by_tables = {_as_fault(result) for result in failed if result.releases == IN_USE} - drafts
    faults = wrong - drafts - by_tables
    if tested.rulebook is not None and earlier is not None:
        faults |= {*same_version_faults(earlier, folder, tested.rulebook.rules)}
    if faults or tested.rulebook is None:
        raise Faults(faults)
    in_use = any(known.values()) or any(result.releases == IN_USE for result in tested.results)
    warnings = draft_warnings(sorted(drafts), tested.rulebook.left_out)
    warnings += [fault._replace(message=f"{OF_TABLES}{fault.message}") for fault in sorted(by_tables)]
    return _Checked(tested.rulebook, len(tested.results), warnings, in_use, passed=not by_tables)


def _test(folder: Path, reference: Reference, known: Collection[str], cores: int) -> _Tested:
    try:
        rulebook = load_rulebook(folder)
    except Faults:
        return _Tested(None, [], [])
    changed = [rule.id for rule in rulebook.rules.values() if rule.file not in known]
    processes = min(cores, len(changed) // FEW_RULES + 1)
    scrubber = assemble(rulebook, reference)
    ran = run_forked([partial(_run_cases, scrubber, folder, changed[index::processes]) for index in range(processes)])
    results = [result for found, _ in ran for result in found]
    faults = [fault for _, faults in ran for fault in faults]
    return _Tested(rulebook, results, [*faults, *failing_table_cases(folder, rulebook)])


def _run_cases(scrubber: Scrubber, folder: Path, rules: Sequence[str]) -> tuple[list[CaseResult], list[Fault]]:
    cases, faults = readable_cases(folder, scrubber.rulebook, rules)
    return run_cases(cases, scrubber, folder), faults


def _cache_passed(tested: _Tested, faulty: Collection[str], cache: CheckCache, files: Snapshot) -> None:
    """Caches the rules that passed: they need no other check while the author corrects the rest."""
    if tested.rulebook is None:
        return
    in_use: dict[str, bool] = {}
    for result in tested.results:
        file = tested.rulebook.rules[result.rule].file
        if result.file != tests_of(file):
            continue  # one of several rules of a family: these are tested each time
        in_use[file] = in_use.get(file, False) or result.releases == IN_USE
    cache.add([files.rule_key(file, uses) for file, uses in in_use.items() if not {file, tests_of(file)} & set(faulty)])


def _as_fault(result: CaseResult) -> Fault:
    return Fault(result.file, result.line, f"{result.rule}: {result.case}: {'; '.join(result.differences)}")
