"""Checks a folder of rules for what the loader refuses and for what only a reviewer would see."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import NamedTuple

from scrubber.errors import Fault, Faults
from scrubber.likeness import perhaps
from scrubber.rulebook.backtest_record import read_record, record_name, record_path
from scrubber.rulebook.check import RuleFile, check_days
from scrubber.rulebook.definitions import definition_files
from scrubber.rulebook.family import Family, elements_of
from scrubber.rulebook.history import changes_faults
from scrubber.rulebook.json_schema import (
    CASE_SCHEMA_FILE,
    DEFINITIONS_SCHEMA_FILE,
    FAMILY_SCHEMA_FILE,
    PACK_SCHEMA_FILE,
    RULE_SCHEMA_FILE,
    TABLE_CASE_SCHEMA_FILE,
    schema_files,
    schema_line,
)
from scrubber.rulebook.limits import by_name
from scrubber.rulebook.lint.binding_rows import denies_by_unbound_rows
from scrubber.rulebook.lint.cells import impossible_cells, unused
from scrubber.rulebook.lint.content import (
    impossible_values,
    row_gaps,
    silent_days,
    silent_definitions,
    silent_exclusions,
    table_matters,
    unquoted_in_cases,
    unquoted_in_rule,
)
from scrubber.rulebook.lint.licensed_text import cpt_wording, names_of_persons, personal_data
from scrubber.rulebook.lint.other_packs import names_of_packs, unknown_packs, used_packs
from scrubber.rulebook.lint.own_tables import own_table_warnings
from scrubber.rulebook.lint.relations import relation_faults, relation_warnings
from scrubber.rulebook.load import MOST_RULES, FolderContents, read_folder, rule_files
from scrubber.rulebook.load_families import MOST_FAMILIES, family_files
from scrubber.rulebook.load_tables import all_rows
from scrubber.rulebook.reachability import check_firing
from scrubber.rulebook.rule import semantic_hash
from scrubber.rulebook.rule_index import index_faults
from scrubber.rulebook.rulebook import IN_USE, CodeLists, Pack
from scrubber.rulebook.table_case import table_case_files
from scrubber.rulebook.test_case import TEST_SUFFIX, Case, case_files, cases_of, claim_faults, rule_of, tests_of
from scrubber.rulebook.test_case_paths import declared_name
from scrubber.rulebook.yaml_file import Document, read_yaml

LEAST_OF_EACH = 2  # cases that fire, and cases that stay silent
DAYS_OF_A_REVIEW = 365
_RECORD = "run `scrubber rules backtest --record`"


class LintReport(NamedTuple):
    """What lint found: faults must be mended, warnings looked at. `rules` and `packs` count what was read.

    `in_use` counts test cases that run on the releases in use: they may come out otherwise with another quarter.
    """

    faults: list[Fault]
    warnings: list[Fault]
    rules: int
    packs: int
    in_use: int


class Inspection(NamedTuple):
    """Every fault of a folder of rules, by file and line. Those of drafts and their tests are apart: they stop nothing.

    `drafts` are the files of drafts. `in_use` counts test cases that run on the releases in use.
    """

    faults: list[Fault]
    of_drafts: list[Fault]
    drafts: frozenset[str]
    in_use: int


def lint(folder: Path) -> list[Fault]:
    """Every fault of a folder of rules, their tables and their test files, by file and line, but those of drafts."""
    return inspect(folder).faults


def inspect(folder: Path, known: Container[str] = ()) -> Inspection:
    """Every fault of a folder of rules, their tables and their test files, by file and line.

    `known` are files of rules, by their names below the folder, that were found without a fault before, as were their
    tests: of those only what other files may have changed is looked at.
    """
    try:
        return _inspect(read_folder(folder), folder, known)
    except Faults as error:
        return Inspection(list(error.faults), [], frozenset(), 0)


def lint_report(folder: Path, today: date) -> LintReport:
    """`inspect`, and more to be looked at: reviews of over a year ago, schemas of another version, what nothing uses.

    Raises Faults: no folder.
    """
    contents = read_folder(folder)
    found = _inspect(contents, folder)
    warnings = [*_stale(contents.files, today), *_schemas(folder), *draft_warnings(found.of_drafts, contents.left_out)]
    if not contents.faults:
        warnings += index_faults(folder, contents.packs, (file.rule for file in contents.files))
        warnings += sorted(unused(contents.tables, contents.packs, contents.files, contents.families))
        warnings += sorted(own_table_warnings(contents.own_tables.values(), _documents(contents, folder)))
        lists = CodeLists(all_rows(contents.tables).get("code-lists", ()))
        warnings += sorted(set(denies_by_unbound_rows(contents.files, contents.own_tables)))
        warnings += sorted(set(relation_warnings(contents.files, contents.own_tables, lists)))
    warnings += _without_schema(folder)
    definitions = list(_definitions(folder))
    if not contents.faults:
        names = names_of_packs(contents.tables, contents.own_tables, definitions, contents.families)
        warnings += used_packs(contents.files, contents.packs, names)
    warnings += [fault for file in contents.files for fault in silent_exclusions(file.document)]
    warnings += [fault for document in definitions for fault in silent_definitions(document)]
    of_families = sum(1 for file in contents.files if file.document.within)
    rules = len(contents.documents) + of_families
    return LintReport(found.faults, warnings, rules, len(contents.packs), found.in_use)


def _documents(contents: FolderContents, folder: Path) -> Iterator[Document]:
    """Everything that may look something up in tables: rules, definitions and families."""
    yield from contents.documents
    for path in (*definition_files(folder), *family_files(folder)):
        yield read_yaml(path, path.relative_to(folder).as_posix())


def _definitions(folder: Path) -> Iterator[Document]:
    """The files of definitions that are YAML: of others the loader has reported it."""
    for path in definition_files(folder):
        with suppress(Faults):
            yield read_yaml(path, path.relative_to(folder).as_posix())


def draft_warnings(faults: Iterable[Fault], left_out: Iterable[Fault]) -> list[Fault]:
    """Faults of drafts as warnings; those of drafts that do not load say that the draft is left out of the rules."""
    files = {fault.file for fault in left_out}
    return [
        fault._replace(message=f"{'a draft that is left out' if rule_of(fault.file) in files else 'a draft'}: "
                       f"{fault.message}")
        for fault in faults
    ]  # fmt: skip


def _inspect(contents: FolderContents, folder: Path, known: Container[str] = ()) -> Inspection:
    cases: list[Case] = []
    faults = [*contents.faults, *contents.left_out, *check_days(contents.files), *row_gaps(contents.tables)]
    faults += [*_records(contents.files, folder), *unknown_packs(contents.packs)]
    if not contents.faults:
        rows = all_rows(contents.tables)
        lists = CodeLists(rows.get("code-lists", ()))
        faults += check_firing(contents.files, lists)
        faults += relation_faults(contents.files, contents.own_tables, lists)
        faults += silent_days(contents.files, by_name(rows.get("limits", ())))
        payers = {row.payer for row in rows.get("aliases", ())}
        faults += (fault for file in contents.files for fault in impossible_values(file.document, payers))
        faults += impossible_cells(contents.tables, contents.packs, contents.files)
    for document in contents.documents:
        if document.file not in known:
            faults += _of_rule(document, folder)
    for path in rule_files(folder)[:MOST_RULES]:  # also of rules that could not be read
        name = path.relative_to(folder).as_posix()
        if name not in known:
            faults += _of_tests(
                path.with_name(path.stem + TEST_SUFFIX), folder, contents.packs, cases, Fault(name, 0, "")
            )
    of_families = [file for file in contents.files if file.document.within]
    for document, rule in of_families:
        if rule.file not in known:
            faults += _of_family_rule(document, rule.id)
            faults += _of_tests(folder / tests_of(rule), folder, contents.packs, cases, document.fault(("id",), ""))
    made = {tests_of(rule) for _, rule in of_families}
    faults += [*_undeclared(cases, contents.families), *_of_families(folder), *claim_faults(folder)]
    if contents.names_known:  # else a family that makes rules may not have been read
        faults += _orphans(folder, made)
    for pack in contents.packs:
        faults += changes_faults(folder, pack, (rule for _, rule in contents.files if rule.file not in contents.drafts))
    every = sorted(set(faults))
    return Inspection(
        [fault for fault in every if rule_of(fault.file) not in contents.drafts],
        [fault for fault in every if rule_of(fault.file) in contents.drafts],
        contents.drafts,
        sum(case.releases == IN_USE for case in cases),
    )


def _schemas(folder: Path) -> Iterator[Fault]:
    """Editors complete rules by these files; no answer depends on them."""
    for name, text in schema_files().items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8", errors="replace") != text:
            yield Fault(name, 0, "is not up to date: write it anew with `scrubber rules schema`")


def _stale(files: Iterable[RuleFile], today: date) -> Iterator[Fault]:
    for document, rule in files:
        days = (today - rule.reviewed).days
        if days > DAYS_OF_A_REVIEW:
            message = (
                f"was last reviewed on {rule.reviewed}, over a year ago: read its authority again, then set the day"
            )
            yield document.fault(("reviewed",), message)
        elif days < -1:  # a day ahead is another time zone
            yield document.fault(("reviewed",), f"says that it was reviewed on {rule.reviewed}, which is still to come")


def _records(files: Iterable[RuleFile], folder: Path) -> Iterator[Fault]:
    """Back-test records that are missing, of another rule, or of an earlier meaning of this one."""
    for document, rule in files:
        if rule.back_test != record_name(rule):
            continue  # none, or the loader has reported it
        path = record_path(rule, folder)
        try:
            record = read_record(path, path.relative_to(folder).as_posix())
        except Faults as error:
            yield from error.faults
            yield document.fault(("back-test",), f"is no record: {_RECORD}")
            continue
        if record.rule != rule.id:
            yield document.fault(("back-test",), f"the record is of another rule: {_RECORD}")
        elif record.meaning != semantic_hash(rule):
            yield document.fault(("back-test",), f"the rule means something else since its back-test: {_RECORD}")
        elif not record.findings:
            found = f"the back-test found nothing in {record.claims:,} claims, and so tells nothing"
            yield document.fault(("back-test",), f"{found}: {_RECORD}, with claims on which the rule fires")


def _of_rule(document: Document, folder: Path) -> Iterator[Fault]:
    name = document.file
    yield from _first_line(folder / name, name)
    pack = name.split("/", 1)[0]
    if not Path(name).stem.startswith(f"{pack}-"):
        yield Fault(name, 0, _OF_PACK.format(pack))
    yield from _content_faults(document)


_OF_PACK = "the name of a rule of this pack begins with {}-, so that no two packs share one"


def _of_family_rule(document: Document, rule_id: str) -> Iterator[Fault]:
    pack = document.file.split("/", 1)[0]
    if not rule_id.startswith(f"{pack}-"):
        yield document.fault(("id",), _OF_PACK.format(pack))
    yield from _content_faults(document)


def _content_faults(document: Document) -> Iterator[Fault]:
    yield from unquoted_in_rule(document)
    yield from table_matters(document)
    yield from personal_data(document)
    yield from cpt_wording(document)


def _of_tests(tests: Path, folder: Path, packs: dict[str, Pack], cases: list[Case], without: Fault) -> Iterator[Fault]:
    """What is wrong with the tests of a rule; those that can be read are added to `cases`.

    `without` is the fault of the rule where it has no tests.
    """
    if not tests.is_file():
        yield without._replace(message=f"has no tests: write them in {tests.name}, beside it")
        return
    try:
        document = read_yaml(tests, tests.relative_to(folder).as_posix())
        yield from unquoted_in_cases(document)
        yield from names_of_persons(document)
        yield from cpt_wording(document)
        found = cases_of(document, folder, packs)
        cases += found
        yield from _enough(document.file, found)
    except Faults as error:
        yield from error.faults


def _undeclared(cases: Iterable[Case], families: Iterable[Family]) -> Iterator[Fault]:
    """Test cases with documentation that no family declares: a rule could not read it."""
    elements = elements_of(families)
    for case in cases:
        for path in (*case.change, *case.without):
            name = declared_name(path)
            if name is not None and name not in elements and not any(each.startswith(f"{name}.") for each in elements):
                said = f"no family declares `{name}` (families/*.yaml of a pack)"
                yield Fault(case.file, case.line, f"{path}: {said}{perhaps(name, elements)}")


def _of_families(folder: Path) -> Iterator[Fault]:
    """What is wrong with the files of families beside what keeps them from loading."""
    for path in family_files(folder)[:MOST_FAMILIES]:
        name = path.relative_to(folder).as_posix()
        try:
            document = read_yaml(path, name)
        except Faults:
            continue  # the loader has reported it
        yield from _first_line(path, name, FAMILY_SCHEMA_FILE)
        yield from names_of_persons(document)
        yield from cpt_wording(document)


def _first_line(path: Path, name: str, schema: str = RULE_SCHEMA_FILE) -> Iterator[Fault]:
    wanted = schema_line(name, schema)
    with path.open(encoding="utf-8-sig") as file:
        if file.readline().rstrip() != wanted:
            yield Fault(name, 1, f"the first line must be: {wanted}")


def _without_schema(folder: Path) -> Iterator[Fault]:
    """Tests and packs without the first line by which editors know their keys: it is newer than some of them."""
    schemas = [(path, CASE_SCHEMA_FILE) for path in case_files(folder)]
    schemas += [(path, PACK_SCHEMA_FILE) for path in sorted(folder.glob("*/pack.yaml"))]
    schemas += [(path, DEFINITIONS_SCHEMA_FILE) for path in definition_files(folder)]
    schemas += [(path, TABLE_CASE_SCHEMA_FILE) for path in table_case_files(folder)]
    for path, schema in schemas:
        name = path.relative_to(folder).as_posix()
        wanted = schema_line(name, schema)
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            if file.readline().rstrip() != wanted:
                yield Fault(name, 1, f"editors explain it where the first line is: {wanted}")


def _enough(name: str, cases: list[Case]) -> Iterator[Fault]:
    fire = sum(bool(case.finds) for case in cases)
    silent = sum(case.finds == () for case in cases)
    for count, word, example in ((fire, "fire", "finds: [{…}]"), (silent, "stay silent", "finds: []")):
        if count < LEAST_OF_EACH:
            yield Fault(name, 0, f"needs at least {LEAST_OF_EACH} cases that {word} (`{example}`); it has {count}")


def _orphans(folder: Path, made: Container[str]) -> Iterator[Fault]:
    """Tests of rules that are not beside them. `made`: the tests of rules that families make."""
    for path in case_files(folder):
        rule = path.with_name(path.name.removesuffix(TEST_SUFFIX) + ".yaml")
        if not rule.is_file() and path.relative_to(folder).as_posix() not in made:
            yield Fault(path.relative_to(folder).as_posix(), 0, f"tests {rule.name}, which is not beside it")
