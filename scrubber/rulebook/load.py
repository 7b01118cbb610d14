"""Loads a folder of packs into a rulebook; one fault is enough to load nothing, and every fault is reported."""

from __future__ import annotations

import errno
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from marshmallow import Schema, ValidationError

from scrubber.dated_rows import MOST_TABLE_BYTES
from scrubber.errors import Fault, Faults
from scrubber.rulebook.by_row import AMOUNT, check_taken_rows, read_by_row
from scrubber.rulebook.check import (
    RuleFile,
    check_adoptions,
    check_lists,
    check_related,
    check_rule,
    check_successors,
    check_unique,
    placeholders,
)
from scrubber.rulebook.conditions import Conditions, check_definitions, rule_conditions
from scrubber.rulebook.definitions import definition_files, read_definitions
from scrubber.rulebook.family import Family, elements_of
from scrubber.rulebook.family_rules import rule_documents
from scrubber.rulebook.field import field_named
from scrubber.rulebook.grammar import grammar_faults
from scrubber.rulebook.limits import by_name
from scrubber.rulebook.load_families import (
    LoadedFamilies,
    add_earlier,
    check_families,
    derived_fields,
    family_files,
    load_families,
    with_derived,
)
from scrubber.rulebook.load_tables import all_rows, check_rows, load_own_tables, load_tables, with_earlier_lists
from scrubber.rulebook.names import DOCUMENT, Known, KnownTable, NameScope, resolve
from scrubber.rulebook.reference_tables import REFERENCE_TABLES, ReferenceTable
from scrubber.rulebook.relations import Operand
from scrubber.rulebook.remedies import check_remedies, read_remedies
from scrubber.rulebook.rule import TAKEN, Authority, ByRow, ClaimStatus, Reason, Rule
from scrubber.rulebook.rule_tables import RuleTable
from scrubber.rulebook.rulebook import Pack, Rulebook
from scrubber.rulebook.schema import PackFileSchema, RuleYamlSchema, ValueFromRow, known_keys
from scrubber.rulebook.table_declaration import ALL
from scrubber.rulebook.typed_table import TypedTable
from scrubber.rulebook.vocabulary import KINDS, kind_with
from scrubber.rulebook.yaml_file import MOST_BYTES as YAML_BYTES
from scrubber.rulebook.yaml_file import Document, Position, read_yaml, schema_faults

MOST_RULES = 4000
MOST_BYTES = 32 * 2**20  # of all rule files together
DIGEST_PREFIX = "sha256:"
DRAFT = "draft"
_STATUS = re.compile(r"""^["']?status["']?[ \t]*:[ \t]*["']?([a-z]*)""", re.MULTILINE)
_RULE_SCHEMA = RuleYamlSchema()
_PACK_SCHEMA = PackFileSchema()


class FolderContents(NamedTuple):
    """What was read of a folder of rules: all of it that could be, and every fault.

    `documents` are the rule files that are YAML; `files` those of them that are rules. `drafts` are the files of rules
    with `status: draft`: one with a fault is left out and stops nothing, as it never runs. `left_out` are those faults.
    Where packs, tables or families have faults, what they declare is not known: rules that may name it are then held
    against their schema alone, and `names_known` is False.
    """

    packs: dict[str, Pack]
    tables: list[RuleTable]
    own_tables: dict[str, TypedTable]
    documents: list[Document]
    files: list[RuleFile]
    faults: list[Fault]
    drafts: frozenset[str]
    left_out: list[Fault]
    families: list[Family]
    names_known: bool


def load_rulebook(folder: Path) -> Rulebook:
    """The rulebook in `folder`, one subfolder a pack, without drafts that do not load.

    Raises Faults with every other fault found.
    """
    before = _digest_before(folder)
    contents = read_folder(folder)
    if contents.faults:
        raise Faults(contents.faults)
    after = digest(folder)
    if after != before:  # else a rulebook could bear the digest of what somebody saved while it was read
        raise Faults([Fault(str(folder), 0, "has changed while it was read: read it again")])
    rules = {file.rule.id: file.rule for file in sorted(contents.files, key=lambda file: file.rule.id)}
    rows = with_earlier_lists(all_rows(contents.tables))
    return Rulebook(
        rules,
        contents.packs,
        rows,
        after,
        contents.tables,
        left_out=contents.left_out,
        typed_tables=contents.own_tables,
        families=contents.families,
    )


