"""Reads the test cases of a rule (`.test.yaml`): a base claim, changes, and what must be found.

A path takes values of its own form only; a JSON pointer takes any value, also one that is wrong on purpose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from scrubber.claim.x12.faults import FAULTS
from scrubber.dated_rows import cell_parsers
from scrubber.errors import Fault, Faults
from scrubber.likeness import known_names, perhaps
from scrubber.rulebook.read_typed_table import row_of_case
from scrubber.rulebook.remedy_schema import MOST_REMEDIES
from scrubber.rulebook.rule import SEVERITIES, Rule
from scrubber.rulebook.rule_tables import ROW_TYPES
from scrubber.rulebook.rulebook import STARTER_RELEASES, TEST_RELEASES, Pack
from scrubber.rulebook.schema import ID, DayField, YesNoField, known_keys
from scrubber.rulebook.table_declaration import TableDeclaration
from scrubber.rulebook.test_case_paths import LINE_FIELDS, PATHS, target
from scrubber.rulebook.test_case_values import value_faults
from scrubber.rulebook.typed_table import StoredRow
from scrubber.rulebook.yaml_file import Document, Position, read_yaml, schema_faults

MOST_BYTES = 1024 * 1024
FOLDER = "claims"


def claim_faults(folder: Path) -> Iterator[Fault]:
    """Base claims of a folder of rules that cannot be read."""
    for path in sorted((folder / FOLDER).glob("*.json")):
        try:
            read_base_claim(folder, path.stem)
        except Faults as error:
            yield from error.faults


def read_base_claim(folder: Path, name: str) -> dict[str, Any]:
    """A fresh copy of the base claim `name`: a body with at least one service line. Raises Faults."""
    path = folder / FOLDER / f"{name}.json"
    message = "is no claim: a JSON object with claimInformation and serviceLines"
    try:
        if not path.is_file():
            message = "is no file"
        elif path.stat().st_size > MOST_BYTES:
            message = f"larger than {MOST_BYTES // 1024} KB"
        elif _is_claim(body := json.loads(path.read_bytes())):
            return dict(body)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
    except (ValueError, RecursionError):
        message = "is no JSON"
    raise Faults([Fault(f"{FOLDER}/{path.name}", 0, message)])


def _is_claim(body: Any) -> bool:
    claim = body.get("claimInformation") if isinstance(body, dict) else None
    lines = claim.get("serviceLines") if isinstance(claim, dict) else None
    return isinstance(lines, list) and bool(lines) and all(isinstance(line, dict) for line in lines)


def _path(text: str) -> None:
    if target(text) is None:
        message = "leads nowhere: write line.2.modifiers, documentation.tbsValue … or a JSON pointer"
        raise ValidationError(message + perhaps(text, _paths_like(text)))


def _paths_like(text: str) -> Iterator[str]:
    """Every path of a case, those of lines with the number that the text has."""
    yield from PATHS
    number = next(iter(re.findall(r"[1-9][0-9]*", text)), "1")
    yield from (f"line.{number}.{name}" for name in LINE_FIELDS)


_LINE_NUMBER = validate.Range(min=1, max=1000)


class _OnLines(Schema):
    line = fields.Integer(validate=_LINE_NUMBER, metadata={"description": "The one line it stands on."})
    lines = fields.List(
        fields.Integer(validate=_LINE_NUMBER), metadata={"description": "Lines; none is the claim as a whole."}
    )

    @validates_schema
    def _one_of_them(self, data: Mapping[str, Any], **_: Any) -> None:
        if ("line" in data) == ("lines" in data):
            raise ValidationError("needs either `line` or `lines` (`lines: []` is the claim as a whole)")


class ExpectedFindingSchema(_OnLines):
    """A finding of the rule: exactly these lines, and what else is written."""

    severity = fields.String(validate=validate.OneOf(SEVERITIES, error="Must be one of: {choices}."))
    at_risk = fields.String(
        data_key="at-risk",
        allow_none=True,
        validate=validate.Regexp(r"[0-9]+\.[0-9]{2}\Z", error="Must be dollars such as 9.38, or null."),
        metadata={"description": "Dollars at risk; null where they cannot be known.", "pattern": r"^[0-9]+\.[0-9]{2}$"},
    )
    liability = fields.String(
        allow_none=True, validate=validate.OneOf(("provider", "patient"), error="Must be one of: {choices}.")
    )
    related = fields.List(
        fields.Integer(validate=_LINE_NUMBER), metadata={"description": "The other lines it is about."}
    )
    message = fields.String(metadata={"description": "A part of the message."})
    pointer = fields.String(metadata={"description": "JSON pointer into the claim."})


class ExpectedNotCheckedSchema(_OnLines):
    """Something that the rule could not judge."""

    missing = fields.List(fields.String(), metadata={"description": "Exactly what was not supplied."})


class AfterFixSchema(Schema):
    """A fix of the rule that is data, applied to the claim of the case, and what the rule then finds."""

    remedy = fields.Integer(
        load_default=1,
        validate=validate.Range(min=1, max=MOST_REMEDIES),
        metadata={"description": "Which of the rule's remedies, from 1."},
    )
    line = fields.Integer(
        validate=_LINE_NUMBER, metadata={"description": "The line of the finding, where there are several findings."}
    )
    record_shows = YesNoField(
        data_key="record-shows",
        load_default=False,
        metadata={"description": "yes: the user has stated that the record shows what the remedy asks for."},
    )
    value = fields.String(metadata={"description": "Of an element that is supplied: what stands there then."})
    finds = fields.List(
        fields.Nested(ExpectedFindingSchema),
        required=True,
        metadata={"description": "All findings of the rule after it; [] is none."},
    )


class CaseSchema(Schema):
    """One case: a base claim, what is changed in it, and what the rule must find."""

    name = fields.String(required=True, validate=validate.Length(min=1), metadata={"description": "What it shows."})
    claim = fields.String(
        required=True,
        validate=validate.Regexp(rf"{ID}\Z", error="Must be the name of a file in claims/, without .json."),
        metadata={"description": "A base claim: claims/NAME.json.", "pattern": f"^{ID}$"},
    )
    change = fields.Dict(
        keys=fields.String(validate=_path),
        values=fields.Raw(allow_none=True),
        load_default=dict,
        metadata={"description": "Paths and their new values; null says there is none.", "names": "paths"},
    )
    without = fields.List(
        fields.String(validate=_path),
        load_default=list,
        metadata={"description": "Paths to leave out.", "names": "paths"},
    )
    lines = fields.List(
        fields.Dict(
            keys=fields.String(validate=validate.OneOf(tuple(LINE_FIELDS), error="Must be one of: {choices}.")),
            values=fields.Raw(allow_none=True),
            metadata={"names": "line fields"},
        ),
        load_default=list,
        metadata={"description": "Service lines to add; what is not written is as on a plain line."},
    )
    tables = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.Dict(keys=fields.String(), values=fields.String(allow_none=True))),
        load_default=dict,
        metadata={"description": "Rows of PACK/FILE.csv that hold for this case only."},
    )
    x12_faults = fields.List(
        fields.String(validate=validate.OneOf(tuple(FAULTS), error="Must be one of: {choices}.")),
        data_key="x12-faults",
        load_default=list,
        metadata={"description": "What is wrong with the segments of the X12 file that the claim comes in, in order."},
    )
    received_on = DayField(
        data_key="received-on", metadata={"description": "Default: the claim's last date of service."}
    )
    releases = fields.String(
        validate=validate.OneOf(TEST_RELEASES, error="Must be one of: {choices}."),
        metadata={
            "description": "Which reference data it runs on. starter: the tables that ship with the program. loaded: "
            "the same, as if they had been loaded from the files of the publishers. complete: as if that had been "
            "done with --complete, so that absence from them means something. in-use: what SCRUBBER_REFERENCE names. "
            "Default: test-releases of pack.yaml, else starter."
        },
    )
    finds = fields.List(
        fields.Nested(ExpectedFindingSchema), metadata={"description": "All findings of the rule; [] is none."}
    )
    after_fix = fields.List(
        fields.Nested(AfterFixSchema),
        data_key="after-fix",
        load_default=list,
        metadata={"description": "What is found once a fix of the rule that is data was applied; each for itself."},
    )
    not_checked = fields.List(
        fields.Nested(ExpectedNotCheckedSchema),
        data_key="not-checked",
        metadata={"description": "All that the rule could not judge. Without `finds`, nothing is to be found."},
    )

    @validates_schema
    def _expects_something(self, data: Mapping[str, Any], **_: Any) -> None:
        if "finds" not in data and "not_checked" not in data:
            raise ValidationError("says nothing of what must come out: add `finds` or `not-checked`")

    @validates_schema
    def _lines_have_codes(self, data: Mapping[str, Any], **_: Any) -> None:
        for index, line in enumerate(data.get("lines", ())):
            if "procedure" not in line:
                raise ValidationError("needs a `procedure`", f"lines.{index}")


TEST_SUFFIX = ".test.yaml"


def tests_of(rule: Rule) -> str:
    """The file with the tests of a rule, below the folder of rules: beside its file, or its family's, by its id."""
    return str(PurePosixPath(rule.file).with_name(f"{rule.id}{TEST_SUFFIX}"))


