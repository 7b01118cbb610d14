"""Reads and runs the test cases of an author's table: for which values, on which day, which row must answer.

They stand beside the table, in `tables/NAME.test.yaml`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from scrubber.errors import Fault, Faults
from scrubber.rulebook.column_types import NONE, PAYERS, probably, text_of, value_of
from scrubber.rulebook.schema import DayField, known_keys
from scrubber.rulebook.table_declaration import ALL, Column
from scrubber.rulebook.table_index import HAS_NONE
from scrubber.rulebook.test_case import TEST_SUFFIX
from scrubber.rulebook.typed_table import TableRow, TypedTable
from scrubber.rulebook.yaml_file import Document, Position, read_yaml, schema_faults

UNKNOWN = "unknown"
MOST_CASES = 2_000
MOST_CHARACTERS = 2_000


class AnswersField(fields.Field[Any]):
    """The columns of the row that must answer, a list of them where all answer, `none`, or `unknown`."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if value in (NONE, UNKNOWN):
            return value
        rows = value if isinstance(value, list) else [value]
        if not rows or not all(isinstance(row, dict) and row for row in rows):
            raise ValidationError("must be columns with their values ({units: 2}), a list of them, none, or unknown")
        return rows


class TableCaseSchema(Schema):
    """One case of a table: what is looked up, on which day, and what must answer."""

    name = fields.String(
        required=True,
        validate=validate.Length(1, MOST_CHARACTERS),
        metadata={"description": "What the case shows, in a few words; no two of a file have the same."},
    )
    keys = fields.Dict(
        keys=fields.String(metadata={"description": "A key of the table.", "pattern": ".+"}),
        values=fields.Raw(metadata={"description": "A value, a list of values, or none."}),
        required=True,
        metadata={"description": "The values that are looked up, by key. A key that is left out is none."},
    )
    unknown_keys = fields.List(
        fields.String(validate=validate.Length(min=1), metadata={"description": "A key of the table."}),
        data_key="unknown",
        load_default=list,
        metadata={"description": "Keys whose value nobody knows, such as a payer without an alias."},
    )
    day = DayField(required=True, metadata={"description": "The date of service."})
    answers = AnswersField(
        required=True,
        metadata={
            "description": "Columns of the row that must answer; columns that are left out may be anything. A list "
            "where all rows that fit answer. none: no row answers. unknown: it depends on what nobody knows."
        },
    )


@dataclass(frozen=True, slots=True)
class TableCase:
    """A case as it is run: typed values by key and by column. `answers` has the columns of each row that must answer.

    None: nobody knows which row answers.
    """

    table: str
    file: str
    line: int
    name: str
    keys: Mapping[str, Any]
    unknown: tuple[str, ...]
    day: int
    answers: tuple[Mapping[str, Any], ...] | None


_CASES = TableCaseSchema(many=True)


def table_case_files(folder: Path) -> list[Path]:
    """Every file with cases of tables below a folder of rules, in a fixed order."""
    return sorted(folder.glob(f"*/tables/*{TEST_SUFFIX}"))


def read_table_cases(
    path: Path, folder: Path, tables: Mapping[str, TypedTable], payers: Collection[str]
) -> list[TableCase]:
    """The cases in a file, for the table beside it. Raises Faults with all that is wrong."""
    document = read_yaml(path, path.relative_to(folder).as_posix())
    name = path.name.removesuffix(TEST_SUFFIX)
    table = tables.get(name)
    if table is None or Path(table.file).parent != Path(document.file).parent:
        raise Faults([Fault(document.file, 0, f"tests {name}.csv, which no pack.yaml declares a table beside it")])
    try:
        loaded = _CASES.load(document.content)
    except ValidationError as error:
        raise Faults(schema_faults(document, error.messages, partial(known_keys, _CASES))) from None
    if len(loaded) > MOST_CASES:
        raise Faults([Fault(document.file, 0, f"has over {MOST_CASES:,} cases")])
    reader = _CaseReader(document, table, payers)
    cases = [reader.case(index, each) for index, each in enumerate(loaded)]
    seen = set[str]()
    for index, each in enumerate(loaded):
        if each["name"] in seen:
            reader.faults.append(document.fault((index, "name"), "this name is used above"))
        seen.add(each["name"])
    if reader.faults:
        raise Faults(reader.faults)
    return cases


