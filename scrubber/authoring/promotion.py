"""Gives a rule another status: what stands against it, and what is left to do afterwards."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from scrubber.authoring.diff import EarlierRules, same_version_faults
from scrubber.authoring.key_edit import set_key, status_in
from scrubber.authoring.run_tests import run_tests
from scrubber.errors import Fault, Faults
from scrubber.rulebook.check import rests_on_authority
from scrubber.rulebook.family_rules import rule_documents
from scrubber.rulebook.history import CHANGES, read_changes
from scrubber.rulebook.lint import inspect
from scrubber.rulebook.load import DRAFT, read_folder, rule_files
from scrubber.rulebook.load_families import load_families
from scrubber.rulebook.rule import Rule
from scrubber.rulebook.rulebook import RUNNING
from scrubber.rulebook.test_case import rule_of
from scrubber.scrub import open_scrubber

PROMOTED_TO = (DRAFT, *reversed(RUNNING))  # draft, shadow, active


class Promotion(NamedTuple):
    """A rule file with its new status. `against` says what lint and the test cases refuse then: nothing was written.

    `due` is what is left to do, in sentences.
    """

    file: str
    before: str
    against: tuple[Fault, ...]
    due: tuple[str, ...]


def promote(
    folder: Path, file: str, status: str, reference: str | None, earlier: Callable[[], EarlierRules | None]
) -> Promotion:
    """Give the rule in `file`, a name below the folder, a status of PROMOTED_TO, unless something stands against it.

    `earlier` gives the rules that versions are compared with. Raises Faults for a file that is no YAML, and for a
    rule that is deprecated or has that status already.
    """
    before = status_in(folder / file, file)
    if before == status:
        raise Faults([Fault(file, 0, f"is {status} already")])
    if before == "deprecated":
        raise Faults(
            [Fault(file, 0, "is deprecated: another rule took over; write a new rule, or bring it back by hand")]
        )
    with TemporaryDirectory(prefix="scrubber-rules-") as place:
        tried = _linked(folder, Path(place) / folder.name)
        (tried / file).unlink()  # the link, so that the author's own file is not written through it
        shutil.copy(folder / file, tried / file)
        set_key(tried / file, file, "status", status, after="title")
        against = _against(tried, file, reference, earlier())
        due = () if against else tuple(_due(tried, file, before == DRAFT))
    if not against:
        set_key(folder / file, file, "status", status, after="title")
    return Promotion(file, before or "without a status", against, due)


def file_of(folder: Path, rule_id: str) -> str | None:
    """The file of a rule, also of one that does not load; None where there is none."""
    return next((path.relative_to(folder).as_posix() for path in rule_files(folder) if path.stem == rule_id), None)


def family_of(folder: Path, rule_id: str) -> str | None:
    """The file and line of the family that states a rule; None where there is none."""
    families = load_families(folder, [])
    for document in families.documents:
        for rule in rule_documents(document):
            if rule.content.get("id") == rule_id:
                return f"{rule.file}:{rule.line(('id',))}"
    return None


def _linked(folder: Path, copy: Path) -> Path:
    """A copy of the folder whose files are links: tables may be large."""
    shutil.copytree(folder.absolute(), copy, copy_function=os.symlink)
    return copy


def _against(folder: Path, file: str, reference: str | None, earlier: EarlierRules | None) -> tuple[Fault, ...]:
    """What lint refuses of the rule, its tests, or of others because of it; else the cases of it that fail."""
    rule_id = Path(file).stem
    found = inspect(folder)
    names = (f"`{rule_id}`", file)
    faults = {
        fault for fault in found.faults if rule_of(fault.file) == file or any(name in fault.message for name in names)
    }
    if file in found.drafts:  # it stops nothing, whatever is wrong with it
        return tuple(sorted(faults))
    rules = {each.rule.id: each.rule for each in read_folder(folder).files if each.rule.id == rule_id}
    if earlier is not None:
        before = {name: rule for name, rule in earlier.rules.items() if name == rule_id}
        faults |= {*same_version_faults(EarlierRules(before, earlier.name), folder, rules)}
    if faults or found.faults:
        return tuple(sorted(faults))
    results = run_tests(open_scrubber(folder, reference), folder, [rule_id])
    return tuple(
        Fault(result.file, result.line, f"{result.case}: {'; '.join(result.differences)}")
        for result in results
        if not result.passed
    )


def _due(folder: Path, file: str, was_draft: bool) -> Iterator[str]:
    """What an author does next, in the order in which it is done."""
    contents = read_folder(folder)
    rule = next((each.rule for each in contents.files if each.rule.file == file), None)
    if rule is None:
        return
    changes = read_changes((folder / rule.pack / CHANGES).read_text(encoding="utf-8-sig", errors="replace"))
    if not changes.entries or rule.id not in changes.entries[0].names:
        yield f"{rule.pack}/{CHANGES}: add a line with `{rule.id}` that says what it does now"
    if was_draft:
        yield f"version {rule.version} is what answers name from now on: raise it with the next change of meaning"
    yield from _back_test_due(rule)
    if contents.faults:
        yield "other files of the folder have faults, and its cases were not run: scrubber rules lint"
    yield "scrubber rules reload puts it in force in a running service"


def _back_test_due(rule: Rule) -> Iterator[str]:
    if rule.back_test is not None or rule.status not in RUNNING:
        return
    command = f"scrubber rules backtest --rules {rule.id} --claims FILE --record"
    if rule.severity == "deny" and not rests_on_authority(rule):
        yield f"before it can be active it needs a back-test on record, or an authority that binds: {command}"
    else:
        yield f"no back-test is on record; {command} tries it on past claims"