class AfterFix(NamedTuple):
    """A fix of the rule that is data, by its number, applied on the finding on a `line` (None: the first finding).

    `record_shows`: the user has stated what the record must show. `finds` are the findings of the rule after it.
    """

    remedy: int
    line: int | None
    record_shows: bool
    value: str | None
    finds: tuple[Expected, ...]


class Expected(NamedTuple):
    """A finding, or something not checked, on exactly these lines (1-based; none: the claim as a whole).

    `attributes` are the other values that the case expects: severity, at-risk, liability, related, message, pointer; or
    missing.
    """

    lines: tuple[int, ...]
    attributes: Mapping[str, Any]


class CaseRow(NamedTuple):
    """A row that holds for one case: cells by column, typed; it replaces those with the same key.

    `kind` is a built-in kind of table; of a table that pack.yaml declares it is the table's name, and `own` its row.
    """

    kind: str
    cells: Mapping[str, Any]
    own: StoredRow | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a test file. `change` maps paths to values, `lines` are extra service lines.

    `finds` and `not_checked` are None where the case does not expect any; never both are.
    """

    rule: str
    file: str
    line: int
    name: str
    claim: str
    change: Mapping[str, Any]
    without: tuple[str, ...]
    lines: tuple[Mapping[str, Any], ...]
    tables: tuple[CaseRow, ...]
    received_on: date | None
    releases: str  # one of TEST_RELEASES
    finds: tuple[Expected, ...] | None
    not_checked: tuple[Expected, ...] | None
    x12_faults: tuple[str, ...] = ()
    after_fix: tuple[AfterFix, ...] = ()


_CASES = CaseSchema(many=True)


def rule_of(file: str) -> str:
    """The file of the rule that a test file is of; any other file itself."""
    return file.removesuffix(TEST_SUFFIX) + ".yaml" if file.endswith(TEST_SUFFIX) else file


def case_files(folder: Path) -> list[Path]:
    """Every test file of rules below a folder of rules, in a fixed order; those of tables are beside these."""
    files = folder.glob(f"*/**/*{TEST_SUFFIX}")
    return sorted(path for path in files if path.relative_to(folder).parts[1] != "tables")


def read_cases(path: Path, folder: Path, packs: Mapping[str, Pack]) -> list[Case]:
    """The cases in a test file of a folder of rules. Raises Faults with every fault of the file."""
    return cases_of(read_yaml(path, path.relative_to(folder).as_posix()), folder, packs)


def cases_of(document: Document, folder: Path, packs: Mapping[str, Pack]) -> list[Case]:
    """The cases in a test file that was read. Raises Faults with every fault of it."""
    try:
        loaded = _CASES.load(document.content)
    except ValidationError as error:
        raise Faults(schema_faults(document, error.messages, partial(known_keys, _CASES))) from None
    faults = [
        document.fault((index, "claim"), f"there is no claims/{case['claim']}.json{_claim_like(case['claim'], folder)}")
        for index, case in enumerate(loaded)
        if not (folder / "claims" / f"{case['claim']}.json").is_file()
    ]
    rows: dict[int, list[CaseRow]] = {index: [] for index in range(len(loaded))}
    for position, row in _table_rows(loaded, packs):
        if isinstance(row, str):
            faults.append(document.fault(position, row))
        else:
            rows[int(position[0])].append(row)
    for index, case in enumerate(loaded):
        faults += [document.fault(position, message) for position, message in value_faults(index, case)]
    faults += [document.fault((index, "name"), "this name is used above") for index in _repeated(loaded)]
    if faults:
        raise Faults(faults)
    pack = packs.get(document.file.split("/", 1)[0])
    releases = pack.test_releases if pack else STARTER_RELEASES
    return [_case(document, index, case, tuple(rows[index]), releases) for index, case in enumerate(loaded)]


def _claim_like(name: str, folder: Path) -> str:
    """The base claim that a case probably means."""
    return perhaps(name, [path.stem for path in (folder / "claims").glob("*.json")])


def _repeated(loaded: list[dict[str, Any]]) -> Iterator[int]:
    seen = set()
    for index, case in enumerate(loaded):
        if case["name"] in seen:
            yield index
        seen.add(case["name"])


def _table_rows(loaded: list[dict[str, Any]], packs: Mapping[str, Pack]) -> Iterator[tuple[Position, CaseRow | str]]:
    """Rows of the cases with their positions, or what is wrong with them."""
    for index, case in enumerate(loaded):
        for file, rows in case["tables"].items():
            pack, _, name = file.partition("/")
            kind = packs[pack].tables.get(name) if pack in packs else None
            declaration = packs[pack].own_tables.get(name) if pack in packs else None
            if declaration is not None:
                for number, cells in enumerate(rows):
                    yield _own_row((index, "tables", file, number), name, declaration, cells)
                continue
            if kind is None:
                listed = [
                    f"{pack.name}/{table}" for pack in packs.values() for table in (*pack.tables, *pack.own_tables)
                ]
                message = f"no pack.yaml lists it: write PACK/FILE.csv{perhaps(file, listed)}"
                yield (index, "tables", file), message
                continue
            for number, cells in enumerate(rows):
                yield from _table_row((index, "tables", file, number), kind, cells)


def _listed(packs: Mapping[str, Pack]) -> list[str]:
    return [f"{pack.name}/{table}" for pack in packs.values() for table in (*pack.tables, *pack.own_tables)]


def _own_row(
    position: Position, name: str, declaration: TableDeclaration, cells: Mapping[str, str | None]
) -> tuple[Position, CaseRow | str]:
    row = row_of_case(declaration, {column: cell or "" for column, cell in cells.items()})
    return position, CaseRow(name.removesuffix(".csv"), {}, row) if isinstance(row, StoredRow) else "; ".join(row)


def _table_row(
    position: Position, kind: str, cells: Mapping[str, str | None]
) -> Iterator[tuple[Position, CaseRow | str]]:
    parsers = cell_parsers(ROW_TYPES[kind])
    typed = {}
    for column, cell in cells.items():
        if column not in parsers:
            yield (*position, column), f"there is no column {column}{known_names(column, parsers)}"
            continue
        try:
            typed[column] = parsers[column](cell or "")
        except ValueError as error:
            yield (*position, column), f"{column}: {error}"
    yield position, CaseRow(kind, typed)


def _case(document: Document, index: int, case: Mapping[str, Any], tables: tuple[CaseRow, ...], releases: str) -> Case:
    return Case(
        rule=Path(document.file).name.removesuffix(TEST_SUFFIX),
        file=document.file,
        line=document.line((index,)),
        name=case["name"],
        claim=case["claim"],
        change=case["change"],
        without=tuple(case["without"]),
        lines=tuple(case["lines"]),
        tables=tables,
        x12_faults=tuple(case["x12_faults"]),
        received_on=case.get("received_on"),
        releases=case.get("releases") or releases,
        finds=_expected(case.get("finds")),
        not_checked=_expected(case.get("not_checked")),
        after_fix=tuple(_after_fix(each) for each in case["after_fix"]),
    )


def _after_fix(each: Mapping[str, Any]) -> AfterFix:
    found = _expected(each["finds"]) or ()
    return AfterFix(each["remedy"], each.get("line"), each["record_shows"], each.get("value"), found)


def _expected(items: list[dict[str, Any]] | None) -> tuple[Expected, ...] | None:
    if items is None:
        return None
    return tuple(
        Expected(_lines(item), {key: item[key] for key in item if key not in ("line", "lines")}) for item in items
    )


def _lines(item: Mapping[str, Any]) -> tuple[int, ...]:
    return (item["line"],) if "line" in item else tuple(item["lines"])