class _CaseReader:
    """Types the values of the cases of one file; `faults` are those that cannot be meant."""

    def __init__(self, document: Document, table: TypedTable, payers: Collection[str]) -> None:
        self._document = document
        self._table = table
        self._known = {PAYERS: payers}
        self.faults: list[Fault] = []

    def case(self, index: int, content: Mapping[str, Any]) -> TableCase:
        """One case."""
        keys = self._table.keys
        typed = dict.fromkeys(keys, HAS_NONE)
        typed |= self._typed(content["keys"], keys, (index, "keys"), as_key=True)
        for number, name in enumerate(content["unknown_keys"]):
            if name not in keys:
                self._report((index, "unknown", number), self._no_such("key", name, keys))
        answers = content["answers"]
        rows: tuple[Mapping[str, Any], ...] | None = None if answers == UNKNOWN else ()
        if isinstance(answers, list):
            if len(answers) > 1 and self._table.answers != ALL:
                self._report((index, "answers"), "one row answers in this table: write its columns")
            rows = tuple(self._row(row, index, number) for number, row in enumerate(answers))
        return TableCase(
            self._table.name,
            self._document.file,
            self._document.line((index,)),
            content["name"],
            typed,
            tuple(content["unknown_keys"]),
            content["day"].toordinal(),
            rows,
        )

    def _row(self, row: Mapping[str, Any], index: int, number: int) -> Mapping[str, Any]:
        listed = isinstance(self._document.at((index, "answers")), list)
        position: Position = (index, "answers", number) if listed else (index, "answers")
        return self._typed(row, self._table.columns, position, as_key=False)

    def _typed(
        self, content: Mapping[str, Any], columns: Mapping[str, Column], position: Position, as_key: bool
    ) -> dict[str, Any]:
        typed = {}
        for name, value in content.items():
            column = columns.get(name)
            if column is None:
                self._report((*position, name), self._no_such("key" if as_key else "column", name, columns))
                continue
            try:
                typed[name] = self._value(column, value, as_key)
            except ValueError as wrong:
                self._report((*position, name), f"{name}: {wrong}")
        return typed

    def _value(self, column: Column, value: Any, as_key: bool) -> Any:
        """A value of a key: none is (). The cell of a row: blank is None, and `none` of a key is ()."""
        if value is None or value == "":
            return HAS_NONE if as_key else None
        if value == NONE and (as_key or column.key) and NONE not in column.field.words:
            return HAS_NONE
        if isinstance(value, list):
            return tuple(self._one(column, each) for each in value)
        if not as_key and column.several and isinstance(value, str):
            return tuple(self._one(column, each) for each in value.split())
        return self._one(column, value)

    def _one(self, column: Column, value: Any) -> Any:
        if not isinstance(value, str):
            raise ValueError("must be a value, or a list of values")
        return value_of(column.type, value, column.field.words, self._known)

    def _no_such(self, what: str, name: str, known: Collection[str]) -> str:
        return f"`{name}` is no {what} of {self._table.name}:{probably(name, known)} there are: {', '.join(known)}"

    def _report(self, position: Position, message: str) -> None:
        self.faults.append(self._document.fault(position, message))


def answering_rows(case: TableCase, table: TypedTable) -> tuple[TableRow, ...] | None:
    """The rows that answer in a case; None: nobody knows."""
    return table.find_where_known(case.keys, case.unknown, case.day)


def differences(case: TableCase, table: TypedTable) -> Iterator[str]:
    """What a case expects and what answers, as lines to read; none where it comes out."""
    rows = answering_rows(case, table)
    if rows is None or case.answers is None:
        if rows is not None or case.answers is not None:
            yield f"expected row: {UNKNOWN if case.answers is None else _expected(case.answers, table)}"
            yield f"found row: {UNKNOWN if rows is None else _found(rows)}"
        return
    left = list(rows)
    for wanted in case.answers:
        match = next((row for row in left if all(row.values[name] == wanted[name] for name in wanted)), None)
        if match is None:
            yield f"expected row: {_columns(wanted, table)}"
        else:
            left.remove(match)
    yield from (f"found row: line {row.line}; {_columns(row.values, table)}" for row in left)


def _expected(rows: tuple[Mapping[str, Any], ...], table: TypedTable) -> str:
    return ", ".join(_columns(row, table) for row in rows) or NONE


def _found(rows: tuple[TableRow, ...]) -> str:
    return ", ".join(f"line {row.line}" for row in rows) or NONE


def _columns(values: Mapping[str, Any], table: TypedTable) -> str:
    texts = {name: text_of(table.columns[name].type, value) for name, value in values.items()}
    return "; ".join(f"{name} {text or '(blank)'}" for name, text in texts.items())