def _digest_before(folder: Path) -> str | None:
    try:
        return digest(folder)
    except OSError:
        return None  # reading the rules reports which file cannot be read


def read_folder(folder: Path) -> FolderContents:
    """Everything in `folder`, whatever is wrong with it. Raises Faults when there is no such folder."""
    if not folder.is_dir():
        raise Faults([Fault(str(folder), 0, "no such folder of rules")])
    faults = list(_misplaced(folder))
    packs = load_packs(folder, faults)
    tables = load_tables(folder, packs, faults)
    families = load_families(folder, faults)
    lists = {row.list for table in tables if table.kind == "code-lists" for row in table.rows}
    add_earlier(families, lists)
    if not faults:  # else a list may stand in a table that was not read
        faults += check_families(families, lists)
    complete = not faults
    own_tables = load_own_tables(folder, packs, tables, faults) if complete else {}  # else a payer may be in no table
    documents = _read_documents(folder, faults)
    known = _known(folder, tables, own_tables, families, faults) if complete else Known(None, None, {}, {})
    declared = with_derived(families, known, faults) if complete else families.families
    of_families = [each for document in families.documents for each in rule_documents(document)]
    loaded = (
        load_rule(document, known, faults, faults if complete or not _DECLARED.search(str(document.content)) else [])
        for document in (*documents, *of_families)
    )
    files = [file for file in loaded if file is not None]
    faults += grammar_faults(documents, packs)
    drafts = frozenset(_drafts(folder, documents))
    files.sort(key=lambda file: file.rule.file in drafts)  # of two that share a name, the draft is to give way
    ids = {path.stem: path.relative_to(folder).as_posix() in drafts for path in rule_files(folder)}
    ids |= {str(each.content.get("id")): False for each in of_families}
    faults += check_unique(files)
    if complete:  # otherwise a name may be in a family or table that was not read
        faults += [*check_related(files, ids), *check_successors(files, ids)]
        faults += check_lists(files, {row.list for table in tables if table.kind == "code-lists" for row in table.rows})
        faults += check_rows(tables, packs)
        faults += check_adoptions(tables, files, ids)
        faults += check_taken_rows(files, own_tables)
        faults += check_remedies(files, [row for table in tables if table.kind == "code-lists" for row in table.rows])
    left_out = sorted(fault for fault in faults if fault.file in drafts)
    without = {fault.file for fault in left_out}
    return FolderContents(
        packs,
        tables,
        own_tables,
        documents,
        [file for file in files if file.rule.file not in without],
        [fault for fault in dict.fromkeys(faults) if fault.file not in drafts],
        drafts,
        left_out,
        declared,
        complete,
    )


def _known(
    folder: Path,
    tables: Iterable[RuleTable],
    own_tables: Mapping[str, TypedTable],
    families: LoadedFamilies,
    faults: list[Fault],
) -> Known:
    """What the rules of a folder may name."""
    every: dict[str, TypedTable | ReferenceTable] = {**REFERENCE_TABLES, **own_tables}
    askable = {name: _askable(table) for name, table in every.items()}
    documents = {name: element.field for name, element in elements_of(families.families).items()}
    read = {path.parent.name: read_document(path, folder, faults) for path in definition_files(folder)}
    definitions = read_definitions({pack: each for pack, each in read.items() if each is not None}, faults)
    known = Known(
        by_name(all_rows(tables).get("limits", ())), askable, documents, definitions, derived_fields(families)
    )
    faults += check_definitions(known)
    return known


def _askable(table: TypedTable | ReferenceTable) -> KnownTable:
    columns = {name: column.field for name, column in (*table.keys.items(), *table.columns.items())}
    return KnownTable(columns, tuple(table.keys), table.answers == ALL)


def _drafts(folder: Path, documents: Iterable[Document]) -> Iterator[str]:
    """The files of rules with `status: draft`, as far as they can be read."""
    readable = {document.file: document for document in documents}
    for path in rule_files(folder)[:MOST_RULES]:
        name = path.relative_to(folder).as_posix()
        if name in readable:
            content = readable[name].content
            if isinstance(content, dict) and content.get("status") == DRAFT:
                yield name
        elif _statuses(path) == [DRAFT]:
            yield name


