"""Beside the path: checks a folder of rules for what the loader refuses and for what only a reviewer would see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from scrubber.errors import Fault, Faults
from scrubber.rulebook.back_test_record import read_record, record_name, record_path
from scrubber.rulebook.book import CodeLists, Pack, Rulebook
from scrubber.rulebook.cases import TEST_SUFFIX, Case, case_files, read_cases
from scrubber.rulebook.check import RuleFile
from scrubber.rulebook.conditions import ORDER_WORDS
from scrubber.rulebook.firing import check_firing
from scrubber.rulebook.json_schema import RULE_SCHEMA_FILE, schema_files
from scrubber.rulebook.load import read_folder, rule_files
from scrubber.rulebook.load_tables import all_rows
from scrubber.rulebook.meaning import meaning
from scrubber.rulebook.succession import check_days
from scrubber.rulebook.yaml_file import Document

LEAST_OF_EACH = 2  # cases that fire, and cases that stay silent
DAYS_OF_A_REVIEW = 365
_RECORD = "run `scrubber rules backtest --record`"


def lint(folder: Path) -> list[Fault]:
    """Every fault of a folder of rules, their tables, their test files and schemas, by file and line."""
    try:
        contents = read_folder(folder)
    except Faults as error:
        return list(error.faults)
    faults = [*contents.faults, *check_days(contents.files), *_records(contents.files, folder), *_orphans(folder)]
    if not contents.faults:
        faults += check_firing(contents.files, CodeLists(all_rows(contents.tables).get("code-lists", ())))
    for document in contents.documents:
        faults += _of_rule(document, folder)
    for path in rule_files(folder):
        faults += _of_tests(path, folder, contents.packs)
    for pack in contents.packs:
        if not (folder / pack / "CHANGES.md").is_file():
            faults.append(Fault(f"{pack}/CHANGES.md", 0, "is missing: it tells who relies on the pack what changed"))
    for name, text in schema_files().items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            faults.append(Fault(name, 0, "is not up to date: write it anew with `scrubber rules schema`"))
    return sorted(set(faults))


def stale(rulebook: Rulebook, today: date) -> list[Fault]:
    """Warnings: rules that nobody has checked against their authority for a year."""
    return [
        Fault(rule.file, 0, f"was last reviewed on {rule.reviewed}, over a year ago")
        for rule in rulebook.rules.values()
        if (today - rule.reviewed).days > DAYS_OF_A_REVIEW
    ]


def _records(files: Iterable[RuleFile], folder: Path) -> Iterator[Fault]:
    """Back-tests on record that are not there, are of another rule, or of what this one meant before."""
    for document, rule in files:
        if rule.back_test != record_name(rule):
            continue  # none, or the loader has told
        path = record_path(rule, folder)
        try:
            record = read_record(path, path.relative_to(folder).as_posix())
        except Faults as error:
            yield from error.faults
            yield document.fault(("back-test",), f"is no record: {_RECORD}")
            continue
        if record.rule != rule.id:
            yield document.fault(("back-test",), f"the record is of another rule: {_RECORD}")
        elif record.meaning != meaning(rule):
            yield document.fault(("back-test",), f"the rule means something else since its back-test: {_RECORD}")


def _of_rule(document: Document, folder: Path) -> Iterator[Fault]:
    name = document.file
    yield from _first_line(folder / name, name)
    pack = name.split("/", 1)[0]
    if not Path(name).stem.startswith(f"{pack}-"):
        yield Fault(name, 0, f"the name of a rule of this pack begins with {pack}-, so that no two packs share one")
    yield from _thresholds(document)


def _of_tests(path: Path, folder: Path, packs: dict[str, Pack]) -> Iterator[Fault]:
    tests = path.with_name(path.stem + TEST_SUFFIX)
    if not tests.is_file():
        yield Fault(path.relative_to(folder).as_posix(), 0, f"has no tests: write them in {tests.name}, beside it")
        return
    try:
        yield from _enough(tests.relative_to(folder).as_posix(), read_cases(tests, folder, packs))
    except Faults as error:
        yield from error.faults


def _first_line(path: Path, name: str) -> Iterator[Fault]:
    up = "../" * name.count("/")
    wanted = f"# yaml-language-server: $schema={up}{RULE_SCHEMA_FILE}"
    with path.open(encoding="utf-8-sig") as file:
        if file.readline().rstrip() != wanted:
            yield Fault(name, 1, f"the first line must be: {wanted}")


def _thresholds(document: Document) -> Iterator[Fault]:
    """Limits change with dates, and so belong in a dated table; 0 and 1 are no limits."""
    for place in document.lines:
        ordered = len(place) > 1 and place[0] in ("applies", "when") and place[-1] in ORDER_WORDS
        if ordered and not _zero_or_one(document.at(place)):
            yield document.fault(place, "a limit belongs in a dated table (limits), not in the rule")


def _zero_or_one(text: object) -> bool:
    try:
        return isinstance(text, str) and Decimal(text) in (0, 1)
    except InvalidOperation:
        return True  # the loader tells that it is no number


def _enough(name: str, cases: list[Case]) -> Iterator[Fault]:
    fire = sum(bool(case.finds) for case in cases)
    silent = sum(case.finds == () for case in cases)
    for count, word, shown in ((fire, "fire", "finds: [{…}]"), (silent, "stay silent", "finds: []")):
        if count < LEAST_OF_EACH:
            yield Fault(name, 0, f"needs at least {LEAST_OF_EACH} cases that {word} (`{shown}`); it has {count}")


def _orphans(folder: Path) -> Iterator[Fault]:
    for path in case_files(folder):
        rule = path.with_name(path.name.removesuffix(TEST_SUFFIX) + ".yaml")
        if not rule.is_file():
            yield Fault(path.relative_to(folder).as_posix(), 0, f"tests {rule.name}, which is not beside it")
