"""Works at the same time, each in a process of its own, which sees everything this one has loaded.

What passed before is on a record: a rule's cases run again when the rule, its tests, a table, a pack, a base claim
or the program changed, and those that run on the releases in use when those changed.
"""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from scrubber.authoring.check_cache import Passed, Snapshot, take_snapshot, tests_of
from scrubber.authoring.diff import Earlier, same_version_faults
from scrubber.authoring.in_force import rolled_back
from scrubber.authoring.run_tests import CaseResult, readable_cases, run_cases
from scrubber.errors import Fault, Faults
from scrubber.reference import Reference
from scrubber.rulebook.lint import Inspection, draft_warnings, inspect
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.rulebook import IN_USE, Rulebook
from scrubber.rulebook.test_case import rule_of
from scrubber.scrub import Scrubber, assemble


class _Started(NamedTuple):
    process: int
    answers: int  # descriptor that its result comes from


def at_once(works: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each work returns, in order. The last runs in this process, the others in forks of it.

    A result must be one that pickle can carry. Raises what the last work raises, and RuntimeError when another one
    ends without a result. Call it where no other thread runs.
    """
    *apart, last = works
    started = [_start(work) for work in apart]
    try:
        own = last()
        return [*(_result(each) for each in started), own]
    finally:
        for each in started:
            _end(each)


def _start(work: Callable[[], Any]) -> _Started:
    answers, answer = os.pipe()
    process = os.fork()
    if process:
        os.close(answer)
        return _Started(process, answers)
    code = 1
    try:
        os.close(answers)
        with os.fdopen(answer, "wb") as stream:
            pickle.dump(work(), stream, pickle.HIGHEST_PROTOCOL)
        code = 0
    finally:
        os._exit(code)  # nothing that the parent would do at its end


def _result(started: _Started) -> Any:
    with os.fdopen(os.dup(started.answers), "rb") as stream:
        told = stream.read()
    if not told:
        raise RuntimeError("a process ended without a result")
    return pickle.loads(told)  # noqa: S301 -- from a fork of this process, through a pipe that nobody else has


def _end(started: _Started) -> None:
    """Wherever it is: one that has given its result is at its end anyway."""
    os.close(started.answers)
    os.kill(started.process, signal.SIGKILL)
    os.waitpid(started.process, 0)


FEW_RULES = 20  # whose cases are run sooner than processes are started for them


class Admitted(NamedTuple):
    """A rulebook without a fault, and how many cases were run for that; those on record were not.

    `warnings` are faults of drafts, which stop nothing.
    """

    rulebook: Rulebook
    cases: int
    warnings: tuple[Fault, ...] = ()


class _Checked(NamedTuple):
    rulebook: Rulebook
    cases: int
    warnings: list[Fault]
    in_use: bool  # whether some case runs on the releases in use


class _Tested(NamedTuple):
    rulebook: Rulebook | None  # None: it has faults, which lint tells
    results: list[CaseResult]
    faults: list[Fault]


def admit(folder: Path, reference: Reference, passed: Passed, cores: int, earlier: Earlier | None = None) -> Admitted:
    """The rulebook in `folder`, checked with up to `cores` processes; `reference` is what is in use.

    Raises Faults with everything that is wrong: each fault of lint, each case that does not come out, each rule that
    means another thing than `earlier` under the version that it had. What is wrong with a draft is no fault.
    """
    if not folder.is_dir():
        raise Faults([Fault(".", 0, "no such folder of rules")])
    before = take_snapshot(folder, reference)
    if _on_record(before, passed):
        rulebook = load_rulebook(folder)
        checked = _Checked(rulebook, 0, draft_warnings(rulebook.left_out, rulebook.left_out), in_use=False)
        faults = same_version_faults(earlier, folder, rulebook.rules) if earlier else []
        if faults:
            raise Faults(faults)
    else:
        checked = _check(folder, reference, passed, before, cores, earlier)
    if take_snapshot(folder, reference) != before:
        raise Faults([Fault(".", 0, "changed while it was being checked: nothing is taken from it; try again")])
    if not _on_record(before, passed):
        passed.add([before.whole(checked.in_use)])
    return Admitted(checked.rulebook, checked.cases, tuple(checked.warnings))


def brought_back(rules: Path, state: Path | None) -> Admitted | None:
    """The kept rules that are in force in the place of what lies in the folder since a rollback; None after none.

    They were checked when they were first in force, and are only loaded. Raises NoRulebook where they are not kept any
    more, and Faults where this version of the program cannot read them.
    """
    folder = rolled_back(rules, state)
    return Admitted(load_rulebook(folder), 0) if folder else None


def admit_aside(
    folder: Path,
    reference: Reference,
    passed: Passed,
    cores: int,
    earlier: Earlier | None,
    begin: Callable[[], None],
) -> Admitted:
    """`admit`, in a process of its own where something has to be checked, so that this one keeps no trace of it.

    `begin` is called before that: it may take seconds. What is on record is only loaded, here.
    """
    if folder.is_dir() and _on_record(take_snapshot(folder, reference), passed):
        return admit(folder, reference, passed, cores, earlier)
    begin()
    found: Admitted | list[Fault]
    found, _ = at_once([partial(_admitted_or_faults, folder, reference, passed, cores, earlier), lambda: None])
    if isinstance(found, list):
        raise Faults(found)
    return found


def _admitted_or_faults(
    folder: Path, reference: Reference, passed: Passed, cores: int, earlier: Earlier | None
) -> Admitted | list[Fault]:
    try:
        return admit(folder, reference, passed, cores, earlier)
    except Faults as error:
        return list(error.faults)


def in_lines(folder: Path, faults: Iterable[Fault]) -> tuple[str, ...]:
    """A line for each fault, with the folder before its file."""
    return tuple(str(fault._replace(file=str(folder / fault.file))) for fault in faults)


def _on_record(files: Snapshot, passed: Passed) -> bool:
    return any(files.whole(in_use) in passed for in_use in (False, True))


def _check(
    folder: Path, reference: Reference, passed: Passed, files: Snapshot, cores: int, earlier: Earlier | None
) -> _Checked:
    found: Inspection
    tested: _Tested
    known = {file: in_use for file in files.files for in_use in (False, True) if files.of_rule(file, in_use) in passed}
    found, tested = at_once([partial(inspect, folder, known), partial(_test, folder, reference, known, cores)])
    wrong = {*found.faults, *found.of_drafts, *tested.faults}
    wrong |= {_as_fault(result) for result in tested.results if not result.passed}
    _remember(tested, {fault.file for fault in wrong}, passed, files)
    drafts = {fault for fault in wrong if rule_of(fault.file) in found.drafts}
    faults = wrong - drafts
    if tested.rulebook is not None and earlier is not None:
        faults |= {*same_version_faults(earlier, folder, tested.rulebook.rules)}
    if faults or tested.rulebook is None:
        raise Faults(faults)
    in_use = any(known.values()) or any(result.releases == IN_USE for result in tested.results)
    warnings = draft_warnings(sorted(drafts), tested.rulebook.left_out)
    return _Checked(tested.rulebook, len(tested.results), warnings, in_use)


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
    cases, faults = readable_cases(folder, scrubber.rulebook, rules)
    return run_cases(cases, scrubber, folder), faults


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