def _statuses(path: Path) -> list[str]:
    """Each `status` at the beginning of a line of a file that is no YAML, while somebody writes it."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        return _STATUS.findall(file.read(YAML_BYTES))


def rule_files(folder: Path) -> list[Path]:
    """Every rule file below the folder, in a fixed order; tests, families, definitions and pack.yaml are none."""
    others = {*family_files(folder), *definition_files(folder), *folder.glob("*/**/pack.yaml")}
    files = (path for path in folder.glob("*/**/*.yaml") if path not in others)
    return sorted(path for path in files if not path.name.endswith(".test.yaml"))


def digest(folder: Path) -> str:
    """SHA-256 over names and bytes of all that can change an answer: rules, families, pack files and tables."""
    return digest_of(covered(folder))


def covered(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Name below the folder and bytes of every file that the digest covers, in its order.

    Raises OSError for what is no file, and for one that is larger than any that loads.
    """
    tables = folder.glob("*/tables/*.csv")
    files = (*rule_files(folder), *family_files(folder), *definition_files(folder), *folder.glob("*/pack.yaml"))
    for path in sorted([*files, *tables]):
        if not path.is_file() or path.stat().st_size > MOST_TABLE_BYTES:
            raise OSError(errno.EFBIG, "no file, or too large a one", str(path))
        yield path.relative_to(folder).as_posix(), path.read_bytes()


def digest_of(files: Iterable[tuple[str, bytes]]) -> str:
    """The digest over files as `covered` gives them."""
    total = hashlib.sha256()
    for name, content in files:
        total.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return DIGEST_PREFIX + total.hexdigest()


def checked(document: Document, schema: Schema, faults: list[Fault]) -> Any:
    """The document's content as the schema types it; None, and faults, when it does not fit."""
    try:
        return schema.load(document.content)
    except ValidationError as error:
        faults += schema_faults(document, error.messages, partial(known_keys, schema))
        return None


def read_document(path: Path, folder: Path, faults: list[Fault]) -> Document | None:
    """The YAML document in `path`, which faults name as it lies in `folder`; None, and faults, when it is none."""
    try:
        return read_yaml(path, path.relative_to(folder).as_posix())
    except Faults as error:
        faults += error.faults
        return None


def _misplaced(folder: Path) -> Iterator[Fault]:
    """Files that look like rules and would silently be none."""
    for path in sorted(folder.glob("*.yaml")):
        yield Fault(path.name, 0, "a rule lies in the folder of a pack")
    for path in sorted(folder.glob("**/*.yml")):
        yield Fault(path.relative_to(folder).as_posix(), 0, "name it .yaml: .yml is not read")
    for pack in sorted({path.relative_to(folder).parts[0] for path in rule_files(folder)}):
        if not (folder / pack / "pack.yaml").is_file():
            yield Fault(f"{pack}/pack.yaml", 0, "is missing: it says what the pack is")


def load_packs(folder: Path, faults: list[Fault]) -> dict[str, Pack]:
    """The packs of a folder by name; what is wrong with a pack.yaml is added to `faults`."""
    packs = {}
    for path in sorted(folder.glob("*/pack.yaml")):
        document = read_document(path, folder, faults)
        content = checked(document, _PACK_SCHEMA, faults) if document else None
        if document is None or content is None:
            continue
        if content["name"] != path.parent.name:
            faults.append(document.fault(("name",), f"must be the folder's name, {path.parent.name}"))
        packs[path.parent.name] = Pack(**content)
    return packs


def _read_documents(folder: Path, faults: list[Fault]) -> list[Document]:
    paths = rule_files(folder)
    if len(paths) > MOST_RULES:
        faults.append(Fault(folder.name, 0, f"{len(paths)} rules; at most {MOST_RULES} can be loaded"))
        return []
    if sum(path.stat().st_size for path in paths if path.is_file()) > MOST_BYTES:
        faults.append(Fault(folder.name, 0, f"rule files of over {MOST_BYTES // 2**20} MB; no more can be loaded"))
        return []
    documents = (read_document(path, folder, faults) for path in paths)
    return [document for document in documents if document is not None]


# Words of rules that name what packs declare: tables, definitions, elements of families. Of such rules nothing that a
# faulty pack or table may declare can be told.
_DECLARED = re.compile(r"'(look-up|amounts|definition|(some|no|every)-[a-z-]+)'|document[.']|[{]limit: ")


def load_rule(document: Document, known: Known, faults: list[Fault], of_names: list[Fault]) -> RuleFile | None:
    """The rule in a document, which may name what is `known`; None, and faults, when it holds none.

    Faults that are found with the help of what is known go to `of_names`.
    """

    def report(position: Position, message: str) -> None:
        of_names.append(document.fault(position, message))

    conditions = rule_conditions(document, known, report)  # also when the schema finds faults elsewhere in the file
    content = checked(document, _RULE_SCHEMA, faults)
    if content is None:
        return None
    by_row = read_by_row(content, conditions.frame, report)
    rule = _rule(document, content, conditions, known, by_row)
    remedies = read_remedies(content, KINDS[content["scope"]].of_lines, conditions.frame, report)
    rule = replace(rule, remedies=remedies) if remedies else rule
    if not document.within and rule.id != (stem := Path(document.file).stem):
        report(("id",), f"must be the file's name, {stem}")
    check_rule(rule, report)
    return RuleFile(document, rule)


_AS_IS = (
    "id", "version", "title", "status", "stage", "category", "scope", "owner", "reviewed", "message", "fix",
)  # fmt: skip


def _rule(
    document: Document, content: Mapping[str, Any], conditions: Conditions, known: Known, by_row: ByRow | None
) -> Rule:
    file, at_risk, taken = document.file, content["at_risk"], _taken_from_rows(document)
    declared = {"look-up": content["look_up"] or {}, "amounts": content["amounts"] or {}}
    return Rule(
        severity=_stated(content["severity"]),
        at_risk=AMOUNT if isinstance(at_risk, ValueFromRow) else at_risk,
        pack=file.split("/", 1)[0],
        file=file,
        since=content["effective"].get("since"),
        until=content["effective"].get("until"),
        authority=tuple(_authority(item) for item in content["authority"]),
        applies=conditions.applies,
        needs=tuple([_canonical(name, content["scope"]) for name in content["needs"]]),
        when=conditions.when,
        element=content.get("points_at", KINDS[content["scope"]].element),
        reason=_reason(content["reason"]),
        claim_status=ClaimStatus(**content["claim_status"]) if content["claim_status"] else None,
        related=tuple(content["related"]),
        not_checked=content.get("not_checked"),
        false_alarms=content.get("false_alarms"),
        superseded_by=content.get("superseded_by"),
        back_test=content.get("back_test"),
        bypassed=conditions.bypassed,
        names=tuple(_names(content, conditions.frame)) if conditions.frame is not None else (),
        documents=kind_with(DOCUMENT, (*{**known.documents, **known.derived}.values(),))
        if content["scope"] == DOCUMENT
        else None,
        of_element=str(document.within[1]) if document.within else None,
        declared=json.dumps({**declared, TAKEN: taken} if taken else declared),
        by_row=by_row,
        **{key: content[key] for key in _AS_IS},
    )


def _taken_from_rows(document: Document) -> Mapping[str, Any]:
    """What a rule takes from rows, by key, as its file writes it."""
    content = document.content
    return {key: content[key] for key in ("severity", "reason", "at-risk") if _is_taken(content[key])}


def _is_taken(written: Any) -> bool:
    return isinstance(written, Mapping) and ("from" in written or any(_is_taken(part) for part in written.values()))


def _canonical(name: str, scope: str) -> str:
    """The name of a fact as the vocabulary has it, whichever way two words are written."""
    found = field_named(KINDS[scope].fields, name)
    return name if found is None else found.name


def _names(content: Mapping[str, Any], frame: NameScope) -> Iterator[tuple[str, Operand]]:
    """The amounts and columns of look-ups that the texts of a rule use, by name."""
    texts = (content["message"], content["fix"], content.get("not_checked") or "")
    for name in dict.fromkeys(name for text in texts for name in placeholders(text)):
        found = resolve(name, frame)
        if found is not None and (not found.plain or found.field.name != name):
            yield name, found.operand


def _authority(item: Mapping[str, Any]) -> Authority:
    retrieved = item.get("retrieved")
    return Authority(
        item["kind"], item["title"], item.get("locator"), item.get("url"),
        retrieved.isoformat() if retrieved else None, item["binding"],
    )  # fmt: skip


def _reason(item: Mapping[str, Any] | None) -> Reason | None:
    """The reason that the rule expects where no row says another."""
    if not item:
        return None
    group, carc, rarc = (_stated(item[key]) for key in ("group", "carc", "rarc"))
    return Reason(group, carc, tuple(rarc or ())) if group and carc else None


def _stated(part: Any) -> Any:
    """What the rule itself says of something that a row may say."""
    return part.otherwise if isinstance(part, ValueFromRow) else part
